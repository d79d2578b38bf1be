//! A request that was accepted is carried out: the whole, or the next part of it.

use std::cell::Cell;

use http::header::ETAG;
use serde_json::{Map, Value, json};

use super::head::{self, Head, is_bulk};
use super::results::failure;
use crate::api::App;
use crate::api::http::authenticate;
use crate::api::http::call::{Call, Place};
use crate::api::http::caller::Caller;
use crate::api::http::record;
use crate::api::http::reply::{Dialect, Reply, error_body};
use crate::api::http::routes::row::{For, Route};
use crate::api::http::routes::scim;
use crate::change::Done;
use crate::change::audit::{self, Action, Detail, Event, Origin, Totals};
use crate::error::{Error, Kind, Result};
use crate::ids::TenantId;
use crate::scim::forgiven::noting;
use crate::store::async_requests::{self, AsyncRequest, Outcome, Step};
use crate::store::{self, Guard, Meter, Statement, rows_at};

/// What came of a message.
pub enum Went {
    /// It is over; with the usual reply to a request that is no Bulk request, where it was carried out just now.
    Over(Option<Reply>),
    /// There is another part.
    More,
    /// Another message has done it, or it is nobody's.
    Lost,
}

/// A request at work.
pub struct Work<'w> {
    pub app: &'w App,
    pub tenant: &'w TenantId,
    pub request: AsyncRequest,
    head: Head,
    /// The body, or the next part of it.
    pub body: String,
    /// Why the first operation failed that did so far.
    pub first_failure: Option<Error>,
    route: &'static Route,
    pub place: Place,
}

impl App {
    /// Carries out the next part of a request, and counts the statements. The error is one that passes: it is to be tried again.
    pub async fn carry_on(
        &self,
        tenant: &TenantId,
        id: &str,
        statements: &Cell<u64>,
    ) -> Result<Went> {
        let meter = Meter::default();
        let database = self.platform.database_of(Some(tenant));
        let batch = vec![
            async_requests::select(tenant, id),
            async_requests::select_next(tenant, id),
            async_requests::select_first_failure(tenant, id),
        ];
        let results = meter.run(database.as_ref(), batch).await?;
        statements.set(statements.get() + meter.cost().statements);
        let Some(row) = rows_at(&results, 0)?.first() else {
            return Ok(Went::Lost);
        };
        let request = async_requests::async_request(row)?;
        if !request.is_running() {
            return Ok(Went::Lost);
        }
        let text = |index: usize, column: &str| -> Result<Option<String>> {
            let row = rows_at(&results, index)?.first();
            Ok(row.map(|row| row.text(column)).transpose()?)
        };
        let first_failure = text(2, "result")?.as_deref().and_then(failure);
        let opened = self.opened(tenant, &request, text(1, "body")?.as_deref());
        let Some((head, body, (route, place))) = opened else {
            self.give_request_up(tenant, &request.id, &request.actor)
                .await?;
            return Ok(Went::Over(None));
        };
        let work = Work {
            app: self,
            tenant,
            request,
            head,
            body,
            first_failure,
            route,
            place,
        };
        let went = match is_bulk(&work.request.route) {
            true => work.part(statements).await,
            false => work.whole(statements).await,
        };
        match went {
            Err(error) if is_lost(&error) => Ok(Went::Lost),
            went => went,
        }
    }

    /// What is kept of a request; none where that does not open any more.
    fn opened(
        &self,
        tenant: &TenantId,
        request: &AsyncRequest,
        body: Option<&str>,
    ) -> Option<(Head, String, (&'static Route, Place))> {
        let open = |place: &str, sealed: &str| {
            head::open(self, (tenant, &request.id), place, &request.key_id, sealed)
        };
        let head = Head::of(&open(head::HEAD, request.head.as_deref()?)?)?;
        let body = open(&request.part.to_string(), body?)?;
        let uri: http::Uri = head.uri.parse().ok()?;
        let method = request.method.parse().ok()?;
        let found = scim::writing(&method, &request.route, uri.path())?;
        Some((head, body, found))
    }

    /// Gives a request up that nothing comes of any more, and says so.
    pub async fn give_request_up(&self, tenant: &TenantId, id: &str, actor: &str) -> Result<()> {
        let now = self.platform.clock.now();
        let mut batch = Vec::from(async_requests::give_up(tenant, id, now));
        // Which operations these would be is not known any more.
        let about = json!({"status": "500"});
        let events = [finished(id, about)];
        let origin = origin((id, actor), now);
        batch.extend(audit::append(tenant, &origin, Totals::default(), &events));
        let database = self.platform.database_of(Some(tenant));
        match database.run(batch).await {
            Ok(_) | Err(store::Error::Guard(Guard::LeaseLost)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

impl Work<'_> {
    /// The request as it came.
    pub fn request(&self, body: &str) -> Result<http::Request<Vec<u8>>> {
        let mut request = http::Request::builder()
            .method(self.request.method.as_str())
            .uri(&self.head.uri);
        for (name, value) in &self.head.headers {
            request = request.header(name, value);
        }
        let request = request.body(body.as_bytes().to_vec());
        request.map_err(|error| Error::internal(error.to_string()))
    }

    /// Who asked, as they are now.
    pub async fn caller(&self, call: &Call<'_>) -> Result<Caller> {
        call.journal
            .note_route(self.route.name, &self.route.pattern);
        let (held, actor) = (self.head.held.clone(), &self.request.actor);
        let caller = authenticate::accepted(call, self.tenant, held, actor).await?;
        if let For::Scim(scopes, _) = self.route.access {
            scopes.iter().try_for_each(|scope| caller.require(*scope))?;
        }
        Ok(caller)
    }

    /// Carries out a request that is no Bulk request.
    async fn whole(&self, statements: &Cell<u64>) -> Result<Went> {
        let request = self.request(&self.body)?;
        let now = self.app.platform.clock.now();
        let along = |outcomes: &[Result<Done>]| match outcomes {
            [Ok(done)] => {
                let status = done.status.to_string();
                let location = self.location(done.resource_type.endpoint, &done.id);
                let mut shown = Map::new();
                let mut set = |name: &str, value: Value| shown.insert(name.to_owned(), value);
                set("method", self.request.method.as_str().into());
                // That of a new resource is known.
                let version = done.version.filter(|_| done.status == 201);
                if let Some(version) = version {
                    set("version", version.etag().into());
                }
                set("location", location.into());
                set("status", status.into());
                let resource = (done.resource_type.name, done.id.clone());
                let outcome = Outcome {
                    number: 0,
                    result: Value::Object(shown).to_string(),
                    resource: done.version.map(|_| resource),
                    behind: 0,
                };
                self.step(&[outcome], 0, true, now)
            }
            _ => Vec::new(),
        };
        let (place, id) = (self.place.clone(), self.request.id.clone());
        let call = Call::accepted(self.app, request, place, id, &along);
        let result = self.answered(&call).await;
        let result = match result {
            Err(error) if is_passing(&error) => {
                statements.set(statements.get() + call.cost().statements);
                return Err(error);
            }
            result => result,
        };
        let (reply, error) = match result {
            Ok(reply) => (reply, None),
            Err(error) => (Reply::of_error(&error, Dialect::Scim), Some(error)),
        };
        if !call.journal.is_written() {
            let outcome = self.unwritten(&call, &reply, error.as_ref());
            let failed = i64::from(error.is_some());
            let batch = self.step(&[outcome], failed, true, now);
            call.run(Some(self.tenant), batch).await?;
        }
        record::after(&call, reply.status, error.as_ref());
        statements.set(statements.get() + call.cost().statements);
        Ok(Went::Over(Some(reply)))
    }

    /// The way of any request to its handler.
    async fn answered(&self, call: &Call<'_>) -> Result<Reply> {
        let caller = self.caller(call).await?;
        let For::Scim(_, handler) = self.route.access else {
            return Err(Error::internal("a request that is none of SCIM"));
        };
        let mut work = handler(call, &caller);
        std::future::poll_fn(|context| noting(&call.journal.notes, || work.as_mut().poll(context)))
            .await
    }

    /// What came of a request that changed nothing.
    fn unwritten(&self, call: &Call<'_>, reply: &Reply, error: Option<&Error>) -> Outcome {
        let mut shown = Map::new();
        let mut set = |name: &str, value: Value| shown.insert(name.to_owned(), value);
        set("method", self.request.method.as_str().into());
        if let Some(version) = reply.header_value(ETAG).filter(|_| error.is_none()) {
            set("version", version.into());
        }
        let id = call.param("id");
        let endpoint = match self.route.pattern.contains("/Groups/") {
            true => "/Groups",
            false => "/Users",
        };
        if !id.is_empty() {
            set("location", self.location(endpoint, id).into());
        }
        set("status", reply.status.to_string().into());
        if let Some(error) = error {
            set("response", error_body(error, Dialect::Scim).1);
        }
        Outcome {
            number: 0,
            result: Value::Object(shown).to_string(),
            resource: None,
            behind: 0,
        }
    }

    fn location(&self, endpoint: &str, id: &str) -> String {
        format!("{}{endpoint}/{id}", self.base())
    }

    /// The SCIM base that the request used.
    pub fn base(&self) -> String {
        let path = &self.place.scim_base;
        let (base, _) = self.head.uri.split_once(path.as_str()).unwrap_or_default();
        format!("{base}{path}")
    }

    /// What goes into the batch of a part's changes: that it is done, what came of it, and the events of that.
    pub fn step(
        &self,
        outcomes: &[Outcome],
        failed: i64,
        is_over: bool,
        now: i64,
    ) -> Vec<Statement> {
        let step = Step {
            done: count(outcomes.len()),
            failed,
            is_over,
        };
        let (tenant, request) = (self.tenant, &self.request);
        let mut batch = Vec::from(async_requests::advance(tenant, request, step, now));
        batch.extend(async_requests::insert_results(
            tenant,
            &request.id,
            outcomes,
        ));
        let told = outcomes.iter().map(|outcome| self.told(outcome));
        let events: Vec<Event<'_>> = told.map(|told| finished(&request.id, told)).collect();
        if !events.is_empty() {
            let origin = origin((&request.id, &request.actor), now);
            let totals = Totals::default();
            batch.extend(audit::append_results(tenant, &origin, totals, &events));
        }
        batch
    }

    /// What the event of an operation says: its result but for sentences, which may repeat what was sent; of a Bulk request which operation it
    /// is, too.
    fn told(&self, outcome: &Outcome) -> Value {
        let mut told: Value = serde_json::from_str(&outcome.result).unwrap_or_default();
        if let Some(response) = told.get_mut("response").and_then(Value::as_object_mut) {
            response.remove("detail");
        }
        if let Some(told) = told.as_object_mut()
            && is_bulk(&self.request.route)
        {
            told.insert("operation".to_owned(), outcome.number.into());
        }
        told
    }
}

/// The event of an operation that is over: each has one, as RFC 9967 §2.5.1.2 asks for.
fn finished(id: &str, told: Value) -> Event<'_> {
    let told = match told {
        Value::Object(told) => told,
        _ => Map::new(),
    };
    Event {
        action: Action::Finish,
        resource_type: "Request",
        resource_id: id,
        attributes: Vec::new(),
        detail: Detail::about(told),
    }
}

fn origin((id, actor): (&str, &str), now: i64) -> Origin {
    Origin {
        actor: actor.to_owned(),
        request_id: id.to_owned(),
        at: now,
    }
}

/// Whether it may go well the next time: the fault is ours, or others were at work.
pub fn is_passing(error: &Error) -> bool {
    match error.kind {
        Kind::Internal | Kind::Raced | Kind::CredentialStale => true,
        // The fuse is no fault.
        Kind::Unavailable { .. } => error.internal.is_some(),
        _ => false,
    }
}

fn is_lost(error: &Error) -> bool {
    error.internal.as_deref() == Some(Guard::LeaseLost.word())
}

pub fn count(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
