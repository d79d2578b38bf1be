//! A tenant that was moved while instances and the cache remember where it was: whatever is asked next is answered as if it had been there
//! always, and nothing more is written where it was.

use std::collections::BTreeSet;

use rollcall::store::Value as Stored;
use serde_json::json;

use super::{NAMES, THREE, twin, user};
use crate::async_requests::LATER;
use crate::faults::cases::{Case, Scene};
use crate::faults::state::Mask;
use crate::support::d1_twin::D1Twin;
use crate::support::databases::Twins;
use crate::support::{Answer, SECRET, START, Tenant, World, access};

/// The tables that have rows of tenants, but for what leads to them.
fn tables(twin: &D1Twin) -> Vec<String> {
    twin.texts(
        "select m.name from sqlite_master m join pragma_table_info(m.name) c where m.type = 'table' and c.name = 'tenant_id' \
         and m.name not in ('directory', 'placements', 'moves', 'move_fences', 'moved_rows') order by 1",
    )
}

/// The statements that make a table's rows of a tenant once more.
fn copies(twin: &D1Twin, table: &str, column: &str, tenant: &str) -> Vec<String> {
    let columns = format!("select name from pragma_table_xinfo('{table}') where hidden = 0");
    let columns = twin.texts(&columns);
    let values: Vec<String> = columns
        .iter()
        .map(|name| format!("quote({table}.{name})"))
        .collect();
    // A sum of texts may be 100 deep, so they are joined by JSON's own list.
    twin.texts(&format!(
        "select 'insert or replace into {table} ({}) values (' || (select group_concat(value, ',') from json_each(json_array({}))) || ')' \
         from {table} where {column} = '{tenant}'",
        columns.join(","),
        values.join(",")
    ))
}

/// Moves a tenant as a move does, all at once; what it leaves behind stays until it is purged.
pub(super) fn move_by_hand(world: &World, tenant: &str, from: &str, to: &str) {
    move_between(&world.databases, tenant, from, to);
}

pub(super) fn move_between(databases: &Twins, tenant: &str, from: &str, to: &str) {
    let own = take_out(databases, tenant, from, to);
    put_in(databases, tenant, to, &own);
}

/// Copies a tenant, and takes its own row out of where it was: it is nowhere then. Gives what puts that row into another one.
pub(super) fn take_out(databases: &Twins, tenant: &str, from: &str, to: &str) -> String {
    let (source, target) = (databases.named(from), databases.named(to));
    for table in tables(&source)
        .iter()
        .map(String::as_str)
        .chain(["directory"])
    {
        for insert in copies(&source, table, "tenant_id", tenant) {
            target.execute(&insert);
        }
    }
    let own = copies(&source, "tenants", "id", tenant).join(";");
    source.execute(&format!("delete from tenants where id = '{tenant}'"));
    own
}

/// Puts a tenant's own row into its new database, and says in the first one where it is.
pub(super) fn put_in(databases: &Twins, tenant: &str, to: &str, own: &str) {
    databases.named(to).execute(own);
    databases.main().execute(&format!(
        "insert or replace into placements (tenant_id, database) values ('{tenant}', '{to}')"
    ));
}

/// The rows of a tenant in a database, but for the journal, which tells what each request cost.
fn rows(world: &World, database: &str, tenant: &str, mask: Option<&Mask>) -> Vec<String> {
    let twin = twin(world, database);
    let mut all = Vec::new();
    for table in tables(&twin) {
        if table.starts_with("request") && mask.is_some() {
            continue;
        }
        for row in twin.query(&format!(
            "select * from {table} where tenant_id = '{tenant}'"
        )) {
            let row: Vec<String> = row.iter().map(|value| shown(value, mask)).collect();
            all.push(format!("{table}: {}", row.join(" | ")));
        }
    }
    let own = format!("select * from tenants where id = '{tenant}'");
    all.extend(twin.query(&own).iter().map(|row| {
        let row: Vec<String> = row.iter().map(|value| shown(value, mask)).collect();
        format!("tenants: {}", row.join(" | "))
    }));
    all.sort();
    all
}

fn shown(value: &Stored, mask: Option<&Mask>) -> String {
    match (value, mask) {
        (Stored::Integer(number), Some(_)) if *number > 1_000_000_000_000 => "<time>".to_owned(),
        (Stored::Text(text), Some(mask)) => mask.masked(text),
        (other, _) => format!("{other:?}"),
    }
}

struct Stage {
    world: World,
    scene: Scene,
    entries: std::collections::BTreeMap<String, String>,
    mask: Mask,
    from: &'static str,
    to: &'static str,
}

impl Stage {
    fn new(from: &'static str, to: &'static str) -> Self {
        let databases = [("JWT_LOCAL_SECRET", SECRET), ("DATABASES", THREE)];
        let world = World::configured(&[&databases[..], &access::SETTINGS].concat());
        // New tenants come to the one that has room.
        for name in NAMES.iter().filter(|name| **name != from) {
            twin(&world, name).bytes.set(Some(8_500_000_000));
        }
        let scene = Scene::set(&world, "compat");
        assert!(super::lives_in(&world, scene.tenant(), from));
        let mut known = BTreeSet::new();
        for name in NAMES {
            twin(&world, name).save();
            let text = twin(&world, name).dump_text();
            let words = text.split(|c: char| !c.is_ascii_alphanumeric() && !"-_$+=,/.".contains(c));
            known.extend(words.map(str::to_owned));
        }
        let entries = world.cache.entries.borrow().clone();
        assert!(!entries.is_empty());
        Stage {
            world,
            scene,
            entries,
            mask: Mask::new(known),
            from,
            to,
        }
    }

    /// As it was at first, where the instance and the cache know the tenant and its people.
    fn reset(&mut self) {
        for name in NAMES {
            twin(&self.world, name).restore();
        }
        self.world.restart();
        self.world.employ();
        self.world.clock.0.set(START);
        self.world.queue.lose();
        *self.world.cache.entries.borrow_mut() = self.entries.clone();
        for case in &self.scene.reads()[5..7] {
            self.world.send(case.request.clone()).expect(200);
        }
    }

    fn send(&self, case: &Case) -> Answer {
        let answer = self.world.send(case.request.clone());
        self.world.queue.work_off();
        answer
    }

    /// What was answered, wherever the tenant lives.
    fn told(&self, answer: &Answer) -> String {
        let text = self.mask.masked(&answer.body.to_string());
        ["main", "eu", "apac"].iter().fold(text, |text, home| {
            text.replace(&format!("\"database\":\"{home}\""), "\"database\":\"home\"")
        })
    }

    fn try_case(&mut self, case: &Case) {
        let (from, to) = (self.from, self.to);
        let tenant = self.scene.tenant().to_owned();
        let at = format!("{} from {from} to {to}", case.name);
        self.reset();
        let unmoved = self.send(case);
        unmoved.expect(case.status);
        let wanted = rows(&self.world, from, &tenant, Some(&self.mask));
        self.reset();
        move_by_hand(&self.world, &tenant, from, to);
        let behind = rows(&self.world, from, &tenant, None);
        let answer = self.send(case);
        assert_eq!(
            answer.status, unmoved.status,
            "{at}: {} {}",
            answer.body, answer.log
        );
        if !case.pattern().ends_with("/databases") {
            assert_eq!(self.told(&answer), self.told(&unmoved), "{at}");
        }
        let written = rows(&self.world, from, &tenant, None);
        assert!(
            written == behind,
            "{at}: written where it was: {:?}",
            only(&written, &behind)
        );
        let found = rows(&self.world, to, &tenant, Some(&self.mask));
        assert!(
            found == wanted,
            "{at}: {:?}, not {:?}",
            only(&found, &wanted),
            only(&wanted, &found)
        );
    }
}

fn only<'a>(all: &'a [String], but: &[String]) -> Vec<&'a String> {
    all.iter().filter(|row| !but.contains(row)).collect()
}

fn try_all(from: &'static str, to: &'static str) {
    let mut stage = Stage::new(from, to);
    let cases: Vec<Case> = stage
        .scene
        .all()
        .into_iter()
        .chain(stage.scene.keyed())
        .collect();
    assert!(cases.len() > 80);
    for case in cases {
        // Where it is to live is another question there.
        if !case.pattern().ends_with("/move") {
            stage.try_case(&case);
        }
    }
}

#[test]
fn every_request_after_a_move_from_the_first_one() {
    try_all("main", "eu");
}

#[test]
fn every_request_after_a_move_to_the_first_one() {
    try_all("eu", "main");
}

#[test]
fn every_request_after_a_move_between_others() {
    try_all("eu", "apac");
}

/// A tenant of whom both workers know that it lives in `from`.
fn known<'w>(world: &'w World, from: &str) -> Tenant<'w> {
    let tenant = super::tenant_in(world, from);
    let made = tenant.send_with("POST", "/Users", LATER, user("first"));
    made.expect(202);
    world.queue.work_off();
    assert_eq!(tenant.get("/Users").body["totalResults"], 1);
    tenant
}

#[test]
fn jobs_that_were_accepted_before_are_done_where_it_is() {
    for (from, to) in [("main", "eu"), ("eu", "main"), ("eu", "apac")] {
        let world = super::three();
        let tenant = known(&world, from);
        let accepted = tenant.send_with("POST", "/Users", LATER, user("second"));
        let txn = accepted.expect(202).header("set-txn").to_owned();
        world
            .queue
            .put(&json!({"v": 1, "kind": "upkeep", "tenant": tenant.id}).to_string());
        move_by_hand(&world, &tenant.id, from, to);
        let behind = rows(&world, from, &tenant.id, None);
        world.queue.work_off();
        let result = tenant.get(&format!("/AsyncRequests/{txn}"));
        assert_eq!(result.expect(200).body["status"], "201", "{}", result.body);
        assert_eq!(tenant.get("/Users").body["totalResults"], 2);
        assert_eq!(rows(&world, from, &tenant.id, None), behind, "{from} {to}");
        assert!(world.queue.dead.borrow().is_empty());
    }
}

#[test]
fn events_go_on_where_they_were() {
    for (from, to) in [("main", "eu"), ("eu", "main"), ("eu", "apac")] {
        let world = super::three();
        let tenant = known(&world, from);
        let streams = format!("/api/v1/tenants/{}/event-streams", tenant.id);
        let stream = json!({"name": "x", "url": "https://receiver.example.com/"});
        world.admin("POST", &streams, stream).expect(201);
        tenant.user("before");
        world.background.finish();
        world.queue.work_off();
        let sent = || world.web.posts.borrow().len();
        assert_eq!(sent(), 1);
        move_by_hand(&world, &tenant.id, from, to);
        let behind = rows(&world, from, &tenant.id, None);
        tenant.user("after");
        world.background.finish();
        world.queue.work_off();
        assert_eq!(sent(), 2, "{from} {to}");
        assert_eq!(rows(&world, from, &tenant.id, None), behind, "{from} {to}");
    }
}
