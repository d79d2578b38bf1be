//! `/api/v1/admin/status`: what needs a person, and what they can do about it. Each line has a code of one table.

use serde::Serialize;

use super::databases::{self, DatabaseResponse};
use super::requests::ResourceName;
use crate::api::http::call::Call;
use crate::api::http::envelope::{self, Pagination};
use crate::api::http::everywhere;
use crate::api::http::input::{Page, Time};
use crate::api::http::query_parameters::tenant_in_query;
use crate::api::http::reply::Reply;
use crate::auth::admin::Admin;
use crate::error::{Error, Result};
use crate::ids::TenantId;
use crate::store::attention::{self, Line};
use crate::store::{Rows, Statement, rows_at, tenants};

/// A kind of line: its code, what it means and what to do.
struct Meaning {
    code: &'static str,
    what: &'static str,
    to_do: &'static str,
}

/// Every code there is.
const MEANINGS: &[Meaning] = &[
    Meaning {
        code: "token_expired",
        what: "The SCIM token has expired: its client is refused.",
        to_do: "Where rotate has put a new token in its place, DELETE this one; else create a new token and paste it into the identity provider, then DELETE this one.",
    },
    Meaning {
        code: "token_expires",
        what: "The SCIM token ends within 30 days.",
        to_do: "POST scim-tokens/{id}/rotate with an overlap, unless that was done already (409), and paste the new token into the identity provider before the old one ends.",
    },
    Meaning {
        code: "token_unused",
        what: "The SCIM token was not used for 7 days.",
        to_do: "See whether the identity provider's provisioning is switched off or paused; DELETE a token that nobody needs.",
    },
    Meaning {
        code: "requests_refused",
        what: "Requests of this credential were refused in the last day; the count is of the latest 5,000 of the tenant.",
        to_do: "GET requests/?status=failed&actor={id} says which and why.",
    },
    Meaning {
        code: "refusals_not_kept",
        what: "More than 600 requests were refused within a minute: the rest were counted, and are not in the journal.",
        to_do: "A client tries again and again what is refused: find it by GET requests/?status=failed, and pause its token.",
    },
    Meaning {
        code: "sync_blocked",
        what: "The directory's last sync would have removed more than is allowed, and was stopped.",
        to_do: "See what it would do by POST identity-providers/{id}/sync?dry_run=true; where that is right, run it with allow_removals=true.",
    },
    Meaning {
        code: "sync_failing",
        what: "The directory's last sync failed.",
        to_do: "GET identity-providers/{id}/sync-logs says why; POST identity-providers/{id}/test tries the connection.",
    },
    Meaning {
        code: "fuse_tripped",
        what: "The credential has removed as much of the tenant as its removal_fuse allows, and was stopped in the last day.",
        to_do: "GET audit-events/?actor={id} says what it removed; where that is right, POST scim-tokens/{id}/allow-removals lets it go on.",
    },
    Meaning {
        code: "stream_failing",
        what: "The receiver of the event stream does not take its deliveries; they are tried again for three days.",
        to_do: "GET event-streams/{id}/deliveries of the tenant says what it answers; once it is well, POST event-streams/{id}/resume tries at once.",
    },
    Meaning {
        code: "stream_paused",
        what: "The event stream is paused: its deliveries have failed for three days, or the receiver wants no more.",
        to_do: "GET event-streams/{id} of the tenant says why; once it is well, POST event-streams/{id}/resume goes on where it stopped. DELETE a stream that nobody needs.",
    },
    Meaning {
        code: "message_dead",
        what: "A message to rollcall-jobs failed as often as it was tried, and was given up.",
        to_do: "The log of rollcall-jobs says why; start what it was for again, as a sync by POST identity-providers/{id}/sync.",
    },
];

/// Something that needs a person.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct StatusLine {
    /// Whose it is.
    tenant_id: TenantId,
    /// A word to match on.
    code: &'static str,
    /// What it means.
    what: &'static str,
    /// Since when; of a token that expires, when it does.
    since: Time,
    /// What to do about it.
    #[serde(rename = "do")]
    to_do: &'static str,
    /// What it is about.
    subject: ResourceName,
    /// Its name, where it has one.
    name: Option<String>,
    /// How often.
    count: i64,
}

/// What needs a person; nothing where all is well.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct StatusResponse {
    lines: Vec<StatusLine>,
    /// Where no tenant is named: of which tenants these are, a page of the list of all.
    #[serde(skip_serializing_if = "Option::is_none")]
    tenants: Option<Pagination>,
    /// Where no tenant is named: the databases that need a person.
    #[serde(skip_serializing_if = "Option::is_none")]
    databases: Option<Vec<DatabaseResponse>>,
}

fn show(tenant: &TenantId, line: Line) -> Option<StatusLine> {
    let meaning = MEANINGS.iter().find(|meaning| meaning.code == line.code)?;
    Some(StatusLine {
        tenant_id: tenant.clone(),
        code: meaning.code,
        what: meaning.what,
        since: Time(line.since),
        to_do: meaning.to_do,
        subject: ResourceName::new(line.kind, line.id),
        name: line.name,
        count: line.count,
    })
}

/// The lines that the statements of a tenant gave.
fn lines<'r>(
    tenant: &TenantId,
    results: impl IntoIterator<Item = &'r Rows>,
) -> Result<Vec<StatusLine>> {
    let rows = results.into_iter().flat_map(|results| &results.rows);
    let lines = rows.map(|row| Ok(show(tenant, attention::line(row)?)));
    let lines = lines.collect::<Result<Vec<_>>>()?;
    Ok(lines.into_iter().flatten().collect())
}

/// `GET /api/v1/admin/status/`.
pub async fn read(call: &Call<'_>, admin: &Admin) -> Result<Reply> {
    let Some(tenant) = tenant_in_query(call, admin)? else {
        return of_all(call).await;
    };
    let batch = attention::select(&tenant, call.now);
    let results = call.run(Some(&tenant), batch.into()).await?;
    if rows_at(&results, 0)?.first().is_none() {
        return Err(Error::not_found("the tenant"));
    }
    call.note_tenant(&tenant);
    let status = StatusResponse {
        lines: lines(&tenant, results.iter().skip(1))?,
        tenants: None,
        databases: None,
    };
    Ok(envelope::single(call, 200, status))
}

/// The same of a page of all tenants, whose statements are bounded as for one: in two round trips for a database, however many tenants there are.
async fn of_all(call: &Call<'_>) -> Result<Reply> {
    let page = Page::of(call)?;
    let select = |limit, offset| tenants::select_page(None, None, limit, offset);
    // A database that does not answer is told of below, and hides nothing of the others.
    let found = everywhere::of_all(call, page, &select, true).await?;
    let mut all = Vec::new();
    for (database, rows) in &found.parts {
        let known = rows.iter().map(|row| {
            let id = TenantId::parse(&row.text("id")?);
            id.ok_or_else(|| Error::internal("a stored tenant id is none"))
        });
        let known = known.collect::<Result<Vec<TenantId>>>()?;
        let batches = known.iter().map(|tenant| {
            // That they are there was just read.
            let batch = attention::select(tenant, call.now).into_iter().skip(1);
            batch.collect::<Vec<Statement>>()
        });
        let batches: Vec<_> = batches.collect();
        let lengths: Vec<usize> = batches.iter().map(Vec::len).collect();
        let batch: Vec<_> = batches.into_iter().flatten().collect();
        if batch.is_empty() {
            continue;
        }
        let mut results = call.run_in(database, batch).await?.into_iter();
        for (tenant, length) in known.iter().zip(lengths) {
            let of_tenant: Vec<Rows> = results.by_ref().take(length).collect();
            all.extend(lines(tenant, &of_tenant)?);
        }
    }
    let status = StatusResponse {
        lines: all,
        tenants: Some(page.of_items(found.total)),
        databases: Some(databases::in_need(call, found.total).await?),
    };
    Ok(envelope::single(call, 200, status))
}
