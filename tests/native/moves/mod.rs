//! A tenant's move from one database to another, while it is in use.

mod api;
mod faults;
mod histories;
mod one;
mod scene;
