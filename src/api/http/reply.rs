//! Replies, and the two dialects in which they fail: SCIM's error body (RFC 7644 §3.12) and the admin API's.

use std::fmt;

use futures_util::StreamExt;
use futures_util::stream::{self, Stream};
use http::header::{
    ACCEPT_ENCODING, ALLOW, CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderName, HeaderValue, LOCATION,
    RETRY_AFTER, WWW_AUTHENTICATE,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::content_encoding;
use crate::error::{Error, FieldError, Kind};
use crate::platform::{Chunk, Chunks};
use crate::scim;
use crate::scim::error::ScimType;
use crate::scim::pieces::Pieces;

/// A reply, its body still in pieces.
pub type Response = http::Response<Body>;

/// Whose clients a route serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    Scim,
    Admin,
}

impl Dialect {
    const fn content_type(self) -> &'static str {
        match self {
            Dialect::Scim => "application/scim+json",
            Dialect::Admin => "application/json",
        }
    }
}

/// A reply in the making.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    headers: Vec<(HeaderName, String)>,
    body: Body,
}

/// A reply's body, in pieces that are made when their turn comes: put together, the members of a large group would take the
/// memory of many requests.
#[derive(Default)]
pub struct Body {
    pieces: Pieces,
    /// What follows them, and is got while the body is sent; nothing in most replies.
    pages: Option<Chunks>,
}

impl Body {
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty() && self.pages.is_none()
    }

    /// The bytes in their order, piece by piece; one piece of most replies.
    pub fn into_chunks(self) -> impl Stream<Item = Chunk> + Unpin + 'static {
        let pages = self.pages.unwrap_or_else(|| stream::empty().boxed_local());
        stream::iter(self.pieces.into_texts()).chain(pages)
    }
}

impl From<Pieces> for Body {
    fn from(pieces: Pieces) -> Self {
        Body {
            pieces,
            pages: None,
        }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Body");
        shown.field("pieces", &self.pieces);
        shown.field("is_read_on", &self.pages.is_some()).finish()
    }
}

impl Reply {
    /// A reply without a body.
    pub fn empty(status: u16) -> Self {
        Reply {
            status,
            headers: Vec::new(),
            body: Body::default(),
        }
    }

    fn with_body(status: u16, dialect: Dialect, body: impl Into<Pieces>) -> Self {
        Reply::empty(status)
            .header(CONTENT_TYPE, dialect.content_type())
            .body(body.into())
    }

    /// A SCIM reply of JSON text.
    pub fn scim(status: u16, body: impl Into<Pieces>) -> Self {
        Reply::with_body(status, Dialect::Scim, body)
    }

    /// An admin reply. What replies are made of has names for keys, and no writer that could fail. No browser and no proxy keeps it: some
    /// show a secret, and most are about people.
    pub fn json(status: u16, body: &impl Serialize) -> Self {
        let body = serde_json::to_string(body).unwrap_or_default();
        Reply::with_body(status, Dialect::Admin, body).header(CACHE_CONTROL, "no-store")
    }

    /// A file of text.
    pub fn file(content_type: &str, text: String) -> Self {
        Reply::empty(200)
            .header(CONTENT_TYPE, content_type)
            .body(text.into())
    }

    /// A text that is read from the database while it is sent.
    pub fn pages(content_type: &str, pages: Chunks) -> Self {
        let mut reply = Reply::empty(200).header(CONTENT_TYPE, content_type);
        reply.body.pages = Some(pages);
        reply
    }

    pub fn header(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The value of one of its headers.
    pub fn header_value(&self, name: HeaderName) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(given, _)| *given == name);
        found.map(|(_, value)| value.as_str())
    }

    fn body(mut self, body: Pieces) -> Self {
        self.body = body.into();
        self
    }

    pub fn etag(self, version: scim::version::Version) -> Self {
        self.header(ETAG, version.etag())
    }

    pub fn location(self, location: String) -> Self {
        self.header(LOCATION, location)
    }

    /// A failure, in the body that the route's clients expect.
    pub fn of_error(error: &Error, dialect: Dialect) -> Self {
        let (status, body) = error_body(error, dialect);
        error_headers(error).into_iter().fold(
            Reply::with_body(status, dialect, body.to_string()),
            |reply, (name, value)| reply.header(name, value),
        )
    }

    /// The reply as bytes that are kept. An error is the body's. What is read while it is sent cannot be kept.
    pub fn to_kept(&self) -> std::result::Result<Vec<u8>, String> {
        serde_json::to_vec(&self.kept()?).map_err(|error| error.to_string())
    }

    /// The reply with its body as one text. An error is the body's, or that it is not read yet.
    pub fn kept(&self) -> std::result::Result<Kept, String> {
        if self.body.pages.is_some() {
            return Err("a body that is not read yet".to_owned());
        }
        let headers = self.headers.iter();
        let body: Vec<Vec<u8>> = self
            .body
            .pieces
            .clone()
            .into_texts()
            .collect::<std::result::Result<_, _>>()?;
        Ok(Kept {
            status: self.status,
            headers: headers
                .map(|(name, value)| (name.as_str().to_owned(), value.clone()))
                .collect(),
            body: String::from_utf8(body.concat()).map_err(|error| error.to_string())?,
        })
    }

    /// Reads back what [`to_kept`](Self::to_kept) wrote.
    pub fn from_kept(kept: &[u8]) -> Option<Self> {
        let kept: Kept = serde_json::from_slice(kept).ok()?;
        let headers = kept
            .headers
            .into_iter()
            .map(|(name, value)| Some((HeaderName::try_from(name).ok()?, value)));
        Some(Reply {
            status: kept.status,
            headers: headers.collect::<Option<_>>()?,
            body: Pieces::from(kept.body).into(),
        })
    }

    pub fn into_response(self) -> Response {
        let mut response = Response::new(self.body);
        *response.status_mut() = http::StatusCode::from_u16(self.status)
            .unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.headers_mut().append(name, value);
            }
        }
        response
    }
}

/// A reply that is kept.
#[derive(Serialize, Deserialize)]
pub struct Kept {
    pub status: u16,
    headers: Vec<(String, String)>,
    pub body: String,
}

impl Kept {
    pub fn header(&self, name: HeaderName) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(given, _)| *given == name.as_str());
        found.map(|(_, value)| value.as_str())
    }
}

/// The reply of another, as it is, its body sent on while it comes. The error is a body that breaks off before its first piece.
pub async fn handed_on(response: http::Response<Chunks>) -> Result<Response, String> {
    let (parts, mut rest) = response.into_parts();
    let first = rest.next().await.transpose()?;
    let pages = first.map(|first| stream::iter([Ok(first)]).chain(rest).boxed_local());
    let body = Body {
        pieces: Pieces::default(),
        pages,
    };
    Ok(Response::from_parts(parts, body))
}

/// When a write that a full database refused may be sent again, in seconds.
const FULL_RETRY_SECONDS: u32 = 600;

/// Headers that a failure carries beyond its body.
fn error_headers(error: &Error) -> Vec<(HeaderName, String)> {
    match &error.kind {
        Kind::Unauthorized { token_sent: false } => {
            vec![(WWW_AUTHENTICATE, "Bearer".to_owned())]
        }
        Kind::Unauthorized { token_sent: true } => vec![(
            WWW_AUTHENTICATE,
            "Bearer error=\"invalid_token\"".to_owned(),
        )],
        Kind::UnsupportedEncoding => vec![(ACCEPT_ENCODING, content_encoding::ACCEPTED.to_owned())],
        Kind::MethodNotAllowed { allow } => vec![(ALLOW, allow.clone())],
        Kind::Unavailable {
            retry_after_seconds,
        }
        | Kind::RateLimited {
            retry_after_seconds,
        } => vec![(RETRY_AFTER, retry_after_seconds.to_string())],
        Kind::Raced => vec![(RETRY_AFTER, "1".to_owned())],
        Kind::Full => vec![(RETRY_AFTER, FULL_RETRY_SECONDS.to_string())],
        _ => Vec::new(),
    }
}

/// The body of a failure on the admin API.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ErrorResponse<'e> {
    /// What is wrong, in a sentence.
    detail: &'e str,
}

/// The body of a 422 on the admin API.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ValidationErrorResponse<'e> {
    /// Each field that does not hold.
    detail: &'e [FieldError],
}

/// The body of a failure on SCIM routes (RFC 7644 §3.12).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ScimErrorResponse<'e> {
    schemas: [&'static str; 1],
    /// The HTTP status, as a string.
    status: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    scim_type: Option<ScimType>,
    /// What is wrong, in a sentence.
    detail: &'e str,
}

/// Status and body of a failure.
pub fn error_body(error: &Error, dialect: Dialect) -> (u16, Value) {
    let status = error.status();
    let detail = error.detail.as_str();
    let (status, body) = match (dialect, &error.kind) {
        (Dialect::Admin, Kind::Unprocessable(detail)) => (
            status,
            serde_json::to_value(ValidationErrorResponse { detail }),
        ),
        (Dialect::Admin, _) => (status, serde_json::to_value(ErrorResponse { detail })),
        (Dialect::Scim, kind) => {
            // SCIM knows no 422: a field that does not hold is an invalidValue.
            let (status, scim_type) = match kind {
                Kind::Scim(scim_type) => (status, Some(*scim_type)),
                Kind::Unprocessable(_) => (400, Some(ScimType::InvalidValue)),
                Kind::Full => (503, None),
                _ => (status, None),
            };
            let body = ScimErrorResponse {
                schemas: [scim::ERROR],
                status: status.to_string(),
                scim_type,
                detail,
            };
            (status, serde_json::to_value(body))
        }
    };
    (status, body.unwrap_or_default())
}
