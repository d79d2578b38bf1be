//! Fetching documents, and sending, with the runtime's `fetch`.

use async_trait::async_trait;
use futures_util::StreamExt;
use wasm_bindgen::JsValue;
use worker::{
    AbortController, AbortSignal, Fetch, Headers, Method, Request, RequestInit, RequestRedirect,
};

use super::runtime::{self, plain};
use crate::platform::{Answered, HttpClient, HttpError};

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
        within(timeout_ms, async |signal| get(url, max_bytes, signal).await).await
    }

    async fn post(
        &self,
        url: &str,
        headers: &[(&str, String)],
        body: String,
        max_reply: usize,
        timeout_ms: u32,
    ) -> Result<Answered, HttpError> {
        let posted = within(timeout_ms, async |signal| {
            post(url, headers, &body, max_reply, signal).await
        });
        posted.await
    }
}

/// Runs work that ends by itself, or is broken off.
async fn within<T>(
    timeout_ms: u32,
    work: impl AsyncFnOnce(&AbortSignal) -> Result<T, HttpError>,
) -> Result<T, HttpError> {
    let controller = AbortController::default();
    let signal = controller.signal();
    let result = runtime::within(timeout_ms, work(&signal)).await;
    // What is not read to its end keeps one of the few connections that a request may have.
    controller.abort();
    result.unwrap_or(Err(HttpError::Timeout(timeout_ms)))
}

fn unreachable(error: worker::Error) -> HttpError {
    HttpError::Unreachable(plain(&error.to_string(), UNREACHABLE))
}

fn broke_off(error: worker::Error) -> HttpError {
    HttpError::BrokeOff(plain(&error.to_string(), "the connection failed"))
}

async fn post(
    url: &str,
    headers: &[(&str, String)],
    body: &str,
    max_reply: usize,
    signal: &AbortSignal,
) -> Result<Answered, HttpError> {
    let all = Headers::new();
    for (name, value) in headers {
        all.append(name, value).map_err(unreachable)?;
    }
    let mut init = RequestInit::new();
    init.with_method(Method::Post)
        .with_redirect(RequestRedirect::Manual)
        .with_headers(all)
        .with_body(Some(JsValue::from_str(body)));
    let request = Request::new_with_init(url, &init).map_err(unreachable)?;
    let sent = Fetch::Request(request).send_with_signal(signal).await;
    let mut response = sent.map_err(unreachable)?;
    let header = |name: &str| response.headers().get(name).ok().flatten();
    let status = response.status_code();
    if let 300..=399 = status {
        let location = header("location").unwrap_or_else(|| "nowhere".to_owned());
        return Err(HttpError::Redirect { status, location });
    }
    let retry_after = header("retry-after");
    let mut body = Vec::new();
    if let Ok(mut stream) = response.stream() {
        while body.len() < max_reply
            && let Some(chunk) = stream.next().await
        {
            body.extend(chunk.map_err(broke_off)?);
        }
    }
    body.truncate(max_reply);
    Ok(Answered {
        status,
        retry_after,
        body,
    })
}

async fn get(url: &str, max_bytes: usize, signal: &AbortSignal) -> Result<Vec<u8>, HttpError> {
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
