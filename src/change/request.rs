//! Intents that are carried out together, and what comes of them.

use super::facts::Seen;
use super::intent::Intent;
use super::member_plan::Known;
use super::state::Done;
use crate::error::Result;
use crate::scim::render::Stored;
use crate::store::Statement;
use crate::store::members::Pair;
use crate::store::resources::Memberships;

/// Intents that are carried out together: all that succeed, or none.
pub struct Request<'r> {
    /// An intent that could not be made fails in its place.
    pub intents: &'r [Result<Intent>],
    /// After how many failures the rest is left undone; none for never.
    pub fail_on_errors: Option<usize>,
    /// What of the resource is shown, where there is one intent.
    pub show: Option<Memberships>,
    /// Whether one that fails undoes all.
    pub is_whole: bool,
    /// Memberships as they were read before, which the batch holds a guard for: group and member.
    pub pairs: Vec<(Pair, Known)>,
    /// Resources as they were read before, as far as it matters; the batch holds a guard for their versions.
    pub seen: Vec<Seen>,
    /// Whether it is only tried: the batch is undone at its end, and what it would have come to is told.
    pub is_dry: bool,
    /// What else goes into the batch, given what the intents come to.
    pub along: Option<Along<'r>>,
}

/// Statements for the outcomes of intents.
pub type Along<'r> = &'r dyn Fn(&[Result<Done>]) -> Vec<Statement>;

impl<'r> Request<'r> {
    /// A request for no more than these.
    pub fn of(intents: &'r [Result<Intent>]) -> Self {
        Request {
            intents,
            fail_on_errors: None,
            show: None,
            is_whole: false,
            pairs: Vec::new(),
            seen: Vec::new(),
            is_dry: false,
            along: None,
        }
    }
}

/// What came of them.
pub struct Written {
    /// One for each intent, up to the last that was reached.
    pub outcomes: Vec<Result<Done>>,
    /// The resource, where it was asked for and is there.
    pub shown: Option<Shown>,
}

/// A resource after a change.
pub struct Shown {
    pub stored: Stored,
    /// How many memberships it has, where that is known without counting.
    pub held: Option<i64>,
}
