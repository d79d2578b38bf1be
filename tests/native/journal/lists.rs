//! The journal page by page: every filter, every page once, at the cost of what is shown.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::select;
use rollcall::store::audit_events::MAX_SCANNED;
use serde_json::{Value, json};

use super::{found, page};
use crate::filter_equivalence::runner;
use crate::support::{START, Tenant, World};

/// Every row of a tenant's journal, the latest first.
fn recorded(tenant: &Tenant<'_>) -> Vec<BTreeMap<String, String>> {
    let columns = ["id", "actor", "method", "status", "failed", "resource_id"];
    let pairs = columns.map(|column| format!("'{column}', coalesce(cast({column} as text), '')"));
    let sql = format!(
        "select json_object({}) from requests where tenant_id = '{}' order by id desc",
        pairs.join(", "),
        tenant.id
    );
    let texts = tenant.world.database.texts(&sql);
    texts
        .iter()
        .map(|text| serde_json::from_str(text).unwrap())
        .collect()
}

fn lived(world: &World) -> Tenant<'_> {
    let tenant = world.tenant("compat");
    let later = || world.clock.0.set(world.clock.0.get() + 7);
    let shared = tenant.user("shared");
    for number in 0..10 {
        later();
        let id = tenant.user(&format!("user{number}"));
        let path = format!("/Users/{id}");
        later();
        tenant.patch(
            &path,
            json!([{"op": "replace", "path": "active", "value": false}]),
        );
        later();
        tenant.patch(
            &path,
            json!([{"op": "replace", "path": "userName", "value": ""}]),
        );
        later();
        tenant.send("POST", "/Users", json!({"userName": "shared"}));
        later();
        tenant.patch(
            &format!("/Users/{shared}"),
            json!([{"op": "replace", "path": "title", "value": format!("{number}")}]),
        );
        later();
        tenant.get("/Users?filter=userName+eq+%22nobody%22");
        later();
        let both = json!([{"method": "PATCH", "path": format!("/Users/{shared}"), "data": {"Operations": [{"op": "add", "path": "nickName", "value": format!("{number}")}]}},
            {"method": "DELETE", "path": path}, {"method": "DELETE", "path": format!("{path}0")}]);
        tenant.send("POST", "/Bulk", json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": both})).expect(200);
        later();
        let name = json!({"name": format!("name {number}")});
        world
            .admin(
                "PATCH",
                &format!("/api/v1/admin/tenants/{}", tenant.id),
                name,
            )
            .expect(200);
    }
    tenant
}

fn filters() -> impl Strategy<Value = (Vec<(&'static str, usize)>, usize)> {
    let names = select(vec![
        "status",
        "actor",
        "method",
        "resource_id",
        "request_id",
        "since",
        "until",
    ]);
    (prop::collection::vec((names, 0..90usize), 0..4), 1..9usize)
}

#[test]
fn no_request_is_lost_or_shown_twice() {
    let world = World::new();
    let tenant = lived(&world);
    let rows = recorded(&tenant);
    assert!(rows.len() > 70, "{}", rows.len());
    // What changed a resource without naming it: the requests of its events.
    let changed = |request: &str, resource: &str| {
        let sql = format!(
            "select count(*) from audit_events where request_id = '{request}' and resource_id = '{resource}'"
        );
        world.database.number(&sql) > 0
    };
    let time = |row: &BTreeMap<String, String>| {
        rollcall::store::audit_events::time_of_id(&row["id"]).unwrap()
    };
    let result = runner(300).run(&filters(), |(mut chosen, limit)| {
        chosen.sort_unstable();
        chosen.dedup_by_key(|(name, _)| *name);
        let filters: Vec<(&str, String)> = chosen
            .iter()
            .map(|(name, number)| {
                let row = &rows[*number % rows.len()];
                let text = |name: &str| match row[name].as_str() {
                    "" => "nobody".to_owned(),
                    text => text.to_owned(),
                };
                let value = match *name {
                    "status" => match number % 4 {
                        0 => "failed".to_owned(),
                        1 => "4xx".to_owned(),
                        2 => "2xx".to_owned(),
                        _ => row["status"].clone(),
                    },
                    "since" | "until" => rollcall::scim::date_time::format(time(row)),
                    "request_id" => row["id"].clone(),
                    name => text(name),
                };
                (*name, value)
            })
            .collect();
        let is_by_id = filters.iter().any(|(name, _)| *name == "request_id");
        let holds = |row: &&BTreeMap<String, String>| {
            filters.iter().all(|(name, value)| match *name {
                "status" if value == "failed" => row["failed"] == "1",
                "status" => match value.strip_suffix("xx") {
                    Some(class) => row["status"].starts_with(class),
                    None => row["status"] == *value,
                },
                "since" => rollcall::scim::date_time::format(time(row)) >= *value,
                "until" => rollcall::scim::date_time::format(time(row)) < *value,
                "request_id" => row["id"] == *value,
                "resource_id" => {
                    row["resource_id"] == *value || (!is_by_id && changed(&row["id"], value))
                }
                name => row[name] == *value,
            })
        };
        let wanted: Vec<String> = rows
            .iter()
            .filter(holds)
            .map(|row| row["id"].clone())
            .collect();
        let pairs = filters
            .iter()
            .map(|(name, value)| format!("&{name}={value}"));
        let query = format!("{}&limit={limit}", pairs.collect::<String>());
        prop_assert_eq!(found(&tenant, &query), wanted, "{}", query);
        Ok(())
    });
    result.unwrap();
}

fn crowd(tenant: &Tenant<'_>, count: i64) {
    let (id, token) = (&tenant.id, &tenant.token_id);
    tenant.world.database.execute(&format!(
        "with recursive n (i) as (select 1 union all select i + 1 from n where i < {count}) \
         insert into requests (tenant_id, id, actor, method, route, path, status, failed, forgiven, resource_type, resource_id, \
         user_name_key, duration_ms, d1_trips, seq, body_state, body) \
         select '{id}', printf('%08x-%04x-7000-8000-%012x', ({START} + i * 25) >> 16, ({START} + i * 25) & 65535, i), \
         'scim-token:{token}', 'PATCH', '', '', iif(i % 50 = 0, 409, 200), i % 50 = 0, '[]', 'User', 'user' || (i % 900), \
         iif(i % 50 = 0, 'name' || (i % 900), null), 1, 1, {count} + 100, 'whole', printf('%.*c', 9000, 'x') from n"
    ));
}

#[test]
fn a_page_costs_what_it_shows_however_long_the_journal() {
    let world = World::new();
    let tenant = world.tenant("compat");
    crowd(&tenant, 20_000);
    for (query, shown) in [
        ("".to_owned(), 100),
        ("&status=failed".to_owned(), 100),
        ("&status=409".to_owned(), 100),
        (
            format!("&status=4xx&actor=scim-token:{}", tenant.token_id),
            100,
        ),
        (format!("&actor=scim-token:{}", tenant.token_id), 100),
        ("&resource_id=user100".to_owned(), 23),
        ("&user_name=name100".to_owned(), 23),
    ] {
        let answer = page(&tenant, &format!("{query}&limit=100"));
        let requests = answer.body["data"].as_array().unwrap();
        assert_eq!(requests.len(), shown, "{query}");
        let read = answer.cost("read");
        let scans = if query.starts_with("&actor") {
            2 * MAX_SCANNED as u64
        } else {
            0
        };
        // By a name, the resources that had it are looked up first.
        let named = if query.contains("user_name") {
            2 * shown as u64
        } else {
            0
        };
        assert!(
            read <= 2 * shown as u64 + 12 + scans + named,
            "{query}: {read}"
        );
    }
    let answer = page(&tenant, "&method=DELETE");
    assert_eq!(answer.body["data"], Value::Array(Vec::new()));
    assert!(answer.body["pagination"]["next"].is_string());
    assert!(
        answer.cost("read") <= 2 * MAX_SCANNED as u64 + 12,
        "{}",
        answer.cost("read")
    );
}

#[test]
fn each_filter_goes_by_its_index() {
    let world = World::new();
    let tenant = world.tenant("compat");
    for (query, wanted) in [
        ("", "SEARCH r USING PRIMARY KEY (tenant_id=? AND id<?)"),
        (
            "&status=failed",
            "SEARCH r USING INDEX requests_failed_idx (tenant_id=? AND id<?)",
        ),
        (
            "&status=409&actor=x",
            "SEARCH r USING INDEX requests_failed_actor_idx (tenant_id=? AND actor=? AND id<?)",
        ),
        (
            "&resource_id=x",
            "SEARCH r USING INDEX requests_failed_resource_idx (tenant_id=? AND resource_id=? AND id<?)",
        ),
        (
            "&resource_id=x",
            "SEARCH e USING INDEX audit_events_resource_idx (tenant_id=? AND resource_id=? AND seq<?)",
        ),
        (
            "&user_name=x",
            "SEARCH r USING INDEX requests_user_name_idx (tenant_id=? AND user_name_key=? AND id<?)",
        ),
        (
            "&user_name=x",
            "SEARCH e USING INDEX audit_events_resource_idx (tenant_id=? AND resource_id=? AND seq<?)",
        ),
        (
            "&method=PUT",
            "SEARCH r USING PRIMARY KEY (tenant_id=? AND id>? AND id<?)",
        ),
        (
            "&request_id=x",
            "SEARCH r USING PRIMARY KEY (tenant_id=? AND id=?)",
        ),
    ] {
        let statements = world.database.recording(|| {
            page(&tenant, query);
        });
        let plans = statements
            .iter()
            .flat_map(|statement| world.database.plan(statement));
        let plans: Vec<String> = plans.collect();
        assert!(
            plans.iter().any(|line| line == wanted),
            "{query}: {wanted} of {plans:#?}"
        );
        assert!(
            !plans.iter().any(|line| line.starts_with("SCAN")
                && !line.contains("CONSTANT")
                && !line.contains(" r ")
                && line != "SCAN x"),
            "{query}: {plans:#?}"
        );
    }
}
