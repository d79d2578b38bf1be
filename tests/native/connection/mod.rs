//! Tests of the connection to an identity provider.

mod address;
mod slapd;
