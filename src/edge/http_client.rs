//! Fetching documents with the runtime's `fetch`.

use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt;
use futures_util::future::{Either, select};
use worker::{
    AbortController, AbortSignal, Delay, Fetch, Method, Request, RequestInit, RequestRedirect,
};

use super::runtime::plain;
use crate::platform::{HttpClient, HttpError};

/// What it may be where the runtime says nothing.
const UNREACHABLE: &str =
    "its name is not known to DNS, or TLS failed, or what listens there does not speak HTTP";

/// The runtime's `fetch`.
pub struct Fetcher;

#[async_trait(?Send)]
impl HttpClient for Fetcher {
    async fn get(
        &self,
        url: &str,
        max_bytes: usize,
        timeout_ms: u32,
    ) -> Result<Vec<u8>, HttpError> {
        let controller = AbortController::default();
        let signal = controller.signal();
        let result = {
            let work = std::pin::pin!(get(url, max_bytes, &signal));
            let limit = Delay::from(Duration::from_millis(timeout_ms.into()));
            match select(work, limit).await {
                Either::Left((result, _)) => result,
                Either::Right(_) => Err(HttpError::Timeout(timeout_ms)),
            }
        };
        if result.is_err() {
            // What is not read to its end keeps one of the few connections that a request may have.
            controller.abort();
        }
        result
    }
}

async fn get(url: &str, max_bytes: usize, signal: &AbortSignal) -> Result<Vec<u8>, HttpError> {
    let unreachable =
        |error: worker::Error| HttpError::Unreachable(plain(&error.to_string(), UNREACHABLE));
    let broke_off = |error: worker::Error| {
        HttpError::BrokeOff(plain(&error.to_string(), "the connection failed"))
    };
    let mut init = RequestInit::new();
    init.with_method(Method::Get)
        .with_redirect(RequestRedirect::Manual);
    let request = Request::new_with_init(url, &init).map_err(unreachable)?;
    let mut response = Fetch::Request(request)
        .send_with_signal(signal)
        .await
        .map_err(unreachable)?;
    match response.status_code() {
        200 => {}
        status @ 300..=399 => {
            let location = response.headers().get("location").ok().flatten();
            return Err(HttpError::Redirect {
                status,
                location: location.unwrap_or_else(|| "nowhere".to_owned()),
            });
        }
        status => return Err(HttpError::Status(status)),
    }
    let mut stream = response.stream().map_err(broke_off)?;
    let mut body = Vec::new();
    while let Some(chunk) = stream.next().await {
        body.extend(chunk.map_err(broke_off)?);
        if body.len() > max_bytes {
            return Err(HttpError::TooLong(max_bytes));
        }
    }
    Ok(body)
}
