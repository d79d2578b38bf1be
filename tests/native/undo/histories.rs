//! Any history of SCIM requests, taken back, leaves what was there before; and taken back once more, what was there after.

use proptest::prelude::*;
use proptest::sample::select;

use super::{state, undone};
use crate::filter_equivalence::runner;
use crate::support::World;
use crate::support::histories::{Ids, step};

#[test]
fn any_history_is_taken_back() {
    let part = (prop::collection::vec(step(), 1..7), any::<bool>());
    let history = (
        prop::collection::vec(part, 1..4),
        select(vec!["compat", "strict"]),
    );
    let tested = runner(96).run(&history, |(parts, profile)| {
        let world = World::new();
        let tenant = world.tenant(profile);
        let users: Vec<String> = (0..3)
            .map(|number| tenant.user(&format!("n{number}")))
            .collect();
        let groups = vec![
            tenant.group("g0", &[&users[0], &users[1]]),
            tenant.group("g1", &[&users[1]]),
        ];
        let mut ids = Ids { users, groups };
        let before = state(&tenant);
        let mut requests = Vec::new();
        for (steps, in_bulk) in &parts {
            world.clock.advance_seconds(1);
            requests.extend(ids.send(&tenant, steps, *in_bulk));
        }
        let after = state(&tenant);
        let first = undone(&tenant, &requests);
        prop_assert_eq!(state(&tenant), before.clone());
        let second = undone(&tenant, &[first]);
        prop_assert_eq!(state(&tenant), after);
        undone(&tenant, &[second]);
        prop_assert_eq!(state(&tenant), before);
        Ok(())
    });
    tested.unwrap_or_else(|error| panic!("{error}"));
}
