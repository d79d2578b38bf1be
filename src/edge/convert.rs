//! Requests and replies, between the runtime's types and the application's.

use std::pin::Pin;

use futures_util::{StreamExt, stream};
use http::header::{HeaderName, HeaderValue};
use worker::{Headers, ResponseBuilder, Result};

use super::runtime::{RuntimeClock, RuntimeEntropy};
use crate::api;
use crate::api::http::reply::Reply;
use crate::api::http::routes;
use crate::error::{Error, Kind};
use crate::platform;

/// Longest address in bytes: what `http::Uri` has room for.
const MAX_URL_BYTES: usize = 65_534;
/// How much of a body that is too long is read to its end.
const MAX_DRAINED_BYTES: usize = 16 * api::MAX_BODY_BYTES;

/// Reads a request, its body no further than one byte beyond what is allowed.
pub async fn request(mut request: worker::Request) -> std::result::Result<api::Request, Error> {
    let url = request.inner().url();
    if url.len() > MAX_URL_BYTES {
        return Err(Error::new(
            Kind::UriTooLong,
            format!(
                "the address is longer than {MAX_URL_BYTES} bytes; a search takes its filter in a body"
            ),
        ));
    }
    let unreadable = |reason: String| Error {
        internal: Some(reason),
        ..Error::new(Kind::Internal, "the request could not be read")
    };
    let method = http::Method::from_bytes(request.inner().method().as_bytes())
        .map_err(|error| unreadable(error.to_string()))?;
    let mut converted = http::Request::builder().method(method).uri(url);
    if let Some(headers) = converted.headers_mut() {
        for (name, value) in request.headers().entries() {
            let name = HeaderName::try_from(name);
            let value = HeaderValue::try_from(value);
            if let (Ok(name), Ok(value)) = (name, value) {
                headers.append(name, value);
            }
        }
    }
    // The runtime fails here where a client ends its body before the length that it announced, or breaks off.
    let most = match (converted.uri_ref(), converted.headers_ref()) {
        (Some(uri), Some(headers)) => api::max_body_bytes(uri.path(), headers),
        _ => api::MAX_BODY_BYTES,
    };
    let body = body(&mut request, most).await.map_err(|reason| Error {
        internal: Some(reason),
        ..Error::new(Kind::BadRequest, "the body ended before it was whole")
    })?;
    converted
        .body(body)
        .map_err(|error| unreadable(error.to_string()))
}

async fn body(request: &mut worker::Request, most: usize) -> std::result::Result<Vec<u8>, String> {
    if request.inner().body().is_none() {
        return Ok(Vec::new());
    }
    if is_short(request.headers(), most) {
        return request.bytes().await.map_err(|error| error.to_string());
    }
    let mut stream = request.stream().map_err(|error| error.to_string())?;
    let mut body = Vec::new();
    let mut received = 0;
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.map_err(|error| error.to_string())?;
        received += chunk.len();
        // What is too long is read on, and dropped: a body left unread leaves the connection unusable for the next request.
        if body.len() <= most {
            body.extend(chunk);
            body.truncate(most + 1);
        }
        if received > MAX_DRAINED_BYTES {
            break;
        }
    }
    Ok(body)
}

/// Whether a body is known to be no longer than is allowed: it is read in one piece then, which is faster. Where it comes in chunks,
/// its `Content-Length` says nothing (RFC 9112 §6.3).
fn is_short(headers: &Headers, most: usize) -> bool {
    let header = |name| headers.get(name).ok().flatten();
    let length = header("content-length").and_then(|length| length.parse::<usize>().ok());
    header("transfer-encoding").is_none() && length.is_some_and(|length| length <= most)
}

/// A reply as the runtime sends it.
pub async fn response(reply: api::Response) -> Result<worker::Response> {
    let (parts, body) = reply.into_parts();
    let headers = Headers::new();
    for (name, value) in &parts.headers {
        if let Ok(value) = value.to_str() {
            headers.append(name.as_str(), value)?;
        }
    }
    let builder = ResponseBuilder::new()
        .with_status(parts.status.as_u16())
        .with_headers(headers);
    let mut chunks = body.into_chunks().peekable();
    let Some(first) = chunks.next().await else {
        return Ok(builder.empty());
    };
    // What is one piece has a known length; more go out one after the other.
    match Pin::new(&mut chunks).peek().await {
        None => Ok(builder.fixed(first.map_err(worker::Error::RustError)?)),
        Some(_) => {
            let chunks = stream::iter([first]).chain(chunks);
            let chunks = chunks.map(|chunk| chunk.map_err(worker::Error::RustError));
            builder.from_stream(chunks)
        }
    }
}

/// A failure before the application is reached, in the dialect of the path.
pub async fn failure(path: &str, error: &Error) -> Result<worker::Response> {
    let mut response = Reply::of_error(error, routes::dialect(path)).into_response();
    let request_id = platform::new_id(&RuntimeClock, &RuntimeEntropy).unwrap_or_default();
    if let Ok(request_id) = HeaderValue::try_from(request_id) {
        response.headers_mut().insert("x-request-id", request_id);
    }
    self::response(response).await
}
