//! The rows that the jobs worker answers: the administrators', and what came of SCIM requests that it carries out, so that the first worker has SCIM alone and stays small. That one knows that
//! they are there, and hands their requests on.

use http::Method;

use super::row::{AdminRow, For, IdempotencyKey, ScimRow};
#[cfg(feature = "jobs")]
use crate::api::admin::identity_providers::access::View;
#[cfg(feature = "jobs")]
use crate::api::admin::identity_providers::{
    group_mappings, providers, reencryption, saml_metadata, test_connection,
};
#[cfg(feature = "jobs")]
use crate::api::admin::{
    activity, audit_events, console_session, databases, directory_syncs, erasures,
    event_deliveries, event_polls, event_streams, events, export, import, moves, own_schemas,
    replay, requests, resources_history, scim_tokens, setup, setup_links, status, tenants, undo,
};
#[cfg(feature = "jobs")]
use crate::api::scim::async_requests;
use crate::auth::admin::AdminScope;
#[cfg(not(feature = "jobs"))]
use crate::error::Error;

/// A handler of this crate, in a build that has it; none in the first worker.
#[cfg(feature = "jobs")]
macro_rules! handler {
    ($handler:path $(, $more:expr)*) => {
        Some(|call, admin| Box::pin($handler(call, admin $(, $more)*)))
    };
}
#[cfg(not(feature = "jobs"))]
macro_rules! handler {
    ($($handler:tt)*) => {
        None
    };
}

/// A handler for administrators with a scope, and what it takes besides the request and the administrator.
macro_rules! admin {
    ($scope:ident, $($handler:tt)*) => {
        For::Admin(AdminScope::$scope, IdempotencyKey::Ignored, handler!($($handler)*))
    };
}

/// The same for a handler that makes what a request that is sent twice must not make twice.
macro_rules! admin_once {
    ($scope:ident, $($handler:tt)*) => {
        For::Admin(AdminScope::$scope, IdempotencyKey::Taken, handler!($($handler)*))
    };
}

/// A handler for whoever has a set-up link.
macro_rules! setup {
    ($key:ident, $scope:ident, $($handler:tt)*) => {
        For::SetupLink(AdminScope::$scope, IdempotencyKey::$key, handler!($($handler)*))
    };
}

/// A handler for whoever has come through Cloudflare Access.
macro_rules! access {
    ($($handler:tt)*) => {
        For::Access(handler!($($handler)*))
    };
}

#[rustfmt::skip]
pub static ADMIN_ROUTES: &[AdminRow] = &[
    (Method::POST, "/console/session", "createConsoleSession", access!(console_session::create), &[]),
    (Method::GET, "/api/v1/admin/tenants", "listTenants", admin!(TenantsRead, tenants::list), &["page", "per_page", "search"]),
    (Method::POST, "/api/v1/admin/tenants", "createTenant", admin_once!(TenantsWrite, tenants::create), &[]),
    (Method::GET, "/api/v1/admin/tenants/:tenant_id", "readTenant", admin!(TenantsRead, tenants::read), &[]),
    (Method::PATCH, "/api/v1/admin/tenants/:tenant_id", "updateTenant", admin!(TenantsWrite, tenants::update), &[]),
    (Method::DELETE, "/api/v1/admin/tenants/:tenant_id", "deleteTenant", admin!(TenantsWrite, tenants::delete), &[]),
    (Method::GET, "/api/v1/admin/tenants/:tenant_id/export", "exportTenant", admin!(TenantsRead, export::answer), &[]),
    (Method::POST, "/api/v1/admin/tenants/:tenant_id/import", "importTenant", admin!(TenantsWrite, import::answer), &[]),
    (Method::GET, "/api/v1/admin/tenants/:tenant_id/move", "readMove", admin!(TenantsRead, moves::read), &[]),
    (Method::POST, "/api/v1/admin/tenants/:tenant_id/move", "moveTenant", admin!(TenantsWrite, moves::begin), &[]),
    (Method::DELETE, "/api/v1/admin/tenants/:tenant_id/move", "cancelMove", admin!(TenantsWrite, moves::cancel), &[]),
    (Method::POST, "/api/v1/admin/tenants/:tenant_id/restore", "restoreTenant", admin!(TenantsWrite, tenants::restore), &[]),
    (Method::GET, "/api/v1/admin/tenants/:tenant_id/schemas", "listOwnSchemas", admin!(TenantsRead, own_schemas::list), &["page", "per_page"]),
    (Method::POST, "/api/v1/admin/tenants/:tenant_id/schemas", "createOwnSchema", admin!(TenantsWrite, own_schemas::create), &[]),
    (Method::GET, "/api/v1/admin/tenants/:tenant_id/schemas/:urn", "readOwnSchema", admin!(TenantsRead, own_schemas::read), &[]),
    (Method::PATCH, "/api/v1/admin/tenants/:tenant_id/schemas/:urn", "updateOwnSchema", admin!(TenantsWrite, own_schemas::update), &["discard_values"]),
    (Method::DELETE, "/api/v1/admin/tenants/:tenant_id/schemas/:urn", "deleteOwnSchema", admin!(TenantsWrite, own_schemas::delete), &["discard_values"]),
    (Method::GET, "/api/v1/admin/scim-tokens", "listScimTokens", admin!(ScimTokensRead, scim_tokens::list), &["page", "per_page", "tenant_id"]),
    (Method::POST, "/api/v1/admin/scim-tokens", "createScimToken", admin_once!(ScimTokensWrite, scim_tokens::create), &[]),
    (Method::GET, "/api/v1/admin/scim-tokens/endpoint-info", "readScimEndpointInfo", admin!(ScimTokensRead, scim_tokens::endpoint_info), &["tenant_id"]),
    (Method::GET, "/api/v1/admin/scim-tokens/:token_id", "readScimToken", admin!(ScimTokensRead, scim_tokens::read), &[]),
    (Method::PATCH, "/api/v1/admin/scim-tokens/:token_id", "updateScimToken", admin!(ScimTokensWrite, scim_tokens::update), &[]),
    (Method::DELETE, "/api/v1/admin/scim-tokens/:token_id", "deleteScimToken", admin!(ScimTokensWrite, scim_tokens::delete), &[]),
    (Method::POST, "/api/v1/admin/scim-tokens/:token_id/rotate", "rotateScimToken", admin_once!(ScimTokensWrite, scim_tokens::rotate), &[]),
    (Method::POST, "/api/v1/admin/scim-tokens/:token_id/allow-removals", "allowRemovals", admin!(ScimTokensWrite, scim_tokens::allow_removals), &[]),
    (Method::GET, "/api/v1/admin/setup-links", "listSetupLinks", admin!(TenantsRead, setup_links::list), &["page", "per_page", "tenant_id"]),
    (Method::POST, "/api/v1/admin/setup-links", "createSetupLink", admin_once!(TenantsWrite, setup_links::create), &[]),
    (Method::DELETE, "/api/v1/admin/setup-links/:link_id", "deleteSetupLink", admin!(TenantsWrite, setup_links::delete), &["tenant_id"]),
    (Method::GET, "/api/v1/tenants/:tenant_id/setup", "readSetup", setup!(Ignored, TenantsRead, setup::read), &[]),
    (Method::POST, "/api/v1/tenants/:tenant_id/setup/scim-tokens", "createScimTokenOfSetup", setup!(Taken, ScimTokensWrite, setup::create_scim_token), &[]),
    (Method::POST, "/api/v1/tenants/:tenant_id/setup/saml-metadata", "readSamlMetadataOfSetup", setup!(Ignored, IdentityProvidersWrite, saml_metadata::read), &[]),
    (Method::POST, "/api/v1/tenants/:tenant_id/setup/identity-providers", "createIdentityProviderOfSetup", setup!(Taken, IdentityProvidersWrite, providers::create, View::Admin), &[]),
    (Method::GET, "/api/v1/tenants/:tenant_id/setup/identity-providers/:idp_id", "readIdentityProviderOfSetup", setup!(Ignored, IdentityProvidersWrite, providers::read, View::Admin), &[]),
    (Method::PATCH, "/api/v1/tenants/:tenant_id/setup/identity-providers/:idp_id", "updateIdentityProviderOfSetup", setup!(Ignored, IdentityProvidersWrite, providers::update, View::Admin), &[]),
    (Method::POST, "/api/v1/tenants/:tenant_id/setup/identity-providers/:idp_id/test", "testIdentityProviderOfSetup", setup!(Ignored, IdentityProvidersWrite, test_connection::test, View::Admin), &[]),
    (Method::GET, "/api/v1/admin/audit-events", "listAuditEvents", admin!(AuditRead, audit_events::list), &["tenant_id", "resource_type", "resource_id", "actor", "action", "request_id", "since", "until", "after", "limit"]),
    (Method::GET, "/api/v1/admin/resources/:type/:id/history", "readResourceHistory", admin!(AuditRead, resources_history::list), &["tenant_id", "after", "limit"]),
    (Method::POST, "/api/v1/admin/undo", "undoChanges", admin!(AuditWrite, undo::undo), &[]),
    (Method::GET, "/api/v1/admin/undo/:undo_id", "readUndo", admin!(AuditRead, undo::read), &["tenant_id"]),
    (Method::POST, "/api/v1/admin/erasures", "erase", admin!(AuditWrite, erasures::erase), &[]),
    (Method::GET, "/api/v1/admin/activity", "readActivity", admin!(AuditRead, activity::read), &["tenant_id"]),
    (Method::GET, "/api/v1/admin/databases", "listDatabases", admin!(TenantsRead, databases::list), &["page", "per_page"]),
    (Method::GET, "/api/v1/admin/status", "readStatus", admin!(AuditRead, status::read), &["tenant_id", "page", "per_page"]),
    (Method::GET, "/api/v1/admin/requests", "listRequests", admin!(AuditRead, requests::list), &["tenant_id", "status", "actor", "method", "resource_id", "request_id", "user_name", "since", "until", "after", "limit"]),
    (Method::GET, "/api/v1/admin/requests/:request_id", "readRequest", admin!(AuditRead, requests::read), &["tenant_id"]),
    (Method::POST, "/api/v1/admin/requests/:request_id/replay", "replayRequest", admin!(AuditWrite, replay::replay), &[]),
    (Method::GET, "/api/v1/admin/identity-providers", "listIdentityProviders", admin!(IdentityProvidersRead, providers::list, View::Admin), &["page", "per_page", "tenant_id", "provider_type", "search"]),
    (Method::POST, "/api/v1/admin/identity-providers", "createIdentityProvider", admin_once!(IdentityProvidersWrite, providers::create, View::Admin), &[]),
    (Method::POST, "/api/v1/admin/identity-providers/reencrypt", "reencryptSecrets", admin!(IdentityProvidersWrite, reencryption::reencrypt), &[]),
    (Method::POST, "/api/v1/admin/identity-providers/saml-metadata", "readSamlMetadata", admin!(IdentityProvidersWrite, saml_metadata::read), &[]),
    (Method::GET, "/api/v1/admin/identity-providers/:idp_id", "readIdentityProvider", admin!(IdentityProvidersRead, providers::read, View::Admin), &[]),
    (Method::PATCH, "/api/v1/admin/identity-providers/:idp_id", "updateIdentityProvider", admin!(IdentityProvidersWrite, providers::update, View::Admin), &[]),
    (Method::DELETE, "/api/v1/admin/identity-providers/:idp_id", "deleteIdentityProvider", admin!(IdentityProvidersWrite, providers::delete, View::Admin), &[]),
    (Method::POST, "/api/v1/admin/identity-providers/:idp_id/test", "testIdentityProvider", admin!(IdentityProvidersWrite, test_connection::test, View::Admin), &[]),
    (Method::POST, "/api/v1/admin/identity-providers/:idp_id/sync", "startSync", admin!(IdentityProvidersWrite, directory_syncs::start), &["dry_run", "full", "allow_removals"]),
    (Method::GET, "/api/v1/admin/identity-providers/:idp_id/sync-logs", "listSyncLogs", admin!(IdentityProvidersRead, directory_syncs::list), &["page", "per_page"]),
    (Method::GET, "/api/v1/admin/identity-providers/:idp_id/sync-logs/:log_id", "readSyncLog", admin!(IdentityProvidersRead, directory_syncs::read), &["page", "per_page"]),
    (Method::GET, "/api/v1/tenants/:tenant_id/events", "listEvents", admin!(AuditRead, events::list), &["after", "limit", "types", "wait"]),
    (Method::GET, "/api/v1/tenants/:tenant_id/event-streams", "listEventStreams", admin!(AuditRead, event_streams::list), &["page", "per_page"]),
    (Method::POST, "/api/v1/tenants/:tenant_id/event-streams", "createEventStream", admin_once!(AuditWrite, event_streams::create), &[]),
    (Method::GET, "/api/v1/tenants/:tenant_id/event-streams/:stream_id", "readEventStream", admin!(AuditRead, event_streams::read), &[]),
    (Method::PATCH, "/api/v1/tenants/:tenant_id/event-streams/:stream_id", "updateEventStream", admin!(AuditWrite, event_streams::update), &[]),
    (Method::DELETE, "/api/v1/tenants/:tenant_id/event-streams/:stream_id", "deleteEventStream", admin!(AuditWrite, event_streams::delete), &[]),
    (Method::POST, "/api/v1/tenants/:tenant_id/event-streams/:stream_id/rotate-secret", "rotateEventStreamSecret", admin_once!(AuditWrite, event_streams::rotate_secret), &[]),
    (Method::POST, "/api/v1/tenants/:tenant_id/event-streams/:stream_id/test", "testEventStream", admin!(AuditWrite, event_deliveries::test), &[]),
    (Method::POST, "/api/v1/tenants/:tenant_id/event-streams/:stream_id/replay", "replayEventStream", admin!(AuditWrite, event_streams::replay), &[]),
    (Method::POST, "/api/v1/tenants/:tenant_id/event-streams/:stream_id/resume", "resumeEventStream", admin!(AuditWrite, event_streams::resume), &[]),
    (Method::POST, "/api/v1/tenants/:tenant_id/event-streams/:stream_id/poll", "pollEventStream", admin!(AuditRead, event_polls::poll), &[]),
    (Method::GET, "/api/v1/tenants/:tenant_id/event-streams/:stream_id/deliveries", "listDeliveries", admin!(AuditRead, event_deliveries::list), &["after", "limit"]),
    (Method::GET, "/api/v1/tenants/:tenant_id/identity-providers", "listIdentityProvidersOfTenant", admin!(IdentityProvidersRead, providers::list, View::Tenant), &["page", "per_page", "enabled_only", "protocol"]),
    (Method::POST, "/api/v1/tenants/:tenant_id/identity-providers", "createIdentityProviderOfTenant", admin_once!(IdentityProvidersWrite, providers::create, View::Tenant), &[]),
    (Method::GET, "/api/v1/tenants/:tenant_id/identity-providers/:idp_id", "readIdentityProviderOfTenant", admin!(IdentityProvidersRead, providers::read, View::Tenant), &[]),
    (Method::PATCH, "/api/v1/tenants/:tenant_id/identity-providers/:idp_id", "updateIdentityProviderOfTenant", admin!(IdentityProvidersWrite, providers::update, View::Tenant), &[]),
    (Method::DELETE, "/api/v1/tenants/:tenant_id/identity-providers/:idp_id", "deleteIdentityProviderOfTenant", admin!(IdentityProvidersWrite, providers::delete, View::Tenant), &[]),
    (Method::POST, "/api/v1/tenants/:tenant_id/identity-providers/:idp_id/test", "testIdentityProviderOfTenant", admin!(IdentityProvidersWrite, test_connection::test, View::Tenant), &[]),
    (Method::GET, "/api/v1/tenants/:tenant_id/identity-providers/:idp_id/group-mappings", "listGroupMappings", admin!(IdentityProvidersRead, group_mappings::list), &["page", "per_page"]),
    (Method::POST, "/api/v1/tenants/:tenant_id/identity-providers/:idp_id/group-mappings", "createGroupMapping", admin_once!(IdentityProvidersWrite, group_mappings::create), &[]),
    (Method::DELETE, "/api/v1/tenants/:tenant_id/identity-providers/:idp_id/group-mappings/:mapping_id", "deleteGroupMapping", admin!(IdentityProvidersWrite, group_mappings::delete), &[]),
];

/// What stands under both SCIM bases. The handler takes one of two scopes by itself.
pub static SCIM_ROUTES: &[ScimRow] = &[(
    Method::GET,
    "/AsyncRequests/:txn",
    "readAsyncRequest",
    READ_ASYNC_REQUEST,
)];

#[cfg(feature = "jobs")]
const READ_ASYNC_REQUEST: For = For::Scim(&[], |call, caller| {
    Box::pin(async_requests::read(call, caller))
});
#[cfg(not(feature = "jobs"))]
const READ_ASYNC_REQUEST: For = For::Scim(&[], |_, _| {
    Box::pin(async { Err(Error::not_found("the request")) })
});
