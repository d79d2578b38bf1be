//! `GET /AsyncRequests/{txn}`: what came of a request that was answered before it was carried out.

use http::header::RETRY_AFTER;
use serde::Serialize;
use serde_json::json;

use super::{RETRY_SECONDS, is_bulk};
use crate::api::http::call::Call;
use crate::api::http::caller::Caller;
use crate::api::http::reply::{Dialect, Reply, error_body};
use crate::auth::scope::Scope;
use crate::error::{Error, Result};
use crate::ids::TenantId;
use crate::scim::BULK_RESPONSE;
use crate::store::async_requests::{self, AsyncRequest};
use crate::store::{Rows, rows_at};

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
