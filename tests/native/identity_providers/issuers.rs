//! Issuers as people paste them: what is no issuer is refused with what to paste instead.

use serde_json::{Value, json};

use super::{BASE, admin_body, id_of};
use crate::support::World;

#[test]
fn what_is_no_issuer_is_refused_with_what_to_paste() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let template = "your own directory's id";
    for (issuer, words) in [
        (
            "https://login.example.com/.well-known/openid-configuration",
            "most often https://login.example.com (`issuer`",
        ),
        (
            "https://login.example.com/.well-known/openid-configuration/",
            "most often https://login.example.com (`issuer`",
        ),
        (
            "https://login.example.com/realms/x/.well-known/openid-configuration",
            "most often https://login.example.com/realms/x (`issuer`",
        ),
        (
            "https://login.example.com/.well-known/oauth-authorization-server",
            "most often https://login.example.com (`issuer`",
        ),
        (
            "https://login.microsoftonline.com/{tenantid}/v2.0",
            template,
        ),
        ("https://login.microsoftonline.com/{tenant}/v2.0", template),
        (
            "https://login.microsoftonline.com/%7Btenantid%7D/v2.0",
            template,
        ),
        (
            "https://login.microsoftonline.com/%7btenantid%7d/v2.0",
            template,
        ),
        ("https://login.microsoftonline.com/<tenant>/v2.0", template),
    ] {
        let mut body = admin_body(&tenant, "OIDC");
        body["oidc_config"]["issuer"] = issuer.into();
        let answer = world.admin("POST", BASE, body);
        answer.expect(422);
        let field = &answer.body["detail"][0];
        assert_eq!(field["loc"], json!(["body", "oidc_config", "issuer"]));
        let msg = field["msg"].as_str().expect("a message");
        assert!(msg.contains(words), "{issuer}: {msg}");
    }
    let mut body = admin_body(&tenant, "OIDC");
    body["oidc_config"]["issuer"] =
        "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0".into();
    let id = id_of(world.admin("POST", BASE, body).expect(201));
    // One that an older version took is still shown, and its other settings can be changed.
    world.database.execute(
        "update identity_providers set config = replace(config, '9188040d-6c67-4c5b-b112-36a304b66dad', '{tenantid}')",
    );
    let path = format!("{BASE}/{id}");
    world.admin("GET", &path, Value::Null).expect(200);
    world
        .admin("PATCH", &path, json!({"name": "Other"}))
        .expect(200);
    world
        .admin(
            "PATCH",
            &path,
            json!({"oidc_config": {"scopes": ["openid"]}}),
        )
        .expect(422);
}
