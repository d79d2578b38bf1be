//! Every route, in one table.
//!
//! The worker's own Router hands every path to the application: it answers 405 without `Allow` and in plain text, leaves
//! parameters percent-encoded and knows no trailing slashes. Matching is `matchit`'s, the same that it uses.
//!
//! A row says whom it is for, and nothing else opens a handler: one without that is no row.
//!
//! SCIM routes are written once and stand under both bases. A path is found with and without its trailing slash.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use http::Method;
use percent_encoding::percent_decode_str;

use super::call::{Call, Place};
use super::caller::{Caller, Subject};
use super::reply::{Dialect, Reply};
use crate::api::admin::identity_providers::access::View;
use crate::api::admin::identity_providers::{
    group_mappings, providers, reencryption, test_connection,
};
use crate::api::admin::{audit_events, directory_syncs, docs, health, scim_tokens, tenants};
use crate::api::scim::{bulk, discovery, groups, lists, resources, users};
use crate::auth::admin::{Admin, AdminScope};
use crate::auth::scope::Scope;
use crate::error::{Error, Kind, Result};
use crate::platform::LocalFuture;
use crate::scim::schema::{GROUPS, RESOURCE_TYPES, ResourceType, USERS};

/// What answers a route: a function whose future is in a box of its own. They would be one function otherwise, of a third of a megabyte, and
/// the first request of all would wait for its compilation.
pub(crate) type Handler<C> = for<'a> fn(&'a Call<'a>, &'a C) -> LocalFuture<'a, Result<Reply>>;
/// What answers everybody.
pub(crate) type PublicHandler = for<'a> fn(&'a Call<'a>) -> LocalFuture<'a, Result<Reply>>;

/// Whom a route is for, and what answers them.
#[derive(Debug, Clone, Copy)]
pub(crate) enum For {
    /// Everybody, without a credential.
    Public(PublicHandler),
    /// Administrators with the scope.
    Admin(AdminScope, IdempotencyKey, Handler<Admin>),
    /// SCIM clients with all of the scopes. Each operation of a Bulk request takes its own besides.
    Scim(&'static [Scope], Handler<Caller>),
}

/// Whether a route takes the header `Idempotency-Key`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IdempotencyKey {
    /// A request that is sent again with its key is answered as before. The handler writes through
    /// [`idempotency::commit`](super::idempotency::commit).
    Taken,
    /// Passed over, like any header that nobody knows.
    Ignored,
}

/// One row of the table.
#[derive(Debug, Clone)]
pub struct Route {
    pub method: Method,
    /// With `:name` for parameters.
    pub pattern: String,
    /// What the route does, in one word: the `operationId` of the OpenAPI document.
    pub name: &'static str,
    pub dialect: Dialect,
    /// The parameters that an administrator's route takes in its query. A SCIM route passes over what it does not know.
    pub parameters: &'static [&'static str],
    pub(crate) access: For,
}

/// A handler that everybody reaches.
macro_rules! public {
    ($handler:path) => {
        For::Public(|call| Box::pin($handler(call)))
    };
}

/// A handler for administrators with a scope, and what it takes besides the request and the administrator.
macro_rules! admin {
    ($scope:ident, $handler:path $(, $more:expr)*) => {
        For::Admin(AdminScope::$scope, IdempotencyKey::Ignored, |call, admin| Box::pin($handler(call, admin $(, $more)*)))
    };
}

/// The same for a handler that makes what a request that is sent twice must not make twice.
macro_rules! admin_once {
    ($scope:ident, $handler:path $(, $more:expr)*) => {
        For::Admin(AdminScope::$scope, IdempotencyKey::Taken, |call, admin| Box::pin($handler(call, admin $(, $more)*)))
    };
}

/// A handler for SCIM clients with scopes, and what it takes besides the request and the caller.
macro_rules! scim {
    ([$($scope:ident),+], $handler:path $(, $more:expr)*) => {
        For::Scim(&[$(Scope::$scope),+], |call, caller| Box::pin($handler(call, caller $(, $more)*)))
    };
}

/// What is below a tenant, with its id.
const TENANTS: &str = "/api/v1/tenants/";
/// The SCIM base with the tenant in the path.
const TENANT_BASE: &str = "/api/v1/tenants/:tenant_id/scim/v2";
/// The SCIM base with the tenant taken from the credential.
pub const TOKEN_BASE: &str = "/scim/v2";

/// A row as it is written: method, pattern, name, for whom.
type Row = (Method, &'static str, &'static str, For);

/// The same with the parameters of the query.
type AdminRow = (
    Method,
    &'static str,
    &'static str,
    For,
    &'static [&'static str],
);

#[rustfmt::skip]
fn admin_routes() -> Vec<AdminRow> {
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
        (Method::GET, "/api/v1/admin/scim-tokens", "listScimTokens", admin!(ScimTokensRead, scim_tokens::list), &["page", "per_page", "tenant_id"]),
        (Method::POST, "/api/v1/admin/scim-tokens", "createScimToken", admin_once!(ScimTokensWrite, scim_tokens::create), &[]),
        (Method::GET, "/api/v1/admin/scim-tokens/endpoint-info", "readScimEndpointInfo", admin!(ScimTokensRead, scim_tokens::endpoint_info), &["tenant_id"]),
        (Method::GET, "/api/v1/admin/scim-tokens/:token_id", "readScimToken", admin!(ScimTokensRead, scim_tokens::read), &[]),
        (Method::PATCH, "/api/v1/admin/scim-tokens/:token_id", "updateScimToken", admin!(ScimTokensWrite, scim_tokens::update), &[]),
        (Method::DELETE, "/api/v1/admin/scim-tokens/:token_id", "deleteScimToken", admin!(ScimTokensWrite, scim_tokens::delete), &[]),
        (Method::POST, "/api/v1/admin/scim-tokens/:token_id/rotate", "rotateScimToken", admin_once!(ScimTokensWrite, scim_tokens::rotate), &[]),
        (Method::GET, "/api/v1/admin/audit-events", "listAuditEvents", admin!(AuditRead, audit_events::list), &["tenant_id", "resource_type", "resource_id", "actor", "action", "request_id", "since", "until", "after", "limit"]),
        (Method::GET, "/api/v1/admin/identity-providers", "listIdentityProviders", admin!(IdentityProvidersRead, providers::list, View::Admin), &["page", "per_page", "tenant_id", "provider_type", "search"]),
        (Method::POST, "/api/v1/admin/identity-providers", "createIdentityProvider", admin_once!(IdentityProvidersWrite, providers::create, View::Admin), &[]),
        (Method::POST, "/api/v1/admin/identity-providers/reencrypt", "reencryptSecrets", admin!(IdentityProvidersWrite, reencryption::reencrypt), &[]),
        (Method::GET, "/api/v1/admin/identity-providers/:idp_id", "readIdentityProvider", admin!(IdentityProvidersRead, providers::read, View::Admin), &[]),
        (Method::PATCH, "/api/v1/admin/identity-providers/:idp_id", "updateIdentityProvider", admin!(IdentityProvidersWrite, providers::update, View::Admin), &[]),
        (Method::DELETE, "/api/v1/admin/identity-providers/:idp_id", "deleteIdentityProvider", admin!(IdentityProvidersWrite, providers::delete, View::Admin), &[]),
        (Method::POST, "/api/v1/admin/identity-providers/:idp_id/test", "testIdentityProvider", admin!(IdentityProvidersWrite, test_connection::test, View::Admin), &[]),
        (Method::POST, "/api/v1/admin/identity-providers/:idp_id/sync", "startSync", admin!(IdentityProvidersWrite, directory_syncs::start), &["dry_run", "full", "allow_removals"]),
        (Method::GET, "/api/v1/admin/identity-providers/:idp_id/sync-logs", "listSyncLogs", admin!(IdentityProvidersRead, directory_syncs::list), &["page", "per_page"]),
        (Method::GET, "/api/v1/admin/identity-providers/:idp_id/sync-logs/:log_id", "readSyncLog", admin!(IdentityProvidersRead, directory_syncs::read), &["page", "per_page"]),
        (Method::GET, "/api/v1/tenants/:tenant_id/identity-providers", "listIdentityProvidersOfTenant", admin!(IdentityProvidersRead, providers::list, View::Tenant), &["page", "per_page", "enabled_only", "protocol"]),
        (Method::POST, "/api/v1/tenants/:tenant_id/identity-providers", "createIdentityProviderOfTenant", admin_once!(IdentityProvidersWrite, providers::create, View::Tenant), &[]),
        (Method::GET, "/api/v1/tenants/:tenant_id/identity-providers/:idp_id", "readIdentityProviderOfTenant", admin!(IdentityProvidersRead, providers::read, View::Tenant), &[]),
        (Method::PATCH, "/api/v1/tenants/:tenant_id/identity-providers/:idp_id", "updateIdentityProviderOfTenant", admin!(IdentityProvidersWrite, providers::update, View::Tenant), &[]),
        (Method::DELETE, "/api/v1/tenants/:tenant_id/identity-providers/:idp_id", "deleteIdentityProviderOfTenant", admin!(IdentityProvidersWrite, providers::delete, View::Tenant), &[]),
        (Method::POST, "/api/v1/tenants/:tenant_id/identity-providers/:idp_id/test", "testIdentityProviderOfTenant", admin!(IdentityProvidersWrite, test_connection::test, View::Tenant), &[]),
        (Method::GET, "/api/v1/tenants/:tenant_id/identity-providers/:idp_id/group-mappings", "listGroupMappings", admin!(IdentityProvidersRead, group_mappings::list), &["page", "per_page"]),
        (Method::POST, "/api/v1/tenants/:tenant_id/identity-providers/:idp_id/group-mappings", "createGroupMapping", admin_once!(IdentityProvidersWrite, group_mappings::create), &[]),
        (Method::DELETE, "/api/v1/tenants/:tenant_id/identity-providers/:idp_id/group-mappings/:mapping_id", "deleteGroupMapping", admin!(IdentityProvidersWrite, group_mappings::delete), &[]),
    ]
}

static USERS_ALONE: [&ResourceType; 1] = [&USERS];
static GROUPS_ALONE: [&ResourceType; 1] = [&GROUPS];

#[rustfmt::skip]
fn scim_routes() -> Vec<Row> {
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

/// The whole table.
pub fn all() -> Vec<Route> {
    let admin = admin_routes()
        .into_iter()
        .map(|(method, pattern, name, access, parameters)| Route {
            method,
            pattern: pattern.to_owned(),
            name,
            dialect: Dialect::Admin,
            parameters,
            access,
        });
    let scim = [TENANT_BASE, TOKEN_BASE].into_iter().flat_map(|base| {
        scim_routes()
            .into_iter()
            .map(move |(method, path, name, access)| Route {
                method,
                pattern: format!("{base}{path}"),
                name,
                dialect: Dialect::Scim,
                parameters: &[],
                access,
            })
    });
    admin.chain(scim).collect()
}

/// All routes of one pattern.
struct Paths {
    pattern: String,
    routes: Vec<Route>,
}

type Table = (matchit::Router<usize>, Vec<Paths>);

/// The table, built once. A pattern that conflicts with another is left out; a test shows that none is.
fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut by_pattern: BTreeMap<String, Vec<Route>> = BTreeMap::new();
        for route in all() {
            by_pattern
                .entry(route.pattern.clone())
                .or_default()
                .push(route);
        }
        let mut router = matchit::Router::new();
        let mut paths = Vec::new();
        for (pattern, routes) in by_pattern {
            if router.insert(pattern.clone(), paths.len()).is_ok() {
                paths.push(Paths { pattern, routes });
            }
        }
        (router, paths)
    })
}

/// What a path and method lead to.
#[derive(Debug)]
pub struct Match {
    pub route: Result<&'static Route>,
    /// The route's pattern, empty where there is none.
    pub pattern: &'static str,
    pub(crate) place: Place,
}

/// Finds the route of a request. HEAD is answered like GET; the platform drops the body.
pub fn find(method: &Method, path: &str) -> Match {
    let path = without_empty_parts(path);
    let dialect = dialect(&path);
    let scim_base = scim_base(&path).to_owned();
    let (router, paths) = table();
    let matched = router.at(&path).ok();
    let found = matched.and_then(|matched| {
        let params: Option<Vec<(String, String)>> = matched
            .params
            .iter()
            .map(|(name, value)| {
                let value = percent_decode_str(value).decode_utf8().ok()?;
                Some((name.to_owned(), value.into_owned()))
            })
            .collect();
        Some((paths.get(*matched.value)?, params?))
    });
    let Some((paths, params)) = found else {
        return Match {
            route: Err(Error::new(Kind::NotFound, nothing_at(&path))),
            pattern: "",
            place: Place {
                dialect,
                scim_base,
                params: Vec::new(),
            },
        };
    };
    let wanted = match *method {
        Method::HEAD => &Method::GET,
        _ => method,
    };
    let route = paths
        .routes
        .iter()
        .find(|route| route.method == wanted)
        .ok_or_else(|| {
            let allow: Vec<&str> = paths
                .routes
                .iter()
                .map(|route| route.method.as_str())
                .collect();
            let allow = allow.join(", ");
            Error::new(
                Kind::MethodNotAllowed {
                    allow: allow.clone(),
                },
                format!("this path takes {allow}"),
            )
        });
    Match {
        route,
        pattern: &paths.pattern,
        place: Place {
            dialect,
            scim_base,
            params,
        },
    }
}

/// A path without what stands between two slashes that follow each other, and without its trailing slash: clients put a base that ends
/// in a slash before a path that begins with one.
fn without_empty_parts(path: &str) -> String {
    let parts = path.split('/').filter(|part| !part.is_empty());
    let path: String = parts.flat_map(|part| ["/", part]).collect();
    match path.is_empty() {
        true => "/".to_owned(),
        false => path,
    }
}

/// What a 404 says of a path at which there is nothing: the path that differs from it in case alone, where there is one, and where the
/// API is described.
fn nothing_at(path: &str) -> String {
    let (_, paths) = table();
    let same = |pattern: &str| {
        let parts = |text: &str| text.split('/').count();
        parts(pattern) == parts(path)
            && pattern
                .split('/')
                .zip(path.split('/'))
                .all(|(known, given)| known.starts_with(':') || known.eq_ignore_ascii_case(given))
    };
    let is_written_so = |pattern: &str| {
        let mut parts = pattern.split('/').zip(path.split('/'));
        parts.all(|(known, given)| known.starts_with(':') || known == given)
    };
    let meant = paths
        .iter()
        .find(|paths| same(&paths.pattern) && !is_written_so(&paths.pattern));
    let hint = match (path, meant) {
        ("/", _) => {
            let bases = format!("{TENANT_BASE} or {TOKEN_BASE}");
            format!(
                "an identity provider takes {} for its base",
                in_words(&bases)
            )
        }
        (_, Some(meant)) => format!("{} is written like this", in_words(&meant.pattern)),
        (_, None) if is_without_tenant(path) => {
            format!(
                "the tenant's id is missing, {}",
                in_words(&format!("{TENANTS}:tenant_id/…"))
            )
        }
        (_, None) => return "there is nothing at this path; /docs lists what there is".to_owned(),
    };
    format!("there is nothing at this path: {hint}; /docs lists what there is")
}

/// A pattern for people to read: `{id}` in the place of `:id`.
fn in_words(pattern: &str) -> String {
    let parts = pattern.split('/').map(|part| match part.strip_prefix(':') {
        Some(name) => format!("{{{name}}}"),
        None => part.to_owned(),
    });
    parts.collect::<Vec<_>>().join("/")
}

/// Whether a path has nothing where a tenant's id belongs, as where a variable in an address was empty.
fn is_without_tenant(path: &str) -> bool {
    let rest = path.strip_prefix(TENANTS).unwrap_or_default();
    ["scim/v2", "identity-providers"]
        .iter()
        .any(|below| is_below(rest, below))
}

fn is_below(path: &str, above: &str) -> bool {
    path.strip_prefix(above)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Which dialect a path is answered in, even where nothing is found there.
pub fn dialect(path: &str) -> Dialect {
    let path = without_empty_parts(path);
    let is_without_tenant = path
        .strip_prefix(TENANTS)
        .is_some_and(|rest| is_below(rest, "scim/v2"));
    match scim_base_length(&path) {
        None if !is_without_tenant => Dialect::Admin,
        _ => Dialect::Scim,
    }
}

/// The part of a path that is the SCIM base, where it lies below one.
fn scim_base(path: &str) -> &str {
    scim_base_length(path)
        .and_then(|length| path.get(..length))
        .unwrap_or_default()
}

fn scim_base_length(path: &str) -> Option<usize> {
    if is_below(path, TOKEN_BASE) {
        return Some(TOKEN_BASE.len());
    }
    let (_, rest) = path.strip_prefix(TENANTS)?.split_once('/')?;
    is_below(rest, "scim/v2").then_some(path.len() - rest.len() + "scim/v2".len())
}
