//! All that is missing is named at once, and what is taken elsewhere says where.

use serde_json::{Value, json};

use super::validation::wrong;
use super::{BASE, admin_body, base, id_of};
use crate::support::World;

#[test]
fn all_fields_that_are_missing_are_named_at_once() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let (admin, own) = (BASE.to_owned(), base(&tenant));
    let mappings = format!("{own}/0197b1a2-0000-7000-8000-000000000000/group-mappings");
    let whole = |config: Value| {
        let (field, _) = config.as_object().expect("one").iter().next().expect("one");
        let protocol = field.trim_end_matches("_config").to_uppercase();
        let mut body = json!({"tenant_id": tenant.id, "name": "x", "protocol": protocol});
        body[field] = config[field].clone();
        body
    };
    for (path, body, missing) in [
        (
            &admin,
            json!({}),
            &["tenant_id", "name", "provider_type"][..],
        ),
        (&admin, json!({"protocol": "OIDC"}), &["tenant_id", "name"]),
        (
            &admin,
            json!({"provider_type": "x"}),
            &["tenant_id", "name"],
        ),
        (
            &admin,
            json!({"name": "x"}),
            &["tenant_id", "provider_type"],
        ),
        (
            &admin,
            json!({"name": "x", "tenant_id": tenant.id}),
            &["provider_type"],
        ),
        (&own, json!({}), &["name", "protocol"]),
        (
            &own,
            json!({"oidc_config": {}}),
            &[
                "oidc_config.issuer",
                "oidc_config.client_id",
                "name",
                "protocol",
            ],
        ),
        (
            &mappings,
            json!({}),
            &["external_group_id", "internal_group_id"],
        ),
        (
            &admin,
            whole(json!({"oidc_config": {}})),
            &["oidc_config.issuer", "oidc_config.client_id"],
        ),
        (
            &admin,
            whole(json!({"saml_config": {}})),
            &[
                "saml_config.entity_id",
                "saml_config.sso_url",
                "saml_config.certificate",
            ],
        ),
        (
            &admin,
            whole(json!({"ldap_config": {}})),
            &[
                "ldap_config.url",
                "ldap_config.bind_dn",
                "ldap_config.base_dn",
            ],
        ),
        (
            &admin,
            whole(json!({"ldap_config": {"bind_dn": "cn=x"}})),
            &["ldap_config.url", "ldap_config.base_dn"],
        ),
    ] {
        let answer = world.admin("POST", path, body.clone());
        let found: Vec<String> = wrong(&answer)
            .into_iter()
            .filter_map(|(field, kind)| (kind == "missing").then_some(field))
            .collect();
        assert_eq!(found, missing, "{body}");
    }
}

#[test]
fn the_view_of_a_tenant_says_where_directories_are_made() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let directory = admin_body(&tenant, "LDAP");
    let own = json!({"name": "x", "protocol": "LDAP", "ldap_config": directory["ldap_config"]});
    let made = world.admin("POST", BASE, directory);
    let path = format!("{}/{}", base(&tenant), id_of(&made));
    let change = json!({"ldap_config": {"page_size": 100}});
    let bare = json!({"name": "x", "protocol": "LDAP"});
    for (method, path, body, field) in [
        ("POST", base(&tenant), own, "ldap_config"),
        ("POST", base(&tenant), bare, "protocol"),
        ("PATCH", path, change, "ldap_config"),
    ] {
        let answer = world.admin(method, &path, body);
        let fields = answer.expect(422).body["detail"]
            .as_array()
            .expect("fields");
        let found = fields.iter().find(|found| found["loc"][1] == field);
        let msg = found.expect(field)["msg"].as_str().expect("a message");
        assert!(msg.contains("/api/v1/admin/identity-providers/"), "{msg}");
    }
}
