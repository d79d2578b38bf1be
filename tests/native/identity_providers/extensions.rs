//! A provider's mapping to attributes of extensions: each has to be there, and to be one that is written.

use serde_json::{Map, Value, json};

use super::validation::wrong;
use super::{BASE, admin_body, base, id_of};
use crate::own_schemas::{ACME, at_schemas, attributes, of_users};
use crate::support::World;

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

#[test]
fn an_attribute_that_is_there_may_be_filled() {
    let world = World::new();
    let tenant = world.tenant("compat");
    at_schemas(&tenant, "POST", "", of_users(ACME, attributes())).expect(201);
    for name in [
        "costCode",
        "level",
        "skills",
        "contract.kind",
        "desks.value",
        "hired",
        "pin",
        "notes",
    ] {
        let extensions = json!({format!("{ACME}:{name}"): "department", format!("{ENTERPRISE}:costCenter"): "cost-centre"});
        let mut body = admin_body(&tenant, "OIDC");
        body["name"] = name.into();
        body["attribute_mapping"] = json!({ "extensions": extensions });
        let made = world.admin("POST", BASE, body);
        assert_eq!(
            made.expect(201).body["data"]["attribute_mapping"]["extensions"],
            extensions,
            "{name}"
        );
        // Field by field, as all of a mapping is merged; null takes one out.
        let change = json!({"attribute_mapping": {"extensions": {format!("{ENTERPRISE}:costCenter"): null, format!("{ENTERPRISE}:division"): "division"}}});
        let changed = world.admin(
            "PATCH",
            &format!("{}/{}", base(&tenant), id_of(&made)),
            change,
        );
        assert_eq!(
            changed.expect(200).body["data"]["attribute_mapping"]["extensions"],
            json!({format!("{ACME}:{name}"): "department", format!("{ENTERPRISE}:division"): "division"})
        );
    }
}

#[test]
fn what_is_no_attribute_to_fill_is_named() {
    let world = World::new();
    let tenant = world.tenant("compat");
    at_schemas(&tenant, "POST", "", of_users(ACME, attributes())).expect(201);
    let too_many: Map<String, Value> = (0..101)
        .map(|number| (format!("{ACME}:a{number}"), "x".into()))
        .collect();
    let at = |path: &str| format!("extensions.{path}");
    let acme = |name: &str| {
        (
            json!({format!("{ACME}:{name}"): "x"}),
            at(&format!("{ACME}:{name}")),
        )
    };
    let plain = |path: &str| (json!({path: "x"}), at(path));
    let cases = [
        acme("nothing"),
        acme("rank"),
        acme("contract"),
        acme("desks"),
        acme("desks.nothing"),
        acme("costCode.value"),
        acme("skills[type eq \"x\"]"),
        acme(""),
        plain(ACME),
        plain(""),
        plain("userName"),
        plain("name.givenName"),
        plain("costCode"),
        plain("urn:example:nobody:2.0:User:costCode"),
        plain("urn:ietf:params:scim:schemas:core:2.0:User:title"),
        plain("\u{0}"),
        (
            json!({format!("{ACME}:level"): "x", format!("{}:LEVEL", ACME.to_uppercase()): "y"}),
            // The one that comes second by its spelling.
            at(&format!("{ACME}:level")),
        ),
        (too_many.into(), "extensions".to_owned()),
    ];
    for (extensions, place) in cases {
        for protocol in ["OIDC", "SAML", "LDAP"] {
            let mut body = admin_body(&tenant, protocol);
            let field = match protocol {
                "LDAP" => {
                    body["ldap_config"]["attribute_mapping"] = json!({ "extensions": extensions });
                    "ldap_config.attribute_mapping"
                }
                _ => {
                    body["attribute_mapping"] = json!({ "extensions": extensions });
                    "attribute_mapping"
                }
            };
            let found = wrong(&world.admin("POST", BASE, body));
            assert_eq!(
                found[0].0,
                format!("{field}.{place}"),
                "{extensions} {found:?}"
            );
        }
    }
    for (from, protocol) in [
        (json!(1), "OIDC"),
        (json!(""), "OIDC"),
        (json!("no name"), "LDAP"),
        (json!(["a"]), "LDAP"),
    ] {
        let mut body = admin_body(&tenant, protocol);
        let mapping = json!({"extensions": {format!("{ACME}:level"): from}});
        match protocol {
            "LDAP" => body["ldap_config"]["attribute_mapping"] = mapping,
            _ => body["attribute_mapping"] = mapping,
        }
        let found = wrong(&world.admin("POST", BASE, body));
        assert!(
            found[0]
                .0
                .contains(&format!("attribute_mapping.extensions.{ACME}:level")),
            "{from} {found:?}"
        );
    }
    // Another tenant's schema is none of this one's.
    let other = world.tenant("compat");
    let mut body = admin_body(&other, "OIDC");
    body["attribute_mapping"] = json!({"extensions": {format!("{ACME}:level"): "x"}});
    assert_eq!(wrong(&world.admin("POST", BASE, body)).len(), 1);
}
