//! Every route, in one table.
//!
//! The runtime has a Router of its own, which is not used: it answers 405 without `Allow` and in plain text, leaves
//! parameters percent-encoded and knows no trailing slashes. Matching is `matchit`'s, the same that it uses.
//!
//! A row says whom it is for, and nothing else opens a handler: one without that is no row. The rows stand with the worker that answers them.
//!
//! SCIM routes are written once and stand under both bases. A path is found with and without its trailing slash.

mod jobs;
#[cfg(feature = "requests")]
mod requests;
mod row;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use http::Method;
use percent_encoding::percent_decode_str;

use self::row::AdminRow;
pub(crate) use self::row::{For, Handler, IdempotencyKey};
pub use self::row::{Route, Worker};
use super::call::Place;
use super::reply::Dialect;
use crate::error::{Error, Kind, Result};

/// What is below a tenant, with its id.
const TENANTS: &str = "/api/v1/tenants/";
/// The SCIM base with the tenant in the path.
const TENANT_BASE: &str = "/api/v1/tenants/:tenant_id/scim/v2";
/// The SCIM base with the tenant taken from the credential.
pub const TOKEN_BASE: &str = "/scim/v2";

/// The whole table. The jobs worker has its own rows alone: nobody but the first asks it.
pub fn all() -> Vec<Route> {
    let mut all = Vec::new();
    #[cfg(feature = "requests")]
    all.extend(admin(requests::admin_routes(), Worker::Requests));
    all.extend(admin(jobs::admin_routes(), Worker::Jobs));
    #[cfg(feature = "requests")]
    all.extend(scim());
    all
}

fn admin(rows: Vec<AdminRow>, answered_by: Worker) -> impl Iterator<Item = Route> {
    rows.into_iter()
        .map(move |(method, pattern, name, access, parameters)| Route {
            method,
            pattern: pattern.to_owned(),
            name,
            dialect: Dialect::Admin,
            parameters,
            answered_by,
            access,
        })
}

#[cfg(feature = "requests")]
fn scim() -> impl Iterator<Item = Route> {
    [TENANT_BASE, TOKEN_BASE].into_iter().flat_map(|base| {
        requests::scim_routes()
            .into_iter()
            .map(move |(method, path, name, access)| Route {
                method,
                pattern: format!("{base}{path}"),
                name,
                dialect: Dialect::Scim,
                parameters: &[],
                answered_by: Worker::Requests,
                access,
            })
    })
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
