//! Requests while a move pauses the writes of a tenant, and while it is on its way: they wait a little, and are done once.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use async_trait::async_trait;
use rollcall::platform::Timer;
use serde_json::{Value, json};

use super::moved::move_by_hand;
use super::{TENANTS, TOKENS, three, twin, user};
use crate::support::outside::TestClock;
use crate::support::{Answer, Tenant, World};

/// The longest that a request waits, and a little more.
const LONGEST_MS: i64 = 9_000;

/// What is done before the call with that number.
type Later = (usize, Box<dyn FnOnce()>);

/// Lets the time pass, and runs statements when it has been asked so often: what the mover does meanwhile.
struct Meanwhile {
    clock: Rc<TestClock>,
    sleeps: Cell<usize>,
    then: RefCell<Option<Later>>,
}

#[async_trait(?Send)]
impl Timer for Meanwhile {
    async fn sleep(&self, ms: u32) {
        self.clock.0.set(self.clock.0.get() + i64::from(ms));
        self.sleeps.set(self.sleeps.get() + 1);
        let is_due =
            matches!(&*self.then.borrow(), Some((after, _)) if *after <= self.sleeps.get());
        if is_due && let Some((_, work)) = self.then.take() {
            work();
        }
    }
}

struct Scene {
    world: World,
    timer: Rc<Meanwhile>,
    id: String,
    token: String,
    token_id: String,
    ada: String,
}

impl Scene {
    fn in_database(name: &str) -> Self {
        let mut world = three();
        let timer = Rc::new(Meanwhile {
            clock: world.clock.clone(),
            sleeps: Cell::default(),
            then: RefCell::default(),
        });
        world.app.platform.timer = timer.clone();
        world.employ();
        let (id, token, token_id, ada) = {
            let tenant = super::tenant_in(&world, name);
            let ada = tenant.user("ada");
            tenant.get(&format!("/Users/{ada}")).expect(200);
            (tenant.id, tenant.token, tenant.token_id, ada)
        };
        Scene {
            world,
            timer,
            id,
            token,
            token_id,
            ada,
        }
    }

    fn tenant(&self) -> Tenant<'_> {
        Tenant {
            world: &self.world,
            id: self.id.clone(),
            token: self.token.clone(),
            token_id: self.token_id.clone(),
        }
    }

    fn after(&self, sleeps: usize, work: impl FnOnce() + 'static) {
        self.timer.sleeps.set(0);
        *self.timer.then.borrow_mut() = Some((sleeps, Box::new(work)));
    }

    /// The move's row in the first database.
    fn begin(&self, from: &str, to: &str, status: &str) {
        twin(&self.world, "main").execute(&format!(
            "insert or replace into moves (tenant_id, id, source, target, status, state, actor, started_at, updated_at) \
             values ('{}', 'm', '{from}', '{to}', '{status}', '{{}}', 'jwt:root', 1, 1)",
            self.id
        ));
    }

    /// Stops the tenant's writes there, as a move does.
    fn pause(&self, database: &str) {
        let twin = twin(&self.world, database);
        let tables = [
            "users",
            "audit_events",
            "scim_tokens",
            "requests",
            "kept_replies",
        ];
        let of = tables.map(|table| (table, "tenant_id"));
        for (table, column) in of.into_iter().chain([("tenants", "id")]) {
            for (what, row) in [("insert", "new"), ("update", "new"), ("delete", "old")] {
                twin.execute(&format!(
                    "create trigger pause_{table}_{what} before {what} on {table} when {row}.{column} = '{}' \
                     begin select raise(abort, 'guard_moving'); end",
                    self.id
                ));
            }
        }
    }

    /// The answer, and how long it took. What is done after it, as a row of the journal is, waits as well.
    fn time(&self, work: impl FnOnce() -> Answer) -> (Answer, i64) {
        let answer = work();
        let line: Value = serde_json::from_str(&answer.log).expect("a line of the log");
        let took = line["duration_ms"].as_i64().expect("milliseconds");
        (answer, took)
    }
}

fn resume(twin: &crate::support::d1_twin::D1Twin) {
    for name in twin.texts(
        "select name from sqlite_master where type = 'trigger' and name like 'pause!_%' escape '!'",
    ) {
        twin.execute(&format!("drop trigger {name}"));
    }
}

#[track_caller]
fn expect_moving(answer: &Answer) {
    answer.expect(503);
    assert_eq!(answer.header("retry-after"), "5");
    let detail = answer.body["detail"].as_str().expect("a detail");
    assert!(detail.contains("being moved"), "{detail}");
}

const PAIRS: [(&str, &str); 3] = [("main", "eu"), ("eu", "main"), ("eu", "apac")];

type Sending = fn(&Scene) -> Answer;

const READS: [(&str, Sending); 3] = [
    ("read", |scene| scene.tenant().get("/Users")),
    ("admin read", |scene| {
        scene
            .world
            .admin("GET", &format!("{TENANTS}{}", scene.id), Value::Null)
    }),
    ("by id", |scene| {
        scene
            .world
            .admin("GET", &format!("{TOKENS}{}", scene.token_id), Value::Null)
    }),
];

const WRITES: [(&str, Sending); 4] = [
    ("create", |scene| {
        scene.tenant().send("POST", "/Users", user("bob"))
    }),
    ("change", |scene| {
        let title = json!([{"op": "replace", "path": "title", "value": "Countess"}]);
        scene
            .tenant()
            .patch(&format!("/Users/{}", scene.ada), title)
    }),
    ("admin write", |scene| {
        let path = format!("{TENANTS}{}", scene.id);
        scene.world.admin("PATCH", &path, json!({"name": "Other"}))
    }),
    ("new token", |scene| {
        let body = json!({"tenant_id": scene.id, "name": "Entra"});
        scene.world.admin("POST", TOKENS, body)
    }),
];

#[test]
fn while_writes_are_paused_reads_go_on_and_writes_wait() {
    for (from, to) in PAIRS {
        for (what, send) in READS {
            let scene = Scene::in_database(from);
            scene.begin(from, to, "switching");
            scene.pause(from);
            let (answer, took) = scene.time(|| send(&scene));
            answer.expect(200);
            assert_eq!(took, 0, "{what}");
        }
        for (what, send) in WRITES {
            let scene = Scene::in_database(from);
            scene.begin(from, to, "switching");
            scene.pause(from);
            let source = twin(&scene.world, from);
            let events = |database: &str| {
                let count = format!(
                    "select count(*) from audit_events where tenant_id = '{}'",
                    scene.id
                );
                twin(&scene.world, database).number(&count)
            };
            let before = events(from);
            // It goes on for too long, and nothing is done.
            let (answer, took) = scene.time(|| send(&scene));
            expect_moving(&answer);
            assert!((8_000..LONGEST_MS).contains(&took), "{what}: {took}");
            assert_eq!((events(from), events(to)), (before, 0), "{what}");
            // It ends in time, without a move; the request is done once.
            scene.after(3, move || resume(&source));
            let (answer, took) = scene.time(|| send(&scene));
            assert!(
                [200, 201].contains(&answer.status),
                "{what}: {}",
                answer.log
            );
            assert!((300..2_000).contains(&took), "{what}: {took}");
            assert_eq!(events(from), before + 1, "{what}");
        }
    }
}

#[test]
fn a_write_that_waits_is_done_where_the_tenant_came_to() {
    for (from, to) in PAIRS {
        for (what, send) in WRITES {
            let scene = Scene::in_database(from);
            scene.begin(from, to, "switching");
            scene.pause(from);
            let count = format!(
                "select count(*) from audit_events where tenant_id = '{}'",
                scene.id
            );
            let before = twin(&scene.world, from).number(&count);
            let (databases, id) = (scene.world.databases.clone(), scene.id.clone());
            scene.after(4, move || {
                resume(&databases.named(from));
                super::moved::move_between(&databases, &id, from, to);
                databases
                    .main()
                    .execute("update moves set status = 'purging'");
            });
            let (answer, _) = scene.time(|| send(&scene));
            assert!(
                [200, 201].contains(&answer.status),
                "{what}: {}",
                answer.log
            );
            assert_eq!(twin(&scene.world, from).number(&count), before, "{what}");
            assert_eq!(twin(&scene.world, to).number(&count), before + 1, "{what}");
        }
    }
}

#[test]
fn between_two_databases_everything_waits() {
    for (from, to) in PAIRS {
        for (what, send) in READS.into_iter().chain(WRITES) {
            for restarted in [false, true] {
                let mut scene = Scene::in_database(from);
                scene.begin(from, to, "switching");
                let own = super::moved::take_out(&scene.world.databases, &scene.id, from, to);
                if restarted {
                    scene.world.restart();
                }
                let at = format!("{what} from {from} to {to}, restarted: {restarted}");
                let (answer, took) = scene.time(|| send(&scene));
                assert_eq!(answer.status, 503, "{at}: {} {}", answer.body, answer.log);
                expect_moving(&answer);
                assert!((8_000..2 * LONGEST_MS).contains(&took), "{at}: {took}");
                let (databases, id) = (scene.world.databases.clone(), scene.id.clone());
                scene.after(2, move || {
                    super::moved::put_in(&databases, &id, to, &own);
                    databases
                        .main()
                        .execute("update moves set status = 'purging'");
                });
                let (answer, _) = scene.time(|| send(&scene));
                assert!([200, 201].contains(&answer.status), "{at}: {}", answer.log);
            }
        }
    }
}

/// What nobody has is nowhere, and nobody waits for it.
#[test]
fn for_what_there_is_not_nobody_waits() {
    let scene = Scene::in_database("eu");
    let nobody = "0197b1a2-0000-7000-8000-000000000000";
    let (answer, took) = scene.time(|| {
        scene
            .world
            .admin("GET", &format!("{TENANTS}{nobody}"), Value::Null)
    });
    answer.expect(404);
    assert_eq!(took, 0);
    let (answer, took) = scene.time(|| {
        let mut tenant = scene.tenant();
        tenant.token = "rcs_nobody".to_owned();
        tenant.get("/Users")
    });
    answer.expect(401);
    assert_eq!(took, 0);
    move_by_hand(&scene.world, &scene.id, "eu", "apac");
    let (answer, took) = scene.time(|| scene.tenant().get("/Users"));
    answer.expect(200);
    assert_eq!(took, 0);
}
