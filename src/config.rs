//! Configuration, read once from the worker's variables and secrets.

use std::rc::Rc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::auth::access::Access;
use crate::auth::jwks::KeySet;
use crate::databases::homes::MAX_BYTES;
use crate::databases::place::{self, Place};
use crate::seal::{KEY_BYTES, KeyRing};
use crate::secret::Secret;

/// Where the keys come from that verify administrators' JWTs.
#[derive(Clone)]
pub enum KeySource {
    /// Nothing is configured: every JWT is refused.
    None,
    /// A shared secret (HS256), for local use. Ignored where a JWKS is configured.
    Local(Secret),
    Static(Rc<KeySet>),
    /// The address of a JWKS.
    Fetched(String),
}

/// The application's settings.
#[derive(Clone)]
pub struct Config {
    /// What `iss` of a JWT has to be.
    pub issuer: String,
    /// What `aud` of a JWT has to name.
    pub audience: String,
    pub keys: KeySource,
    /// How Cloudflare Access signs people in to the console; none where it does not.
    pub access: Option<Access>,
    /// Seals paging cursors.
    pub cursor_key: Secret,
    /// Seal the secrets of identity providers, and replies that are kept.
    pub encryption_keys: KeyRing,
    /// Whether identity providers on this very machine may be reached, and over plain HTTP.
    pub local_development: bool,
    /// The hosts that this endpoint answers for, with their ports where they have one; any where none is named.
    pub public_hosts: Vec<String>,
    /// Whether replies carry a `Server-Timing` header with what the database counted.
    pub server_timing: bool,
    /// Rows that one tenant may read in a minute, by the database's count, before its scans are refused.
    pub rows_per_minute: f64,
    /// The databases there are, the first one first.
    pub databases: Vec<Place>,
    /// Bytes that each of them may have.
    pub database_max_bytes: i64,
    pub console: Console,
    pub sync: SyncLimits,
    pub undo: UndoLimits,
    pub async_requests: AsyncLimits,
    #[cfg(feature = "jobs")]
    pub moves: MoveLimits,
}

/// How the administrator's page signs people in.
#[derive(Clone)]
pub struct Console {
    /// The page's client with the issuer: a public one, for the code flow with PKCE. Without it nobody signs in there.
    pub client_id: Option<String>,
    /// The scopes that it asks for.
    pub scope: String,
}

/// The scopes where nothing else is set.
const CONSOLE_SCOPE: &str = "openid admin";

/// What an undo does at once.
#[derive(Debug, Clone, Copy)]
pub struct UndoLimits {
    /// Changes that a request takes back; more go by messages.
    pub changes: usize,
    /// Resources that go into one batch, about as many as in a directory sync's.
    pub resources: usize,
    /// Statements after which the rest is left to the next message: D1 runs 1,000 for one.
    pub statements: u64,
}

impl Default for UndoLimits {
    fn default() -> Self {
        UndoLimits {
            changes: 5_000,
            resources: 2_000,
            statements: 100,
        }
    }
}

/// What a message may do of a request that was answered before it is carried out.
#[derive(Debug, Clone, Copy)]
pub struct AsyncLimits {
    /// Operations of a Bulk request that go into one batch.
    pub operations: usize,
    /// Statements after which the rest is left to the next message: D1 runs 1,000 for one.
    pub statements: u64,
    /// Milliseconds after which it is left to the next message, too: the messages of others come in between.
    pub work_ms: i64,
    /// Most bytes of a tenant's requests that wait, as they are kept.
    pub waiting_bytes: i64,
}

impl Default for AsyncLimits {
    fn default() -> Self {
        AsyncLimits {
            operations: 500,
            statements: 400,
            work_ms: 1_000,
            waiting_bytes: 256 * 1_048_576,
        }
    }
}

/// What a message of a tenant's move may do.
#[cfg(feature = "jobs")]
#[derive(Debug, Clone, Copy)]
pub struct MoveLimits {
    /// Rows of a page, and its bytes; a row that is longer goes alone.
    pub rows: usize,
    pub bytes: usize,
    /// Rows that are deleted at once of each table.
    pub deleted: usize,
    /// Rows written in the source that are few: nothing waits for them.
    pub few: i64,
    /// Statements after which the rest is left to the next message, and milliseconds.
    pub statements: u64,
    pub work_ms: i64,
    /// How long writes are paused at most, and after which time a pause ends by itself, where nobody ends it.
    pub pause_ms: i64,
    pub lapse_ms: i64,
    /// How often a pause is tried that is too short.
    pub pauses: u32,
}

#[cfg(feature = "jobs")]
impl Default for MoveLimits {
    fn default() -> Self {
        MoveLimits {
            rows: 1_000,
            bytes: 1_000_000,
            deleted: 500,
            few: 100,
            statements: 500,
            work_ms: 10_000,
            pause_ms: 5_000,
            lapse_ms: 8_000,
            pauses: 5,
        }
    }
}

/// What a message of a directory sync may do.
#[derive(Debug, Clone, Copy)]
pub struct SyncLimits {
    /// Bytes of a staged text, by a generous count: a row of D1 has two million.
    pub text: usize,
    /// Users or groups that one batch writes.
    pub objects: usize,
    /// Statements after which the rest is left to the next message: D1 runs 1,000 for one.
    pub statements: u64,
}

impl Default for SyncLimits {
    fn default() -> Self {
        SyncLimits {
            text: 1_900_000,
            objects: 1_000,
            statements: 500,
        }
    }
}

/// The rows where nothing else is set.
const ROWS_PER_MINUTE: f64 = 50_000_000.0;

/// Names the encryption key that was replaced.
const PREVIOUS: &str = "ENCRYPTION_KEY_PREVIOUS";
/// Shortest local secret in bytes: as long as the hash (RFC 7518 §3.2).
const MIN_LOCAL_SECRET: usize = 32;

impl Config {
    /// Reads the variables `JWT_ISSUER`, `JWT_AUDIENCE`, one of `JWT_JWKS` (the document itself), `JWT_JWKS_URL` and
    /// `JWT_LOCAL_SECRET`, `CURSOR_KEY` and `ENCRYPTION_KEY` (32 bytes each, in base64), `ENCRYPTION_KEY_PREVIOUS` (what
    /// `ENCRYPTION_KEY` was before), `LOCAL_DEVELOPMENT` and `SERVER_TIMING` (`on`), `ROWS_PER_MINUTE` (a number above 0), `PUBLIC_HOSTS`
    /// (with commas between them), `DATABASES` (see [`place::parse`]), `DATABASE_MAX_BYTES`, `CONSOLE_CLIENT_ID`, `CONSOLE_SCOPE`, and those of [`Access`]. The error names the variable that does not hold.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        let keys = match (
            variable("JWT_JWKS"),
            variable("JWT_JWKS_URL"),
            variable("JWT_LOCAL_SECRET"),
        ) {
            (Some(_), Some(_), _) => {
                return Err("JWT_JWKS and JWT_JWKS_URL are both set; keep one".to_owned());
            }
            (Some(document), None, _) => {
                let keys = KeySet::parse(document.as_bytes())
                    .map_err(|reason| format!("JWT_JWKS: {reason}"))?;
                KeySource::Static(Rc::new(keys))
            }
            (None, Some(url), _) => KeySource::Fetched(url),
            (None, None, Some(secret)) if secret.len() < MIN_LOCAL_SECRET => {
                return Err(format!(
                    "JWT_LOCAL_SECRET is shorter than {MIN_LOCAL_SECRET} characters"
                ));
            }
            (None, None, Some(secret)) => KeySource::Local(Secret::new(secret.into_bytes())),
            (None, None, None) => KeySource::None,
        };
        let configured = !matches!(keys, KeySource::None);
        let required = |name: &str| match variable(name) {
            Some(value) => Ok(value),
            None if configured => Err(format!("{name} is not set")),
            None => Ok(String::new()),
        };
        Ok(Config {
            issuer: required("JWT_ISSUER")?,
            audience: required("JWT_AUDIENCE")?,
            keys,
            access: Access::read(variable)?,
            cursor_key: key("CURSOR_KEY", variable("CURSOR_KEY"))?,
            encryption_keys: KeyRing::new(
                key("ENCRYPTION_KEY", variable("ENCRYPTION_KEY"))?,
                variable(PREVIOUS)
                    .map(|value| key(PREVIOUS, Some(value)))
                    .transpose()?,
            ),
            console: Console {
                client_id: variable("CONSOLE_CLIENT_ID"),
                scope: variable("CONSOLE_SCOPE").unwrap_or_else(|| CONSOLE_SCOPE.to_owned()),
            },
            databases: place::parse(&variable("DATABASES").unwrap_or_default())
                .map_err(|reason| format!("DATABASES: {reason}"))?,
            database_max_bytes: match variable("DATABASE_MAX_BYTES").map(|text| text.parse()) {
                None => MAX_BYTES,
                Some(Ok(bytes @ 1..)) => bytes,
                Some(_) => {
                    return Err("DATABASE_MAX_BYTES is not a whole number above 0".to_owned());
                }
            },
            sync: SyncLimits::default(),
            undo: UndoLimits::default(),
            async_requests: AsyncLimits::default(),
            #[cfg(feature = "jobs")]
            moves: MoveLimits::default(),
            local_development: variable("LOCAL_DEVELOPMENT").as_deref() == Some("on"),
            public_hosts: hosts(&variable("PUBLIC_HOSTS").unwrap_or_default())?,
            server_timing: variable("SERVER_TIMING").as_deref() == Some("on"),
            rows_per_minute: match variable("ROWS_PER_MINUTE").map(|text| text.parse::<u32>()) {
                None => ROWS_PER_MINUTE,
                Some(Ok(rows @ 1..)) => f64::from(rows),
                Some(_) => return Err("ROWS_PER_MINUTE is not a whole number above 0".to_owned()),
            },
        })
    }
}

fn hosts(text: &str) -> Result<Vec<String>, String> {
    let hosts = text
        .split(',')
        .map(str::trim)
        .filter(|host| !host.is_empty());
    hosts
        .map(|host| match host.parse::<http::uri::Authority>() {
            Ok(authority) if !host.contains('@') && !authority.host().is_empty() => {
                Ok(host.to_owned())
            }
            _ => Err(format!(
                "PUBLIC_HOSTS: `{host}` is no host; write scim.example.com"
            )),
        })
        .collect()
}

fn key(name: &str, value: Option<String>) -> Result<Secret, String> {
    let value = value.ok_or_else(|| format!("{name} is not set"))?;
    match STANDARD.decode(value.trim()) {
        Ok(bytes) if bytes.len() == KEY_BYTES => Ok(Secret::new(bytes)),
        _ => Err(format!("{name} has to be {KEY_BYTES} bytes in base64")),
    }
}
