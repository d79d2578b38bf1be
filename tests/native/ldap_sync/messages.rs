//! The messages of a sync: lost, delivered twice one after the other and at the same time, late, of nobody's runs. Whatever becomes of
//! them, the run ends as an undisturbed one does, and nothing is done twice.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use async_trait::async_trait;
use futures_util::future::join;
use rollcall::api::App;
use rollcall::auth::memory::Memory;
use rollcall::change::Recent;
use rollcall::platform::Database;
use rollcall::store::{Result, Rows, Statement};
use serde_json::{Value, json};

use super::{Directory, world};
use crate::support::World;
use crate::support::d1_twin::D1Twin;
use crate::support::ldap_tree::{Reached, Tree};
use crate::support::turns::take_turns;

const BASE: &str = "dc=example,dc=com";
const PEOPLE: usize = 14;

/// What the directory has put here; by names, because ids are new each time.
const STATE: &str = "select 'user ' || external_id || ' ' || json_extract(resource, '$.userName') || ' ' || active from users \
    union all select 'group ' || json_extract(resource, '$.displayName') || ' ' || member_count from groups \
    union all select 'member ' || json_extract(u.resource, '$.userName') || ' of ' || json_extract(g.resource, '$.displayName') \
    from group_members m join groups g on g.id = m.group_id join users u on u.id = m.member_id \
    union all select 'entry ' || unique_id || ' ' || state || ' ' || digest from directory_entries \
    union all select 'changes ' || count(*) || ', granted ' || (select count(*) from mapping_grants) from audit_events where action <> 'sync' \
    order by 1";

fn person(number: usize) -> String {
    format!("uid=user-{number},{BASE}")
}

fn put_person(tree: &Tree, number: usize, name: &str) {
    let one = |value: &str| vec![value.to_owned()];
    tree.put(
        &person(number),
        &[
            ("objectClass", one("inetOrgPerson")),
            (
                "entryUUID",
                one(&format!("10000000-0000-4000-8000-{number:012}")),
            ),
            ("uid", one(name)),
            ("cn", one(name)),
            ("sn", one("Somebody")),
        ],
    );
}

fn put_group(tree: &Tree, number: usize, members: impl Iterator<Item = usize>) {
    let one = |value: &str| vec![value.to_owned()];
    tree.put(
        &format!("cn=group-{number},{BASE}"),
        &[
            ("objectClass", one("groupOfNames")),
            (
                "entryUUID",
                one(&format!("20000000-0000-4000-8000-{number:012}")),
            ),
            ("cn", one(&format!("group-{number}"))),
            ("member", members.map(person).collect()),
        ],
    );
}

/// A sync that is asked for and not begun: of a directory in which people came, went, and changed names with each other, and groups got
/// other members.
struct Scene {
    world: World,
    tenant: String,
    idp: String,
    now: i64,
}

impl Scene {
    fn set() -> Self {
        let tree = Rc::new(Tree::default());
        tree.put(BASE, &[("objectClass", vec!["domain".to_owned()])]);
        (0..PEOPLE).for_each(|number| put_person(&tree, number, &format!("user-{number}")));
        (0..3).for_each(|number| put_group(&tree, number, number..number + 6));
        let mut world = world();
        world.connect(Rc::new(Reached(Rc::clone(&tree))));
        let directory = Directory::at(
            world.tenant("compat"),
            "ldap://127.0.0.1",
            json!({"missing_user_action": "delete"}),
        );
        let (tenant, idp) = (directory.tenant.id.clone(), directory.idp.clone());
        let log = directory.sync("");
        assert_eq!(log["status"], "succeeded", "{log}");
        let ours = directory.tenant.group("Ours", &[]);
        let path = format!("/api/v1/tenants/{tenant}/identity-providers/{idp}/group-mappings");
        let body =
            json!({"external_group_id": format!("cn=group-0,{BASE}"), "internal_group_id": ours});
        world.admin("POST", &path, body).expect(201);
        for (number, name) in [(2, 3), (3, 4), (4, 2), (5, 50), (6, 60), (7, 5), (8, 80)] {
            put_person(&tree, number, &format!("user-{name}"));
        }
        (0..2).for_each(|number| tree.delete(&person(number)));
        (20..25).for_each(|number| put_person(&tree, number, &format!("user-{number}")));
        (0..3).for_each(|number| put_group(&tree, number, number + 3..number + 10));
        put_group(&tree, 3, 20..25);
        world.queue.halted.set(true);
        let asked = directory.ask("?full=true&allow_removals=true");
        assert_eq!(asked.expect(200).body["data"]["status"], "running");
        let now = world.clock.0.get();
        world.databases.save();
        Scene {
            world,
            tenant,
            idp,
            now,
        }
    }

    fn message(&self) -> String {
        let world = &self.world;
        let log = world
            .database
            .texts("select max(id) from sync_logs")
            .remove(0);
        json!({"v": 1, "kind": "sync", "tenant": self.tenant, "idp": self.idp, "log": log})
            .to_string()
    }

    /// Sets everything back, and delivers so many messages; whether there were so many.
    fn play(&self, messages: usize) -> bool {
        let world = &self.world;
        world.databases.restore();
        world.clock.0.set(self.now);
        world.queue.lose();
        world.queue.put(&self.message());
        (0..messages).all(|_| pollster::block_on(world.queue.deliver()))
    }

    fn state(&self) -> Vec<String> {
        self.world.database.texts(STATE)
    }

    /// Ends it, and compares what came of it.
    fn check(&self, expected: &[String], at: &str) {
        let world = &self.world;
        world.queue.work_off();
        let logs = world
            .database
            .texts("select status || coalesce(reason, '') from sync_logs order by id");
        assert_eq!(logs, ["succeeded", "succeeded"], "{at}");
        assert_eq!(self.state(), expected, "{at}");
        assert_eq!(
            world.database.number("select count(*) from sync_chunks"),
            0,
            "{at}"
        );
        assert!(world.queue.dead.borrow().is_empty(), "{at}");
        self.directory().assert_consistent();
    }

    fn directory(&self) -> Directory<'_> {
        let tenant = crate::support::Tenant {
            world: &self.world,
            id: self.tenant.clone(),
            token: String::new(),
            token_id: String::new(),
        };
        Directory {
            tenant,
            idp: self.idp.clone(),
        }
    }

    /// How many messages an undisturbed run takes, and what comes of it.
    fn undisturbed(&self) -> (usize, Vec<String>) {
        let mut messages = 0;
        self.play(0);
        while pollster::block_on(self.world.queue.deliver()) {
            messages += 1;
        }
        let state = self.state();
        assert!(messages > 5, "{messages}");
        let status = self
            .world
            .database
            .texts("select status from sync_logs order by id desc");
        assert_eq!(status[0], "succeeded", "{state:?}");
        (messages, state)
    }
}

#[test]
fn a_message_that_is_lost_is_sent_again() {
    let scene = Scene::set();
    let (messages, expected) = scene.undisturbed();
    for number in 0..messages {
        assert!(scene.play(number));
        scene.world.queue.lose();
        scene.world.clock.advance_seconds(301);
        pollster::block_on(scene.world.app.send_due_syncs(scene.world.home().as_ref()));
        scene.check(&expected, &format!("message {number} is lost"));
    }
}

#[test]
fn a_run_whose_messages_are_lost_again_and_again_is_taken_for_dead_and_the_next_ends_it() {
    let scene = Scene::set();
    let (_, expected) = scene.undisturbed();
    assert!(scene.play(3));
    let world = &scene.world;
    for sent in 0..4 {
        assert_eq!(world.queue.waiting().len(), usize::from(sent < 4));
        world.queue.lose();
        world.clock.advance_seconds(301);
        pollster::block_on(world.app.send_due_syncs(world.home().as_ref()));
    }
    assert!(world.queue.waiting().is_empty());
    let running = "select count(*) from sync_logs where status = 'running'";
    assert_eq!(world.database.number(running), 0);
    world.queue.halted.set(false);
    let log = scene.directory().sync("?full=true&allow_removals=true");
    world.queue.halted.set(true);
    assert_eq!(log["status"], "succeeded");
    assert_eq!(scene.state(), expected);
    assert_eq!(world.database.number("select count(*) from sync_chunks"), 0);
}

#[test]
fn a_message_that_comes_twice_does_nothing_twice() {
    let scene = Scene::set();
    let (messages, expected) = scene.undisturbed();
    for number in 0..=messages {
        for late in [false, true] {
            assert!(scene.play(number));
            scene.world.queue.put(&scene.message());
            if late {
                // After the others.
                scene.world.queue.put(&scene.message());
            }
            scene.check(&expected, &format!("message {number} comes twice"));
        }
    }
}

/// A database in which the tenant is deleted before a trip, by an administrator whose request came in between.
struct Deleting {
    twin: Rc<D1Twin>,
    before: usize,
    trips: Cell<usize>,
    /// What was there at that moment.
    left: RefCell<Option<Vec<String>>>,
}

#[async_trait(?Send)]
impl Database for Deleting {
    async fn run(&self, batch: Vec<Statement>) -> Result<Vec<Rows>> {
        let trip = self.trips.replace(self.trips.get() + 1);
        if trip == self.before {
            self.twin.execute("update tenants set deleted_at = 1");
            self.left.replace(Some(self.twin.texts(STATE)));
        }
        self.twin.run(batch).await
    }
}

#[test]
fn a_tenant_that_is_deleted_within_a_message_gets_nothing_more_of_it() {
    let scene = Scene::set();
    let (messages, _) = scene.undisturbed();
    let world = &scene.world;
    let mut tried = 0;
    for number in 0..messages {
        for before in 0.. {
            assert!(scene.play(number));
            world.queue.lose();
            world.database.begin_invocation();
            let mut platform = world.app.platform.clone();
            let deleting = Rc::new(Deleting {
                twin: Rc::clone(&world.database),
                before,
                trips: Cell::default(),
                left: RefCell::default(),
            });
            world.put_home(&mut platform, deleting.clone());
            let app = App {
                config: world.app.config.clone(),
                platform,
                memory: Rc::new(Memory::default()),
                recent: Rc::new(Recent::default()),
            };
            pollster::block_on(app.perform(&scene.message()));
            let Some(left) = deleting.left.take() else {
                break;
            };
            tried += 1;
            world.queue.work_off();
            let at = format!("message {number}, before its trip {before}");
            assert_eq!(scene.state(), left, "{at}");
            for leftover in [
                "select count(*) from sync_chunks",
                "select count(*) from sync_logs where status = 'running'",
            ] {
                assert_eq!(world.database.number(leftover), 0, "{at}: {leftover}");
            }
            assert!(world.queue.dead.borrow().is_empty(), "{at}");
        }
    }
    assert!(tried > 2 * messages, "{tried}");
}

#[test]
fn two_messages_at_the_same_time_do_nothing_twice() {
    let scene = Scene::set();
    let (messages, expected) = scene.undisturbed();
    let world = &scene.world;
    let mut platform = world.app.platform.clone();
    take_turns(&mut platform);
    let app = App {
        config: world.app.config.clone(),
        platform,
        memory: Rc::new(Memory::default()),
        recent: Rc::new(Recent::default()),
    };
    for number in 0..messages {
        assert!(scene.play(number));
        world.queue.lose();
        world.database.begin_invocation();
        let message = scene.message();
        pollster::block_on(join(app.perform(&message), app.perform(&message)));
        scene.check(&expected, &format!("message {number} comes twice at once"));
    }
}

#[test]
fn a_provider_or_a_tenant_that_is_deleted_ends_its_sync() {
    let scene = Scene::set();
    let (messages, _) = scene.undisturbed();
    let world = &scene.world;
    for number in 0..messages {
        for path in [
            format!("/api/v1/admin/identity-providers/{}", scene.idp),
            format!("/api/v1/admin/tenants/{}", scene.tenant),
        ] {
            assert!(scene.play(number));
            world.admin("DELETE", &path, Value::Null).expect(204);
            let state = scene.state();
            world.queue.work_off();
            assert_eq!(scene.state(), state, "{number}, {path}");
            for leftover in [
                "select count(*) from sync_chunks",
                "select count(*) from sync_logs where status = 'running'",
            ] {
                assert_eq!(
                    world.database.number(leftover),
                    0,
                    "{number}, {path}: {leftover}"
                );
            }
            assert!(world.queue.dead.borrow().is_empty());
        }
    }
}

#[test]
fn a_message_of_nobody_s_run_is_done_with() {
    let scene = Scene::set();
    scene.play(0);
    let world = &scene.world;
    let log = world
        .database
        .texts("select max(id) from sync_logs")
        .remove(0);
    let state = scene.state();
    for (tenant, idp, log) in [
        ("", "", ""),
        ("NO TENANT", "x", "y"),
        ("nobody", scene.idp.as_str(), log.as_str()),
        (scene.tenant.as_str(), "nobody", log.as_str()),
        (scene.tenant.as_str(), scene.idp.as_str(), "nobody"),
        (scene.tenant.as_str(), scene.idp.as_str(), "' or 1 = 1 --"),
    ] {
        world.queue.lose();
        let message = json!({"v": 1, "kind": "sync", "tenant": tenant, "idp": idp, "log": log});
        world.queue.put(&message.to_string());
        world.queue.work_off();
        assert_eq!(scene.state(), state, "{message}");
        assert!(world.queue.dead.borrow().is_empty());
        let running = "select count(*) from sync_logs where status = 'running'";
        assert_eq!(world.database.number(running), 1, "{message}");
    }
}
