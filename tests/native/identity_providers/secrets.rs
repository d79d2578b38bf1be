//! Secrets of providers: kept sealed, shown nowhere, bound to where they belong, and sealed anew under a new key.

use rollcall::config::Config;
use rollcall::store::Value as Cell;
use serde_json::{Value, json};

use super::{BASE, admin_body, bound, id_of, with};
use crate::support::{ENCRYPTION_KEY, SECRET, Tenant, World};

const SEALED: &str = "plaintext-that-must-be-nowhere";
/// Another key, and a third.
const NEW_KEY: &str = "ISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+P0A=";
const THIRD_KEY: &str = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY=";

/// Goes on with other keys, as after a deploy.
fn rekey(world: &mut World, current: &str, previous: Option<&str>) {
    world.app.config = Config::read(|name| {
        let value = match name {
            "JWT_LOCAL_SECRET" => SECRET,
            "JWT_ISSUER" => crate::support::ISSUER,
            "JWT_AUDIENCE" => crate::support::AUDIENCE,
            "CURSOR_KEY" => NEW_KEY,
            "SERVER_TIMING" => "on",
            "ENCRYPTION_KEY" => current,
            "ENCRYPTION_KEY_PREVIOUS" => previous?,
            _ => return None,
        };
        Some(value.to_owned())
    })
    .expect("a configuration");
}

/// A provider of that protocol with the secret; its id.
fn make(world: &World, protocol: &str) -> String {
    let tenant = world.tenant("compat");
    let (field, secret) = match protocol {
        "OIDC" => ("oidc_config", "client_secret"),
        _ => ("ldap_config", "bind_password"),
    };
    let mut body = admin_body(&tenant, protocol);
    body[field][secret] = SEALED.into();
    id_of(world.admin("POST", BASE, body).expect(201))
}

fn key_ids(world: &World) -> Vec<String> {
    let mut ids = world
        .database
        .texts("select secret_key_id from identity_providers where secret is not null");
    ids.sort();
    ids.dedup();
    ids
}

fn secret_of(world: &World, id: &str) -> Vec<Cell> {
    let sql = format!("select secret, secret_key_id from identity_providers where id = '{id}'");
    world.database.query(&sql).remove(0)
}

/// Whether the secret of an LDAP provider opens: its test comes as far as the address, which is refused before any connection.
fn opens(world: &World, id: &str) -> bool {
    let answer = world.admin("POST", &format!("{BASE}/{id}/test"), Value::Null);
    match answer.status {
        200 => true,
        _ => {
            answer.expect(409);
            let detail = answer.body["detail"].as_str().expect("a detail");
            assert!(detail.contains("ENCRYPTION_KEY_PREVIOUS"), "{detail}");
            false
        }
    }
}

/// An LDAP provider whose test asks nobody.
fn ldap(world: &World) -> String {
    ldap_of(&world.tenant("compat"), "Directory")
}

fn ldap_of(tenant: &Tenant<'_>, name: &str) -> String {
    let mut body = with(admin_body(tenant, "LDAP"), "name", name.into());
    body["ldap_config"]["url"] = "ldaps://directory.internal".into();
    body["ldap_config"]["bind_password"] = SEALED.into();
    id_of(tenant.world.admin("POST", BASE, body).expect(201))
}

#[test]
fn a_secret_is_in_no_reply_no_log_and_no_row() {
    let world = World::new();
    let mut replies = String::new();
    for protocol in ["OIDC", "LDAP"] {
        let id = make(&world, protocol);
        let path = format!("{BASE}/{id}");
        let field = format!("{}_config", protocol.to_lowercase());
        let secret = if protocol == "OIDC" {
            "client_secret"
        } else {
            "bind_password"
        };
        let again = json!({"oidc_config": {"client_secret": SEALED, "issuer": "no"}});
        for (method, path, body) in [
            ("GET", path.clone(), Value::Null),
            ("GET", BASE.to_owned(), Value::Null),
            (
                "PATCH",
                path.clone(),
                json!({&field: {secret: format!("{SEALED}-2")}}),
            ),
            ("PATCH", path.clone(), again),
            ("PATCH", path.clone(), json!({&field: {secret: [SEALED]}})),
            ("PATCH", path.clone(), json!({&field: SEALED})),
            (
                "PATCH",
                path.clone(),
                json!({&field: {secret: format!("{SEALED}{}", "x".repeat(5_000))}}),
            ),
            ("POST", BASE.to_owned(), json!({secret: SEALED})),
            ("POST", format!("{path}/test"), Value::Null),
            ("DELETE", path.clone(), Value::Null),
        ] {
            let answer = world.admin(method, &path, body);
            replies += &format!("{} {:?}\n", answer.body, answer.headers);
        }
        make(&world, protocol);
    }
    assert!(replies.contains("has_client_secret") && replies.contains("has_bind_password"));
    assert!(!replies.contains(SEALED), "{replies}");
    assert!(!world.log.0.borrow().join("\n").contains(SEALED));
    assert!(!world.database.dump_text().contains(SEALED));
    let cached = format!("{:?}", world.cache.entries.borrow());
    assert!(!cached.contains(SEALED));
}

#[test]
fn a_secret_stays_unless_another_is_given() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let id = id_of(
        world
            .admin("POST", BASE, admin_body(&tenant, "OIDC"))
            .expect(201),
    );
    let path = format!("{BASE}/{id}");
    let before = secret_of(&world, &id);
    let has = |body: Value| {
        let answer = world.admin("PATCH", &path, body);
        answer.expect(200).body["data"]["oidc_config"]["has_client_secret"].clone()
    };
    assert_eq!(has(json!({"name": "x"})), true);
    assert_eq!(has(json!({"oidc_config": {"scopes": ["openid"]}})), true);
    assert_eq!(has(json!({"oidc_config": {"client_secret": null}})), true);
    assert_eq!(secret_of(&world, &id), before);
    for wrong in [json!(""), json!(1), json!({})] {
        let change = json!({"oidc_config": {"client_secret": wrong}});
        let answer = world.admin("PATCH", &path, change);
        answer.expect(422);
        assert_eq!(
            answer.body["detail"][0]["loc"],
            json!(["body", "oidc_config", "client_secret"])
        );
    }
    assert_eq!(secret_of(&world, &id), before);
    assert_eq!(
        has(json!({"oidc_config": {"client_secret": "another"}})),
        true
    );
    assert_ne!(secret_of(&world, &id), before);
    // Without one at all.
    let mut body = with(admin_body(&tenant, "OIDC"), "name", "Public".into());
    body["oidc_config"]
        .as_object_mut()
        .expect("an object")
        .remove("client_secret");
    let answer = world.admin("POST", BASE, body);
    assert_eq!(
        answer.expect(201).body["data"]["oidc_config"]["has_client_secret"],
        false
    );
}

#[test]
fn a_sealed_secret_opens_only_where_it_belongs() {
    let world = World::new();
    let (first, second) = (ldap(&world), ldap(&world));
    assert!(opens(&world, &first) && opens(&world, &second));
    world.database.execute(&format!(
        "update identity_providers set secret = (select secret from identity_providers where id = '{first}') \
         where id = '{second}'"
    ));
    assert!(opens(&world, &first));
    assert!(
        !opens(&world, &second),
        "a secret was carried to another provider"
    );
}

#[test]
fn a_replaced_key_still_opens_and_the_next_write_seals_anew() {
    let mut world = World::new();
    let (first, second) = (ldap(&world), ldap(&world));
    let old = key_ids(&world);
    assert_eq!(old.len(), 1);
    rekey(&mut world, NEW_KEY, Some(ENCRYPTION_KEY));
    assert!(opens(&world, &first));
    assert_eq!(key_ids(&world), old, "a read wrote");
    world
        .admin("PATCH", &format!("{BASE}/{first}"), json!({"name": "x"}))
        .expect(200);
    assert_ne!(secret_of(&world, &first)[1], secret_of(&world, &second)[1]);
    // The old key goes: what was written since opens, what was not does not, and says what to do.
    rekey(&mut world, NEW_KEY, None);
    assert!(opens(&world, &first));
    assert!(!opens(&world, &second));
    // A change of something else leaves it, for the key may come back; a new secret mends it.
    world
        .admin("PATCH", &format!("{BASE}/{second}"), json!({"name": "y"}))
        .expect(200);
    assert!(!opens(&world, &second));
    let change = json!({"ldap_config": {"bind_password": "new"}});
    world
        .admin("PATCH", &format!("{BASE}/{second}"), change)
        .expect(200);
    assert!(opens(&world, &second));
}

#[test]
fn reencrypting_leaves_nothing_under_the_old_key() {
    let mut world = World::new();
    let tenant = world.tenant("compat");
    let ids: Vec<String> = (0..149)
        .map(|index| ldap_of(&tenant, &index.to_string()))
        .collect();
    let old = key_ids(&world);
    // One was under a key that is gone.
    rekey(&mut world, THIRD_KEY, None);
    let change = json!({"ldap_config": {"bind_password": "under a lost key"}});
    world
        .admin("PATCH", &format!("{BASE}/{}", ids[3]), change)
        .expect(200);
    rekey(&mut world, NEW_KEY, Some(ENCRYPTION_KEY));
    let answer = world.admin("POST", &format!("{BASE}/reencrypt"), Value::Null);
    assert_eq!(
        answer.expect(200).body["data"],
        json!({"reencrypted": 148, "remaining": 1, "unreadable": [ids[3]]})
    );
    assert_eq!(key_ids(&world).len(), 2);
    assert!(!key_ids(&world).contains(&old[0]));
    let events = "select count(*) from audit_events where action = 'rotate' and attributes = '[\"secret_key_id\"]'";
    assert_eq!(world.database.number(events), 148);
    // It is done, and doing it again changes nothing.
    let before = world.database.dump();
    let answer = world.admin("POST", &format!("{BASE}/reencrypt"), Value::Null);
    assert_eq!(
        answer.expect(200).body["data"],
        json!({"reencrypted": 0, "remaining": 1, "unreadable": [ids[3]]})
    );
    assert_eq!(world.database.dump(), before);
    rekey(&mut world, NEW_KEY, None);
    assert!(opens(&world, &ids[0]) && opens(&world, &ids[148]));
    assert!(!opens(&world, &ids[3]));
}

#[test]
fn reencrypting_is_for_administrators_of_the_platform() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let path = format!("{BASE}/reencrypt");
    world
        .admin_as(&bound(&world, &tenant, "admin"), "POST", &path, Value::Null)
        .expect(403);
    let mut claims = world.claims();
    claims.insert("scope".to_owned(), "identity-providers:read".into());
    world
        .admin_as(&world.jwt(&claims), "POST", &path, Value::Null)
        .expect(403);
    world.admin("POST", &path, Value::Null).expect(200);
}

#[test]
fn a_secret_set_while_it_is_sealed_anew_stays() {
    let mut world = World::new();
    let id = ldap(&world);
    rekey(&mut world, NEW_KEY, Some(ENCRYPTION_KEY));
    // Between reading and writing somebody sets another.
    world.database.interference.replace(Some((
        1,
        vec![format!(
            "update identity_providers set secret = 'theirs' where id = '{id}'"
        )],
    )));
    world
        .admin("POST", &format!("{BASE}/reencrypt"), Value::Null)
        .expect(200);
    assert_eq!(secret_of(&world, &id)[0], Cell::Text("theirs".to_owned()));
}

#[test]
fn the_configuration_names_the_key_that_is_wrong() {
    let read = |changes: &[(&str, &str)]| {
        Config::read(|name| {
            let given = changes.iter().find(|(changed, _)| *changed == name);
            match (given, name) {
                (Some((_, value)), _) => Some((*value).to_owned()),
                (None, "CURSOR_KEY" | "ENCRYPTION_KEY") => Some(ENCRYPTION_KEY.to_owned()),
                (None, _) => None,
            }
        })
        .err()
    };
    assert_eq!(read(&[]), None);
    for (name, value, wanted) in [
        ("ENCRYPTION_KEY", "", "ENCRYPTION_KEY is not set"),
        (
            "ENCRYPTION_KEY",
            "c2hvcnQ=",
            "ENCRYPTION_KEY has to be 32 bytes in base64",
        ),
        (
            "ENCRYPTION_KEY_PREVIOUS",
            "?",
            "ENCRYPTION_KEY_PREVIOUS has to be 32 bytes in base64",
        ),
    ] {
        assert_eq!(read(&[(name, value)]).as_deref(), Some(wanted));
    }
}

#[test]
fn a_deleted_provider_has_no_secret() {
    let world = World::new();
    let id = ldap(&world);
    world
        .admin("DELETE", &format!("{BASE}/{id}"), Value::Null)
        .expect(204);
    assert_eq!(secret_of(&world, &id), [Cell::Null, Cell::Null]);
}
