//! A database that is older than the worker, is not bound to it, or does not answer: only its own tenants notice.

use std::ops::RangeInclusive;
use std::rc::Rc;

use rollcall::store::Error;
use serde_json::{Value, json};

use super::{
    Broken, DATABASES, NAMES, TENANTS, TOKENS, cut, overloaded, tenant_in, three, twin, user,
};
use crate::support::{Answer, Tenant, World};

/// A tenant's id, its token and the token's id, without the world.
struct Home {
    name: &'static str,
    id: String,
    token: String,
    token_id: String,
}

fn homes(world: &World) -> [Home; 3] {
    NAMES.map(|name| {
        let tenant = tenant_in(world, name);
        tenant.user("ada");
        Home {
            name,
            id: tenant.id,
            token: tenant.token,
            token_id: tenant.token_id,
        }
    })
}

impl Home {
    fn tenant<'w>(&self, world: &'w World) -> Tenant<'w> {
        Tenant {
            world,
            id: self.id.clone(),
            token: self.token.clone(),
            token_id: self.token_id.clone(),
        }
    }

    /// A read and a write of each kind.
    fn all(&self, world: &World) -> Vec<Answer> {
        let tenant = self.tenant(world);
        let path = format!("{TENANTS}{}", self.id);
        vec![
            tenant.get("/Users"),
            tenant.send(
                "POST",
                "/Users",
                user(&format!("bob{}", world.clock.0.get())),
            ),
            world.admin("GET", &path, Value::Null),
            world.admin("PATCH", &path, json!({"name": "Other"})),
            world.admin("GET", &format!("{TOKENS}{}", self.token_id), Value::Null),
            world.admin(
                "GET",
                &format!("{TOKENS}?tenant_id={}", self.id),
                Value::Null,
            ),
        ]
    }
}

/// Whoever lives in `eu` gets 503 with a time to come back in that range, and nobody else notices; the log says this.
fn expect_trouble(world: &mut World, homes: &[Home], seconds: RangeInclusive<u32>, said: &str) {
    for restarted in [false, true] {
        if restarted {
            world.restart();
        }
        world.clock.advance_seconds(1);
        for home in homes {
            for answer in home.all(world) {
                if home.name == "eu" {
                    let told = answer.expect(503).header("retry-after").parse();
                    assert!(seconds.contains(&told.expect("seconds")), "{}", answer.log);
                    assert!(answer.log.contains(said), "{}", answer.log);
                    let shown = answer.body.to_string();
                    assert!(!shown.contains("eu") && !shown.contains("table"), "{shown}");
                } else {
                    assert!(
                        [200, 201].contains(&answer.status),
                        "{} {}",
                        home.name,
                        answer.log
                    );
                }
            }
        }
    }
}

/// What the list of databases says of `eu`.
fn state(world: &World) -> Value {
    let all = world.admin("GET", DATABASES, Value::Null);
    let one = all.expect(200).body["data"][1].clone();
    assert_eq!(one["name"], "eu");
    assert!(
        one["do"]
            .as_str()
            .is_some_and(|what| what.contains("deploy")),
        "{one}"
    );
    assert_eq!(one["takes_new_tenants"], false);
    one["state"].clone()
}

#[test]
fn one_that_is_not_bound_is_named_in_the_log() {
    let mut world = three();
    let homes = homes(&world);
    cut(&mut world, "eu", None);
    expect_trouble(&mut world, &homes, 60..=60, "the database eu is not bound");
    assert_eq!(state(&world), "out_of_reach");
    let made = super::create(&world, json!({"name": "Acme", "database": "eu"}));
    made.expect(503);
    super::create(&world, json!({"name": "Acme"})).expect(201);
}

#[test]
fn one_that_does_not_answer_keeps_none_of_the_others() {
    let mut world = three();
    let homes = homes(&world);
    cut(&mut world, "eu", Some(overloaded()));
    expect_trouble(&mut world, &homes, 1..=10, "D1 DB is overloaded");
    assert_eq!(state(&world), "out_of_reach");
}

#[test]
fn one_that_lacks_a_table_is_named_with_its_last_migration() {
    let mut world = three();
    let homes = homes(&world);
    let eu = twin(&world, "eu");
    eu.execute("drop table users; drop table scim_tokens; drop table audit_events");
    eu.execute("alter table tenants drop column schemas_revision");
    // That is a fault of the worker's own while the database has all migrations.
    let newest = homes[1].tenant(&world).get("/Users");
    newest.expect(500);
    eu.execute("delete from d1_migrations where name > '0021'");
    let said = "the database eu is at the migration 0020_requests.sql";
    let last = eu.texts("select max(name) from d1_migrations");
    let said = said.replace("0020_requests.sql", &last[0]);
    expect_trouble(&mut world, &homes, 60..=60, &said);
    assert_eq!(state(&world), "outdated");
}

/// Also where nothing has asked for what it lacks.
#[test]
fn one_that_lacks_the_last_migration_is_outdated_before_anybody_notices() {
    let world = three();
    let homes = homes(&world);
    twin(&world, "eu").execute("delete from d1_migrations where name >= '0024'");
    assert_eq!(state(&world), "outdated");
    homes[1].tenant(&world).get("/Users").expect(200);
    // Where nobody has written down which migrations there were, that is not known.
    twin(&world, "eu").execute("drop table d1_migrations");
    let all = world.admin("GET", DATABASES, Value::Null);
    assert_eq!(all.expect(200).body["data"][1]["state"], "open");
    assert_eq!(all.body["data"][1]["tenants"], 1);
}

/// Without the first one, whoever is known goes on.
#[test]
fn without_the_first_one_those_that_are_known_go_on() {
    let mut world = three();
    let homes = homes(&world);
    for home in &homes {
        home.tenant(&world).get("/Users").expect(200);
    }
    world.app.platform.database = Rc::new(Broken(overloaded()));
    for home in &homes {
        let tenant = home.tenant(&world);
        let wanted = if home.name == "main" { 503 } else { 200 };
        tenant.get("/Users").expect(wanted);
        let made = tenant.send("POST", "/Users", user("bob"));
        assert_eq!(made.status, if home.name == "main" { 503 } else { 201 });
    }
    world.restart();
    // The cache knows where they are.
    homes[1].tenant(&world).get("/Users").expect(200);
    world.restart();
    world.cache.entries.borrow_mut().clear();
    homes[1].tenant(&world).get("/Users").expect(503);
}

fn kept(world: &World) -> [i64; 3] {
    NAMES.map(|name| twin(world, name).number("select count(*) from kept_replies"))
}

/// A world with replies that were kept in each database for as long as they are.
fn with_replies() -> World {
    let world = three();
    for name in NAMES {
        let body = json!({"name": "Acme", "database": name});
        let token = world.jwt(&world.claims());
        let request = http::Request::post(format!("{}{TENANTS}", crate::support::ORIGIN))
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .header("idempotency-key", name);
        let request = request
            .body(body.to_string().into_bytes())
            .expect("a request");
        world.send(request).expect(201);
    }
    assert_eq!(kept(&world), [1, 1, 1]);
    world.clock.advance_seconds(2 * 86_400);
    world
}

#[test]
fn the_clock_goes_through_all_databases() {
    let world = with_replies();
    let due = "select count(*) from tenants where upkeep_at > created_at";
    pollster::block_on(world.app.tick());
    world.queue.work_off();
    assert_eq!(kept(&world), [0, 0, 0]);
    for name in NAMES {
        assert_eq!(twin(&world, name).number(due), 1, "{name}");
    }
    assert!(world.queue.dead.borrow().is_empty());
}

#[test]
fn one_that_fails_keeps_the_clock_from_none_of_the_others() {
    let mut world = with_replies();
    cut(&mut world, "eu", Some(overloaded()));
    pollster::block_on(world.app.tick());
    world.queue.work_off();
    assert_eq!(kept(&world), [0, 1, 0]);
    let dead = world.queue.dead.borrow().clone();
    assert_eq!(dead.len(), 1, "{dead:?}");
    assert!(dead[0].contains("\"eu\""), "{dead:?}");
    let mut world = with_replies();
    world.app.platform.database = Rc::new(Broken(Error::Overloaded("down".to_owned())));
    world.employ();
    pollster::block_on(world.app.tick());
    world.queue.work_off();
    assert_eq!(kept(&world), [1, 0, 0]);
}
