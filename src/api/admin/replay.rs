//! `/api/v1/admin/requests/{request_id}/replay`: a request of the journal is sent again, against what is there now.
//!
//! It takes the way of any SCIM request, by the same handlers, in the profile that the tenant has now, but for its credential: it is the
//! administrator's, who is named in the audit trail. Headers are not recorded: it comes without `If-Match` and `Prefer`.

use http::Method;
use http::header::{CONTENT_TYPE, LOCATION};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::api::http::call::{Call, Place};
use crate::api::http::caller::Caller;
use crate::api::http::envelope;
use crate::api::http::input::body;
use crate::api::http::query_parameters::tenant_in_body;
use crate::api::http::record;
use crate::api::http::redaction::REDACTED;
use crate::api::http::reply::{Dialect, Reply};
use crate::api::http::request::Request;
use crate::api::http::routes::row::{For, Handler, Route};
use crate::api::http::routes::scim;
use crate::auth::admin::Admin;
use crate::auth::scope::Scopes;
use crate::error::{Error, Kind, Result};
use crate::ids::TenantId;
use crate::scim::forgiven::noting;
use crate::store::requests::{self, Recorded};
use crate::store::{Row, rows_at, tenants};

/// How a request is to be sent again.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ReplayRequest {
    /// An administrator of one tenant may leave it out.
    #[serde(default)]
    tenant_id: Option<TenantId>,
    /// Whether it is only told what would be answered; `true` where it is left out.
    #[serde(default)]
    dry_run: Option<bool>,
}

/// What the request was answered, or would be.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ReplayResponse {
    dry_run: bool,
    /// The request that was sent again.
    request_id: String,
    method: String,
    /// Path and query, as they were sent.
    path: String,
    /// The status of the answer.
    status: u16,
    /// Where the answer says that what was made is.
    location: Option<String>,
    /// The body of the answer: a resource, what came of a Bulk request's operations, an error. Null where it has none.
    #[cfg_attr(
        feature = "openapi",
        schemars(with = "Option<std::collections::BTreeMap<String, serde_json::Value>>")
    )]
    body: Option<Box<RawValue>>,
}

/// A request that can be sent again.
struct Sendable {
    request: Request,
    route: &'static Route,
    place: Place,
    handler: Handler<Caller>,
}

/// `POST …/requests/{request_id}/replay`.
pub async fn replay(call: &Call<'_>, admin: &Admin) -> Result<Reply> {
    let given: ReplayRequest = body(call)?;
    let tenant = tenant_in_body(given.tenant_id, admin)?;
    let id = call.id("request_id", "the request")?;
    let [select, ..] = requests::select_one(&tenant, &id);
    let batch = vec![tenants::select(&tenant), select];
    let results = call.run(Some(&tenant), batch).await?;
    let (settings, row) = match (rows_at(&results, 0)?.first(), rows_at(&results, 1)?.first()) {
        (Some(settings), Some(row)) => (tenants::settings(settings)?, row),
        _ => return Err(Error::not_found("the request")),
    };
    call.note_tenant(&tenant);
    let recorded = requests::recorded(row)?;
    let sendable = sendable(call, &recorded, row)?;
    let is_dry = given.dry_run.unwrap_or(true);
    let caller = Caller::with_scopes(admin.clone(), tenant, settings, Scopes::all());
    let answer = send(call, &caller, sendable, is_dry).await?;
    let answer = answer.kept().map_err(Error::internal)?;
    let body = match answer.body.is_empty() {
        true => None,
        false => Some(
            RawValue::from_string(answer.body.clone())
                .map_err(|error| Error::internal(error.to_string()))?,
        ),
    };
    let response = ReplayResponse {
        dry_run: is_dry,
        request_id: recorded.id,
        method: recorded.method,
        path: recorded.path,
        status: answer.status,
        location: answer.header(LOCATION).map(str::to_owned),
        body,
    };
    Ok(envelope::single(call, 200, response))
}

/// Why a request that reads, or that is an administrator's, is not sent again.
const NO_WRITE: &str =
    "only one that writes by SCIM can: POST, PUT, PATCH or DELETE of a user or a group, or Bulk";

/// What is not kept whole cannot be sent again.
fn not_sent(why: &str) -> Error {
    let detail = format!("the request cannot be sent again: {why}");
    Error::new(Kind::Conflict, detail)
}

/// The request as it was, from its row.
fn sendable(call: &Call<'_>, recorded: &Recorded, row: &Row) -> Result<Sendable> {
    let method = recorded.method.parse().unwrap_or(Method::GET);
    let (path, _) = recorded
        .path
        .split_once('?')
        .unwrap_or((&recorded.path, ""));
    let Some((route, place)) = scim::writing(&method, &recorded.route, path) else {
        return Err(not_sent(NO_WRITE));
    };
    let For::Scim(_, handler) = route.access else {
        return Err(not_sent(NO_WRITE));
    };
    if route.pattern.ends_with("/Me") {
        return Err(not_sent("`/Me` was somebody else, who sent it"));
    }
    if path == REDACTED {
        return Err(not_sent("its address has a secret, and was not kept"));
    }
    let body = match row.text("body_state")?.as_str() {
        _ if method == Method::DELETE => None,
        "whole" => row.optional_text("body")?,
        "none" => None,
        "redacted" => return Err(not_sent("its body has secrets, which were not kept")),
        "cut" => return Err(not_sent("its body was too long to be kept whole")),
        "off" => return Err(not_sent("the tenant keeps no bodies")),
        _ => return Err(not_sent("its body could not be read, and was not kept")),
    };
    let request = http::Request::builder()
        .method(&method)
        .uri(format!("{}{}", call.origin(), recorded.path))
        .header(CONTENT_TYPE, "application/scim+json")
        .body(body.unwrap_or_default().into_bytes())
        .map_err(|error| Error::internal(error.to_string()))?;
    Ok(Sendable {
        request,
        route,
        place,
        handler,
    })
}

/// Sends it. The error is the service's; what the request is refused is an answer.
async fn send(call: &Call<'_>, caller: &Caller, sendable: Sendable, is_dry: bool) -> Result<Reply> {
    let Sendable {
        request,
        route,
        place,
        handler,
    } = sendable;
    let again = call.sending(request, place, is_dry);
    again.journal.note_route(route.name, &route.pattern);
    again.journal.note_tenant(&caller.tenant);
    again.journal.note_actor(caller.origin(call).actor);
    let mut work = handler(&again, caller);
    let noted = std::future::poll_fn(|context| {
        noting(&again.journal.notes, || work.as_mut().poll(context))
    });
    let result = caller.answer(noted.await).of_found();
    match result {
        Ok(reply) => {
            record::after(&again, reply.status, None);
            Ok(reply)
        }
        Err(error) if error.status() >= 500 => Err(error),
        Err(error) => {
            let reply = Reply::of_error(&error, Dialect::Scim);
            record::after(&again, reply.status, Some(&error));
            Ok(reply)
        }
    }
}
