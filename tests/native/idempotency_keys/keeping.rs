//! How replies are kept: which, for how long, and sealed.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rollcall::seal::KeyRing;
use rollcall::secret::Secret;
use serde_json::{Value, json};

use super::{Making, TENANTS, TOKENS, expect_same, kept, makings};
use crate::support::{ENCRYPTION_KEY, World};

const DAY_SECONDS: i64 = 86_400;

#[test]
fn a_key_is_free_again_after_a_day() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let making = Making::token(&tenant);
    let first = making.send(&world, "one");
    world.clock.advance_seconds(DAY_SECONDS - 1);
    expect_same(&making.send(&world, "one"), &first);
    world.clock.advance_seconds(1);
    let second = making.send(&world, "one");
    assert_ne!(
        second.expect(201).body["data"]["id"],
        first.body["data"]["id"]
    );
    assert_eq!(kept(&world), 1);
    // With another request too.
    world.clock.advance_seconds(DAY_SECONDS);
    let other = Making::new(TENANTS, json!({"name": "Another"}));
    let third = other.send(&world, "one");
    expect_same(&other.send(&world, "one"), third.expect(201));
    assert_eq!(kept(&world), 1);
}

#[test]
fn the_clock_forgets_what_was_kept_for_a_day_some_at_a_time() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let making = Making::token(&tenant);
    making.send(&world, "old").expect(201);
    world.clock.advance_seconds(DAY_SECONDS - 10);
    let young = making.send(&world, "young");
    young.expect(201);
    let tick =
        || pollster::block_on(world.app.forget_replies(world.home().as_ref())).expect("forgotten");
    tick();
    assert_eq!(kept(&world), 2);
    world.clock.advance_seconds(10);
    tick();
    assert_eq!(kept(&world), 1);
    expect_same(&making.send(&world, "young"), &young);
    world.database.execute(&format!(
        "insert into kept_replies with recursive n (n) as (select 1 union all select n + 1 from n where n < 2500) \
         select iif(n % 2, '', '{}'), n, '', 'x', '', '', n from n",
        tenant.id
    ));
    for left in [1_501, 501, 1, 1] {
        tick();
        assert_eq!(kept(&world), left);
    }
    expect_same(&making.send(&world, "young"), &young);
    // Where the database is away, the log says so, and the message comes again.
    let lost = rollcall::store::Error::Overloaded("D1 DB is overloaded".to_owned());
    world.database.failures.borrow_mut().push(lost);
    world.queue.put(r#"{"v":1,"kind":"forget_replies"}"#);
    assert!(pollster::block_on(world.queue.deliver()));
    let line = world.log.0.borrow().last().cloned().unwrap_or_default();
    assert!(line.contains("D1 DB is overloaded"), "{line}");
    assert_eq!(world.queue.waiting().len(), 1);
    world.queue.work_off();
    let line = world.log.0.borrow().last().cloned().unwrap_or_default();
    assert!(line.contains(r#""error":null"#), "{line}");
}

#[test]
fn a_refusal_is_not_kept() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let mut requests = makings(&tenant);
    for making in &mut requests {
        let body = std::mem::replace(&mut making.body, json!({"nonsense": 1}));
        making.send(&world, "one").expect(422);
        making.body = body;
    }
    assert_eq!(kept(&world), 0);
    // The same request, refused and later not.
    let named = Making::new(TENANTS, json!({"name": "Later", "id": "later"}));
    let token = Making::new(TOKENS, json!({"tenant_id": "later", "name": "Entra"}));
    token.send(&world, "two").expect(422);
    named.send(&world, "three").expect(201);
    named.send(&world, "four").expect(409);
    let first = token.send(&world, "two");
    expect_same(&token.send(&world, "two"), first.expect(201));
    for making in requests {
        let key = format!("five {}", making.path);
        let first = making.send(&world, &key);
        expect_same(&making.send(&world, &key), first.expect(201));
    }
}

#[test]
fn a_deleted_tenants_replies_are_gone() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let other = world.tenant("compat");
    let mut of_tenant = world.claims();
    of_tenant.insert("tenant_id".to_owned(), tenant.id.clone().into());
    let making = Making::token(&tenant);
    making.send(&world, "one").expect(201);
    making.send_as(&world, &of_tenant, "one").expect(201);
    let others = Making::token(&other).send(&world, "two");
    let made = Making::new(TENANTS, json!({"name": "Gone", "id": "gone"}));
    made.send(&world, "three").expect(201);
    assert_eq!(kept(&world), 4);
    for id in [tenant.id.as_str(), "gone"] {
        let path = format!("{TENANTS}{id}");
        world.admin("DELETE", &path, Value::Null).expect(204);
    }
    assert_eq!(kept(&world), 1);
    for claims in [&world.claims(), &of_tenant] {
        let answer = making.send_as(&world, claims, "one");
        assert_eq!(answer.expect(422).body["detail"][0]["loc"][1], "tenant_id");
    }
    // Its id stays taken.
    made.send(&world, "three").expect(409);
    expect_same(&Making::token(&other).send(&world, "two"), &others);
}

#[test]
fn what_is_kept_is_sealed_and_opens_in_its_place_alone() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let making = Making::token(&tenant);
    for key in ["one", "two"] {
        let first = making.send(&world, key);
        let token = first.expect(201).body["data"]["token"].clone();
        let token = token.as_str().expect("a token");
        let dump = world.database.dump_text();
        let clear = &token[12..];
        assert!(!dump.contains(clear));
        // Neither is it there in base64, at any of the three ways that it can lie.
        for skipped in 0..3 {
            let encoded = STANDARD.encode(&clear.as_bytes()[skipped..]);
            assert!(!dump.contains(&encoded[..24]));
        }
    }
    // Neither the key of the request nor who asked is there.
    let rows = format!("{:?}", world.database.query("select * from kept_replies"));
    assert!(!rows.contains("root") && !rows.contains("one"), "{rows}");
    let replies = "select reply from kept_replies order by key_hash";
    let replies = world.database.texts(replies);
    for (reply, other) in [(&replies[0], "max"), (&replies[1], "min")] {
        world.database.execute(&format!(
            "update kept_replies set reply = '{reply}' where key_hash = (select {other}(key_hash) from kept_replies)"
        ));
    }
    for key in ["one", "two"] {
        let answer = making.send(&world, key);
        let detail = answer.expect(409).body["detail"].as_str();
        assert!(detail.unwrap_or_default().contains("carried out"));
    }
}

/// Whoever replaces the encryption key keeps the old one beside it: replies open. Where it is gone, nothing is made a second time all the same.
#[test]
fn replies_open_while_the_key_that_sealed_them_is_there() {
    let mut world = World::new();
    let (making, first, count) = {
        let tenant = world.tenant("compat");
        let making = Making::token(&tenant);
        let first = making.send(&world, "one");
        (making, first, tokens(&world))
    };
    let secret = |text: &str| Secret::new(STANDARD.decode(text).expect("base64"));
    let new = Secret::new(vec![7; 32]);
    world.app.config.encryption_keys = KeyRing::new(new.clone(), Some(secret(ENCRYPTION_KEY)));
    expect_same(&making.send(&world, "one"), &first);
    world.app.config.encryption_keys = KeyRing::new(new, None);
    let answer = making.send(&world, "one");
    assert!(!answer.expect(409).body.to_string().contains("rcs_"));
    assert_eq!(tokens(&world), count);
    world.clock.advance_seconds(DAY_SECONDS);
    making.send(&world, "one").expect(201);
}

fn tokens(world: &World) -> i64 {
    world.database.number("select count(*) from scim_tokens")
}

#[test]
fn each_statement_goes_by_the_key_or_the_index() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let making = Making::token(&tenant);
    let statements = world.database.recording(|| {
        making.send(&world, "one").expect(201);
        let path = format!("{TENANTS}{}", tenant.id);
        world.admin("DELETE", &path, Value::Null).expect(204);
        pollster::block_on(world.app.forget_replies(world.home().as_ref())).expect("forgotten");
    });
    let ours: Vec<_> = statements
        .iter()
        .filter(|statement| statement.sql.contains("kept_replies"))
        .collect();
    assert_eq!(ours.len(), 5);
    for statement in ours {
        let plan = world.database.plan(statement).join("\n");
        // The clock's look at the index has no other table to read.
        assert!(
            !plan.contains("SCAN kept_replies") || plan.contains("USING COVERING INDEX"),
            "{}\n{plan}",
            statement.sql
        );
    }
}
