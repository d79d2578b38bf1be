//! The door: a plain HTTP request in, a plain HTTP reply out.
//!
//! A request is matched in one table ([`routes`]). What its row says is done here, around the handler and in this order: who asks, how
//! often, whether they may, and, for administrators, whether the route takes the parameters of the query and whether this very request was
//! answered before. The result becomes a reply in the dialect of the route, and one log line. What the
//! jobs worker answers is handed on to it as it came, and passes the same door there.

use std::future::{Future, poll_fn};
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use futures_util::future::join;
use http::HeaderMap;
use http::header::{HeaderName, HeaderValue};
use serde_json::json;

#[cfg(feature = "jobs")]
use super::admin_door;
use super::app::App;
use super::authenticate;
use super::call::Call;
use super::caller::{Answer, Caller};
use super::limits;
use super::preference::RespondAsync;
use super::record;
use super::reply::{self, Dialect, Reply, Response};
use super::request::Request;
use super::routes::{self, For, Handler, Route, Worker};
use super::token_facts::Look;
use super::transport;
#[cfg(feature = "jobs")]
use crate::api::scim::async_requests;
use crate::auth::scope::Scope;
use crate::error::{Error, Kind, Result};
use crate::platform;
use crate::scim::forgiven::noting;

/// When a request that the jobs worker did not answer may be sent again, in seconds.
const RETRY_AFTER_SECONDS: u32 = 5;

impl App {
    /// Answers a request. Every failure is an answer too; this function has none.
    pub async fn handle(&self, request: Request) -> Response {
        let started = self.platform.clock.now();
        let request_id =
            platform::new_id(self.platform.clock.as_ref(), self.platform.entropy.as_ref())
                .unwrap_or_else(|_| uuid::Uuid::nil().to_string());
        let found = routes::find(request.method(), request.uri().path());
        let route = transport::check(&self.config, &request).and_then(|()| found.route.clone());
        let is_strict = transport::is_strict(&self.config, &request);
        let dialect = found.place.dialect;
        let handed_on = match &route {
            Ok(route) => self.hand_on(route, &request).await,
            Err(_) => None,
        };
        let route = match handed_on {
            // The other worker has counted it, told it in its log, and given it its id.
            Some(Ok(response)) => return response,
            Some(Err(error)) => Err(error),
            None => route,
        };
        let call = Call::new(self, request, found.place, request_id);
        let result = match route {
            // A panic is this request's failure and nobody else's: nothing is held across requests that it could leave half
            // changed.
            Ok(route) => AssertUnwindSafe(noted(&call, route))
                .catch_unwind()
                .await
                .unwrap_or_else(|_| Err(Error::internal("a panic"))),
            Err(error) => Err(error),
        };
        let (reply, error) = match result {
            Ok(reply) => (reply, None),
            Err(error) => (Reply::of_error(&error, dialect), Some(error)),
        };
        record::after(&call, reply.status, error.as_ref());
        self.log(&call, found.pattern, &reply, error, started);
        self.finish(&call, reply, is_strict)
    }

    /// What the jobs worker says to a request that is for it; none where it is answered here.
    async fn hand_on(&self, route: &Route, request: &Request) -> Option<Result<Response>> {
        if route.answered_by != Worker::Jobs && !responds_async(route, request.headers()) {
            return None;
        }
        let other = self.platform.jobs_worker.as_ref()?;
        let answer = async { reply::handed_on(other.ask(request).await?).await };
        Some(answer.await.map_err(unanswered))
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
        if call.is_dry() {
            set("x-dry-run", "true".to_owned());
        }
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
        pattern: &str,
        reply: &Reply,
        error: Option<Error>,
        started: i64,
    ) {
        let cost = call.cost();
        let line = json!({
            "request_id": call.request_id,
            "method": call.method().as_str(),
            "route": pattern,
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

/// Whether a request is answered before it is carried out, which is the jobs worker's to do.
fn responds_async(route: &Route, headers: &HeaderMap) -> bool {
    let is_write = route.dialect == Dialect::Scim && route.writes();
    is_write && RespondAsync::of(headers).is_some()
}

/// What is told where the jobs worker could not be asked. It may have done what it was asked for.
fn unanswered(reason: String) -> Error {
    Error {
        internal: Some(format!("rollcall-jobs: {reason}")),
        ..Error::new(
            Kind::Unavailable {
                retry_after_seconds: RETRY_AFTER_SECONDS,
            },
            "what answers this does not run at the moment; try again",
        )
    }
}

/// The way to a route's handler, with what is forgiven on it noted.
async fn noted(call: &Call<'_>, route: &'static Route) -> Result<Reply> {
    call.journal.note_route(route.name, &route.pattern);
    let mut way = Box::pin(pass(call, route));
    poll_fn(|context| noting(&call.journal.notes, || way.as_mut().poll(context))).await
}

/// The way to a route's handler.
async fn pass(call: &Call<'_>, route: &Route) -> Result<Reply> {
    match route.access {
        For::Public(handler) => handler(call).await,
        #[cfg(feature = "jobs")]
        For::Admin(..) | For::SetupLink(..) | For::Access(_) => admin_door::pass(call, route).await,
        // The first worker has none of these: whoever comes here could not be handed on.
        #[cfg(not(feature = "jobs"))]
        For::Admin(..) | For::SetupLink(..) | For::Access(_) => {
            Err(unanswered("it is not bound to this one".to_owned()))
        }
        For::Scim(scopes, handler) => {
            let result = pass_assumed(call, route, scopes, handler).await;
            limits::counted(call, result).await
        }
    }
}

/// The way to the handler of a SCIM route. The caller is assumed first, and only where that was not confirmed looked up in the database. The
/// handler may run twice, and writes once at most: a batch that a caller is not confirmed in does nothing.
async fn pass_assumed(
    call: &Call<'_>,
    route: &Route,
    scopes: &[Scope],
    handler: Handler<Caller>,
) -> Result<Reply> {
    // The cache and the limits are asked at once, where this instance knows already whose limits they are.
    let looked_up = authenticate::caller(call, Look::Cached);
    let (assumed, counted) = join(looked_up, count_ahead(call)).await;
    let assumed = assumed?;
    match counted {
        Some(counted) => counted?,
        None => limits::check(call, Some(&assumed.tenant), assumed.credential()).await?,
    }
    if route.writes() {
        call.read_dry_run()?;
    }
    let handler = match responds_async(route, call.headers()) && !call.is_dry() {
        true => accepting(handler),
        false => handler,
    };
    let answer = match work(call, &assumed, scopes, handler).await {
        Answer::Confirmed(result) => return result,
        Answer::Assumed(answer) => answer,
    };
    let mut found = authenticate::caller(call, Look::Afresh).await?;
    if let Some(result) = answer.confirmed(&assumed, &found) {
        return result;
    }
    // Requests that learn at once make each other's schemas another revision.
    for attempt in 1..MAX_LOOKS {
        let answer = work(call, &found, scopes, handler).await;
        if !answer.is_stale() {
            return answer.of_found();
        }
        call.pause(LOOK_AGAIN_MS << attempt).await;
        found = authenticate::caller(call, Look::Afresh).await?;
    }
    work(call, &found, scopes, handler).await.of_found()
}

/// How often somebody is looked up afresh for one request, and the first wait between, in milliseconds, of which each next one is twice as long.
const MAX_LOOKS: u32 = 6;
const LOOK_AGAIN_MS: u32 = 10;

/// What accepts a request to be carried out later; where no jobs worker could, it is carried out at once.
#[cfg(feature = "jobs")]
fn accepting(_: Handler<Caller>) -> Handler<Caller> {
    |call, caller| Box::pin(async_requests::accept(call, caller))
}

#[cfg(not(feature = "jobs"))]
fn accepting(handler: Handler<Caller>) -> Handler<Caller> {
    handler
}

/// Counts a request whose token this instance has seen before; none where it has not.
async fn count_ahead(call: &Call<'_>) -> Option<Result<()>> {
    let holder = authenticate::holder(call)?;
    Some(limits::check(call, Some(&holder.tenant), &holder.token_id).await)
}

async fn work(
    call: &Call<'_>,
    caller: &Caller,
    scopes: &[Scope],
    handler: Handler<Caller>,
) -> Answer {
    let may = scopes.iter().try_for_each(|scope| caller.require(*scope));
    let result = match may {
        Ok(()) => handler(call, caller).await,
        Err(error) => Err(error),
    };
    caller.answer(result)
}
