//! A tenant's move from one database to another, while it is in use.

mod api;
mod faults;
mod filled;
mod histories;
mod one;
mod scene;
