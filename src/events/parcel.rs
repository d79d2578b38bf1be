//! What is delivered at once: a few events, and from where to where the receiver has all of them then.

use serde::Serialize;
use serde_json::Value;

use super::event::Event;
use super::page::Page;

/// Events that are delivered together.
#[derive(Debug, Clone)]
pub struct Parcel {
    /// Everything up to this number was delivered before.
    pub after: i64,
    /// Everything up to this number is delivered with it. Of a change whose events go in several parcels, the last one has its number.
    pub through: i64,
    pub events: Vec<Event>,
}

/// One event by itself.
#[derive(Serialize)]
struct Single<'p> {
    #[serde(flatten)]
    event: &'p Event,
    after: i64,
    through: i64,
}

/// Several.
#[derive(Serialize)]
struct Several<'p> {
    #[serde(rename = "type")]
    kind: &'static str,
    tenant_id: &'p str,
    after: i64,
    through: i64,
    events: &'p [Event],
}

impl Parcel {
    /// The id that it keeps over all tries: that of its event, or one that no other events have together, nor these with another end.
    pub fn id(&self, takes_several: bool) -> String {
        let first = self.events.first().map_or("", |event| &event.id);
        match takes_several {
            true => format!("{first}-{}.{}", self.through, self.events.len()),
            false => first.to_owned(),
        }
    }

    /// Its text, where a stream takes one event at a time or several.
    pub fn to_body(&self, takes_several: bool) -> String {
        let (after, through) = (self.after, self.through);
        let written = match (takes_several, self.events.first()) {
            (false, Some(event)) => serde_json::to_string(&Single {
                event,
                after,
                through,
            }),
            (true, Some(event)) => serde_json::to_string(&Several {
                kind: "events",
                tenant_id: &event.tenant_id,
                after,
                through,
                events: &self.events,
            }),
            (_, None) => Ok(Value::Null.to_string()),
        };
        // Names that are strings, and no writer that could fail.
        written.unwrap_or_default()
    }
}

/// A page as parcels of at most so many events. The first one ends at `pending`, where that is what was tried before: it is tried again as
/// it was. All events of one change go together unless they are more than a parcel takes.
pub fn parcels(page: Page, after: i64, most: usize, pending: Option<i64>) -> Vec<Parcel> {
    let through = page.through;
    let mut parcels: Vec<Parcel> = Vec::new();
    let mut changes: Vec<Vec<Event>> = Vec::new();
    for event in page.events {
        match changes.last_mut() {
            Some(change) if change.first().is_some_and(|first| first.seq == event.seq) => {
                change.push(event);
            }
            _ => changes.push(vec![event]),
        }
    }
    let mut open: Option<Parcel> = None;
    let mut done = after;
    for change in changes {
        let seq = change.first().map_or(done, |event| event.seq);
        let is_pending_over =
            |parcel: &Parcel| pending.is_some_and(|end| parcel.through <= end && seq > end);
        let closes =
            |parcel: &Parcel| parcel.events.len() + change.len() > most || is_pending_over(parcel);
        if open.as_ref().is_some_and(closes) {
            parcels.extend(open.take());
        }
        match &mut open {
            Some(parcel) => {
                parcel.events.extend(change);
                parcel.through = seq;
            }
            None => {
                let mut parts = change.chunks(most.max(1)).map(<[Event]>::to_vec).peekable();
                while let Some(events) = parts.next() {
                    let is_last = parts.peek().is_none();
                    let parcel = Parcel {
                        after: done,
                        through: if is_last { seq } else { done },
                        events,
                    };
                    match is_last {
                        true => open = Some(parcel),
                        false => parcels.push(parcel),
                    }
                }
            }
        }
        done = seq;
    }
    if let Some(mut last) = open {
        // What follows is nothing that is wanted.
        last.through = match pending {
            Some(end) if last.through <= end => end.min(through).max(last.through),
            _ => through,
        };
        parcels.push(last);
    }
    parcels
}
