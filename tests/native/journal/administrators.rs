//! Whatever an administrator changes of a tenant has a row in its journal, under the request's id.

use rollcall::api::http::routes;
use serde_json::{Value, json};

use super::{PATH, kept};
use crate::bulk::{bulk, post_user};
use crate::faults::cases::Scene;
use crate::support::{Answer, Tenant, World};

/// All that is there but for what is noted of requests.
fn state(world: &World) -> Vec<String> {
    let tables = world.database.dump_all().into_iter();
    let tables = tables.filter(|(table, _)| !table.starts_with("request"));
    tables
        .map(|(table, rows)| format!("{table}: {rows:?}"))
        .collect()
}

fn rows(world: &World, answer: &Answer) -> i64 {
    let id = answer.header("x-request-id");
    world
        .database
        .number(&format!("select count(*) from requests where id = '{id}'"))
}

#[test]
fn every_change_is_told() {
    let world = World::new();
    let scene = Scene::set(&world, "compat");
    world.queue.halted.set(true);
    world.databases.save();
    let mut changed = Vec::new();
    for case in scene.all() {
        world.databases.restore();
        let before = state(&world);
        let answer = world.send(case.request.clone());
        if answer.status < 400 && state(&world) != before {
            // How far a receiver is, its stream says.
            let wanted = i64::from(!case.pattern().ends_with("/poll"));
            assert_eq!(rows(&world, &answer), wanted, "{}", case.name);
            changed.push(case.pattern());
        }
        world.queue.lose();
    }
    let is_write = |route: &routes::Route| route.writes() && !route.pattern.contains("/scim/v2");
    let missing: Vec<String> = routes::all()
        .into_iter()
        .filter(|route| is_write(route) && !changed.contains(&route.pattern.as_str()))
        .map(|route| format!("{} {}", route.method, route.pattern))
        .collect();
    // These are tried below, or change nothing.
    assert_eq!(
        missing,
        [
            "POST /console/session",
            "POST /api/v1/admin/tenants/:tenant_id/move",
            "DELETE /api/v1/admin/tenants/:tenant_id/move",
            "POST /api/v1/admin/tenants/:tenant_id/restore",
            "POST /api/v1/tenants/:tenant_id/setup/saml-metadata",
            "POST /api/v1/tenants/:tenant_id/setup/identity-providers/:idp_id/test",
            "POST /api/v1/admin/undo",
            "POST /api/v1/admin/requests/:request_id/replay",
            "POST /api/v1/admin/identity-providers/reencrypt",
            "POST /api/v1/admin/identity-providers/saml-metadata",
            "POST /api/v1/admin/identity-providers/:idp_id/test",
            "POST /api/v1/admin/identity-providers/:idp_id/sync",
            "POST /api/v1/tenants/:tenant_id/event-streams/:stream_id/test",
            "POST /api/v1/tenants/:tenant_id/identity-providers/:idp_id/test",
        ]
    );
}

#[test]
fn an_undo_a_sync_and_a_restore_are_told() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let id = tenant.user("ada");
    let body =
        json!({"tenant_id": tenant.id, "resource": {"type": "User", "id": id}, "dry_run": true});
    let tried = world.admin("POST", "/api/v1/admin/undo/", body.clone());
    assert_eq!(rows(&world, &tried), 0);
    let mut body = body;
    body["dry_run"] = false.into();
    let undone = world.admin("POST", "/api/v1/admin/undo/", body);
    let row = kept(&tenant, &undone);
    assert_eq!(
        (&row["route"], &row["actor"]),
        (&json!("/api/v1/admin/undo"), &json!("jwt:root"))
    );
    assert_eq!(row["changes"][0]["action"], "delete");
    let directory = json!({
        "tenant_id": tenant.id, "name": "D", "provider_type": "LDAP",
        "ldap_config": {"url": "ldaps://127.0.0.1", "bind_dn": "cn=x", "bind_password": "a password", "base_dn": "dc=x"},
    });
    let providers = "/api/v1/admin/identity-providers";
    let made = world.admin("POST", providers, directory);
    let idp = made.expect(201).body["data"]["id"].as_str().unwrap();
    let begun = world.admin("POST", &format!("{providers}/{idp}/sync"), Value::Null);
    let row = kept(&tenant, &begun);
    assert_eq!(
        (&row["status"], &row["resource"]["id"]),
        (&json!(200), &json!(idp))
    );
    let path = format!("/api/v1/admin/tenants/{}", tenant.id);
    world.admin("DELETE", &path, Value::Null).expect(204);
    let restored = world.admin("POST", &format!("{path}/restore"), Value::Null);
    restored.expect(200);
    let row = kept(&tenant, &restored);
    assert_eq!(row["status"], 200);
    assert_eq!(row["changes"][0]["action"], "restore");
}

#[test]
fn secrets_that_are_sealed_anew_are_told_in_each_tenant() {
    let mut world = World::new();
    let (one, other) = (world.tenant("compat").id, world.tenant("compat").id);
    for (tenant, number) in [(&one, 1), (&one, 2), (&other, 3)] {
        let config = json!({"issuer": format!("https://{number}.example.com"), "client_id": "x", "client_secret": "a secret"});
        let body = json!({"name": format!("{number}"), "protocol": "OIDC", "oidc_config": config});
        let path = format!("/api/v1/tenants/{tenant}/identity-providers");
        world.admin("POST", &path, body).expect(201);
    }
    let new = rollcall::config::Config::read(|name| match name {
        "JWT_ISSUER" => Some(crate::support::ISSUER.to_owned()),
        "JWT_AUDIENCE" => Some(crate::support::AUDIENCE.to_owned()),
        "JWT_LOCAL_SECRET" => Some(crate::support::SECRET.to_owned()),
        "CURSOR_KEY" => Some("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=".to_owned()),
        "ENCRYPTION_KEY" => Some("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=".to_owned()),
        "ENCRYPTION_KEY_PREVIOUS" => Some(crate::support::ENCRYPTION_KEY.to_owned()),
        _ => None,
    });
    world.app.config = new.expect("a configuration");
    let done = world.admin(
        "POST",
        "/api/v1/admin/identity-providers/reencrypt",
        Value::Null,
    );
    assert_eq!(done.expect(200).body["data"]["reencrypted"], 3);
    let id = done.header("x-request-id");
    let sql = format!("select tenant_id from requests where id = '{id}' order by 1");
    let mut both = [one, other];
    both.sort();
    assert_eq!(world.database.texts(&sql), both);
}

fn found(tenant: &Tenant<'_>, name: &str) -> Vec<String> {
    super::found(tenant, &format!("&user_name={name}"))
}

/// One row of the journal is found by one name: that of the first operation that fails and says one.
#[test]
fn a_refused_operation_of_a_bulk_request_is_found_by_its_user_name() {
    let world = World::new();
    let tenant = world.tenant("compat");
    tenant.user("ada");
    let path = format!("{PATH}?tenant_id={}", tenant.id);
    world.admin("GET", &path, Value::Null).expect(200);
    let answer = bulk(
        &tenant,
        json!([
            post_user("a", "grace"),
            {"method": "DELETE", "path": "/Users/0197b1a2-0000-7000-8000-000000000000"},
            {"method": "post", "path": "/Users", "bulkId": "b", "Data": {"username": "ADA"}},
            post_user("c", "ada"),
        ]),
    );
    answer.expect(200);
    let id = answer.header("x-request-id");
    assert!(found(&tenant, "Ada").iter().any(|found| found == id));
    let row = kept(&tenant, &answer);
    assert_eq!(
        (&row["user_name"], &row["failed"]),
        (&json!("ADA"), &json!(true))
    );
    // What succeeded is found by what it made.
    assert!(found(&tenant, "grace").iter().any(|found| found == id));
    // Where all fail, nothing is written but the row.
    let all = bulk(&tenant, json!([post_user("a", "ada")]));
    assert!(
        found(&tenant, "ada")
            .iter()
            .any(|found| found == all.header("x-request-id"))
    );
    let patched = bulk(
        &tenant,
        json!([{"method": "PATCH", "path": "/Users/0197b1a2-0000-7000-8000-000000000000", "data": {
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{"op": "replace", "value": {"userName": "renamed"}}]}}]),
    );
    assert!(
        found(&tenant, "renamed")
            .iter()
            .any(|found| found == patched.header("x-request-id"))
    );
    let good = bulk(&tenant, json!([post_user("a", "someone")]));
    assert_eq!(kept(&tenant, &good)["user_name"], Value::Null);
}
