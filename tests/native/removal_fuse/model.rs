//! The fuse against a plain count.

use proptest::prelude::*;
use serde_json::json;

use super::{bulk, peopled, set_fuse};
use crate::filter_equivalence::runner;
use crate::support::World;

/// What may still go, told by a plain count of what went.
struct Model {
    minutes: i64,
    most: i64,
    since: Option<i64>,
    gone: i64,
}

impl Model {
    fn remove(&mut self, now: i64, wanted: i64) -> i64 {
        if self
            .since
            .is_none_or(|since| since <= now - self.minutes * 60_000)
        {
            (self.since, self.gone) = (None, 0);
        }
        let done = wanted.min(self.most - self.gone).max(0);
        self.gone += done;
        // Time begins with the first removal.
        if done > 0 {
            self.since.get_or_insert(now);
        }
        done
    }
}

#[test]
fn any_removals_at_any_times_are_counted_as_a_plain_count_would() {
    let steps = proptest::collection::vec((0..4_000_i64, 0..12_usize), 1..12);
    runner(40)
        .run(&steps, |steps| {
            let world = World::new();
            let (tenant, ids) = peopled(&world, 150);
            set_fuse(
                &tenant,
                json!({"percent": 1, "at_least": 17, "minutes": 60}),
            );
            let mut model = Model {
                minutes: 60,
                most: 17,
                since: None,
                gone: 0,
            };
            let mut left = ids.iter();
            for (seconds, count) in steps {
                world.clock.advance_seconds(seconds);
                let ids: Vec<&String> = left.by_ref().take(count).collect();
                let operations = ids
                    .iter()
                    .map(|id| json!({"method": "DELETE", "path": format!("/Users/{id}")}));
                if ids.is_empty() {
                    continue;
                }
                let now = world.clock.0.get();
                let answer = tenant.send("POST", "/Bulk", bulk(operations));
                answer.expect(200);
                let operations = answer.body["Operations"].as_array().expect("operations");
                let done = operations.iter().filter(|one| one["status"] == "204");
                let wanted = i64::try_from(ids.len()).expect("a count");
                let expected = model.remove(now, wanted);
                prop_assert_eq!(i64::try_from(done.count()).expect("a count"), expected);
            }
            Ok(())
        })
        .expect("as the plain count says");
}
