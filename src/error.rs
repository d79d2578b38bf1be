//! The one error that leaves the application, and how each layer's errors become it.
//!
//! Layers have errors of their own: [`scim::error::Error`](crate::scim::error::Error) says what is wrong with a SCIM request,
//! [`store::Error`](crate::store::Error) what the database refused. Handlers return this one, which has a closed set of
//! kinds. Only `detail` leaves the house; `internal` goes to the log under the request's id. The body it takes on depends
//! on the route: SCIM's own on SCIM routes, `{"detail": …}` elsewhere (see `api::reply`).

use std::fmt;

use serde::Serialize;

use crate::at::At;
use crate::scim::error::ScimType;
use crate::store;
use crate::store::guards::{MAX_NESTING, MAX_STEPS};

/// What kind of failure it is, and so its status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// RFC 7644 table 9.
    Scim(ScimType),
    /// 401: no credential (`None`), or one that does not hold; the reason is not told apart for the caller.
    Unauthorized {
        token_sent: bool,
    },
    /// What was assumed of the credential is no longer so: the request is tried again with what the database says. It
    /// never reaches a client.
    CredentialStale,
    /// 503: others kept changing what the request had read; it is tried again a few times before a client sees this.
    Raced,
    /// 400 where no field is wrong, and SCIM has no word for it.
    BadRequest,
    Forbidden,
    NotFound,
    MethodNotAllowed {
        allow: String,
    },
    Conflict,
    /// 410: it was there, and is kept no longer.
    Gone,
    PreconditionFailed,
    PayloadTooLarge,
    /// 414: an address that is longer than can be read; the adapter finds it out.
    UriTooLong,
    UnsupportedMediaType,
    /// 415 for a content coding that is not taken.
    UnsupportedEncoding,
    /// 421: the host is none of those that the settings name.
    Misdirected,
    /// 422: fields of a body or a query that do not hold.
    Unprocessable(Vec<FieldError>),
    NotImplemented,
    /// 429: there are too many of them; see `api::limits`.
    RateLimited {
        retry_after_seconds: u32,
    },
    /// 503: the database cannot take it now; a retry is safe.
    Unavailable {
        retry_after_seconds: u32,
    },
    /// The database is full: 507 (RFC 4918 §11.5) for an administrator, and 503 for a client of SCIM, which knows no other.
    Full,
    Internal,
}

/// One field that does not hold, in the form that clients of the admin API read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct FieldError {
    /// Where: `["body", "name"]`, `["query", "page"]`, `["body", "scopes", 1]`.
    #[cfg_attr(feature = "openapi", schemars(with = "Vec<LocationPart>"))]
    pub loc: Vec<serde_json::Value>,
    /// What is wrong, in a sentence.
    pub msg: String,
    /// The kind of fault, a word to match on.
    #[serde(rename = "type")]
    pub kind: &'static str,
}

impl FieldError {
    pub fn new(loc: &[&str], msg: impl Into<String>, kind: &'static str) -> Self {
        FieldError {
            loc: loc.iter().map(|&part| part.into()).collect(),
            msg: msg.into(),
            kind,
        }
    }
}

/// A name, or a place in an array from 0.
#[cfg(feature = "openapi")]
#[derive(schemars::JsonSchema)]
#[schemars(untagged, inline)]
#[expect(dead_code, reason = "it only describes")]
enum LocationPart {
    Name(String),
    Index(u64),
}

/// A failed request.
#[derive(Debug, Clone)]
pub struct Error {
    pub kind: Kind,
    /// A sentence for the client.
    pub detail: String,
    /// What the log needs to know beyond that. No secret, no personal data.
    pub internal: Option<String>,
    pub at: At,
}

/// Result of a handler.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    #[track_caller]
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Error {
            kind,
            detail: detail.into(),
            internal: None,
            at: At::here(),
        }
    }

    #[track_caller]
    pub fn not_found(what: &str) -> Self {
        Self::new(Kind::NotFound, format!("{what} was not found"))
    }

    #[track_caller]
    pub fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(Kind::Forbidden, detail)
    }

    #[track_caller]
    pub fn scim(scim_type: ScimType, detail: impl Into<String>) -> Self {
        Self::new(Kind::Scim(scim_type), detail)
    }

    /// 409 for a change to what a directory manages.
    #[track_caller]
    pub fn managed(provider: &str) -> Self {
        Self::new(
            Kind::Conflict,
            format!(
                "the identity provider {provider} manages this resource: change it in its directory"
            ),
        )
    }

    /// For what a database takes no more.
    #[track_caller]
    pub fn full(database: &str) -> Self {
        Error {
            internal: Some(format!("the database {database} is full")),
            ..Self::new(
                Kind::Full,
                format!(
                    "the database {database} is full: it takes deletions alone until there is room, or the tenant is moved"
                ),
            )
        }
    }

    /// One field that does not hold.
    #[track_caller]
    pub fn field(loc: &[&str], msg: impl Into<String>, kind: &'static str) -> Self {
        Self::fields(vec![FieldError::new(loc, msg, kind)])
    }

    /// All fields that do not hold.
    #[track_caller]
    pub fn fields(fields: Vec<FieldError>) -> Self {
        Self::new(Kind::Unprocessable(fields), "a field does not hold")
    }

    /// The fields that do not hold; the error itself where it is another.
    pub fn into_fields(self) -> Result<Vec<FieldError>> {
        match self.kind {
            Kind::Unprocessable(fields) => Ok(fields),
            _ => Err(self),
        }
    }

    /// A failure that is ours: the client learns nothing but the request's id.
    #[track_caller]
    pub fn internal(internal: impl Into<String>) -> Self {
        Error {
            kind: Kind::Internal,
            detail: "the request failed here; its id helps to find out why".to_owned(),
            internal: Some(internal.into()),
            at: At::here(),
        }
    }

    /// What it says to the client, in one sentence: each field too, where fields do not hold.
    pub fn said(&self) -> String {
        let Kind::Unprocessable(fields) = &self.kind else {
            return self.detail.clone();
        };
        let said = fields.iter().map(|field| {
            let place: Vec<String> = field
                .loc
                .iter()
                .map(|part| match part.as_str() {
                    Some(name) => name.to_owned(),
                    None => part.to_string(),
                })
                .collect();
            format!("{}: {}", place.join("."), field.msg)
        });
        said.collect::<Vec<_>>().join("; ")
    }

    /// SCIM's keyword, where it has one.
    pub fn scim_type(&self) -> Option<&'static str> {
        match &self.kind {
            Kind::Scim(scim_type) => Some(scim_type.name()),
            _ => None,
        }
    }

    pub fn status(&self) -> u16 {
        match &self.kind {
            Kind::Scim(scim_type) => scim_type.status(),
            Kind::Unauthorized { .. } => 401,
            Kind::BadRequest => 400,
            Kind::Forbidden => 403,
            Kind::NotFound => 404,
            Kind::MethodNotAllowed { .. } => 405,
            Kind::Conflict => 409,
            Kind::Gone => 410,
            Kind::PreconditionFailed => 412,
            Kind::PayloadTooLarge => 413,
            Kind::UriTooLong => 414,
            Kind::UnsupportedMediaType | Kind::UnsupportedEncoding => 415,
            Kind::Misdirected => 421,
            Kind::Unprocessable(_) => 422,
            Kind::RateLimited { .. } => 429,
            Kind::Internal | Kind::CredentialStale => 500,
            Kind::NotImplemented => 501,
            Kind::Unavailable { .. } | Kind::Raced => 503,
            Kind::Full => 507,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.status(), self.detail)
    }
}

impl std::error::Error for Error {}

impl From<crate::scim::error::Error> for Error {
    fn from(error: crate::scim::error::Error) -> Self {
        Error {
            at: error.at,
            ..Error::new(Kind::Scim(error.scim_type), error.detail)
        }
    }
}

impl From<store::Error> for Error {
    /// For what a handler does not name itself. A guard or a constraint that nobody named is a fault of ours.
    #[track_caller]
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::Guard(store::Guard::NotFound) => Error::not_found("the resource"),
            store::Error::Guard(store::Guard::CredentialStale) => Error::new(
                Kind::CredentialStale,
                "the credential, or the tenant's settings or schemas, changed; try again",
            ),
            store::Error::Guard(store::Guard::PreconditionFailed) => Error::new(
                Kind::PreconditionFailed,
                "the resource is at another version than If-Match names",
            ),
            store::Error::Guard(store::Guard::VersionConflict | store::Guard::MemberMissing) => {
                Error::new(Kind::Raced, "others keep changing the resource; try again")
            }
            store::Error::Guard(store::Guard::NestedTooDeep) => Error::scim(
                ScimType::InvalidValue,
                format!(
                    "members: nesting deeper than {MAX_NESTING} groups is not possible, nor what takes more than {MAX_STEPS} steps \
                     from group to group to see; send fewer groups in groups at once"
                ),
            ),
            store::Error::Guard(store::Guard::ProviderMissing) => {
                Error::not_found("the identity provider")
            }
            store::Error::Guard(store::Guard::GroupMissing) => Error::not_found("the group"),
            store::Error::Managed(provider) => Error::managed(&provider),
            store::Error::Overloaded(internal) => Error {
                kind: Kind::Unavailable {
                    retry_after_seconds: 2,
                },
                detail: "the database cannot take the request now; try again".to_owned(),
                internal: Some(internal),
                at: At::here(),
            },
            store::Error::Moving => Error::new(
                Kind::Unavailable {
                    retry_after_seconds: 5,
                },
                "the tenant is being moved to another database; try again",
            ),
            store::Error::Full(database) => Error::full(&database),
            error @ (store::Error::Outdated { .. } | store::Error::Unbound(_)) => Error {
                internal: Some(format!("{error}; deploy again (`npm run deploy`)")),
                ..Error::new(
                    Kind::Unavailable {
                        retry_after_seconds: 60,
                    },
                    "the service is being updated; try again",
                )
            },
            store::Error::TooLarge(internal) => Error {
                kind: Kind::PayloadTooLarge,
                detail: "the resource is larger than can be stored".to_owned(),
                internal: Some(internal),
                at: At::here(),
            },
            other => Error::internal(other.to_string()),
        }
    }
}
