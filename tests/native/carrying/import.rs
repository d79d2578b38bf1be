//! The import: what becomes of the lines of an export, of lines sent twice and in parts, and of lines that are wrong.

use proptest::prelude::*;
use rollcall::ids::{TenantId, carried_over};
use serde_json::{Value, json};

use super::exported;
use crate::support::population::Population;
use crate::support::{Answer, Tenant, World};

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const NOBODY: &str = "01a1fa81-2c91-7f90-9f26-4fa48cc17938";

fn send(world: &World, token: &str, tenant: &str, body: String, content_type: &str) -> Answer {
    let path = format!("/api/v1/admin/tenants/{tenant}/import");
    world.post_as(token, &path, &body, content_type)
}

pub(super) fn import_text(tenant: &Tenant<'_>, body: String) -> Answer {
    let token = tenant.world.jwt(&tenant.world.claims());
    send(
        tenant.world,
        &token,
        &tenant.id,
        body,
        "application/x-ndjson",
    )
}

pub(super) fn import(tenant: &Tenant<'_>, lines: &[Value]) -> Value {
    let body: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let answer = import_text(tenant, body);
    answer.expect(200);
    answer.body["data"].clone()
}

pub(super) fn counts(users: [u64; 2], groups: [u64; 2], members: [u64; 2]) -> Value {
    json!({
        "users": {"created": users[0], "unchanged": users[1]},
        "groups": {"created": groups[0], "unchanged": groups[1]},
        "members": {"added": members[0], "unchanged": members[1]},
        "failed": 0, "failures": [],
    })
}

/// The lines of an export as they are expected of a tenant that it was brought into, in an order of their own: with its ids, and without
/// what each tenant has for itself.
fn as_in(tenant: &Tenant<'_>, lines: &[Value]) -> Vec<String> {
    let id = TenantId::parse(&tenant.id).expect("a tenant's id");
    let from = lines[0]["tenant"].as_str().expect("a tenant");
    let text = Value::from(&lines[1..]).to_string();
    let resources = lines[1..].iter().filter_map(|line| line["id"].as_str());
    let text = resources.fold(text, |text, old| match from == tenant.id {
        true => text,
        false => text.replace(old, &carried_over(&id, old).expect("a new id")),
    });
    let lines: Vec<Value> = serde_json::from_str(&text.replace(from, &tenant.id)).expect("lines");
    let mut texts = Vec::new();
    for mut line in lines {
        // Whose members come in which line depends on the order of ids.
        match line["members"].as_array() {
            Some(members) => {
                let group = &line["group"];
                texts.extend(members.iter().map(|member| format!("{group} {member}")));
            }
            None => {
                line.as_object_mut().expect("a resource").remove("meta");
                // A PATCH leaves names in another order than a POST.
                line.sort_all_objects();
                texts.push(line.to_string());
            }
        }
    }
    texts.sort();
    texts
}

#[track_caller]
fn assert_carried_over(from: &[Value], to: &Tenant<'_>) {
    let (wanted, got) = (as_in(to, from), as_in(to, &exported(to)));
    let other = got.iter().zip(&wanted).find(|(got, wanted)| got != wanted);
    assert_eq!(other, None);
    assert_eq!(got.len(), wanted.len());
}

/// A small directory with all that refers to something.
fn directory(tenant: &Tenant<'_>) {
    let ada = tenant.user("ada@example.com");
    let bob = json!({
        "schemas": [USER, ENTERPRISE], "userName": "bob@example.com", "externalId": "b-7", "active": false,
        "emails": [{"value": "bob@example.com", "type": "work", "primary": true}],
        ENTERPRISE: {"employeeNumber": "7", "manager": {"value": ada}},
    });
    let bob = tenant.send("POST", "/Users", bob).expect(201).id();
    let inner = tenant.group("Inner", &[&ada, &bob]);
    tenant.group("Outer", &[&inner, &ada]);
}

#[test]
fn another_tenant_gets_the_same_resources_with_ids_of_its_own() {
    let world = World::new();
    let (from, to) = (world.tenant("compat"), world.tenant("compat"));
    directory(&from);
    let lines = exported(&from);
    assert_eq!(import(&to, &lines), counts([2, 0], [2, 0], [4, 0]));
    assert_carried_over(&lines, &to);
    let there = exported(&to);
    let ids =
        |lines: &[Value]| -> Vec<Value> { lines.iter().map(|line| line["id"].clone()).collect() };
    assert!(ids(&there)[1..5].iter().all(|id| !ids(&lines).contains(id)));
    // What is read by other ways is the same: the manager, the memberships, the totals.
    let bob = to
        .get("/Users?filter=userName%20eq%20%22bob@example.com%22")
        .body;
    let manager = bob["Resources"][0][ENTERPRISE]["manager"]["value"]
        .as_str()
        .expect("a manager");
    assert_eq!(
        to.get(&format!("/Users/{manager}")).body["userName"],
        "ada@example.com"
    );
    assert_eq!(to.get("/Users?count=0").body["totalResults"], 2);
    assert_eq!(to.get("/Groups?count=0").body["totalResults"], 2);
    // And it goes on living.
    let id = bob["Resources"][0]["id"].as_str().expect("an id");
    to.patch(
        &format!("/Users/{id}"),
        json!([{"op": "replace", "path": "active", "value": true}]),
    )
    .expect(200);
}

#[test]
fn sent_twice_or_in_any_parts_it_changes_nothing_more() {
    let world = World::new();
    let (from, to, parts) = (
        world.tenant("compat"),
        world.tenant("compat"),
        world.tenant("compat"),
    );
    directory(&from);
    let lines = exported(&from);
    import(&to, &lines);
    let dump = || world.database.dump_text();
    let before = dump();
    assert_eq!(import(&to, &lines), counts([0, 2], [0, 2], [0, 4]));
    assert_eq!(import(&to, &lines[2..4]), counts([0, 1], [0, 1], [0, 0]));
    assert_eq!(dump(), before, "not a row is another one");
    for line in &lines {
        import(&parts, std::slice::from_ref(line));
    }
    assert_carried_over(&lines, &parts);
}

#[test]
fn what_was_changed_since_is_not_set_back_and_what_was_deleted_comes_back() {
    let world = World::new();
    let (from, to) = (world.tenant("compat"), world.tenant("compat"));
    directory(&from);
    let lines = exported(&from);
    import(&to, &lines);
    let users = to.get("/Users?filter=userName%20sw%20%22ada%22").body;
    let ada = format!(
        "/Users/{}",
        users["Resources"][0]["id"].as_str().expect("an id")
    );
    let title = json!([{"op": "add", "path": "title", "value": "Dr"}]);
    to.patch(&ada, title).expect(200);
    import(&to, &lines);
    assert_eq!(to.get(&ada).body["title"], "Dr");
    for _ in 0..2 {
        to.send("DELETE", &ada, Value::Null).expect(204);
        assert_eq!(import(&to, &lines), counts([1, 1], [0, 2], [2, 2]));
    }
    assert_carried_over(&lines, &to);
    assert_eq!(world.database.number("select count(*) from tombstones"), 1);
}

#[test]
fn each_line_that_is_wrong_is_told_with_its_number_and_stops_no_other() {
    let world = World::new();
    let (from, to) = (world.tenant("compat"), world.tenant("compat"));
    directory(&from);
    let lines = exported(&from);
    to.user("ada@example.com");
    let named = |name: &str| {
        let mut lines = lines.iter();
        let found = lines.find(|line| line["userName"] == name || line["displayName"] == name);
        found.expect("a line")
    };
    let (ada, bob, inner) = (
        named("ada@example.com"),
        named("bob@example.com"),
        named("Inner"),
    );
    let id = |line: &Value| line["id"].as_str().expect("an id").to_owned();
    let (ada_id, bob_id) = (id(ada), id(bob));
    let member = |of: &str| json!({"value": of, "type": "User"});
    let body = [
        "{\"rollcall_export\": 2}".to_owned(),
        ada.to_string(),
        "{broken".to_owned(),
        "[1]".to_owned(),
        String::new(),
        json!({"id": NOBODY}).to_string(),
        json!({"id": "x", "schemas": [USER], "userName": "x"}).to_string(),
        json!({"schemas": [USER], "userName": "y"}).to_string(),
        json!({"id": NOBODY, "schemas": [USER]}).to_string(),
        json!({"group": NOBODY, "members": [member(&bob_id)]}).to_string(),
        json!({"group": id(inner), "members": [member(&ada_id), member(&bob_id)]}).to_string(),
        json!({"group": id(inner), "members": "all"}).to_string(),
        bob.to_string(),
        inner.to_string(),
    ];
    let answer = import_text(&to, body.join("\n"));
    answer.expect(200);
    let data = &answer.body["data"];
    let told: Vec<(u64, &str)> = data["failures"]
        .as_array()
        .expect("failures")
        .iter()
        .map(|one| {
            (
                one["line"].as_u64().expect("a line"),
                one["detail"].as_str().expect("a detail"),
            )
        })
        .collect();
    let wanted = [
        (1, "version"),
        (2, "userName"),
        (3, "it is not valid JSON: `b` in column 2 does"),
        (4, "object"),
        (6, "neither"),
        (7, "`x`"),
        (8, "missing"),
        (9, "userName is required"),
        (10, "group is not there"),
        (11, ada_id.as_str()),
        (12, "array"),
    ];
    for (line, word) in wanted {
        let said = told.iter().find(|(told, _)| *told == line);
        assert!(
            said.is_some_and(|(_, detail)| detail.contains(word)),
            "{line} {word}: {told:?}"
        );
    }
    assert_eq!(data["failed"], wanted.len());
    assert_eq!(data["users"], json!({"created": 1, "unchanged": 0}));
    assert_eq!(data["groups"], json!({"created": 1, "unchanged": 0}));
    assert_eq!(
        data["members"],
        json!({"added": 1, "unchanged": 0}),
        "bob is in, though ada is not there"
    );
}

#[test]
fn it_is_for_those_who_may_write_the_tenant_and_see_it() {
    let world = World::new();
    let (own, other) = (world.tenant("compat"), world.tenant("compat"));
    let mut claims = world.claims();
    claims.insert("tenant_id".to_owned(), own.id.clone().into());
    let token = world.jwt(&claims);
    let line = json!({"id": NOBODY, "schemas": [USER], "userName": "x"}).to_string();
    let ask = |token: &str, tenant: &str, content_type: &str| {
        send(&world, token, tenant, line.clone(), content_type)
    };
    ask(&token, &other.id, "application/x-ndjson").expect(404);
    ask(&token, "nobody", "application/x-ndjson").expect(404);
    ask(&token, &own.id, "application/json").expect(415);
    assert_eq!(other.get("/Users").body["totalResults"], 0);
    claims.insert("scope".to_owned(), "tenants:read scim:write".into());
    ask(&world.jwt(&claims), &own.id, "application/x-ndjson").expect(403);
    ask(&token, &own.id, "application/x-ndjson; charset=utf-8").expect(200);
    let long = format!("{line}\n{}", " ".repeat(1_050_000));
    import_text(&own, long).expect(413);
    let path = format!("/api/v1/admin/tenants/{}", own.id);
    world.admin("DELETE", &path, Value::Null).expect(204);
    ask(&token, &own.id, "application/x-ndjson").expect(404);
}

#[test]
fn a_user_who_is_neither_active_nor_inactive_is_not_switched_on() {
    let world = World::new();
    let (from, strict, compat) = (
        world.tenant("strict"),
        world.tenant("strict"),
        world.tenant("compat"),
    );
    let user = json!({"schemas": [USER], "userName": "ada", "active": null});
    from.send("POST", "/Users", user).expect(201);
    let lines = exported(&from);
    assert!(lines[1].get("active").is_none());
    import(&strict, &lines);
    import(&compat, &lines);
    assert!(exported(&strict)[1].get("active").is_none());
    assert_eq!(exported(&compat)[1]["active"], false);
}

#[test]
fn it_is_in_the_audit_trail_and_counts_for_what_it_writes() {
    let world = World::new();
    let (from, to) = (world.tenant("compat"), world.tenant("compat"));
    directory(&from);
    let before = world.database.number(&format!(
        "select audit_seq from tenants where id = '{}'",
        to.id
    ));
    let body: String = exported(&from)
        .iter()
        .map(|line| format!("{line}\n"))
        .collect();
    let answer = import_text(&to, body);
    answer.expect(200);
    // Its settings; who is there, twice; resources and memberships; the groups that get some.
    assert_eq!(answer.trips(), 6, "{}", answer.header("server-timing"));
    let events = world.database.query(&format!(
        "select actor, action, resource_type from audit_events where tenant_id = '{}' and seq > {before} order by seq",
        to.id
    ));
    let events: Vec<String> = events.iter().map(|row| format!("{row:?}")).collect();
    assert_eq!(events.len(), 6, "{events:?}");
    assert!(
        events.iter().all(|event| event.contains("jwt:root")),
        "{events:?}"
    );
}

#[test]
fn two_who_send_the_same_at_once_make_it_once() {
    let world = World::new();
    let (from, to) = (world.tenant("compat"), world.tenant("compat"));
    directory(&from);
    let lines = exported(&from);
    import(&to, &lines);
    let tenant = &to.id;
    let ada = world.database.query(&format!(
        "select id, resource, keys from users where tenant_id = '{tenant}' and user_name_key = 'ada@example.com'"
    ));
    let text = |value: &rollcall::store::Value| match value {
        rollcall::store::Value::Text(text) => text.clone(),
        other => panic!("{other:?}"),
    };
    let [id, resource, keys] = [0, 1, 2].map(|column| text(&ada[0][column]));
    to.send("DELETE", &format!("/Users/{id}"), Value::Null)
        .expect(204);
    // The other one's batch comes between this one's look and its writing.
    *world.database.write_interference.borrow_mut() = Some(vec![format!(
        "insert into users (tenant_id, id, provider_id, version, created_at, modified_at, resource, keys) \
         values ('{tenant}', '{id}', '', 1, 0, 0, '{resource}', '{keys}'); \
         update tenants set user_total = user_total + 1 where id = '{tenant}'"
    )]);
    let outcome = import(&to, &lines);
    assert_eq!(outcome["users"], json!({"created": 0, "unchanged": 2}));
    assert_eq!(to.get("/Users").body["totalResults"], 2);
    assert_eq!(
        to.get(&format!("/Users/{id}")).body["meta"]["version"],
        "W/\"1\""
    );
}

#[test]
fn groups_in_groups_too_deep_are_told_by_their_line() {
    let world = World::new();
    let to = world.tenant("compat");
    let id = |number: usize| format!("01a1fa81-2c91-7f90-9f26-{number:012}");
    let mut lines: Vec<Value> = (0..40)
        .map(|number| json!({"id": id(number), "schemas": [GROUP], "displayName": format!("g{number}")}))
        .collect();
    lines.extend((0..39).map(|number| {
        let member = json!({"value": id(number + 1), "type": "Group"});
        json!({"group": id(number), "members": [member]})
    }));
    let outcome = import(&to, &lines);
    assert_eq!(outcome["groups"]["created"], 40);
    let failed = outcome["failed"].as_u64().expect("a number");
    assert_eq!(outcome["members"]["added"].as_u64(), Some(39 - failed));
    assert!((1..=8).contains(&failed), "{outcome}");
}

#[test]
fn a_thousand_users_take_a_few_round_trips() {
    let world = World::new();
    let to = world.tenant("compat");
    let id = |number: usize| format!("01a1fa81-2c91-7f90-9f26-{number:012}");
    let lines: Vec<Value> = (0..2_500)
        .map(
            |number| json!({"id": id(number), "schemas": [USER], "userName": format!("u{number}")}),
        )
        .chain([json!({"id": id(9_999), "schemas": [GROUP], "displayName": "All"})])
        .chain((0..3).map(|part| {
            let members = (part * 800..(part + 1) * 800).map(|number| json!({"value": id(number)}));
            json!({"group": id(9_999), "members": members.collect::<Vec<_>>()})
        }))
        .collect();
    let body: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let answer = import_text(&to, body);
    answer.expect(200);
    println!("{}", answer.header("server-timing"));
    assert_eq!(answer.body["data"], counts([2_500, 0], [1, 0], [2_400, 0]));
    assert!(answer.trips() <= 12, "{}", answer.trips());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    /// Random directories, in both profiles: what comes out of the other tenant is what came out of the first, and a second time changes
    /// nothing.
    #[test]
    fn random_directories_are_the_same_up_to_ids(seed in any::<u64>(), strict in any::<bool>()) {
        let profile = if strict { "strict" } else { "compat" };
        let world = World::new();
        let (from, to) = (world.tenant(profile), world.tenant(profile));
        Population::create(&world, &from, profile, seed);
        let lines = exported(&from);
        for part in lines.chunks(200) {
            let outcome = import(&to, part);
            prop_assert_eq!(&outcome["failed"], 0, "{}", outcome);
        }
        assert_carried_over(&lines, &to);
        let before = world.database.dump_text();
        for part in lines.chunks(200) {
            import(&to, part);
        }
        prop_assert_eq!(world.database.dump_text(), before);
    }
}

#[test]
fn what_a_tenant_learned_is_learned_where_it_is_brought() {
    let world = World::new();
    let (tenant, other) = (world.tenant("compat"), world.tenant("compat"));
    let urn = "urn:example:moved:2.0:User";
    for number in 0..1_100 {
        let user = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": format!("user{number}"),
            urn: {"badge": format!("b{number}"), "level": number},
        });
        tenant.send("POST", "/Users", user).expect(201);
    }
    let brought = import(&other, &exported(&tenant));
    assert_eq!(brought["users"]["created"], 1_100, "{brought}");
    let found = other.get(&format!("/Users?filter={urn}:badge%20eq%20%22b1099%22"));
    assert_eq!(found.expect(200).body["Resources"][0][urn]["level"], 1099);
}
