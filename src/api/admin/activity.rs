//! `/api/v1/admin/activity`: how much went on in a tenant in the last day, hour by hour.

use serde::Serialize;

use crate::api::http::call::Call;
use crate::api::http::envelope;
use crate::api::http::input::Time;
use crate::api::http::query_parameters::required_tenant;
use crate::api::http::reply::Reply;
use crate::auth::admin::Admin;
use crate::error::{Error, Result};
use crate::store::activity::{self, Counted, HOUR_MS, HOURS, MAX_COUNTED};
use crate::store::{Rows, rows_at};

/// An hour of a tenant.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ActivityHour {
    /// When it began.
    at: Time,
    /// Requests of the journal: they changed something, were refused, or looked in vain for a user name.
    requests: i64,
    /// Those of them that were refused, in whole or in part.
    refused: i64,
    /// Changes of users and groups.
    changes: i64,
}

/// The last 24 hours of a tenant.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ActivityResponse {
    /// The earliest first; the last one is under way.
    hours: Vec<ActivityHour>,
    /// Where there were more than 10,000 requests or changes: the latest ones are counted, and those since this time are whole.
    counted_since: Option<Time>,
}

/// `GET /api/v1/admin/activity/`.
pub async fn read(call: &Call<'_>, admin: &Admin) -> Result<Reply> {
    let tenant = required_tenant(call, admin)?;
    let begin = (call.now.div_euclid(HOUR_MS) - HOURS + 1) * HOUR_MS;
    let batch = activity::select(&tenant, begin);
    let results = call.run(Some(&tenant), batch.into()).await?;
    if rows_at(&results, 0)?.first().is_none() {
        return Err(Error::not_found("the tenant"));
    }
    call.note_tenant(&tenant);
    let requests = Tally::read(rows_at(&results, 1)?)?;
    let changes = Tally::read(rows_at(&results, 2)?)?;
    let hours = (0..HOURS).map(|hour| {
        let (requests, refused) = requests.of(hour);
        ActivityHour {
            at: Time(begin + hour * HOUR_MS),
            requests,
            refused,
            changes: changes.of(hour).0,
        }
    });
    let activity = ActivityResponse {
        hours: hours.collect(),
        counted_since: requests.cut_at().max(changes.cut_at()).map(Time),
    };
    Ok(envelope::single(call, 200, activity))
}

/// What was counted of the hours that had any.
struct Tally(Vec<Counted>);

impl Tally {
    fn read(rows: &Rows) -> Result<Self> {
        let counted = rows.rows.iter().map(activity::counted);
        Ok(Tally(counted.collect::<std::result::Result<_, _>>()?))
    }

    /// How many there were in an hour, and how many of them were refused.
    fn of(&self, hour: i64) -> (i64, i64) {
        let found = self.0.iter().find(|counted| counted.hour == hour);
        found.map_or((0, 0), |counted| (counted.count, counted.refused))
    }

    /// When the first was that was counted, where those before were not.
    fn cut_at(&self) -> Option<i64> {
        let total: i64 = self.0.iter().map(|counted| counted.count).sum();
        let first = self.0.iter().map(|counted| counted.since).min();
        first.filter(|_| total >= MAX_COUNTED)
    }
}
