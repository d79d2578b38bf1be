//! A request as it comes in.

/// Longest body in bytes. What is longer is answered 413; the adapter need not read on.
pub const MAX_BODY_BYTES: usize = 1024 * 1024;

/// Longest body of a Bulk request that may be answered before it is carried out, in bytes. No operation of it may be longer than
/// [`MAX_BODY_BYTES`].
pub const MAX_ASYNC_BODY_BYTES: usize = 8 * 1024 * 1024;

/// A request as the application takes it: an absolute URI and the whole body, of which at most one byte more than may come counts.
pub type Request = http::Request<Vec<u8>>;
