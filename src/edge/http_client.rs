//! Fetching documents with the runtime's `fetch`.

use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt;
use futures_util::future::{Either, select};
use worker::{Delay, Fetch, Method, Request, RequestInit, RequestRedirect};

use crate::platform::HttpClient;

/// The runtime's `fetch`.
pub struct Fetcher;

#[async_trait(?Send)]
impl HttpClient for Fetcher {
    async fn get(&self, url: &str, max_bytes: usize, timeout_ms: u32) -> Result<Vec<u8>, String> {
        let work = std::pin::pin!(get(url, max_bytes));
        let limit = Delay::from(Duration::from_millis(timeout_ms.into()));
        match select(work, limit).await {
            Either::Left((result, _)) => result,
            Either::Right(_) => Err(format!("no answer within {timeout_ms} ms")),
        }
    }
}

async fn get(url: &str, max_bytes: usize) -> Result<Vec<u8>, String> {
    let text = |error: worker::Error| error.to_string();
    let mut init = RequestInit::new();
    init.with_method(Method::Get)
        .with_redirect(RequestRedirect::Manual);
    let request = Request::new_with_init(url, &init).map_err(text)?;
    let mut response = Fetch::Request(request).send().await.map_err(text)?;
    if response.status_code() != 200 {
        return Err(format!("the answer is {}", response.status_code()));
    }
    let mut stream = response.stream().map_err(text)?;
    let mut body = Vec::new();
    while let Some(chunk) = stream.next().await {
        body.extend(chunk.map_err(text)?);
        if body.len() > max_bytes {
            return Err(format!("the answer is longer than {max_bytes} bytes"));
        }
    }
    Ok(body)
}
