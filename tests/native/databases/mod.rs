//! Several databases: a tenant lives in one of them, and what its clients see is the same wherever that is.

mod costs;
mod full;
mod keys;
mod lists;
mod moved;
mod moving;
mod placing;
mod settings;
mod trouble;
mod without_tenant;

use std::rc::Rc;

use async_trait::async_trait;
use rollcall::platform::{Database, Others};
use rollcall::store::{Error, Result, Rows, Statement};
use serde_json::{Value, json};

use crate::support::d1_twin::D1Twin;
use crate::support::{Answer, SECRET, Tenant, World};

const TENANTS: &str = "/api/v1/admin/tenants/";
const DATABASES: &str = "/api/v1/admin/databases/";
const TOKENS: &str = "/api/v1/admin/scim-tokens/";
/// Three of them, each kept elsewhere.
const THREE: &str = "main:location=weur eu:jurisdiction=eu apac:location=apac";
/// The names of those.
const NAMES: [&str; 3] = ["main", "eu", "apac"];
const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

fn world_of(databases: &str) -> World {
    World::configured(&[("JWT_LOCAL_SECRET", SECRET), ("DATABASES", databases)])
}

fn three() -> World {
    world_of(THREE)
}

fn twin(world: &World, name: &str) -> Rc<D1Twin> {
    world.databases.named(name)
}

fn create(world: &World, body: Value) -> Answer {
    world.admin("POST", TENANTS, body)
}

/// A tenant with a SCIM token, in that database.
fn tenant_in<'w>(world: &'w World, database: &str) -> Tenant<'w> {
    let made = create(world, json!({"name": "Acme", "database": database}));
    let id = text(&made.expect(201).body["data"]["id"]);
    let minted = world.admin("POST", TOKENS, json!({"tenant_id": id, "name": "test"}));
    let minted = &minted.expect(201).body["data"];
    Tenant {
        world,
        id,
        token: text(&minted["token"]),
        token_id: text(&minted["id"]),
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// Whether the tenant's row is in that database.
fn lives_in(world: &World, tenant: &str, database: &str) -> bool {
    let count = format!("select count(*) from tenants where id = '{tenant}'");
    twin(world, database).number(&count) == 1
}

/// A body that makes a user.
fn user(name: &str) -> Value {
    json!({"schemas": [USER], "userName": name})
}

/// The databases, of which one gives an error whenever it is asked, or is not bound at all where there is none.
struct Cut {
    others: Rc<dyn Others>,
    name: &'static str,
    error: Option<Error>,
}

impl Others for Cut {
    fn open(&self, name: &str) -> Option<Rc<dyn Database>> {
        match (name == self.name, &self.error) {
            (false, _) => self.others.open(name),
            (true, None) => None,
            (true, Some(error)) => Some(Rc::new(Broken(error.clone()))),
        }
    }
}

/// A database that gives an error whenever it is asked.
struct Broken(Error);

#[async_trait(?Send)]
impl Database for Broken {
    async fn run(&self, _: Vec<Statement>) -> Result<Vec<Rows>> {
        Err(self.0.clone())
    }
}

/// Has one of the other databases fail with that from now on; one without an error is not bound.
fn cut(world: &mut World, name: &'static str, error: Option<Error>) {
    world.app.platform.others = Rc::new(Cut {
        others: world.databases.clone(),
        name,
        error,
    });
    world.employ();
}

/// What D1 says when it has too much to do.
fn overloaded() -> Error {
    Error::from_message("D1_ERROR: D1 DB is overloaded. Too many requests queued.")
}
