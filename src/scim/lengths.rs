//! How long the text of a value is.

use std::io::{self, Write};

use serde_json::Value;

/// How long the texts of a value are, in bytes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Lengths {
    /// As JSON.
    pub json: usize,
    /// How many of these are in pieces of text that are not all ASCII.
    pub beyond_ascii: usize,
}

impl Lengths {
    /// Counts without a text being made.
    pub fn of(value: &Value) -> Self {
        let mut counted = Counted::default();
        // Nothing is written that could fail.
        let _ = serde_json::to_writer(&mut counted, value);
        Lengths {
            json: counted.bytes,
            beyond_ascii: counted.beyond_ascii,
        }
    }

    /// How long the text is at most once its strings are folded: a letter gives three times its bytes at most, and ASCII stays as long as
    /// it is.
    pub fn folded_at_most(self) -> usize {
        self.json + 2 * self.beyond_ascii
    }
}

/// Counts what is written.
#[derive(Default)]
struct Counted {
    bytes: usize,
    beyond_ascii: usize,
}

impl Write for Counted {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.bytes += piece.len();
        if !piece.is_ascii() {
            self.beyond_ascii += piece.len();
        }
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
