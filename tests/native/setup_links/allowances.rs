//! What a link allows, how much of it, and what it shows of whom.

use serde_json::{Value, json};

use super::{by, link, provider, shown, token};
use crate::support::World;

/// Who is here is nothing to a link that sets up no provisioning.
#[test]
fn it_shows_people_where_it_allows_scim_alone() {
    let world = World::new();
    let tenant = world.tenant("compat");
    tenant.user("secret.person");
    // As one whose credential does not hold.
    world.database.execute("update requests set actor = ''");
    for (allows, sees) in [
        (json!(["sso"]), false),
        (json!(["directory"]), false),
        (json!(["sso", "directory"]), false),
        (json!(["scim"]), true),
        (json!(["scim", "sso", "directory"]), true),
    ] {
        let link = link(&tenant, allows.clone());
        let answer = shown(&tenant, &link);
        let data = &answer.expect(200).body["data"];
        let told = [&data["users_total"], &data["groups_total"]];
        let (total, groups) = match sees {
            true => (json!(1), json!(0)),
            false => (Value::Null, Value::Null),
        };
        assert_eq!(told, [&total, &groups], "{allows}");
        for list in ["newest_users", "requests"] {
            let is_empty = data[list].as_array().unwrap().is_empty();
            assert_eq!(is_empty, !sees, "{allows}: {list}");
        }
        assert_eq!(answer.body.to_string().contains("secret.person"), sees);
    }
}

#[test]
fn what_it_does_not_allow_is_said_in_the_same_words() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let metadata = json!({"url": "https://login.example.com/metadata"});
    for (allows, path, body, missing) in [
        (
            "scim",
            "/identity-providers",
            provider(&tenant, "OIDC"),
            "sso or directory",
        ),
        (
            "scim",
            "/saml-metadata",
            metadata.clone(),
            "sso or directory",
        ),
        (
            "directory",
            "/identity-providers",
            provider(&tenant, "OIDC"),
            "sso",
        ),
        ("directory", "/saml-metadata", metadata, "sso"),
        (
            "sso",
            "/identity-providers",
            provider(&tenant, "LDAP"),
            "directory",
        ),
        ("sso", "/scim-tokens", json!({"name": "x"}), "scim"),
        ("directory", "/scim-tokens", json!({"name": "x"}), "scim"),
    ] {
        let link = link(&tenant, json!([allows]));
        let answer = by(&world, &link.secret, &tenant.id, "POST", path, body);
        let said = json!({"detail": format!("this link does not allow {missing}")});
        assert_eq!(answer.expect(403).body, said, "{allows} {path}");
    }
}

/// What another request makes meanwhile counts too.
#[test]
fn it_makes_ten_tokens_at_most_at_whatever_time() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let link = link(&tenant, json!(["scim"]));
    let made: Vec<String> = (0..10)
        .map(|_| {
            let id = token(&tenant, &link).expect(201).body["data"]["id"].clone();
            id.as_str().unwrap().to_owned()
        })
        .collect();
    let one = format!("/api/v1/admin/scim-tokens/{}", made[0]);
    world.admin("DELETE", &one, Value::Null).expect(204);
    let meanwhile = "update scim_tokens set revoked_at = null";
    world.database.interfere_before_write(&[meanwhile]);
    let answer = token(&tenant, &link);
    assert!(world.database.has_interfered());
    let said =
        json!({"detail": "10 tokens were made by this link, which is as many as it may make"});
    assert_eq!(answer.expect(409).body, said);
    let count = "select count(*) from scim_tokens where created_by like 'setup-link:%'";
    assert_eq!(world.database.number(count), 10);
    // One that is revoked makes room, and whoever is no link is not counted.
    world.admin("DELETE", &one, Value::Null).expect(204);
    token(&tenant, &link).expect(201);
    let body = json!({"tenant_id": tenant.id, "name": "x"});
    for _ in 0..11 {
        world
            .admin("POST", "/api/v1/admin/scim-tokens", body.clone())
            .expect(201);
    }
}
