//! Making, showing, changing, listing and rotating tokens.

use serde_json::{Value, json};

use super::{BASE, create, mint, path_of, shown, text, update};
use crate::support::{ORIGIN, World};
use crate::tenants::expect_field;

const NOBODY: &str = "0197b1a2-0000-7000-8000-000000000000";

#[test]
fn a_token_is_created_with_all_scopes_and_shown_once() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let created = create(
        &world,
        json!({"tenant_id": tenant.id, "name": " Entra ", "description": "for HR"}),
    );
    created.expect(201);
    let mut data = created.body["data"].clone();
    let token = text(&data["token"]);
    let hint = text(&data["token_hint"]);
    assert_eq!(hint, format!("{}…", &token[..8]));
    let id = text(&data["id"]);
    data.as_object_mut().expect("an object").remove("token");
    assert_eq!(
        data,
        json!({
            "id": id, "tenant_id": tenant.id, "name": "Entra", "description": "for HR", "token_hint": hint,
            "scopes": ["users:read", "users:write", "groups:read", "groups:write", "bulk"],
            "is_active": true, "idp_id": null, "created_at": "2026-01-02T03:04:05.000Z", "created_by": "root",
            "updated_at": "2026-01-02T03:04:05.000Z", "expires_at": null, "last_used_at": null, "revoked_at": null,
        })
    );
    let path = format!("{BASE}/{id}");
    for answer in [
        world.admin("GET", &path, Value::Null),
        world.admin("PATCH", &path, json!({"name": "Entra"})),
        world.admin(
            "GET",
            &format!("{BASE}?tenant_id={}", tenant.id),
            Value::Null,
        ),
    ] {
        answer.expect(200);
        assert!(!answer.body.to_string().contains(&token), "{}", answer.body);
    }
    assert_eq!(world.admin("GET", &path, Value::Null).body["data"], data);
}

#[test]
fn all_fields_that_are_missing_are_named_at_once() {
    let world = World::new();
    for (body, missing) in [
        (json!({}), &["tenant_id", "name"][..]),
        (json!({"scopes": ["users:read"]}), &["tenant_id", "name"]),
        (json!({"name": "x"}), &["tenant_id"]),
        (json!({"name": null, "nonsense": 1}), &["tenant_id"]),
        (json!({"tenant_id": 1}), &["name"]),
        (json!({"tenant_id": 1, "name": ""}), &[]),
    ] {
        let answer = world.admin("POST", BASE, body.clone());
        let fields = answer.expect(422).body["detail"]
            .as_array()
            .expect("fields");
        let found: Vec<&str> = fields
            .iter()
            .filter(|field| field["type"] == "missing")
            .map(|field| {
                assert_eq!(field["msg"], "it is required");
                field["loc"][1].as_str().expect("a name")
            })
            .collect();
        assert_eq!(found, missing, "{body}: {}", answer.body);
    }
}

#[test]
fn fields_that_do_not_hold_are_named() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let with = |name: &str, value: Value| {
        let mut body = json!({"tenant_id": tenant.id, "name": "x"});
        body[name] = value;
        body
    };
    let cases: [(Value, &[&str], &str); 23] = [
        (json!({"name": "x"}), &["body", "tenant_id"], "missing"),
        (
            json!({"tenant_id": tenant.id}),
            &["body", "name"],
            "missing",
        ),
        (
            with("tenant_id", json!(1)),
            &["body", "tenant_id"],
            "type_error",
        ),
        (
            with("tenant_id", json!("has_underscore")),
            &["body", "tenant_id"],
            "value_error",
        ),
        (
            with("tenant_id", json!("nobody")),
            &["body", "tenant_id"],
            "value_error",
        ),
        (with("name", json!("")), &["body", "name"], "value_error"),
        (
            with("name", json!("x".repeat(201))),
            &["body", "name"],
            "value_error",
        ),
        (with("name", json!(null)), &["body", "name"], "type_error"),
        (
            with("description", json!("x".repeat(1_001))),
            &["body", "description"],
            "value_error",
        ),
        (
            with("description", json!(1)),
            &["body", "description"],
            "type_error",
        ),
        (
            with("scopes", json!([])),
            &["body", "scopes"],
            "value_error",
        ),
        (
            with("scopes", json!("users:read")),
            &["body", "scopes"],
            "type_error",
        ),
        (with("scopes", json!({})), &["body", "scopes"], "type_error"),
        (
            with("expires_at", json!("tomorrow")),
            &["body", "expires_at"],
            "value_error",
        ),
        (
            with("expires_at", json!(1_999_999_999)),
            &["body", "expires_at"],
            "type_error",
        ),
        (
            with("expires_at", json!("2026-01-02T03:04:05Z")),
            &["body", "expires_at"],
            "value_error",
        ),
        (
            with("expires_at", json!("1999-01-01T00:00:00Z")),
            &["body", "expires_at"],
            "value_error",
        ),
        (
            with("idp_id", json!(NOBODY)),
            &["body", "idp_id"],
            "value_error",
        ),
        (with("idp_id", json!(1)), &["body", "idp_id"], "type_error"),
        (
            with("token", json!("rcs_mine")),
            &["body", "token"],
            "extra_forbidden",
        ),
        (
            with("is_active", json!(false)),
            &["body", "is_active"],
            "extra_forbidden",
        ),
        (
            with("id", json!(NOBODY)),
            &["body", "id"],
            "extra_forbidden",
        ),
        (
            with("token_hint", json!("x")),
            &["body", "token_hint"],
            "extra_forbidden",
        ),
    ];
    let before = world.database.dump();
    for (body, loc, kind) in cases {
        println!("{body}");
        expect_field(&create(&world, body), loc, kind);
    }
    let unknown = create(&world, with("scopes", json!(["users:read", "everything"])));
    unknown.expect(422);
    assert_eq!(unknown.body["detail"][0]["type"], "enum");
    let loc = unknown.body["detail"][0]["loc"]
        .as_array()
        .expect("loc")
        .clone();
    assert_eq!(loc, &[json!("body"), json!("scopes"), json!(1)]);
    assert_eq!(world.database.dump(), before);
}

#[test]
fn a_token_that_is_not_there_is_404() {
    let world = World::new();
    for id in [
        NOBODY,
        "x",
        "00000000-0000-0000-0000-000000000000",
        "%20",
        "rcs_x",
    ] {
        let path = format!("{BASE}/{id}");
        world.admin("GET", &path, Value::Null).expect(404);
        world
            .admin("PATCH", &path, json!({"name": "x"}))
            .expect(404);
        world.admin("DELETE", &path, Value::Null).expect(404);
        world
            .admin("POST", &format!("{path}/rotate"), Value::Null)
            .expect(404);
    }
}

#[test]
fn a_patch_changes_what_it_names_and_null_clears_what_may_be_empty() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let before = shown(&tenant);
    world.clock.advance_seconds(5);
    let answer = update(
        &tenant,
        json!({"description": "why", "expires_at": "2027-01-01T01:00:00+01:00"}),
    );
    answer.expect(200);
    let mut wanted = before.clone();
    wanted["description"] = "why".into();
    wanted["expires_at"] = "2027-01-01T00:00:00.000Z".into();
    wanted["updated_at"] = "2026-01-02T03:04:10.000Z".into();
    assert_eq!(answer.body["data"], wanted);
    assert_eq!(shown(&tenant), wanted);
    update(&tenant, json!({"description": null, "expires_at": null})).expect(200);
    wanted["description"] = Value::Null;
    wanted["expires_at"] = Value::Null;
    assert_eq!(shown(&tenant), wanted);
    update(
        &tenant,
        json!({"name": "New", "scopes": ["groups:read", "users:read"], "is_active": false}),
    )
    .expect(200);
    wanted["name"] = "New".into();
    wanted["scopes"] = json!(["users:read", "groups:read"]);
    wanted["is_active"] = false.into();
    assert_eq!(shown(&tenant), wanted);
}

#[test]
fn a_patch_of_what_is_not_the_administrators_is_422() {
    let world = World::new();
    let tenant = world.tenant("compat");
    for name in [
        "id",
        "tenant_id",
        "token",
        "token_hint",
        "created_at",
        "revoked_at",
        "last_used_at",
        "idp_id",
    ] {
        let mut body = json!({});
        body[name] = "x".into();
        expect_field(&update(&tenant, body), &["body", name], "extra_forbidden");
    }
    let cases: [(Value, &[&str], &str); 6] = [
        (json!({"name": ""}), &["body", "name"], "value_error"),
        (json!({"scopes": []}), &["body", "scopes"], "value_error"),
        (
            json!({"is_active": "no"}),
            &["body", "is_active"],
            "type_error",
        ),
        (
            json!({"expires_at": "2026-01-02T03:04:05Z"}),
            &["body", "expires_at"],
            "value_error",
        ),
        (
            json!({"expires_at": ""}),
            &["body", "expires_at"],
            "value_error",
        ),
        (
            json!({"description": 1}),
            &["body", "description"],
            "type_error",
        ),
    ];
    for (body, loc, kind) in cases {
        expect_field(&update(&tenant, body), loc, kind);
    }
}

#[test]
fn lists_have_pages_and_leave_out_what_is_revoked_and_other_tenants() {
    let world = World::new();
    let (one, two) = (world.tenant("compat"), world.tenant("compat"));
    let gone = mint(&one, json!({}));
    world
        .admin("DELETE", &path_of(&gone), Value::Null)
        .expect(204);
    let paused = mint(&one, json!({"name": "paused"}));
    update(&paused, json!({"is_active": false})).expect(200);
    let list = |query: &str| world.admin("GET", &format!("{BASE}/{query}"), Value::Null);
    let of_one = list(&format!("?tenant_id={}", one.id));
    of_one.expect(200);
    let ids: Vec<&str> = of_one.body["data"]
        .as_array()
        .expect("data")
        .iter()
        .map(|one| one["id"].as_str().expect("an id"))
        .collect();
    assert_eq!(ids, [one.token_id.as_str(), paused.token_id.as_str()]);
    assert_eq!(list("").body["pagination"]["total_items"], 3);
    assert_eq!(
        list("?per_page=2&page=2").body["pagination"],
        json!({"page": 2, "per_page": 2, "total_items": 3, "total_pages": 2})
    );
    assert_eq!(
        list(&format!("?tenant_id={}", two.id)).body["pagination"]["total_items"],
        1
    );
    expect_field(
        &list("?tenant_id=has_underscore"),
        &["query", "tenant_id"],
        "value_error",
    );
    expect_field(&list("?page=0"), &["query", "page"], "value_error");
    expect_field(
        &list("?per_page=101"),
        &["query", "per_page"],
        "value_error",
    );
}

#[test]
fn a_second_delete_is_404_and_the_revoked_token_can_still_be_read() {
    let world = World::new();
    let tenant = world.tenant("compat");
    world
        .admin("DELETE", &path_of(&tenant), Value::Null)
        .expect(204);
    world
        .admin("DELETE", &path_of(&tenant), Value::Null)
        .expect(404);
    update(&tenant, json!({"is_active": true})).expect(404);
    world
        .admin("POST", &format!("{}/rotate", path_of(&tenant)), Value::Null)
        .expect(404);
    let data = shown(&tenant);
    assert_eq!(data["revoked_at"], "2026-01-02T03:04:05.000Z");
    assert_eq!(data["is_active"], false);
}

#[test]
fn endpoint_info_has_exactly_its_fields() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let answer = world.admin(
        "GET",
        &format!("{BASE}/endpoint-info?tenant_id={}", tenant.id),
        Value::Null,
    );
    answer.expect(200);
    let data = &answer.body["data"];
    let base = format!("{ORIGIN}/api/v1/tenants/{}/scim/v2", tenant.id);
    let mut names: Vec<&str> = data
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "authentication",
            "bulk_url",
            "groups_url",
            "instructions",
            "scim_base_url",
            "service_provider_config_url",
            "tenant_id",
            "token_header",
            "users_url"
        ]
    );
    assert_eq!(data["tenant_id"], tenant.id);
    assert_eq!(data["authentication"], "Bearer");
    for (name, end) in [
        ("scim_base_url", ""),
        ("users_url", "/Users"),
        ("groups_url", "/Groups"),
        ("bulk_url", "/Bulk"),
        ("service_provider_config_url", "/ServiceProviderConfig"),
    ] {
        assert_eq!(data[name], format!("{base}{end}"));
    }
    let mut providers: Vec<&str> = data["instructions"]
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect();
    providers.sort_unstable();
    assert_eq!(
        providers,
        [
            "entra",
            "generic",
            "google",
            "jumpcloud",
            "okta",
            "onelogin",
            "ping"
        ]
    );
    for provider in providers {
        assert!(
            data["instructions"][provider].to_string().contains(&base),
            "{provider} lacks the base URL"
        );
    }
    assert!(!answer.body.to_string().contains("rcs_"));
}

#[test]
fn endpoint_info_of_no_tenant_is_422_and_of_an_unknown_one_404() {
    let world = World::new();
    let info =
        |query: &str| world.admin("GET", &format!("{BASE}/endpoint-info{query}"), Value::Null);
    expect_field(&info(""), &["query", "tenant_id"], "missing");
    expect_field(&info("?tenant_id="), &["query", "tenant_id"], "value_error");
    info("?tenant_id=nobody").expect(404);
}
