//! What was before each change is kept in the batch of the change: one row, and more only for very many memberships.

mod versions;

use std::collections::BTreeSet;

use rollcall::store::Value as Cell;
use serde_json::{Value, json};

use crate::bulk::bulk;
use crate::support::{Tenant, World};
use crate::users::in_both;

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

/// A row of `revisions` as far as it says what was.
#[derive(Debug, PartialEq)]
struct Kept {
    version: Option<i64>,
    resource: Value,
    memberships: Value,
}

/// The rows of a resource, in their order.
fn kept(tenant: &Tenant<'_>, id: &str) -> Vec<Kept> {
    let sql = format!(
        "select version, coalesce(resource, 'null'), coalesce(memberships, 'null') from revisions \
         where resource_id = '{id}' order by seq, part"
    );
    let json = |cell: &Cell| match cell {
        Cell::Text(text) => serde_json::from_str(text).unwrap(),
        other => panic!("{other:?}"),
    };
    let rows = tenant.world.database.query(&sql);
    rows.iter()
        .map(|row| Kept {
            version: match row[0] {
                Cell::Integer(version) => Some(version),
                _ => None,
            },
            resource: json(&row[1]),
            memberships: json(&row[2]),
        })
        .collect()
}

fn count(tenant: &Tenant<'_>) -> i64 {
    tenant
        .world
        .database
        .number("select count(*) from revisions")
}

fn members(came: &[&str], was: &[&str]) -> Value {
    let sorted = |ids: &[&str]| {
        ids.iter()
            .map(|id| (*id).to_owned())
            .collect::<BTreeSet<_>>()
    };
    let was: Vec<Value> = sorted(was).into_iter().map(|id| json!([id, 0])).collect();
    json!({"came": sorted(came), "was": was})
}

/// What a user is without its members, as it is stored.
fn stored(tenant: &Tenant<'_>, table: &str, id: &str) -> Value {
    let sql = format!("select resource from {table} where id = '{id}'");
    serde_json::from_str(&tenant.world.database.texts(&sql)[0]).unwrap()
}

#[test]
fn each_change_keeps_what_was_before() {
    in_both(|tenant| {
        let id = tenant.user("ada");
        let path = format!("/Users/{id}");
        assert_eq!(
            kept(tenant, &id),
            [Kept {
                version: None,
                resource: Value::Null,
                memberships: Value::Null
            }]
        );
        let first = stored(tenant, "users", &id);
        tenant
            .patch(
                &path,
                json!([{"op": "replace", "path": "displayName", "value": "Ada"}]),
            )
            .expect(200);
        let second = stored(tenant, "users", &id);
        // What changes nothing keeps nothing.
        tenant
            .patch(
                &path,
                json!([{"op": "replace", "path": "displayName", "value": "Ada"}]),
            )
            .expect(200);
        let body = json!({"schemas": [USER], "userName": "countess"});
        tenant.send("PUT", &path, body).expect(200);
        let third = stored(tenant, "users", &id);
        tenant.send("DELETE", &path, Value::Null).expect(204);
        let of = |version, resource: &Value, memberships| Kept {
            version: Some(version),
            resource: resource.clone(),
            memberships,
        };
        let gone = json!({"came": [], "was": [], "in": []});
        assert_eq!(
            kept(tenant, &id)[1..],
            [
                of(1, &first, Value::Null),
                of(2, &second, Value::Null),
                of(3, &third, gone)
            ]
        );
    });
}

#[test]
fn of_memberships_it_is_kept_who_came_and_who_went() {
    in_both(|tenant| {
        let [a, b, c] = ["a", "b", "c"].map(|name| tenant.user(name));
        let group = tenant.group("G", &[&a, &b]);
        let outer = tenant.group("Outer", &[&group]);
        let path = format!("/Groups/{group}");
        let one =
            |op: &str, id: &str| json!([{"op": op, "path": "members", "value": [{"value": id}]}]);
        tenant.patch(&path, one("add", &c));
        tenant.patch(
            &path,
            json!([{"op": "remove", "path": format!("members[value eq \"{a}\"]")}]),
        );
        tenant.patch(&path, one("replace", &a));
        let before = stored(tenant, "groups", &group);
        let body = json!({"schemas": [GROUP], "displayName": "H", "members": [{"value": b}]});
        tenant.send("PUT", &path, body).expect(200);
        let rows = kept(tenant, &group);
        let all: Vec<&Value> = rows.iter().map(|row| &row.memberships).collect();
        let wanted = [
            members(&[&a, &b], &[]),
            members(&[&c], &[]),
            members(&[], &[&a]),
            members(&[&a], &[&b, &c]),
            members(&[&b], &[&a]),
        ];
        assert_eq!(all, wanted.iter().collect::<Vec<_>>());
        let texts: Vec<&Value> = rows.iter().map(|row| &row.resource).collect();
        assert_eq!(texts[..4], [&Value::Null; 4]);
        assert_eq!(texts[4], &before);
        // A deletion takes all with it: who was in, and where it was in.
        tenant.send("DELETE", &path, Value::Null).expect(204);
        let gone = json!({"came": [], "was": [[b, 0]], "in": [outer]});
        assert_eq!(kept(tenant, &group)[5].memberships, gone);
        let again = tenant.group("Again", &[&b]);
        tenant
            .send("DELETE", &format!("/Users/{b}"), Value::Null)
            .expect(204);
        let gone = json!({"came": [], "was": [], "in": [again]});
        assert_eq!(kept(tenant, &b)[1].memberships, gone);
    });
}

/// A row for each change and no more, whatever becomes of the resource within the request.
#[test]
fn one_request_keeps_one_row_of_each_resource() {
    in_both(|tenant| {
        let [a, b] = ["a", "b"].map(|name| tenant.user(name));
        let before = stored(tenant, "users", &a);
        let patch = |id: &str, value: &str| {
            json!({"method": "PATCH", "path": format!("/Users/{id}"), "data": {
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{"op": "replace", "path": "displayName", "value": value}]}})
        };
        let rows = count(tenant);
        let answer = bulk(
            tenant,
            json!([
                patch(&a, "one"),
                patch(&a, "two"),
                {"method": "POST", "path": "/Users", "bulkId": "x", "data": {"schemas": [USER], "userName": "x"}},
                {"method": "DELETE", "path": "/Users/bulkId:x"},
                {"method": "POST", "path": "/Groups", "bulkId": "g", "data": {"schemas": [GROUP], "displayName": "G", "members": [{"value": a}]}},
                patch(&b, "three"),
                {"method": "DELETE", "path": format!("/Users/{b}")},
            ]),
        );
        answer.expect(200);
        assert_eq!(count(tenant), rows + 3, "{}", answer.body);
        assert_eq!(kept(tenant, &a)[1].resource, before);
        // By the number of the last event.
        let seq = |table: &str| {
            tenant.world.database.number(&format!(
                "select max(seq) from {table} where resource_id = '{a}'"
            ))
        };
        assert_eq!(seq("revisions"), seq("audit_events"));
    });
}

#[test]
fn very_many_memberships_are_kept_in_parts() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let path = format!("/api/v1/admin/tenants/{}", tenant.id);
    let fuse = world.admin("PATCH", &path, json!({"removal_fuse": null}));
    fuse.expect(200);
    let group = tenant.group("All", &[]);
    let few = tenant.user("few");
    // As a directory would have put them there.
    world.database.execute(&format!(
        "with recursive n (i) as (select 1 union all select i + 1 from n where i < 100000) \
         insert into group_members (tenant_id, group_id, member_id, member_type, granted) \
         select '{}', '{group}', printf('00000000-0000-7000-8000-%012x', i * 7919), 'User', i % 3 from n;
         update groups set member_count = 100000 where id = '{group}'",
        tenant.id
    ));
    let total = |tenant: &Tenant<'_>| -> Vec<i64> {
        let sql = format!(
            "select count(distinct json_extract(w.value, '$[0]')), count(*), sum(json_extract(w.value, '$[1]')), \
             (select max(octet_length(memberships)) from revisions), \
             (select count(*) from revisions where seq = (select max(seq) from revisions)) \
             from revisions r, json_each(r.memberships, '$.was') w where r.seq = (select max(seq) from revisions) and r.resource_id = '{group}'"
        );
        let rows = tenant.world.database.query(&sql);
        rows[0]
            .iter()
            .map(|cell| match cell {
                Cell::Integer(number) => *number,
                other => panic!("{other:?}"),
            })
            .collect()
    };
    world.databases.save();
    let path = format!("/Groups/{group}?excludedAttributes=members");
    let body = json!({"schemas": [GROUP], "displayName": "All", "members": [{"value": few}]});
    tenant.send("PUT", &path, body).expect(200);
    let [ids, all, granted, longest, rows] = total(&tenant)[..] else {
        panic!()
    };
    assert_eq!((ids, all, granted), (100_000, 100_000, 100_000));
    assert!(
        longest < 1_000_000 && rows == 22,
        "{longest} bytes in {rows} rows"
    );
    world.databases.restore();
    tenant
        .send("DELETE", &format!("/Groups/{group}"), Value::Null)
        .expect(204);
    let [ids, all, granted, longest, rows] = total(&tenant)[..] else {
        panic!()
    };
    assert_eq!((ids, all, granted), (100_000, 100_000, 100_000));
    assert!(
        longest < 1_000_000 && rows <= 257,
        "{longest} bytes in {rows} rows"
    );
}

#[test]
fn a_tenant_without_history_keeps_nothing() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let path = format!("/api/v1/admin/tenants/{}", tenant.id);
    world
        .admin("PATCH", &path, json!({"history_days": 0}))
        .expect(200);
    let user = tenant.user("ada");
    let group = tenant.group("G", &[&user]);
    tenant
        .send("DELETE", &format!("/Users/{user}"), Value::Null)
        .expect(204);
    tenant
        .send("DELETE", &format!("/Groups/{group}"), Value::Null)
        .expect(204);
    assert_eq!(count(&tenant), 0);
    world
        .admin("PATCH", &path, json!({"history_days": 1}))
        .expect(200);
    tenant.user("ada");
    assert_eq!(count(&tenant), 1);
}
