//! The files that are uploaded beside the worker.

use async_trait::async_trait;
use worker::Env;

use crate::platform::{Asset, Assets};

/// Binding of the files that are uploaded beside the first worker.
const ASSETS: &str = "ASSETS";

/// Workers' static assets, which are fetched like another service; only the path of the address counts.
pub struct Uploaded(pub Env);

#[async_trait(?Send)]
impl Assets for Uploaded {
    async fn get(&self, path: &str) -> Result<Option<Asset>, String> {
        let reason = |error: worker::Error| error.to_string();
        let url = format!("https://assets.invalid/{path}");
        let files = self.0.assets(ASSETS).map_err(reason)?;
        let mut response = files.fetch(url, None).await.map_err(reason)?;
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
