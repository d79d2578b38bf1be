//! Events: what a product is told of the changes of a tenant, in their order and completely. They are made of the audit trail, whose numbers
//! have no gaps, and of the history; nothing else is stored of them.

mod event;
mod kind;
mod known;
mod page;
mod parcel;
mod secrets;
mod sending;
pub mod signing_keys;
mod tokens;
mod types;

pub use event::{Event, MAX_MEMBERS, Named};
pub use kind::{Payload, StreamKind};
pub use page::{Page, Reads, page};
pub use parcel::{Parcel, parcels};
pub use secrets::{Secrets, SigningSecrets};
pub use sending::{Format, Outcome, SEALED_OTHERWISE, refused, token_maker};
pub use tokens::TokenMaker;
pub use types::{EventType, Wanted};
