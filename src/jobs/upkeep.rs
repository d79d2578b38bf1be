//! A tenant's upkeep: what it keeps for so many days goes after them, and all that it has goes thirty days after it was deleted.
//!
//! The clock's tick asks for it once a day for each tenant. A message does a bounded part, and sends the next one where there is more. One
//! that comes twice finds less to do.

use serde_json::json;

use crate::api::App;
use crate::api::scim::async_requests::KEPT_DAYS;
use crate::change::audit::{self, Action, Detail, Event, Origin, Totals};
use crate::change::rows::upkeep::{
    self, ASYNC_PARTS, ASYNC_REQUESTS, ASYNC_RESULTS, DELIVERIES, EVENTS_AT_ONCE, REQUEST_COUNTS,
    REQUESTS, REVISIONS, UNDO_PARTS, UNDOS,
};
use crate::error::{Error, Result};
use crate::ids::{self, TenantId};
use crate::messages::{self, Message};
use crate::platform::{self, Database};
use crate::scim::date_time;
use crate::store::scim_tokens;
use crate::store::tenants::{self, DAY_MS, RESTORED_WITHIN_MS};
use crate::store::{self, Guard, Row, Value, rows_at};

/// Most tenants that one tick asks for.
const TENANTS_AT_ONCE: i64 = 100;
/// Most batches of one message that deletes a tenant's rows.
const MAX_BATCHES: usize = 10;
/// How long it is known how many refusals there were in a minute, in days; they are told for one.
const COUNTS_DAYS: i64 = 7;
/// How many days before it ends a token is told of, and of how many at once.
const TOLD_DAYS: i64 = 14;
const ENDS_AT_ONCE: i64 = 50;
/// How long deliveries of events are known.
const DELIVERY_DAYS: i64 = 30;
/// How long it is known what came of an undo that went by messages.
const UNDO_DAYS: i64 = 30;

impl App {
    /// Asks for the upkeep of tenants that are due, and notes that it did. What is not sent is asked for tomorrow.
    pub(super) async fn send_upkeep(&self, database: &dyn Database) {
        let now = self.platform.clock.now();
        let batch = vec![tenants::claim_upkeep(now, TENANTS_AT_ONCE)];
        let result = async {
            let results = database.run(batch).await?;
            for row in &rows_at(&results, 0)?.rows {
                let tenant = row.text("id")?;
                messages::send(&self.platform, Message::Upkeep { tenant }, 0).await?;
            }
            Ok::<_, Error>(())
        };
        self.tell_scheduled("upkeep", result.await);
    }

    /// Does a part of a tenant's upkeep.
    pub(super) async fn keep_up(&self, tenant: &str) -> Result<()> {
        let Some(tenant) = TenantId::parse(tenant) else {
            return Ok(());
        };
        let database = self.platform.database_of(Some(&tenant));
        let results = database.run(vec![tenants::select_upkeep(&tenant)]).await?;
        let Some(row) = rows_at(&results, 0)?.first() else {
            return Ok(());
        };
        let is_more = match row.optional_integer("deleted_at")? {
            Some(_) => self.erase(&tenant).await,
            None => match self.tell_of_ends(&tenant).await {
                Ok(()) => self.purge(&tenant, row).await,
                Err(error) => Err(error),
            },
        };
        match is_more {
            Ok(true) => {
                let tenant = tenant.to_string();
                messages::send(&self.platform, Message::Upkeep { tenant }, 0).await
            }
            Ok(false)
            // Restored, not due yet, or another message was at it.
            | Err(store::Error::Guard(Guard::NotFound | Guard::VersionConflict)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Tells of tokens that end soon, once of each.
    async fn tell_of_ends(&self, tenant: &TenantId) -> store::Result<()> {
        let platform = &self.platform;
        let database = platform.database_of(Some(tenant));
        let now = platform.clock.now();
        let soon = now + TOLD_DAYS * DAY_MS;
        let ending = scim_tokens::select_ending(tenant, now, soon, ENDS_AT_ONCE);
        let results = database.run(vec![ending]).await?;
        let mut batch = Vec::new();
        for row in &rows_at(&results, 0)?.rows {
            let (id, expires_at) = (row.text("id")?, row.integer("expires_at")?);
            let about =
                json!({"name": row.text("name")?, "expires_at": date_time::format(expires_at)});
            let event = Event {
                action: Action::Expire,
                resource_type: "ScimToken",
                resource_id: &id,
                attributes: Vec::new(),
                detail: Detail::about(about.as_object().cloned().unwrap_or_default()),
            };
            batch.extend(scim_tokens::note_end_told(tenant, &id, expires_at));
            let origin = self.origin()?;
            batch.extend(audit::append(tenant, &origin, Totals::default(), &[event]));
        }
        if !batch.is_empty() {
            database.run(batch).await?;
        }
        Ok(())
    }

    /// As whom the clock's work is audited.
    fn origin(&self) -> store::Result<Origin> {
        let platform = &self.platform;
        let request_id = platform::new_id(platform.clock.as_ref(), platform.entropy.as_ref());
        Ok(Origin {
            actor: "schedule".to_owned(),
            request_id: request_id.map_err(store::Error::Backend)?,
            at: platform.clock.now(),
        })
    }

    /// Deletes rows of a tenant that is not restored any more; whether there are more.
    async fn erase(&self, tenant: &TenantId) -> store::Result<bool> {
        let database = self.platform.database_of(Some(tenant));
        let border = self.platform.clock.now() - RESTORED_WITHIN_MS;
        for _ in 0..MAX_BATCHES {
            let results = database.run(upkeep::erase_some(tenant, border)).await?;
            let last = results.last().and_then(|rows| rows.first());
            if !last.map_or(Ok(false), |row| row.boolean("more"))? {
                database.run(upkeep::end(tenant, border).into()).await?;
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Deletes what a tenant keeps no longer, and says so in its audit trail; whether there is more.
    async fn purge(&self, tenant: &TenantId, row: &Row) -> store::Result<bool> {
        let platform = &self.platform;
        let database = platform.database_of(Some(tenant));
        let now = platform.clock.now();
        let before = |days: i64| now - days.saturating_mul(DAY_MS);
        let events_before = before(row.integer("audit_days")?);
        let of_requests = |days: i64| Value::from(ids::first_at(before(days)));
        let recorded = [
            (REVISIONS, of_requests(row.integer("history_days")?)),
            (REQUESTS, of_requests(row.integer("requests_days")?)),
            (
                REQUEST_COUNTS,
                before(COUNTS_DAYS).div_euclid(60_000).into(),
            ),
            (UNDOS, of_requests(UNDO_DAYS)),
            (UNDO_PARTS, of_requests(UNDO_DAYS)),
            (DELIVERIES, of_requests(DELIVERY_DAYS)),
            (ASYNC_REQUESTS, of_requests(KEPT_DAYS)),
            (ASYNC_PARTS, of_requests(KEPT_DAYS)),
            (ASYNC_RESULTS, of_requests(KEPT_DAYS)),
        ];
        let mut reads = vec![upkeep::select_events_before(tenant, events_before)];
        reads.extend(recorded.iter().map(|(of, before)| of.count(tenant, before)));
        let results = database.run(reads).await?;
        let mut batch = Vec::new();
        let mut purged = Vec::new();
        let mut is_more = false;
        if let Some(row) = rows_at(&results, 0)?.first() {
            let (first, next) = (row.integer("first")?, row.integer("next")?);
            let to = next.min(first.saturating_add(EVENTS_AT_ONCE));
            is_more |= to < next;
            if to > first {
                batch.extend(upkeep::purge_events(tenant, first, to, events_before));
                purged.push(("audit_events", to - first));
            }
        }
        for ((of, before), counted) in recorded.iter().zip(results.iter().skip(1)) {
            let count = counted.first().map_or(Ok(0), |row| row.integer("count"))?;
            if count > 0 {
                batch.push(of.purge(tenant, before));
                purged.push((of.table, count));
                is_more |= upkeep::is_full(count);
            }
        }
        if batch.is_empty() {
            return Ok(false);
        }
        let origin = self.origin()?;
        let event = Event {
            action: Action::Purge,
            resource_type: "Tenant",
            resource_id: tenant.as_str(),
            attributes: Vec::new(),
            detail: Detail::purged(&purged),
        };
        batch.extend(audit::append(tenant, &origin, Totals::default(), &[event]));
        database.run(batch).await?;
        Ok(is_more)
    }
}
