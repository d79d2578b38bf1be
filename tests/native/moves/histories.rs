//! Any history of requests that comes while a tenant moves, and moves back: what was told to be done is there, once, and nothing else.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestRunner;
use rollcall::config::MoveLimits;
use rollcall::store::Value as Stored;

use super::scene::{Came, Scene, same, small};
use crate::support::histories::{Ids, Step, step};
use crate::support::population::Dice;

/// What the tenant was when its own row left the source.
type Left = (BTreeMap<&'static str, Vec<String>>, Option<String>);

struct History {
    ids: RefCell<Ids>,
    steps: RefCell<Vec<Step>>,
    requests: RefCell<Vec<String>>,
    dice: RefCell<Dice>,
    own: RefCell<Option<String>>,
    left: RefCell<Option<Left>>,
    arrived: Cell<bool>,
    nested: Cell<bool>,
}

impl History {
    /// Sees how it leaves, and whether requests may come: none in the pause, in which they would wait for the one who waits for them.
    fn is_open(&self, scene: &Scene) -> bool {
        let (source, target) = scene.ends();
        let is_home = scene.own_row(source).is_some();
        if is_home && source.number("select count(*) from moved_rows where number = 0") == 1 {
            *self.own.borrow_mut() = scene.own_row(source);
            return false;
        }
        if !is_home && scene.own_row(target).is_none() {
            // On its way: all that anybody has written is on both sides.
            let rows = scene.rows(source);
            same(&scene.rows(target), &rows);
            *self.left.borrow_mut() = Some((rows, self.own.borrow().clone()));
            return false;
        }
        if !is_home && !self.arrived.replace(true) {
            let left = self.left.borrow();
            let (rows, own) = left.as_ref().expect("it has left");
            same(&scene.rows(target), rows);
            assert_eq!(scene.own_row(target), *own);
        }
        // Not yet where nobody knows that it has arrived.
        is_home || scene.status() != "switching"
    }

    /// Sends some of the next requests.
    fn go_on(&self, scene: &Scene) {
        let some = self.dice.borrow_mut().below(3);
        let steps: Vec<Step> = {
            let mut steps = self.steps.borrow_mut();
            let from = steps.len().saturating_sub(some);
            steps.split_off(from)
        };
        let in_bulk = self.dice.borrow_mut().one_in(4);
        if !steps.is_empty() {
            let sent = self.ids.borrow_mut().send(&scene.tenant(), &steps, in_bulk);
            self.requests.borrow_mut().extend(sent);
        }
    }
}

fn moved(steps: Vec<Step>, seed: u64, limits: MoveLimits) {
    let scene = Scene::new("compat");
    scene.limits.set(limits);
    let users: Vec<String> = (0..4)
        .map(|number| scene.tenant().user(&format!("n{number}")))
        .collect();
    let groups = vec![
        scene.tenant().group("g0", &[&users[0], &users[1]]),
        scene.tenant().group("g1", &[&users[1]]),
    ];
    let history = Rc::new(History {
        ids: RefCell::new(Ids { users, groups }),
        steps: RefCell::new(steps),
        requests: RefCell::default(),
        dice: RefCell::new(Dice(seed)),
        own: RefCell::default(),
        left: RefCell::default(),
        arrived: Cell::new(false),
        nested: Cell::new(false),
    });
    for is_back in [false, true] {
        scene.is_back.set(is_back);
        history.left.take();
        history.arrived.set(false);
        let (of_hook, going) = (scene.clone(), history.clone());
        scene.before_each(move |_| {
            let is_open = going.is_open(&of_hook);
            if going.nested.replace(true) {
                return;
            }
            if is_open {
                going.go_on(&of_hook);
            }
            // Now and then another message comes in between.
            if going.dice.borrow_mut().one_in(40) {
                of_hook.message();
            }
            going.nested.set(false);
        });
        scene.begin();
        scene.run();
        scene.undisturbed();
        while scene.message() != Came::Over {}
        assert_eq!(scene.status(), "done", "{:?}", scene.column("reason"));
        let (source, target) = scene.ends();
        scene.assert_empty(source);
        scene.assert_unwatched(target);
        assert!(history.arrived.get());
        // The audit trail has each number once, and no gaps.
        let sql = format!("select audit_seq from tenants where id = '{}'", scene.id);
        let last = target.number(&sql);
        assert_eq!(target.number("select count(*) from audit_events"), last);
        assert_eq!(target.number("select max(seq) from audit_events"), last);
        let in_journal = target.query("select id from requests");
        let audited = target.query("select distinct request_id from audit_events");
        for row in &audited {
            let Stored::Text(id) = &row[0] else { panic!() };
            assert!(
                in_journal.contains(row) || !history.requests.borrow().contains(id),
                "{id}"
            );
        }
    }
    let sent = history.requests.borrow().len();
    assert!(sent > 3, "{sent} requests");
}

#[test]
fn any_history_goes_along() {
    let sizes = select(vec![(1, 400), (3, 2_000), (7, 4_000), (50, 100_000)]);
    let history = (prop::collection::vec(step(), 60..160), any::<u64>(), sizes);
    let cases = if std::env::var("EVERY_CALL").is_ok() {
        300
    } else {
        3
    };
    // Each takes seconds: to find a shorter one takes too long.
    let config = ProptestConfig {
        cases,
        failure_persistence: None,
        max_shrink_iters: 20,
        ..ProptestConfig::default()
    };
    let tested = TestRunner::new(config).run(&history, |(steps, seed, (rows, bytes))| {
        let limits = MoveLimits {
            rows,
            bytes,
            ..small()
        };
        moved(steps, seed, limits);
        Ok(())
    });
    tested.unwrap_or_else(|error| panic!("{error}"));
}
