//! What a run has to know from one message to the next, in its row.

use serde::{Deserialize, Serialize};

use crate::store::directory_syncs::SyncState;
use crate::store::sync_runs::Order;

/// Where a run is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// The directory is read, and what is to be done is planned and staged.
    #[default]
    Reading,
    /// What is staged is done.
    Doing,
    /// Mappings give and take back.
    Granting,
}

/// What a run has to know from one message to the next.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    pub order: Order,
    pub phase: Phase,
    /// How often the directory was read because somebody took a name in between.
    pub readings: usize,
    /// The piece that is done next.
    pub piece: i64,
    /// How often what mappings give was looked at.
    pub rounds: usize,
    /// Number of the last entry in the log.
    pub last_entry: i64,
    /// Why nothing is carried out: what is to be done is told, and not done.
    pub objection: Option<String>,
    /// What the next sync has to know, once this one has succeeded.
    pub next: SyncState,
}
