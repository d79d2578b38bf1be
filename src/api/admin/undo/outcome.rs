//! What came of an undo, as it is told and, where it goes by messages, as it is kept.

use serde::{Deserialize, Serialize};

use crate::api::http::input::Time;
use crate::change::undo::{Conflict, Reason, Step, Undo, Undone};
use crate::error::{Error, Result};
use crate::store::undos::UndoRow;

/// Most resources and conflicts that are named; all are counted.
const MAX_NAMED: usize = 1_000;

/// What was done, or would be.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct UndoResponse {
    dry_run: bool,
    #[serde(flatten)]
    outcome: Outcome,
    /// How far it is, where it goes by messages; null where it was done at once.
    progress: Option<UndoProgress>,
}

/// How far an undo is that goes by messages.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct UndoProgress {
    /// The id of the request that asked for it, which its changes have in the audit trail.
    id: String,
    /// `running`, `succeeded` or `failed`.
    status: String,
    parts: i64,
    parts_done: i64,
    started_at: Time,
    finished_at: Option<Time>,
}

/// What was done so far, and what was left.
#[derive(Clone, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Outcome {
    /// The resources that became what they were: the first 1,000.
    undone: Vec<UndoneResource>,
    undone_total: usize,
    /// What was left as it is: the first 1,000.
    conflicts: Vec<UndoConflict>,
    conflicts_total: usize,
    /// How many resources were already what they were.
    unchanged_total: usize,
}

impl UndoResponse {
    pub fn new(is_dry: bool, outcome: Outcome, progress: Option<UndoProgress>) -> Self {
        UndoResponse {
            dry_run: is_dry,
            outcome,
            progress,
        }
    }

    /// Of one that goes by messages.
    pub fn of(row: UndoRow) -> Result<Self> {
        let outcome = Outcome::from_stored(&row.outcome)?;
        let progress = UndoProgress {
            id: row.id,
            status: row.status,
            parts: row.parts,
            parts_done: row.part,
            started_at: Time(row.started_at),
            finished_at: row.finished_at.map(Time),
        };
        Ok(UndoResponse::new(row.is_dry, outcome, Some(progress)))
    }
}

impl Outcome {
    /// Together with what came of a further part.
    pub fn with(mut self, part: &Undo) -> Self {
        let room = |named: usize| MAX_NAMED.saturating_sub(named);
        let undone = part.undone.iter().take(room(self.undone.len()));
        self.undone.extend(undone.map(UndoneResource::from));
        self.undone_total += part.undone.len();
        let conflicts = part.conflicts.iter().take(room(self.conflicts.len()));
        self.conflicts.extend(conflicts.map(UndoConflict::from));
        self.conflicts_total += part.conflicts.len();
        self.unchanged_total += part.unchanged;
        self
    }

    /// As it is kept. It has names for keys, and no writer that could fail.
    pub fn to_stored(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    pub fn from_stored(text: &str) -> Result<Self> {
        let outcome = serde_json::from_str(text);
        outcome.map_err(|error| Error::internal(format!("an undo: {error}")))
    }
}

/// A resource that became what it was.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct UndoneResource {
    resource_type: String,
    resource_id: String,
    /// `delete` of what was made, `restore` of what was deleted, `revert` of what was changed.
    step: String,
    /// Names of the attributes that became others.
    attributes: Vec<String>,
    members_added: usize,
    members_removed: usize,
}

/// What was left as it is.
#[derive(Clone, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct UndoConflict {
    resource_type: String,
    resource_id: String,
    /// `changed_since` by somebody else; `not_kept`, what was before; `name_taken`; `group_gone` and `member_gone`, of a membership;
    /// `refused`.
    reason: String,
    /// For people to read.
    detail: String,
}

impl From<&Undone> for UndoneResource {
    fn from(undone: &Undone) -> Self {
        let step = match undone.step {
            Step::Delete => "delete",
            Step::Restore => "restore",
            Step::Revert => "revert",
        };
        UndoneResource {
            resource_type: undone.resource_type.to_owned(),
            resource_id: undone.id.clone(),
            step: step.to_owned(),
            attributes: undone.attributes.clone(),
            members_added: undone.members.0,
            members_removed: undone.members.1,
        }
    }
}

impl From<&Conflict> for UndoConflict {
    fn from(conflict: &Conflict) -> Self {
        let reason = match conflict.reason {
            Reason::ChangedSince => "changed_since",
            Reason::NotKept => "not_kept",
            Reason::NameTaken => "name_taken",
            Reason::GroupGone => "group_gone",
            Reason::MemberGone => "member_gone",
            Reason::Refused => "refused",
        };
        UndoConflict {
            resource_type: conflict.resource_type.to_owned(),
            resource_id: conflict.id.clone(),
            reason: reason.to_owned(),
            detail: conflict.detail.clone(),
        }
    }
}
