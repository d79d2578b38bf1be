//! The seam: everything the application asks of the world outside, as small traits.
//!
//! Invariant: nothing outside `edge/` names the platform. The worker implements these traits on D1, KV and the runtime's
//! own clock; the tests implement them on SQLite, with a clock and with faults of their own.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use async_trait::async_trait;
use futures_util::stream::LocalBoxStream;
use uuid::Builder;

use crate::databases::homes::Homes;
use crate::store::{Result as StoreResult, Rows, Statement};

/// A future that runs on the thread where it was made: a worker has one.
pub type LocalFuture<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// A piece of a body. An error, a reason for the log, breaks the body off.
pub type Chunk = Result<Vec<u8>, String>;

/// A body in pieces, each made when the one before it is gone.
pub type Chunks = LocalBoxStream<'static, Chunk>;

/// A database, reached by batches alone.
#[async_trait(?Send)]
pub trait Database {
    /// Runs the statements in order as one transaction: all of them hold, or none. One batch is one round trip.
    async fn run(&self, batch: Vec<Statement>) -> StoreResult<Vec<Rows>>;
}

/// The databases beside the first one.
pub trait Others {
    /// The one of that name; none where there is no such one.
    fn open(&self, name: &str) -> Option<Rc<dyn Database>>;
}

/// None.
impl Others for () {
    fn open(&self, _: &str) -> Option<Rc<dyn Database>> {
        None
    }
}

/// A cache that many places share and that may be stale for a minute: never the truth.
#[async_trait(?Send)]
pub trait TokenCache {
    /// The value, none where there is none or the cache cannot be reached: both mean asking the database.
    async fn get(&self, key: &str) -> Option<String>;
    /// Stores a value for that many seconds. A failure is not the caller's: the database has the truth.
    async fn put(&self, key: &str, value: &str, seconds: u64);
    async fn delete(&self, key: &str);
}

/// The time of day.
pub trait Clock {
    /// Milliseconds since 1970.
    fn now(&self) -> i64;
}

/// A source of secrets.
pub trait Entropy {
    /// Fills the buffer with bytes nobody can guess, or fails as a whole.
    fn fill(&self, buffer: &mut [u8]) -> Result<(), String>;
}

/// Fetches documents over HTTP.
#[async_trait(?Send)]
pub trait HttpClient {
    /// GETs a document. Fails on anything but a 200 of at most `max_bytes` within `timeout_ms`; follows no redirect.
    async fn get(&self, url: &str, max_bytes: usize, timeout_ms: u32)
    -> Result<Vec<u8>, HttpError>;

    /// POSTs a JSON text and reads as much of the reply, within that time; follows no redirect. Any other status is an answer.
    async fn post(
        &self,
        url: &str,
        headers: &[(&str, String)],
        body: String,
        max_reply: usize,
        timeout_ms: u32,
    ) -> Result<Answered, HttpError>;
}

/// What was answered to what was sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answered {
    pub status: u16,
    /// The header of that name.
    pub retry_after: Option<String>,
    /// How the reply begins.
    pub body: Vec<u8>,
}

/// Why a document could not be fetched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// There is no such name, nothing listens there, or TLS could not be agreed on; the platform does not always say which.
    #[error("it cannot be reached: {0}")]
    Unreachable(String),
    #[error("no answer within {0} ms")]
    Timeout(u32),
    #[error("the answer is {0}")]
    Status(u16),
    #[error("the answer is {status}, a redirect to {location}")]
    Redirect { status: u16, location: String },
    #[error("the answer is longer than {0} bytes")]
    TooLong(usize),
    #[error("the answer broke off: {0}")]
    BrokeOff(String),
}

/// How a TCP connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TcpSecurity {
    /// Not at all.
    Plain,
    /// Not at first, and by TLS from [`TcpStream::start_tls`] on.
    StartTls,
    /// By TLS from the first byte on.
    Tls,
}

/// Opens TCP connections.
#[async_trait(?Send)]
pub trait Tcp {
    /// A connection to that port of a host, a name or an address. The error is a reason for a human. Where TLS is asked for, its
    /// failure may show only at the first write or read: the certificate has to be valid for `host`.
    async fn connect(
        &self,
        host: &str,
        port: u16,
        security: TcpSecurity,
        timeout_ms: u32,
    ) -> Result<Box<dyn TcpStream>, TcpError>;
}

/// A TCP connection. After an error it is good for nothing but to be closed.
#[async_trait(?Send)]
pub trait TcpStream {
    async fn write_all(&mut self, bytes: &[u8], timeout_ms: u32) -> Result<(), TcpError>;
    /// Some bytes as soon as there are any; none means that the other side has closed.
    async fn read(&mut self, timeout_ms: u32) -> Result<Vec<u8>, TcpError>;
    /// Goes on by TLS, on a connection opened with [`TcpSecurity::StartTls`].
    async fn start_tls(self: Box<Self>, timeout_ms: u32) -> Result<Box<dyn TcpStream>, TcpError>;
    /// Closes both directions; never waits long.
    async fn close(self: Box<Self>);
}

/// Why a TCP connection failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TcpError {
    #[error("nothing happened within {0} ms")]
    Timeout(u32),
    /// TLS could not be agreed on, or the certificate does not hold.
    #[error("{0}")]
    Tls(String),
    #[error("{0}")]
    Other(String),
}

/// What requests are counted against. How many there may be stands in `wrangler.toml`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Limit {
    /// All requests for a tenant.
    Tenant,
    /// All requests with one credential.
    Credential,
    /// Credentials for one tenant that do not hold, by the address they come from.
    Failures,
    /// Credentials that do not hold, whatever tenant they are for, by the address they come from.
    Address,
}

/// Counts requests in a place close by: good against floods, not exact.
#[async_trait(?Send)]
pub trait RateLimiter {
    /// Counts one more for a key. False where there are too many already; true too where nothing can be counted.
    async fn allows(&self, limit: Limit, key: &str) -> bool;
}

/// A file of text that is uploaded beside the application.
#[derive(Debug, Clone)]
pub struct Asset {
    pub text: String,
    /// Its entity tag as it stands in a header: another text has another one.
    pub etag: String,
}

/// The files that are uploaded beside the application.
#[async_trait(?Send)]
pub trait Assets {
    /// The file with that path below their folder, as in `docs/index.html`; none where there is none.
    async fn get(&self, path: &str) -> Result<Option<Asset>, String>;
}

/// The algorithms that issuers sign with (RFC 7518 §3.1, RFC 8037 §3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureAlgorithm {
    Ed25519,
    Es256,
    Rs256,
}

/// A public key and the one algorithm that it is for.
#[derive(Debug, Clone)]
pub struct PublicKey {
    pub algorithm: SignatureAlgorithm,
    /// The key as a JWK (RFC 7517), with what makes it a public key and nothing else.
    pub jwk: String,
}

/// Checks signatures of others.
#[async_trait(?Send)]
pub trait Signatures {
    /// Whether the key's owner signed the message. A key that is no point of its curve signed nothing.
    async fn verify(&self, key: &PublicKey, message: &[u8], signature: &[u8]) -> bool;
}

/// Signs, with keys of our own: on P-256 (ES256, RFC 7518 §3.4).
#[cfg(feature = "jobs")]
#[async_trait(?Send)]
pub trait Signer {
    /// A new private key, as a JWK. The error is a reason for the log.
    async fn generate(&self) -> Result<String, String>;
    /// The signature of a message by a private key: two numbers of 32 bytes.
    async fn sign(&self, private: &str, message: &[u8]) -> Result<Vec<u8>, String>;
}

/// Work that goes on after the reply.
pub trait Background {
    /// Runs the future some time soon, at most 30 seconds; its failure concerns nobody.
    fn defer(&self, work: LocalFuture<'static, ()>);
}

/// Work that is done later and by another worker (see [`messages`](crate::messages)).
#[async_trait(?Send)]
pub trait Queue {
    /// Sends a message of at most [`MAX_MESSAGE_BYTES`], to be delivered after so many seconds at the earliest: at least once, and in no
    /// promised order. After an error, a reason for a human, it may have been sent all the same.
    async fn send(&self, queue: QueueName, message: &str, delay_seconds: u32)
    -> Result<(), String>;
}

/// The queues that messages are sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueueName {
    Jobs,
    /// Of events, to those who are sent them.
    Deliveries,
}

/// The other worker of the two.
#[async_trait(?Send)]
pub trait OtherWorker {
    /// Its answer to a request, as soon as it has begun. After an error, a reason for a human, it may have done what it was asked for.
    async fn ask(&self, request: &http::Request<Vec<u8>>)
    -> Result<http::Response<Chunks>, String>;
}

/// What a message may have at most: Cloudflare takes 128 KB, in which its own header counts.
pub const MAX_MESSAGE_BYTES: usize = 120_000;

/// Waits.
#[async_trait(?Send)]
pub trait Timer {
    /// Lets so many milliseconds pass, in which others go on.
    async fn sleep(&self, ms: u32);
}

/// Where the application's log goes.
pub trait Log {
    /// Writes one line: a JSON object, without secrets or personal data.
    fn line(&self, line: &str);
}

/// All of it.
#[derive(Clone)]
pub struct Platform {
    /// The first database.
    pub database: Rc<dyn Database>,
    pub others: Rc<dyn Others>,
    pub homes: Rc<Homes>,
    pub token_cache: Rc<dyn TokenCache>,
    pub clock: Rc<dyn Clock>,
    pub entropy: Rc<dyn Entropy>,
    pub http: Rc<dyn HttpClient>,
    pub signatures: Rc<dyn Signatures>,
    #[cfg(feature = "jobs")]
    pub signer: Rc<dyn Signer>,
    #[cfg(feature = "jobs")]
    pub tcp: Rc<dyn Tcp>,
    pub limiter: Rc<dyn RateLimiter>,
    pub assets: Rc<dyn Assets>,
    pub background: Rc<dyn Background>,
    pub queue: Rc<dyn Queue>,
    /// What answers in the place of the jobs worker's routes; none where they are answered here.
    pub jobs_worker: Option<Rc<dyn OtherWorker>>,
    pub timer: Rc<dyn Timer>,
    pub log: Rc<dyn Log>,
}

/// A new UUIDv7 (RFC 9562 §5.7): ids sort by the time they were made, so rows made together lie together.
pub fn new_id(clock: &dyn Clock, entropy: &dyn Entropy) -> Result<String, String> {
    let mut random = [0; 10];
    entropy.fill(&mut random)?;
    let milliseconds = u64::try_from(clock.now()).unwrap_or_default();
    let id = Builder::from_unix_timestamp_millis(milliseconds, &random).into_uuid();
    Ok(id.to_string())
}
