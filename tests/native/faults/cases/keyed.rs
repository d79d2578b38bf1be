//! Requests that make something and come with an `Idempotency-Key`: sent again, they are answered the same and make nothing more.

use serde_json::{Value, json};

use super::{Case, MARK, Scene, provider};

impl Scene {
    pub fn keyed(&self) -> Vec<Case> {
        let tokens = "/admin/scim-tokens";
        let rotate = format!("{tokens}/{}/rotate", self.token_id);
        let tenants = format!("/tenants/{}/identity-providers", self.tenant);
        let mappings = format!("{tenants}/{}/group-mappings", self.directory);
        let mut of_tenant = provider("New");
        of_tenant["tenant_id"] = self.tenant.clone().into();
        let streams = format!("/tenants/{}/event-streams", self.tenant);
        let overlap = json!({"overlap_seconds": 60});
        let mapping =
            json!({"external_group_id": format!("{MARK}-2"), "internal_group_id": self.team});
        let requests = [
            ("/admin/tenants", json!({"name": MARK})),
            (tokens, json!({"tenant_id": self.tenant, "name": MARK})),
            (&rotate, Value::Null),
            (&rotate, overlap),
            ("/admin/identity-providers", of_tenant),
            (&tenants, provider("New")),
            (&mappings, mapping),
            (
                "/admin/setup-links",
                json!({"tenant_id": self.tenant, "allows": ["scim"]}),
            ),
            (
                &streams,
                json!({"name": MARK, "url": "https://receiver.example.com/"}),
            ),
        ];
        let keyed = requests.into_iter().map(|(path, body)| {
            let case = self.admin("POST", path, body, 201);
            case.with("idempotency-key", MARK)
        });
        keyed.collect()
    }
}
