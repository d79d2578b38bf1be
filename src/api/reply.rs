//! Replies, and the two dialects in which they fail: SCIM's error body (RFC 7644 §3.12) and the admin API's.

use http::header::{CONTENT_TYPE, ETAG, HeaderName, HeaderValue, LOCATION};
use serde_json::{Map, Value, json};

use super::Response;
use crate::error::{Error, Kind};
use crate::scim;
use crate::scim::pieces::Pieces;

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
#[derive(Debug, Default)]
pub struct Body(Pieces);

impl Body {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The bytes in their order, piece by piece; one piece of most replies. An error breaks the reply off.
    pub fn into_chunks(self) -> impl Iterator<Item = std::result::Result<Vec<u8>, String>> {
        self.0.into_texts()
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

    /// An admin reply.
    pub fn json(status: u16, body: &Value) -> Self {
        Reply::with_body(status, Dialect::Admin, body.to_string())
    }

    pub fn header(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    fn body(mut self, body: Pieces) -> Self {
        self.body = Body(body);
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
        super::error_headers(error).into_iter().fold(
            Reply::with_body(status, dialect, body.to_string()),
            |reply, (name, value)| reply.header(name, value),
        )
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

/// Status and body of a failure.
pub fn error_body(error: &Error, dialect: Dialect) -> (u16, Value) {
    let status = error.status();
    match (dialect, &error.kind) {
        (Dialect::Admin, Kind::Unprocessable(fields)) => (status, json!({ "detail": fields })),
        (Dialect::Admin, _) => (status, json!({ "detail": error.detail })),
        (Dialect::Scim, kind) => {
            // SCIM knows no 422: a field that does not hold is an invalidValue.
            let (status, scim_type) = match kind {
                Kind::Scim(scim_type) => (status, Some(scim_type.name())),
                Kind::Unprocessable(_) => (400, Some("invalidValue")),
                _ => (status, None),
            };
            let mut body = Map::new();
            body.insert("schemas".to_owned(), json!([scim::ERROR]));
            body.insert("status".to_owned(), status.to_string().into());
            if let Some(scim_type) = scim_type {
                body.insert("scimType".to_owned(), scim_type.into());
            }
            body.insert("detail".to_owned(), error.detail.as_str().into());
            (status, Value::Object(body))
        }
    }
}
