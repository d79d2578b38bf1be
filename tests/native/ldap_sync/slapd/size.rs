//! What a sync costs: round trips and statements grow with thousands of objects, and not with each.

use rollcall::store::Error;
use serde_json::{Value, json};

use super::life::{group, person};
use crate::ldap_sync::{Cost, Directory, expected, world};
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

#[test]
fn the_log_has_the_numbers_so_far_while_the_sync_runs() {
    let world = world();
    let slapd = city(&names());
    let directory = Directory::of(world.tenant("compat"), &slapd, json!({"page_size": 500}));
    // Provider, lease, and of the message the run, links, names and the first batch of users are there; what comes after them is not.
    let gone = Some(Error::Overloaded("gone".to_owned()));
    let mut failures = vec![gone; 40];
    failures.extend(vec![None; 6]);
    *world.database.planned.borrow_mut() = failures;
    directory.ask("");
    world.database.planned.take();
    let logs = world.admin("GET", &directory.path("/sync-logs"), Value::Null);
    let log = &logs.expect(200).body["data"][0];
    assert_eq!(log["status"], "running", "{log}");
    assert_eq!(log["counts"]["users"]["created"], 1_000);
    assert_eq!(log["counts"]["groups"]["created"], 0);
    directory.assert_consistent();
}

#[test]
fn round_trips_and_statements_do_not_grow_with_the_objects() {
    let world = world();
    let slapd = city(&names());
    let directory = Directory::of(world.tenant("compat"), &slapd, json!({"page_size": 500}));
    let run = |query: &str, counts: Value| {
        let log = directory.sync(query);
        assert_eq!(log["status"], "succeeded");
        assert_eq!(crate::ldap_sync::counts(&log), expected(counts));
        let costs = directory.costs(&log);
        let sum = |of: fn(&Cost) -> u64| costs.iter().map(of).sum::<u64>();
        (sum(|cost| cost.trips), sum(|cost| cost.statements))
    };
    let (trips, statements) = run(
        "",
        json!({"users.created": USERS, "groups.created": GROUPS, "memberships.added": GROUPS * 50}),
    );
    assert!(
        trips <= (USERS as u64 + GROUPS as u64) / 200,
        "{trips} round trips"
    );
    assert!(statements <= 100, "{statements} statements");
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
    let world = world();
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
