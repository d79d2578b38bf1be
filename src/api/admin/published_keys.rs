//! `/.well-known/jwks.json`: the public keys of what the deployment signs.

use http::header::CACHE_CONTROL;

use crate::api::http::call::Call;
use crate::api::http::reply::Reply;
use crate::error::Result;
use crate::store::{rows_at, signing_keys};

/// How long anybody may keep them: much less than a key is published before it signs.
const KEPT: &str = "public, max-age=3600";

/// `GET /.well-known/jwks.json` (RFC 7517 §5).
pub async fn answer(call: &Call<'_>) -> Result<Reply> {
    let select = vec![signing_keys::select_published()];
    let results = call.run(None, select).await?;
    let rows = rows_at(&results, 0)?.rows.iter();
    let keys: Vec<String> = rows
        .map(|row| row.text("published"))
        .collect::<crate::store::Result<_>>()?;
    let text = format!("{{\"keys\":[{}]}}", keys.join(","));
    let reply = Reply::file("application/json", text);
    Ok(reply.header(CACHE_CONTROL, KEPT))
}
