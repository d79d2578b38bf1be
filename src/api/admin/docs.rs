//! `/openapi.json` and `/docs`, the page that shows it.

use super::files::{guarded, serve, serve_named};
use crate::api::http::call::Call;
use crate::api::http::reply::Reply;
use crate::error::Result;

/// `GET /openapi.json`.
pub async fn openapi(call: &Call<'_>) -> Result<Reply> {
    serve(call, "openapi.json").await
}

/// `GET /docs`.
pub async fn page(call: &Call<'_>) -> Result<Reply> {
    Ok(guarded(serve(call, "docs/index.html").await?, ""))
}

/// `GET /docs/{file}`: the viewer's own files. It draws its icons from `data:` addresses, and asks this service alone.
pub async fn file(call: &Call<'_>) -> Result<Reply> {
    Ok(guarded(serve_named(call, "docs").await?, ""))
}
