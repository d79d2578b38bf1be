//! What is known of what is taken back.

use std::collections::{BTreeMap, BTreeSet};

use crate::change::facts::Seen;
use crate::change::member_plan::Known;
use crate::store::members::Pair;
use crate::store::revisions::Kept;
use crate::store::unique::UniqueKey;

/// What is known of the resources whose changes are taken back, by their ids.
#[derive(Debug, Default)]
pub struct Found {
    pub kept: BTreeMap<String, Vec<Kept>>,
    pub now: BTreeMap<String, Seen>,
    /// The requests that changed them since, and who sent each.
    pub since: BTreeMap<String, Vec<(String, String)>>,
}

/// What is known of all that these lead to.
#[derive(Debug, Default)]
pub struct Around {
    /// Groups that somebody comes back into.
    pub groups: BTreeMap<String, Seen>,
    pub pairs: BTreeMap<Pair, Known>,
    /// The memberships that a mapping gives.
    pub given: BTreeSet<Pair>,
    pub holders: BTreeMap<(UniqueKey, String), String>,
}
