//! Members that one operation adds and a later one finds, by whatever filter.

use serde_json::{Value, json};

use super::{assert_consistent, bulk, id_of, patch, post_group, post_user, statuses};
use crate::support::World;

fn add(ids: &[&str]) -> Value {
    let members: Vec<Value> = ids.iter().map(|id| json!({"value": id})).collect();
    json!({"op": "add", "path": "members", "value": members})
}

fn remove(filter: &str) -> Value {
    json!({"op": "remove", "path": format!("members[{filter}]")})
}

#[test]
fn a_filter_meets_members_that_an_operation_before_it_added() {
    for (filter, stays) in [
        ("type eq \"User\"", ["inner", "made"].as_slice()),
        ("type eq \"Group\"", &["ada", "bob", "new"]),
        ("display sw \"ad\"", &["bob", "inner", "new", "made"]),
        ("display eq \"Made\"", &["ada", "bob", "inner", "new"]),
        ("$ref co \"/Groups/\"", &["ada", "bob", "new"]),
        ("not (type eq \"Group\")", &["inner", "made"]),
        (
            "type eq \"User\" and display eq \"new\"",
            &["ada", "bob", "inner", "made"],
        ),
        ("value pr", &[]),
    ] {
        println!("{filter}");
        let world = World::new();
        let tenant = world.tenant("strict");
        let (ada, bob) = (tenant.user("ada"), tenant.user("bob"));
        let inner = tenant.group("Inner", &[]);
        let staff = tenant.group("Staff", &[&bob]);
        let path = format!("/Groups/{staff}");
        let answer = bulk(
            &tenant,
            json!([
                post_user("new", "new"),
                post_group("made", "Made", json!([])),
                patch(
                    &path,
                    json!([add(&[&ada, &inner, "bulkId:new", "bulkId:made"])])
                ),
                patch(&path, json!([remove(filter)])),
            ]),
        );
        assert_eq!(statuses(&answer), ["201", "201", "200", "200"]);
        let id = |name: &&str| match *name {
            "ada" => ada.clone(),
            "bob" => bob.clone(),
            "inner" => inner.clone(),
            "new" => id_of(&answer, 0),
            _ => id_of(&answer, 1),
        };
        let mut wanted: Vec<String> = stays.iter().map(id).collect();
        wanted.sort();
        assert_eq!(tenant.members(&staff), wanted);
        assert_consistent(&world);
    }
}

#[test]
fn a_filter_goes_by_the_names_that_members_have_by_then() {
    let world = World::new();
    let tenant = world.tenant("strict");
    let (ada, bob, cleo) = (tenant.user("ada"), tenant.user("bob"), tenant.user("cleo"));
    let staff = tenant.group("Staff", &[&ada, &bob, &cleo]);
    let path = format!("/Groups/{staff}");
    let rename = |id: &str, name: &str| {
        patch(
            &format!("/Users/{id}"),
            json!([{"op": "replace", "path": "userName", "value": name}]),
        )
    };
    let answer = bulk(
        &tenant,
        json!([
            rename(&ada, "zoe"),
            rename(&bob, "adam"),
            patch(&path, json!([remove("display sw \"ad\"")])),
            patch(&path, json!([remove("display eq \"cleo\""), add(&[&cleo])])),
        ]),
    );
    assert_eq!(statuses(&answer), ["200", "200", "200", "200"]);
    let mut wanted = vec![ada, cleo];
    wanted.sort();
    assert_eq!(tenant.members(&staff), wanted);
    assert_consistent(&world);
}

#[test]
fn within_one_patch_too_a_filter_meets_what_was_added_before_it() {
    for profile in ["compat", "strict"] {
        let world = World::new();
        let tenant = world.tenant(profile);
        let (ada, bob) = (tenant.user("ada"), tenant.user("bob"));
        let inner = tenant.group("Inner", &[]);
        let staff = tenant.group("Staff", &[&bob]);
        let path = format!("/Groups/{staff}");
        let mut both = vec![ada.clone(), bob.clone()];
        both.sort();
        tenant
            .patch(
                &path,
                json!([add(&[&ada, &inner]), remove("type eq \"Group\"")]),
            )
            .expect(200);
        assert_eq!(tenant.members(&staff), both);
        // What is added again after it stays, and what the filter does not meet.
        tenant
            .patch(
                &path,
                json!([add(&[&inner]), remove("type pr"), add(&[&ada])]),
            )
            .expect(200);
        assert_eq!(tenant.members(&staff), vec![ada.clone()]);
        tenant
            .patch(
                &path,
                json!([{"op": "replace", "path": "members", "value": [{"value": ada}, {"value": bob}]}, remove("display eq \"ADA\"")]),
            )
            .expect(200);
        assert_eq!(tenant.members(&staff), vec![bob.clone()]);
        assert_consistent(&world);
    }
}

#[test]
fn members_that_went_in_one_operation_come_back_in_the_next() {
    let world = World::new();
    let tenant = world.tenant("strict");
    let (ada, bob) = (tenant.user("ada"), tenant.user("bob"));
    let staff = tenant.group("Staff", &[&ada, &bob]);
    let path = format!("/Groups/{staff}");
    let answer = bulk(
        &tenant,
        json!([
            patch(&path, json!([{"op": "remove", "path": "members"}])),
            patch(&path, json!([add(&[&bob])])),
            patch(&path, json!([remove(&format!("value eq \"{ada}\""))])),
            patch(
                &path,
                json!([add(&[&ada]), remove("type eq \"User\""), add(&[&bob])])
            ),
        ]),
    );
    assert_eq!(statuses(&answer), ["200", "200", "200", "200"]);
    assert_eq!(tenant.members(&staff), vec![bob]);
    assert_consistent(&world);
}

/// Ids of nobody, what an operation has deleted among them, are left out in `compat` and refused in `strict`.
#[test]
fn ids_of_nobody_are_left_out_in_compat() {
    for profile in ["compat", "strict"] {
        let world = World::new();
        let tenant = world.tenant(profile);
        let theirs = world.tenant("compat").user("theirs");
        let (ada, gone) = (tenant.user("ada"), tenant.user("gone"));
        let staff = tenant.group("Staff", &[&ada, &gone]);
        let path = format!("/Groups/{staff}");
        let replace = |ids: &[&str]| {
            let members: Vec<Value> = ids.iter().map(|id| json!({"value": id})).collect();
            let operation = json!({"op": "replace", "path": "members", "value": members});
            patch(&path, json!([operation]))
        };
        let member = |id: &str| json!({"value": id});
        let answer = bulk(
            &tenant,
            json!([
                {"method": "DELETE", "path": format!("/Users/{gone}")},
                post_user("new", "new"),
                patch(&path, json!([add(&[&gone, &theirs, "nobody", "bulkId:new"])])),
                post_group("g", "New", json!([member(&gone), member("bulkId:new"), member(&theirs)])),
                post_group("e", "Empty", json!([member(&theirs)])),
                replace(&[&gone, &theirs]),
                replace(&[&theirs, &ada]),
            ]),
        );
        if profile == "strict" {
            let refused = ["204", "201", "400", "400", "400", "400", "400"];
            assert_eq!(statuses(&answer), refused);
            assert_eq!(tenant.members(&staff), [ada]);
        } else {
            let done = ["204", "201", "200", "201", "201", "200", "200"];
            assert_eq!(statuses(&answer), done);
            assert_eq!(tenant.members(&staff), [ada]);
            assert_eq!(tenant.members(&id_of(&answer, 3)), [id_of(&answer, 1)]);
            assert_eq!(tenant.members(&id_of(&answer, 4)), Vec::<String>::new());
            // The one that changes nothing is no new version.
            let version = |index: usize| answer.body["Operations"][index]["version"].clone();
            assert_eq!(version(5), version(2));
        }
        assert_consistent(&world);
    }
}

/// One operation by itself is answered as among others: with the version that the group has then, and with why nothing was done.
#[test]
fn a_request_of_one_change_of_members_tells_the_groups_version() {
    const NOBODY: &str = "01a1fa81-0000-7000-8000-000000000000";
    for profile in ["compat", "strict"] {
        let world = World::new();
        let tenant = world.tenant(profile);
        let (ada, bob) = (tenant.user("ada"), tenant.user("bob"));
        let staff = tenant.group("Staff", &[&ada]);
        let staff = format!("/Groups/{staff}");
        let nothing = format!("/Groups/{NOBODY}");
        let without = |id: &str| remove(&format!("value eq \"{id}\""));
        for (path, version, operation, wanted) in [
            (&staff, None, add(&[&bob]), ["200", "W/\"2\""]),
            (&staff, None, add(&[&bob]), ["200", "W/\"2\""]),
            (&staff, None, add(&[]), ["200", "W/\"2\""]),
            (&staff, Some("W/\"2\""), add(&[]), ["200", "W/\"2\""]),
            (&staff, Some("*"), add(&[]), ["200", "W/\"2\""]),
            (&staff, Some("W/\"1\""), add(&[]), ["412", ""]),
            (&staff, Some("W/\"1\""), add(&[&bob]), ["412", ""]),
            (&staff, Some("W/\"1\""), without(&bob), ["412", ""]),
            (&staff, None, without(NOBODY), ["200", "W/\"2\""]),
            (&staff, None, without(&ada), ["200", "W/\"3\""]),
            (&staff, None, without(&ada), ["200", "W/\"3\""]),
            (&nothing, None, add(&[]), ["404", ""]),
            (&nothing, None, add(&[&bob]), ["404", ""]),
            (&nothing, None, without(&bob), ["404", ""]),
            (&nothing, Some("W/\"1\""), add(&[]), ["404", ""]),
        ] {
            let mut one = patch(path, json!([operation]));
            if let Some(version) = version {
                one["version"] = version.into();
            }
            let answer = bulk(&tenant, json!([one]));
            let done = &answer.body["Operations"][0];
            let found = ["status", "version"].map(|name| done[name].as_str().unwrap_or_default());
            assert_eq!(found, wanted, "{profile} {one}");
            // The same alone.
            let headers: Vec<(&str, &str)> =
                version.map(|tag| ("if-match", tag)).into_iter().collect();
            let again = tenant.send_with("PATCH", path, &headers, one["data"].clone());
            match wanted[0] {
                "200" if version.is_none() => {
                    assert_eq!(again.expect(200).header("etag"), wanted[1])
                }
                status => assert_eq!(again.status.to_string(), status, "{profile} {one}"),
            }
        }
        assert_consistent(&world);
    }
}
