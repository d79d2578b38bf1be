//! Conversations with identity providers, replayed (`tests/fixtures/idp`).

use serde_json::{Value, json};

use crate::support::World;
use crate::support::fixtures::{is_strict, names, replay};

macro_rules! conversations {
    ($($name:ident)*) => {
        /// Every file that has a test.
        const TESTED: &[&str] = &[$(stringify!($name)),*];

        $(
            #[expect(non_snake_case, reason = "named like its file")]
            mod $name {
                use super::{is_strict, replay};

                #[test]
                fn works_in_compat() {
                    replay(stringify!($name), "compat").unwrap_or_else(|error| panic!("{error}"));
                }

                #[test]
                fn is_held_to_the_rfc_in_strict() {
                    if is_strict(stringify!($name)) {
                        replay(stringify!($name), "strict").unwrap_or_else(|error| panic!("{error}"));
                    }
                }
            }
        )*
    };
}

conversations! {
    E01 E02 E03 E04 E05 E06 E07 E08 E09 E10 E11 E12 E13 E14 E15 E16 E17 E18 E19 E20 E21 E22
    O01 O02 O03 O04 O05 O06 O07 O08 O09
    N01 J01 P01 G01 S01 R01
}

#[test]
fn every_conversation_has_a_test() {
    let mut named: Vec<&str> = TESTED.to_vec();
    named.sort_unstable();
    assert_eq!(named, names());
}

/// Where a conversation is refused in `strict` for the way it is written, what it says is refused, or not, for itself.
#[test]
fn strict_judges_each_shape_for_itself() {
    const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
    const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
    let world = World::new();
    let tenant = world.tenant("strict");
    let user = format!("/Users/{}", tenant.user("a"));
    let group = format!("/Groups/{}", tenant.group("G", &[]));
    for (line, filter) in [
        ("E04", "emails%5Btype+eq+%22work%22%5D.value+eq+%22a@x%22"),
        ("E04", "manager+eq+%22m%22"),
        ("E13", "roles%5Bprimary+eq+%22True%22%5D"),
    ] {
        println!("{line} {filter}");
        let answer = tenant.get(&format!("/Users?filter={filter}"));
        answer.expect_scim_error(400, "invalidFilter", "position");
    }
    let patch =
        |op: &str, path: &str, value: Value| json!([{"op": op, "path": path, "value": value}]);
    let work = "emails[type eq \"work\"]";
    for (line, path, operations, scim_type) in [
        (
            "E10",
            &user,
            patch("add", &format!("{work}.primary"), json!("true")),
            "invalidValue",
        ),
        (
            "E11",
            &user,
            patch("replace", &format!("{ENTERPRISE}:manager"), json!("")),
            "invalidValue",
        ),
        (
            "E11",
            &user,
            patch("replace", "manager", json!({"value": "m"})),
            "invalidPath",
        ),
        (
            "E12",
            &user,
            patch("replace", &format!("{ENTERPRISE}:roles"), json!([])),
            "invalidPath",
        ),
        (
            "E13",
            &user,
            patch("add", "roles[primary eq \"True\"].value", json!("x")),
            "invalidFilter",
        ),
        (
            "O06",
            &group,
            json!([{"op": "replace", "value": {"id": "x", "displayName": "H"}}]),
            "mutability",
        ),
    ] {
        println!("{line} {operations}");
        let answer = tenant.patch(path, operations);
        answer.expect_scim_error(400, scim_type, "");
    }
    let old = json!({"schemas": ["urn:scim:schemas:core:2.0"], "userName": "a"});
    let answer = tenant.send("PUT", &user, old);
    answer.expect_scim_error(400, "invalidSyntax", "schemas[0]");
    for (method, path) in [("POST", "/Groups"), ("PUT", &group), ("PUT", &user)] {
        let answer = tenant.send(method, path, json!({"displayName": "G", "userName": "a"}));
        answer.expect_scim_error(400, "invalidSyntax", "schemas");
    }
    // E09, E13, N01: what the RFC has nothing against.
    let answer = tenant.patch(&user, patch("add", &format!("{work}.value"), json!("a@x")));
    assert_eq!(
        answer.expect(200).body["emails"],
        json!([{"value": "a@x", "type": "work"}])
    );
    let packed = "{\"value\":\"Admin\"}";
    let answer = tenant.patch(&user, patch("add", "roles", json!([{"value": packed}])));
    assert_eq!(answer.expect(200).body["roles"], json!([{"value": packed}]));
    let put = json!({"schemas": [USER], "userName": "a"});
    tenant.send("PUT", &format!("{user}?"), put).expect(200);
}

/// RFC 7643 §2.1: names have no case, whether in a body, a path, a URN or a parameter.
#[test]
fn names_are_found_in_any_case() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let user = format!("/Users/{}", tenant.user("a+b@x"));
    let urn = "URN:IETF:params:scim:schemas:core:2.0:user";
    let patch = json!({
        "schemas": ["URN:ietf:params:scim:api:messages:2.0:PATCHOP"],
        "Operations": [
            {"op": "add", "path": format!("{urn}:Title"), "value": "T"},
            {"op": "add", "path": "EMAILS[TYPE eq \"work\"].VALUE", "value": "w@x"},
        ],
    });
    let answer = tenant.send("PATCH", &user, patch);
    assert_eq!(answer.expect(200).body["title"], "T");
    assert_eq!(
        answer.body["emails"],
        json!([{"value": "w@x", "type": "work"}])
    );
    let answer = tenant.get(&format!("{user}?attributes={urn}:TITLE"));
    assert_eq!(answer.expect(200).body["title"], "T");
    let schema = "/Schemas/URN:ietf:params:SCIM:schemas:core:2.0:user";
    tenant.get(schema).expect(200);
    // A plus sign is a space in a query, and is itself where it is encoded.
    assert_eq!(
        tenant.get("/Users?filter=userName+eq+%22a%2Bb@x%22").body["totalResults"],
        1
    );
    assert_eq!(
        tenant.get("/Users?filter=userName+eq+%22a+b@x%22").body["totalResults"],
        0
    );
    // So is an extension by the name that it had once.
    let former = "urn:scim:schemas:extension:enterprise:1.0";
    for operation in [
        json!({"op": "add", "value": {former: {"department": "D"}}}),
        json!({"op": "add", "path": format!("{former}:division"), "value": "V"}),
    ] {
        tenant.patch(&user, json!([operation])).expect(200);
    }
    assert_eq!(
        tenant.find(&format!("{former}:department eq \"D\"")),
        ["a+b@x"]
    );
    assert_eq!(tenant.find("division eq \"V\""), ["a+b@x"]);
    let search = json!({"filter": "userName eq \"a+b@x\""});
    let answer = tenant.send("POST", "/Users/.search", search);
    assert_eq!(answer.expect(200).body["totalResults"], 1);
}
