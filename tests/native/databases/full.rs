//! A database that has as many bytes as it may have.

use rollcall::store::Error;
use serde_json::{Value, json};

use super::{THREE, cut, tenant_in, twin, user};
use crate::support::{Answer, SECRET, Tenant, World};

const MAX: i64 = 1_000_000;

fn world() -> World {
    World::configured(&[
        ("JWT_LOCAL_SECRET", SECRET),
        ("DATABASES", THREE),
        ("DATABASE_MAX_BYTES", &MAX.to_string()),
    ])
}

#[track_caller]
fn expect_full(answer: &Answer, status: u16, name: &str) {
    answer.expect(status);
    assert_eq!(answer.header("retry-after"), "600");
    let detail = answer.body["detail"].as_str().expect("a detail");
    assert!(
        detail.contains(&format!("database {name} is full")),
        "{detail}"
    );
    let said = format!("the database {name} is full");
    assert!(answer.log.contains(&said), "{}", answer.log);
}

/// Every way to write by SCIM, with whether it only deletes.
fn writes(ada: &str, team: &str) -> Vec<(&'static str, String, Value)> {
    let patch = |path: &str| {
        json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{"op": "replace", "path": path, "value": "other"}],
        })
    };
    let group =
        json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": "New"});
    vec![
        ("POST", "/Users".to_owned(), user("new")),
        ("PUT", format!("/Users/{ada}"), user("renamed")),
        ("PATCH", format!("/Users/{ada}"), patch("title")),
        ("POST", "/Groups".to_owned(), group.clone()),
        ("PUT", format!("/Groups/{team}"), group),
        ("PATCH", format!("/Groups/{team}"), patch("displayName")),
    ]
}

fn import(tenant: &Tenant<'_>) -> Answer {
    let path = format!("/api/v1/admin/tenants/{}/import", tenant.id);
    let mut line = user("imported");
    line["id"] = "01a1fa81-2c91-7f90-9f26-4fa48cc17938".into();
    tenant.world.post_lines(&path, &format!("{line}\n"))
}

#[test]
fn a_full_database_takes_deletions_alone() {
    for name in super::NAMES {
        let world = world();
        let tenant = tenant_in(&world, name).unfused();
        let (ada, bob) = (tenant.user("ada"), tenant.user("bob"));
        let team = tenant.group("Team", &[&ada]);
        twin(&world, name).bytes.set(Some(MAX / 100 * 98));
        tenant.user("carol");
        twin(&world, name).bytes.set(Some(MAX / 100 * 99));
        // It is known from the next batch on.
        tenant.get("/Users").expect(200);
        for (method, path, body) in writes(&ada, &team) {
            let answer = tenant.send(method, &path, body);
            expect_full(&answer, 503, name);
        }
        let bulk = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
            "Operations": [{"method": "POST", "path": "/Users", "bulkId": "a", "data": user("bulk")}],
        });
        expect_full(&tenant.send("POST", "/Bulk", bulk), 503, name);
        tenant.get(&format!("/Users/{ada}")).expect(200);
        tenant
            .send("DELETE", &format!("/Users/{bob}"), Value::Null)
            .expect(204);
        tenant
            .send("DELETE", &format!("/Groups/{team}"), Value::Null)
            .expect(204);
        let users = tenant.get("/Users").body["totalResults"].clone();
        assert_eq!(users, 2);
        // Other databases do not notice.
        let other = if name == "eu" { "apac" } else { "eu" };
        tenant_in(&world, other).user("ada");
        // There is room again.
        twin(&world, name).bytes.set(Some(MAX / 2));
        tenant.get("/Users").expect(200);
        for (method, path, body) in writes(&ada, &team).into_iter().take(3) {
            let status = tenant.send(method, &path, body).status;
            assert!([200, 201].contains(&status), "{method} {path}: {status}");
        }
    }
}

#[test]
fn an_import_into_a_full_database_is_507() {
    let world = world();
    let tenant = tenant_in(&world, "eu");
    tenant.user("ada");
    twin(&world, "eu").bytes.set(Some(MAX));
    tenant.get("/Users").expect(200);
    expect_full(&import(&tenant), 507, "eu");
    twin(&world, "eu").bytes.set(Some(MAX / 2));
    tenant.get("/Users").expect(200);
    import(&tenant).expect(200);
}

/// What the databases themselves say, which know it first.
#[test]
fn what_the_database_says_of_it_is_answered_in_the_same_way() {
    for message in [
        "D1_ERROR: Exceeded maximum DB size: SQLITE_ERROR",
        "database or disk is full",
        "D1_ERROR: database or disk is full: SQLITE_FULL",
    ] {
        let said = Error::from_message(message);
        assert!(matches!(said, Error::Full(_)), "{message}");
        let mut world = world();
        let (id, token, token_id, ada) = {
            let tenant = tenant_in(&world, "eu");
            let ada = tenant.user("ada");
            (tenant.id, tenant.token, tenant.token_id, ada)
        };
        cut(&mut world, "eu", Some(said));
        let tenant = Tenant {
            world: &world,
            id,
            token,
            token_id,
        };
        for (method, path, body) in writes(&ada, &ada).into_iter().take(3) {
            expect_full(&tenant.send(method, &path, body), 503, "eu");
        }
        let path = format!("{}{}", super::TENANTS, tenant.id);
        let renamed = world.admin("PATCH", &path, json!({"name": "Other"}));
        expect_full(&renamed, 507, "eu");
    }
}
