//! Whatever call of a move goes wrong, whoever takes it back and when, and however late or often its messages come: the tenant is whole, in one
//! database and not in the other.

use std::cell::Cell;
use std::rc::Rc;

use rollcall::config::MoveLimits;
use rollcall::platform::Database;
use rollcall::store::moves;

use super::scene::{FAULTS, Fault, Scene, same, small};

/// Which calls are tried: all of them takes long.
fn tried(calls: usize, about: usize) -> impl Iterator<Item = usize> {
    let every = std::env::var("EVERY_CALL").is_ok();
    let step = if every { 1 } else { (calls / about).max(1) };
    (0..calls).step_by(step)
}

fn scene() -> Rc<Scene> {
    let scene = Scene::new("compat");
    scene.fill(3);
    scene.limits.set(MoveLimits {
        bytes: 200_000,
        rows: 20,
        ..small()
    });
    scene
}

fn save(scene: &Scene) {
    scene.a.save();
    scene.b.save();
}

fn restore(scene: &Scene) {
    scene.undisturbed();
    scene.is_back.set(false);
    scene.a.restore();
    scene.b.restore();
}

/// How many calls an undisturbed move makes.
fn count(scene: &Scene) -> usize {
    scene.calls.count.set(0);
    scene.begin();
    scene.run();
    assert_eq!(scene.status(), "done", "{:?}", scene.column("reason"));
    scene.calls.count.get()
}

#[test]
fn any_call_may_go_wrong() {
    let scene = scene();
    let (rows, own) = (scene.rows(&scene.a), scene.own_row(&scene.a));
    save(&scene);
    let calls = count(&scene);
    let mut tries = 0;
    for number in tried(calls, 8) {
        for fault in FAULTS {
            restore(&scene);
            scene.begin();
            scene.arm(number, fault);
            scene.run();
            scene.undisturbed();
            if scene.status() != "done" {
                panic!(
                    "{fault:?} at {number}: {} {:?}",
                    scene.status(),
                    scene.column("reason")
                );
            }
            scene.assert_moved(&rows, &own);
            tries += 1;
        }
    }
    println!("{calls} calls, {tries} faults");
}

/// The calls of the switch, all of them: there nothing may go wrong in two places.
#[test]
fn any_call_of_the_switch_may_go_wrong() {
    let scene = scene();
    let (rows, own) = (scene.rows(&scene.a), scene.own_row(&scene.a));
    save(&scene);
    let of_switch = Rc::new(std::cell::RefCell::new(Vec::new()));
    let (of_hook, seen) = (scene.clone(), of_switch.clone());
    scene.before_each(move |number| {
        if of_hook.status() == "switching" {
            seen.borrow_mut().push(number);
        }
    });
    scene.begin();
    scene.run();
    let numbers = of_switch.take();
    assert!(numbers.len() > 5, "{numbers:?}");
    let late = (2..6).filter(|calls| *calls != 4).map(Fault::Late);
    let faults: Vec<Fault> = FAULTS.into_iter().chain(late).collect();
    for number in numbers {
        for &fault in &faults {
            restore(&scene);
            scene.begin();
            scene.arm(number, fault);
            scene.run();
            scene.undisturbed();
            assert_eq!(
                scene.status(),
                "done",
                "{fault:?} at {number}: {:?}",
                scene.column("reason")
            );
            scene.assert_moved(&rows, &own);
        }
    }
}

/// Where a call always fails, the move ends, or waits until it can go on; the tenant is whole.
#[test]
fn a_call_that_fails_for_good_takes_the_move_back_before_the_switch() {
    let scene = scene();
    let (rows, own) = (scene.rows(&scene.a), scene.own_row(&scene.a));
    save(&scene);
    let calls = count(&scene);
    for number in tried(calls, 6) {
        restore(&scene);
        scene.begin();
        // Ten of them, one message after the other.
        let mut left = 10;
        scene.arm(number, Fault::Broken);
        while left > 0 && !["done", "failed", "cancelled"].contains(&scene.status().as_str()) {
            let before = scene.calls.count.get();
            scene.message();
            if scene.calls.count.get() > number {
                left -= 1;
                scene.arm(
                    scene.calls.count.get().saturating_sub(before).min(3),
                    Fault::Broken,
                );
            }
        }
        scene.undisturbed();
        scene.run();
        match scene.status().as_str() {
            "done" => scene.assert_moved(&rows, &own),
            "failed" => {
                scene.assert_empty(&scene.b);
                scene.assert_unwatched(&scene.a);
                same(&scene.rows(&scene.a), &rows);
                assert_eq!(scene.own_row(&scene.a), own);
            }
            other => panic!("{other}"),
        }
    }
}

#[test]
fn it_may_be_taken_back_at_any_call_before_the_pause() {
    let scene = scene();
    let (rows, own) = (scene.rows(&scene.a), scene.own_row(&scene.a));
    save(&scene);
    let calls = count(&scene);
    let (mut cancelled, mut done) = (0, 0);
    for number in tried(calls, 30) {
        restore(&scene);
        scene.begin();
        let of_hook = scene.clone();
        scene.before_each(move |at| {
            if at == number {
                let cancel = moves::cancel(&of_hook.tenant_id(), of_hook.world.clock.0.get());
                // Not from the pause on.
                let _ = pollster::block_on(of_hook.a.run(cancel.into()));
            }
        });
        scene.run();
        scene.undisturbed();
        match scene.status().as_str() {
            "cancelled" => {
                scene.assert_empty(&scene.b);
                scene.assert_unwatched(&scene.a);
                same(&scene.rows(&scene.a), &rows);
                assert_eq!(scene.own_row(&scene.a), own);
                cancelled += 1;
                // And it can be moved after that.
                if number % 5 == 0 {
                    scene.begin();
                    scene.run();
                    scene.assert_moved(&rows, &own);
                }
            }
            _ => {
                scene.assert_moved(&rows, &own);
                done += 1;
            }
        }
    }
    assert!(cancelled > 5 && done > 0, "{cancelled} {done}");
}

/// At any call of a message another one comes, and does a part, or all that is left, or more than that: what the first one does then is nothing.
#[test]
fn messages_may_come_twice_and_late() {
    let scene = scene();
    let (rows, own) = (scene.rows(&scene.a), scene.own_row(&scene.a));
    save(&scene);
    let calls = count(&scene);
    for number in tried(calls, 10) {
        for case in 0..3 {
            restore(&scene);
            scene.begin();
            let (of_hook, met) = (scene.clone(), Rc::new(Cell::new(false)));
            scene.before_each(move |at| {
                if at < number || met.replace(true) {
                    return;
                }
                match case {
                    0 => {
                        of_hook.message();
                    }
                    1 => {
                        of_hook.run();
                    }
                    _ => {
                        of_hook.run();
                        of_hook.is_back.set(true);
                        of_hook.begin();
                        of_hook.run();
                        of_hook.is_back.set(false);
                    }
                }
            });
            let mut came = scene.message();
            while !scene.calls.is_met(number) {
                came = scene.message();
            }
            let _ = came;
            scene.undisturbed();
            if case < 2 {
                scene.run();
                scene.assert_moved(&rows, &own);
            } else {
                scene.is_back.set(true);
                scene.assert_moved(&rows, &own);
            }
        }
    }
}
