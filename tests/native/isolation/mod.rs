//! For whoever belongs to one tenant, no other tenant exists.

mod routes;
mod variants;

use serde_json::{Value, json};

use crate::support::{Answer, ORIGIN, Tenant, World};

/// Tenant A, and tenant B with a user, a group that holds it, and a token.
struct Two<'w> {
    own: Tenant<'w>,
    other: Tenant<'w>,
    user: String,
    group: String,
}

fn two<'w>(world: &'w World, profile: &str) -> Two<'w> {
    let (own, other) = (world.tenant(profile), world.tenant(profile));
    let user = other.user("secret.person@b.example.com");
    let group = other.group("Secret Group", &[&user]);
    Two {
        own,
        other,
        user,
        group,
    }
}

/// A token bound to a tenant.
fn bound(world: &World, tenant: &Tenant<'_>, scope: &str) -> String {
    let mut claims = world.claims();
    claims.insert("tenant_id".to_owned(), tenant.id.clone().into());
    claims.insert("scope".to_owned(), scope.into());
    world.jwt(&claims)
}

/// The other tenant's base, or one's own, with a credential.
fn with_token<'w>(tenant: &Tenant<'w>, token: &str) -> Tenant<'w> {
    Tenant {
        world: tenant.world,
        id: tenant.id.clone(),
        token: token.to_owned(),
        token_id: tenant.token_id.clone(),
    }
}

fn user_body(name: &str) -> Value {
    json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": name})
}

fn group_body(name: &str, members: &[&str]) -> Value {
    let members: Vec<Value> = members.iter().map(|id| json!({"value": id})).collect();
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": name, "members": members,
    })
}

fn patch_body(operation: Value) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [operation],
    })
}

/// Every request on users and groups that names what belongs to the other tenant.
fn attempts(user: &str, group: &str) -> Vec<(&'static str, String, Value)> {
    let mut attempts = Vec::new();
    let resources = [
        (format!("/Users/{user}"), user_body("taken.over"), "title"),
        (
            format!("/Groups/{group}"),
            group_body("Taken over", &[]),
            "externalId",
        ),
    ];
    for (path, body, attribute) in resources {
        let patch = patch_body(json!({"op": "add", "path": attribute, "value": "x"}));
        attempts.push(("GET", path.clone(), Value::Null));
        attempts.push(("HEAD", path.clone(), Value::Null));
        attempts.push(("PUT", path.clone(), body));
        attempts.push(("PATCH", path.clone(), patch));
        attempts.push(("DELETE", path, Value::Null));
    }
    attempts
}

#[track_caller]
fn expect_hidden(answer: &Answer, missing: &Answer) {
    answer.expect(404);
    assert_eq!(
        answer.body, missing.body,
        "it differs from what does not exist"
    );
    assert!(answer.header("etag").is_empty());
}

#[test]
fn another_tenants_resources_do_not_exist() {
    for profile in ["compat", "strict"] {
        let world = World::new();
        let Two {
            own, user, group, ..
        } = two(&world, profile);
        let jwt = with_token(&own, &bound(&world, &own, "scim:read scim:write"));
        own.get("/Users").expect(200);
        let before = world.database.dump();
        let nobody = "0197b1a2-0000-7000-8000-000000000000";
        for caller in [&own, &jwt] {
            for ((method, path, body), (_, missing, _)) in attempts(&user, &group)
                .into_iter()
                .zip(attempts(nobody, nobody))
            {
                let missing = caller.send(method, &missing, body.clone());
                expect_hidden(&caller.send(method, &path, body), &missing);
            }
        }
        assert_eq!(world.database.dump(), before);
    }
}

#[test]
fn another_tenants_base_does_not_exist() {
    let world = World::new();
    let Two {
        own,
        other,
        user,
        group,
    } = two(&world, "compat");
    own.get("/Users").expect(200);
    for token in [own.token.clone(), bound(&world, &own, "admin")] {
        let intruder = with_token(&other, &token);
        let mut nowhere = with_token(&own, &token);
        nowhere.id = "nobody".to_owned();
        let before = world.database.dump();
        let mut all = attempts(&user, &group);
        all.push(("GET", "/Users".to_owned(), Value::Null));
        all.push(("GET", "/Groups".to_owned(), Value::Null));
        all.push(("POST", "/Users".to_owned(), user_body("intruder")));
        all.push(("POST", "/Groups".to_owned(), group_body("Intruders", &[])));
        for (method, path, body) in all {
            let missing = nowhere.send(method, &path, body.clone());
            expect_hidden(&intruder.send(method, &path, body), &missing);
        }
        assert_eq!(world.database.dump(), before);
    }
}

#[test]
fn another_tenants_members_are_nobody() {
    for profile in ["compat", "strict"] {
        let world = World::new();
        let Two {
            own, user, group, ..
        } = two(&world, profile);
        let mine = own.group("Mine", &[]);
        let before = world.database.query("select * from group_members");
        for id in [&user, &group] {
            for kind in ["User", "Group"] {
                let member = json!({"value": id, "type": kind});
                let mut body = group_body(&format!("New {kind} {id}"), &[]);
                body["members"] = json!([member]);
                let path = format!("/Groups/{mine}");
                let patches = [
                    json!({"op": "add", "path": "members", "value": [member]}),
                    json!({"op": "replace", "path": "members", "value": [member]}),
                    json!({"op": "add", "value": {"members": [member]}}),
                ];
                let mut answers = vec![own.send("POST", "/Groups", body.clone())];
                body["displayName"] = "Mine".into();
                answers.push(own.send("PUT", &path, body));
                answers.extend(patches.map(|one| own.send("PATCH", &path, patch_body(one))));
                for answer in answers {
                    if profile == "strict" {
                        answer.expect_scim_error(400, "invalidValue", id);
                    } else {
                        assert!([200, 201].contains(&answer.status), "{}", answer.body);
                        assert_eq!(answer.body["members"], json!([]));
                    }
                }
            }
        }
        assert_eq!(world.database.query("select * from group_members"), before);
        assert_eq!(own.members(&mine), Vec::<String>::new());
    }
}

#[test]
fn no_filter_and_no_sorting_reaches_another_tenant() {
    let world = World::new();
    let Two {
        own,
        other,
        user,
        group,
    } = two(&world, "compat");
    let mine = own.user("me");
    own.group("Mine", &[&mine]);
    let everything = [
        "userName pr",
        "id pr",
        "not (userName eq \"me\")",
        "userName sw \"secret\"",
        "userName co \"@\"",
        "userName eq \"secret.person@b.example.com\"",
        "meta.created pr",
        "active eq true",
        "userName ne \"x\" or userName eq \"x\"",
        "groups.value pr",
        "groups pr",
    ];
    let id_filters = [
        format!("id eq \"{user}\""),
        format!("groups.value eq \"{group}\""),
        format!("groups[value eq \"{group}\"]"),
        format!("manager.value eq \"{user}\""),
    ];
    for filter in everything.into_iter().map(str::to_owned).chain(id_filters) {
        let found = own.find(&filter);
        assert!(
            found.iter().all(|name| name == "me"),
            "{filter} finds {found:?}"
        );
    }
    for filter in [
        format!("members.value eq \"{user}\""),
        format!("id eq \"{group}\""),
        "displayName sw \"Secret\"".to_owned(),
    ] {
        let query: String = form_urlencoded::byte_serialize(filter.as_bytes()).collect();
        let answer = own.get(&format!("/Groups?filter={query}"));
        assert_eq!(
            (answer.status, &answer.body["totalResults"]),
            (200, &json!(0)),
            "{filter}"
        );
    }
    for query in [
        "?sortBy=userName",
        "?sortBy=groups.value&sortOrder=descending",
        "?startIndex=2",
        "?count=1000",
        "",
    ] {
        let answer = own.get(&format!("/Users{query}"));
        assert_eq!(answer.body["totalResults"], 1);
        assert!(!answer.body.to_string().contains("secret"));
    }
    assert_eq!(other.find("userName pr"), ["secret.person@b.example.com"]);
}

#[test]
fn names_are_unique_within_a_tenant_only() {
    let world = World::new();
    let Two { own, other, .. } = two(&world, "compat");
    let body = json!({"userName": "secret.person@b.example.com", "externalId": "1"});
    let mine = own.send("POST", "/Users", body);
    mine.expect(201);
    own.group("Secret Group", &[]);
    other
        .send(
            "POST",
            "/Users",
            json!({"userName": "second", "externalId": "1"}),
        )
        .expect(201);
    own.send("DELETE", &format!("/Users/{}", mine.id()), Value::Null)
        .expect(204);
    assert_eq!(other.find("externalId eq \"1\""), ["second"]);
}

#[test]
fn another_tenants_tokens_do_not_exist_for_a_bound_administrator() {
    let world = World::new();
    let Two { own, other, .. } = two(&world, "compat");
    let admin = bound(&world, &own, "admin");
    let before = world.database.dump();
    let base = "/api/v1/admin/scim-tokens";
    let nobody = "0197b1a2-0000-7000-8000-000000000000";
    let routes = |id: &str| {
        [
            ("GET", format!("{base}/{id}"), Value::Null),
            (
                "PATCH",
                format!("{base}/{id}"),
                json!({"name": "taken over"}),
            ),
            ("POST", format!("{base}/{id}/rotate"), Value::Null),
            ("DELETE", format!("{base}/{id}"), Value::Null),
        ]
    };
    for ((method, path, body), (_, missing, _)) in
        routes(&other.token_id).into_iter().zip(routes(nobody))
    {
        let missing = world.admin_as(&admin, method, &missing, body.clone());
        expect_hidden(&world.admin_as(&admin, method, &path, body), &missing);
    }
    let ask = |path: &str| world.admin_as(&admin, "GET", &format!("{base}{path}"), Value::Null);
    for path in ["?tenant_id=", "/endpoint-info?tenant_id="] {
        expect_hidden(
            &ask(&format!("{path}{}", other.id)),
            &ask(&format!("{path}nobody")),
        );
    }
    assert_eq!(ask("").body["pagination"]["total_items"], 1);
    assert_eq!(ask("").body["data"][0]["tenant_id"], own.id);
    let mint =
        |id: &str| world.admin_as(&admin, "POST", base, json!({"tenant_id": id, "name": "x"}));
    let (foreign, missing) = (mint(&other.id), mint("nobody"));
    assert_eq!((foreign.status, &foreign.body), (422, &missing.body));
    assert_eq!(world.database.dump(), before);
    mint(&own.id).expect(201);
}

#[test]
fn another_tenant_does_not_exist_for_a_bound_administrator() {
    let world = World::new();
    let Two { own, other, .. } = two(&world, "compat");
    let admin = bound(&world, &own, "admin");
    let before = world.database.dump();
    for (method, body) in [
        ("GET", Value::Null),
        ("PATCH", json!({"name": "taken over"})),
        ("DELETE", Value::Null),
    ] {
        let ask = |id: &str| {
            world.admin_as(
                &admin,
                method,
                &format!("/api/v1/admin/tenants/{id}"),
                body.clone(),
            )
        };
        expect_hidden(&ask(&other.id), &ask("nobody"));
    }
    assert_eq!(world.database.dump(), before);
    let search = world.admin_as(
        &admin,
        "GET",
        "/api/v1/admin/tenants?search=acme",
        Value::Null,
    );
    assert_eq!(search.body["pagination"]["total_items"], 1);
}

#[test]
fn a_platform_administrator_needs_a_tenant_in_the_path() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let user = tenant.user("a");
    let token = world.jwt(&world.claims());
    for (method, path, body) in [
        ("GET", "/Users".to_owned(), Value::Null),
        ("GET", format!("/Users/{user}"), Value::Null),
        ("POST", "/Users".to_owned(), user_body("b")),
        ("DELETE", format!("/Users/{user}"), Value::Null),
    ] {
        let request = http::Request::builder()
            .method(method)
            .uri(format!("{ORIGIN}/scim/v2{path}"))
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/scim+json");
        let body = match body {
            Value::Null => Vec::new(),
            body => body.to_string().into_bytes(),
        };
        world
            .send(request.body(body).expect("a request"))
            .expect_scim_error(403, "", "tenant");
    }
    let on_its_base = with_token(&tenant, &token);
    on_its_base.get(&format!("/Users/{user}")).expect(200);
    let mut nowhere = with_token(&tenant, &token);
    nowhere.id = "nobody".to_owned();
    nowhere.get("/Users").expect(404);
    nowhere.send("POST", "/Users", user_body("b")).expect(404);
}

#[test]
fn a_jwt_works_on_the_base_of_tenants_of_either_profile() {
    for profile in ["compat", "strict"] {
        let world = World::new();
        let tenant = world.tenant(profile);
        for token in [
            bound(&world, &tenant, "scim:read scim:write"),
            world.jwt(&world.claims()),
        ] {
            let jwt = with_token(&tenant, &token);
            let user = jwt.user("a");
            let group = jwt.group("G", &[&user]);
            jwt.get(&format!("/Users/{user}")).expect(200);
            assert_eq!(jwt.find("userName eq \"A\""), ["a"]);
            let path = format!("/Users/{user}");
            jwt.patch(&path, json!([{"op": "add", "path": "title", "value": "x"}]))
                .expect(200);
            jwt.send("PUT", &path, user_body("b")).expect(200);
            let sloppy = jwt
                .send("POST", "/Users", json!({"userName": "sloppy"}))
                .status;
            assert_eq!(sloppy, if profile == "strict" { 400 } else { 201 });
            jwt.send("DELETE", &format!("/Groups/{group}"), Value::Null)
                .expect(204);
            for name in jwt.find("userName pr") {
                let found = jwt.get(&format!("/Users?filter=userName%20eq%20%22{name}%22"));
                let id = found.body["Resources"][0]["id"]
                    .as_str()
                    .expect("an id")
                    .to_owned();
                jwt.send("DELETE", &format!("/Users/{id}"), Value::Null)
                    .expect(204);
            }
        }
    }
}

#[test]
fn a_jwt_that_may_only_read_writes_nothing() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let (user, group) = (tenant.user("a"), tenant.group("G", &[]));
    let reader = with_token(&tenant, &bound(&world, &tenant, "scim:read"));
    let writer = with_token(&tenant, &bound(&world, &tenant, "scim:write"));
    let neither = with_token(
        &tenant,
        &bound(&world, &tenant, "tenants:read scim-tokens:write"),
    );
    let before = world.database.dump();
    let mut writes = attempts(&user, &group);
    writes.retain(|(method, _, _)| !matches!(*method, "GET" | "HEAD"));
    writes.push(("POST", "/Users".to_owned(), user_body("b")));
    writes.push(("POST", "/Groups".to_owned(), group_body("H", &[])));
    for (method, path, body) in writes {
        reader
            .send(method, &path, body.clone())
            .expect_scim_error(403, "", "write");
        neither.send(method, &path, body).expect(403);
    }
    assert_eq!(world.database.dump(), before);
    for path in [
        "/Users".to_owned(),
        format!("/Users/{user}"),
        "/Groups".to_owned(),
        format!("/Groups/{group}"),
    ] {
        reader.get(&path).expect(200);
        writer.get(&path).expect_scim_error(403, "", "read");
        neither.get(&path).expect(403);
    }
    writer.send("POST", "/Users", user_body("b")).expect(201);
}
