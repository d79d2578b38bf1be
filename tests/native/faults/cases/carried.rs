//! A tenant's data taken out and brought in, and a tenant that is brought back.

use serde_json::{Value, json};

use super::{Case, Scene, user};

impl Scene {
    /// The cases of a tenant's data.
    pub fn carried(&self) -> [Case; 6] {
        let path = format!("/admin/tenants/{}", self.tenant);
        let mut line = user("imported");
        line["id"] = "01a1fa81-2c91-7f90-9f26-4fa48cc17938".into();
        [
            self.admin("GET", &format!("{path}/export"), Value::Null, 200),
            self.admin("POST", &format!("{path}/import"), line, 200)
                .with("content-type", "application/x-ndjson"),
            self.admin("POST", &format!("{path}/restore"), Value::Null, 409),
            // There is one database.
            self.admin(
                "POST",
                &format!("{path}/move"),
                json!({"database": "main"}),
                422,
            ),
            self.admin("GET", &format!("{path}/move"), Value::Null, 200),
            self.admin("DELETE", &format!("{path}/move"), Value::Null, 404),
        ]
    }
}
