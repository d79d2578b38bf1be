//! Tenants, and what everybody reads.

use serde_json::{Value, json};

use super::{Case, MARK, Scene};

impl Scene {
    pub fn tenants(&self) -> Vec<Case> {
        let all = "/admin/tenants/";
        let path = format!("{all}{}", self.tenant);
        let named = json!({"name": format!("Named {MARK}"), "id": "named"});
        let switched = json!({"scim_profile": "strict", "store_passwords": true});
        let mut cases = vec![
            self.case("", "GET", "/healthz", Value::Null, 200),
            self.admin("GET", all, Value::Null, 200),
            self.admin("POST", all, json!({"name": MARK}), 201)
                .writes_more(),
            self.admin("POST", all, named, 201).again(409),
            self.admin("GET", &path, Value::Null, 200),
            self.admin("PATCH", &path, switched, 200).writes_more(),
            self.admin("DELETE", &path, Value::Null, 204).again(404),
            self.case("", "GET", "/openapi.json", Value::Null, 200),
            self.case("", "GET", "/docs", Value::Null, 200),
            self.case("", "GET", "/docs/docs.js", Value::Null, 200),
            self.case("", "GET", "/setup", Value::Null, 200),
            self.case("", "GET", "/setup/console.css", Value::Null, 200),
            self.case("", "POST", "/console/session", json!({}), 201)
                .with("sec-fetch-site", "same-origin")
                .with("cf-access-jwt-assertion", &self.assertion),
            self.case("", "GET", "/console", Value::Null, 200),
            self.case("", "GET", "/console/console.css", Value::Null, 200),
            self.case("", "GET", "/console/settings.json", Value::Null, 200),
        ];
        cases.extend(self.carried());
        cases
    }
}
