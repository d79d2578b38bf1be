//! What one running instance of the application remembers between requests. All of it may vanish at any moment, and none of
//! it is the truth: it saves round trips.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use super::jwks::KeySet;
use crate::ids::TenantId;
use crate::scim::schema::OwnSchemas;

/// Most tokens whose holders are remembered; then all are forgotten, and the cache alone knows them.
const MAX_HOLDERS: usize = 10_000;

/// Whose a token is. That never changes, whatever becomes of the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    pub tenant: TenantId,
    pub token_id: String,
}

/// Most tenants whose own schemas are remembered; then all are forgotten, and read again.
const MAX_OWN_SCHEMAS: usize = 200;

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

/// Most tenants whose rows are counted; then all are forgotten, and counted from nothing.
const MAX_READERS: usize = 10_000;

/// The rows that a tenant has read: a level that rises by what is read, and falls steadily by what may be read in the time.
#[derive(Default)]
struct RowsRead {
    level: f64,
    at: i64,
}

impl RowsRead {
    /// The level now, where so many rows may be read in a minute.
    fn level(&self, now: i64, per_minute: f64) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a time between two requests")]
        let passed = now.saturating_sub(self.at).max(0) as f64;
        (self.level - passed * per_minute / 60_000.0).max(0.0)
    }
}

/// Memory of one instance.
#[derive(Default)]
pub struct Memory {
    /// By the token's hash.
    holders: RefCell<HashMap<String, Holder>>,
    touched: RefCell<HashMap<String, i64>>,
    /// By the address. The settings name two at most.
    fetched: RefCell<HashMap<String, Fetched>>,
    /// By the tenant.
    own_schemas: RefCell<HashMap<String, Rc<OwnSchemas>>>,
    failed_at: RefCell<HashMap<String, i64>>,
    refused: RefCell<HashMap<String, i64>>,
    rows_read: RefCell<HashMap<String, RowsRead>>,
    /// The minute in which requests of a tenant were refused last, and how many in it.
    refusals: RefCell<HashMap<String, (i64, i64)>>,
}

impl Memory {
    /// Notes whose the token with that hash is.
    pub fn note_holder(&self, hash: &str, tenant: &TenantId, token_id: &str) {
        let mut holders = self.holders.borrow_mut();
        if holders.contains_key(hash) {
            return;
        }
        if holders.len() >= MAX_HOLDERS {
            holders.clear();
        }
        let holder = Holder {
            tenant: tenant.clone(),
            token_id: token_id.to_owned(),
        };
        holders.insert(hash.to_owned(), holder);
    }

    /// A tenant's own schemas of a revision, made where they are not known.
    pub fn own_schemas(
        &self,
        tenant: &str,
        revision: i64,
        make: impl FnOnce() -> OwnSchemas,
    ) -> Rc<OwnSchemas> {
        let mut tenants = self.own_schemas.borrow_mut();
        match tenants.get(tenant) {
            Some(known) if known.revision == revision => Rc::clone(known),
            _ => {
                if tenants.len() >= MAX_OWN_SCHEMAS {
                    tenants.clear();
                }
                let own = Rc::new(make());
                tenants.insert(tenant.to_owned(), Rc::clone(&own));
                own
            }
        }
    }

    /// Forgets whose a token is: one that opens nothing any more is not counted as its holder's.
    pub fn forget_holder(&self, hash: &str) {
        self.holders.borrow_mut().remove(hash);
    }

    /// Whose the token with that hash is.
    pub fn holder(&self, hash: &str) -> Option<Holder> {
        self.holders.borrow().get(hash).cloned()
    }

    /// Counts rows that a tenant has read, of so many a minute.
    pub fn add_rows(&self, tenant: &str, rows: u64, now: i64, per_minute: f64) {
        let mut tenants = self.rows_read.borrow_mut();
        if tenants.len() >= MAX_READERS && !tenants.contains_key(tenant) {
            tenants.clear();
        }
        let read = tenants.entry(tenant.to_owned()).or_default();
        #[expect(clippy::cast_precision_loss, reason = "rows of some requests")]
        let more = rows as f64;
        *read = RowsRead {
            level: read.level(now, per_minute) + more,
            at: now,
        };
    }

    /// Counts one more request of a tenant that was refused; how many that are in the minute.
    pub fn count_refusal(&self, tenant: &str, minute: i64) -> i64 {
        let mut tenants = self.refusals.borrow_mut();
        if tenants.len() >= MAX_READERS && !tenants.contains_key(tenant) {
            tenants.clear();
        }
        let (last, count) = tenants.entry(tenant.to_owned()).or_default();
        if *last != minute {
            (*last, *count) = (minute, 0);
        }
        *count += 1;
        *count
    }

    /// How long a tenant has to wait until it may scan again, in seconds: none where it has not read that many rows a minute.
    pub fn seconds_until_rows(&self, tenant: &str, now: i64, per_minute: f64) -> Option<u32> {
        let tenants = self.rows_read.borrow();
        let beyond = tenants.get(tenant)?.level(now, per_minute) - per_minute;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "whole, and within the type"
        )]
        let seconds = (beyond * 60.0 / per_minute).ceil().clamp(1.0, 3_600.0) as u32;
        (beyond > 0.0).then_some(seconds)
    }

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

    /// The keys that were fetched from an address.
    pub fn fetched(&self, url: &str) -> Option<Fetched> {
        self.fetched.borrow().get(url).cloned()
    }

    /// Notes that keys could not be fetched, where there are none yet.
    pub fn note_failure(&self, url: &str, now: i64) {
        self.failed_at.borrow_mut().insert(url.to_owned(), now);
    }

    /// When keys could not be fetched, where there are none yet.
    pub fn failed_at(&self, url: &str) -> Option<i64> {
        let failed_at = self.failed_at.borrow().get(url).copied();
        failed_at.filter(|_| self.fetched(url).is_none())
    }

    pub fn remember(&self, url: &str, fetched: Fetched) {
        self.fetched.borrow_mut().insert(url.to_owned(), fetched);
    }
}
