//! The same request twice at once, and one whose outcome was lost on its way from the database.

use futures_util::future::join_all;

use super::{Making, expect_refused, expect_same, makings, opens};
use crate::support::faults::{Fault, Faults, Part};
use crate::support::{Answer, Tenant, World};

fn at_once(world: &World, makings: &[Making], key: &str) -> Vec<Answer> {
    let jwt = world.jwt(&world.claims());
    let requests = makings.iter().map(|making| {
        let request = making.request(&jwt, &[key.as_bytes()]);
        world.app.handle(request)
    });
    world.database.begin_invocation();
    let responses = pollster::block_on(join_all(requests));
    world.background.finish();
    let read = |(making, response): (&Making, _)| {
        let path = making.path.trim_end_matches('/');
        world.read_answer(&http::Method::POST, path, response)
    };
    makings.iter().zip(responses).map(read).collect()
}

fn with_turns() -> World {
    let mut world = World::new();
    world.take_turns();
    world
}

#[test]
fn twins_are_answered_the_same_and_make_one() {
    let world = with_turns();
    let tenant = world.tenant("compat");
    for (number, making) in makings(&tenant).into_iter().enumerate() {
        let events = || world.database.number("select count(*) from audit_events");
        let before = events();
        let answers = at_once(&world, &vec![making.clone(); 5], &format!("key {number}"));
        let first = &answers[0];
        for answer in &answers[1..] {
            expect_same(answer, first.expect(201));
        }
        let made = if making.path.ends_with("rotate") {
            2
        } else {
            1
        };
        assert_eq!(events(), before + made, "{}", making.path);
    }
}

#[test]
fn of_two_requests_with_one_key_at_once_one_is_refused() {
    let world = with_turns();
    let tenant = world.tenant("compat");
    let one = Making::token(&tenant);
    let mut other = one.clone();
    other.body["name"] = "Okta".into();
    let before = world.database.number("select count(*) from scim_tokens");
    let answers = at_once(&world, &[one, other], "one");
    answers[0].expect(201);
    expect_refused(&answers[1], "idempotency_key_reused");
    let after = world.database.number("select count(*) from scim_tokens");
    assert_eq!(after, before + 1);
}

/// A tenant again, whose world was changed since it was made.
fn again<'w>(world: &'w World, (id, token, token_id): &(String, String, String)) -> Tenant<'w> {
    Tenant {
        world,
        id: id.clone(),
        token: token.clone(),
        token_id: token_id.clone(),
    }
}

#[test]
fn a_lost_outcome_is_found_out_by_the_request_itself_or_by_the_next() {
    let mut world = World::new();
    let (requests, tenant) = {
        let tenant = world.tenant("compat");
        let named = (
            tenant.id.clone(),
            tenant.token.clone(),
            tenant.token_id.clone(),
        );
        (makings(&tenant), named)
    };
    let faults = Faults::install(&mut world);
    world.databases.save();
    for making in requests {
        world.databases.restore();
        faults.arm(None);
        let usual = making.send(&world, "one");
        usual.expect(201);
        let writes = faults
            .calls()
            .iter()
            .rposition(|part| *part == Part::Database)
            .expect("a batch");
        for is_given_up in [false, true] {
            world.databases.restore();
            let fault = match is_given_up {
                true => Fault::HangsAfter,
                false => Fault::ReplyLost,
            };
            faults.arm(Some((writes, fault)));
            let request = making.request(&world.jwt(&world.claims()), &[b"one"]);
            let first = match is_given_up {
                false => Some(world.send(request)),
                true => {
                    let mut handling = Box::pin(world.app.handle(request));
                    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
                    assert!(handling.as_mut().poll(&mut context).is_pending());
                    None
                }
            };
            faults.arm(None);
            let made = world.database.dump();
            let next = making.send(&world, "one");
            next.expect(201);
            if let Some(first) = &first {
                expect_same(&next, first);
            }
            assert_eq!(world.database.dump(), made, "{}", making.path);
            if let Some(token) = next.body["data"].get("token") {
                assert_eq!(opens(&again(&world, &tenant), token), 200);
            }
        }
    }
}
