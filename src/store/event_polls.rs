//! How far a receiver is who fetches the events of a stream.

use super::event_streams::EventStream;
use super::{Guard, Statement, guards};

/// Notes what a receiver who polls has acknowledged: everything up to a number, and of what comes after it these. Fails the batch with
/// [`Guard::VersionConflict`] where that was noted otherwise since, or the stream was changed.
pub fn acknowledge(
    stream: &EventStream,
    after: i64,
    acknowledged: Option<&str>,
    now: i64,
) -> [Statement; 2] {
    [
        guards::require(
            Guard::VersionConflict,
            "exists (select 1 from event_streams where tenant_id = ?1 and id = ?2 and revision = ?3 and after_seq = ?4 and acknowledged is ?5)",
            vec![
                (&stream.tenant_id).into(),
                (&stream.id).into(),
                stream.revision.into(),
                stream.after.into(),
                stream.acknowledged.as_ref().into(),
            ],
        ),
        Statement::new(
            "update event_streams set after_seq = ?3, acknowledged = ?4, delivered_at = ?5 where tenant_id = ?1 and id = ?2",
            vec![
                (&stream.tenant_id).into(),
                (&stream.id).into(),
                after.into(),
                acknowledged.into(),
                now.into(),
            ],
        ),
    ]
}
