//! How much went on in a tenant, hour by hour, as the journal and the audit trail tell.

use super::{Params, Row, Statement, Value, audit_events, request_lists};
use crate::ids::TenantId;

pub const HOUR_MS: i64 = 3_600_000;
/// The hours that are told of, the present one among them.
pub const HOURS: i64 = 24;
/// Most requests, and most changes, that are counted, the latest first.
pub const MAX_COUNTED: i64 = 10_000;

/// The statements: a row where the tenant is there; for each hour since `begin` (milliseconds since 1970) that has any, the requests of
/// the journal; for each the changes of users and groups.
pub fn select(tenant: &TenantId, begin: i64) -> [Statement; 3] {
    let there = "select 1 as there from tenants where id = ?1 and deleted_at is null";
    let mut of_requests = Params::new(vec![tenant.into()]);
    let hour = hour_of("id", &mut of_requests, |hour| {
        request_lists::first_id(begin + hour * HOUR_MS).into()
    });
    let first = of_requests.bind(request_lists::first_id(begin));
    let requests = format!(
        "select {hour} as hour, count(*) as count, sum(failed) as refused, min(id) as first from (select id, failed from requests \
         where tenant_id = ?1 and id >= {first} order by id desc limit {MAX_COUNTED}) group by 1"
    );
    let mut of_changes = Params::new(vec![tenant.into()]);
    let hour = hour_of("at", &mut of_changes, |hour| {
        (begin + hour * HOUR_MS).into()
    });
    let first = of_changes.bind(begin);
    let sooner = of_changes.bind(begin - audit_events::MAX_LAG_MS);
    let sooner = audit_events::sample(&format!("< {sooner}"), "desc");
    let changes = format!(
        "select {hour} as hour, count(*) as count, 0 as refused, min(at) as since from (select at from audit_events \
         where tenant_id = ?1 and seq > coalesce({sooner}, 0) and at >= {first} and resource_type in ('User', 'Group') \
         order by seq desc limit {MAX_COUNTED}) group by 1"
    );
    [
        Statement::new(there, vec![tenant.into()]),
        Statement::new(requests, of_requests.into_values()),
        Statement::new(changes, of_changes.into_values()),
    ]
}

/// The number of the hour that a column lies in: how many of the hours after the first have begun by then.
fn hour_of(column: &str, params: &mut Params, begins: impl Fn(i64) -> Value) -> String {
    let begun = (1..HOURS).map(|hour| format!("({column} >= {})", params.bind(begins(hour))));
    begun.collect::<Vec<_>>().join(" + ")
}

/// What one statement counted of an hour.
#[derive(Debug, Clone, Copy)]
pub struct Counted {
    /// From 0, the first of the hours.
    pub hour: i64,
    pub count: i64,
    pub refused: i64,
    /// When the first of them was, in milliseconds since 1970.
    pub since: i64,
}

pub fn counted(row: &Row) -> super::Result<Counted> {
    let since = match row.value("since") {
        Ok(_) => row.integer("since")?,
        Err(_) => audit_events::time_of_id(&row.text("first")?).unwrap_or_default(),
    };
    Ok(Counted {
        hour: row.integer("hour")?,
        count: row.integer("count")?,
        refused: row.integer("refused")?,
        since,
    })
}
