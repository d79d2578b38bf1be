//! What an import tells of lines that it cannot take.

use serde_json::{Value, json};

use super::exported;
use super::import::{counts, import, import_text};
use crate::support::World;

#[test]
fn what_is_no_json_is_told_by_its_column() {
    let world = World::new();
    let tenant = world.tenant("compat");
    for (line, detail) in [
        ("{\"id\": 7, \"sch", "it breaks off in column 14"),
        ("{\"id\":7} x", "`x` in column 10 does not belong there"),
        ("{\"i\":1,\"i\":2}", "the key `i` is repeated (column 13)"),
        (
            "{\"id\":07}",
            "the number in column 8 is not written as JSON has it, or is too large",
        ),
    ] {
        for (number, begin, end) in [(1, "", ""), (3, "\n \n", "\n"), (2, "\r\n", "\r\n")] {
            let answer = import_text(&tenant, format!("{begin}{line}{end}"));
            let detail = format!("it is not valid JSON: {detail}");
            let wanted = json!([{"line": number, "detail": detail}]);
            assert_eq!(answer.expect(200).body["data"]["failures"], wanted);
        }
    }
}

#[test]
fn who_has_the_name_and_is_inactive_is_where_the_detail_says() {
    let world = World::new();
    let (from, to) = (world.tenant("compat"), world.tenant("compat"));
    from.user("ada");
    let id = to.user("ada");
    let path = format!("/Users/{id}");
    let inactive = json!([{"op": "replace", "path": "active", "value": false}]);
    to.patch(&path, inactive).expect(200);
    let told = import(&to, &exported(&from))["failures"][0]["detail"].clone();
    let location = to.get(&path).body["meta"]["location"].clone();
    let location = location.as_str().expect("a location");
    let told = told.as_str().expect("a detail");
    assert!(told.contains(&format!(" at {location} ")), "{told}");
}

/// Into the tenant that it is of: new ones of those who are gone, and what is there has its name.
#[test]
fn an_export_of_the_same_tenant() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let (ada, bob) = (tenant.user("ada"), tenant.user("bob"));
    let group = tenant.group("Staff", &[&ada, &bob]);
    let lines = exported(&tenant);
    let told = import(&tenant, &lines);
    assert_eq!(told["failed"], 4, "{told}");
    for path in [
        format!("/Users/{ada}"),
        format!("/Users/{bob}"),
        format!("/Groups/{group}"),
    ] {
        tenant.send("DELETE", &path, Value::Null).expect(204);
    }
    assert_eq!(import(&tenant, &lines), counts([2, 0], [1, 0], [2, 0]));
    assert_eq!(import(&tenant, &lines), counts([0, 2], [0, 1], [0, 2]));
}
