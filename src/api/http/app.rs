//! The application: its settings, the world outside, and what it remembers.

use std::rc::Rc;

use super::reply;
use crate::auth::memory::Memory;
use crate::change::Recent;
use crate::config::Config;
use crate::platform::Platform;

/// Longest body in bytes. What is longer is answered 413; the adapter need not read on.
pub const MAX_BODY_BYTES: usize = 1024 * 1024;

/// A request as the application takes it: an absolute URI and the whole body, of which at most one byte more than
/// [`MAX_BODY_BYTES`] counts.
pub type Request = http::Request<Vec<u8>>;
/// A reply, its body still in pieces.
pub type Response = http::Response<reply::Body>;

/// The application. A request is answered by `App::handle`.
pub struct App {
    pub config: Config,
    pub platform: Platform,
    pub memory: Rc<Memory>,
    /// Resources that it has shown or written lately.
    pub recent: Rc<Recent>,
}
