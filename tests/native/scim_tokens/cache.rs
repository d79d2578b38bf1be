//! The cache is a hint. Whatever stands in it, by accident or by someone's hand, opens nothing that the database does not.

use serde_json::{Value, json};

use super::{expect_dead, mint, path_of, shown, try_everything, update};
use crate::support::{Tenant, World};

/// Changes the one entry that leads from this token.
fn tamper(tenant: &Tenant<'_>, change: impl FnOnce(&mut Value)) {
    let world = tenant.world;
    let hash = world.database.texts(&format!(
        "select token_hash from scim_tokens where id = '{}'",
        tenant.token_id
    ));
    let key = format!("scim-token:{}", hash[0]);
    let mut entries = world.cache.entries.borrow_mut();
    let mut value = serde_json::from_str(&entries[&key]).expect("JSON");
    change(&mut value);
    entries.insert(key, value.to_string());
}

#[test]
fn without_a_cache_everything_works() {
    let world = World::new();
    world.cache.down.set(true);
    let tenant = world.tenant("compat");
    let user = tenant.user("a");
    assert_eq!(
        try_everything(&tenant, &user),
        [200, 200, 200, 201, 201, 409, 200, 204]
    );
    update(&tenant, json!({"is_active": false})).expect(200);
    tenant.get("/Users").expect(401);
}

#[test]
fn entries_that_are_garbled_are_passed_over() {
    let world = World::new();
    let tenant = world.tenant("compat");
    tenant.user("a");
    let key = world
        .cache
        .entries
        .borrow()
        .keys()
        .next()
        .expect("a key")
        .clone();
    for garbage in ["", "null", "[]", "{}", "{", "\u{0}", "{\"tenant\":1}", "x"] {
        world
            .cache
            .entries
            .borrow_mut()
            .insert(key.clone(), garbage.to_owned());
        tenant.get("/Users").expect(200);
    }
    for field in [
        "tenant",
        "token",
        "scopes",
        "expires_at",
        "idp",
        "revision",
        "profile",
        "store_passwords",
    ] {
        for value in [
            Value::Null,
            json!(-1),
            json!("x"),
            json!({}),
            json!(i64::MAX),
        ] {
            tamper(&tenant, |entry| entry[field] = value.clone());
            let answer = tenant.get("/Users");
            assert_eq!(answer.status, 200, "{field} = {value}: {}", answer.body);
        }
    }
}

#[test]
fn scopes_written_into_the_cache_grant_nothing() {
    let world = World::new();
    let owner = world.tenant("compat");
    let user = owner.user("a");
    let tenant = mint(&owner, json!({"scopes": ["users:read"]}));
    let before = world.database.dump();
    for _ in 0..2 {
        tamper(&tenant, |entry| {
            entry["scopes"] = "users:read users:write groups:read groups:write bulk".into()
        });
        assert_eq!(tenant.get("/Groups").status, 403);
        tamper(&tenant, |entry| {
            entry["scopes"] = "users:read users:write groups:read groups:write bulk".into()
        });
        assert_eq!(
            tenant
                .send("DELETE", &format!("/Users/{user}"), Value::Null)
                .status,
            403
        );
    }
    assert_eq!(
        world.database.query("select id from users"),
        [[rollcall::store::Value::Text(user)]]
    );
    assert_eq!(
        world
            .database
            .dump()
            .iter()
            .find(|(table, _)| table == "audit_events"),
        before.iter().find(|(table, _)| table == "audit_events")
    );
}

#[test]
fn a_tenant_written_into_the_cache_opens_no_other_tenant() {
    let world = World::new();
    let (own, other) = (world.tenant("compat"), world.tenant("compat"));
    other.user("secret");
    other.get("/Users").expect(200);
    let entry_of_other = {
        let mut found = Value::Null;
        tamper(&other, |entry| found = entry.clone());
        found
    };
    let token_base = |path: &str| {
        let uri = format!("{}/scim/v2{path}", crate::support::ORIGIN);
        let request =
            http::Request::get(uri).header("authorization", format!("Bearer {}", own.token));
        world.send(request.body(Vec::new()).expect("a request"))
    };
    // The tenant alone, and the whole entry of the other tenant's token.
    for forged in [None, Some(entry_of_other)] {
        let forge = || {
            tamper(&own, |entry| match &forged {
                None => entry["tenant"] = other.id.clone().into(),
                Some(whole) => *entry = whole.clone(),
            });
        };
        forge();
        let listed = token_base("/Users");
        assert!(
            !listed.body.to_string().contains("secret"),
            "{}",
            listed.body
        );
        assert_eq!(listed.body["totalResults"], 0);
        forge();
        let other_base = Tenant {
            world: &world,
            id: other.id.clone(),
            token: own.token.clone(),
            token_id: own.token_id.clone(),
        };
        other_base.get("/Users").expect(404);
        forge();
        other_base
            .send("POST", "/Users", json!({"userName": "intruder"}))
            .expect(404);
        assert_eq!(world.database.number("select count(*) from users"), 1);
    }
}

#[test]
fn a_revision_and_an_expiry_written_into_the_cache_revive_nobody() {
    let world = World::new();
    let owner = world.tenant("compat");
    let user = owner.user("a");
    let tenant = mint(&owner, json!({"expires_at": "2026-01-02T03:05:00Z"}));
    tenant.get("/Users").expect(200);
    world.clock.advance_seconds(120);
    tamper(&tenant, |entry| entry["expires_at"] = Value::Null);
    expect_dead(&tenant, &user);
    let revoked = mint(&owner, json!({}));
    revoked.get("/Users").expect(200);
    let stale = world.cache.entries.borrow().clone();
    world
        .admin("DELETE", &path_of(&revoked), Value::Null)
        .expect(204);
    *world.cache.entries.borrow_mut() = stale;
    tamper(&revoked, |entry| entry["revision"] = 2.into());
    expect_dead(&revoked, &user);
}

#[test]
fn a_dead_token_is_not_noted_as_used() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let stale = world.cache.entries.borrow().clone();
    world
        .admin("DELETE", &path_of(&tenant), Value::Null)
        .expect(204);
    *world.cache.entries.borrow_mut() = stale;
    tenant.get("/Users").expect(401);
    assert_eq!(shown(&tenant)["last_used_at"], Value::Null);
}

#[test]
fn a_known_token_costs_no_round_trip_of_its_own() {
    let world = World::new();
    let tenant = world.tenant("compat");
    assert_eq!(tenant.get("/Users").trips(), 1);
    assert_eq!(
        tenant
            .send("POST", "/Users", json!({"userName": "a"}))
            .trips(),
        1
    );
}

#[test]
fn a_token_that_the_cache_forgot_is_remembered_again() {
    let world = World::new();
    let tenant = world.tenant("compat");
    world.cache.entries.borrow_mut().clear();
    assert_eq!(tenant.get("/Users").trips(), 2);
    assert_eq!(tenant.get("/Users").trips(), 1);
}
