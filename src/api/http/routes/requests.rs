//! The rows that the first worker answers besides SCIM: what administrators and everybody else ask for that takes no time.

use http::Method;

use super::row::{AdminRow, For, IdempotencyKey};
use crate::api::admin::{docs, export, health, import, scim_tokens, tenants};
use crate::auth::admin::AdminScope;

/// A handler that everybody reaches.
macro_rules! public {
    ($handler:path) => {
        For::Public(|call| Box::pin($handler(call)))
    };
}

/// A handler for administrators with a scope, and what it takes besides the request and the administrator.
macro_rules! admin {
    ($scope:ident, $handler:path $(, $more:expr)*) => {
        For::Admin(AdminScope::$scope, IdempotencyKey::Ignored, Some(|call, admin| Box::pin($handler(call, admin $(, $more)*))))
    };
}

/// The same for a handler that makes what a request that is sent twice must not make twice.
macro_rules! admin_once {
    ($scope:ident, $handler:path $(, $more:expr)*) => {
        For::Admin(AdminScope::$scope, IdempotencyKey::Taken, Some(|call, admin| Box::pin($handler(call, admin $(, $more)*))))
    };
}

#[rustfmt::skip]
pub fn admin_routes() -> Vec<AdminRow> {
    vec![
        (Method::GET, "/healthz", "readHealth", public!(health::answer), &[]),
        (Method::GET, "/openapi.json", "readOpenApi", public!(docs::openapi), &[]),
        (Method::GET, "/docs", "readDocs", public!(docs::page), &[]),
        (Method::GET, "/docs/:file", "readDocsFile", public!(docs::file), &[]),
        (Method::GET, "/api/v1/admin/tenants", "listTenants", admin!(TenantsRead, tenants::list), &["page", "per_page", "search"]),
        (Method::POST, "/api/v1/admin/tenants", "createTenant", admin_once!(TenantsWrite, tenants::create), &[]),
        (Method::GET, "/api/v1/admin/tenants/:tenant_id", "readTenant", admin!(TenantsRead, tenants::read), &[]),
        (Method::PATCH, "/api/v1/admin/tenants/:tenant_id", "updateTenant", admin!(TenantsWrite, tenants::update), &[]),
        (Method::DELETE, "/api/v1/admin/tenants/:tenant_id", "deleteTenant", admin!(TenantsWrite, tenants::delete), &[]),
        (Method::GET, "/api/v1/admin/tenants/:tenant_id/export", "exportTenant", admin!(TenantsRead, export::answer), &[]),
        (Method::POST, "/api/v1/admin/tenants/:tenant_id/import", "importTenant", admin!(TenantsWrite, import::answer), &[]),
        (Method::POST, "/api/v1/admin/tenants/:tenant_id/restore", "restoreTenant", admin!(TenantsWrite, tenants::restore), &[]),
        (Method::GET, "/api/v1/admin/scim-tokens", "listScimTokens", admin!(ScimTokensRead, scim_tokens::list), &["page", "per_page", "tenant_id"]),
        (Method::POST, "/api/v1/admin/scim-tokens", "createScimToken", admin_once!(ScimTokensWrite, scim_tokens::create), &[]),
        (Method::GET, "/api/v1/admin/scim-tokens/endpoint-info", "readScimEndpointInfo", admin!(ScimTokensRead, scim_tokens::endpoint_info), &["tenant_id"]),
        (Method::GET, "/api/v1/admin/scim-tokens/:token_id", "readScimToken", admin!(ScimTokensRead, scim_tokens::read), &[]),
        (Method::PATCH, "/api/v1/admin/scim-tokens/:token_id", "updateScimToken", admin!(ScimTokensWrite, scim_tokens::update), &[]),
        (Method::DELETE, "/api/v1/admin/scim-tokens/:token_id", "deleteScimToken", admin!(ScimTokensWrite, scim_tokens::delete), &[]),
        (Method::POST, "/api/v1/admin/scim-tokens/:token_id/rotate", "rotateScimToken", admin_once!(ScimTokensWrite, scim_tokens::rotate), &[]),
        (Method::POST, "/api/v1/admin/scim-tokens/:token_id/allow-removals", "allowRemovals", admin!(ScimTokensWrite, scim_tokens::allow_removals), &[]),
    ]
}
