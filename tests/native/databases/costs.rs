//! What the hot path costs: the same with one database, with two and with twenty.

use serde_json::{Value, json};

use super::{tenant_in, twin, user, world_of};
use crate::support::{Answer, Tenant, World};

/// What a request cost: round trips, statements, and steps of SQLite in all databases together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cost {
    trips: usize,
    statements: u64,
    steps: u64,
}

/// A world with that many databases, and the one that the tenant is to live in.
fn scene(count: usize) -> (World, String, Vec<String>) {
    let others: Vec<String> = (1..count).map(|number| format!("d{number}")).collect();
    let home = others.last().map_or("main", String::as_str).to_owned();
    let world = world_of(&others.join(" "));
    let names = std::iter::once("main".to_owned()).chain(others).collect();
    (world, home, names)
}

/// The steps that all databases together take for some work.
fn steps(world: &World, names: &[String], work: &mut dyn FnMut()) -> u64 {
    let Some((first, rest)) = names.split_first() else {
        work();
        return 0;
    };
    let mut inner = 0;
    let own = twin(world, first).steps(|| inner = steps(world, rest, work));
    own + inner
}

fn measured(world: &World, names: &[String], send: &dyn Fn() -> Answer, status: u16) -> Cost {
    let mut answer = None;
    let steps = steps(world, names, &mut || answer = Some(send()));
    let answer = answer.expect("an answer");
    answer.expect(status);
    Cost {
        trips: answer.trips(),
        statements: answer.cost("statements"),
        steps,
    }
}

/// Each of the requests of the hot path once, with what it is called.
fn each(tenant: &Tenant<'_>, names: &[String], mark: &str) -> Vec<(&'static str, Cost)> {
    let ada = tenant.user(&format!("ada{mark}"));
    let bob = tenant.user(&format!("bob{mark}"));
    let team = tenant.group(&format!("team{mark}"), &[&ada]);
    let path = format!("/Users/{ada}");
    let by_name = format!("/Users?filter=userName%20eq%20%22ada{mark}%22");
    let title = json!([{"op": "replace", "path": "title", "value": "Countess"}]);
    let member = json!([{"op": "add", "path": "members", "value": [{"value": bob}]}]);
    let measure = |send: &dyn Fn() -> Answer, status| measured(tenant.world, names, send, status);
    vec![
        ("read", measure(&|| tenant.get(&path), 200)),
        ("find", measure(&|| tenant.get(&by_name), 200)),
        (
            "create",
            measure(
                &|| tenant.send("POST", "/Users", user(&format!("new{mark}"))),
                201,
            ),
        ),
        (
            "patch",
            measure(&|| tenant.patch(&path, title.clone()), 200),
        ),
        (
            "add a member",
            measure(
                &|| tenant.patch(&format!("/Groups/{team}"), member.clone()),
                200,
            ),
        ),
        (
            "delete",
            measure(&|| tenant.send("DELETE", &path, Value::Null), 204),
        ),
    ]
}

fn warm(count: usize) -> Vec<(&'static str, Cost)> {
    let (world, home, names) = scene(count);
    let tenant = tenant_in(&world, &home).unfused();
    each(&tenant, &names, "1");
    each(&tenant, &names, "2")
}

#[test]
fn a_request_takes_as_much_with_twenty_databases_as_with_one() {
    let one = warm(1);
    assert!(one.iter().all(|(_, cost)| cost.steps > 10), "{one:?}");
    println!("{one:?}");
    for count in [2, 20] {
        assert_eq!(warm(count), one, "{count} databases");
    }
}

/// The trips of a read, after each way to forget.
fn cold(count: usize) -> [usize; 3] {
    let (mut world, home, _) = scene(count);
    let (id, token, token_id, path) = {
        let tenant = tenant_in(&world, &home);
        let path = format!("/Users/{}", tenant.user("ada"));
        tenant.get(&path).expect(200);
        (tenant.id, tenant.token, tenant.token_id, path)
    };
    let mut claims = world.claims();
    claims.insert("tenant_id".to_owned(), id.clone().into());
    let jwt = world.jwt(&claims);
    let mut read = |forgets_cache: bool, token: &str| {
        world.restart();
        if forgets_cache {
            world.cache.entries.borrow_mut().clear();
        }
        let (id, token_id) = (id.clone(), token_id.clone());
        let tenant = Tenant {
            world: &world,
            id,
            token: token.to_owned(),
            token_id,
        };
        tenant.get(&path).expect(200).trips()
    };
    [read(false, &token), read(true, &token), read(false, &jwt)]
}

/// A new instance finds the database in the cache beside the token. Where that has nothing, and for a JWT, which is not kept there, it
/// takes one trip more.
#[test]
fn a_new_instance_takes_one_trip_more_at_most() {
    let one = cold(1);
    for count in [2, 20] {
        let several = cold(count);
        assert_eq!(several[0], one[0], "{count} databases, from the cache");
        assert_eq!(
            several[1],
            one[1] + 1,
            "{count} databases, without the cache"
        );
        assert_eq!(several[2], one[2] + 1, "{count} databases, by a JWT");
    }
}
