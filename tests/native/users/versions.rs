//! Entity tags: who may change what is at which version (RFC 7644 §3.14, RFC 9110 §13).

use serde_json::{Value, json};

use super::{create, in_both, user_body};
use crate::support::{Answer, Tenant};

fn change(tenant: &Tenant<'_>, method: &str, path: &str, header: &str) -> Answer {
    let body = match method {
        "PUT" => user_body("renamed"),
        "PATCH" => json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{"op": "replace", "path": "userName", "value": "renamed"}],
        }),
        _ => Value::Null,
    };
    tenant.send_with(method, path, &[("if-match", header)], body)
}

/// A user at version 3.
fn at_version_3(tenant: &Tenant<'_>) -> String {
    let path = format!("/Users/{}", create(tenant, "a", json!({})).id());
    for title in ["x", "y"] {
        tenant
            .patch(
                &path,
                json!([{"op": "replace", "path": "title", "value": title}]),
            )
            .expect(200);
    }
    path
}

#[test]
fn a_change_with_a_stale_tag_is_rejected() {
    in_both(|tenant| {
        let path = at_version_3(tenant);
        let before = tenant.world.database.dump();
        for method in ["PUT", "PATCH", "DELETE"] {
            for header in [
                "W/\"2\"",
                "\"2\"",
                "W/\"1\", W/\"2\"",
                "W/\"4\"",
                "W/\"x\"",
                "\"\"",
                "W/\"30\"",
                "W/\"-3\"",
            ] {
                let answer = change(tenant, method, &path, header);
                answer.expect_scim_error(412, "", "");
            }
        }
        assert_eq!(tenant.world.database.dump(), before);
    });
}

#[test]
fn a_change_with_the_right_tag_is_made() {
    in_both(|tenant| {
        for method in ["PUT", "PATCH", "DELETE"] {
            for header in [
                "W/\"3\"",
                "\"3\"",
                "W/\"1\", W/\"3\"",
                "W/\"3\" , \"9\"",
                "*",
                " * ",
            ] {
                let path = at_version_3(tenant);
                let answer = change(tenant, method, &path, header);
                assert!(
                    matches!(answer.status, 200 | 204),
                    "{method} {header}: {}",
                    answer.body
                );
                if method != "DELETE" {
                    assert_eq!(answer.header("etag"), "W/\"4\"");
                    tenant.send("DELETE", &path, Value::Null).expect(204);
                }
            }
        }
    });
}

#[test]
fn a_condition_on_what_is_not_there_is_404() {
    in_both(|tenant| {
        let path = "/Users/0197b1a2-0000-7000-8000-000000000000";
        for method in ["PUT", "PATCH", "DELETE"] {
            for header in ["W/\"1\"", "*"] {
                change(tenant, method, path, header).expect(404);
            }
        }
    });
}

#[test]
fn no_change_is_no_new_version() {
    in_both(|tenant| {
        let created = create(
            tenant,
            "a",
            json!({"title": "Boss", "emails": [{"value": "a@b.c", "type": "work"}]}),
        );
        let path = format!("/Users/{}", created.id());
        tenant.world.clock.advance_seconds(100);
        let before = tenant.world.database.dump();
        for operations in [
            json!([{"op": "replace", "path": "title", "value": "Boss"}]),
            json!([{"op": "add", "path": "emails", "value": [{"value": "a@b.c", "type": "work"}]}]),
            json!([{"op": "add", "value": {"title": "Boss"}}]),
            json!([{"op": "remove", "path": "nickName"}]),
            json!([{"op": "replace", "path": "title", "value": "x"}, {"op": "replace", "path": "title", "value": "Boss"}]),
        ] {
            let answer = tenant.patch(&path, operations);
            answer.expect(200);
            assert_eq!(
                (answer.header("etag"), &answer.body),
                ("W/\"1\"", &created.body)
            );
        }
        let same = super::user_with(
            "a",
            json!({"title": "Boss", "emails": [{"value": "a@b.c", "type": "work"}]}),
        );
        let answer = tenant.send("PUT", &path, same);
        assert_eq!((answer.status, &answer.body), (200, &created.body));
        assert_eq!(
            tenant.world.database.dump(),
            before,
            "nothing is written, no event appended"
        );
    });
}

#[test]
fn every_change_is_one_version_and_one_event() {
    in_both(|tenant| {
        let path = at_version_3(tenant);
        let read = tenant.get(&path);
        assert_eq!(
            (read.header("etag"), &read.body["meta"]["version"]),
            ("W/\"3\"", &json!("W/\"3\""))
        );
        let events = tenant.world.database.texts(
            "select seq || ' ' || action || ' ' || attributes from audit_events where resource_type = 'User' order by seq",
        );
        assert_eq!(
            events,
            [
                r#"3 create ["userName","active"]"#,
                r#"4 patch ["title"]"#,
                r#"5 patch ["title"]"#
            ]
        );
    });
}

#[test]
fn a_read_of_a_known_version_is_not_modified() {
    in_both(|tenant| {
        let path = at_version_3(tenant);
        let read = |header: &str| {
            tenant.send_with("GET", &path, &[("if-none-match", header)], Value::Null)
        };
        for header in ["W/\"3\"", "\"3\"", "W/\"1\", W/\"3\"", "*"] {
            let answer = read(header);
            answer.expect(304);
            assert_eq!(
                (answer.header("etag"), &answer.body),
                ("W/\"3\"", &Value::Null)
            );
        }
        for header in ["W/\"2\"", "\"x\"", "", "W/\"33\""] {
            let answer = read(header);
            answer.expect(200);
            assert_eq!(answer.header("etag"), "W/\"3\"");
        }
        let missing = "/Users/0197b1a2-0000-7000-8000-000000000000";
        tenant
            .send_with("GET", missing, &[("if-none-match", "*")], Value::Null)
            .expect(404);
    });
}
