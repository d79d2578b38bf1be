//! Who may do what with providers, and whose they are.

use serde_json::{Value, json};

use super::{BASE, admin_body, base, bound, id_of, names, oidc, provider, saml};
use crate::support::{Answer, Tenant, World};
use crate::tenants::expect_field;

const NOBODY: &str = "0197b1a2-0000-7000-8000-000000000000";

/// Every request on one provider, in one view.
fn attempts(
    view: &str,
    idp: &str,
    mapping: &str,
    group: &str,
) -> Vec<(&'static str, String, Value)> {
    let path = format!("{view}/{idp}");
    let mut attempts = vec![
        ("GET", path.clone(), Value::Null),
        ("PATCH", path.clone(), json!({"name": "taken over"})),
        ("DELETE", path.clone(), Value::Null),
    ];
    if view != BASE {
        let mappings = format!("{path}/group-mappings");
        let body = json!({"external_group_id": "x", "internal_group_id": group});
        attempts.push(("GET", mappings.clone(), Value::Null));
        attempts.push(("POST", mappings.clone(), body));
        attempts.push(("DELETE", format!("{mappings}/{mapping}"), Value::Null));
    }
    attempts
}

struct Theirs {
    idp: String,
    mapping: String,
    group: String,
}

/// A tenant's provider with a mapping.
fn theirs(tenant: &Tenant<'_>) -> Theirs {
    let idp = provider(tenant, "LDAP");
    let group = tenant.group("Secret Group", &[]);
    let body = json!({"external_group_id": "a", "internal_group_id": group});
    let path = format!("{}/{idp}/group-mappings", base(tenant));
    let mapping = id_of(tenant.world.admin("POST", &path, body).expect(201));
    Theirs {
        idp,
        mapping,
        group,
    }
}

#[track_caller]
fn expect_same_404(answer: &Answer, missing: &Answer) {
    answer.expect(404);
    assert_eq!(
        answer.body, missing.body,
        "it differs from what does not exist"
    );
}

#[test]
fn another_tenants_provider_does_not_exist() {
    let world = World::new();
    let (own, other) = (world.tenant("compat"), world.tenant("compat"));
    let theirs = theirs(&other);
    let group = own.group("Own", &[]);
    let before = world.database.dump();
    let own_admin = bound(&world, &own, "admin");
    let everybody = world.jwt(&world.claims());
    let ask = |token: &str, (method, path, body): (&'static str, String, Value)| {
        world.admin_as(token, method, &path, body)
    };
    // Through one's own tenant, as its administrator and as the platform's.
    for (token, view) in [
        (&own_admin, base(&own)),
        (&own_admin, BASE.to_owned()),
        (&everybody, base(&own)),
    ] {
        let real = attempts(&view, &theirs.idp, &theirs.mapping, &group);
        for id in [NOBODY, "not-a-uuid", "%00"] {
            let missing = attempts(&view, id, &theirs.mapping, &group);
            for (real, missing) in real.clone().into_iter().zip(missing) {
                expect_same_404(&ask(token, real), &ask(token, missing));
            }
        }
    }
    // Through the other tenant, which this administrator does not see.
    let real = attempts(&base(&other), &theirs.idp, &theirs.mapping, &theirs.group);
    let missing = attempts(
        "/api/v1/tenants/nobody/identity-providers",
        &theirs.idp,
        &theirs.mapping,
        &theirs.group,
    );
    for (real, missing) in real.into_iter().zip(missing) {
        expect_same_404(&ask(&own_admin, real), &ask(&own_admin, missing));
    }
    let make = json!({"name": "x", "protocol": "SAML", "saml_config": saml()});
    ask(&own_admin, ("POST", base(&other), make)).expect(404);
    ask(&own_admin, ("GET", base(&other), Value::Null)).expect(404);
    expect_field(
        &ask(
            &own_admin,
            ("POST", BASE.to_owned(), admin_body(&other, "OIDC")),
        ),
        &["body", "tenant_id"],
        "value_error",
    );
    let listed = ask(&own_admin, ("GET", BASE.to_owned(), Value::Null));
    assert_eq!(names(&listed), [""; 0]);
    ask(
        &own_admin,
        ("GET", format!("{BASE}?tenant_id={}", other.id), Value::Null),
    )
    .expect(404);
    assert_eq!(world.database.dump(), before, "something was written");
}

#[test]
fn another_providers_mapping_does_not_exist() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let theirs = theirs(&tenant);
    let second = provider(&tenant, "SAML");
    let path = format!(
        "{}/{second}/group-mappings/{}",
        base(&tenant),
        theirs.mapping
    );
    world.admin("DELETE", &path, Value::Null).expect(404);
    assert_eq!(
        world.database.number("select count(*) from group_mappings"),
        1
    );
}

#[test]
fn an_administrator_of_the_tenant_does_all_of_it_there() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let token = bound(
        &world,
        &tenant,
        "identity-providers:read identity-providers:write",
    );
    for view in [BASE.to_owned(), base(&tenant)] {
        let theirs = theirs(&tenant);
        for (method, path, body) in attempts(&view, &theirs.idp, &theirs.mapping, &theirs.group) {
            if method != "DELETE" || path.contains("mappings") {
                let answer = world.admin_as(&token, method, &path, body);
                assert!(
                    (200..300).contains(&answer.status),
                    "{method} {path}: {}",
                    answer.body
                );
            }
        }
        world
            .admin_as(
                &token,
                "DELETE",
                &format!("{view}/{}", theirs.idp),
                Value::Null,
            )
            .expect(204);
        tenant
            .send("DELETE", &format!("/Groups/{}", theirs.group), Value::Null)
            .expect(204);
    }
}

#[test]
fn each_request_needs_its_scope() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let theirs = theirs(&tenant);
    let before = world.database.dump();
    let make = json!({"name": "x", "protocol": "OIDC", "oidc_config": oidc()});
    let mut all = vec![
        ("GET", BASE.to_owned(), Value::Null),
        ("POST", BASE.to_owned(), admin_body(&tenant, "SAML")),
        ("GET", base(&tenant), Value::Null),
        ("POST", base(&tenant), make),
    ];
    for view in [BASE.to_owned(), base(&tenant)] {
        all.extend(attempts(&view, &theirs.idp, &theirs.mapping, &theirs.group));
    }
    for (method, path, body) in all {
        let (wanted, wrong) = match method {
            "GET" => ("identity-providers:read", "identity-providers:write"),
            _ => ("identity-providers:write", "identity-providers:read"),
        };
        for scope in [
            wrong,
            "tenants:read tenants:write scim-tokens:write scim:write",
            "",
        ] {
            let mut claims = world.claims();
            claims.insert("scope".to_owned(), scope.into());
            let answer = world.admin_as(&world.jwt(&claims), method, &path, body.clone());
            answer.expect(403);
            assert_eq!(
                answer.body,
                json!({"detail": format!("this needs the scope {wanted}")})
            );
        }
        // A SCIM token opens no admin route.
        world
            .admin_as(&tenant.token, method, &path, body)
            .expect(401);
    }
    assert_eq!(world.database.dump(), before, "something was written");
}

#[test]
fn the_providers_of_a_deleted_tenant_are_gone() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let theirs = theirs(&tenant);
    world
        .admin(
            "DELETE",
            &format!("/api/v1/admin/tenants/{}", tenant.id),
            Value::Null,
        )
        .expect(204);
    for view in [BASE.to_owned(), base(&tenant)] {
        for (method, path, body) in attempts(&view, &theirs.idp, &theirs.mapping, &theirs.group) {
            world.admin(method, &path, body).expect(404);
        }
    }
    assert_eq!(names(&world.admin("GET", BASE, Value::Null)), [""; 0]);
    world.admin("GET", &base(&tenant), Value::Null).expect(404);
    let make = json!({"name": "x", "protocol": "OIDC", "oidc_config": oidc()});
    world.admin("POST", &base(&tenant), make).expect(404);
    expect_field(
        &world.admin("POST", BASE, admin_body(&tenant, "SAML")),
        &["body", "tenant_id"],
        "value_error",
    );
}
