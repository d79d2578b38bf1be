//! Any history of requests that comes while a tenant moves, and moves back: what was told to be done is there, once, and nothing else.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use proptest::prelude::*;
use proptest::sample::select;
use rollcall::config::MoveLimits;
use rollcall::store::Value as Stored;

use super::scene::{Came, Scene, same, small};
use crate::filter_equivalence::runner;
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
    nested: Cell<bool>,
}

impl History {
    /// Some of the next requests; none in the pause, in which they would wait for the one who waits for them.
    fn go_on(&self, scene: &Scene) {
        let (source, target) = scene.ends();
        let is_home = scene.own_row(source).is_some();
        if is_home && source.number("select count(*) from moved_rows where number = 0") == 1 {
            *self.own.borrow_mut() = scene.own_row(source);
            return;
        }
        if !is_home && scene.own_row(target).is_none() {
            // On its way: all that anybody has written is on both sides.
            let rows = scene.rows(source);
            same(&scene.rows(target), &rows);
            *self.left.borrow_mut() = Some((rows, self.own.borrow().clone()));
            return;
        }
        if !is_home && self.left.borrow().is_none() {
            return;
        }
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
    let users: Vec<String> = (0..4).map(|number| scene.tenant().user(&format!("n{number}"))).collect();
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
        nested: Cell::new(false),
    });
    for is_back in [false, true] {
        scene.is_back.set(is_back);
        history.left.take();
        let (of_hook, going) = (scene.clone(), history.clone());
        scene.before_each(move |_| {
            if going.nested.replace(true) {
                return;
            }
            going.go_on(&of_hook);
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
        let left = history.left.borrow();
        let (_, own) = left.as_ref().expect("it has left");
        assert!(own.is_some());
        // The audit trail has each number once, and no gaps.
        let sql = format!("select audit_seq from tenants where id = '{}'", scene.id);
        let last = target.number(&sql);
        assert_eq!(target.number("select count(*) from audit_events"), last);
        assert_eq!(target.number("select max(seq) from audit_events"), last);
        let in_journal = target.query("select id from requests where failed = 0");
        let audited = target.query("select distinct request_id from audit_events");
        for row in &audited {
            let is_known = in_journal.contains(row) || target.number("select requests_days from tenants") == 0;
            let Stored::Text(id) = &row[0] else { panic!() };
            assert!(is_known || !history.requests.borrow().contains(id), "{id}");
        }
    }
    assert!(history.requests.borrow().len() > 3);
}

#[test]
fn any_history_goes_along() {
    let sizes = select(vec![(1, 400), (3, 2_000), (7, 4_000), (50, 100_000)]);
    let history = (prop::collection::vec(step(), 60..160), any::<u64>(), sizes);
    let cases = if std::env::var("EVERY_CALL").is_ok() { 300 } else { 6 };
    let tested = runner(cases).run(&history, |(steps, seed, (rows, bytes))| {
        let limits = MoveLimits { rows, bytes, ..small() };
        moved(steps, seed, limits);
        Ok(())
    });
    tested.unwrap_or_else(|error| panic!("{error}"));
}
