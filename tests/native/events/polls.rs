//! Security event tokens that a receiver fetches (RFC 8936): given again until they are acknowledged, in whatever order they are.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::{Value, json};

use super::streams::{asked, posts, shown};
use super::tokens::{made, verified};
use super::{feed, last, many};
use crate::filter_equivalence::runner;
use crate::support::{Answer, Tenant, World};

/// A stream that is polled, by its id.
fn stream(tenant: &Tenant<'_>, more: Value) -> String {
    let mut given = json!({"kind": "set_poll"});
    for (name, value) in more.as_object().unwrap() {
        given[name] = value.clone();
    }
    made(tenant, given)["id"].as_str().unwrap().to_owned()
}

fn asks(tenant: &Tenant<'_>, id: &str, body: Value) -> Answer {
    let mut body = body;
    body["returnImmediately"] = true.into();
    asked(tenant, "POST", &format!("/{id}/poll"), body)
}

/// The ids of what is given, and whether there is more.
fn polled(tenant: &Tenant<'_>, id: &str, body: Value) -> (Vec<String>, bool) {
    let answer = asks(tenant, id, body);
    answer.expect(200);
    let sets = answer.body["sets"].as_object().unwrap();
    for (id, token) in sets {
        let (_, claims) = verified(tenant.world, token.as_str().unwrap());
        assert_eq!(claims["jti"], id.as_str());
    }
    let ids = sets.keys().cloned().collect();
    (ids, answer.body["moreAvailable"].as_bool().unwrap())
}

/// The ids of all events after a number.
fn ids(tenant: &Tenant<'_>, after: i64) -> Vec<String> {
    let (mut all, mut after) = (Vec::new(), after);
    loop {
        let page = feed(tenant, &format!("after={after}&limit=1000")).body;
        let events = page["data"].as_array().unwrap().iter();
        all.extend(events.map(|event| event["id"].as_str().unwrap().to_owned()));
        after = page["pagination"]["next"].as_i64().unwrap();
        if page["pagination"]["has_more"] == false {
            return all;
        }
    }
}

#[test]
fn what_is_not_acknowledged_is_given_again() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let id = stream(&tenant, json!({}));
    let from = last(&tenant);
    assert_eq!(polled(&tenant, &id, json!({})), (vec![], false));
    for name in ["a", "b", "c", "d"] {
        tenant.user(name);
    }
    let all = ids(&tenant, from);
    assert_eq!(
        polled(&tenant, &id, json!({"maxEvents": 3})),
        (all[..3].to_vec(), true)
    );
    assert_eq!(
        polled(&tenant, &id, json!({"maxEvents": 3})),
        (all[..3].to_vec(), true)
    );
    // Out of order: the first one is still to come.
    assert_eq!(
        polled(&tenant, &id, json!({"ack": all[1..3]})),
        (vec![all[0].clone(), all[3].clone()], false)
    );
    assert_eq!(shown(&tenant, &id)["after"], from);
    assert_eq!(
        polled(&tenant, &id, json!({"ack": [all[3]], "maxEvents": 0})),
        (vec![], true)
    );
    assert_eq!(
        polled(&tenant, &id, json!({})),
        (vec![all[0].clone()], false)
    );
    assert_eq!(
        polled(&tenant, &id, json!({"ack": [all[0]]})),
        (vec![], false)
    );
    assert_eq!(shown(&tenant, &id)["behind"], 0);
    assert!(shown(&tenant, &id)["delivered_at"].is_string());
    // Nobody sends anything.
    assert!(posts(&world).is_empty());
    asked(
        &tenant,
        "POST",
        &format!("/{id}/replay"),
        json!({"after": from}),
    )
    .expect(200);
    assert_eq!(polled(&tenant, &id, json!({})).0, all);
}

#[test]
fn a_refusal_is_noted_and_counts_as_acknowledged() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let id = stream(&tenant, json!({}));
    let from = last(&tenant);
    tenant.user("a");
    tenant.user("b");
    let all = ids(&tenant, from);
    let refusal = json!({"setErrs": {&all[1]: {"err": "invalid_audience", "description": "not for us"}, "x.1.y": {"err": "e"}}});
    assert_eq!(polled(&tenant, &id, refusal.clone()).0, all[..1]);
    assert_eq!(polled(&tenant, &id, refusal).0, all[..1], "once is enough");
    let told = asked(&tenant, "GET", &format!("/{id}/deliveries"), Value::Null);
    let lines = told.body["data"].as_array().unwrap();
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["message_id"], all[1].as_str());
    assert_eq!(lines[0]["first_seq"], from + 2);
    assert_eq!(
        lines[0]["reason"],
        "the receiver refuses it, invalid_audience: not for us"
    );
    assert_eq!(
        polled(&tenant, &id, json!({"ack": [all[0]]})).0,
        Vec::<String>::new()
    );
    assert_eq!(shown(&tenant, &id)["behind"], 0);
}

/// What a receiver says is foreign text: nothing in it hides, or turns what stands beside it.
#[test]
fn a_refusal_can_be_read() {
    for (said, told) in [
        ("a\0b", "a\\u{0}b"),
        ("a\u{202E}b", "a\\u{202e}b"),
        ("a\u{200B}b", "a\\u{200b}b"),
        ("a\u{2066}b", "a\\u{2066}b"),
        ("a\u{1b}[31mb", "a\\u{1b}[31mb"),
        ("a\nb", "a\\u{a}b"),
        ("a\u{85}b", "a\\u{85}b"),
        ("für 👩\u{200D}💻", "für 👩\u{200D}💻"),
        ("C:\\keys", "C:\\keys"),
    ] {
        let world = World::new();
        let tenant = world.tenant("compat");
        let id = stream(&tenant, json!({}));
        let from = last(&tenant);
        tenant.user("a");
        let all = ids(&tenant, from);
        let refusal = json!({"setErrs": {&all[0]: {"err": said, "description": said}}});
        assert_eq!(polled(&tenant, &id, refusal).0, Vec::<String>::new());
        let lines = asked(&tenant, "GET", &format!("/{id}/deliveries"), Value::Null);
        let reason = &lines.body["data"][0]["reason"];
        assert_eq!(
            reason,
            &json!(format!("the receiver refuses it, {told}: {told}"))
        );
    }
}

#[test]
fn bad_polls_are_named() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let id = stream(&tenant, json!({}));
    for (body, place) in [
        (json!({"maxEvents": -1}), json!(["body", "maxEvents"])),
        (json!({"maxEvents": 1_001}), json!(["body", "maxEvents"])),
        (json!({"maxEvents": "3"}), json!(["body", "maxEvents"])),
        (json!({"ack": "x"}), json!(["body", "ack"])),
        (json!({"ack": [1]}), json!(["body", "ack", 0])),
        (json!({"setErrs": []}), json!(["body", "setErrs"])),
        (
            json!({"setErrs": {"x": {}}}),
            json!(["body", "setErrs", "x", "err"]),
        ),
        (
            json!({"setErrs": {"x": {"err": 1}}}),
            json!(["body", "setErrs", "x", "err"]),
        ),
        (json!([]), json!(["body"])),
    ] {
        let answer = asked(&tenant, "POST", &format!("/{id}/poll"), body.clone());
        answer.expect(422);
        assert_eq!(answer.body["detail"][0]["loc"], place, "{body}");
    }
    let wrong = json!({"returnImmediately": "yes"});
    asked(&tenant, "POST", &format!("/{id}/poll"), wrong).expect(422);
    let many: serde_json::Map<String, Value> = (0..101)
        .map(|n| (format!("x{n}"), json!({"err": "e"})))
        .collect();
    asks(&tenant, &id, json!({"setErrs": many})).expect(422);
    // What is nobody's id is passed over, and so is what another version of the specification may have.
    for ack in [
        "",
        ".",
        "x",
        "acme.9.user.created",
        &format!("{}.x", tenant.id),
        &format!("{}.999999.user.created", tenant.id),
    ] {
        asks(&tenant, &id, json!({"ack": [ack], "later": true})).expect(200);
    }
    assert!(
        world
            .database
            .texts("select acknowledged from event_streams where acknowledged is not null")
            .is_empty()
    );
    let webhook = asked(
        &tenant,
        "POST",
        "",
        json!({"name": "x", "url": "https://x.example.com/"}),
    );
    let webhook = webhook.body["data"]["id"].as_str().unwrap().to_owned();
    asks(&tenant, &webhook, json!({})).expect(409);
    asked(
        &tenant,
        "PATCH",
        &format!("/{id}"),
        json!({"is_active": false}),
    )
    .expect(200);
    asks(&tenant, &id, json!({})).expect(409);
    asked(
        &tenant,
        "PATCH",
        &format!("/{id}"),
        json!({"is_active": true}),
    )
    .expect(200);
    tenant.user("a");
    tenant.user("b");
    world.database.execute(&format!("delete from audit_events where tenant_id = '{}' and seq <= (select max(seq) - 1 from audit_events)", tenant.id));
    world
        .database
        .execute("update event_streams set after_seq = 0");
    asks(&tenant, &id, json!({})).expect(410);
    world
        .database
        .execute("update event_streams set after_seq = 100000");
    asks(&tenant, &id, json!({})).expect(410);
}

#[test]
fn a_poll_waits_until_there_is_something() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let id = stream(&tenant, json!({"types": ["group.*"]}));
    let from = last(&tenant);
    let before = world.clock.0.get();
    let waited = asked(&tenant, "POST", &format!("/{id}/poll"), Value::Null);
    assert_eq!(
        waited.expect(200).body,
        json!({"sets": {}, "moreAvailable": false})
    );
    assert_eq!(world.clock.0.get() - before, 25_000);
    tenant.user("ada");
    tenant.group("Analysts", &[]);
    let before = world.clock.0.get();
    let told = asked(&tenant, "POST", &format!("/{id}/poll"), json!({}));
    assert_eq!(told.body["sets"].as_object().unwrap().len(), 1);
    assert_eq!(world.clock.0.get(), before);
    // What it is not told of is behind it.
    assert_eq!(shown(&tenant, &id)["after"], from + 1);
    // What it acknowledges holds before it waits.
    let all = ids(&tenant, from + 1);
    let waited = asked(&tenant, "POST", &format!("/{id}/poll"), json!({"ack": all}));
    assert_eq!(waited.expect(200).body["sets"], json!({}));
    assert_eq!(shown(&tenant, &id)["behind"], 0);
    assert_eq!(world.clock.0.get() - before, 25_000);
}

/// A stream whose first token is never acknowledged is given so many after it and no more; what is kept of it stays small.
#[test]
fn what_is_kept_is_bounded() {
    let world = World::new();
    let tenant = world.tenant("compat").unfused();
    let id = stream(&tenant, json!({}));
    let from = last(&tenant);
    many(&tenant, 1_300);
    let all = ids(&tenant, from);
    let mut got = BTreeSet::new();
    let mut ack: Vec<String> = Vec::new();
    for _ in 0..10 {
        let (given, more) = polled(&tenant, &id, json!({"ack": ack, "maxEvents": 400}));
        assert_eq!(given[0], all[0]);
        assert!(more);
        got.extend(given.iter().cloned());
        ack = given[1..].to_vec();
    }
    assert_eq!(got.len(), 1_000);
    let kept = world
        .database
        .texts("select acknowledged from event_streams");
    assert_eq!(
        serde_json::from_str::<Vec<String>>(&kept[0]).unwrap().len(),
        999
    );
    let (given, more) = polled(&tenant, &id, json!({"ack": [all[0]], "maxEvents": 1_000}));
    assert_eq!((given, more), (all[1_000..].to_vec(), false));
    assert_eq!(
        world
            .database
            .texts("select 1 || '' from event_streams where acknowledged is not null"),
        Vec::<String>::new()
    );
}

/// Whatever is acknowledged in whatever order, everything is given until it is, and nothing after.
#[test]
fn any_order_of_acknowledging_ends_with_all() {
    let steps = prop::collection::vec((0_usize..4, any::<Index>(), 0_i64..6), 1..24);
    let tested = runner(48).run(&steps, |steps| {
        let world = World::new();
        let tenant = world.tenant("compat");
        let id = stream(&tenant, json!({"types": ["user.*", "group.member_added"]}));
        let from = last(&tenant);
        let user = tenant.user("first");
        let mut acknowledged: BTreeSet<String> = BTreeSet::new();
        for (number, (what, which, most)) in steps.iter().enumerate() {
            match what {
                0 => drop(tenant.user(&format!("u{number}"))),
                1 => drop(tenant.group(&format!("g{number}"), &[&user])),
                _ => {
                    let wanted = wanted(&tenant, from);
                    let ack = which.get(&wanted).clone();
                    let both = [ack.clone(), which.get(&ids(&tenant, 0)).clone()];
                    acknowledged.extend(both.iter().filter(|id| wanted.contains(id)).cloned());
                    let (given, more) =
                        polled(&tenant, &id, json!({"ack": both, "maxEvents": most}));
                    let left: Vec<String> = wanted
                        .into_iter()
                        .filter(|id| !acknowledged.contains(id))
                        .collect();
                    let most = usize::try_from(*most).unwrap();
                    prop_assert_eq!(&given[..], &left[..most.min(left.len())]);
                    prop_assert!(more || left.len() <= most);
                }
            }
        }
        let rest = polled(&tenant, &id, json!({"maxEvents": 1_000})).0;
        polled(&tenant, &id, json!({"ack": rest}));
        prop_assert_eq!(&shown(&tenant, &id)["behind"], 0);
        Ok(())
    });
    tested.unwrap_or_else(|error| panic!("{error}"));
}

fn wanted(tenant: &Tenant<'_>, from: i64) -> Vec<String> {
    let all = ids(tenant, from).into_iter();
    all.filter(|id| id.contains(".user.") || id.contains(".group.member_added"))
        .collect()
}
