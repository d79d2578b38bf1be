//! SCIM's rows, written once: they stand under both bases.
//!
//! The first worker answers them. The jobs worker has those that write, for requests that are sent again (see
//! [`replay`](crate::api::admin::replay)) or answered before they are carried out.

#[cfg(feature = "jobs")]
use std::sync::OnceLock;

use http::Method;

use super::path::{TENANT_BASE, TOKEN_BASE};
#[cfg(feature = "jobs")]
use super::path::{parameters, scim_base, without_empty_parts};
use super::row::{For, Route, ScimRow, Worker};
#[cfg(feature = "jobs")]
use crate::api::http::call::Place;
use crate::api::http::caller::Subject;
use crate::api::http::reply::Dialect;
#[cfg(feature = "requests")]
use crate::api::scim::{assignable, discovery, lists};
use crate::api::scim::{bulk, groups, resources, users};
use crate::auth::scope::Scope;
#[cfg(feature = "requests")]
use crate::scim::schema::{ENTITLEMENTS, RESOURCE_TYPES, ROLES, ResourceType};
use crate::scim::schema::{GROUPS, USERS};

/// A handler that everybody reaches.
#[cfg(feature = "requests")]
macro_rules! public {
    ($handler:path) => {
        For::Public(|call| Box::pin($handler(call)))
    };
}

/// A handler for SCIM clients with scopes, and what it takes besides the request and the caller.
macro_rules! scim {
    ([$($scope:ident),+], $handler:path $(, $more:expr)*) => {
        For::Scim(&[$(Scope::$scope),+], |call, caller| Box::pin($handler(call, caller $(, $more)*)))
    };
}

#[cfg(feature = "requests")]
static USERS_ALONE: [&ResourceType; 1] = [&USERS];
#[cfg(feature = "requests")]
static GROUPS_ALONE: [&ResourceType; 1] = [&GROUPS];

#[cfg(feature = "requests")]
#[rustfmt::skip]
pub static READS: &[ScimRow] = &[
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
    (Method::GET, "/Users/:id", "readUser", scim!([UsersRead], resources::read, &USERS, Subject::Path)),
    (Method::GET, "/Me", "readMe", scim!([UsersRead], resources::read, &USERS, Subject::Me)),
    (Method::GET, "/Groups", "listGroups", scim!([GroupsRead], lists::list, &GROUPS_ALONE)),
    (Method::GET, "/Roles", "listRoles", scim!([UsersRead], assignable::list, &ROLES)),
    (Method::GET, "/Roles/:id", "readRole", scim!([UsersRead], assignable::read, &ROLES)),
    (Method::GET, "/Entitlements", "listEntitlements", scim!([UsersRead], assignable::list, &ENTITLEMENTS)),
    (Method::GET, "/Entitlements/:id", "readEntitlement", scim!([UsersRead], assignable::read, &ENTITLEMENTS)),
    (Method::GET, "/Groups/:id", "readGroup", scim!([GroupsRead], resources::read, &GROUPS, Subject::Path)),
];

#[rustfmt::skip]
pub static WRITES: &[ScimRow] = &[
    (Method::POST, "/Users", "createUser", scim!([UsersWrite], users::create)),
    (Method::PUT, "/Users/:id", "replaceUser", scim!([UsersWrite], users::replace, Subject::Path)),
    (Method::PATCH, "/Users/:id", "patchUser", scim!([UsersWrite], users::patch, Subject::Path)),
    (Method::DELETE, "/Users/:id", "deleteUser", scim!([UsersWrite], resources::delete, &USERS, Subject::Path)),
    (Method::POST, "/Bulk", "bulk", scim!([Bulk], bulk::answer)),
    (Method::PUT, "/Me", "replaceMe", scim!([UsersWrite], users::replace, Subject::Me)),
    (Method::PATCH, "/Me", "patchMe", scim!([UsersWrite], users::patch, Subject::Me)),
    (Method::DELETE, "/Me", "deleteMe", scim!([UsersWrite], resources::delete, &USERS, Subject::Me)),
    (Method::POST, "/Groups", "createGroup", scim!([GroupsWrite], groups::create)),
    (Method::PUT, "/Groups/:id", "replaceGroup", scim!([GroupsWrite], groups::replace)),
    (Method::PATCH, "/Groups/:id", "patchGroup", scim!([GroupsWrite], groups::patch)),
    (Method::DELETE, "/Groups/:id", "deleteGroup", scim!([GroupsWrite], resources::delete, &GROUPS, Subject::Path)),
];

/// The routes that rows stand for, under both bases.
pub fn rows(rows: &'static [ScimRow], answered_by: Worker) -> impl Iterator<Item = Route> {
    rows.iter().flat_map(move |(method, path, name, access)| {
        [TENANT_BASE, TOKEN_BASE].map(|base| Route {
            method: method.clone(),
            pattern: format!("{base}{path}"),
            name,
            dialect: Dialect::Scim,
            parameters: &[],
            answered_by,
            access: *access,
        })
    })
}

/// The SCIM route of that pattern that writes, and what a path says by it: for requests that are sent again. Both workers have these.
#[cfg(feature = "jobs")]
pub fn writing(method: &Method, pattern: &str, path: &str) -> Option<(&'static Route, Place)> {
    static TABLE: OnceLock<Vec<Route>> = OnceLock::new();
    let table = TABLE.get_or_init(|| rows(WRITES, Worker::Requests).collect());
    let mut routes = table.iter();
    let route = routes.find(|route| route.method == *method && route.pattern == pattern)?;
    let path = without_empty_parts(path);
    let place = Place {
        dialect: Dialect::Scim,
        scim_base: scim_base(&path).to_owned(),
        params: parameters(pattern, &path)?,
    };
    Some((route, place))
}
