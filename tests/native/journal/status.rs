//! What needs a person, line by line.

use serde_json::{Value, json};

use crate::support::{Tenant, World};

const DAY: i64 = 86_400_000;

fn lines(tenant: &Tenant<'_>) -> Vec<Value> {
    let path = format!("/api/v1/admin/status/?tenant_id={}", tenant.id);
    let answer = tenant.world.admin("GET", &path, Value::Null);
    answer.expect(200);
    assert_eq!(answer.trips(), 1);
    let lines = answer.body["data"]["lines"].as_array().unwrap().clone();
    for line in &lines {
        for said in ["what", "do"] {
            assert!(line[said].as_str().unwrap().len() > 20, "{line}");
        }
    }
    lines
}

fn codes(tenant: &Tenant<'_>) -> Vec<(String, String, i64)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let lines = lines(tenant);
    let lines = lines.iter();
    lines
        .map(|line| {
            (
                text(&line["code"]),
                text(&line["subject"]["id"]),
                line["count"].as_i64().unwrap(),
            )
        })
        .collect()
}

#[test]
fn where_all_is_well_there_is_nothing() {
    let world = World::new();
    let tenant = world.tenant("compat");
    tenant.user("ada");
    assert_eq!(lines(&tenant), [json!(null); 0]);
}

#[test]
fn tokens_that_end_soon_or_are_not_used_are_told() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let now = world.clock.0.get();
    let mint = |more: Value| {
        let mut body = json!({"tenant_id": tenant.id, "name": "a token"});
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let made = world.admin("POST", "/api/v1/admin/scim-tokens/", body);
        made.expect(201).body["data"]["id"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let at = |days: i64| rollcall::scim::date_time::format(now + days * DAY);
    let soon = mint(json!({"expires_at": at(29)}));
    let sooner = mint(json!({"expires_at": at(3)}));
    mint(json!({"expires_at": at(90)}));
    let paused = mint(json!({}));
    let path = format!("/api/v1/admin/scim-tokens/{paused}");
    world
        .admin("PATCH", &path, json!({"is_active": false}))
        .expect(200);
    let expected = |code: &str, id: &String| (code.to_owned(), id.clone(), 1);
    let mut told = codes(&tenant);
    told.sort();
    let mut wanted = vec![
        expected("token_expires", &soon),
        expected("token_expires", &sooner),
    ];
    wanted.sort();
    assert_eq!(told, wanted);
    assert_eq!(lines(&tenant)[0]["name"], "a token");
    // A week later, the one has expired and others were not used; the one that was used is well.
    world.clock.0.set(now + 7 * DAY);
    tenant.get("/Users").expect(200);
    let told = codes(&tenant);
    assert!(
        told.contains(&expected("token_expired", &sooner)),
        "{told:?}"
    );
    assert!(told.contains(&expected("token_expires", &soon)), "{told:?}");
    let unused = told.iter().filter(|(code, ..)| code == "token_unused");
    assert_eq!(unused.count(), 1, "{told:?}");
    assert!(
        !told
            .iter()
            .any(|(_, id, _)| *id == tenant.token_id || *id == paused),
        "{told:?}"
    );
}

#[test]
fn what_to_do_can_be_done_of_a_token_that_was_rotated_too() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let rotate = format!("/api/v1/admin/scim-tokens/{}/rotate", tenant.token_id);
    let overlap = json!({"overlap_seconds": 60});
    world.admin("POST", &rotate, overlap.clone()).expect(201);
    world.admin("POST", &rotate, overlap).expect(409);
    let told = |code: &str| {
        let lines = lines(&tenant);
        let line = lines.iter().find(|line| line["code"] == code);
        line.unwrap()["do"].as_str().unwrap().to_owned()
    };
    let soon = told("token_expires");
    assert!(soon.contains("unless that was done already"), "{soon}");
    world.clock.0.set(world.clock.0.get() + 61_000);
    let over = told("token_expired");
    assert!(over.contains("rotate"), "{over}");
    assert!(over.contains("DELETE this one"), "{over}");
}

#[test]
fn refused_requests_are_told_by_credential() {
    let world = World::new();
    let (tenant, other) = (world.tenant("compat"), world.tenant("compat"));
    other.send("POST", "/Users", json!({}));
    for _ in 0..3 {
        tenant.send("POST", "/Users", json!({})).expect(400);
    }
    let actor = format!("scim-token:{}", tenant.token_id);
    assert_eq!(codes(&tenant), [("requests_refused".to_owned(), actor, 3)]);
    let since = rollcall::scim::date_time::format(world.clock.0.get());
    assert_eq!(lines(&tenant)[0]["since"], since);
    // More in a minute than are kept.
    world.database.execute(&format!(
        "update request_counts set seen = 750 where tenant_id = '{}'",
        tenant.id
    ));
    let kept = ("refusals_not_kept".to_owned(), tenant.id.clone(), 150);
    assert!(codes(&tenant).contains(&kept));
    // A day later it is over.
    world.clock.0.set(world.clock.0.get() + DAY + 60_000);
    assert_eq!(lines(&tenant), [json!(null); 0]);
}

#[test]
fn syncs_that_are_stopped_or_fail_are_told_by_their_last_run() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let directory = json!({"tenant_id": tenant.id, "name": "people", "provider_type": "LDAP", "ldap_config": {
        "url": "ldaps://127.0.0.1", "bind_dn": "cn=x", "bind_password": "x", "base_dn": "dc=x",
    }});
    let made = world.admin("POST", "/api/v1/admin/identity-providers/", directory);
    let id = made.expect(201).body["data"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let log = |number: i64, status: &str| {
        world.database.execute(&format!(
            "insert into sync_logs (tenant_id, idp_id, id, started_by, actor, mode, status, counts, started_at) \
             values ('{}', '{id}', '{number}', 'manual', 'jwt:root', 'full', '{status}', '{{}}', 1)",
            tenant.id
        ));
    };
    for (number, (status, wanted)) in [
        ("failed", Some("sync_failing")),
        ("running", Some("sync_failing")),
        ("stopped", Some("sync_blocked")),
        ("succeeded", None),
    ]
    .into_iter()
    .enumerate()
    {
        log(i64::try_from(number).unwrap(), status);
        let told = codes(&tenant);
        let told: Vec<&str> = told.iter().map(|(code, ..)| code.as_str()).collect();
        assert_eq!(told, wanted.into_iter().collect::<Vec<_>>(), "{status}");
    }
}

#[test]
fn whose_status_it_is() {
    let world = World::new();
    let (own, other) = (world.tenant("compat"), world.tenant("compat"));
    let mut claims = world.claims();
    claims.insert("tenant_id".to_owned(), own.id.clone().into());
    let admin = world.jwt(&claims);
    let path = "/api/v1/admin/status/";
    world.admin_as(&admin, "GET", path, Value::Null).expect(200);
    let its = format!("{path}?tenant_id={}", other.id);
    world.admin_as(&admin, "GET", &its, Value::Null).expect(404);
    let all = world.admin("GET", path, Value::Null);
    assert_eq!(all.expect(200).body["data"]["tenants"]["total_items"], 2);
    let alone = world.admin_as(&admin, "GET", path, Value::Null);
    assert_eq!(alone.body["data"]["tenants"], Value::Null);
    let mut nowhere = world.claims();
    nowhere.insert("scope".to_owned(), "audit:read".into());
    let nowhere = world.jwt(&nowhere);
    world
        .admin_as(&nowhere, "GET", path, Value::Null)
        .expect(403);
}

#[test]
fn all_tenants_are_told_of_page_by_page_in_two_round_trips() {
    let world = World::new();
    let path = "/api/v1/admin/status/";
    let nobody = world.admin("GET", path, Value::Null);
    assert_eq!(nobody.expect(200).body["data"]["lines"], json!([]));
    assert_eq!(nobody.trips(), 1);
    let tenants: Vec<Tenant<'_>> = (0..25).map(|_| world.tenant("compat")).collect();
    for (number, tenant) in tenants.iter().enumerate() {
        for _ in 0..number % 4 {
            let refused = tenant.send("POST", "/Users", json!({"userName": ""}));
            refused.expect(400);
        }
    }
    world
        .admin(
            "DELETE",
            &format!("/api/v1/admin/tenants/{}", tenants[3].id),
            Value::Null,
        )
        .expect(204);
    let ids = |page: &str| -> Vec<String> {
        let listed = world.admin(
            "GET",
            &format!("/api/v1/admin/tenants/?{page}"),
            Value::Null,
        );
        let data = listed.expect(200).body["data"].as_array().unwrap().clone();
        data.iter()
            .map(|one| one["id"].as_str().unwrap().to_owned())
            .collect()
    };
    for (page, number) in [
        ("", 20),
        ("page=2", 4),
        ("per_page=100", 24),
        ("page=3&per_page=10", 4),
        ("page=9", 0),
    ] {
        let answer = world.admin("GET", &format!("{path}?{page}"), Value::Null);
        assert_eq!(answer.expect(200).trips(), if number == 0 { 1 } else { 2 });
        let those = ids(page);
        assert_eq!(those.len(), number, "{page}");
        let told = answer.body["data"]["lines"].as_array().unwrap();
        let each: Vec<Value> = those
            .iter()
            .flat_map(|id| {
                let one = world.admin("GET", &format!("{path}?tenant_id={id}"), Value::Null);
                one.body["data"]["lines"].as_array().unwrap().clone()
            })
            .collect();
        assert_eq!(told, &each, "{page}");
        assert!(
            told.iter()
                .all(|line| those.iter().any(|id| line["tenant_id"] == **id))
        );
        assert_eq!(told.is_empty(), number == 0, "{page}");
        assert_eq!(answer.body["data"]["tenants"]["total_items"], 24);
    }
    for wrong in ["page=0", "per_page=101", "per_page=x", "limit=1"] {
        world
            .admin("GET", &format!("{path}?{wrong}"), Value::Null)
            .expect(422);
    }
}
