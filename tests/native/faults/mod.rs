//! Whatever goes wrong at whichever call: a request has happened whole or not at all, its answer is true, and sending it again is
//! safe.
//!
//! Each request of [`cases`] is answered once without a fault, which counts the calls that it makes of the platform; then once for each
//! call and each thing that can go wrong with it, from the same state.

pub mod cases;
mod directories;
pub mod state;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use rollcall::api::http::routes;
use rollcall::config::KeySource;

use crate::bulk::assert_consistent;
use crate::support::faults::{BROKEN, Fault, Faults, Part};
use crate::support::keys::{Signer, jwks};
use crate::support::{Answer, SECRET, START, World, access};
use cases::{Case, MARK, Scene};
use state::{Mask, State};

/// A world before a request, to which it can be set back.
struct Stage {
    world: World,
    faults: Rc<Faults>,
    entries: BTreeMap<String, String>,
    mask: Mask,
    warm: bool,
}

/// What came of a request: an answer, none where it was given up.
type Outcome = Option<Answer>;

impl Stage {
    fn state(&self) -> State {
        State::of(&self.world, &self.mask)
    }

    /// Sets everything back, and forgets what an instance remembers unless it is to be warm.
    fn reset(&mut self) {
        self.world.databases.restore();
        self.world.restart();
        self.world.clock.0.set(START);
        self.world.log.0.borrow_mut().clear();
        self.world.queue.lose();
        *self.world.cache.entries.borrow_mut() = match self.warm {
            true => self.entries.clone(),
            false => Default::default(),
        };
        self.faults.arm(None);
    }

    /// Sends a request and finishes what it leaves for later; both until they come to a call that hangs.
    fn send(&self, case: &Case, armed: Option<(usize, Fault)>) -> Outcome {
        self.faults.arm(armed);
        let mut context = Context::from_waker(Waker::noop());
        self.world.databases.begin_invocation();
        let mut handling = Box::pin(self.world.app.handle(case.request.clone()));
        let response = match handling.as_mut().poll(&mut context) {
            Poll::Ready(response) => Some(response),
            Poll::Pending => {
                assert!(self.faults.hangs(), "{}: waits for nothing", case.name);
                None
            }
        };
        drop(handling);
        for mut work in self.world.background.take() {
            let _ = work.as_mut().poll(&mut context);
        }
        let (method, path) = (case.request.method(), case.request.uri().path());
        self.world.read_whole(method, path, response?)
    }
}

/// What a request does where nothing goes wrong.
struct Course {
    before: State,
    answer: Answer,
    after: State,
    /// When it is sent once more.
    again: Answer,
    after_again: State,
    calls: Vec<Part>,
}

fn course(stage: &mut Stage, case: &Case) -> Course {
    stage.reset();
    let before = stage.state();
    let answer = stage.send(case, None).expect("an answer");
    answer.expect(case.status);
    let calls = stage.faults.calls();
    let after = stage.state();
    let again = stage.send(case, None).expect("an answer");
    again.expect(case.again);
    let after_again = stage.state();
    assert_eq!(
        after_again != after,
        case.more,
        "{}: sent again\n{}",
        case.name,
        after_again.against(&after)
    );
    assert_consistent(&stage.world);
    Course {
        before,
        answer,
        after,
        again,
        after_again,
        calls,
    }
}

/// Tries every fault at every call of a request, and gives their number.
fn try_all(stage: &mut Stage, case: &Case) -> usize {
    let course = course(stage, case);
    let mut tried = 0;
    for (number, part) in course.calls.iter().enumerate() {
        for &fault in part.faults() {
            stage.reset();
            let at = format!("{}: {fault:?} at call {number}, {part:?}", case.name);
            let outcome = stage.send(case, Some((number, fault)));
            check(stage, &course, case, &at, fault, outcome);
            tried += 1;
        }
    }
    tried
}

fn check(stage: &Stage, course: &Course, case: &Case, at: &str, fault: Fault, outcome: Outcome) {
    let state = stage.state();
    let happened = state == course.after;
    assert!(
        happened || state == course.before,
        "{at}: happened in part\n{}",
        state.against(&course.before)
    );
    assert_consistent(&stage.world);
    for line in stage.world.log.0.borrow().iter() {
        assert!(!line.contains(MARK), "{at}: {line}");
    }
    match &outcome {
        // A body that is read while it is sent breaks off.
        None => assert!(
            matches!(fault, Fault::HangsBefore | Fault::HangsAfter)
                || case.pattern().ends_with("/export"),
            "{at}"
        ),
        Some(answer) if answer.status == course.answer.status => {
            assert!(happened, "{at}: said to be done, and is not");
            // What a test of a receiver found is its answer.
            if case.pattern().ends_with("/:stream_id/test") {
                return;
            }
            assert_eq!(
                stage.mask.masked(&answer.body.to_string()),
                stage.mask.masked(&course.answer.body.to_string()),
                "{at}"
            );
        }
        // That an address cannot be read is told of the address.
        Some(answer) if answer.status == 422 && case.pattern().ends_with("/saml-metadata") => {
            assert!(
                state == course.before && !answer.body.to_string().contains(MARK),
                "{at}"
            );
        }
        Some(answer) => {
            check_failure(at, fault, answer);
            assert!(!answer.body.to_string().contains(MARK), "{at}");
            // Whoever changes a resource, or sends a key, finds out what has become of a batch whose reply was lost.
            let is_scim = case.request.uri().path().contains("/scim/v2/");
            let is_keyed = case.request.headers().contains_key("idempotency-key");
            let lost = fault == Fault::ReplyLost && !is_scim && !is_keyed;
            assert!(lost || state == course.before, "{at}: failed, and is done");
        }
    }
    // The client sends it again, when it is told to, and now nothing goes wrong.
    let told = outcome.and_then(|answer| answer.header("retry-after").parse().ok());
    stage.world.clock.advance_seconds(told.unwrap_or(0));
    let (wanted, wanted_state) = match happened && course.before != course.after {
        true => (&course.again, &course.after_again),
        false => (&course.answer, &course.after),
    };
    let answer = stage.send(case, None).expect("an answer");
    let said = &answer.body;
    assert_eq!(answer.status, wanted.status, "{at}, sent again: {said}");
    let state = stage.state();
    assert!(
        state == *wanted_state,
        "{at}, sent again\n{}",
        state.against(wanted_state)
    );
    assert_consistent(&stage.world);
}

/// An answer other than the usual one says what the fault makes true, and tells a client that may come back when to do so.
fn check_failure(at: &str, fault: Fault, answer: &Answer) {
    let statuses: &[u16] = match fault {
        Fault::Says(BROKEN) => &[500],
        Fault::Says(_) | Fault::SaysFromNowOn(_) | Fault::ReplyLost => &[503],
        // Without random numbers there are no ids; nothing but ours to mend. Without keys nobody is known.
        Fault::Down => &[500, 503],
        // A credential has ended, or has not begun yet.
        Fault::ClockJumps(_) => &[401],
        Fault::HangsBefore | Fault::HangsAfter => &[],
    };
    assert!(statuses.contains(&answer.status), "{at}: {}", answer.status);
    let retry_after: Option<u32> = answer.header("retry-after").parse().ok();
    assert_eq!(retry_after.is_some(), answer.status == 503, "{at}");
}

/// A stage with a scene on it. `warm`: what is known of the credentials is at hand.
fn stage(variables: &[(&str, &str)], profile: &str, warm: bool) -> (Stage, Scene) {
    let world = World::configured(&[variables, &access::SETTINGS].concat());
    let scene = Scene::set(&world, profile);
    (stage_of(world, warm), scene)
}

/// A stage of a world as it is now.
fn stage_of(mut world: World, warm: bool) -> Stage {
    world.databases.save();
    let known = world.databases.dump_text();
    let known = known
        .split(|c: char| !c.is_ascii_alphanumeric() && !"-_$+=,/.".contains(c))
        .map(str::to_owned);
    let mask = Mask::new(known.collect());
    let entries = world.cache.entries.borrow().clone();
    let faults = Faults::install(&mut world);
    Stage {
        world,
        faults,
        entries,
        mask,
        warm,
    }
}

/// Tries every fault on some of a scene's requests, in both profiles, with what is known of a credential at hand and not.
fn try_faults(cases: fn(&Scene) -> Vec<Case>) {
    for (profile, warm) in [("compat", true), ("compat", false), ("strict", false)] {
        let (mut stage, scene) = stage(&[("JWT_LOCAL_SECRET", SECRET)], profile, warm);
        try_cases(&mut stage, &cases(&scene));
    }
}

fn try_cases(stage: &mut Stage, cases: &[Case]) {
    let tried: usize = cases.iter().map(|case| try_all(stage, case)).sum();
    println!("{tried} faults in {} requests", cases.len());
    assert!(tried > 10 * cases.len());
}

#[test]
fn changes_of_users() {
    try_faults(Scene::users);
}

#[test]
fn changes_of_groups() {
    try_faults(Scene::groups);
}

#[test]
fn bulk_requests() {
    try_faults(Scene::bulk);
}

#[test]
fn reads() {
    try_faults(Scene::reads);
}

#[test]
fn tenants() {
    try_faults(Scene::tenants);
}

#[test]
fn scim_tokens() {
    try_faults(Scene::scim_tokens);
}

#[test]
fn identity_providers() {
    try_faults(Scene::identity_providers);
}

/// An erasure goes in several batches, and is asked for again until it is complete: see `erasures`.
#[test]
fn what_happened() {
    try_faults(|scene| {
        let mut cases = scene.happened();
        cases.retain(|case| !case.pattern().ends_with("/erasures"));
        cases
    });
}

#[test]
fn requests_with_an_idempotency_key() {
    try_faults(Scene::keyed);
}

#[test]
fn passwords_that_are_kept() {
    let (mut stage, scene) = stage(&[("JWT_LOCAL_SECRET", SECRET)], "compat", false);
    stage
        .world
        .database
        .execute("update tenants set store_passwords = 1");
    stage.world.databases.save();
    try_cases(&mut stage, &scene.passwords());
}

#[test]
fn keys_that_are_fetched() {
    let (mut stage, scene) = stage(&[("JWT_LOCAL_SECRET", SECRET)], "compat", false);
    let signer = Signer::ed25519(1);
    let document = jwks(&[signer.jwk("1")]).into_bytes();
    let url = "https://issuer.example.com/keys";
    stage
        .world
        .web
        .documents
        .borrow_mut()
        .insert(url.to_owned(), document);
    stage.world.app.config.keys = KeySource::Fetched(url.to_owned());
    let token = signer.token("1", &stage.world.claims());
    try_cases(&mut stage, &scene.with_admin(token).tenants());
}

/// Nothing that an instance remembers waits for a moment that the clock was set back from.
#[test]
fn a_clock_that_was_ahead_for_a_while_stops_nothing() {
    let (mut stage, scene) = stage(&[("JWT_LOCAL_SECRET", SECRET)], "compat", false);
    let url = "https://issuer.example.com/keys";
    stage.world.app.config.keys = KeySource::Fetched(url.to_owned());
    let publish = |world: &World, signer: &Signer, kid: &str| {
        let document = jwks(&[signer.jwk(kid)]).into_bytes();
        let mut documents = world.web.documents.borrow_mut();
        documents.insert(url.to_owned(), document);
    };
    let claims = stage.world.claims();
    let (old, new) = (Signer::ed25519(1), Signer::ed25519(2));
    let scene = scene.with_admin(old.token("old", &claims));
    // No keys, then the first ones, then others, each while the clock is ahead; and then it is not.
    let ahead = Some((0, Fault::ClockJumps(30_000)));
    stage.reset();
    let answer = stage.send(&scene.tenants()[1], ahead).expect("an answer");
    answer.expect(503);
    publish(&stage.world, &old, "old");
    let answer = stage.send(&scene.tenants()[1], None).expect("an answer");
    answer.expect(200);
    stage.world.restart();
    let answer = stage.send(&scene.tenants()[1], ahead).expect("an answer");
    answer.expect(200);
    publish(&stage.world, &new, "new");
    let scene = scene.with_admin(new.token("new", &claims));
    let answer = stage.send(&scene.tenants()[1], None).expect("an answer");
    answer.expect(200);
}

/// The errors of which D1's documentation says that the operation is to be tried again, and those that pass by themselves.
#[test]
fn what_passes_by_itself_is_503() {
    let (mut stage, scene) = stage(&[("JWT_LOCAL_SECRET", SECRET)], "compat", true);
    for message in [
        "D1 DB reset because its code was updated.",
        "Internal error while starting up D1 DB storage caused object to be reset.",
        "Internal error in D1 DB storage caused object to be reset.",
        "Network connection lost.",
        "Cannot resolve D1 DB due to transient issue on remote node.",
        "D1 DB storage operation exceeded timeout which caused object to be reset.",
        "D1 DB is overloaded. Too many requests queued.",
        "D1 DB is overloaded. Requests queued for too long.",
        "D1 DB exceeded its CPU time limit and was reset.",
        "D1 DB's isolate exceeded its memory limit and was reset.",
    ] {
        stage.reset();
        for case in [&scene.users()[0], &scene.reads()[0], &scene.tenants()[2]] {
            let calls = course(&mut stage, case).calls;
            let number = calls.iter().position(|part| *part == Part::Database);
            stage.reset();
            let armed = Some((number.expect("a batch"), Fault::Says(message)));
            let answer = stage.send(case, armed).expect("an answer");
            assert_eq!(answer.status, 503, "{message}: {}", answer.log);
            assert!(!answer.header("retry-after").is_empty());
        }
    }
}

#[test]
fn every_route_is_tried() {
    let (_, scene) = stage(&[("JWT_LOCAL_SECRET", SECRET)], "compat", true);
    let tried: BTreeSet<(String, &str)> = scene
        .all()
        .iter()
        .map(|case| (case.request.method().to_string(), case.pattern()))
        .collect();
    for route in routes::all() {
        // The routes of the other SCIM base are the same.
        if !route.pattern.starts_with("/scim/v2") {
            let (method, pattern) = (route.method.to_string(), route.pattern.as_str());
            assert!(
                tried.contains(&(method, pattern)),
                "{} {pattern} is in none of the cases",
                route.method
            );
        }
    }
}
