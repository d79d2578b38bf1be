//! A tenant's data taken out, and brought in again.

mod export;
mod import;
mod told;

use serde_json::Value;

use crate::support::{Answer, Tenant};

/// The lines of a tenant's export.
pub fn exported(tenant: &Tenant<'_>) -> Vec<Value> {
    let path = format!("/api/v1/admin/tenants/{}/export", tenant.id);
    lines(tenant.world.admin("GET", &path, Value::Null).expect(200))
}

fn lines(answer: &Answer) -> Vec<Value> {
    let text = answer.body.as_str().expect("lines");
    assert!(text.ends_with('\n'));
    text.lines()
        .map(|line| serde_json::from_str(line).expect("a line of JSON"))
        .collect()
}
