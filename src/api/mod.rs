//! The application: a plain HTTP request in, a plain HTTP reply out.
//!
//! One file per noun. A request is matched in one table ([`routes`]), authenticated by its handler's first line, and
//! answered as a `Result`; here the result becomes a reply in the dialect of its route, and one log line.

mod authenticate;
mod bulk;
mod call;
pub mod discovery;
mod docs;
mod endpoint_info;
mod envelope;
mod group_members;
mod groups;
mod health;
pub mod identity_providers;
mod ldap_sync;
mod limits;
mod list;
#[cfg(feature = "openapi")]
pub mod openapi;
mod password;
mod query;
pub mod reply;
mod resources;
pub mod routes;
mod scim_tokens;
mod tenants;
mod token_facts;
mod typed;
mod users;
mod validate;

use std::panic::AssertUnwindSafe;
use std::rc::Rc;

use futures_util::FutureExt;
use http::header::{HeaderName, HeaderValue, RETRY_AFTER};
use serde_json::json;

use crate::auth::memory::Memory;
use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::ids;
use crate::platform::Platform;
use crate::scim::schema::USERS;
use authenticate::Subject;
use call::Call;
use identity_providers::{group_mappings, reencryption, test_connection};
use reply::{Dialect, Reply};
use routes::{Endpoint, Match, ScimEndpoint};

/// Longest body in bytes. What is longer is answered 413; the adapter need not read on.
pub const MAX_BODY_BYTES: usize = 1024 * 1024;

/// A request as the application takes it: an absolute URI and the whole body, of which at most one byte more than
/// [`MAX_BODY_BYTES`] counts.
pub type Request = http::Request<Vec<u8>>;
/// A reply, its body still in pieces.
pub type Response = http::Response<reply::Body>;

/// The application: its settings, the world outside, and what it remembers.
pub struct App {
    pub config: Config,
    pub platform: Platform,
    pub memory: Rc<Memory>,
}

impl App {
    /// Answers a request. Every failure is an answer too; this function has none.
    pub async fn handle(&self, request: Request) -> Response {
        let started = self.platform.clock.now();
        let request_id = ids::new_id(self.platform.clock.as_ref(), self.platform.entropy.as_ref())
            .unwrap_or_else(|_| uuid::Uuid::nil().to_string());
        let found = routes::find(request.method(), request.uri().path());
        let dialect = found.dialect;
        let call = Call::new(self, request, &found, request_id);
        let result = match &found.endpoint {
            // A panic is this request's failure and nobody else's: nothing is held across requests that it could leave half
            // changed.
            Ok(endpoint) => AssertUnwindSafe(dispatch(&call, *endpoint))
                .catch_unwind()
                .await
                .unwrap_or_else(|_| Err(Error::internal("a panic"))),
            Err(error) => Err(error.clone()),
        };
        let (reply, internal) = match result {
            Ok(reply) => (reply, None),
            Err(mut error) => {
                let internal = error.internal.take();
                (Reply::of_error(&error, dialect), internal)
            }
        };
        self.log(&call, &found, &reply, internal, started);
        self.finish(&call, reply)
    }

    fn finish(&self, call: &Call<'_>, reply: Reply) -> Response {
        let mut response = reply.into_response();
        let headers = response.headers_mut();
        let mut set = |name: &'static str, value: String| {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        };
        set("x-request-id", call.request_id.clone());
        if self.config.server_timing {
            let cost = call.cost();
            set(
                "server-timing",
                format!(
                    "d1;desc=\"trips={} read={} written={}\"",
                    cost.trips, cost.read, cost.written
                ),
            );
        }
        response
    }

    /// One line per request. It names the route's pattern and not the path: a path may hold personal data.
    fn log(
        &self,
        call: &Call<'_>,
        found: &Match,
        reply: &Reply,
        internal: Option<String>,
        started: i64,
    ) {
        let cost = call.cost();
        let line = json!({
            "request_id": call.request_id,
            "method": call.method().as_str(),
            "route": found.pattern,
            "tenant": call.tenant_seen(),
            "status": reply.status,
            "d1_trips": cost.trips,
            "d1_rows_read": cost.read,
            "d1_rows_written": cost.written,
            "duration_ms": self.platform.clock.now() - started,
            "error": internal,
        });
        self.platform.log.line(&line.to_string());
    }
}

async fn dispatch(call: &Call<'_>, endpoint: Endpoint) -> Result<Reply> {
    match endpoint {
        Endpoint::Health => Ok(health::answer()),
        Endpoint::OpenApi => docs::openapi(call).await,
        Endpoint::Docs => docs::page(call).await,
        Endpoint::DocsFile => docs::file(call).await,
        Endpoint::ListTenants => tenants::list(call).await,
        Endpoint::CreateTenant => tenants::create(call).await,
        Endpoint::ReadTenant => tenants::read(call).await,
        Endpoint::UpdateTenant => tenants::update(call).await,
        Endpoint::DeleteTenant => tenants::delete(call).await,
        Endpoint::ListScimTokens => scim_tokens::list(call).await,
        Endpoint::CreateScimToken => scim_tokens::create(call).await,
        Endpoint::ScimEndpointInfo => scim_tokens::endpoint_info(call).await,
        Endpoint::ReadScimToken => scim_tokens::read(call).await,
        Endpoint::UpdateScimToken => scim_tokens::update(call).await,
        Endpoint::DeleteScimToken => scim_tokens::delete(call).await,
        Endpoint::RotateScimToken => scim_tokens::rotate(call).await,
        Endpoint::ListIdentityProviders(view) => identity_providers::list(call, view).await,
        Endpoint::CreateIdentityProvider(view) => identity_providers::create(call, view).await,
        Endpoint::ReadIdentityProvider(view) => identity_providers::read(call, view).await,
        Endpoint::UpdateIdentityProvider(view) => identity_providers::update(call, view).await,
        Endpoint::DeleteIdentityProvider(view) => identity_providers::delete(call, view).await,
        Endpoint::ReencryptSecrets => reencryption::reencrypt(call).await,
        Endpoint::TestIdentityProvider(view) => test_connection::test(call, view).await,
        Endpoint::ListGroupMappings => group_mappings::list(call).await,
        Endpoint::CreateGroupMapping => group_mappings::create(call).await,
        Endpoint::DeleteGroupMapping => group_mappings::delete(call).await,
        Endpoint::StartSync => ldap_sync::start(call).await,
        Endpoint::ListSyncLogs => ldap_sync::list(call).await,
        Endpoint::ReadSyncLog => ldap_sync::read(call).await,
        Endpoint::Scim(endpoint) => scim(call, endpoint).await,
    }
}

async fn scim(call: &Call<'_>, endpoint: ScimEndpoint) -> Result<Reply> {
    match endpoint {
        ScimEndpoint::ServiceProviderConfig => discovery::service_provider_config(call),
        ScimEndpoint::ResourceTypes => discovery::resource_types(call),
        ScimEndpoint::ResourceType => discovery::resource_type(call),
        ScimEndpoint::Schemas => discovery::schemas(call),
        ScimEndpoint::Schema => discovery::schema(call),
        ScimEndpoint::List(types) => list::list(call, types).await,
        ScimEndpoint::Search(types) => list::search(call, types).await,
        ScimEndpoint::Read(resource_type) => {
            resources::read(call, resource_type, Subject::Path).await
        }
        ScimEndpoint::Delete(resource_type) => {
            resources::delete(call, resource_type, Subject::Path).await
        }
        ScimEndpoint::CreateUser => users::create(call).await,
        ScimEndpoint::ReplaceUser => users::replace(call, Subject::Path).await,
        ScimEndpoint::PatchUser => users::patch(call, Subject::Path).await,
        ScimEndpoint::Bulk => bulk::answer(call).await,
        ScimEndpoint::ReadMe => resources::read(call, &USERS, Subject::Me).await,
        ScimEndpoint::ReplaceMe => users::replace(call, Subject::Me).await,
        ScimEndpoint::PatchMe => users::patch(call, Subject::Me).await,
        ScimEndpoint::DeleteMe => resources::delete(call, &USERS, Subject::Me).await,
        ScimEndpoint::CreateGroup => groups::create(call).await,
        ScimEndpoint::ReplaceGroup => groups::replace(call).await,
        ScimEndpoint::PatchGroup => groups::patch(call).await,
    }
}

/// Headers that a failure carries beyond its body.
fn error_headers(error: &Error) -> Vec<(HeaderName, String)> {
    match &error.kind {
        Kind::Unauthorized { token_sent: false } => {
            vec![(http::header::WWW_AUTHENTICATE, "Bearer".to_owned())]
        }
        Kind::Unauthorized { token_sent: true } => vec![(
            http::header::WWW_AUTHENTICATE,
            "Bearer error=\"invalid_token\"".to_owned(),
        )],
        Kind::MethodNotAllowed { allow } => vec![(http::header::ALLOW, allow.clone())],
        Kind::Unavailable {
            retry_after_seconds,
        }
        | Kind::RateLimited {
            retry_after_seconds,
        } => vec![(RETRY_AFTER, retry_after_seconds.to_string())],
        Kind::Raced => vec![(RETRY_AFTER, "1".to_owned())],
        _ => Vec::new(),
    }
}

/// The dialect of a path, for replies made before the application is reached.
pub fn dialect_of(path: &str) -> Dialect {
    routes::dialect(path)
}
