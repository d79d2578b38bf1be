//! Secrets in memory.

use std::rc::Rc;

/// A secret: neither printed nor serialised.
#[derive(Clone)]
pub struct Secret(Rc<[u8]>);

impl Secret {
    pub fn new(bytes: impl Into<Rc<[u8]>>) -> Self {
        Secret(bytes.into())
    }

    /// The secret's bytes, for using them and for nothing else.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}
