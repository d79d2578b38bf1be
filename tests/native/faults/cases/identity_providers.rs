//! Requests on identity providers and their group mappings.

use serde_json::{Value, json};

use super::setup::METADATA;
use super::{Case, MARK, Scene, provider};

impl Scene {
    /// In both views; a provider that is deleted takes a token of its own with it.
    pub fn identity_providers(&self) -> Vec<Case> {
        let admins = "/admin/identity-providers".to_owned();
        let tenants = format!("/tenants/{}/identity-providers", self.tenant);
        let mappings = format!("{tenants}/{}/group-mappings", self.directory);
        let mapping =
            json!({"external_group_id": format!("{MARK}-2"), "internal_group_id": self.team});
        let token = json!({"tenant_id": self.tenant, "name": MARK, "idp_id": self.idp});
        let change = json!({"oidc_config": {"client_secret": MARK.repeat(30), "scopes": [MARK]}});
        let mut named = provider("New");
        // What a sync does under faults is tried by itself (see ldap_sync).
        let idp = format!("{admins}/{}", self.idp);
        let log = format!("{idp}/sync-logs/{}", self.idp);
        let mut cases = vec![
            self.admin("POST", &format!("{idp}/sync"), Value::Null, 400),
            self.admin("GET", &format!("{idp}/sync-logs"), Value::Null, 200),
            self.admin("GET", &log, Value::Null, 404),
            self.admin("GET", &mappings, Value::Null, 200),
            self.admin("POST", &mappings, mapping, 201).again(409),
            self.admin(
                "DELETE",
                &format!("{mappings}/{}", self.mapping),
                Value::Null,
                204,
            )
            .again(404),
            self.admin("POST", "/admin/scim-tokens", token, 201)
                .writes_more(),
            self.admin(
                "POST",
                "/admin/identity-providers/reencrypt",
                Value::Null,
                200,
            ),
            self.admin(
                "POST",
                "/admin/identity-providers/saml-metadata",
                json!({"url": METADATA}),
                200,
            ),
        ];
        for (view, in_body) in [(tenants, false), (admins, true)] {
            if in_body {
                named["tenant_id"] = self.tenant.clone().into();
            }
            let path = format!("{view}/{}", self.idp);
            cases.extend([
                self.admin("GET", &view, Value::Null, 200),
                self.admin("POST", &view, named.clone(), 201).again(409),
                self.admin("GET", &path, Value::Null, 200),
                self.admin("PATCH", &path, change.clone(), 200)
                    .writes_more(),
                self.admin("DELETE", &path, Value::Null, 204).again(404),
                self.admin("POST", &format!("{path}/test"), Value::Null, 200),
            ]);
        }
        cases
    }
}
