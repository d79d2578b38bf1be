//! The door: a plain HTTP request in, a plain HTTP reply out.
//!
//! A request is matched in one table ([`routes`]), authenticated by its handler's first line, and answered as a `Result`; here the
//! result becomes a reply in the dialect of its route, and one log line.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use http::header::{HeaderName, HeaderValue};
use serde_json::json;

use super::app::{App, Request, Response};
use super::authenticate::Subject;
use super::call::Call;
use super::reply::Reply;
use super::routes::{self, Endpoint, Match, ScimEndpoint};
use super::transport;
use crate::api::admin::identity_providers::{self, group_mappings, reencryption, test_connection};
use crate::api::admin::{directory_syncs, docs, health, scim_tokens, tenants};
use crate::api::scim::{bulk, discovery, groups, lists, resources, users};
use crate::error::{Error, Result};
use crate::ids;
use crate::platform::LocalFuture;
use crate::scim::schema::USERS;

impl App {
    /// Answers a request. Every failure is an answer too; this function has none.
    pub async fn handle(&self, request: Request) -> Response {
        let started = self.platform.clock.now();
        let request_id = ids::new_id(self.platform.clock.as_ref(), self.platform.entropy.as_ref())
            .unwrap_or_else(|_| uuid::Uuid::nil().to_string());
        let found = routes::find(request.method(), request.uri().path());
        let dialect = found.dialect;
        let endpoint =
            transport::check(&self.config, &request).and_then(|()| found.endpoint.clone());
        let is_strict = transport::is_strict(&self.config, &request);
        let call = Call::new(self, request, &found, request_id);
        let result = match endpoint {
            // A panic is this request's failure and nobody else's: nothing is held across requests that it could leave half
            // changed.
            Ok(endpoint) => AssertUnwindSafe(dispatch(&call, endpoint))
                .catch_unwind()
                .await
                .unwrap_or_else(|_| Err(Error::internal("a panic"))),
            Err(error) => Err(error),
        };
        let (reply, error) = match result {
            Ok(reply) => (reply, None),
            Err(error) => (Reply::of_error(&error, dialect), Some(error)),
        };
        self.log(&call, &found, &reply, error, started);
        self.finish(&call, reply, is_strict)
    }

    fn finish(&self, call: &Call<'_>, reply: Reply, is_strict: bool) -> Response {
        let mut response = reply.into_response();
        let headers = response.headers_mut();
        let mut set = |name: &'static str, value: String| {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        };
        set("x-request-id", call.request_id.clone());
        if is_strict {
            let value = transport::STRICT_TRANSPORT_SECURITY.to_owned();
            set("strict-transport-security", value);
        }
        if self.config.server_timing {
            let cost = call.cost();
            set(
                "server-timing",
                format!(
                    "d1;desc=\"trips={} statements={} read={} written={}\"",
                    cost.trips, cost.statements, cost.read, cost.written
                ),
            );
        }
        response
    }

    /// One line per request. It names the route's pattern and not the path: a path may hold personal data. A refusal has a reason,
    /// which stands for its sentence without what was sent.
    fn log(
        &self,
        call: &Call<'_>,
        found: &Match,
        reply: &Reply,
        error: Option<Error>,
        started: i64,
    ) {
        let cost = call.cost();
        let line = json!({
            "request_id": call.request_id,
            "method": call.method().as_str(),
            "route": found.pattern,
            "tenant": call.tenant_seen(),
            "credential": call.credential_seen(),
            "status": reply.status,
            "scim_type": error.as_ref().and_then(Error::scim_type),
            "reason": error.as_ref().map(|error| error.at.name()),
            "d1_trips": cost.trips,
            "d1_statements": cost.statements,
            "d1_rows_read": cost.read,
            "d1_rows_written": cost.written,
            "duration_ms": self.platform.clock.now() - started,
            "error": error.and_then(|error| error.internal),
        });
        self.platform.log.line(&line.to_string());
    }
}

/// The work of an endpoint, each in a box of its own: they would be one function otherwise, of a third of a megabyte, and
/// the first request of all would wait for its compilation.
fn dispatch<'a>(call: &'a Call<'_>, endpoint: Endpoint) -> LocalFuture<'a, Result<Reply>> {
    match endpoint {
        Endpoint::Health => Box::pin(async { Ok(health::answer()) }),
        Endpoint::OpenApi => Box::pin(docs::openapi(call)),
        Endpoint::Docs => Box::pin(docs::page(call)),
        Endpoint::DocsFile => Box::pin(docs::file(call)),
        Endpoint::ListTenants => Box::pin(tenants::list(call)),
        Endpoint::CreateTenant => Box::pin(tenants::create(call)),
        Endpoint::ReadTenant => Box::pin(tenants::read(call)),
        Endpoint::UpdateTenant => Box::pin(tenants::update(call)),
        Endpoint::DeleteTenant => Box::pin(tenants::delete(call)),
        Endpoint::ListScimTokens => Box::pin(scim_tokens::list(call)),
        Endpoint::CreateScimToken => Box::pin(scim_tokens::create(call)),
        Endpoint::ScimEndpointInfo => Box::pin(scim_tokens::endpoint_info(call)),
        Endpoint::ReadScimToken => Box::pin(scim_tokens::read(call)),
        Endpoint::UpdateScimToken => Box::pin(scim_tokens::update(call)),
        Endpoint::DeleteScimToken => Box::pin(scim_tokens::delete(call)),
        Endpoint::RotateScimToken => Box::pin(scim_tokens::rotate(call)),
        Endpoint::ListIdentityProviders(view) => Box::pin(identity_providers::list(call, view)),
        Endpoint::CreateIdentityProvider(view) => Box::pin(identity_providers::create(call, view)),
        Endpoint::ReadIdentityProvider(view) => Box::pin(identity_providers::read(call, view)),
        Endpoint::UpdateIdentityProvider(view) => Box::pin(identity_providers::update(call, view)),
        Endpoint::DeleteIdentityProvider(view) => Box::pin(identity_providers::delete(call, view)),
        Endpoint::ReencryptSecrets => Box::pin(reencryption::reencrypt(call)),
        Endpoint::TestIdentityProvider(view) => Box::pin(test_connection::test(call, view)),
        Endpoint::ListGroupMappings => Box::pin(group_mappings::list(call)),
        Endpoint::CreateGroupMapping => Box::pin(group_mappings::create(call)),
        Endpoint::DeleteGroupMapping => Box::pin(group_mappings::delete(call)),
        Endpoint::StartSync => Box::pin(directory_syncs::start(call)),
        Endpoint::ListSyncLogs => Box::pin(directory_syncs::list(call)),
        Endpoint::ReadSyncLog => Box::pin(directory_syncs::read(call)),
        Endpoint::Scim(endpoint) => scim(call, endpoint),
    }
}

fn scim<'a>(call: &'a Call<'_>, endpoint: ScimEndpoint) -> LocalFuture<'a, Result<Reply>> {
    match endpoint {
        ScimEndpoint::ServiceProviderConfig => {
            Box::pin(async { discovery::service_provider_config(call) })
        }
        ScimEndpoint::ResourceTypes => Box::pin(async { discovery::resource_types(call) }),
        ScimEndpoint::ResourceType => Box::pin(async { discovery::resource_type(call) }),
        ScimEndpoint::Schemas => Box::pin(async { discovery::schemas(call) }),
        ScimEndpoint::Schema => Box::pin(async { discovery::schema(call) }),
        ScimEndpoint::List(types) => Box::pin(lists::list(call, types)),
        ScimEndpoint::Search(types) => Box::pin(lists::search(call, types)),
        ScimEndpoint::Read(resource_type) => {
            Box::pin(resources::read(call, resource_type, Subject::Path))
        }
        ScimEndpoint::Delete(resource_type) => {
            Box::pin(resources::delete(call, resource_type, Subject::Path))
        }
        ScimEndpoint::CreateUser => Box::pin(users::create(call)),
        ScimEndpoint::ReplaceUser => Box::pin(users::replace(call, Subject::Path)),
        ScimEndpoint::PatchUser => Box::pin(users::patch(call, Subject::Path)),
        ScimEndpoint::Bulk => Box::pin(bulk::answer(call)),
        ScimEndpoint::ReadMe => Box::pin(resources::read(call, &USERS, Subject::Me)),
        ScimEndpoint::ReplaceMe => Box::pin(users::replace(call, Subject::Me)),
        ScimEndpoint::PatchMe => Box::pin(users::patch(call, Subject::Me)),
        ScimEndpoint::DeleteMe => Box::pin(resources::delete(call, &USERS, Subject::Me)),
        ScimEndpoint::CreateGroup => Box::pin(groups::create(call)),
        ScimEndpoint::ReplaceGroup => Box::pin(groups::replace(call)),
        ScimEndpoint::PatchGroup => Box::pin(groups::patch(call)),
    }
}
