//! Every route, in one table.
//!
//! The worker's own Router hands every path to the application: it answers 405 without `Allow` and in plain text, leaves
//! parameters percent-encoded and knows no trailing slashes. Matching is `matchit`'s, the same that it uses.
//!
//! SCIM routes are written once and stand under both bases. A path is found with and without its trailing slash.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use http::Method;
use percent_encoding::percent_decode_str;

use super::reply::Dialect;
use crate::error::{Error, Kind};
use crate::scim::schema::{GROUPS, RESOURCE_TYPES, ResourceType, USERS};

/// What a route does.
#[derive(Debug, Clone, Copy)]
pub enum Endpoint {
    Health,
    OpenApi,
    Docs,
    DocsFile,
    ListTenants,
    CreateTenant,
    ReadTenant,
    UpdateTenant,
    DeleteTenant,
    ListScimTokens,
    CreateScimToken,
    ScimEndpointInfo,
    ReadScimToken,
    UpdateScimToken,
    DeleteScimToken,
    RotateScimToken,
    ListIdentityProviders(View),
    CreateIdentityProvider(View),
    ReadIdentityProvider(View),
    UpdateIdentityProvider(View),
    DeleteIdentityProvider(View),
    TestIdentityProvider(View),
    ReencryptSecrets,
    ListGroupMappings,
    CreateGroupMapping,
    DeleteGroupMapping,
    StartSync,
    ListSyncLogs,
    ReadSyncLog,
    Scim(ScimEndpoint),
}

/// Through whose eyes a route sees identity providers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// An administrator's, who names a provider without its tenant.
    Admin,
    /// A tenant's: its own, without what LDAP needs.
    Tenant,
}

/// What a SCIM route does.
#[derive(Debug, Clone, Copy)]
pub enum ScimEndpoint {
    ServiceProviderConfig,
    ResourceTypes,
    ResourceType,
    Schemas,
    Schema,
    List(&'static [&'static ResourceType]),
    Search(&'static [&'static ResourceType]),
    Read(&'static ResourceType),
    Delete(&'static ResourceType),
    CreateUser,
    ReplaceUser,
    PatchUser,
    CreateGroup,
    ReplaceGroup,
    PatchGroup,
    Bulk,
    ReadMe,
    ReplaceMe,
    PatchMe,
    DeleteMe,
}

/// One row of the table.
#[derive(Debug, Clone)]
pub struct Route {
    pub method: Method,
    /// With `:name` for parameters.
    pub pattern: String,
    pub endpoint: Endpoint,
}

/// The SCIM base with the tenant in the path.
const TENANT_BASE: &str = "/api/v1/tenants/:tenant_id/scim/v2";
/// The SCIM base with the tenant taken from the credential.
pub const TOKEN_BASE: &str = "/scim/v2";

#[rustfmt::skip]
fn admin_routes() -> Vec<(Method, &'static str, Endpoint)> {
    use Endpoint as E;
    vec![
        (Method::GET, "/healthz", E::Health),
        (Method::GET, "/openapi.json", E::OpenApi),
        (Method::GET, "/docs", E::Docs),
        (Method::GET, "/docs/:file", E::DocsFile),
        (Method::GET, "/api/v1/admin/tenants", E::ListTenants),
        (Method::POST, "/api/v1/admin/tenants", E::CreateTenant),
        (Method::GET, "/api/v1/admin/tenants/:tenant_id", E::ReadTenant),
        (Method::PATCH, "/api/v1/admin/tenants/:tenant_id", E::UpdateTenant),
        (Method::DELETE, "/api/v1/admin/tenants/:tenant_id", E::DeleteTenant),
        (Method::GET, "/api/v1/admin/scim-tokens", E::ListScimTokens),
        (Method::POST, "/api/v1/admin/scim-tokens", E::CreateScimToken),
        (Method::GET, "/api/v1/admin/scim-tokens/endpoint-info", E::ScimEndpointInfo),
        (Method::GET, "/api/v1/admin/scim-tokens/:token_id", E::ReadScimToken),
        (Method::PATCH, "/api/v1/admin/scim-tokens/:token_id", E::UpdateScimToken),
        (Method::DELETE, "/api/v1/admin/scim-tokens/:token_id", E::DeleteScimToken),
        (Method::POST, "/api/v1/admin/scim-tokens/:token_id/rotate", E::RotateScimToken),
        (Method::GET, "/api/v1/admin/identity-providers", E::ListIdentityProviders(View::Admin)),
        (Method::POST, "/api/v1/admin/identity-providers", E::CreateIdentityProvider(View::Admin)),
        (Method::POST, "/api/v1/admin/identity-providers/reencrypt", E::ReencryptSecrets),
        (Method::GET, "/api/v1/admin/identity-providers/:idp_id", E::ReadIdentityProvider(View::Admin)),
        (Method::PATCH, "/api/v1/admin/identity-providers/:idp_id", E::UpdateIdentityProvider(View::Admin)),
        (Method::DELETE, "/api/v1/admin/identity-providers/:idp_id", E::DeleteIdentityProvider(View::Admin)),
        (Method::POST, "/api/v1/admin/identity-providers/:idp_id/test", E::TestIdentityProvider(View::Admin)),
        (Method::POST, "/api/v1/admin/identity-providers/:idp_id/sync", E::StartSync),
        (Method::GET, "/api/v1/admin/identity-providers/:idp_id/sync-logs", E::ListSyncLogs),
        (Method::GET, "/api/v1/admin/identity-providers/:idp_id/sync-logs/:log_id", E::ReadSyncLog),
        (Method::GET, "/api/v1/tenants/:tenant_id/identity-providers", E::ListIdentityProviders(View::Tenant)),
        (Method::POST, "/api/v1/tenants/:tenant_id/identity-providers", E::CreateIdentityProvider(View::Tenant)),
        (Method::GET, "/api/v1/tenants/:tenant_id/identity-providers/:idp_id", E::ReadIdentityProvider(View::Tenant)),
        (Method::PATCH, "/api/v1/tenants/:tenant_id/identity-providers/:idp_id", E::UpdateIdentityProvider(View::Tenant)),
        (Method::DELETE, "/api/v1/tenants/:tenant_id/identity-providers/:idp_id", E::DeleteIdentityProvider(View::Tenant)),
        (Method::POST, "/api/v1/tenants/:tenant_id/identity-providers/:idp_id/test", E::TestIdentityProvider(View::Tenant)),
        (Method::GET, "/api/v1/tenants/:tenant_id/identity-providers/:idp_id/group-mappings", E::ListGroupMappings),
        (Method::POST, "/api/v1/tenants/:tenant_id/identity-providers/:idp_id/group-mappings", E::CreateGroupMapping),
        (Method::DELETE, "/api/v1/tenants/:tenant_id/identity-providers/:idp_id/group-mappings/:mapping_id", E::DeleteGroupMapping),
    ]
}

static USERS_ALONE: [&ResourceType; 1] = [&USERS];
static GROUPS_ALONE: [&ResourceType; 1] = [&GROUPS];

#[rustfmt::skip]
fn scim_routes() -> Vec<(Method, &'static str, ScimEndpoint)> {
    use ScimEndpoint as E;
    vec![
        (Method::GET, "/ServiceProviderConfig", E::ServiceProviderConfig),
        (Method::GET, "/ResourceTypes", E::ResourceTypes),
        (Method::GET, "/ResourceTypes/:id", E::ResourceType),
        (Method::GET, "/Schemas", E::Schemas),
        (Method::GET, "/Schemas/:id", E::Schema),
        (Method::GET, "", E::List(&RESOURCE_TYPES)),
        (Method::POST, "/.search", E::Search(&RESOURCE_TYPES)),
        (Method::POST, "/Users/.search", E::Search(&USERS_ALONE)),
        (Method::POST, "/Groups/.search", E::Search(&GROUPS_ALONE)),
        (Method::GET, "/Users", E::List(&USERS_ALONE)),
        (Method::POST, "/Users", E::CreateUser),
        (Method::GET, "/Users/:id", E::Read(&USERS)),
        (Method::PUT, "/Users/:id", E::ReplaceUser),
        (Method::PATCH, "/Users/:id", E::PatchUser),
        (Method::DELETE, "/Users/:id", E::Delete(&USERS)),
        (Method::POST, "/Bulk", E::Bulk),
        (Method::GET, "/Me", E::ReadMe),
        (Method::PUT, "/Me", E::ReplaceMe),
        (Method::PATCH, "/Me", E::PatchMe),
        (Method::DELETE, "/Me", E::DeleteMe),
        (Method::GET, "/Groups", E::List(&GROUPS_ALONE)),
        (Method::POST, "/Groups", E::CreateGroup),
        (Method::GET, "/Groups/:id", E::Read(&GROUPS)),
        (Method::PUT, "/Groups/:id", E::ReplaceGroup),
        (Method::PATCH, "/Groups/:id", E::PatchGroup),
        (Method::DELETE, "/Groups/:id", E::Delete(&GROUPS)),
    ]
}

/// The whole table.
pub fn all() -> Vec<Route> {
    let admin = admin_routes()
        .into_iter()
        .map(|(method, pattern, endpoint)| Route {
            method,
            pattern: pattern.to_owned(),
            endpoint,
        });
    let scim = [TENANT_BASE, TOKEN_BASE].into_iter().flat_map(|base| {
        scim_routes()
            .into_iter()
            .map(move |(method, path, endpoint)| Route {
                method,
                pattern: format!("{base}{path}"),
                endpoint: Endpoint::Scim(endpoint),
            })
    });
    admin.chain(scim).collect()
}

/// All routes of one pattern.
struct Paths {
    pattern: String,
    methods: Vec<(Method, Endpoint)>,
}

type Table = (matchit::Router<usize>, Vec<Paths>);

/// The table, built once. A pattern that conflicts with another is left out; a test shows that none is.
fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut by_pattern: BTreeMap<String, Vec<(Method, Endpoint)>> = BTreeMap::new();
        for route in all() {
            by_pattern
                .entry(route.pattern)
                .or_default()
                .push((route.method, route.endpoint));
        }
        let mut router = matchit::Router::new();
        let mut paths = Vec::new();
        for (pattern, methods) in by_pattern {
            if router.insert(pattern.clone(), paths.len()).is_ok() {
                paths.push(Paths { pattern, methods });
            }
        }
        (router, paths)
    })
}

/// What a path and method lead to.
#[derive(Debug)]
pub struct Match {
    pub endpoint: Result<Endpoint, Error>,
    pub dialect: Dialect,
    /// The part of the path that is the SCIM base, where it lies below one.
    pub scim_base: String,
    /// The route's pattern, empty where there is none.
    pub pattern: &'static str,
    /// Parameters by name, percent-decoded.
    pub params: Vec<(String, String)>,
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
            endpoint: Err(Error::new(Kind::NotFound, nothing_at(&path))),
            dialect,
            scim_base,
            pattern: "",
            params: Vec::new(),
        };
    };
    let wanted = match *method {
        Method::HEAD => &Method::GET,
        _ => method,
    };
    let endpoint = paths
        .methods
        .iter()
        .find(|(method, _)| method == wanted)
        .map(|(_, endpoint)| *endpoint)
        .ok_or_else(|| {
            let allow: Vec<&str> = paths
                .methods
                .iter()
                .map(|(method, _)| method.as_str())
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
        endpoint,
        dialect,
        scim_base,
        pattern: &paths.pattern,
        params,
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
    let meant = meant.map(|paths| {
        let parts = paths
            .pattern
            .split('/')
            .map(|part| match part.strip_prefix(':') {
                Some(name) => format!("{{{name}}}"),
                None => part.to_owned(),
            });
        parts.collect::<Vec<_>>().join("/")
    });
    let hint = match (path, meant) {
        ("/", _) => {
            format!("an identity provider takes {TENANT_BASE} or {TOKEN_BASE} for its base")
                .replace(":tenant_id", "{tenant_id}")
        }
        (_, Some(meant)) => format!("{meant} is written like this"),
        (_, None) => return "there is nothing at this path; /docs lists what there is".to_owned(),
    };
    format!("there is nothing at this path: {hint}; /docs lists what there is")
}

/// Which dialect a path is answered in, even where nothing is found there.
pub fn dialect(path: &str) -> Dialect {
    match scim_base_length(&without_empty_parts(path)) {
        Some(_) => Dialect::Scim,
        None => Dialect::Admin,
    }
}

/// The part of a path that is the SCIM base, where it lies below one.
fn scim_base(path: &str) -> &str {
    scim_base_length(path)
        .and_then(|length| path.get(..length))
        .unwrap_or_default()
}

fn scim_base_length(path: &str) -> Option<usize> {
    let ends = |rest: &str| rest.is_empty() || rest.starts_with('/');
    if let Some(rest) = path.strip_prefix(TOKEN_BASE) {
        return ends(rest).then_some(TOKEN_BASE.len());
    }
    let after = path.strip_prefix("/api/v1/tenants/")?;
    let (_, rest) = after.split_once('/')?;
    let rest = rest.strip_prefix("scim/v2")?;
    ends(rest).then_some(path.len() - rest.len())
}
