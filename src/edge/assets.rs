//! The files that are uploaded beside the worker.

use async_trait::async_trait;
use worker::Fetcher;

use crate::platform::{Asset, Assets};

/// Workers' static assets, which are fetched like another service; only the path of the address counts.
pub struct Uploaded(pub Fetcher);

#[async_trait(?Send)]
impl Assets for Uploaded {
    async fn get(&self, path: &str) -> Result<Option<Asset>, String> {
        let reason = |error: worker::Error| error.to_string();
        let url = format!("https://assets.invalid/{path}");
        let mut response = self.0.fetch(url, None).await.map_err(reason)?;
        match response.status_code() {
            200 => {}
            404 => return Ok(None),
            status => return Err(format!("the answer for {path} is {status}")),
        }
        let etag = response.headers().get("etag").map_err(reason)?;
        Ok(Some(Asset {
            text: response.text().await.map_err(reason)?,
            etag: etag.unwrap_or_default(),
        }))
    }
}
