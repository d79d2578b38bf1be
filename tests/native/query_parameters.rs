//! What a route of administrators does not take in its query is 422, on every one of them; SCIM routes pass it over.

use rollcall::api::http::reply::Dialect;
use rollcall::api::http::routes;
use serde_json::{Value, json};

use crate::support::World;
use crate::support::described::operation;

/// Every administrator's route that exists without more, and what it takes.
const LISTS: [(&str, &[&str]); 4] = [
    ("/api/v1/admin/tenants", &["search"]),
    ("/api/v1/admin/scim-tokens", &["tenant_id"]),
    (
        "/api/v1/admin/identity-providers",
        &["tenant_id", "provider_type", "search"],
    ),
    (
        "/api/v1/tenants/TENANT/identity-providers",
        &["enabled_only", "protocol"],
    ),
];

#[test]
fn an_unknown_parameter_is_422_and_named() {
    let world = World::new();
    let tenant = world.tenant("compat");
    for (path, taken) in LISTS {
        let path = path.replace("TENANT", &tenant.id);
        let good = world.admin("GET", &format!("{path}?page=1&per_page=5"), Value::Null);
        good.expect(200);
        for name in [
            "expires_before",
            "Search",
            "perPage",
            "limit",
            "page ",
            "count",
            "filter",
            "",
            "tenant_id[]",
        ] {
            let written: String = form_urlencoded::Serializer::new(String::new())
                .append_pair(name, "x")
                .finish();
            let answer = world.admin("GET", &format!("{path}?page=1&{written}"), Value::Null);
            answer.expect(422);
            let field = &answer.body["detail"][0];
            assert_eq!(field["loc"], json!(["query", name]), "{path}");
            assert_eq!(field["type"], "extra_forbidden");
            let msg = field["msg"].as_str().expect("a message");
            for name in taken.iter().chain(&["page", "per_page"]) {
                assert!(msg.contains(name), "{path}: {msg}");
            }
        }
        let answer = world.admin("GET", &format!("{path}?page=1&page=1"), Value::Null);
        answer.expect(422);
        assert_eq!(answer.body["detail"][0]["loc"], json!(["query", "page"]));
        let answer = world.admin("GET", &format!("{path}?a=1&b=2&page=0"), Value::Null);
        let locs: Vec<&Value> = answer.expect(422).body["detail"]
            .as_array()
            .expect("fields")
            .iter()
            .map(|field| &field["loc"][1])
            .collect();
        assert_eq!(locs, ["a", "b"]);
        // Empty parts are no parameters.
        for query in ["?", "?&", "?page=1&"] {
            world
                .admin("GET", &format!("{path}{query}"), Value::Null)
                .expect(200);
        }
        // Who may not ask does not learn what may be asked.
        world
            .admin_as("nobody", "GET", &format!("{path}?x=1"), Value::Null)
            .expect(401);
    }
}

#[test]
fn a_list_takes_its_parameters_in_any_case_in_compat_alone() {
    let world = World::new();
    for (profile, is_taken) in [("compat", true), ("strict", false)] {
        let tenant = world.tenant(profile);
        let (a, b) = (tenant.user("a"), tenant.user("b"));
        let ids = |query: &str| -> Vec<String> {
            let answer = tenant.get(&format!("/Users?{query}"));
            let found = answer.expect(200).body["Resources"].as_array().cloned();
            let found = found.unwrap_or_default();
            found
                .iter()
                .map(|user| user["id"].as_str().expect("an id").to_owned())
                .collect()
        };
        let all = vec![a.clone(), b.clone()];
        for (query, wanted) in [
            ("Filter=userName%20eq%20%22b%22", vec![b.clone()]),
            ("FILTER=userName%20eq%20%22b%22", vec![b.clone()]),
            ("startindex=2", vec![b.clone()]),
            ("Count=1", vec![a.clone()]),
            (
                "sortby=userName&sortorder=descending",
                vec![b.clone(), a.clone()],
            ),
        ] {
            let wanted = match is_taken {
                true => &wanted,
                false => &all,
            };
            assert_eq!(&ids(query), wanted, "{profile} {query}");
        }
        let one = format!("/Users/{a}?Attributes=userName");
        let shown = tenant.get(&one).expect(200).body["meta"].is_null();
        assert_eq!(shown, is_taken, "{profile}");
        let cursor = tenant.get("/Users?Cursor&count=1");
        let has_next = !cursor.expect(200).body["nextCursor"].is_null();
        assert_eq!(has_next, is_taken, "{profile}");
        // What was refused still is, and nothing else.
        let wrong = tenant.get("/Users?COUNT=x");
        wrong.expect(if is_taken { 400 } else { 200 });
        tenant.get("/Users?filters=x&start_index=x").expect(200);
    }
}

#[test]
fn a_parameter_on_a_write_is_refused_before_anything_is_written() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let before = world.database.dump();
    let one = format!("/api/v1/admin/tenants/{}", tenant.id);
    for (method, path, body) in [
        ("POST", "/api/v1/admin/tenants", json!({"name": "New"})),
        ("PATCH", one.as_str(), json!({"name": "Other"})),
        ("DELETE", one.as_str(), Value::Null),
        ("GET", one.as_str(), Value::Null),
        (
            "POST",
            "/api/v1/admin/identity-providers/reencrypt",
            Value::Null,
        ),
    ] {
        let answer = world.admin(method, &format!("{path}?dry_run=true"), body);
        answer.expect(422);
        assert_eq!(
            answer.body["detail"][0]["msg"],
            "this route takes no parameters"
        );
    }
    assert_eq!(world.database.dump(), before);
}

#[test]
fn scim_routes_and_the_open_ones_pass_over_what_they_do_not_know() {
    let world = World::new();
    let tenant = world.tenant("strict");
    tenant.get("/Users?aadOptscim062020").expect(200);
    tenant.get("/Users?x=1&x=2").expect(200);
    for path in ["/healthz?x=1", "/openapi.json?v=2", "/docs?x"] {
        let answer = world.admin("GET", path, Value::Null);
        answer.expect(200);
    }
}

/// One that is missing is told as a field of a body that is missing is.
#[test]
fn a_tenant_that_has_to_be_named_is_said_to_be_required() {
    let world = World::new();
    for path in ["audit-events", "requests", "scim-tokens/endpoint-info"] {
        let answer = world.admin("GET", &format!("/api/v1/admin/{path}"), Value::Null);
        assert_eq!(
            answer.expect(422).body["detail"],
            json!([{"loc": ["query", "tenant_id"], "msg": "it is required", "type": "missing"}]),
            "{path}"
        );
    }
}

#[test]
fn the_parameters_of_a_query_are_those_that_the_route_takes() {
    for route in routes::all() {
        if route.dialect == Dialect::Scim {
            continue;
        }
        let described = operation(&route.method, &route.pattern)["parameters"].as_array();
        let mut described: Vec<&str> = described
            .into_iter()
            .flatten()
            .filter(|parameter| parameter["in"] == "query")
            .map(|parameter| parameter["name"].as_str().expect("a name"))
            .collect();
        let mut taken = route.parameters.to_vec();
        described.sort_unstable();
        taken.sort_unstable();
        assert_eq!(described, taken, "{} {}", route.method, route.pattern);
    }
}
