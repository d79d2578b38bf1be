//! The rows that the first worker answers besides SCIM: what everybody may read.

use http::Method;

use super::row::{AdminRow, For};
use crate::api::admin::{console, docs, health, published_keys};

/// A handler that everybody reaches.
macro_rules! public {
    ($handler:path) => {
        For::Public(|call| Box::pin($handler(call)))
    };
}

#[rustfmt::skip]
pub static PUBLIC_ROUTES: &[AdminRow] = &[
    (Method::GET, "/healthz", "readHealth", public!(health::answer), &[]),
    (Method::GET, "/.well-known/jwks.json", "readPublicKeys", public!(published_keys::answer), &[]),
    (Method::GET, "/openapi.json", "readOpenApi", public!(docs::openapi), &[]),
    (Method::GET, "/docs", "readDocs", public!(docs::page), &[]),
    (Method::GET, "/docs/:file", "readDocsFile", public!(docs::file), &[]),
    (Method::GET, "/console", "readConsole", public!(console::page), &[]),
    (Method::GET, "/console/settings.json", "readConsoleSettings", public!(console::settings), &[]),
    (Method::GET, "/setup", "readSetupPage", public!(console::setup_page), &[]),
    (Method::GET, "/setup/:file", "readSetupPageFile", public!(console::setup_file), &[]),
    (Method::GET, "/console/:file", "readConsoleFile", public!(console::file), &[]),
];
