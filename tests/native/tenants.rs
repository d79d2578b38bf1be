//! `/api/v1/admin/tenants` (API.md §2): the envelopes and pages that all admin routes share, and a tenant's life.

use serde_json::{Value, json};

use crate::support::{Answer, World};

const BASE: &str = "/api/v1/admin/tenants";

/// The fields of a 422, as `(loc, type)`.
fn fields(answer: &Answer) -> Vec<(Vec<&str>, &str)> {
    answer.expect(422);
    let fields = answer.body["detail"].as_array().expect("a list of fields");
    fields
        .iter()
        .map(|field| {
            let loc = field["loc"].as_array().expect("loc");
            assert!(!field["msg"].as_str().expect("msg").is_empty());
            assert_eq!(field.as_object().expect("an object").len(), 3, "{field}");
            (
                loc.iter()
                    .map(|part| part.as_str().expect("a part"))
                    .collect(),
                field["type"].as_str().expect("type"),
            )
        })
        .collect()
}

#[track_caller]
pub fn expect_field(answer: &Answer, loc: &[&str], kind: &str) {
    assert_eq!(fields(answer), [(loc.to_vec(), kind)], "{}", answer.body);
}

fn create(world: &World, body: Value) -> Answer {
    world.admin("POST", BASE, body)
}

fn get(world: &World, path: &str) -> Answer {
    world.admin("GET", &format!("{BASE}{path}"), Value::Null)
}

fn ids(answer: &Answer) -> Vec<&str> {
    answer.expect(200);
    let data = answer.body["data"].as_array().expect("data");
    data.iter()
        .map(|one| one["id"].as_str().expect("an id"))
        .collect()
}

#[test]
fn a_tenant_is_created_with_the_defaults_and_read_back() {
    let world = World::new();
    let created = create(&world, json!({"name": "  Acme & Söhne  "}));
    created.expect(201);
    let data = &created.body["data"];
    let id = data["id"].as_str().expect("an id");
    assert_eq!(
        uuid::Uuid::parse_str(id).expect("a UUID").get_version_num(),
        7
    );
    assert_eq!(
        *data,
        json!({
            "id": id, "name": "Acme & Söhne", "scim_profile": "compat", "store_passwords": false,
            "audit_days": 365, "history_days": 30, "requests_days": 30, "record_bodies": true,
            "removal_fuse": {"percent": 20, "at_least": 50, "minutes": 60}, "product_name": null, "product_color": null, "unknown_extensions": "learn", "roles": [], "entitlements": [], "database": world.home_name(),
            "created_at": "2026-01-02T03:04:05.000Z", "updated_at": "2026-01-02T03:04:05.000Z",
        })
    );
    let meta = &created.body["meta"];
    assert_eq!(meta["request_id"], created.header("x-request-id"));
    assert_eq!(meta["timestamp"], "2026-01-02T03:04:05.000Z");
    assert_eq!(meta.as_object().expect("meta").len(), 2);
    let read = get(&world, &format!("/{id}"));
    read.expect(200);
    assert_eq!(read.body["data"], *data);
    assert_ne!(read.header("x-request-id"), created.header("x-request-id"));
}

#[test]
fn every_path_works_with_a_trailing_slash() {
    let world = World::new();
    world
        .admin("POST", &format!("{BASE}/"), json!({"name": "x", "id": "x"}))
        .expect(201);
    for path in ["", "/", "/x", "/x/"] {
        get(&world, path).expect(200);
    }
    world
        .admin("PATCH", &format!("{BASE}/x/"), json!({"name": "y"}))
        .expect(200);
    world
        .admin("DELETE", &format!("{BASE}/x/"), Value::Null)
        .expect(204);
}

#[test]
fn fields_that_do_not_hold_are_named() {
    let world = World::new();
    let long = "x".repeat(201);
    let cases: [(Value, &[&str], &str); 19] = [
        (json!({}), &["body", "name"], "missing"),
        (json!({"name": null}), &["body", "name"], "type_error"),
        (json!({"name": 1}), &["body", "name"], "type_error"),
        (json!({"name": ["x"]}), &["body", "name"], "type_error"),
        (json!({"name": ""}), &["body", "name"], "value_error"),
        (json!({"name": "   "}), &["body", "name"], "value_error"),
        (json!({"name": long}), &["body", "name"], "value_error"),
        (json!({"name": "a\u{0}b"}), &["body", "name"], "value_error"),
        (
            json!({"name": "x", "id": ""}),
            &["body", "id"],
            "value_error",
        ),
        (
            json!({"name": "x", "id": "has_underscore"}),
            &["body", "id"],
            "value_error",
        ),
        (
            json!({"name": "x", "id": "Upper"}),
            &["body", "id"],
            "value_error",
        ),
        (
            json!({"name": "x", "id": "-x"}),
            &["body", "id"],
            "value_error",
        ),
        (
            json!({"name": "x", "id": "x".repeat(64)}),
            &["body", "id"],
            "value_error",
        ),
        (json!({"name": "x", "id": 1}), &["body", "id"], "type_error"),
        (
            json!({"name": "x", "scim_profile": "loose"}),
            &["body", "scim_profile"],
            "enum",
        ),
        (
            json!({"name": "x", "scim_profile": "Strict"}),
            &["body", "scim_profile"],
            "enum",
        ),
        (
            json!({"name": "x", "store_passwords": "yes"}),
            &["body", "store_passwords"],
            "type_error",
        ),
        (
            json!({"name": "x", "store_passwords": 1}),
            &["body", "store_passwords"],
            "type_error",
        ),
        (
            json!({"name": "x", "plan": "gold"}),
            &["body", "plan"],
            "extra_forbidden",
        ),
    ];
    for (body, loc, kind) in cases {
        println!("{body}");
        expect_field(&create(&world, body), loc, kind);
    }
    expect_field(&create(&world, json!([])), &["body"], "type_error");
    expect_field(&create(&world, json!("x")), &["body"], "type_error");
    assert_eq!(world.database.number("select count(*) from tenants"), 0);
}

#[test]
fn a_name_may_have_200_characters_and_an_id_63() {
    let world = World::new();
    create(
        &world,
        json!({"name": "ä".repeat(200), "id": "x".repeat(63)}),
    )
    .expect(201);
}

#[test]
fn an_id_that_is_taken_is_409_even_after_its_tenant_is_deleted() {
    let world = World::new();
    create(&world, json!({"name": "x", "id": "acme"})).expect(201);
    let taken = create(&world, json!({"name": "y", "id": "acme"}));
    taken.expect(409);
    assert!(
        taken.body["detail"]
            .as_str()
            .expect("a detail")
            .contains("acme")
    );
    world
        .admin("DELETE", &format!("{BASE}/acme"), Value::Null)
        .expect(204);
    create(&world, json!({"name": "z", "id": "acme"})).expect(409);
    assert_eq!(world.database.texts("select name from tenants"), ["x"]);
}

#[test]
fn unknown_and_deleted_tenants_are_404() {
    let world = World::new();
    create(&world, json!({"name": "x", "id": "gone"})).expect(201);
    world
        .admin("DELETE", &format!("{BASE}/gone"), Value::Null)
        .expect(204);
    for id in ["gone", "never", "has_underscore", "%00", "..", "a%2Fb"] {
        for (method, body) in [
            ("GET", Value::Null),
            ("PATCH", json!({"name": "y"})),
            ("DELETE", Value::Null),
        ] {
            let answer = world.admin(method, &format!("{BASE}/{id}"), body);
            answer.expect(404);
            assert_eq!(
                answer.body.as_object().expect("a body").len(),
                1,
                "only a detail"
            );
        }
    }
    assert_eq!(ids(&get(&world, "")), Vec::<&str>::new());
}

/// Whatever brings the tenant back brings no credential back.
#[test]
fn with_a_tenant_go_its_secrets() {
    let world = World::new();
    let (gone, kept) = (world.tenant("compat"), world.tenant("compat"));
    for tenant in [&gone, &kept] {
        let provider = json!({
            "tenant_id": tenant.id, "name": "x", "protocol": "OIDC",
            "oidc_config": {"issuer": "https://login.example.com", "client_id": "x", "client_secret": "s3cret-of-mine"},
        });
        world
            .admin("POST", "/api/v1/admin/identity-providers/", provider)
            .expect(201);
        tenant.get("/Users").expect(200);
    }
    let count = |sql: &str, tenant: &str| world.database.number(&sql.replace('$', tenant));
    let sealed = "select count(*) from identity_providers where tenant_id = '$' and (secret is not null or secret_key_id is not null)";
    let hashes = "select count(*) from scim_tokens where tenant_id = '$' and (token_hash <> '' or is_active = 1 or revoked_at is null)";
    let entries =
        "select count(*) from directory where kind = 'scim_token_hash' and tenant_id = '$'";
    for sql in [sealed, hashes, entries] {
        assert_eq!(
            (count(sql, &gone.id), count(sql, &kept.id)),
            (1, 1),
            "{sql}"
        );
    }
    assert_eq!(world.cache.entries.borrow().len(), 2);
    let answer = world.admin("DELETE", &format!("{BASE}/{}", gone.id), Value::Null);
    assert_eq!(answer.expect(204).trips(), 1);
    for sql in [sealed, hashes, entries] {
        assert_eq!(
            (count(sql, &gone.id), count(sql, &kept.id)),
            (0, 1),
            "{sql}"
        );
    }
    assert_eq!(world.cache.entries.borrow().len(), 1);
    gone.get("/Users").expect(401);
    kept.get("/Users").expect(200);
    world
        .database
        .execute("update tenants set deleted_at = null");
    gone.get("/Users").expect(401);
}

#[test]
fn pages_have_totals_and_do_not_overlap() {
    let world = World::new();
    for number in 0..25 {
        create(&world, json!({"name": "x", "id": format!("t-{number:02}")})).expect(201);
    }
    let mut seen = Vec::new();
    for page in 1..=4 {
        let answer = get(&world, &format!("?page={page}&per_page=8"));
        assert_eq!(
            answer.body["pagination"],
            json!({"page": page, "per_page": 8, "total_items": 25, "total_pages": 4})
        );
        assert_eq!(
            answer.body["meta"]["request_id"],
            answer.header("x-request-id")
        );
        seen.extend(ids(&answer).into_iter().map(str::to_owned));
    }
    let mut sorted = seen.clone();
    sorted.sort();
    sorted.dedup();
    assert_eq!((seen.len(), &seen), (25, &sorted));
    let beyond = get(&world, "?page=99");
    assert_eq!(ids(&beyond), Vec::<&str>::new());
    assert_eq!(beyond.body["pagination"]["total_pages"], 2);
    let default = get(&world, "");
    assert_eq!(
        (ids(&default).len(), &default.body["pagination"]["per_page"]),
        (20, &json!(20))
    );
    assert_eq!(ids(&get(&world, "?per_page=100")).len(), 25);
}

#[test]
fn an_empty_list_has_no_pages() {
    let world = World::new();
    assert_eq!(
        get(&world, "").body["pagination"],
        json!({"page": 1, "per_page": 20, "total_items": 0, "total_pages": 0})
    );
}

#[test]
fn a_page_out_of_range_is_422() {
    let world = World::new();
    for name in ["page", "per_page"] {
        for value in ["0", "-1", "-9223372036854775808", "9223372036854775807"] {
            expect_field(
                &get(&world, &format!("?{name}={value}")),
                &["query", name],
                "value_error",
            );
        }
        for value in ["", "x", "1.5", "%201", "0x1", "1e3"] {
            expect_field(
                &get(&world, &format!("?{name}={value}")),
                &["query", name],
                "type_error",
            );
        }
    }
    expect_field(
        &get(&world, "?per_page=101"),
        &["query", "per_page"],
        "value_error",
    );
    get(&world, "?per_page=100&page=1").expect(200);
}

#[test]
fn search_finds_parts_of_names_and_ids_without_case() {
    let world = World::new();
    for (id, name) in [
        ("acme", "Acme"),
        ("globex", "Globex 100%"),
        ("initech", "Ini_tech"),
    ] {
        create(&world, json!({"name": name, "id": id})).expect(201);
    }
    let cases: [(&str, &[&str]); 9] = [
        ("ACM", &["acme"]),
        ("e", &["acme", "globex", "initech"]),
        ("ex%20100", &["globex"]),
        ("%25", &["globex"]),
        ("_", &["initech"]),
        ("100%25", &["globex"]),
        ("%27%20or%20%271%27=%271", &[]),
        ("nobody", &[]),
        ("", &["acme", "globex", "initech"]),
    ];
    for (search, wanted) in cases {
        let answer = get(&world, &format!("?search={search}"));
        assert_eq!(ids(&answer), wanted, "search={search}");
        assert_eq!(answer.body["pagination"]["total_items"], wanted.len());
    }
}

#[test]
fn a_patch_changes_what_it_names_and_nothing_else() {
    let world = World::new();
    create(&world, json!({"name": "Acme", "id": "acme"})).expect(201);
    world.clock.advance_seconds(10);
    let path = format!("{BASE}/acme");
    let answer = world.admin("PATCH", &path, json!({"store_passwords": true}));
    answer.expect(200);
    assert_eq!(
        answer.body["data"],
        json!({
            "id": "acme", "name": "Acme", "scim_profile": "compat", "store_passwords": true,
            "audit_days": 365, "history_days": 30, "requests_days": 30, "record_bodies": true,
            "removal_fuse": {"percent": 20, "at_least": 50, "minutes": 60}, "product_name": null, "product_color": null, "unknown_extensions": "learn", "roles": [], "entitlements": [], "database": world.home_name(),
            "created_at": "2026-01-02T03:04:05.000Z", "updated_at": "2026-01-02T03:04:15.000Z",
        })
    );
    world
        .admin(
            "PATCH",
            &path,
            json!({"name": "New", "scim_profile": "strict"}),
        )
        .expect(200);
    let read = get(&world, "/acme");
    assert_eq!(read.body["data"]["name"], "New");
    assert_eq!(read.body["data"]["scim_profile"], "strict");
    assert_eq!(read.body["data"]["store_passwords"], true);
    let bad: [(Value, &[&str], &str); 4] = [
        (json!({"name": ""}), &["body", "name"], "value_error"),
        (json!({"id": "other"}), &["body", "id"], "extra_forbidden"),
        (
            json!({"scim_profile": "x"}),
            &["body", "scim_profile"],
            "enum",
        ),
        (
            json!({"created_at": "x"}),
            &["body", "created_at"],
            "extra_forbidden",
        ),
    ];
    for (body, loc, kind) in bad {
        expect_field(&world.admin("PATCH", &path, body), loc, kind);
    }
    assert_eq!(get(&world, "/acme").body["data"], read.body["data"]);
}

#[test]
fn every_change_of_a_tenant_leaves_one_audit_event() {
    let world = World::new();
    create(&world, json!({"name": "Acme", "id": "acme"})).expect(201);
    let path = format!("{BASE}/acme");
    world
        .admin("PATCH", &path, json!({"name": "New"}))
        .expect(200);
    world.admin("PATCH", &path, json!({"name": ""})).expect(422);
    world.admin("DELETE", &path, Value::Null).expect(204);
    world.admin("DELETE", &path, Value::Null).expect(404);
    let rows = world.database.texts(
        "select seq || ' ' || actor || ' ' || action || ' ' || resource_type || ' ' || resource_id || ' ' || attributes \
         from audit_events order by seq",
    );
    assert_eq!(
        rows,
        [
            r#"1 jwt:root create Tenant acme ["name","scim_profile","store_passwords"]"#,
            r#"2 jwt:root patch Tenant acme ["name"]"#,
            "3 jwt:root delete Tenant acme []",
        ]
    );
}
