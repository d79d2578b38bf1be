//! The keys that sign security event tokens follow each other: each is published before it signs, and for a while after.

use rollcall::events::signing_keys::{AHEAD_MS, KEPT_MS, SIGNS_MS};
use serde_json::{Value, json};

use super::streams::{answers, posts, status};
use super::tokens::{made, published, verified};
use crate::support::{Tenant, World};

const DAY: i64 = 86_400;

/// By which key the next token is signed.
fn signer(tenant: &Tenant<'_>, name: &str) -> String {
    tenant.user(name);
    answers(tenant.world, [status(202)]);
    let sent = posts(tenant.world);
    let (header, _) = verified(tenant.world, &sent[0].body);
    header["kid"].as_str().unwrap().to_owned()
}

fn tick(world: &World) {
    pollster::block_on(world.app.tick());
    world.queue.lose();
}

#[test]
fn there_are_none_before_the_first_stream() {
    let world = World::new();
    tick(&world);
    assert!(published(&world).is_empty());
    let tenant = world.tenant("compat");
    let fetched = made(&tenant, json!({"kind": "set_poll"}));
    assert!(fetched["poll_url"].as_str().unwrap().ends_with("/poll"));
    assert_eq!(published(&world).len(), 1);
    made(&tenant, json!({}));
    assert_eq!(published(&world).len(), 1, "all tenants have the same");
}

#[test]
fn keys_follow_each_other() {
    const { assert!(AHEAD_MS >= DAY * 1_000 && KEPT_MS >= 7 * DAY * 1_000) };
    let world = World::new();
    let tenant = world.tenant("compat");
    made(&tenant, json!({}));
    let first = signer(&tenant, "first");
    let (mut signed, mut seen) = (vec![first.clone()], vec![]);
    let begun = world.clock.0.get();
    for day in 0..400 {
        world.clock.advance_seconds(DAY);
        tick(&world);
        let known = published(&world);
        for id in known.keys() {
            if !seen.iter().any(|(_, seen)| seen == id) {
                seen.push((world.clock.0.get(), id.clone()));
            }
        }
        let by = signer(&tenant, &format!("u{day}"));
        assert!(known.contains_key(&by), "published before it signs");
        if signed.last() != Some(&by) {
            let (since, _) = seen.iter().find(|(_, id)| *id == by).unwrap();
            assert!(
                world.clock.0.get() - since >= DAY * 1_000,
                "for a day at least"
            );
            let kept = published(&world);
            assert!(kept.contains_key(signed.last().unwrap()));
            signed.push(by);
        }
        assert!(known.len() <= 2, "{}", known.len());
    }
    let whole = (world.clock.0.get() - begun) / SIGNS_MS;
    assert_eq!(signed.len(), usize::try_from(whole).unwrap() + 1);
    assert!(!published(&world).contains_key(&first));
}

#[test]
fn a_replaced_key_stays_for_a_week() {
    let world = World::new();
    let tenant = world.tenant("compat");
    made(&tenant, json!({}));
    let first = signer(&tenant, "first");
    world.clock.advance_seconds(88 * DAY);
    tick(&world);
    tick(&world);
    assert_eq!(published(&world).len(), 2, "one more and no third");
    assert_eq!(signer(&tenant, "second"), first);
    world.clock.advance_seconds(2 * DAY);
    assert_ne!(signer(&tenant, "third"), first);
    world.clock.advance_seconds(7 * DAY);
    tick(&world);
    assert!(published(&world).contains_key(&first));
    world.clock.advance_seconds(2 * DAY);
    tick(&world);
    assert_eq!(published(&world).len(), 1);
}

/// Where a key is deleted by hand, the next one signs at once.
#[test]
fn a_key_that_is_deleted_signs_no_more() {
    let world = World::new();
    let tenant = world.tenant("compat");
    made(&tenant, json!({}));
    let first = signer(&tenant, "first");
    let delete = |id: &str| {
        world
            .database
            .execute(&format!("delete from signing_keys where id = '{id}'"))
    };
    delete(&first);
    let second = signer(&tenant, "second");
    assert_ne!(second, first);
    world.clock.advance_seconds(88 * DAY);
    tick(&world);
    let coming: Vec<String> = published(&world)
        .into_keys()
        .filter(|id| *id != second)
        .collect();
    delete(&second);
    assert_eq!(signer(&tenant, "third"), coming[0]);
}

#[test]
fn they_are_sealed_anew_with_the_rest() {
    let old = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let new = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
    let secret = ("JWT_LOCAL_SECRET", crate::support::SECRET);
    let world = World::configured(&[secret, ("ENCRYPTION_KEY", old)]);
    let tenant = world.tenant("compat");
    made(&tenant, json!({"authorization": "Bearer x"}));
    let first = signer(&tenant, "first");
    let mut other = World::configured(&[
        secret,
        ("ENCRYPTION_KEY", new),
        ("ENCRYPTION_KEY_PREVIOUS", old),
    ]);
    other.app.platform = world.app.platform.clone();
    let path = "/api/v1/admin/identity-providers/reencrypt";
    let done = other.admin("POST", path, Value::Null);
    assert_eq!(
        done.expect(200).body["data"],
        json!({"reencrypted": 2, "remaining": 0, "unreadable": []})
    );
    let again = other.admin("POST", path, Value::Null);
    assert_eq!(again.body["data"]["reencrypted"], 0);
    other.employ();
    let by_new = World::configured(&[secret, ("ENCRYPTION_KEY", new)]);
    let keys = &by_new.app.config.encryption_keys;
    let current = rollcall::events::signing_keys::current(&world.app.platform, keys);
    assert_eq!(pollster::block_on(current).unwrap().id, first);
    // Sealed with a key that is not configured any more, it is replaced by one that signs at once.
    let lost = World::configured(&[secret, ("ENCRYPTION_KEY", old)]);
    let keys = &lost.app.config.encryption_keys;
    let current = rollcall::events::signing_keys::current(&world.app.platform, keys);
    assert_ne!(pollster::block_on(current).unwrap().id, first);
    assert_eq!(published(&world).len(), 2);
}
