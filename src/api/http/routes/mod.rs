//! Every route, in one table.
//!
//! The runtime has a Router of its own, which is not used: it answers 405 without `Allow` and in plain text, leaves
//! parameters percent-encoded and knows no trailing slashes.
//!
//! A row says whom it is for, and nothing else opens a handler: one without that is no row. The rows stand with the worker that answers them.
//!
//! SCIM routes are written once and stand under both bases. A path is found with and without its trailing slash.

mod jobs;
mod path;
#[cfg(feature = "requests")]
mod requests;
pub(crate) mod row;
pub(crate) mod scim;

use std::sync::OnceLock;

use http::Method;

use self::path::{
    TENANT_BASE, TENANTS, is_below, is_of, parameters, scim_base, without_empty_parts,
};
pub use self::path::{TOKEN_BASE, dialect};
use self::row::AdminRow;
pub(crate) use self::row::{For, Handler};
pub use self::row::{Route, Worker};
use super::call::Place;
use super::reply::Dialect;
use crate::error::{Error, Kind, Result};

/// The whole table. The jobs worker has its own rows, and those by which SCIM writes: nobody but the first asks it.
pub fn all() -> Vec<Route> {
    let mut all = Vec::new();
    #[cfg(feature = "requests")]
    all.extend(admin(requests::PUBLIC_ROUTES, Worker::Requests));
    all.extend(admin(jobs::ADMIN_ROUTES, Worker::Jobs));
    #[cfg(feature = "requests")]
    all.extend(scim::rows(scim::READS, Worker::Requests));
    all.extend(scim::rows(scim::WRITES, Worker::Requests));
    all.extend(scim::rows(jobs::SCIM_ROUTES, Worker::Jobs));
    all
}

fn admin(rows: &'static [AdminRow], answered_by: Worker) -> impl Iterator<Item = Route> {
    rows.iter()
        .map(move |(method, pattern, name, access, parameters)| Route {
            method: method.clone(),
            pattern: (*pattern).to_owned(),
            name,
            dialect: Dialect::Admin,
            parameters,
            answered_by,
            access: *access,
        })
}

/// All routes of one pattern.
struct Paths {
    pattern: String,
    routes: Vec<Route>,
}

/// The table, built once. What a path is of more than one pattern goes by the first: a part that is written out stands before a parameter.
fn table() -> &'static [Paths] {
    static TABLE: OnceLock<Vec<Paths>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut all = all();
        all.sort_by_cached_key(|route| route.pattern.replace(':', "\u{7f}"));
        let mut table: Vec<Paths> = Vec::new();
        for route in all {
            match table.last_mut() {
                Some(last) if last.pattern == route.pattern => last.routes.push(route),
                _ => table.push(Paths {
                    pattern: route.pattern.clone(),
                    routes: vec![route],
                }),
            }
        }
        table
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
    let of_path = table().iter().find(|paths| is_of(&paths.pattern, &path));
    let found = of_path.and_then(|paths| Some((paths, parameters(&paths.pattern, &path)?)));
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

/// What a 404 says of a path at which there is nothing: the path that differs from it in case alone, where there is one, and where the
/// API is described.
fn nothing_at(path: &str) -> String {
    let same = |pattern: &str| {
        let parts = |text: &str| text.split('/').count();
        parts(pattern) == parts(path)
            && pattern
                .split('/')
                .zip(path.split('/'))
                .all(|(known, given)| known.starts_with(':') || known.eq_ignore_ascii_case(given))
    };
    let meant = table()
        .iter()
        .find(|paths| same(&paths.pattern) && !is_of(&paths.pattern, path));
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
