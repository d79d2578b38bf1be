//! Directory sync: users and groups of an LDAP directory become ordinary users and groups, which the directory manages.
//!
//! A sync is one reading of the directory, a plan, and its execution. The reading ([`reading`]) is mapped ([`mapping`]) while it
//! comes in; one of changes is completed ([`lookup`]) by those who come into groups and who leave them; the [`plan`] is the
//! difference to what the database has ([`planning`]); a guard ([`guard`]) stops a plan that removes much; the execution ([`execute`]) writes in a few
//! large batches, each of them whole.
//!
//! Invariants:
//! - An entry and a resource are linked by the entry's unique id and by nothing else: never by a name or an address.
//! - A reading of changes proves no absence: nobody leaves a group whom the directory was not asked for.
//! - What others manage is never touched. A name that they have is a conflict, which is told.
//! - Every batch that writes is guarded by the run's lease: a run that has lost it writes nothing more.
//! - What is unchanged is not written: a sync that finds nothing new changes nothing.

mod author;
mod changes;
mod counts;
pub mod digest;
mod execute;
pub mod extensions;
mod facts;
mod failure;
mod grants;
mod group_mapping;
mod guard;
mod intake;
mod links;
mod lookup;
pub mod mapping;
pub mod object;
mod planning;
mod reading;
mod run;
mod session;
mod source;
mod stage;
mod staged;
mod state;
mod steps;
mod survey;

pub use group_mapping::unmatchable;
pub use run::{Next, go_on};
pub use session::Session;
pub use source::{Missing, Place, Source};
