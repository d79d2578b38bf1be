//! What a request took for true and is not so, or not any more when it writes: the tenant, the provider of a token.

use serde_json::{Value, json};

use crate::support::{Tenant, World};

const DELETE_TENANT: &str = "update tenants set deleted_at = 1";

/// Changes that are read and written in two batches.
fn changes(user: &str, group: &str) -> [(&'static str, String, Value); 4] {
    let patch = json!({"Operations": [{"op": "add", "path": "externalId", "value": "x"}]});
    [
        ("PATCH", format!("/Users/{user}"), patch.clone()),
        (
            "PUT",
            format!("/Users/{user}"),
            json!({"userName": "renamed"}),
        ),
        ("PATCH", format!("/Groups/{group}"), patch),
        (
            "PUT",
            format!("/Groups/{group}"),
            json!({"displayName": "Renamed"}),
        ),
    ]
}

/// The resources alone.
fn resources(world: &World) -> Vec<Vec<rollcall::store::Value>> {
    world.database.query(
        "select id, version, resource from users union all select id, version, resource from groups \
         union all select tenant_id, seq, action from audit_events",
    )
}

fn with_token<'w>(tenant: &Tenant<'w>, token: String) -> Tenant<'w> {
    Tenant {
        world: tenant.world,
        id: tenant.id.clone(),
        token,
        token_id: tenant.token_id.clone(),
    }
}

#[test]
fn a_tenant_deleted_between_read_and_write_is_not_written_to() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let (user, group) = (tenant.user("a"), tenant.group("A", &[]));
    let jwt = with_token(&tenant, world.jwt(&world.claims()));
    for (caller, status) in [(&tenant, 401), (&jwt, 404)] {
        for (method, path, body) in changes(&user, &group) {
            world
                .database
                .execute("update tenants set deleted_at = null");
            caller.get("/Users").expect(200);
            let before = resources(&world);
            world.database.interfere_before_write(&[DELETE_TENANT]);
            let answer = caller.send(method, &path, body);
            assert!(world.database.has_interfered());
            assert_eq!(resources(&world), before, "{method} {path} wrote");
            assert_eq!(answer.status, status, "{method} {path}: {}", answer.body);
        }
    }
}

#[test]
fn a_provider_written_into_the_cache_is_not_taken_for_the_tokens_own() {
    let world = World::new();
    let tenant = world.tenant("compat");
    tenant.get("/Users").expect(200);
    for entry in world.cache.entries.borrow_mut().values_mut() {
        let mut value: Value = serde_json::from_str(entry).expect("JSON");
        value["idp"] = "somebody-elses-provider".into();
        *entry = value.to_string();
    }
    let body = json!({"userName": "a", "externalId": "1"});
    tenant.send("POST", "/Users", body).expect(201);
    assert_eq!(world.database.texts("select provider_id from users"), [""]);
}
