//! What an instance knows of the databases: which there are, and what it remembers of them. All that it remembers may be wrong, and is
//! checked where it is used.

use std::cell::RefCell;
use std::collections::HashMap;

use super::place::{MAIN, Place};
use crate::ids::TenantId;

/// Most tenants whose databases are remembered; then all are forgotten, and looked up again.
const MAX_HOMES: usize = 10_000;

/// Bytes that a D1 database may have (Cloudflare's limits: 10 GB, on the free plan 500 MB).
pub const MAX_BYTES: i64 = 10_000_000_000;
/// The share of it above which a database takes no new tenants, in hundredths.
const TAKES_UP_TO: i64 = 80;
/// The share above which it takes nothing but deletions, whose rows of the audit trail need the rest.
const FULL_FROM: i64 = 99;

/// The databases there are, and what is remembered of them.
pub struct Homes {
    places: Vec<Place>,
    max_bytes: i64,
    /// By the tenant: which of the places.
    of_tenants: RefCell<HashMap<String, i64>>,
    /// By the name of the place: how many bytes it had when it was asked last.
    bytes: RefCell<HashMap<String, i64>>,
}

impl Default for Homes {
    /// One database.
    fn default() -> Self {
        Homes::new(vec![Place::main()], MAX_BYTES)
    }
}

impl Homes {
    /// Of these places, the first of which is the first database.
    pub fn new(places: Vec<Place>, max_bytes: i64) -> Self {
        Homes {
            places,
            max_bytes,
            of_tenants: RefCell::default(),
            bytes: RefCell::default(),
        }
    }

    /// All of them, the first one first.
    pub fn places(&self) -> &[Place] {
        &self.places
    }

    /// Whether there is one alone.
    pub fn is_single(&self) -> bool {
        self.places.len() < 2
    }

    /// Where a tenant lived when that was looked up last.
    pub fn of(&self, tenant: &TenantId) -> Option<&str> {
        let index = *self.of_tenants.borrow().get(tenant.as_str())?;
        let place = self.places.get(usize::try_from(index).ok()?)?;
        Some(&place.name)
    }

    /// Remembers where a tenant lives. A database that the settings do not name is not remembered.
    pub fn note(&self, tenant: &TenantId, name: &str) {
        let index = self.places.iter().position(|place| place.name == name);
        let Some(index) = index.and_then(|index| i64::try_from(index).ok()) else {
            return;
        };
        let mut of_tenants = self.of_tenants.borrow_mut();
        if of_tenants.len() >= MAX_HOMES {
            of_tenants.clear();
        }
        of_tenants.insert(tenant.as_str().to_owned(), index);
    }

    /// Remembers how many bytes a database has.
    pub fn note_bytes(&self, name: &str, bytes: i64) {
        let mut known = self.bytes.borrow_mut();
        match known.get_mut(name) {
            Some(known) => *known = bytes,
            None => {
                known.insert(name.to_owned(), bytes);
            }
        }
    }

    /// How many bytes it had when it was asked last; none where it was not.
    pub fn bytes(&self, name: &str) -> Option<i64> {
        self.bytes.borrow().get(name).copied()
    }

    /// How many bytes each of them may have.
    pub fn max_bytes(&self) -> i64 {
        self.max_bytes
    }

    fn is_above(&self, bytes: i64, share: i64) -> bool {
        i128::from(bytes) * 100 >= i128::from(self.max_bytes) * i128::from(share)
    }

    /// Whether a database of so many bytes takes new tenants.
    pub fn takes_new_tenants(&self, bytes: i64) -> bool {
        !self.is_above(bytes, TAKES_UP_TO)
    }

    /// Whether one of so many bytes takes nothing but deletions.
    pub fn is_full(&self, bytes: i64) -> bool {
        self.is_above(bytes, FULL_FROM)
    }

    /// The name of the database in which a tenant lives, where that takes nothing but deletions.
    pub fn full(&self, tenant: &TenantId) -> Option<&str> {
        let name = self.of(tenant).unwrap_or(MAIN);
        self.is_full(self.bytes(name)?).then_some(name)
    }
}
