//! Directory sync: users and groups of an LDAP directory become ordinary users and groups, which the directory manages.
//!
//! A sync is one reading of the directory, a plan, and its execution. The reading ([`reading`]) is mapped ([`mapping`]) while it
//! comes in; one of changes is completed ([`lookup`]) by those who come into groups and who leave them; the plan ([`plan`]) is the
//! difference to what the database has; a guard ([`guard`]) stops a plan that removes much; the execution ([`execute`]) writes in a few
//! large batches, each of them whole.
//!
//! Invariants:
//! - An entry and a resource are linked by the entry's unique id and by nothing else: never by a name or an address.
//! - A reading of changes proves no absence: nobody leaves a group whom the directory was not asked for.
//! - What others manage is never touched. A name that they have is a conflict, which is told.
//! - Every batch that writes is guarded by the run's lease: a run that has lost it writes nothing more.
//! - What is unchanged is not written: a sync that finds nothing new changes nothing.

mod author;
pub mod counts;
pub mod digest;
mod execute;
mod facts;
mod grants;
mod guard;
mod links;
mod lookup;
pub mod mapping;
pub mod object;
mod plan;
mod reading;
mod run;
mod session;

use crate::ldap::{Scope, Search, Settings};
use crate::store;

pub use grants::unmatchable;
pub use run::{Job, Report, run};

use digest::Digest;
use mapping::Mapping;
use object::Kind;

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
    fn search(&self, kind: Kind, place: &Place, filter: String) -> Search {
        Search {
            base_dn: place.base_dn.clone(),
            scope: Scope::Subtree,
            filter,
            attributes: self.mapping.attributes(kind),
        }
    }
}

/// Why a run did not do what it should.
#[derive(Debug)]
pub enum Failure {
    Store(store::Error),
    Directory(crate::ldap::Error),
    /// It is not done, for this reason.
    Refused(String),
}

impl From<store::Error> for Failure {
    fn from(error: store::Error) -> Self {
        Failure::Store(error)
    }
}

impl From<crate::ldap::Error> for Failure {
    fn from(error: crate::ldap::Error) -> Self {
        Failure::Directory(error)
    }
}
