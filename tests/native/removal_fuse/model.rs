//! The fuse against a plain count.

use proptest::prelude::*;
use serde_json::json;

use super::{bulk, peopled, set_fuse};
use crate::filter_equivalence::runner;
use crate::support::World;

/// What may still go, told by a plain count of what went.
#[derive(Default)]
struct Model {
    most: i64,
    since: Option<i64>,
    gone: i64,
}

const MINUTES: i64 = 60;

impl Model {
    /// Whether what went before counts no more.
    fn begins_anew(&mut self, now: i64) -> bool {
        let is_over = self
            .since
            .is_none_or(|since| since <= now - MINUTES * 60_000);
        if is_over {
            (self.since, self.gone) = (None, 0);
        }
        is_over
    }

    fn remove(&mut self, now: i64, wanted: i64) -> i64 {
        self.begins_anew(now);
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
                most: 17,
                ..Model::default()
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

#[test]
fn members_are_counted_so_too_whatever_becomes_of_the_fuse_meanwhile() {
    let fuses = proptest::option::of((1..100_i64, 0..40_i64));
    let steps = proptest::collection::vec((0..2_000_i64, 1..25_usize, fuses), 1..10);
    runner(40)
        .run(&steps, |steps| {
            let world = World::new();
            let (tenant, ids) = peopled(&world, 120);
            let all: Vec<&str> = ids.iter().map(String::as_str).collect();
            let group = tenant.group("all", &all);
            let mut model = Model::default();
            let (mut percent, mut at_least) = (20, 50);
            let (mut is_there, mut of) = (ids.as_slice(), 0);
            for (seconds, count, fuse) in steps {
                world.clock.advance_seconds(seconds);
                if let Some(fuse) = fuse {
                    (percent, at_least) = fuse;
                    set_fuse(
                        &tenant,
                        json!({"percent": percent, "at_least": at_least, "minutes": MINUTES}),
                    );
                }
                let now = world.clock.0.get();
                let size = |ids: &[String]| i64::try_from(ids.len()).expect("a count");
                if model.begins_anew(now) {
                    of = size(is_there);
                }
                let (going, staying) = is_there.split_at(count.min(is_there.len()));
                let members: Vec<_> = going.iter().map(|id| json!({"value": id})).collect();
                let answer = tenant.patch(
                    &format!("/Groups/{group}"),
                    json!([{"op": "remove", "path": "members", "value": members}]),
                );
                // All of it or nothing.
                model.most = at_least.max(of * percent / 100);
                if model.gone + size(going) <= model.most {
                    model.remove(now, size(going));
                    answer.expect(200);
                    is_there = staying;
                } else {
                    let detail = answer.expect(503).body["detail"].to_string();
                    prop_assert!(detail.contains("removal_fuse"), "{}", detail);
                }
                prop_assert_eq!(tenant.members(&group).len(), is_there.len());
            }
            Ok(())
        })
        .expect("as the plain count says");
}
