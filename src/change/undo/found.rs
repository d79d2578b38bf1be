//! What is known of what is taken back.

use crate::change::facts::Seen;
use crate::change::member_plan::Known;
use crate::ordered::{OrderedMap, OrderedSet};
use crate::store::members::Pair;
use crate::store::revisions::Kept;
use crate::store::unique::UniqueKey;

/// What is known of the resources whose changes are taken back, by their ids.
#[derive(Debug, Default)]
pub struct Found {
    pub kept: OrderedMap<String, Vec<Kept>>,
    pub now: OrderedMap<String, Seen>,
    /// The requests that changed them since, and who sent each.
    pub since: OrderedMap<String, Vec<(String, String)>>,
}

/// What is known of all that these lead to.
#[derive(Debug, Default)]
pub struct Around {
    /// Groups that somebody comes back into.
    pub groups: OrderedMap<String, Seen>,
    pub pairs: OrderedMap<Pair, Known>,
    /// The memberships that a mapping gives.
    pub given: OrderedSet<Pair>,
    pub holders: OrderedMap<(UniqueKey, String), String>,
}
