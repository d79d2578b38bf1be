//! A token works at once and dies at once, for reads and for writes, whatever the cache still says of it.

use serde_json::{Value, json};

use super::{expect_dead, mint, path_of, shown, text, try_everything, update};
use crate::support::{Tenant, World};

const WORKS: [u16; 8] = [200, 200, 200, 201, 201, 409, 200, 204];

/// Puts back what the cache knew of the token before.
fn with_stale_cache(world: &World, change: impl FnOnce()) {
    let stale = world.cache.entries.borrow().clone();
    assert!(!stale.is_empty(), "the cache knows the token");
    change();
    world.cache.entries.borrow_mut().extend(stale);
}

fn rotate(tenant: &Tenant<'_>, body: Value) -> String {
    let answer = tenant
        .world
        .admin("POST", &format!("{}/rotate", path_of(tenant)), body);
    answer.expect(201);
    text(&answer.body["data"]["token"])
}

fn successor<'w>(tenant: &Tenant<'w>, token: String) -> Tenant<'w> {
    Tenant {
        world: tenant.world,
        id: tenant.id.clone(),
        token,
        token_id: tenant.token_id.clone(),
    }
}

#[test]
fn a_new_token_works_at_once_with_and_without_the_cache() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let user = tenant.user("a");
    assert_eq!(try_everything(&tenant, &user), WORKS);
    world.cache.down.set(true);
    let fresh = mint(&tenant, json!({}));
    fresh.get("/Users").expect(200);
    let user = fresh.user("b");
    fresh.get(&format!("/Users/{user}")).expect(200);
}

#[test]
fn a_revoked_token_dies_at_once() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let user = tenant.user("a");
    with_stale_cache(&world, || {
        world
            .admin("DELETE", &path_of(&tenant), Value::Null)
            .expect(204);
    });
    expect_dead(&tenant, &user);
}

#[test]
fn a_paused_token_dies_at_once_and_lives_again_at_once() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let user = tenant.user("a");
    with_stale_cache(&world, || {
        update(&tenant, json!({"is_active": false})).expect(200);
    });
    expect_dead(&tenant, &user);
    update(&tenant, json!({"is_active": true})).expect(200);
    assert_eq!(try_everything(&tenant, &user), WORKS);
}

#[test]
fn a_token_dies_with_its_last_second() {
    let world = World::new();
    let owner = world.tenant("compat");
    let user = owner.user("a");
    let tenant = mint(&owner, json!({"expires_at": "2026-01-02T04:00:00Z"}));
    let until = 55 * 60 + 55;
    world.clock.advance_seconds(until - 1);
    tenant.get("/Users").expect(200);
    world.clock.advance_seconds(1);
    expect_dead(&tenant, &user);
}

#[test]
fn an_expiry_brought_forward_counts_though_the_cache_knows_a_later_one() {
    let world = World::new();
    let owner = world.tenant("compat");
    let user = owner.user("a");
    let tenant = mint(&owner, json!({"expires_at": "2030-01-01T00:00:00Z"}));
    tenant.get("/Users").expect(200);
    with_stale_cache(&world, || {
        update(&tenant, json!({"expires_at": "2026-01-02T03:05:00Z"})).expect(200);
    });
    world.clock.advance_seconds(60);
    expect_dead(&tenant, &user);
}

#[test]
fn an_expiry_put_off_counts_though_the_cache_knows_an_earlier_one() {
    let world = World::new();
    let owner = world.tenant("compat");
    let tenant = mint(&owner, json!({"expires_at": "2026-01-02T03:05:00Z"}));
    tenant.get("/Users").expect(200);
    with_stale_cache(&world, || {
        update(&tenant, json!({"expires_at": null})).expect(200);
    });
    world.clock.advance_seconds(60);
    tenant.get("/Users").expect(200);
    tenant.user("a");
}

#[test]
fn a_rotated_token_dies_at_once_without_an_overlap() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let user = tenant.user("a");
    for body in [Value::Null, json!({}), json!({"overlap_seconds": 0})] {
        let old = mint(&tenant, json!({}));
        old.get("/Users").expect(200);
        let mut new = String::new();
        with_stale_cache(&world, || new = rotate(&old, body));
        expect_dead(&old, &user);
        successor(&old, new).get("/Users").expect(200);
    }
}

#[test]
fn a_rotated_token_lives_through_its_overlap_and_no_longer() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let user = tenant.user("a");
    let mut new = String::new();
    with_stale_cache(&world, || {
        new = rotate(&tenant, json!({"overlap_seconds": 120}))
    });
    let new = successor(&tenant, new);
    tenant.get("/Users").expect(200);
    new.get("/Users").expect(200);
    world.clock.advance_seconds(119);
    tenant.get("/Users").expect(200);
    world.clock.advance_seconds(1);
    expect_dead(&tenant, &user);
    assert_eq!(try_everything(&new, &user), WORKS);
}

#[test]
fn a_rotation_keeps_the_settings_and_never_lengthens_a_life() {
    let world = World::new();
    let owner = world.tenant("compat");
    let tenant = mint(
        &owner,
        json!({"description": "d", "scopes": ["users:read"], "expires_at": "2026-01-02T03:05:00Z"}),
    );
    let before = shown(&tenant);
    let answer = world.admin(
        "POST",
        &format!("{}/rotate/", path_of(&tenant)),
        json!({"overlap_seconds": 86_400}),
    );
    answer.expect(201);
    let new = &answer.body["data"];
    for name in [
        "tenant_id",
        "name",
        "description",
        "scopes",
        "expires_at",
        "is_active",
    ] {
        assert_eq!(new[name], before[name], "{name}");
    }
    assert_ne!(new["id"], before["id"]);
    assert_eq!(
        shown(&tenant)["expires_at"],
        before["expires_at"],
        "an overlap is no extension"
    );
}

#[test]
fn a_token_that_is_being_replaced_is_not_replaced_again() {
    let world = World::new();
    let owner = world.tenant("compat");
    let conflict = |tenant: &Tenant<'_>, overlap: i64| {
        let path = format!("{}/rotate", path_of(tenant));
        let answer = world.admin("POST", &path, json!({"overlap_seconds": overlap}));
        answer.expect(409).body["detail"].to_string()
    };
    for (paused, expiry) in [
        (false, Value::Null),
        (true, Value::Null),
        (false, json!("2026-06-01T00:00:00Z")),
    ] {
        let old = mint(&owner, json!({"expires_at": expiry}));
        update(&old, json!({"is_active": !paused})).expect(200);
        let path = format!("{}/rotate", path_of(&old));
        let rotated = world.admin("POST", &path, json!({"overlap_seconds": 60}));
        let new = rotated.expect(201).body["data"]["id"]
            .as_str()
            .expect("an id");
        let tokens = world.database.number("select count(*) from scim_tokens");
        for overlap in [0, 60, 3_600] {
            let detail = conflict(&old, overlap);
            assert!(detail.contains(new), "{detail}");
        }
        // It stays so where its end is put off.
        update(&old, json!({"expires_at": "2026-05-01T00:00:00Z"})).expect(200);
        assert!(conflict(&old, 60).contains(new));
        assert_eq!(
            world.database.number("select count(*) from scim_tokens"),
            tokens,
            "nothing was made"
        );
        // The one that replaced it can be replaced, and so keeps the life that the first one had.
        let path = format!("/api/v1/admin/scim-tokens/{new}/rotate");
        let next = world.admin("POST", &path, Value::Null);
        let next = &next.expect(201).body["data"];
        assert_eq!(next["is_active"], true);
        let shown = next["expires_at"].as_str().map(|time| &time[..10]);
        assert_eq!(shown, expiry.as_str().map(|time| &time[..10]));
    }
    // Another tenant's administrator learns nothing.
    let (old, other) = (mint(&owner, json!({})), world.tenant("compat"));
    rotate(&old, json!({"overlap_seconds": 60}));
    let mut claims = world.claims();
    claims.insert("tenant_id".to_owned(), json!(other.id));
    let path = format!("{}/rotate", path_of(&old));
    let answer = world.admin_as(&world.jwt(&claims), "POST", &path, Value::Null);
    answer.expect(404);
}

#[test]
fn an_overlap_out_of_range_is_422() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let path = format!("{}/rotate", path_of(&tenant));
    for (value, kind) in [
        (json!(-1), "value_error"),
        (json!(30 * 86_400 + 1), "value_error"),
        (json!(i64::MAX), "value_error"),
        (json!(i64::MIN), "value_error"),
        (json!("60"), "type_error"),
        (json!(1.5), "type_error"),
        (json!(true), "type_error"),
    ] {
        let answer = world.admin("POST", &path, json!({"overlap_seconds": value}));
        crate::tenants::expect_field(&answer, &["body", "overlap_seconds"], kind);
    }
    tenant.get("/Users").expect(200);
    assert_eq!(world.database.number("select count(*) from scim_tokens"), 1);
}

#[test]
fn a_token_revoked_between_the_read_and_the_write_of_a_request_writes_nothing() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let user = tenant.user("a");
    let group = tenant.group("A", &[]);
    let revoke = "update scim_tokens set revoked_at = 1, is_active = 0, revision = revision + 1";
    for (method, path, body) in [
        (
            "PATCH",
            format!("/Users/{user}"),
            json!({"Operations": [{"op": "add", "path": "title", "value": "x"}]}),
        ),
        ("PUT", format!("/Users/{user}"), json!({"userName": "b"})),
        (
            "PATCH",
            format!("/Groups/{group}"),
            json!({"Operations": [{"op": "add", "path": "members", "value": [{"value": user}]}]}),
        ),
        (
            "PUT",
            format!("/Groups/{group}"),
            json!({"displayName": "B"}),
        ),
    ] {
        world
            .database
            .execute("update scim_tokens set revoked_at = null, is_active = 1");
        tenant.get("/Users").expect(200);
        let state =
            "select resource, version from users union all select resource, version from groups";
        let before = world.database.query(state);
        world.database.interfere_before_write(&[revoke]);
        let answer = tenant.send(method, &path, body);
        assert!(
            world.database.has_interfered(),
            "the token was revoked in time"
        );
        assert_eq!(
            (answer.status, world.database.query(state)),
            (401, before),
            "{method} {path}"
        );
    }
}

#[test]
fn changes_of_two_administrators_at_once_are_both_kept() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let pause = "update scim_tokens set is_active = 0, revision = revision + 1";
    world.database.interfere_before_write(&[pause]);
    let renamed = update(&tenant, json!({"name": "New"}));
    assert!(world.database.has_interfered(), "both changed it at once");
    assert_eq!(
        shown(&tenant)["is_active"],
        false,
        "a token paused meanwhile came back to life"
    );
    renamed.expect(200);
    assert_eq!(shown(&tenant)["name"], "New");
    assert_eq!(renamed.body["data"], shown(&tenant));
}

#[test]
fn a_rotation_takes_over_scopes_that_were_narrowed_meanwhile() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let narrow = "update scim_tokens set scopes = 'users:read', revision = revision + 1";
    world.database.interfere_before_write(&[narrow]);
    let new = successor(&tenant, rotate(&tenant, json!({"overlap_seconds": 60})));
    new.get("/Users").expect(200);
    new.get("/Groups").expect(403);
}

#[test]
fn a_rotation_leaves_the_paused_token_paused_and_revives_no_expired_one() {
    let world = World::new();
    let owner = world.tenant("compat");
    let tenant = mint(&owner, json!({"expires_at": "2026-01-02T03:05:00Z"}));
    let path = path_of(&tenant);
    world
        .admin("PATCH", &path, json!({"is_active": false}))
        .expect(200);
    let rotated = world.admin(
        "POST",
        &format!("{path}/rotate"),
        json!({"overlap_seconds": 60}),
    );
    assert_eq!(rotated.expect(201).body["data"]["is_active"], true);
    assert_eq!(shown(&tenant)["is_active"], false);
    let next = rotated.body["data"]["id"].as_str().expect("an id");
    world.clock.advance_seconds(3_600);
    let path = format!("/api/v1/admin/scim-tokens/{next}/rotate");
    world.admin("POST", &path, json!({})).expect(409);
}
