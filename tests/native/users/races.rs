//! Two clients change the same user at once: nobody's change is lost, and whoever named a version is told.

use serde_json::{Value, json};

use super::{create, in_both_remembered_or_not, user_body};
use crate::support::Tenant;

/// What another client does to the user between a request's read and its write.
const SOMEBODY: &str = "update users set version = version + 1, \
     resource = json_set(resource, '$.nickName', 'Theirs'), keys = json_set(keys, '$.nickname', 'theirs')";

fn title(value: &str) -> Value {
    json!([{"op": "replace", "path": "title", "value": value}])
}

fn path(tenant: &Tenant<'_>) -> String {
    format!("/Users/{}", create(tenant, "a", json!({})).id())
}

#[test]
fn a_patch_that_lost_a_race_is_made_again_on_what_is_there_now() {
    in_both_remembered_or_not(|tenant| {
        let path = path(tenant);
        tenant.world.database.interfere_before_write(&[SOMEBODY]);
        let answer = tenant.patch(&path, title("Mine"));
        answer.expect(200);
        assert_eq!(
            (&answer.body["title"], &answer.body["nickName"]),
            (&json!("Mine"), &json!("Theirs"))
        );
        assert_eq!(answer.header("etag"), "W/\"3\"");
        let lost = match tenant.world.forgetful.get() {
            true => 2,
            false => 1,
        };
        assert_eq!(answer.trips(), lost + 2, "{lost} to lose and two to win");
        assert_eq!(tenant.get(&path).body, answer.body);
        let events = tenant
            .world
            .database
            .number("select count(*) from audit_events where action = 'patch'");
        assert_eq!(events, 1, "the attempt that was undone left nothing");
    });
}

#[test]
fn a_replace_that_lost_a_race_replaces_what_is_there_now() {
    in_both_remembered_or_not(|tenant| {
        let path = path(tenant);
        tenant.world.database.interfere_before_write(&[SOMEBODY]);
        let answer = tenant.send("PUT", &path, user_body("b"));
        answer.expect(200);
        assert_eq!(
            (answer.header("etag"), answer.body.get("nickName")),
            ("W/\"3\"", None)
        );
    });
}

#[test]
fn with_a_tag_a_lost_race_is_412_and_changes_nothing() {
    in_both_remembered_or_not(|tenant| {
        for method in ["PATCH", "PUT"] {
            let path = path(tenant);
            let body = match method {
                "PUT" => user_body("b"),
                _ => {
                    json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": title("Mine")})
                }
            };
            tenant.world.database.interfere_before_write(&[SOMEBODY]);
            let answer = tenant.send_with(method, &path, &[("if-match", "W/\"1\"")], body);
            answer.expect_scim_error(412, "", "");
            let now = tenant.get(&path);
            assert_eq!(
                (
                    now.header("etag"),
                    &now.body["nickName"],
                    now.body.get("title")
                ),
                ("W/\"2\"", &json!("Theirs"), None)
            );
            tenant.send("DELETE", &path, Value::Null).expect(204);
        }
    });
}

#[test]
fn any_version_goes_on_after_a_lost_race() {
    in_both_remembered_or_not(|tenant| {
        let path = path(tenant);
        tenant.world.database.interfere_before_write(&[SOMEBODY]);
        let body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": title("Mine")});
        tenant
            .send_with("PATCH", &path, &[("if-match", "*")], body)
            .expect(200);
    });
}

#[test]
fn a_user_deleted_between_read_and_write_is_404() {
    in_both_remembered_or_not(|tenant| {
        for header in [None, Some(("if-match", "W/\"1\""))] {
            let path = path(tenant);
            tenant
                .world
                .database
                .interfere_before_write(&["delete from users"]);
            let body = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": title("Mine")});
            let headers: Vec<(&str, &str)> = header.into_iter().collect();
            let answer = tenant.send_with("PATCH", &path, &headers, body);
            assert!(
                matches!((answer.status, header), (404, _) | (412, Some(_))),
                "{}",
                answer.body
            );
            assert_eq!(
                tenant.world.database.number("select count(*) from users"),
                0
            );
        }
    });
}

#[test]
fn a_name_taken_between_read_and_write_is_409() {
    in_both_remembered_or_not(|tenant| {
        let path = path(tenant);
        let other = create(tenant, "b", json!({})).id();
        let take = format!(
            "update users set version = version + 1, resource = json_set(resource, '$.userName', 'Wanted'), \
             keys = json_set(keys, '$.username', 'wanted') where id = '{other}'"
        );
        tenant.world.database.interfere_before_write(&[&take]);
        tenant
            .send("PUT", &path, user_body("WANTED"))
            .expect_scim_error(409, "uniqueness", "userName");
        assert_eq!(tenant.find("userName eq \"a\""), ["a"]);
    });
}

#[test]
fn a_database_that_is_overloaded_is_503_and_says_when_to_try_again() {
    let world = crate::support::World::new();
    let tenant = world.tenant("compat");
    let path = path(&tenant);
    tenant.get(&path).expect(200);
    let before = world.database.dump();
    for (method, body) in [
        ("GET", Value::Null),
        ("PUT", user_body("b")),
        ("DELETE", Value::Null),
    ] {
        let overloaded = rollcall::store::Error::Overloaded("D1 DB is overloaded".to_owned());
        world.database.failures.borrow_mut().push(overloaded);
        let answer = tenant.send(method, &path, body);
        answer.expect_scim_error(503, "", "");
        assert!(
            answer
                .header("retry-after")
                .parse::<u32>()
                .expect("seconds")
                > 0
        );
        assert!(!answer.body.to_string().contains("D1"), "{}", answer.body);
    }
    assert_eq!(world.database.dump(), before);
}

#[test]
fn a_failure_of_the_database_is_500_and_only_the_log_knows_why() {
    let world = crate::support::World::new();
    let tenant = world.tenant("compat");
    let broken = rollcall::store::Error::Backend("no such column: secret_detail".to_owned());
    world.database.failures.borrow_mut().push(broken);
    let answer = tenant.get("/Users");
    answer.expect_scim_error(500, "", "id");
    assert!(!answer.body.to_string().contains("secret_detail"));
    let lines = world.log.0.borrow();
    let line = lines.last().expect("a line");
    assert!(
        line.contains("secret_detail") && line.contains(answer.header("x-request-id")),
        "{line}"
    );
}
