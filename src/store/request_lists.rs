//! Pages of the journal, the latest request first.
//!
//! A change costs the journal one row and no index. So what is asked for is found where it stands already: what was refused by indexes that
//! changes do not write to; what changed a resource by the audit trail's index, whose events name their requests. Both are put together for
//! the requests about one resource or one person. What is left is looked for in the journal itself, in [`MAX_SCANNED`] requests a page.

use super::audit_events::MAX_SCANNED;
use super::requests::SHOWN;
use super::{Params, Statement};
use crate::ids::TenantId;

/// Which statuses are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Exactly(i64),
    /// 2 to 5: the first digit.
    Class(i64),
    /// What was refused, operations of Bulk requests too.
    Failed,
}

/// Which requests are wanted: those of which all holds that is said.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub status: Option<Status>,
    pub actor: Option<String>,
    pub method: Option<String>,
    pub resource_id: Option<String>,
    pub request_id: Option<String>,
    /// Folded.
    pub user_name_key: Option<String>,
    /// From this time on, in milliseconds since 1970.
    pub since: Option<i64>,
    /// Before this time.
    pub until: Option<i64>,
}

/// Where a page ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// Requests with smaller ids follow.
    pub id: String,
    /// Events up to this number follow, where requests are found by what they changed.
    pub seq: i64,
}

impl Position {
    /// Before the first page.
    pub fn begin() -> Self {
        Position {
            // Behind all ids.
            id: "~".to_owned(),
            seq: 1 << 53,
        }
    }
}

/// A page, as it is asked for: each statement's rows are the latest first.
#[derive(Debug)]
pub struct Asked {
    /// A row where the tenant exists.
    pub tenant: Statement,
    /// Requests.
    pub requests: Statement,
    /// What bounds the search for them from below, as `bottom`: no row where all were gone through.
    pub bottom: Option<Statement>,
    /// Events of a resource, as `event_seq` and `event_request`, with the requests that they name, `wanted` where the filter asks for one.
    pub events: Option<Statement>,
}

impl Filter {
    /// Whether only what was refused can be wanted.
    fn is_of_failures(&self) -> bool {
        match self.status {
            Some(Status::Exactly(status)) => status >= 400,
            Some(Status::Class(class)) => class >= 4,
            Some(Status::Failed) => true,
            None => false,
        }
    }

    fn is_whole(&self) -> bool {
        self.status.is_none() && self.actor.is_none() && self.method.is_none()
    }

    /// What holds of a wanted request `r`, but for its order.
    fn conditions(&self, params: &mut Params) -> Vec<String> {
        let mut conditions = Vec::new();
        let mut require = |condition: &str, value: Option<super::Value>| {
            if let Some(value) = value {
                conditions.push(condition.replace('$', &params.bind(value)));
            }
        };
        match self.status {
            None => {}
            Some(Status::Exactly(status)) => require("r.status = $", Some(status.into())),
            Some(Status::Class(class)) => require("r.status / 100 = $", Some(class.into())),
            Some(Status::Failed) => require("r.failed = $", Some(1.into())),
        }
        let text = |value: &Option<String>| value.clone().map(Into::into);
        require("r.actor = $", text(&self.actor));
        require("r.method = $", text(&self.method));
        require("r.id = $", text(&self.request_id));
        require("r.id >= $", self.since.map(|time| first_id(time).into()));
        require("r.id < $", self.until.map(|time| first_id(time).into()));
        conditions
    }
}

/// The smallest id of a request that came at that time or later.
pub(super) fn first_id(milliseconds: i64) -> String {
    let milliseconds = milliseconds.clamp(0, (1 << 48) - 1);
    format!(
        "{:08x}-{:04x}-0000-0000-000000000000",
        milliseconds >> 16,
        milliseconds & 0xffff
    )
}

/// The resources that are, or were, known by a user name.
fn known_by(key: &str) -> String {
    format!(
        "(select n.id from users n where n.tenant_id = ?1 and n.user_name_key = {key} union \
         select q.resource_id from requests q indexed by requests_user_name_idx where q.tenant_id = ?1 and q.user_name_key = {key} \
         and q.resource_type = 'User' and q.resource_id is not null)"
    )
}

/// A page of at most so many requests after a position.
pub fn select_page(tenant: &TenantId, filter: &Filter, after: &Position, limit: i64) -> Asked {
    let exists = Statement::new(
        "select 1 as there from tenants where id = ?1 and deleted_at is null",
        vec![tenant.into()],
    );
    let mut params = Params::new(vec![tenant.into()]);
    let mut conditions = filter.conditions(&mut params);
    conditions.push(format!("r.id < {}", params.bind(&after.id)));
    let is_about = filter.resource_id.is_some() || filter.user_name_key.is_some();
    let mut bottom = None;
    let index = match (&filter.resource_id, &filter.user_name_key) {
        _ if filter.request_id.is_some() => {
            if let Some(id) = &filter.resource_id {
                conditions.push(format!("r.resource_id = {}", params.bind(id)));
            }
            "not indexed"
        }
        (Some(id), _) => {
            conditions.push(format!("r.resource_id = {}", params.bind(id)));
            conditions.push("r.resource_id is not null and r.failed = 1".to_owned());
            "indexed by requests_failed_resource_idx"
        }
        (None, Some(_)) => "indexed by requests_user_name_idx",
        _ if filter.is_of_failures() => {
            conditions.push("r.failed = 1".to_owned());
            match filter.actor {
                Some(_) => "indexed by requests_failed_actor_idx",
                None => "indexed by requests_failed_idx",
            }
        }
        _ => {
            if !filter.is_whole() {
                let mut bound = Params::new(vec![tenant.into()]);
                let (after_id, scanned) = (bound.bind(&after.id), bound.bind(MAX_SCANNED - 1));
                let sql = format!(
                    "select w.id as bottom from requests w not indexed where w.tenant_id = ?1 and w.id < {after_id} \
                     order by w.id desc limit 1 offset {scanned}"
                );
                let (after_id, scanned) = (params.bind(&after.id), params.bind(MAX_SCANNED - 1));
                conditions.push(format!(
                    "r.id >= coalesce((select w.id from requests w not indexed where w.tenant_id = ?1 and w.id < {after_id} \
                     order by w.id desc limit 1 offset {scanned}), '')"
                ));
                bottom = Some(Statement::new(sql, bound.into_values()));
            }
            "not indexed"
        }
    };
    if let Some(key) = &filter.user_name_key {
        let key = params.bind(key);
        conditions.push(match (&filter.resource_id, &filter.request_id) {
            (None, None) => {
                // Others who had the name are found by what was done to them.
                format!("r.user_name_key = {key} and (r.failed = 1 or r.method in ('GET', 'POST'))")
            }
            _ => format!(
                "(r.user_name_key is {key} or r.resource_id in {})",
                known_by(&key)
            ),
        });
    }
    let limit_place = params.bind(limit);
    let requests = Statement::new(
        format!(
            "select {SHOWN}, seq from requests r {index} where r.tenant_id = ?1 and {} order by r.id desc limit {limit_place}",
            conditions.join(" and ")
        ),
        params.into_values(),
    );
    Asked {
        tenant: exists,
        requests,
        bottom,
        events: (is_about && filter.request_id.is_none())
            .then(|| select_events(tenant, filter, after, limit)),
    }
}

fn select_events(tenant: &TenantId, filter: &Filter, after: &Position, limit: i64) -> Statement {
    let mut params = Params::new(vec![tenant.into()]);
    let mut conditions = filter.conditions(&mut params);
    conditions.push("(r.failed = 0 or r.resource_id is null)".to_owned());
    let about = match (&filter.resource_id, &filter.user_name_key) {
        (Some(id), _) => format!("= {}", params.bind(id)),
        (None, key) => format!("in {}", known_by(&params.bind(key.clone()))),
    };
    if let (Some(_), Some(key)) = (&filter.resource_id, &filter.user_name_key) {
        let known = known_by(&params.bind(key));
        conditions.push(format!("e.resource_id in {known}"));
    }
    let (seq, limit) = (params.bind(after.seq), params.bind(limit));
    let columns: Vec<String> = SHOWN
        .split(", ")
        .map(|column| format!("r.{}", column.trim()))
        .collect();
    Statement::new(
        format!(
            "select e.seq as event_seq, e.request_id as event_request, coalesce({}, 0) as wanted, {}, r.seq \
             from audit_events e indexed by audit_events_resource_idx \
             left join requests r on r.tenant_id = e.tenant_id and r.id = e.request_id \
             where e.tenant_id = ?1 and e.resource_id {about} and e.seq <= {seq} order by e.seq desc limit {limit}",
            conditions.join(" and "),
            columns.join(", ")
        ),
        params.into_values(),
    )
}
