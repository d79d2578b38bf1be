//! A tenant that has something in every table, some of it long and strange.

use rollcall::change::rows_of_tenants::TABLES;
use rollcall::store::Value;
use serde_json::json;

use super::scene::Scene;

impl Scene {
    /// Inserts rows into the tables that are hard to fill otherwise, some of them long and strange.
    pub fn fill(&self, count: usize) {
        let tenant = self.tenant();
        let ada = tenant.user("ada@example.com");
        let bob = tenant.user("bob@example.com");
        let group = tenant.group("All", &[&ada, &bob]);
        tenant.group("Outer", &[]);
        let gone = tenant.user("gone@example.com");
        tenant
            .send("DELETE", &format!("/Users/{gone}"), serde_json::Value::Null)
            .expect(204);
        let emails = json!([{"op": "replace", "path": "emails", "value": [{"value": "ada@example.com", "type": "work"}]}]);
        tenant.patch(&format!("/Users/{ada}"), emails).expect(200);
        let renamed = json!([{"op": "replace", "path": "displayName", "value": "Everybody"}]);
        tenant
            .patch(&format!("/Groups/{group}"), renamed)
            .expect(200);
        for table in TABLES {
            if ["users", "groups", "audit_events", "user_names"].contains(&table.name) {
                continue;
            }
            for number in 0..count {
                let columns = table.columns.iter();
                let values: Vec<String> = columns
                    .enumerate()
                    .map(|(place, column)| {
                        self.value(
                            table.name,
                            column,
                            place < table.key_columns().len(),
                            number,
                        )
                    })
                    .collect();
                self.a.execute(&format!(
                    "insert into {} (tenant_id, {}) values ('{}', {})",
                    table.name,
                    table.columns.join(", "),
                    self.id,
                    values.join(", ")
                ));
            }
        }
        self.lead();
    }

    fn lead(&self) {
        for source in [
            "'scim_token', id, tenant_id, id from scim_tokens",
            "'scim_token_hash', token_hash, tenant_id, id from scim_tokens",
            "'identity_provider', id, tenant_id, id from identity_providers",
        ] {
            self.a.execute(&format!("insert or ignore into directory (kind, key, tenant_id, resource_id) select {source}"));
        }
    }

    fn value(&self, table: &str, column: &str, is_key: bool, number: usize) -> String {
        let sql = format!("select type from pragma_table_info('{table}') where name = '{column}'");
        let kind = self.a.query(&sql)[0][0].clone();
        if kind == Value::from("INTEGER") || kind == Value::from("integer") {
            return match number {
                1 if !is_key => "1795878815458".to_owned(),
                _ => number.to_string(),
            };
        }
        let fixed = match (table, column) {
            (_, "member_type" | "resource_type") => Some("User"),
            ("directory_entries", "state") => Some("present"),
            ("undos" | "async_requests", "status") => Some("failed"),
            ("sync_logs", "status") => Some("failed"),
            ("sync_logs", "started_by") => Some("manual"),
            ("sync_logs", "mode") => Some("full"),
            ("identity_providers", "protocol") => Some("OIDC"),
            ("event_streams", "kind") => Some("webhook"),
            ("identity_providers", "deleted_at") => None,
            _ => None,
        };
        if let Some(fixed) = fixed {
            return format!("'{fixed}'");
        }
        let strange = "quote'' \"double\" \\ \u{1}\u{7f} \u{10FFFF} ä é";
        match (is_key, number) {
            (true, 0) => "'Key ä \"0\" \\ ''x'''".to_owned(),
            (true, 1) => "'nul' || char(0) || 'behind'".to_owned(),
            (true, _) => format!("'key-{number}'"),
            (_, 0) => format!("'{strange}{number}'"),
            // A megabyte, of what grows when it is escaped.
            (_, 2) if ["sync_chunks", "undo_parts"].contains(&table) && column == "body" => {
                "replace(hex(zeroblob(300000)), '00', char(34) || char(34))".to_owned()
            }
            _ => format!("'{column} {number}'"),
        }
    }
}
