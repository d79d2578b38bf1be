//! Events: what a product is told of the changes of a tenant, in their order and completely. They are made of the audit trail, whose numbers
//! have no gaps, and of the history; nothing else is stored of them.

mod event;
mod known;
mod page;
mod parcel;
mod secrets;
mod sending;
mod types;

pub use event::{Event, MAX_MEMBERS, Named};
pub use page::{Page, Reads, page};
pub use parcel::{Parcel, parcels};
pub use secrets::Secrets;
pub use sending::{Outcome, send_signed};
pub use types::{EventType, Wanted};
