//! The rows that the first worker answers: SCIM, and what administrators and everybody else ask for that takes no time.

use http::Method;

use super::row::{AdminRow, For, IdempotencyKey, ScimRow};
use crate::api::admin::{docs, export, health, import, scim_tokens, tenants};
use crate::api::http::caller::Subject;
use crate::api::scim::{bulk, discovery, groups, lists, resources, users};
use crate::auth::admin::AdminScope;
use crate::auth::scope::Scope;
use crate::scim::schema::{GROUPS, RESOURCE_TYPES, ResourceType, USERS};

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

/// A handler for SCIM clients with scopes, and what it takes besides the request and the caller.
macro_rules! scim {
    ([$($scope:ident),+], $handler:path $(, $more:expr)*) => {
        For::Scim(&[$(Scope::$scope),+], |call, caller| Box::pin($handler(call, caller $(, $more)*)))
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

static USERS_ALONE: [&ResourceType; 1] = [&USERS];
static GROUPS_ALONE: [&ResourceType; 1] = [&GROUPS];

#[rustfmt::skip]
pub fn scim_routes() -> Vec<ScimRow> {
    vec![
        (Method::GET, "/ServiceProviderConfig", "readServiceProviderConfig", public!(discovery::service_provider_config)),
        (Method::GET, "/ResourceTypes", "listResourceTypes", public!(discovery::resource_types)),
        (Method::GET, "/ResourceTypes/:id", "readResourceType", public!(discovery::resource_type)),
        (Method::GET, "/Schemas", "listSchemas", public!(discovery::schemas)),
        (Method::GET, "/Schemas/:id", "readSchema", public!(discovery::schema)),
        (Method::GET, "", "listAll", scim!([UsersRead, GroupsRead], lists::list, &RESOURCE_TYPES)),
        (Method::POST, "/.search", "searchAll", scim!([UsersRead, GroupsRead], lists::search, &RESOURCE_TYPES)),
        (Method::POST, "/Users/.search", "searchUsers", scim!([UsersRead], lists::search, &USERS_ALONE)),
        (Method::POST, "/Groups/.search", "searchGroups", scim!([GroupsRead], lists::search, &GROUPS_ALONE)),
        (Method::GET, "/Users", "listUsers", scim!([UsersRead], lists::list, &USERS_ALONE)),
        (Method::POST, "/Users", "createUser", scim!([UsersWrite], users::create)),
        (Method::GET, "/Users/:id", "readUser", scim!([UsersRead], resources::read, &USERS, Subject::Path)),
        (Method::PUT, "/Users/:id", "replaceUser", scim!([UsersWrite], users::replace, Subject::Path)),
        (Method::PATCH, "/Users/:id", "patchUser", scim!([UsersWrite], users::patch, Subject::Path)),
        (Method::DELETE, "/Users/:id", "deleteUser", scim!([UsersWrite], resources::delete, &USERS, Subject::Path)),
        (Method::POST, "/Bulk", "bulk", scim!([Bulk], bulk::answer)),
        (Method::GET, "/Me", "readMe", scim!([UsersRead], resources::read, &USERS, Subject::Me)),
        (Method::PUT, "/Me", "replaceMe", scim!([UsersWrite], users::replace, Subject::Me)),
        (Method::PATCH, "/Me", "patchMe", scim!([UsersWrite], users::patch, Subject::Me)),
        (Method::DELETE, "/Me", "deleteMe", scim!([UsersWrite], resources::delete, &USERS, Subject::Me)),
        (Method::GET, "/Groups", "listGroups", scim!([GroupsRead], lists::list, &GROUPS_ALONE)),
        (Method::POST, "/Groups", "createGroup", scim!([GroupsWrite], groups::create)),
        (Method::GET, "/Groups/:id", "readGroup", scim!([GroupsRead], resources::read, &GROUPS, Subject::Path)),
        (Method::PUT, "/Groups/:id", "replaceGroup", scim!([GroupsWrite], groups::replace)),
        (Method::PATCH, "/Groups/:id", "patchGroup", scim!([GroupsWrite], groups::patch)),
        (Method::DELETE, "/Groups/:id", "deleteGroup", scim!([GroupsWrite], resources::delete, &GROUPS, Subject::Path)),
    ]
}
