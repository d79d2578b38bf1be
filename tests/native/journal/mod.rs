//! The journal of requests: what was refused and why, what `compat` forgave, what a change did.

mod activity;
mod administrators;
mod forgiven;
mod lists;
mod look_ups;
mod privacy;
mod replay;
mod rows;
mod status;

use serde_json::Value;

use crate::support::{Answer, Tenant};

pub const PATH: &str = "/api/v1/admin/requests/";
pub const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";

/// A page of a tenant's journal.
pub fn page(tenant: &Tenant<'_>, query: &str) -> Answer {
    let path = format!("{PATH}?tenant_id={}{query}", tenant.id);
    let answer = tenant.world.admin("GET", &path, Value::Null);
    answer.expect(200);
    assert_eq!(answer.trips(), 1, "{query}");
    answer
}

/// The ids of all requests that a query finds, page by page.
pub fn found(tenant: &Tenant<'_>, query: &str) -> Vec<String> {
    let mut ids = Vec::new();
    let mut after = String::new();
    for _ in 0..1_000 {
        let answer = page(tenant, &format!("{query}&after={after}"));
        let requests = answer.body["data"].as_array().unwrap();
        let text = |request: &Value| request["id"].as_str().unwrap().to_owned();
        ids.extend(requests.iter().map(text));
        match answer.body["pagination"]["next"].as_str() {
            Some(next) => after = next.to_owned(),
            None => return ids,
        }
    }
    panic!("the list has no end");
}

/// What is kept of the request that was answered so.
pub fn kept(tenant: &Tenant<'_>, answer: &Answer) -> Value {
    let id = answer.header("x-request-id");
    let path = format!("{PATH}{id}?tenant_id={}", tenant.id);
    let kept = tenant.world.admin("GET", &path, Value::Null);
    kept.expect(200);
    assert_eq!(kept.trips(), 1);
    kept.body["data"].clone()
}

/// How many rows the journal has of the request.
pub fn count(tenant: &Tenant<'_>, answer: &Answer) -> i64 {
    let id = answer.header("x-request-id");
    tenant
        .world
        .database
        .number(&format!("select count(*) from requests where id = '{id}'"))
}
