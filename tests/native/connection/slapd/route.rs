//! The test of an LDAP provider by its route: what is configured is what is used, the password too.

use serde_json::{Value, json};

use super::super::{check_names, run, test_provider};
use crate::support::slapd::{BASE, Slapd};
use crate::support::{SECRET, World};

fn local() -> World {
    World::configured(&[("JWT_LOCAL_SECRET", SECRET), ("LOCAL_DEVELOPMENT", "on")])
}

fn config(port: u16, more: Value) -> Value {
    let mut config = json!({
        "url": format!("ldap://127.0.0.1:{port}"), "bind_dn": format!("cn=reader,ou=services,{BASE}"),
        "bind_password": "reader-password", "base_dn": BASE, "user_filter": "(objectClass=inetOrgPerson)",
        "group_filter": "(objectClass=groupOfNames)",
    });
    for (name, value) in more.as_object().expect("an object") {
        config[name] = value.clone();
    }
    json!({"ldap_config": config})
}

#[test]
fn a_directory_passes_with_the_password_that_is_stored() {
    let slapd = Slapd::start();
    let port = slapd.port;
    let world = local();
    let tenant = world.tenant("compat");
    let id = test_provider(&tenant, "LDAP", config(port, json!({})));
    let data = run(&world, &id);
    assert_eq!(data["success"], true, "{data}");
    assert_eq!(
        check_names(&data),
        [
            "connect",
            "TLS",
            "bind",
            "base DN",
            "user filter",
            "group filter"
        ]
    );
    assert_eq!(data["details"]["protocol"], "LDAP");
    // Without a group filter there are no groups to look for; with another password there is nothing to see.
    let path = format!("/api/v1/admin/identity-providers/{id}");
    let change = json!({"ldap_config": {"group_filter": null}});
    world.admin("PATCH", &path, change).expect(200);
    assert_eq!(check_names(&run(&world, &id)).len(), 5);
    let change = json!({"ldap_config": {"bind_password": "a-wrong-password"}});
    world.admin("PATCH", &path, change).expect(200);
    let data = run(&world, &id);
    assert_eq!(data["success"], false);
    assert_eq!(check_names(&data).last(), Some(&"bind"), "{data}");
    assert!(!data.to_string().contains("a-wrong-password"));
}

#[test]
fn a_directory_without_a_password_is_not_bound_as_nobody() {
    let slapd = Slapd::start();
    let world = local();
    let tenant = world.tenant("compat");
    let without = config(slapd.port, json!({"bind_password": null}));
    let data = run(&world, &test_provider(&tenant, "LDAP", without));
    assert_eq!(check_names(&data).last(), Some(&"bind"), "{data}");
    let message = data["message"].as_str().expect("a message");
    assert!(message.contains("has no password"), "{message}");
}

#[test]
fn a_directory_inside_is_never_asked() {
    let world = World::new();
    let tenant = world.tenant("compat");
    for host in [
        "127.0.0.1",
        "localhost",
        "10.0.0.1",
        "[::1]",
        "dc01",
        "ldap.internal",
    ] {
        let inside = config(389, json!({"url": format!("ldap://{host}:389")}));
        let data = run(&world, &test_provider(&tenant, "LDAP", inside));
        assert_eq!(check_names(&data), ["connect"], "{host}");
        assert_eq!(data["success"], false, "{host}");
    }
}
