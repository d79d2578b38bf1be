//! Pages of events.

use async_trait::async_trait;

use serde_json::Value;

use super::event::{Event, Named, detail_of, events_of};
use super::known::after_each;
use super::types::Wanted;
use crate::error::{Error, Result};
use crate::ids::TenantId;
use crate::scim::schema::{Attribute, List, OwnSchemas, RESOURCE_TYPES, Returned};
use crate::store::events::{self, Change, Range};
use crate::store::revisions::{self, Kept};
use crate::store::{Rows, Statement, rows_at, tenants};

/// Most members that the changes of a page may name together, where it is more than one.
const MEMBERS_ON_PAGE: usize = 50_000;

/// A way to the database of a tenant.
#[async_trait(?Send)]
pub trait Reads {
    /// Runs a batch that reads.
    async fn read(&self, batch: Vec<Statement>) -> Result<Vec<Rows>>;
}

/// The events of some changes that follow each other.
#[derive(Debug)]
pub struct Page {
    pub range: Range,
    pub events: Vec<Event>,
    /// The number of the last of the changes: the next page comes after it.
    pub through: i64,
}

impl Page {
    pub fn has_more(&self) -> bool {
        self.through < self.range.last
    }

    /// Why a stream that has everything up to that number cannot go on; none where it can.
    pub fn lost(&self, after: i64) -> Option<&'static str> {
        if after < self.range.first {
            return Some(
                "events that it was not sent are kept no longer: the receiver has to list all anew, then replay from there",
            );
        }
        (after > self.range.last).then_some(
            "the tenant's database was set back: the receiver has to list all anew, then replay from there",
        )
    }
}

/// The events of at most so many changes after the one with that number, of the types that are wanted; one round trip, and more only where
/// the texts of a page are many megabytes long, or a change is about more than a thousand members. 404 where the tenant does not exist.
pub async fn page(
    reads: &dyn Reads,
    tenant: &TenantId,
    after: i64,
    limit: i64,
    wanted: &Wanted,
) -> Result<Page> {
    let mut limit = limit;
    let (range, own, changes) = loop {
        let batch = vec![
            events::select_range(tenant),
            events::select_page(tenant, after, limit),
        ];
        let results = reads.read(batch).await?;
        let row = rows_at(&results, 0)?.first();
        let row = row.ok_or_else(|| Error::not_found("the tenant"))?;
        let (range, own) = (events::range(row)?, tenants::own_schemas(row)?);
        let rows = rows_at(&results, 1)?.rows.iter();
        let changes = rows
            .map(events::change)
            .collect::<crate::store::Result<Vec<Change>>>()?;
        let fitting = changes.iter().take_while(|change| change.fits).count();
        if fitting == changes.len() {
            break (range, own, changes);
        }
        // Fewer share the same room.
        limit = match i64::try_from(fitting) {
            Ok(fitting @ 1..) => fitting,
            _ => (limit / 10).max(1),
        };
    };
    let states = after_each(&changes);
    let mut told: Vec<_> = changes
        .iter()
        .zip(states)
        .map(|(change, after)| {
            let detail = detail_of(change);
            let named = Named::of(&detail);
            (change, after, detail, named)
        })
        .collect();
    let mut members = 0;
    let fitting = told.iter().take_while(|(_, _, _, named)| {
        members += named.came_total + named.went_total;
        members <= MEMBERS_ON_PAGE
    });
    let fitting = fitting.count().max(1);
    told.truncate(fitting);
    let cut = told.iter().filter(|(_, _, _, named)| named.is_cut());
    let cut = cut.map(|(change, ..)| (change.event.request_id.as_str(), change.event.seq));
    let kept = kept(reads, tenant, cut.collect()).await?;
    let through = told
        .last()
        .map_or(after.max(range.first), |(change, ..)| change.event.seq);
    let mut all = Vec::new();
    for (change, after, detail, mut named) in told {
        if named.is_cut() {
            let own = kept.iter().filter(|kept| kept.seq == change.event.seq);
            let own: Vec<_> = own.map(|kept| &kept.memberships).collect();
            named.complete(&own);
        }
        all.extend(events_of(tenant, change, &after, &detail, named)?);
    }
    all.retain(|event| wanted.has(event.event_type));
    for event in &mut all {
        hide(&own, event);
    }
    Ok(Page {
        range,
        events: all,
        through,
    })
}

async fn kept(reads: &dyn Reads, tenant: &TenantId, keys: Vec<(&str, i64)>) -> Result<Vec<Kept>> {
    if keys.is_empty() {
        return Ok(Vec::new());
    }
    let results = reads.read(revisions::select_kept(tenant, keys)).await?;
    let rows = results.iter().flat_map(|rows| &rows.rows);
    Ok(rows
        .map(revisions::kept)
        .collect::<crate::store::Result<_>>()?)
}

/// Takes out of an event what is never returned (RFC 7643 §7).
fn hide(own: &OwnSchemas, event: &mut Event) {
    let named = &event.resource.resource_type;
    let Some(of) = RESOURCE_TYPES.into_iter().find(|of| of.name == named) else {
        return;
    };
    for extension in own.shape(of).own {
        let shown = [&mut event.data, &mut event.previous];
        for resource in shown.into_iter().flatten() {
            hide_in(&extension.attributes, resource.get_mut(extension.id()));
        }
    }
}

fn hide_in(attributes: &List<Attribute>, value: Option<&mut Value>) {
    match value {
        Some(Value::Array(values)) => {
            for value in values {
                hide_in(attributes, Some(value));
            }
        }
        Some(Value::Object(object)) => {
            for attribute in attributes.iter() {
                match attribute.returned {
                    Returned::Never => {
                        object.shift_remove(attribute.name());
                    }
                    _ => hide_in(&attribute.sub_attributes, object.get_mut(attribute.name())),
                }
            }
        }
        _ => {}
    }
}
