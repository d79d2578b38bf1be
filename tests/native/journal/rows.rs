//! Which requests are recorded, with what, and at what cost.

use serde_json::{Value, json};

use super::{PATH, USER, count, found, kept, page};
use crate::support::World;

#[test]
fn a_change_is_recorded_in_its_own_batch_for_one_row() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let made = tenant.send(
        "POST",
        "/Users",
        json!({"schemas": [USER], "userName": "Ada"}),
    );
    let id = made.expect(201).id();
    let row = kept(&tenant, &made);
    for (name, value) in [
        ("actor", json!(format!("scim-token:{}", tenant.token_id))),
        ("method", json!("POST")),
        ("route", json!("/api/v1/tenants/:tenant_id/scim/v2/Users")),
        ("path", json!(format!("{}/Users", tenant.base()))),
        ("resource", json!({"type": "User", "id": id})),
        ("status", json!(201)),
        ("failed", json!(false)),
        ("user_name", json!("Ada")),
        ("forgiven", json!([])),
        ("body_state", json!("whole")),
        (
            "body",
            json!({"schemas": [USER], "userName": "Ada"})
                .to_string()
                .into(),
        ),
    ] {
        assert_eq!(row[name], value, "{name}");
    }
    assert_eq!(row["cost"]["trips"], made.trips());
    let changes = row["changes"].as_array().unwrap();
    assert_eq!(changes.len(), 1);
    assert_eq!(changes[0]["resource"], json!({"type": "User", "id": id}));
    assert_eq!(changes[0]["action"], "create");
    assert_eq!(changes[0]["before"], Value::Null);
    assert_eq!(changes[0]["after"]["userName"], "Ada");
    // The same without the journal: a row less, and no trip.
    let off = json!({"requests_days": 0});
    let path = format!("/api/v1/admin/tenants/{}", tenant.id);
    world.admin("PATCH", &path, off).expect(200);
    tenant.get(&format!("/Users/{id}"));
    let send = |name: &str| {
        tenant.send(
            "POST",
            "/Users",
            json!({"schemas": [USER], "userName": name}),
        )
    };
    let rows = || -> usize {
        let tables = world.database.dump_all().into_iter();
        tables.map(|(_, rows)| rows.len()).sum()
    };
    let before = rows();
    let without = send("Bob");
    assert_eq!(count(&tenant, &without), 0);
    let more = rows() - before;
    world
        .admin("PATCH", &path, json!({"requests_days": 30}))
        .expect(200);
    tenant.get(&format!("/Users/{id}"));
    let before = rows();
    let with = send("Eve");
    assert_eq!(rows() - before, more + 1);
    assert_eq!(with.trips(), 1);
    // No index has it.
    let id = with.header("x-request-id");
    let row = format!("select failed from requests where id = '{id}' and user_name_key is null");
    assert_eq!(world.database.number(&row), 0);
}

#[test]
fn each_write_says_what_it_was_answered() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let user = tenant.user("ada");
    let members: Vec<String> = (0..501).map(|n| tenant.user(&format!("m{n}"))).collect();
    let members: Vec<&str> = members.iter().map(String::as_str).collect();
    let (small, large) = (tenant.group("small", &[]), tenant.group("large", &members));
    let path = format!("/Users/{user}");
    let add = json!([{"op": "add", "path": "members", "value": [{"value": user}]}]);
    let title = json!([{"op": "add", "path": "title", "value": "x"}]);
    let answers = [
        tenant.send("PUT", &path, json!({"userName": "ada", "title": "y"})),
        tenant.patch(&path, title.clone()),
        tenant.patch(&format!("/Groups/{small}"), add.clone()),
        tenant.patch(&format!("/Groups/{large}"), add),
        tenant.send("DELETE", &path, Value::Null),
        world.admin(
            "PATCH",
            &format!("/api/v1/admin/scim-tokens/{}", tenant.token_id),
            json!({"name": "x"}),
        ),
    ];
    assert_eq!(answers[3].status, 204);
    for answer in answers {
        let row = kept(&tenant, &answer);
        assert_eq!(row["status"], answer.status, "{row}");
        assert_eq!(row["failed"], false);
        assert!(!row["changes"].as_array().unwrap().is_empty(), "{row}");
    }
    // What changes nothing is not recorded, nor is what is read.
    let same = tenant.patch(&format!("/Groups/{small}"), json!([]));
    assert!(same.status < 300);
    assert_eq!(count(&tenant, &same), 0);
    assert_eq!(count(&tenant, &tenant.get("/Users")), 0);
    assert_eq!(
        count(&tenant, &tenant.get("/Users?filter=title+eq+%22x%22")),
        0
    );
}

#[test]
fn whatever_is_refused_is_there_with_its_reason() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let id = tenant.user("ada");
    let path = format!("/Users/{id}");
    let nobody = "/Users/0197b1a2-0000-7000-8000-000000000000";
    let claims = |scope: &str| {
        let mut claims = world.claims();
        claims.insert("tenant_id".to_owned(), tenant.id.clone().into());
        claims.insert("scope".to_owned(), scope.into());
        world.jwt(&claims)
    };
    let too_long = json!({"userName": "x".repeat(2_000_000)});
    for (answer, status, scim_type) in [
        (
            tenant.send("POST", "/Users", json!({"userName": "ADA"})),
            409,
            json!("uniqueness"),
        ),
        (
            tenant.send("POST", "/Users", json!({"displayName": "x"})),
            400,
            json!("invalidValue"),
        ),
        (
            tenant.patch(&path, json!([{"op": "move", "path": "title"}])),
            400,
            json!("invalidSyntax"),
        ),
        (tenant.get(nobody), 404, Value::Null),
        (tenant.send("DELETE", nobody, Value::Null), 404, Value::Null),
        (
            tenant.send_with("DELETE", &path, &[("if-match", "W/\"7\"")], Value::Null),
            412,
            Value::Null,
        ),
        (tenant.send("POST", "/Users", too_long), 413, Value::Null),
        (
            tenant.get("/Users?filter=userName+is+x"),
            400,
            json!("invalidFilter"),
        ),
        (
            world.admin_as(
                &claims("tenants:read"),
                "GET",
                "/api/v1/admin/scim-tokens/",
                Value::Null,
            ),
            403,
            Value::Null,
        ),
        (
            world.admin(
                "PATCH",
                &format!("/api/v1/admin/tenants/{}", tenant.id),
                json!({"scim_profile": "lax"}),
            ),
            422,
            Value::Null,
        ),
    ] {
        assert_eq!(answer.status, status, "{}", answer.body);
        let row = kept(&tenant, &answer);
        assert_eq!(row["status"], status);
        assert_eq!(row["failed"], true);
        assert_eq!(row["scim_type"], scim_type);
        assert_eq!(row["changes"], json!([]));
        if let Some(detail) = answer.body["detail"].as_str() {
            assert_eq!(row["detail"], detail);
        }
        assert_eq!(row["cost"]["trips"], answer.trips());
    }
}

#[test]
fn a_token_that_does_not_hold_any_more_is_its_tenants_still() {
    for is_cold in [false, true] {
        let mut world = World::new();
        let tenant = world.tenant("compat");
        tenant.get("/Users").expect(200);
        let (id, token, token_id) = (
            tenant.id.clone(),
            tenant.token.clone(),
            tenant.token_id.clone(),
        );
        let path = format!("/api/v1/admin/scim-tokens/{token_id}");
        world.admin("DELETE", &path, Value::Null).expect(204);
        if is_cold {
            world.restart();
        }
        let tenant = crate::support::Tenant {
            world: &world,
            id,
            token,
            token_id,
        };
        let refused = tenant.get("/Users");
        refused.expect(401);
        let row = kept(&tenant, &refused);
        assert_eq!(row["status"], 401);
        assert_eq!(row["actor"], format!("scim-token:{}", tenant.token_id));
        // What nobody knows is in nobody's journal.
        let stranger = crate::support::Tenant {
            token: "rcs_nobodys".to_owned(),
            id: tenant.id.clone(),
            token_id: String::new(),
            world: &world,
        };
        let refused = stranger.get("/Users");
        refused.expect(401);
        assert_eq!(count(&tenant, &refused), 0);
    }
}

#[test]
fn operations_of_a_bulk_request_that_fail_are_told() {
    let world = World::new();
    let tenant = world.tenant("compat");
    tenant.user("ada");
    let post = |name: &str, id: &str| json!({"method": "POST", "path": "/Users", "bulkId": id, "data": {"userName": name}});
    let schemas = ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"];
    for (operations, changed) in [
        (json!([post("ada", "a"), post("bob", "b")]), 1),
        (json!([post("ada", "a")]), 0),
    ] {
        let body = json!({"schemas": schemas, "Operations": operations});
        let answer = tenant.send("POST", "/Bulk", body);
        answer.expect(200);
        let row = kept(&tenant, &answer);
        assert_eq!(row["status"], 200);
        assert_eq!(row["failed"], true);
        assert_eq!(row["scim_type"], "uniqueness");
        let detail = row["detail"].as_str().unwrap();
        let all = operations.as_array().unwrap().len();
        let begin = format!("1 of {all} operations failed, the first with 409: ");
        assert!(detail.starts_with(&begin), "{detail}");
        assert_eq!(row["changes"].as_array().unwrap().len(), changed);
    }
    assert_eq!(found(&tenant, "&status=failed").len(), 2);
}

#[test]
fn of_what_is_refused_600_a_minute_are_stored_and_the_rest_counted() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let refuse = || tenant.send("POST", "/Users", json!({})).expect(400).status;
    for _ in 0..850 {
        refuse();
    }
    let stored = format!(
        "select count(*) from requests where tenant_id = '{}' and failed = 1",
        tenant.id
    );
    assert_eq!(world.database.number(&stored), 600);
    let seen = format!(
        "select sum(seen) from request_counts where tenant_id = '{}'",
        tenant.id
    );
    assert_eq!(world.database.number(&seen), 800);
    // Another instance has the same limit, and the next minute its own.
    world
        .database
        .execute("update request_counts set seen = 700");
    world.clock.0.set(world.clock.0.get() + 60_000);
    refuse();
    assert_eq!(world.database.number(&stored), 601);
    // A change is recorded all the same.
    let made = tenant.send("POST", "/Users", json!({"userName": "ada"}));
    assert_eq!(count(&tenant, &made), 1);
}

#[test]
fn a_look_up_that_finds_nobody_is_there_by_the_name() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let at = |answer: crate::support::Answer| {
        world.clock.0.set(world.clock.0.get() + 1);
        answer
    };
    let look_up = at(tenant.get("/Users?filter=userName+eq+%22Ada%40example.com%22"));
    look_up.expect(200);
    let search = at(tenant.send(
        "POST",
        "/Users/.search",
        json!({"filter": "userName eq \"ada@example.com\""}),
    ));
    let refused = at(tenant.send(
        "POST",
        "/Users",
        json!({"userName": "ADA@example.com", "emails": 7}),
    ));
    refused.expect(400);
    let made = at(tenant.send("POST", "/Users", json!({"userName": "ada@example.com"})));
    let id = made.expect(201).id();
    let found_now = at(tenant.get("/Users?filter=userName+eq+%22ada%40example.com%22"));
    let path = format!("/Users/{id}");
    let patched = at(tenant.patch(
        &path,
        json!([{"op": "replace", "path": "active", "value": false}]),
    ));
    let group = at(tenant.send(
        "POST",
        "/Groups",
        json!({"displayName": "g", "members": [{"value": id}]}),
    ));
    let renamed = at(tenant.patch(
        &path,
        json!([{"op": "replace", "path": "userName", "value": "eve"}]),
    ));
    let missed = at(tenant.send_with(
        "PUT",
        &path,
        &[("if-match", "W/\"99\"")],
        json!({"userName": "eve"}),
    ));
    let deleted = at(tenant.send("DELETE", &path, Value::Null));
    let again = at(tenant.send("DELETE", &path, Value::Null));
    let ids = |answers: &[&crate::support::Answer]| -> Vec<String> {
        let ids = answers.iter().rev();
        ids.map(|answer| answer.header("x-request-id").to_owned())
            .collect()
    };
    // By what she was called first: all that was done to her too.
    let first = [
        &look_up, &search, &refused, &made, &patched, &renamed, &deleted,
    ];
    assert_eq!(found(&tenant, "&user_name=ADA%40EXAMPLE.COM"), ids(&first));
    assert_eq!(
        found(&tenant, "&user_name=ADA%40EXAMPLE.COM&limit=1"),
        ids(&first)
    );
    let second = [&made, &patched, &renamed, &missed, &deleted];
    assert_eq!(found(&tenant, "&user_name=eve"), ids(&second));
    assert_eq!(found(&tenant, "&user_name=nobody"), [""; 0]);
    assert_eq!(
        found(&tenant, &format!("&resource_id={id}")),
        ids(&[&made, &patched, &renamed, &missed, &deleted, &again])
    );
    assert_eq!(count(&tenant, &found_now), 0);
    assert_eq!(count(&tenant, &group), 1);
}

#[test]
fn who_may_read_whose_journal() {
    let world = World::new();
    let (own, other) = (world.tenant("compat"), world.tenant("compat"));
    let theirs = other.send("POST", "/Users", json!({}));
    let mut claims = world.claims();
    claims.insert("scope".to_owned(), "audit:read".into());
    claims.insert("tenant_id".to_owned(), own.id.clone().into());
    let reader = world.jwt(&claims);
    let get = |path: &str| world.admin_as(&reader, "GET", &format!("{PATH}{path}"), Value::Null);
    let id = theirs.header("x-request-id");
    get("").expect(200);
    get(id).expect(404);
    get(&format!("{id}?tenant_id={}", other.id)).expect(404);
    get("nobody").expect(404);
    assert_eq!(
        get(&format!("?request_id={id}")).expect(200).body["data"],
        json!([])
    );
    world.admin("GET", PATH, Value::Null).expect(422);
    world
        .admin("GET", &format!("{PATH}{id}"), Value::Null)
        .expect(422);
    world
        .admin("GET", &format!("{PATH}?tenant_id=nobody"), Value::Null)
        .expect(404);
    claims.insert("scope".to_owned(), "audit:write scim-tokens:read".into());
    let writer = world.jwt(&claims);
    world
        .admin_as(&writer, "GET", PATH, Value::Null)
        .expect(403);
    for query in [
        "status=x",
        "status=9xx",
        "status=99",
        "limit=0",
        "after=x",
        "since=x",
    ] {
        let path = format!("{PATH}?tenant_id={}&{query}", own.id);
        world.admin("GET", &path, Value::Null).expect(422);
    }
    assert_eq!(page(&own, "").body["pagination"]["limit"], 50);
}

#[test]
fn a_change_shows_the_resource_before_and_after() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let id = tenant.user("ada");
    let path = format!("/Users/{id}");
    let titled = |title: &str| {
        let operation = json!({"op": "replace", "path": "title", "value": title});
        tenant.patch(&path, json!([operation]))
    };
    let answers = [titled("one"), titled("two"), titled("three")];
    let deleted = tenant.send("DELETE", &path, Value::Null);
    let change = |answer| kept(&tenant, answer)["changes"][0].clone();
    let titles: Vec<(Value, Value)> = answers
        .iter()
        .map(|answer| {
            let change = change(answer);
            (
                change["before"]["title"].clone(),
                change["after"]["title"].clone(),
            )
        })
        .collect();
    assert_eq!(
        titles,
        [
            (Value::Null, json!("one")),
            (json!("one"), json!("two")),
            (json!("two"), json!("three")),
        ]
    );
    let change = change(&deleted);
    assert_eq!(change["before"]["title"], "three");
    assert_eq!(change["after"], Value::Null);
}
