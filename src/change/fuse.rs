//! The fuse: how much one credential may take away from a tenant in a while. A script that runs wild, a connector whose scope was emptied,
//! a group that was unassigned by mistake: they all look like people who left.
//!
//! What a credential has removed is counted in the tenant's row, in the statement that numbers its audit events, so in the same batch as
//! the removal itself and at no row more. A trigger undoes a batch that goes beyond what the tenant's `removal_fuse` allows;
//! so no two requests slip past it together. Whoever runs into it reads what is left, and refuses what exceeds it: removals
//! alone, and each by itself.
//!
//! Users and groups that are deleted or switched off count against the users and groups that there were when the time began; members who
//! are taken out of groups against the memberships. What goes along with a deleted resource is not counted again.

use serde_json::Value as Json;

use super::rows::removals::Removals;
use crate::error::{Error, Kind, Result};
use crate::store::{self, Row};

/// How much may go of so many: a share of them, and in any case a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    pub percent: i64,
    pub at_least: i64,
}

impl Allowance {
    /// The most that may go of `all`.
    pub fn of(self, all: i64) -> i64 {
        self.at_least.max(all.saturating_mul(self.percent) / 100)
    }
}

/// What is known of a credential's fuse.
#[derive(Debug, Clone, Default)]
pub enum Fuse {
    /// Nothing: it is taken to hold.
    #[default]
    Assumed,
    /// It did not hold, and is to be asked.
    Asked,
    Known(Left),
}

/// What a credential may still remove.
#[derive(Debug, Clone)]
pub struct Left {
    left: Removals,
    retry_after_seconds: u32,
    detail: String,
}

impl Fuse {
    /// 503 for what goes beyond what is left, when so much of it is taken already.
    pub fn check(&self, taken: Removals, more: Removals) -> Result<()> {
        let Fuse::Known(known) = self else {
            return Ok(());
        };
        let all = taken.and(more);
        let exceeds = |more: i64, all: i64, left: i64| more > 0 && all > left;
        let left = known.left;
        if exceeds(more.resources, all.resources, left.resources)
            || exceeds(more.members, all.members, left.members)
        {
            let kind = Kind::Unavailable {
                retry_after_seconds: known.retry_after_seconds,
            };
            return Err(Error::new(kind, known.detail.clone()));
        }
        Ok(())
    }
}

impl Left {
    /// Reads what [`select`](super::rows::removals::select) gave, at that time.
    pub fn of(row: &Row, now: i64) -> store::Result<Self> {
        let json = |name: &str| -> store::Result<Json> {
            let text = row.optional_text(name)?.unwrap_or_default();
            Ok(serde_json::from_str(&text).unwrap_or_default())
        };
        let (fuse, entry) = (json("removal_fuse")?, json("entry")?);
        let number = |of: &Json, name: &str| of.get(name).and_then(Json::as_i64);
        let Some(minutes) = number(&fuse, "minutes") else {
            return Ok(Left::unlimited());
        };
        let allowance = Allowance {
            percent: number(&fuse, "percent").unwrap_or(100),
            at_least: number(&fuse, "at_least").unwrap_or(0),
        };
        let over = number(&entry, "since")
            .unwrap_or(i64::MIN)
            .saturating_add(minutes * 60_000);
        let is_on = over > now;
        let so_far = |name: &str| number(&entry, name).filter(|_| is_on);
        let extra = match number(&entry, "until").is_some_and(|until| until > now) {
            true => number(&entry, "extra").unwrap_or(0),
            false => 0,
        };
        let gone = Removals {
            resources: so_far("resources").unwrap_or(0),
            members: so_far("members").unwrap_or(0),
        };
        let of = match so_far("of") {
            Some(of) => of,
            None => row.integer("resources")?,
        };
        let of_members = match so_far("of_members") {
            Some(of) => of,
            None => row.integer("members")? + gone.members,
        };
        let wait = if is_on { over - now } else { minutes * 60_000 };
        Ok(Left {
            left: Removals {
                resources: allowance.of(of) + extra - gone.resources,
                members: allowance.of(of_members) + extra - gone.members,
            },
            retry_after_seconds: u32::try_from(wait / 1_000 + 1).unwrap_or(u32::MAX),
            detail: format!(
                "this would remove more than the tenant's removal_fuse allows a credential within {minutes} minutes: {percent} % of {of} \
                 users and groups and of {of_members} memberships, and {at_least} in any case; {resources} and {members} are removed already. \
                 All but removals goes on; an administrator lets these go on by POST /api/v1/admin/scim-tokens/{{token_id}}/allow-removals",
                percent = allowance.percent,
                at_least = allowance.at_least,
                resources = gone.resources,
                members = gone.members,
            ),
        })
    }

    fn unlimited() -> Self {
        Left {
            left: Removals {
                resources: i64::MAX,
                members: i64::MAX,
            },
            retry_after_seconds: 0,
            detail: String::new(),
        }
    }
}
