//! A request as it comes in.

/// Longest body in bytes. What is longer is answered 413; the adapter need not read on.
pub const MAX_BODY_BYTES: usize = 1024 * 1024;

/// A request as the application takes it: an absolute URI and the whole body, of which at most one byte more than
/// [`MAX_BODY_BYTES`] counts.
pub type Request = http::Request<Vec<u8>>;
