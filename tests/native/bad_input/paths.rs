//! Paths and methods that lead nowhere, each answered in the dialect of its path.

use http::Request;
use serde_json::{Value, json};

use crate::support::{Answer, ORIGIN, World};

fn ask(world: &World, token: Option<&str>, method: &str, path: &str) -> Answer {
    let mut request = Request::builder()
        .method(method)
        .uri(format!("{ORIGIN}{path}"));
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    world.send(request.body(Vec::new()).expect("a request"))
}

fn expect_detail(answer: &Answer, status: u16) {
    answer.expect(status);
    let body = answer.body.as_object().expect("an object");
    assert_eq!(body.len(), 1, "{}", answer.body);
    assert!(!body["detail"].as_str().expect("a detail").is_empty());
}

#[test]
fn an_unknown_path_is_404_in_its_dialect() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let base = tenant.base();
    for path in [
        "/scim/v2/Nothing",
        "/scim/v2/users",
        "/scim/v2/Users/x/y",
        "/scim/v2/Users%2F",
        &format!("{base}/Nothing"),
        &format!("{base}/Users/x/y"),
        &format!("{base}/ServiceProviderConfig/x"),
        &format!("{base}/Users/%20/"),
        "/api/v1/tenants//scim/v2/Users",
        "/api/v1/tenants//scim/v2",
    ] {
        ask(&world, Some(&tenant.token), "GET", path).expect_scim_error(404, "", "");
    }
    for path in [
        "/",
        "/nothing",
        "/api",
        "/api/v1",
        "/api/v1/admin",
        "/api/v1/admin/nothing",
        "/scim",
        "/scim/v1/Users",
        "/scim/v3/Users",
        "/api/v1/tenants//identity-providers",
        "/api/v1/tenants/x",
        "/api/v1/tenants/x/scim/v1/Users",
        "/api/v1/admin/tenants/x/y",
        "/healthz/x",
        "/api/v1/admin/scim-tokens/x/rotate/y",
        "/API/V1/admin/tenants",
    ] {
        expect_detail(&ask(&world, None, "GET", path), 404);
    }
}

#[test]
fn a_wrong_method_is_405_and_says_which_are_right() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let base = tenant.base();
    let id = tenant.user("a");
    for (path, allowed) in [
        ("/Users".to_owned(), vec!["GET", "POST"]),
        (
            format!("/Users/{id}"),
            vec!["DELETE", "GET", "PATCH", "PUT"],
        ),
        ("/Groups".to_owned(), vec!["GET", "POST"]),
        ("/ServiceProviderConfig".to_owned(), vec!["GET"]),
        ("/Schemas".to_owned(), vec!["GET"]),
        ("/ResourceTypes/User".to_owned(), vec!["GET"]),
    ] {
        for method in [
            "GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW",
        ] {
            if allowed.contains(&method) {
                continue;
            }
            for base in [base.as_str(), "/scim/v2"] {
                let answer = ask(
                    &world,
                    Some(&tenant.token),
                    method,
                    &format!("{base}{path}"),
                );
                answer.expect_scim_error(405, "", allowed[0]);
                expect_allow(&answer, &allowed);
            }
        }
    }
    for (path, allowed) in [
        ("/healthz", vec!["GET"]),
        ("/api/v1/admin/tenants", vec!["GET", "POST"]),
        ("/api/v1/admin/tenants/x", vec!["DELETE", "GET", "PATCH"]),
        ("/api/v1/admin/scim-tokens/x/rotate", vec!["POST"]),
        ("/api/v1/admin/scim-tokens/endpoint-info", vec!["GET"]),
    ] {
        let answer = ask(&world, None, "PUT", path);
        expect_detail(&answer, 405);
        expect_allow(&answer, &allowed);
    }
}

/// `Allow` names these methods; HEAD goes along with GET.
fn expect_allow(answer: &Answer, allowed: &[&str]) {
    let mut named: Vec<&str> = answer
        .header("allow")
        .split(", ")
        .filter(|name| *name != "HEAD")
        .collect();
    named.sort_unstable();
    assert_eq!(named, allowed);
}

#[test]
fn head_is_answered_like_get() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let base = tenant.base();
    let id = tenant.user("a");
    for path in [
        "/healthz".to_owned(),
        format!("{base}/Users"),
        format!("{base}/Users/{id}"),
        format!("{base}/Users/x"),
        format!("{base}/ServiceProviderConfig"),
        format!("{base}/Nothing"),
        "/scim/v2/Groups".to_owned(),
    ] {
        let (get, head) = (
            ask(&world, Some(&tenant.token), "GET", &path),
            ask(&world, Some(&tenant.token), "HEAD", &path),
        );
        assert_eq!(head.status, get.status, "{path}");
        for header in ["etag", "content-type", "location"] {
            assert_eq!(
                head.header(header),
                get.header(header),
                "{header} of {path}"
            );
        }
    }
}

#[test]
fn an_id_that_is_no_uuid_is_nobodys() {
    let world = World::new();
    let tenant = world.tenant("compat");
    tenant.user("a");
    let patch = json!({"Operations": [{"op": "add", "path": "externalId", "value": "x"}]});
    for id in [
        "x",
        "1",
        "%20",
        "%00",
        "..%2F..",
        "a",
        "%27%20or%201=1--",
        "null",
        "0197b1a2-0000-7000-8000-00000000000",
        "%F0%9F%A6%80",
        "0197b1a2-0000-7000-8000-000000000000",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
    ] {
        for (kind, body) in [
            ("Users", json!({"userName": "b"})),
            ("Groups", json!({"displayName": "B"})),
        ] {
            let path = format!("/{kind}/{id}");
            let named = kind.trim_end_matches('s');
            tenant.get(&path).expect_scim_error(404, "", named);
            tenant
                .send("PUT", &path, body)
                .expect_scim_error(404, "", named);
            tenant
                .send("PATCH", &path, patch.clone())
                .expect_scim_error(404, "", named);
            tenant
                .send("DELETE", &path, Value::Null)
                .expect_scim_error(404, "", named);
        }
    }
}

#[test]
fn a_path_that_is_not_utf_8_is_404() {
    let world = World::new();
    let tenant = world.tenant("compat");
    tenant.get("/Users/%FF%FE").expect_scim_error(404, "", "");
    expect_detail(&ask(&world, None, "GET", "/api/v1/admin/tenants/%FF"), 404);
}

#[test]
fn an_id_is_found_in_any_spelling_of_its_uuid() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let id = tenant.user("a");
    let found = tenant.get(&format!("/Users/{}", id.to_uppercase()));
    found.expect(200);
    assert_eq!(found.body["id"], id);
    assert!(
        found.body["meta"]["location"]
            .as_str()
            .expect("a location")
            .ends_with(&id)
    );
}

#[test]
fn a_user_is_no_group() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let user = tenant.user("a");
    let group = tenant.group("A", &[&user]);
    tenant.get(&format!("/Groups/{user}")).expect(404);
    tenant.get(&format!("/Users/{group}")).expect(404);
    tenant
        .send("DELETE", &format!("/Groups/{user}"), Value::Null)
        .expect(404);
    tenant
        .send("DELETE", &format!("/Users/{group}"), Value::Null)
        .expect(404);
    assert_eq!(tenant.members(&group), [user]);
}

#[test]
fn a_filter_on_discovery_is_forbidden() {
    let world = World::new();
    for path in [
        "/ServiceProviderConfig",
        "/ResourceTypes",
        "/ResourceTypes/User",
        "/Schemas",
    ] {
        ask(
            &world,
            None,
            "GET",
            &format!("/scim/v2{path}?filter=id%20pr"),
        )
        .expect_scim_error(403, "", "filter");
    }
    ask(&world, None, "GET", "/scim/v2/ResourceTypes/Nothing").expect_scim_error(404, "", "");
    ask(&world, None, "GET", "/scim/v2/Schemas/urn:nothing").expect_scim_error(404, "", "");
}

#[test]
fn every_path_works_with_a_trailing_slash() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let id = tenant.user("a");
    for path in [
        "/Users/".to_owned(),
        format!("/Users/{id}/"),
        "/Groups/".to_owned(),
        "/Schemas/".to_owned(),
    ] {
        tenant.get(&path).expect(200);
    }
    let created = tenant.send("POST", "/Users/", json!({"userName": "b"}));
    created.expect(201);
    assert_eq!(
        created.header("location"),
        format!("{ORIGIN}{}/Users/{}", tenant.base(), created.id())
    );
}
