//! A client of LDAPv3 directories (RFC 4511) that reads: bind, and searches by pages (RFC 2696).
//!
//! Invariants:
//! - Every wait ends: a connection, an answer, a page each has its time, and a message its longest length.
//! - What cannot be read whole is an error, never a shorter answer: who takes a directory's silence for an absence removes people.
//! - The bind password is in no error.

pub mod connection;
pub mod dn;
pub mod entry;
pub mod error;
pub mod filter;
mod frames;
mod message;
mod range;
pub mod search;
pub mod settings;
pub mod values;

pub use connection::Connection;
pub use entry::Entry;
pub use error::{Error, Result};
pub use filter::Filter;
pub use message::Scope;
pub use search::{Pages, Search};
pub use settings::{Security, Settings};
