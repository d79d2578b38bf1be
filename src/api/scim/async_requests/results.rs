//! `GET /AsyncRequests/{txn}`: what came of a request that was answered before it was carried out.

use http::header::RETRY_AFTER;
use serde::Serialize;
use serde_json::{Value, json};

use super::head::is_bulk;
use crate::api::http::call::Call;
use crate::api::http::caller::Caller;
use crate::api::http::reply::{Dialect, Reply, error_body};
use crate::auth::scope::Scope;
use crate::error::{Error, Kind, Result};
use crate::ids::TenantId;
use crate::scim::BULK_RESPONSE;
use crate::scim::error::ScimType;
use crate::store::async_requests::{self, AsyncRequest};
use crate::store::{Rows, rows_at};

/// When to look for a result first, or again, in seconds.
pub const RETRY_SECONDS: u32 = 1;
/// How many days results are kept.
pub const KEPT_DAYS: i64 = 7;

/// How far a request is that is not done.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct AsyncProgress {
    /// The request's `Set-Txn`.
    txn: String,
    status: &'static str,
    /// How many operations there are; 1 where it is no Bulk request.
    operations: i64,
    /// How many of them are carried out, and how many of these failed.
    done: i64,
    failed: i64,
}

/// Where the result of a request is, below the SCIM base.
pub fn place(id: &str) -> String {
    format!("/AsyncRequests/{id}")
}

/// `GET /AsyncRequests/{txn}`: for whoever may read users, or groups.
pub async fn read(call: &Call<'_>, caller: &Caller) -> Result<Reply> {
    let may = caller.require(Scope::GroupsRead);
    may.or_else(|_| caller.require(Scope::UsersRead))?;
    let id = call.id("txn", "the request")?;
    let tenant = &caller.tenant;
    let batch = vec![
        async_requests::select(tenant, &id),
        async_requests::select_results(tenant, &id),
    ];
    let results = caller.read(call, batch).await?;
    let (request, rows) = found(&results)?;
    match request.is_running() {
        true => {
            let progress = AsyncProgress {
                txn: request.id,
                status: "running",
                operations: request.operations,
                done: request.done,
                failed: request.failed,
            };
            let body = serde_json::to_string(&progress);
            let body = body.map_err(|error| Error::internal(error.to_string()))?;
            Ok(Reply::scim(202, body).header(RETRY_AFTER, RETRY_SECONDS.to_string()))
        }
        false => whole(&request, rows),
    }
}

/// The request, as it is now, with what came of it so far.
pub async fn look(call: &Call<'_>, tenant: &TenantId) -> Result<(AsyncRequest, Rows)> {
    let id = &call.request_id;
    let batch = vec![
        async_requests::select(tenant, id),
        async_requests::select_results(tenant, id),
    ];
    let results = call.run(Some(tenant), batch).await?;
    let (request, rows) = found(&results)?;
    Ok((request, rows.clone()))
}

fn found(results: &[Rows]) -> Result<(AsyncRequest, &Rows)> {
    let row = rows_at(results, 0)?.first();
    let row = row.ok_or_else(|| Error::not_found("the request"))?;
    Ok((async_requests::async_request(row)?, rows_at(results, 1)?))
}

/// The result of a request that is over: of a Bulk request the response, of another one what that would be an operation's of.
pub fn whole(request: &AsyncRequest, rows: &Rows) -> Result<Reply> {
    let results = rows.rows.iter().map(|row| row.text("result"));
    let mut results: Vec<String> = results.collect::<std::result::Result<_, _>>()?;
    if !is_bulk(&request.route) {
        let result = results.pop().unwrap_or_else(|| given_up(request));
        return Ok(Reply::scim(200, result));
    }
    let operations = results.join(",");
    let body = format!("{{\"schemas\":[\"{BULK_RESPONSE}\"],\"Operations\":[{operations}]}}");
    Ok(Reply::scim(200, body))
}

/// What came of a request that could not be carried out here.
fn given_up(request: &AsyncRequest) -> String {
    let (status, response) = error_body(&Error::internal("given up"), Dialect::Scim);
    let status = status.to_string();
    json!({"method": request.method, "status": status, "response": response}).to_string()
}

/// Why an operation failed, from its result.
pub fn failure(result: &str) -> Option<Error> {
    let result: Value = serde_json::from_str(result).ok()?;
    let response = result.get("response")?;
    let text = |name: &str| response.get(name).and_then(Value::as_str);
    let detail = text("detail").unwrap_or_default();
    let scim_type = text("scimType").and_then(ScimType::from_name);
    let kind = match (scim_type, text("status")) {
        (Some(scim_type), _) => Kind::Scim(scim_type),
        (None, Some("401")) => Kind::Unauthorized { token_sent: true },
        (None, Some("403")) => Kind::Forbidden,
        (None, Some("404")) => Kind::NotFound,
        (None, Some("409")) => Kind::Conflict,
        (None, Some("412")) => Kind::PreconditionFailed,
        (None, Some("413")) => Kind::PayloadTooLarge,
        (None, Some("503")) => Kind::Unavailable {
            retry_after_seconds: 0,
        },
        _ => Kind::BadRequest,
    };
    Some(Error::new(kind, detail))
}
