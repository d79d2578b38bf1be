//! `/api/v1/tenants/{tenant_id}/events`: every change since a number, for a product that keeps its own tables in step.

use async_trait::async_trait;
use serde::Serialize;

use crate::api::http::call::Call;
use crate::api::http::envelope::{Meta, meta};
use crate::api::http::input::{number, parameter};
use crate::api::http::query_parameters::tenant_in_path;
use crate::api::http::reply::Reply;
use crate::auth::admin::Admin;
use crate::error::{Error, Kind, Result};
use crate::events::{self, Event, Page, Reads, Wanted};
use crate::ids::TenantId;
use crate::store::events::Range;
use crate::store::{Rows, Statement};

/// Default and largest number of changes on a page.
pub const DEFAULT_LIMIT: i64 = 100;
pub const MAX_LIMIT: i64 = 1_000;
/// The largest number that there may be: numbers cross to the database as doubles.
pub const MAX_SEQ: i64 = 9_007_199_254_740_991;
/// Longest wait for an event, in seconds.
pub const MAX_WAIT: i64 = 25;
/// How long it is between two looks for something new, in milliseconds: longer each time, up to the second of them.
pub const FIRST_PAUSE: u32 = 100;
pub const LAST_PAUSE: u32 = 500;

/// A page of events, in the order in which they happened.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct EventPage {
    data: Vec<Event>,
    pagination: Follow,
    meta: Meta,
}

/// Where the events go on.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Follow {
    /// `after` of the next request, also where there are no more events yet: everything up to this number has been told.
    next: i64,
    /// Whether there is more already.
    has_more: bool,
    limit: i64,
}

/// A request's way to the database of a tenant.
pub struct Asked<'a>(pub &'a Call<'a>, pub &'a TenantId);

#[async_trait(?Send)]
impl Reads for Asked<'_> {
    async fn read(&self, batch: Vec<Statement>) -> Result<Vec<Rows>> {
        Ok(self.0.run(Some(self.1), batch).await?)
    }
}

/// `GET …/events`.
pub async fn list(call: &Call<'_>, admin: &Admin) -> Result<Reply> {
    let tenant = tenant_in_path(call, admin)?;
    let after = number(call, "after", 0, 0..=MAX_SEQ)?;
    let limit = number(call, "limit", DEFAULT_LIMIT, 1..=MAX_LIMIT)?;
    let wait = number(call, "wait", 0, 0..=MAX_WAIT)?;
    let wanted = match parameter(call, "types").filter(|types| !types.is_empty()) {
        None => Wanted::all(),
        Some(types) => Wanted::parse(types.split(','))
            .map_err(|reason| Error::field(&["query", "types"], reason, "value_error"))?,
    };
    let asked = Asked(call, &tenant);
    let clock = &call.app.platform.clock;
    let until = call.now + wait * 1_000;
    let (mut from, mut pause) = (after, FIRST_PAUSE);
    loop {
        let page = events::page(&asked, &tenant, from, limit, &wanted).await?;
        if from == after {
            check(after, page.range, "query")?;
        }
        let left = until - clock.now();
        if !page.events.is_empty() || left <= 0 {
            return Ok(reply(call, page, limit));
        }
        from = page.through;
        if page.has_more() {
            continue;
        }
        let most = u32::try_from(left).unwrap_or(pause);
        call.app.platform.timer.sleep(pause.min(most)).await;
        pause = (pause * 2).min(LAST_PAUSE);
    }
}

/// 410 where some of what was asked for is there no more, 422 where the number is one that was never given.
pub fn check(after: i64, range: Range, place: &str) -> Result<()> {
    if after < range.first {
        let detail = format!(
            "events up to number {} are kept no longer; list the users and groups anew, and go on after the X-Event-Seq of the first reply",
            range.first
        );
        return Err(Error::new(Kind::Gone, detail));
    }
    if after > range.last {
        let detail = format!(
            "the tenant's last event has the number {}; where the database was set back, list the users and groups anew",
            range.last
        );
        return Err(Error::field(&[place, "after"], detail, "value_error"));
    }
    Ok(())
}

fn reply(call: &Call<'_>, page: Page, limit: i64) -> Reply {
    let body = EventPage {
        pagination: Follow {
            next: page.through,
            has_more: page.has_more(),
            limit,
        },
        data: page.events,
        meta: meta(call),
    };
    Reply::json(200, &body)
}
