//! Set-up links, and what they open.

use serde_json::{Value, json};

use super::{Case, MARK, Scene, provider};
use crate::support::{START, World};

/// Where a SAML provider publishes its metadata.
pub const METADATA: &str = "https://mark3d.example.com/metadata";

/// A set-up link's id and its secret.
pub fn link(world: &World, tenant: &str) -> (String, String) {
    let link = json!({"tenant_id": tenant, "allows": ["scim", "sso"]});
    let made = world.admin("POST", "/api/v1/admin/setup-links", link);
    let of_link = |name: &str| made.expect(201).body["data"][name].as_str();
    let secret = of_link("url").and_then(|url| url.rsplit_once('/'));
    // Whether the use of a link, or of a token, was noted is no part of what a request does.
    for table in ["setup_links", "scim_tokens"] {
        let noted = format!("update {table} set last_used_at = {START}");
        world.database.execute(&noted);
    }
    let id = of_link("id").expect("an id");
    (id.to_owned(), secret.expect("a secret").1.to_owned())
}

impl Scene {
    /// A request with the set-up link.
    fn by_link(&self, method: &str, path: &str, body: Value, status: u16) -> Case {
        let path = format!("/api/v1/tenants/{}/setup{path}", self.tenant);
        self.case(&self.link.1, method, &path, body, status)
    }

    pub fn setup(&self) -> Vec<Case> {
        let links = "/admin/setup-links";
        let link = format!("{links}/{}?tenant_id={}", self.link.0, self.tenant);
        let new = json!({"tenant_id": self.tenant, "allows": ["directory"]});
        let mut of_link = provider("Set up");
        of_link["tenant_id"] = self.tenant.clone().into();
        let idp = format!("/identity-providers/{}", self.idp);
        let test = format!("{idp}/test");
        vec![
            self.admin("GET", links, Value::Null, 200),
            self.admin("POST", links, new, 201).writes_more(),
            self.by_link("GET", "", Value::Null, 200),
            self.by_link("POST", "/scim-tokens", json!({"name": MARK}), 201)
                .writes_more(),
            self.by_link("POST", "/identity-providers", of_link, 201)
                .again(409),
            self.by_link("GET", &idp, Value::Null, 200),
            self.by_link("PATCH", &idp, json!({"enabled": false}), 200),
            self.by_link("POST", &test, Value::Null, 200),
            self.by_link("POST", "/saml-metadata", json!({"url": METADATA}), 200),
            self.admin("DELETE", &link, Value::Null, 204).again(404),
        ]
    }
}
