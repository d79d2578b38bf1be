//! A directory, and what is to be made of it.

use super::digest::Digest;
use super::mapping::Mapping;
use super::object::Kind;
use crate::ldap::{Scope, Search, Settings};

/// What becomes of a user whose entry is gone. A group that is gone is deleted, but where everything is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    Deactivate,
    Delete,
    Keep,
}

/// Where users, or groups, are in the directory.
#[derive(Debug, Clone)]
pub struct Place {
    pub base_dn: String,
    /// RFC 4515.
    pub filter: String,
}

/// A directory, and what is to be made of it.
#[derive(Clone)]
pub struct Source {
    pub settings: Settings,
    pub users: Place,
    /// None where groups are left alone.
    pub groups: Option<Place>,
    pub mapping: Mapping,
    pub missing: Missing,
    pub max_removal_percent: usize,
    /// Hash of all this that bears on what is read and what comes of it.
    pub digest: Digest,
}

impl Source {
    /// Where those of a kind are; none where groups are left alone.
    pub fn place(&self, kind: Kind) -> Option<&Place> {
        match kind {
            Kind::User => Some(&self.users),
            Kind::Group => self.groups.as_ref(),
        }
    }

    /// A search of such a place, for all that becomes users or groups.
    pub(super) fn search(&self, kind: Kind, place: &Place, filter: String) -> Search {
        Search {
            base_dn: place.base_dn.clone(),
            scope: Scope::Subtree,
            filter,
            attributes: self.mapping.attributes(kind),
        }
    }
}
