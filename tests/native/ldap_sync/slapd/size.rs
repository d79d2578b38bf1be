//! What a sync costs: round trips and statements grow with thousands of objects, and not with each.

use rollcall::store::Error;
use serde_json::{Value, json};

use super::life::{group, person};
use crate::ldap_sync::{Cost, Directory, deployed, expected};
use crate::support::slapd::Slapd;

const USERS: usize = 2_000;
const GROUPS: usize = 50;

fn city(names: &[String]) -> Slapd {
    let groups = (0..GROUPS).zip(1..).map(|(index, number)| {
        let members = names.iter().skip(index * 30).take(50);
        let members: Vec<&str> = members.map(String::as_str).collect();
        group(&format!("group-{index}"), number, &members)
    });
    Slapd::only(&people(names).chain(groups).collect::<String>())
}

fn people(names: &[String]) -> impl Iterator<Item = String> {
    let numbered = names.iter().zip(1..);
    numbered.map(|(name, number)| person(name, number))
}

fn names() -> Vec<String> {
    (0..USERS).map(|number| format!("user-{number}")).collect()
}

/// The request's time is over before the sync is: it answers where the log is, and in that are the numbers so far.
#[test]
fn the_log_has_the_numbers_so_far_while_the_sync_runs() {
    let mut world = deployed();
    // Each message makes one step.
    world.app.config.sync.text = 100_000;
    world.app.config.sync.statements = 1;
    world.employ();
    let slapd = city(&names());
    let directory = Directory::of(world.tenant("compat"), &slapd, json!({"page_size": 500}));
    world.queue.halted.set(true);
    let answer = directory.ask("");
    let log = &answer.expect(200).body["data"];
    assert_eq!(log["status"], "running", "{log}");
    assert_eq!(directory.ask("").status, 409);
    let mut seen = Vec::new();
    while pollster::block_on(world.queue.deliver()) {
        let now = directory.read_log(log);
        let number = |of: &str, name: &str| now["counts"][of][name].as_u64().expect("a number");
        seen.push((
            now["status"] == "running",
            number("users", "read"),
            number("users", "created"),
        ));
        directory.assert_consistent();
    }
    let users = USERS as u64;
    for step in [
        (true, users, 0),
        (true, users, users / 2),
        (true, users, users),
        (false, users, users),
    ] {
        assert!(seen.contains(&step), "{step:?}: {seen:?}");
    }
    assert_eq!(directory.read_log(log)["status"], "succeeded");
}

#[test]
fn round_trips_and_statements_do_not_grow_with_the_objects() {
    let world = deployed();
    let slapd = city(&names());
    let directory = Directory::of(world.tenant("compat"), &slapd, json!({"page_size": 500}));
    let run = |query: &str, counts: Value| {
        let log = directory.sync(query);
        assert_eq!(log["status"], "succeeded");
        assert_eq!(crate::ldap_sync::counts(&log), expected(counts));
        let costs = directory.costs(&log);
        println!("{query}: {costs:?}");
        let sum = |of: fn(&Cost) -> u64| costs.iter().map(of).sum::<u64>();
        (sum(|cost| cost.trips), sum(|cost| cost.statements))
    };
    let (trips, statements) = run(
        "",
        json!({"users.created": USERS, "groups.created": GROUPS, "memberships.added": GROUPS * 50}),
    );
    // What is staged is written and read besides.
    assert!(
        trips <= (USERS as u64 + GROUPS as u64) / 170,
        "{trips} round trips"
    );
    assert!(statements <= 120, "{statements} statements");
    let unchanged = json!({"users.unchanged": USERS, "groups.unchanged": GROUPS});
    let (trips, statements) = run("?full=true", unchanged);
    assert!(
        trips <= 6 && statements <= 30,
        "{trips} round trips, {statements} statements"
    );
    directory.assert_consistent();
}

/// More memberships than one batch takes log entries besides: a run that breaks off after it leaves no group uncounted.
#[test]
fn what_mappings_give_is_counted_in_the_batch_that_gives_it() {
    let world = deployed();
    let names = names();
    let all: Vec<&str> = names.iter().map(String::as_str).collect();
    let everybody = group("everybody", 1, &all);
    let slapd = Slapd::only(&people(&names).chain([everybody]).collect::<String>());
    let directory = Directory::of(world.tenant("compat"), &slapd, json!({"page_size": 500}));
    directory.synced("");
    for number in 0..6 {
        let ours = directory.tenant.group(&format!("Ours {number}"), &[]);
        directory.map("cn=everybody,ou=groups,dc=example,dc=com", &ours);
    }
    for batch in 0..40 {
        world.clock.advance_seconds(600);
        let mut failures = vec![Some(Error::Overloaded("gone".to_owned())); 40];
        failures.extend(vec![None; batch]);
        *world.database.planned.borrow_mut() = failures;
        directory.ask("");
        world.database.planned.take();
        directory.assert_consistent();
        if world.database.number("select count(*) from mapping_grants") > 0 {
            return;
        }
    }
    panic!("nothing was given");
}

/// What a sync of many costs: `SYNC_USERS=20000 cargo test --release --test native what_a_large_sync_costs -- --ignored --nocapture`.
#[test]
#[ignore = "it takes minutes, and measures"]
fn what_a_large_sync_costs() {
    let users =
        std::env::var("SYNC_USERS").map_or(20_000, |users| users.parse().expect("a number"));
    let names: Vec<String> = (0..users).map(|number| format!("user-{number}")).collect();
    let groups = (0..users / 50).zip(1..).map(|(index, number)| {
        let members = (0..50).map(|step| (index * 37 + step) % users);
        let members: Vec<&str> = members.map(|number| names[number].as_str()).collect();
        group(&format!("group-{index}"), number, &members)
    });
    let world = deployed();
    let slapd = Slapd::only(&people(&names).chain(groups).collect::<String>());
    let directory = Directory::of(world.tenant("compat"), &slapd, json!({"page_size": 1_000}));
    let measure = |what: &str, query: &str| {
        #[expect(clippy::disallowed_methods, reason = "it measures the machine")]
        let begun = std::time::Instant::now();
        let log = directory.sync(query);
        let seconds = begun.elapsed().as_secs_f32();
        assert_eq!(log["status"], "succeeded", "{log}");
        let costs = directory.costs(&log);
        let sum = |of: fn(&Cost) -> u64| costs.iter().map(of).sum::<u64>();
        let most = costs.iter().map(|cost| cost.statements).max();
        println!(
            "{what}: {seconds:.1} s, {} messages, {} trips, {} statements, {most:?} in one; {}",
            costs.len(),
            sum(|cost| cost.trips),
            sum(|cost| cost.statements),
            log["counts"]["users"]
        );
    };
    measure("first", "");
    measure("second, full", "?full=true");
    measure("second, changes", "");
    let mut writer = slapd.writer();
    for name in names.iter().step_by(100) {
        writer.modify(
            &format!("uid={name},ou=people,dc=example,dc=com"),
            "replace: cn\ncn: Another Name",
        );
    }
    measure("1 % changed, full", "?full=true");
    for name in &names {
        writer.modify(
            &format!("uid={name},ou=people,dc=example,dc=com"),
            "replace: cn\ncn: Yet Another Name",
        );
    }
    measure("everybody changed", "?full=true");
    directory.assert_consistent();
}
