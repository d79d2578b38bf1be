//! A row of the table: what is asked for, whom it is for, and which of the two workers answers it.

use http::Method;

use crate::api::http::call::Call;
use crate::api::http::caller::Caller;
use crate::api::http::reply::{Dialect, Reply};
#[cfg(feature = "jobs")]
use crate::auth::access::assertion::Visitor;
use crate::auth::admin::{Admin, AdminScope};
use crate::auth::scope::Scope;
use crate::error::Result;
use crate::platform::LocalFuture;

/// What answers a route: a function whose future is in a box of its own. They would be one function otherwise, of a third of a megabyte, and
/// the first request of all would wait for its compilation.
pub(crate) type Handler<C> = for<'a> fn(&'a Call<'a>, &'a C) -> LocalFuture<'a, Result<Reply>>;
/// What answers everybody.
pub(crate) type PublicHandler = for<'a> fn(&'a Call<'a>) -> LocalFuture<'a, Result<Reply>>;

/// The first worker answers none of them.
#[cfg(not(feature = "jobs"))]
pub(crate) type Visitor = std::convert::Infallible;

/// Whom a route is for, and what answers them.
#[derive(Debug, Clone, Copy)]
pub(crate) enum For {
    /// Everybody, without a credential.
    Public(PublicHandler),
    /// Administrators with the scope. The handler is none where the other worker alone has it.
    Admin(AdminScope, IdempotencyKey, Option<Handler<Admin>>),
    /// Whoever has a set-up link whose holder has the scope in its tenant.
    SetupLink(AdminScope, IdempotencyKey, Option<Handler<Admin>>),
    /// Whoever has come through Cloudflare Access.
    Access(Option<Handler<Visitor>>),
    /// SCIM clients with all of the scopes. Each operation of a Bulk request takes its own besides.
    Scim(&'static [Scope], Handler<Caller>),
}

/// Whether a route takes the header `Idempotency-Key`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IdempotencyKey {
    /// A request that is sent again with its key is answered as before. The handler writes through
    /// [`idempotency::commit`](crate::api::http::idempotency::commit).
    Taken,
    /// Passed over, like any header that nobody knows.
    Ignored,
}

/// Which worker answers a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Worker {
    /// The one that all requests come to.
    Requests,
    /// The one that does what takes long. The first hands such requests on to it.
    Jobs,
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
    pub answered_by: Worker,
    pub(crate) access: For,
}

impl Route {
    /// Whether it changes something. A search by POST reads.
    pub fn writes(&self) -> bool {
        self.method != Method::GET && !self.pattern.ends_with("/.search")
    }
}

/// A SCIM row as it is written: method, path below the base, name, for whom.
pub type ScimRow = (Method, &'static str, &'static str, For);

/// Another row as it is written, its pattern whole, and with the parameters of its query.
pub type AdminRow = (
    Method,
    &'static str,
    &'static str,
    For,
    &'static [&'static str],
);
