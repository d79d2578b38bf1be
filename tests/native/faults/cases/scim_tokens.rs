//! Requests on SCIM tokens.

use serde_json::{Value, json};

use super::{Case, MARK, Scene};

impl Scene {
    pub fn scim_tokens(&self) -> Vec<Case> {
        let all = "/admin/scim-tokens/";
        let path = format!("{all}{}", self.token_id);
        let rotate = format!("{path}/rotate");
        let allow = format!("{path}/allow-removals");
        let new = json!({"tenant_id": self.tenant, "name": MARK, "scopes": ["users:read"]});
        let info = format!("{all}endpoint-info?tenant_id={}", self.tenant);
        vec![
            self.admin("GET", all, Value::Null, 200),
            self.admin("GET", &info, Value::Null, 200),
            self.admin("POST", all, new, 201).writes_more(),
            self.admin("GET", &path, Value::Null, 200),
            self.admin(
                "PATCH",
                &path,
                json!({"name": MARK, "is_active": false}),
                200,
            )
            .writes_more(),
            self.admin("DELETE", &path, Value::Null, 204).again(404),
            self.admin("POST", &allow, json!({"count": 9, "minutes": 5}), 200)
                .writes_more(),
            self.admin("POST", &rotate, json!({"overlap_seconds": 60}), 201)
                .again(409),
            self.admin("POST", &rotate, Value::Null, 201).again(404),
        ]
    }
}
