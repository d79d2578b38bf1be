//! The audit trail as administrators read it: every filter, page by page, each page at the cost of what it shows.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::select;
use rollcall::store::audit_events::MAX_SCANNED;
use serde_json::{Value, json};

use crate::filter_equivalence::runner;
use crate::support::{Answer, START, Tenant, World};

const PATH: &str = "/api/v1/admin/audit-events/";

/// Every row of a tenant's trail, the latest first, by the columns' names.
fn recorded(tenant: &Tenant<'_>) -> Vec<BTreeMap<&'static str, String>> {
    let columns = [
        "seq",
        "at",
        "actor",
        "action",
        "resource_type",
        "resource_id",
        "request_id",
    ];
    let pairs = columns.map(|column| format!("'{column}', cast({column} as text)"));
    let sql = format!(
        "select json_object({}) from audit_events where tenant_id = '{}' order by seq desc",
        pairs.join(", "),
        tenant.id
    );
    let texts = tenant.world.database.texts(&sql);
    texts
        .iter()
        .map(|text| {
            let row: BTreeMap<String, String> = serde_json::from_str(text).unwrap();
            columns
                .into_iter()
                .map(|column| (column, row[column].clone()))
                .collect()
        })
        .collect()
}

fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

fn query(filters: &[(&str, String)]) -> String {
    let pairs = filters
        .iter()
        .map(|(name, value)| format!("&{name}={}", encoded(value)));
    pairs.collect()
}

fn page(tenant: &Tenant<'_>, query: &str) -> Answer {
    let path = format!("{PATH}?tenant_id={}{query}", tenant.id);
    let answer = tenant.world.admin("GET", &path, Value::Null);
    answer.expect(200);
    assert_eq!(answer.trips(), 1, "{query}");
    answer
}

/// The numbers of all events that a query finds, page by page.
fn found(tenant: &Tenant<'_>, query: &str) -> Vec<i64> {
    let mut numbers = Vec::new();
    let mut after = String::new();
    for _ in 0..1_000 {
        let answer = page(tenant, &format!("{query}&after={after}"));
        let events = answer.body["data"].as_array().unwrap();
        numbers.extend(events.iter().map(|event| event["seq"].as_i64().unwrap()));
        match answer.body["pagination"]["next"].as_str() {
            Some(next) => after = next.to_owned(),
            None => return numbers,
        }
    }
    panic!("the list has no end");
}

fn at(milliseconds: i64) -> String {
    rollcall::scim::date_time::format(milliseconds)
}

/// A tenant with a life: users and groups made, changed, deleted by a token and by a person, tokens made.
fn lived(world: &World) -> Tenant<'_> {
    let tenant = world.tenant("compat");
    world.tenant("compat").user("somebody else");
    let mut claims = world.claims();
    claims.insert("tenant_id".to_owned(), tenant.id.clone().into());
    claims.insert("sub".to_owned(), "ada@example.com".into());
    let person = world.jwt(&claims);
    let later = |ms: i64| world.clock.0.set(world.clock.0.get() + ms);
    for number in 0..12 {
        let user = tenant.user(&format!("user{number}"));
        later(40_000);
        let path = format!("/Users/{user}");
        let active = json!([{"op": "replace", "path": "active", "value": false}]);
        tenant.patch(&path, active).expect(200);
        let group = tenant.group(&format!("group{number}"), &[&user]);
        later(1);
        if number % 3 == 0 {
            tenant.send("DELETE", &path, Value::Null).expect(204);
            let path = format!("{}/Groups/{group}", tenant.base());
            world
                .admin_as(&person, "DELETE", &path, Value::Null)
                .expect(204);
        }
        if number % 4 == 0 {
            let body = json!({"tenant_id": tenant.id, "name": "one more"});
            world
                .admin_as(&person, "POST", "/api/v1/admin/scim-tokens/", body)
                .expect(201);
        }
    }
    tenant
}

#[test]
fn an_event_is_shown_with_all_that_was_recorded() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let id = tenant.user("ada");
    let active = json!([{"op": "replace", "path": "active", "value": false}]);
    let changed = tenant.patch(&format!("/Users/{id}"), active);
    let events = page(&tenant, "&limit=1").body["data"].clone();
    assert_eq!(
        events,
        json!([{
            "seq": 4, "at": at(START), "actor": format!("scim-token:{}", tenant.token_id), "action": "patch",
            "resource_type": "User", "resource_id": id, "attributes": ["active"], "detail": {"active": false},
            "request_id": changed.header("x-request-id"),
        }])
    );
}

#[test]
fn who_may_read_whose_trail() {
    let world = World::new();
    let (own, other) = (world.tenant("compat"), world.tenant("compat"));
    let id = other.user("ada");
    let mut claims = world.claims();
    claims.insert("scope".to_owned(), "audit:read".into());
    let nobodys = world.jwt(&claims);
    claims.insert("tenant_id".to_owned(), own.id.clone().into());
    let reader = world.jwt(&claims);
    claims.insert("scope".to_owned(), "audit:write tenants:read".into());
    let writer = world.jwt(&claims);
    let get = |token: &str, query: String| {
        world.admin_as(token, "GET", &format!("{PATH}{query}"), Value::Null)
    };
    // A tenant's own administrator may leave it out, one of the platform has to say it.
    assert_eq!(
        get(&reader, String::new()).expect(200).body["data"][0]["resource_type"],
        "ScimToken"
    );
    get(&nobodys, format!("?tenant_id={}", own.id)).expect(403);
    let unsaid = world.admin("GET", PATH, Value::Null);
    unsaid.expect(422);
    assert_eq!(
        unsaid.body["detail"][0]["loc"],
        json!(["query", "tenant_id"])
    );
    get(&writer, String::new()).expect(403);
    for query in [
        format!("?tenant_id={}", other.id),
        "?tenant_id=nobody".to_owned(),
    ] {
        get(&reader, query).expect(404);
    }
    let strange = get(&reader, format!("?resource_id={id}"));
    assert_eq!(strange.expect(200).body["data"], json!([]));
    let unknown = world.admin("GET", &format!("{PATH}?tenant_id=nobody"), Value::Null);
    unknown.expect(404);
    // A token opens no administrator's route.
    get(&own.token, String::new()).expect(401);
}

#[test]
fn what_does_not_hold_is_named() {
    let world = World::new();
    let tenant = world.tenant("compat");
    for (query, name) in [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=many", "limit"),
        ("since=yesterday", "since"),
        ("until=2026-13-01T00:00:00Z", "until"),
        ("since=", "since"),
        ("after=%21", "after"),
        ("after=YWxs", "after"),
        ("page=2", "page"),
        ("user=ada", "user"),
        ("actor=a&actor=b", "actor"),
    ] {
        let path = format!("{PATH}?tenant_id={}&{query}", tenant.id);
        let answer = world.admin("GET", &path, Value::Null);
        answer.expect(422);
        assert_eq!(
            answer.body["detail"][0]["loc"],
            json!(["query", name]),
            "{query}"
        );
    }
}

#[test]
fn times_bound_the_trail_to_the_millisecond() {
    let world = World::new();
    let tenant = lived(&world);
    let rows = recorded(&tenant);
    for row in rows.iter().step_by(5) {
        let time: i64 = row["at"].parse().unwrap();
        for time in [time - 1, time, time + 1] {
            let before = |row: &&BTreeMap<&str, String>| row["at"].parse::<i64>().unwrap() < time;
            let (sooner, later): (Vec<_>, Vec<_>) = rows.iter().partition(before);
            let numbers = |rows: Vec<&BTreeMap<&str, String>>| -> Vec<i64> {
                rows.iter().map(|row| row["seq"].parse().unwrap()).collect()
            };
            let since = found(&tenant, &format!("&since={}", at(time)));
            let until = found(&tenant, &format!("&until={}", at(time)));
            assert_eq!((since, until), (numbers(later), numbers(sooner)));
        }
    }
}

/// Combinations of filters with values that are there and some that are not, and sizes of pages.
fn filters() -> impl Strategy<Value = (Vec<(&'static str, usize)>, usize)> {
    let names = select(vec![
        "resource_type",
        "resource_id",
        "actor",
        "action",
        "request_id",
        "since",
        "until",
    ]);
    let one = (names, 0..70usize);
    (prop::collection::vec(one, 0..4), 1..9usize)
}

#[test]
fn no_event_is_lost_or_shown_twice() {
    let world = World::new();
    let tenant = lived(&world);
    let rows = recorded(&tenant);
    assert!(rows.len() > 45, "{}", rows.len());
    let result = runner(300).run(&filters(), |(mut chosen, limit)| {
        chosen.sort_unstable();
        chosen.dedup_by_key(|(name, _)| *name);
        let filters: Vec<(&str, String)> = chosen
            .iter()
            .map(|(name, number)| {
                let row = rows.get(*number);
                let value = match (*name, row) {
                    ("since" | "until", Some(row)) => at(row["at"].parse().unwrap()),
                    ("since" | "until", None) => at(START + 1_000),
                    (name, Some(row)) => row[name].clone(),
                    (_, None) => "nobody".to_owned(),
                };
                (*name, value)
            })
            .collect();
        let holds = |row: &&BTreeMap<&str, String>| {
            let text = |name: &str| row[name].as_str();
            filters.iter().all(|(name, value)| match *name {
                "since" => at(text("at").parse().unwrap()) >= *value,
                "until" => at(text("at").parse().unwrap()) < *value,
                name => text(name) == value,
            })
        };
        let wanted: Vec<i64> = rows
            .iter()
            .filter(holds)
            .map(|row| row["seq"].parse().unwrap())
            .collect();
        let query = format!("{}&limit={limit}", query(&filters));
        prop_assert_eq!(found(&tenant, &query), wanted, "{}", query);
        Ok(())
    });
    result.unwrap();
}

/// Many more events of a tenant, as a token made them: 40 a second, with two late ones, and some of a person among them.
fn crowd(tenant: &Tenant<'_>, count: i64) -> i64 {
    let world = tenant.world;
    let (id, token) = (&tenant.id, &tenant.token_id);
    let first = world
        .database
        .number(&format!("select audit_seq from tenants where id = '{id}'"));
    world.database.execute(&format!(
        "with recursive n (i) as (select 1 union all select i + 1 from n where i < {count}) \
         insert into audit_events (tenant_id, seq, at, actor, action, resource_type, resource_id, attributes, request_id) \
         select '{id}', {first} + i, {START} + i * 25 - 5000 * (i % 1000 = 0), \
         iif(i % 5000 = 7, 'jwt:root', 'scim-token:{token}'), 'patch', iif(i % 7000 = 9, 'ScimToken', 'User'), 'user' || (i % 900), '[]', \
         printf('%08x-%04x-7000-8000-%012x', ({START} + i * 25) >> 16, ({START} + i * 25) & 65535, i) from n"
    ));
    world.database.execute(&format!(
        "update tenants set audit_seq = {first} + {count} where id = '{id}'"
    ));
    first + count
}

#[test]
fn a_page_costs_what_it_shows_however_long_the_trail() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let last = crowd(&tenant, 60_000);
    let middle = START + 30_000 * 25;
    let id = format!(
        "{:08x}-{:04x}-7000-8000-{:012x}",
        middle >> 16,
        middle & 65_535,
        30_000
    );
    for (query, shown) in [
        ("".to_owned(), 100),
        ("&resource_id=user17".to_owned(), 67),
        ("&resource_id=user17&action=patch".to_owned(), 67),
        ("&actor=jwt:root".to_owned(), 14),
        ("&resource_type=ScimToken".to_owned(), 10),
        (format!("&actor=scim-token:{}", tenant.token_id), 100),
        ("&resource_type=User&action=patch".to_owned(), 100),
    ] {
        let answer = page(&tenant, &format!("{query}&limit=100"));
        let events = answer.body["data"].as_array().unwrap();
        assert_eq!(events.len(), shown, "{query}");
        let read = answer.cost("read");
        // Of `User`, every 7,000th is another.
        assert!(read <= 2 * shown as u64 + 12, "{query}: {read}");
    }
    // By time: what lies within the lag of what is asked for is gone through besides.
    let lag = 2 * 120_000 / 25 + 64;
    for query in [
        format!("&since={}&until={}", at(middle), at(middle + 1_000)),
        format!("&request_id={id}"),
    ] {
        let mut read = 0;
        let mut after = String::new();
        let mut shown = 0;
        loop {
            let answer = page(&tenant, &format!("{query}&after={after}"));
            read += answer.cost("read");
            assert!(
                answer.cost("read") <= MAX_SCANNED as u64 + 12 + lag,
                "{query}"
            );
            shown += answer.body["data"].as_array().unwrap().len();
            match answer.body["pagination"]["next"].as_str() {
                Some(next) => after = next.to_owned(),
                None => break,
            }
        }
        assert!(
            shown >= 1 && read < 2 * lag + 100,
            "{query}: {shown}, {read}"
        );
    }
    // Deep inside, too.
    let deep = base64_of(&(last / 2).to_string());
    let answer = page(&tenant, &format!("&after={deep}&limit=100"));
    assert!(answer.cost("read") <= 212, "{}", answer.cost("read"));
    // What nobody did is looked for in a thousand events a page.
    let answer = page(&tenant, "&action=restore");
    assert_eq!(answer.body["data"], json!([]));
    assert!(answer.body["pagination"]["next"].is_string());
    assert!(answer.cost("read") <= MAX_SCANNED as u64 + 12);
}

fn base64_of(text: &str) -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text)
}

/// A trail whose beginning was removed is read to its new beginning.
#[test]
fn a_purged_trail_ends_where_it_begins() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let last = crowd(&tenant, 5_000);
    let purge = format!("delete from audit_events where tenant_id = '{}'", tenant.id);
    world
        .database
        .execute(&format!("{purge} and seq <= {last} - 1500"));
    let query = "&resource_type=User&action=patch&limit=200";
    assert_eq!(found(&tenant, query).len(), 1_500);
    assert_eq!(found(&tenant, "&limit=200").len(), 1_500);
    world.database.execute(&purge);
    assert_eq!(found(&tenant, query).len(), 0);
}

#[test]
fn each_filter_goes_by_its_index() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let primary = "PRIMARY KEY (tenant_id=? AND seq>? AND seq<?)";
    let by_time = "SEARCH s USING COVERING INDEX audit_events_at_idx (tenant_id=? AND at";
    for (query, wanted) in [
        ("", vec![format!("SEARCH e USING {primary}")]),
        (
            "&resource_id=x&resource_type=User",
            vec!["SEARCH e USING INDEX audit_events_resource_idx (tenant_id=? AND resource_id=? AND seq>? AND seq<?)".to_owned()],
        ),
        (
            "&actor=jwt:x&action=patch",
            vec!["SEARCH e USING INDEX audit_events_people_idx (tenant_id=? AND actor=? AND seq>? AND seq<?)".to_owned()],
        ),
        (
            "&resource_type=ScimToken",
            vec!["SEARCH e USING INDEX audit_events_nouns_idx (tenant_id=? AND resource_type=? AND seq>? AND seq<?)".to_owned()],
        ),
        ("&actor=scim-token:x", vec![format!("SEARCH e USING {primary}")]),
        (
            "&since=2026-01-01T00:00:00Z",
            vec![format!("SEARCH e USING {primary}"), format!("{by_time}<?)")],
        ),
        (
            "&until=2026-01-01T00:00:00Z",
            vec![format!("SEARCH e USING {primary}"), format!("{by_time}>?)")],
        ),
        (
            "&request_id=01a1fa81-2beb-7527-84ae-1e76ffcebd7a",
            vec![format!("{by_time}<?)"), format!("{by_time}>?)")],
        ),
    ] {
        let statements = world.database.recording(|| {
            page(&tenant, query);
        });
        let plans: Vec<String> = statements
            .iter()
            .flat_map(|statement| world.database.plan(statement))
            .collect();
        for line in wanted {
            assert!(plans.contains(&line), "{query}: {line} of {plans:#?}");
        }
        assert!(!plans.iter().any(|line| line.contains("TEMP B-TREE")), "{query}: {plans:#?}");
    }
}
