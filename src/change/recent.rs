//! What an instance remembers of the resources that it has shown or written lately, and who is at work on one of them. All of it may
//! vanish at any moment, and none of it is the truth: a batch that rests on it holds a guard.

use std::cell::RefCell;
use std::collections::HashMap;

use super::author::Author;
use super::facts::Key;
use crate::ids::TenantId;
use crate::scim::render::Stored;
use crate::scim::schema::ResourceType;

/// Most text that is remembered, in bytes, in each of two generations.
const MAX_BYTES: usize = 2 * 1024 * 1024;
/// Longest text that is remembered.
const MAX_TEXT: usize = 64 * 1024;
/// What an entry takes beside its text, about.
const OVERHEAD: usize = 400;
/// Most resources of a page that is remembered: a client that looks somebody up changes them next, one that goes through all of them does
/// not.
const MAX_PAGE: usize = 20;

/// How long somebody is taken to be at work on a resource at most, in milliseconds.
const TURN_MS: i64 = 2_000;
/// How long others wait between two looks, in milliseconds.
const LOOK_MS: u32 = 8;

/// A tenant's resource.
type Owned = (TenantId, Key);

/// Memory of one instance.
#[derive(Default)]
pub struct Recent {
    resources: RefCell<Generations>,
    /// Until when somebody is at work.
    busy: RefCell<HashMap<Owned, i64>>,
}

/// What was remembered lately, and what was before that; the latter is forgotten when there is too much of the former.
#[derive(Default)]
struct Generations {
    young: HashMap<Owned, Stored>,
    /// What the young ones take.
    bytes: usize,
    old: HashMap<Owned, Stored>,
}

impl Generations {
    fn get(&self, key: &Owned) -> Option<&Stored> {
        self.young.get(key).or_else(|| self.old.get(key))
    }

    fn remove(&mut self, key: &Owned) {
        if let Some(gone) = self.young.remove(key) {
            self.bytes -= size(&gone);
        }
        self.old.remove(key);
    }

    /// Takes a resource up into the younger one, unless it is there already, or a newer version is known.
    fn take(&mut self, key: Owned, stored: &Stored) {
        let is_same =
            |known: &Stored| known.version == stored.version && known.resource == stored.resource;
        let is_newer = |known: &Stored| known.version.0 > stored.version.0;
        if self.young.get(&key).is_some_and(is_same) || self.get(&key).is_some_and(is_newer) {
            return;
        }
        self.remove(&key);
        if self.bytes > MAX_BYTES {
            self.old = std::mem::take(&mut self.young);
            self.bytes = 0;
        }
        let kept = Stored {
            id: stored.id.clone(),
            version: stored.version,
            created: stored.created,
            modified: stored.modified,
            resource: stored.resource.clone(),
            ..Stored::bare(stored.resource_type)
        };
        self.bytes += size(&kept);
        self.young.insert(key, kept);
    }
}

/// What an entry takes, in bytes, about.
fn size(stored: &Stored) -> usize {
    stored.resource.len() + OVERHEAD
}

fn owned(tenant: &TenantId, resource_type: &ResourceType, id: &str) -> Owned {
    (tenant.clone(), (resource_type.name, id.to_owned()))
}

impl Recent {
    /// Remembers a resource as the database has it, without its memberships.
    pub fn remember(&self, tenant: &TenantId, stored: &Stored) {
        if stored.resource.is_empty() || stored.resource.len() > MAX_TEXT {
            return;
        }
        let key = owned(tenant, stored.resource_type, &stored.id);
        self.resources.borrow_mut().take(key, stored);
    }

    /// Remembers the resources of a page, where these are few.
    pub fn remember_page<'s>(
        &self,
        tenant: &TenantId,
        page: impl ExactSizeIterator<Item = &'s Stored>,
    ) {
        if page.len() <= MAX_PAGE {
            page.for_each(|stored| self.remember(tenant, stored));
        }
    }

    /// A resource as it is remembered.
    pub(super) fn recall(
        &self,
        tenant: &TenantId,
        resource_type: &ResourceType,
        id: &str,
    ) -> Option<Stored> {
        let key = owned(tenant, resource_type, id);
        self.resources.borrow().get(&key).cloned()
    }

    /// Forgets a resource.
    pub(super) fn forget(&self, tenant: &TenantId, resource_type: &ResourceType, id: &str) {
        let key = owned(tenant, resource_type, id);
        self.resources.borrow_mut().remove(&key);
    }

    /// Forgets all resources.
    pub fn clear(&self) {
        *self.resources.borrow_mut() = Generations::default();
    }

    /// Waits until nobody else of this instance is at work on the resource, but not for ever. Without it, many requests that change one
    /// resource at once would all fail but one, each time.
    pub(super) async fn turn(
        &self,
        author: &dyn Author,
        resource_type: &ResourceType,
        id: &str,
    ) -> Turn<'_> {
        let key = owned(&author.terms().tenant, resource_type, id);
        let begun = author.now();
        while author.now() - begun < TURN_MS && self.is_busy(&key, author.now()) {
            author.pause(LOOK_MS).await;
        }
        let until = author.now() + TURN_MS;
        self.busy.borrow_mut().insert(key.clone(), until);
        Turn {
            recent: self,
            key,
            until,
        }
    }

    fn is_busy(&self, key: &Owned, now: i64) -> bool {
        let busy = self.busy.borrow();
        busy.get(key).is_some_and(|until| now < *until)
    }
}

/// Being at work on a resource, until it is dropped.
pub(super) struct Turn<'r> {
    recent: &'r Recent,
    key: Owned,
    until: i64,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let busy = &mut *self.recent.busy.borrow_mut();
        // It may be somebody else's by now.
        if busy.get(&self.key) == Some(&self.until) {
            busy.remove(&self.key);
        }
    }
}
