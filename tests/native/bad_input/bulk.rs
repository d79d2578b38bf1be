//! Bulk requests: what is wrong with the whole of one, and what is over its limits.

use serde_json::{Value, json};

use super::send_text;
use crate::bulk::{USER, bulk, bulk_with, post_user, statuses};
use crate::support::World;

const BULK: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
pub const NOBODY: &str = "/Users/019b0000-0000-7000-8000-000000000000";

#[test]
fn what_is_no_bulk_request_is_refused_whole() {
    for profile in ["compat", "strict"] {
        let world = World::new();
        let tenant = world.tenant(profile);
        let before = world.database.dump();
        for (body, scim_type, names) in [
            (json!([]), "invalidSyntax", "object"),
            (json!("Operations"), "invalidSyntax", "object"),
            (json!({"schemas": [BULK]}), "invalidSyntax", "Operations"),
            (
                json!({"schemas": [BULK], "Operations": null}),
                "invalidSyntax",
                "Operations",
            ),
            (
                json!({"schemas": [BULK], "Operations": {}}),
                "invalidSyntax",
                "Operations",
            ),
            (
                json!({"schemas": [BULK], "Operations": "POST"}),
                "invalidSyntax",
                "Operations",
            ),
            (
                json!({"schemas": [BULK], "Operations": [], "operations": []}),
                "invalidSyntax",
                "operations",
            ),
            (
                json!({"schemas": [BULK], "Operations": [post_user("a", "a")], "failOnErrors": -1}),
                "invalidValue",
                "failOnErrors",
            ),
            (
                json!({"schemas": [BULK], "Operations": [post_user("a", "a")], "failOnErrors": 1.5}),
                "invalidValue",
                "failOnErrors",
            ),
            (
                json!({"schemas": [BULK], "Operations": [post_user("a", "a")], "failOnErrors": "1"}),
                "invalidValue",
                "failOnErrors",
            ),
            (
                json!({"schemas": [BULK], "Operations": [post_user("a", "a")], "failOnErrors": true}),
                "invalidValue",
                "failOnErrors",
            ),
            (
                json!({"schemas": [BULK], "Operations": [post_user("a", "a")], "failOnErrors": [1]}),
                "invalidValue",
                "failOnErrors",
            ),
            (
                json!({"schemas": [BULK], "Operations": [post_user("a", "a")], "failOnErrors": 1e30}),
                "invalidValue",
                "failOnErrors",
            ),
        ] {
            println!("{profile} {body}");
            let answer = tenant.send("POST", "/Bulk", body);
            answer.expect_scim_error(400, scim_type, names);
        }
        for body in ["{", "{} {}", "{}\u{feff}"] {
            send_text(&tenant, "POST", "/Bulk", body).expect_scim_error(
                400,
                "invalidSyntax",
                "JSON",
            );
        }
        assert_eq!(world.database.dump(), before);
        for method in ["GET", "PUT", "PATCH", "DELETE"] {
            let answer = tenant.send(method, "/Bulk", Value::Null);
            answer.expect_scim_error(405, "", "");
            assert_eq!(answer.header("allow"), "POST");
        }
        // Nothing to do is done.
        assert!(statuses(&bulk(&tenant, json!([]))).is_empty());
        assert!(
            statuses(&bulk_with(
                &tenant,
                json!({"failOnErrors": null}),
                json!([])
            ))
            .is_empty()
        );
    }
}

#[test]
fn strict_asks_for_the_schema_and_for_nothing_that_is_unknown() {
    let world = World::new();
    let (compat, strict) = (world.tenant("compat"), world.tenant("strict"));
    for (body, names) in [
        (json!({"Operations": []}), BULK),
        (json!({"schemas": [], "Operations": []}), BULK),
        (json!({"schemas": [USER], "Operations": []}), BULK),
        (
            json!({"schemas": [BULK], "Operations": [], "maxErrors": 1}),
            "maxerrors",
        ),
    ] {
        strict
            .send("POST", "/Bulk", body.clone())
            .expect_scim_error(400, "invalidSyntax", names);
        compat.send("POST", "/Bulk", body).expect(200);
    }
    let mut unknown = post_user("a", "a");
    unknown["priority"] = json!(1);
    let mut nameless = post_user("a", "b");
    nameless["bulkId"] = Value::Null;
    let operations = json!([unknown, nameless]);
    let answer = bulk(&strict, operations.clone());
    assert_eq!(statuses(&answer), ["400", "400"]);
    for (index, names) in [(0, "priority"), (1, "Operations[1].bulkId")] {
        let response = &answer.body["Operations"][index]["response"];
        assert_eq!(response["scimType"], "invalidSyntax");
        let detail = response["detail"].as_str().unwrap();
        assert!(detail.contains(names), "{detail}");
    }
    assert_eq!(statuses(&bulk(&compat, operations)), ["201", "201"]);
}

#[test]
fn a_request_over_a_limit_is_413_and_one_at_it_is_done() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let deletes = |count: usize| {
        let delete = json!({"method": "DELETE", "path": NOBODY});
        json!(vec![delete; count])
    };
    bulk(&tenant, deletes(1_001)).expect_scim_error(413, "", "1000");
    let answer = bulk(&tenant, deletes(1_000));
    assert!(statuses(&answer).iter().all(|status| *status == "404"));
    let text = json!({"schemas": [BULK], "Operations": [post_user("a", "a")]}).to_string();
    let limit = 1024 * 1024;
    let padded = |length: usize| format!("{}{text}", " ".repeat(length - text.len()));
    send_text(&tenant, "POST", "/Bulk", &padded(limit + 1)).expect_scim_error(413, "", "1048576");
    assert_eq!(tenant.get("/Users").body["totalResults"], 0);
    send_text(&tenant, "POST", "/Bulk", &padded(limit)).expect(200);
    assert_eq!(tenant.get("/Users").body["totalResults"], 1);
}
