//! Undos of very many changes: what is to be taken back is staged in parts, and messages do it, one part after the other.

use super::outcome::{Outcome, UndoResponse};
use crate::api::http::call::Call;
use crate::api::http::envelope;
use crate::api::http::query_parameters::required_tenant;
use crate::api::http::reply::Reply;
use crate::auth::admin::Admin;
use crate::change::undo::{self, Chosen};
use crate::error::{Error, Kind, Result};
use crate::ids::TenantId;
use crate::messages::{self, Message};
use crate::store::rows_at;
use crate::store::undos::{self, UndoRow};

/// Parts that are staged in one batch.
const STAGED_AT_ONCE: usize = 5;
/// Longest text of a part in bytes: D1 takes rows of two million.
const MAX_PART: usize = 1_900_000;

/// A change as it is staged: its number, its request, and the type and id of its resource.
type Staged = (i64, String, String, String);

/// The changes of a staged part.
pub fn changes(body: &str) -> Result<Vec<Chosen>> {
    let staged: Vec<Staged> = serde_json::from_str(body)
        .map_err(|error| Error::internal(format!("a part of an undo: {error}")))?;
    let chosen = staged.into_iter();
    let chosen = chosen.map(|(seq, request_id, resource_type, id)| Chosen {
        seq,
        request_id,
        resource_type,
        id,
    });
    Ok(chosen.collect())
}

fn staged(part: Vec<Chosen>) -> Result<String> {
    let staged: Vec<Staged> = part
        .into_iter()
        .map(|one| (one.seq, one.request_id, one.resource_type, one.id))
        .collect();
    let text =
        serde_json::to_string(&staged).map_err(|error| Error::internal(error.to_string()))?;
    match text.len() > MAX_PART {
        true => Err(Error::new(
            Kind::PayloadTooLarge,
            "a few resources have tens of thousands of these changes: name fewer requests, or a shorter time",
        )),
        false => Ok(text),
    }
}

/// Begins an undo that goes by messages.
pub async fn begin(
    call: &Call<'_>,
    admin: &Admin,
    tenant: &TenantId,
    chosen: Vec<Chosen>,
    is_dry: bool,
) -> Result<Reply> {
    let parts = undo::in_parts(chosen, call.app.config.undo.resources);
    let bodies: Vec<String> = parts.into_iter().map(staged).collect::<Result<_>>()?;
    let id = &call.request_id;
    let undo = UndoRow {
        id: id.clone(),
        actor: admin.actor(),
        status: "running".to_owned(),
        is_dry,
        parts: i64::try_from(bodies.len()).unwrap_or(i64::MAX),
        part: 0,
        outcome: Outcome::default().to_stored(),
        started_at: call.now,
        finished_at: None,
    };
    let numbered: Vec<(i64, &String)> = (0..).zip(&bodies).collect();
    for some in numbered.chunks(STAGED_AT_ONCE) {
        let parts = some.iter();
        let batch = parts.map(|(number, body)| undos::insert_part(tenant, id, *number, body));
        call.run(Some(tenant), batch.collect()).await?;
    }
    call.journal.expect_status(202);
    call.change(tenant, vec![undos::insert(tenant, &undo)])
        .await?;
    let message = Message::Undo {
        tenant: tenant.to_string(),
        id: id.clone(),
    };
    messages::send(&call.app.platform, message, 0).await?;
    Ok(envelope::single(call, 202, UndoResponse::of(undo)?))
}

/// `GET …/undo/{undo_id}`: how far an undo is that goes by messages.
pub async fn read(call: &Call<'_>, admin: &Admin) -> Result<Reply> {
    let tenant = required_tenant(call, admin)?;
    let id = call.id("undo_id", "the undo")?;
    let results = call
        .run(Some(&tenant), vec![undos::select(&tenant, &id)])
        .await?;
    let row = rows_at(&results, 0)?.first();
    let undo = undos::undo(row.ok_or_else(|| Error::not_found("the undo"))?)?;
    call.note_tenant(&tenant);
    Ok(envelope::single(call, 200, UndoResponse::of(undo)?))
}
