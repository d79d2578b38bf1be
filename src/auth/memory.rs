//! What one running instance of the application remembers between requests. All of it may vanish at any moment, and none of
//! it is the truth: it saves round trips.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use super::jwks::KeySet;

/// Most tokens whose last use is remembered; then all are forgotten, which costs one update each.
const MAX_TOUCHED: usize = 10_000;

/// Most origins of bad credentials that are remembered; then all are forgotten, and counted on.
const MAX_REFUSED: usize = 10_000;

/// Whether a moment is less than `milliseconds` ago. What lies in the future is not: the clock was set back since, and nothing
/// may wait for it to come there again.
pub fn is_within(now: i64, moment: i64, milliseconds: i64) -> bool {
    (0..milliseconds).contains(&now.saturating_sub(moment))
}

/// A key set that was fetched, and when.
#[derive(Clone)]
pub struct Fetched {
    pub keys: Rc<KeySet>,
    /// Milliseconds since 1970.
    pub at: i64,
    /// When a fetch was last tried, in milliseconds since 1970: later than `at` where it failed.
    pub tried_at: i64,
}

/// Memory of one instance.
#[derive(Default)]
pub struct Memory {
    touched: RefCell<HashMap<String, i64>>,
    fetched: RefCell<Option<Fetched>>,
    failed_at: Cell<Option<i64>>,
    refused: RefCell<HashMap<String, i64>>,
}

impl Memory {
    /// Whether it is time to note a use of the token: at most once in `interval` milliseconds.
    pub fn is_due(&self, token_id: &str, now: i64, interval: i64) -> bool {
        let mut touched = self.touched.borrow_mut();
        let due = touched
            .get(token_id)
            .is_none_or(|&last| !is_within(now, last, interval));
        if due {
            if touched.len() >= MAX_TOUCHED {
                touched.clear();
            }
            touched.insert(token_id.to_owned(), now);
        }
        due
    }

    /// Notes that too many credentials which do not hold came from somewhere.
    pub fn note_refused(&self, origin: &str, now: i64) {
        let mut refused = self.refused.borrow_mut();
        if refused.len() >= MAX_REFUSED {
            refused.clear();
        }
        refused.insert(origin.to_owned(), now);
    }

    /// When that was noted last, in milliseconds since 1970.
    pub fn refused_at(&self, origin: &str) -> Option<i64> {
        self.refused.borrow().get(origin).copied()
    }

    pub fn fetched(&self) -> Option<Fetched> {
        self.fetched.borrow().clone()
    }

    /// Notes that keys could not be fetched, where there are none yet.
    pub fn note_failure(&self, now: i64) {
        self.failed_at.set(Some(now));
    }

    /// When keys could not be fetched, where there are none yet.
    pub fn failed_at(&self) -> Option<i64> {
        self.failed_at.get().filter(|_| self.fetched().is_none())
    }

    pub fn remember(&self, fetched: Fetched) {
        *self.fetched.borrow_mut() = Some(fetched);
    }
}
