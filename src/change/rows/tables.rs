//! The tables that have a tenant's rows, with their keys and columns.

/// A table whose rows belong to tenants, by their first column, `tenant_id`.
#[derive(Debug)]
pub struct Table {
    pub name: &'static str,
    /// The columns behind the tenant's id that are stored, those of the key first: generated ones are not here.
    pub columns: &'static [&'static str],
    /// How many columns the key has behind the tenant's id.
    key: usize,
}

impl Table {
    /// The columns of the key behind the tenant's id.
    pub fn key_columns(&self) -> &'static [&'static str] {
        self.columns.get(..self.key).unwrap_or_default()
    }

    /// The same with commas between them.
    pub fn key(&self) -> String {
        self.key_columns().join(", ")
    }

    /// Whether the key has no case: an URN's.
    pub fn is_caseless(&self) -> bool {
        self.name == "own_schemas"
    }
}

const fn table(name: &'static str, key: usize, columns: &'static [&'static str]) -> Table {
    Table { name, columns, key }
}

/// Every table that has a tenant's rows: what there is more of first. `directory` is apart, its key is another one; `tenants` is, because
/// where its row is the tenant is.
pub const TABLES: &[Table] = &[
    table("group_members", 2, &["group_id", "member_id", "member_type", "granted"]),
    table("mapping_grants", 3, &["group_id", "member_id", "mapping_id", "idp_id"]),
    table("user_emails", 3, &["value_key", "user_id", "type_key"]),
    table("users", 1, &["id", "provider_id", "version", "created_at", "modified_at", "password_hash", "resource", "keys"]),
    table("user_names", 1, &["id", "name"]),
    table("groups", 1, &["id", "provider_id", "version", "created_at", "modified_at", "member_count", "unique_name", "resource", "keys"]),
    table("group_mappings", 2, &["idp_id", "id", "external_group_id", "external_group_name", "internal_group_id", "created_at"]),
    table("tombstones", 2, &["resource_type", "id", "external_id", "deleted_at"]),
    table("audit_events", 1, &["seq", "at", "actor", "action", "resource_type", "resource_id", "attributes", "request_id", "detail"]),
    table("revisions", 3, &["request_id", "seq", "part", "resource_type", "resource_id", "version", "created_at", "provider_id", "resource", "memberships"]),
    table("requests", 1, &["id", "actor", "method", "route", "path", "status", "failed", "scim_type", "detail", "forgiven", "resource_type", "resource_id", "user_name", "user_name_key", "duration_ms", "d1_trips", "d1_rows_read", "d1_rows_written", "seq", "body_state", "body"]),
    table("request_counts", 1, &["minute", "seen"]),
    table("undos", 1, &["id", "actor", "status", "dry_run", "parts", "part", "outcome", "started_at", "updated_at", "finished_at", "resent"]),
    table("undo_parts", 2, &["undo_id", "number", "body"]),
    table("async_requests", 1, &["id", "actor", "method", "route", "head", "key_id", "status", "fail_on_errors", "operations", "done", "failed", "parts", "part", "accepted_at", "updated_at", "finished_at", "resent"]),
    table("async_parts", 2, &["request_id", "number", "body"]),
    table("async_results", 2, &["request_id", "number", "result"]),
    table("directory_entries", 2, &["idp_id", "unique_id", "resource_type", "resource_id", "dn_key", "digest", "members_digest", "state"]),
    table("directory_syncs", 1, &["idp_id", "log_id", "expires_at", "started_at", "watermark", "full_at", "config_digest", "synced_at", "newest"]),
    table("sync_logs", 2, &["idp_id", "id", "started_by", "actor", "mode", "status", "counts", "reason", "started_at", "finished_at", "dry_run", "epoch", "step", "state", "resent"]),
    table("sync_entries", 2, &["log_id", "seq", "resource_type", "action", "unique_id", "dn", "name", "resource_id", "reason"]),
    table("sync_chunks", 4, &["log_id", "kind", "number", "part", "body"]),
    table("dead_messages", 1, &["id", "kind", "body", "at"]),
    table("kept_replies", 1, &["key_hash", "request_hash", "made_for", "reply", "reply_key_id", "expires_at"]),
    table("deliveries", 1, &["id", "stream_id", "message_id", "first_seq", "last_seq", "events", "attempt", "status", "reason", "ms", "reply", "at"]),
    table("event_streams", 1, &["id", "name", "kind", "url", "types", "batch", "is_active", "secrets", "key_id", "after_seq", "pending_seq", "failures", "failing_since", "next_try_at", "delivered_at", "paused_at", "paused_reason", "run", "lease", "lease_until", "created_at", "created_by", "updated_at", "revision", "audience", "issuer", "payload", "acknowledged"]),
    table("setup_links", 1, &["id", "hash", "allows", "created_at", "created_by", "expires_at", "last_used_at"]),
    table("own_schemas", 1, &["id", "document", "created_at", "updated_at"]),
    table("own_values", 3, &["attribute", "value", "resource_id"]),
    table("scim_tokens", 1, &["id", "token_hash", "token_hint", "name", "description", "scopes", "is_active", "idp_id", "created_at", "created_by", "updated_at", "expires_at", "last_used_at", "revoked_at", "revision", "told_of_end"]),
    table("identity_providers", 1, &["id", "name", "name_key", "display_name", "protocol", "enabled", "auto_create_users", "update_user_on_login", "config", "attribute_mapping", "allowed_domains", "secret", "secret_key_id", "created_at", "updated_at", "deleted_at", "revision"]),
];

/// The columns of a tenant's own row.
pub const TENANT: &[&str] = &["id", "name", "scim_profile", "store_passwords", "created_at", "updated_at", "deleted_at", "user_total", "group_total", "audit_seq", "audit_days", "history_days", "requests_days", "record_bodies", "removal_fuse", "removals", "upkeep_at", "push_streams", "product_name", "product_color", "schemas_revision", "unknown_extensions", "assignable"];
