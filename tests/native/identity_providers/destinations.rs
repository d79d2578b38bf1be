//! A secret goes where it was given for, and nowhere else: not where a change of the configuration would send it, nor a hand in the database.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rollcall::seal;
use rollcall::secret::Secret;
use serde_json::{Value, json};

use super::{BASE, admin_body, base, id_of};
use crate::support::{Answer, ENCRYPTION_KEY, SECRET, World};

const PASSWORD: &str = "goes-to-the-first-host-alone";

fn local() -> World {
    World::configured(&[("JWT_LOCAL_SECRET", SECRET), ("LOCAL_DEVELOPMENT", "on")])
}

/// What a change of a provider's configuration makes of its secret: whether there is one, and what is said of it.
fn changed(world: &World, path: &str, field: &str, change: &Value) -> (bool, Value) {
    let answer = world.admin("PATCH", path, json!({ field: change }));
    let has = match field {
        "oidc_config" => "has_client_secret",
        _ => "has_bind_password",
    };
    let shown = &answer.expect(200).body["data"][field][has];
    (
        shown.as_bool().expect("a flag"),
        answer.body["meta"]["notices"].clone(),
    )
}

fn provider(world: &World, protocol: &str, config: &Value) -> (String, String) {
    let tenant = world.tenant("compat");
    let mut body = admin_body(&tenant, protocol);
    let field = match protocol {
        "OIDC" => "oidc_config",
        _ => "ldap_config",
    };
    for (name, value) in config.as_object().expect("an object") {
        body[field][name] = value.clone();
    }
    let id = id_of(world.admin("POST", BASE, body).expect(201));
    let in_tenant = format!("{}/{id}", base(&tenant));
    (id, in_tenant)
}

/// How the secret is after each of these changes: kept, or cleared and told.
#[test]
fn a_change_of_the_destination_clears_the_secret_and_says_so() {
    let plain = json!({"url": "ldap://ldap.example.com"});
    let secured = json!({"url": "ldap://ldap.example.com", "start_tls": true});
    let none = json!({});
    let token = json!({"token_endpoint": "https://login.example.com/token"});
    for (protocol, config, change, stays) in [
        (
            "LDAP",
            &none,
            json!({"url": "ldaps://evil.example.com:636"}),
            false,
        ),
        (
            "LDAP",
            &none,
            json!({"url": "ldaps://ldap.example.com:637"}),
            false,
        ),
        (
            "LDAP",
            &none,
            json!({"url": "ldap://ldap.example.com:636"}),
            false,
        ),
        (
            "LDAP",
            &none,
            json!({"url": "ldap://ldap.example.com", "start_tls": true}),
            false,
        ),
        (
            "LDAP",
            &none,
            json!({"bind_dn": "cn=other,dc=example,dc=com"}),
            false,
        ),
        (
            "LDAP",
            &none,
            json!({"url": "ldaps://evil.example.com", "bind_password": null}),
            false,
        ),
        ("LDAP", &secured, json!({"start_tls": false}), false),
        (
            "LDAP",
            &none,
            json!({"url": "ldaps://ldap.example.com:636"}),
            true,
        ),
        (
            "LDAP",
            &none,
            json!({"url": "ldaps://LDAP.Example.com"}),
            true,
        ),
        (
            "LDAP",
            &none,
            json!({"url": "ldaps://ldap.example.com/"}),
            true,
        ),
        (
            "LDAP",
            &plain,
            json!({"url": "ldap://ldap.example.com:389"}),
            true,
        ),
        ("LDAP", &plain, json!({"start_tls": true}), true),
        (
            "LDAP",
            &none,
            json!({"bind_dn": "cn=reader,dc=example,dc=com"}),
            true,
        ),
        (
            "LDAP",
            &none,
            json!({"base_dn": "ou=staff,dc=example,dc=com"}),
            true,
        ),
        (
            "LDAP",
            &none,
            json!({"url": "ldaps://other.example.com", "bind_password": "another"}),
            true,
        ),
        (
            "OIDC",
            &none,
            json!({"issuer": "https://evil.example.com"}),
            false,
        ),
        (
            "OIDC",
            &none,
            json!({"issuer": "https://login.example.com:8443"}),
            false,
        ),
        (
            "OIDC",
            &none,
            json!({"issuer": "https://login.example.com/other"}),
            false,
        ),
        ("OIDC", &none, token.clone(), false),
        ("OIDC", &token, json!({"token_endpoint": null}), false),
        (
            "OIDC",
            &token,
            json!({"token_endpoint": "https://evil.example.com/token"}),
            false,
        ),
        (
            "OIDC",
            &none,
            json!({"issuer": "https://login.example.com"}),
            true,
        ),
        (
            "OIDC",
            &none,
            json!({"issuer": "https://LOGIN.example.com:443/"}),
            true,
        ),
        ("OIDC", &token, token.clone(), true),
        // The secret is not sent to these.
        (
            "OIDC",
            &none,
            json!({
                "authorization_endpoint": "https://x.example.com/a", "userinfo_endpoint": "https://x.example.com/u",
                "jwks_uri": "https://x.example.com/j",
            }),
            true,
        ),
        (
            "OIDC",
            &none,
            json!({"issuer": "https://other.example.com", "client_secret": "another"}),
            true,
        ),
    ] {
        let world = World::new();
        let (id, in_tenant) = provider(&world, protocol, config);
        let (field, secret) = match protocol {
            "OIDC" => ("oidc_config", "client_secret"),
            _ => ("ldap_config", "bind_password"),
        };
        // The tenant's view changes OIDC, and no LDAP.
        let path = match protocol {
            "OIDC" => in_tenant,
            _ => format!("{BASE}/{id}"),
        };
        let (has, notices) = changed(&world, &path, field, &change);
        assert_eq!(has, stays, "{config} {change}");
        if stays {
            assert_eq!(notices, Value::Null, "{change}");
            continue;
        }
        assert_eq!(notices[0]["loc"], json!(["body", field, secret]));
        assert_eq!(notices[0]["type"], "secret_cleared");
        let audited = world.database.texts(
            "select attributes from audit_events where resource_type = 'IdentityProvider' and action = 'patch'",
        );
        assert!(audited[0].contains(secret), "{audited:?}");
        let left = "select count(*) from identity_providers where secret is not null or secret_key_id is not null";
        assert_eq!(world.database.number(left), 0, "{change}");
        // Going back does not bring it back, and is nothing to tell.
        let back = match protocol {
            "OIDC" => json!({"issuer": "https://login.example.com", "token_endpoint": null}),
            _ => json!({"url": "ldaps://ldap.example.com:636", "start_tls": false}),
        };
        assert_eq!(
            changed(&world, &path, field, &back),
            (false, Value::Null),
            "{change}"
        );
    }
}

/// Everything that whoever connects sends, until it has nothing more to say.
fn listener() -> (u16, std::sync::mpsc::Receiver<Vec<u8>>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("a connection");
            let wait = std::time::Duration::from_millis(500);
            stream.set_read_timeout(Some(wait)).expect("a limit");
            let mut heard = Vec::new();
            let mut buffer = [0; 4096];
            while let Ok(length @ 1..) = std::io::Read::read(&mut stream, &mut buffer) {
                heard.extend_from_slice(&buffer[..length]);
            }
            if sender.send(heard).is_err() {
                return;
            }
        }
    });
    (port, receiver)
}

/// All that a listener has heard before this call: it takes one connection after the other, and ours is the last.
fn heard_so_far(port: u16, heard: &std::sync::mpsc::Receiver<Vec<u8>>) -> Vec<Vec<u8>> {
    let mark = b"the end";
    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).expect("a connection");
    std::io::Write::write_all(&mut stream, mark).expect("the mark");
    drop(stream);
    heard.iter().take_while(|heard| heard != mark).collect()
}

fn has_password(heard: &[u8]) -> bool {
    heard
        .windows(PASSWORD.len())
        .any(|part| part == PASSWORD.as_bytes())
}

fn test(world: &World, id: &str) -> Answer {
    world.admin("POST", &format!("{BASE}/{id}/test"), Value::Null)
}

#[test]
fn the_password_arrives_at_no_other_host() {
    let (first, at_first) = listener();
    let (second, at_second) = listener();
    let world = local();
    let url = |port: u16| format!("ldap://127.0.0.1:{port}");
    let config = json!({"url": url(first), "bind_password": PASSWORD});
    let (id, _) = provider(&world, "LDAP", &config);
    test(&world, &id).expect(200);
    assert!(has_password(&at_first.recv().expect("a connection")));
    // By the API: it is cleared.
    let path = format!("{BASE}/{id}");
    let before = world
        .database
        .query("select config, secret, secret_key_id from identity_providers");
    assert!(!changed(&world, &path, "ldap_config", &json!({"url": url(second)})).0);
    test(&world, &id).expect(200);
    assert!(!before.is_empty());
    let heard = heard_so_far(second, &at_second);
    assert!(!heard.iter().any(|heard| has_password(heard)));
    // By hand, in the database: it does not open.
    let config = json!({"url": url(first), "bind_password": PASSWORD});
    assert!(changed(&world, &path, "ldap_config", &config).0);
    world.database.execute(&format!(
        "update identity_providers set config = replace(config, '{first}', '{second}')"
    ));
    let refused = test(&world, &id);
    refused.expect(409);
    let detail = refused.body["detail"].as_str().expect("a detail");
    assert!(detail.contains("another address"), "{detail}");
    let heard = heard_so_far(second, &at_second);
    assert!(!heard.iter().any(|heard| has_password(heard)));
    // With the secret given anew it goes where it was given for.
    let config = json!({"url": url(second), "bind_password": PASSWORD});
    assert!(changed(&world, &path, "ldap_config", &config).0);
    test(&world, &id).expect(200);
    let heard = heard_so_far(second, &at_second);
    assert!(heard.iter().any(|heard| has_password(heard)));
}

/// A secret as the first version sealed it: bound to tenant and provider.
fn seal_without_destination(world: &World, id: &str) {
    let tenant = world.database.texts(&format!(
        "select tenant_id from identity_providers where id = '{id}'"
    ));
    let binding = format!("identity-provider-secret\n{}\n{id}", tenant[0]);
    let key = base64::engine::general_purpose::STANDARD
        .decode(ENCRYPTION_KEY)
        .expect("base64");
    let sealed = seal::seal(
        &Secret::new(key),
        binding.as_bytes(),
        PASSWORD.as_bytes(),
        world.app.platform.entropy.as_ref(),
    );
    let text = URL_SAFE_NO_PAD.encode(sealed.expect("sealed"));
    world.database.execute(&format!(
        "update identity_providers set secret = '{text}' where id = '{id}'"
    ));
}

fn sealed(world: &World, id: &str) -> String {
    let sql = format!("select secret from identity_providers where id = '{id}'");
    world.database.texts(&sql).remove(0)
}

#[test]
fn what_was_sealed_without_a_destination_opens_and_gets_one() {
    let (port, heard) = listener();
    let world = local();
    let config = json!({"url": format!("ldap://127.0.0.1:{port}"), "bind_password": "x"});
    let mut ids = Vec::new();
    for renewed_by in ["a change", "reencrypt"] {
        let (id, _) = provider(&world, "LDAP", &config);
        let bound = sealed(&world, &id);
        seal_without_destination(&world, &id);
        test(&world, &id).expect(200);
        assert!(has_password(&heard.recv().expect("a connection")));
        assert_ne!(sealed(&world, &id), bound);
        match renewed_by {
            "a change" => {
                let path = format!("{BASE}/{id}");
                world
                    .admin("PATCH", &path, json!({"enabled": false}))
                    .expect(200);
            }
            _ => {
                let answer = world.admin("POST", &format!("{BASE}/reencrypt"), Value::Null);
                assert_eq!(
                    answer.expect(200).body["data"],
                    json!({"reencrypted": 1, "remaining": 0, "unreadable": []})
                );
            }
        }
        assert!(sealed(&world, &id).starts_with("2."));
        test(&world, &id).expect(200);
        assert!(has_password(&heard.recv().expect("a connection")));
        ids.push(id);
    }
    // What is bound does not open as what is not.
    let (first, text) = (&ids[0], sealed(&world, &ids[0]));
    world.database.execute(&format!(
        "update identity_providers set secret = '{}' where id = '{first}'",
        text.trim_start_matches("2.")
    ));
    test(&world, first).expect(409);
    // An old one is not sent elsewhere by a change either.
    let second = &ids[1];
    seal_without_destination(&world, second);
    let path = format!("{BASE}/{second}");
    let change = json!({"url": "ldaps://evil.example.com"});
    assert!(!changed(&world, &path, "ldap_config", &change).0);
}
