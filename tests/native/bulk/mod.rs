//! `POST /Bulk` (RFC 7644 §3.7).

mod circles;
mod handed_over;
mod members;
mod outcomes;
mod references;
mod versions;

use serde_json::{Value, json};

use crate::support::{Answer, Tenant, World};

pub const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
pub const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

pub fn bulk_with(tenant: &Tenant<'_>, more: Value, operations: Value) -> Answer {
    let mut body = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": operations,
    });
    for (name, value) in more.as_object().into_iter().flatten() {
        body[name] = value.clone();
    }
    tenant.send("POST", "/Bulk", body)
}

pub fn bulk(tenant: &Tenant<'_>, operations: Value) -> Answer {
    bulk_with(tenant, json!({}), operations)
}

pub fn post_user(bulk_id: &str, user_name: &str) -> Value {
    json!({"method": "POST", "bulkId": bulk_id, "path": "/Users",
        "data": {"schemas": [USER], "userName": user_name}})
}

pub fn post_group(bulk_id: &str, name: &str, members: Value) -> Value {
    json!({"method": "POST", "bulkId": bulk_id, "path": "/Groups",
        "data": {"schemas": [GROUP], "displayName": name, "members": members}})
}

pub fn patch(path: &str, operations: Value) -> Value {
    json!({"method": "PATCH", "path": path, "data": {"schemas": [PATCH], "Operations": operations}})
}

#[track_caller]
pub fn statuses(answer: &Answer) -> Vec<&str> {
    answer.expect(200);
    assert_eq!(
        answer.body["schemas"][0],
        "urn:ietf:params:scim:api:messages:2.0:BulkResponse"
    );
    let operations = answer.body["Operations"].as_array().unwrap();
    operations
        .iter()
        .map(|operation| operation["status"].as_str().unwrap())
        .collect()
}

/// The id at the end of an operation's location.
pub fn id_of(answer: &Answer, index: usize) -> String {
    let location = answer.body["Operations"][index]["location"]
        .as_str()
        .unwrap();
    location.rsplit('/').next().unwrap().to_owned()
}

/// The counters, the audit trail and the side tables agree with the rows.
#[track_caller]
pub fn assert_consistent(world: &World) {
    for (wrong, sql) in [
        (
            "user_total",
            "select count(*) from tenants t where user_total <> (select count(*) from users u where u.tenant_id = t.id)",
        ),
        (
            "group_total",
            "select count(*) from tenants t where group_total <> (select count(*) from groups g where g.tenant_id = t.id)",
        ),
        (
            "member_count",
            "select count(*) from groups g where member_count <> (select count(*) from group_members m where m.tenant_id = g.tenant_id and m.group_id = g.id)",
        ),
        (
            "audit_seq",
            "select count(*) from tenants t where audit_seq <> (select count(*) from audit_events a where a.tenant_id = t.id) or audit_seq <> (select max(seq) from audit_events a where a.tenant_id = t.id)",
        ),
        (
            "dangling members",
            "select count(*) from group_members m where not exists (select 1 from users u where u.id = m.member_id) and not exists (select 1 from groups g where g.id = m.member_id)",
        ),
        (
            "dangling emails",
            "select count(*) from user_emails e where not exists (select 1 from users u where u.id = e.user_id)",
        ),
        (
            "shown names",
            "select count(*) from users u full join user_names n on n.tenant_id = u.tenant_id and n.id = u.id \
             where u.id is null or n.id is null \
             or n.name is not coalesce(json_extract(u.resource, '$.displayName'), json_extract(u.resource, '$.userName'))",
        ),
    ] {
        assert_eq!(world.database.number(sql), 0, "{wrong}");
    }
}
