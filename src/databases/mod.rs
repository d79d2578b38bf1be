//! Tenants live in several databases. The first one, `DB`, has the directory besides: which database a tenant lives in, and what is looked up
//! without one. A tenant is whole in one of them.

pub mod homes;
mod located;
pub mod migrations;
pub mod place;
