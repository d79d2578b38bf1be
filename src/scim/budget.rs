//! What one request may have worked through in memory. Its operations share one budget: the comparisons of their filters with values, and
//! the values that they fold and copy. It is counted in bytes and never timed, so that the same request ends the same on every machine.

use std::cell::Cell;

use super::error::{Error, Result, ScimType};
use super::lengths::Lengths;

/// Most that one request may have worked through, in bytes. With what each kind of work is charged, a byte takes a nanosecond at most
/// natively, and three where a member is compared: a tenth of a second, or three.
pub const MAX_WORK: usize = 100_000_000;

/// What a step costs by itself, however short the texts are: a comparison, a value that is looked at.
const STEP: usize = 8;
/// What a value costs that is changed.
const CHANGED: usize = 256;
/// What a byte costs that is copied, and then measured and compared with what it was.
const COPIED: usize = 4;
/// How long a text is at most in which each place is tried, in bytes.
pub const SHORT: usize = 64;
/// What it costs to prepare the search in a longer one.
const PREPARED: usize = 256;
/// What a byte costs that is searched for a long one, which can be found nearly everywhere.
const SEARCHED_SLOWLY: usize = 4;
/// How long that is at least, in bytes.
const LONG: usize = 16;
/// What a byte of a text beyond ASCII costs to fold.
const FOLDED: usize = 32;
/// How many bytes are compared at the cost of one.
const COMPARED_AT_ONCE: usize = 8;

/// The account of one request. It is charged for work before the work is done.
#[derive(Debug, Default)]
pub struct Budget {
    spent: Cell<usize>,
    is_unlimited: bool,
}

impl Budget {
    /// One that refuses nothing: for work that is divided into batches by its author.
    pub fn unlimited() -> Self {
        Budget {
            is_unlimited: true,
            ..Budget::default()
        }
    }

    /// What the request has been charged so far, in bytes.
    pub fn spent(&self) -> usize {
        self.spent.get()
    }

    /// Charges that many bytes: 400 `tooMany` where they are more than is left, and for all that is charged after that.
    #[track_caller]
    pub fn charge(&self, bytes: usize) -> Result<()> {
        let spent = self.spent.get().saturating_add(bytes);
        self.spent.set(spent);
        match spent > MAX_WORK && !self.is_unlimited {
            true => Err(Error::new(
                ScimType::TooMany,
                format!(
                    "the comparisons and copies of this request come to more than {MAX_WORK} bytes; send less at once"
                ),
            )),
            false => Ok(()),
        }
    }

    /// Charges for going through that many values.
    pub fn steps(&self, count: usize) -> Result<()> {
        self.charge(count.saturating_mul(STEP))
    }

    /// Charges for comparing that many bytes from their beginning, or from their end.
    pub fn compare(&self, bytes: usize) -> Result<()> {
        self.charge(STEP + bytes / COMPARED_AT_ONCE)
    }

    /// Charges for looking for a text in another.
    pub fn search(&self, text: &str, wanted: &str) -> Result<()> {
        let bytes = text.len() + wanted.len();
        self.charge(match (text.len(), wanted.len()) {
            (length, wanted) if wanted > length => STEP,
            (..=SHORT, _) => STEP + bytes,
            (_, LONG..) => PREPARED + bytes * SEARCHED_SLOWLY,
            _ => PREPARED + bytes,
        })
    }

    /// Charges for folding a text.
    pub fn fold(&self, text: &str) -> Result<()> {
        match text.is_ascii() {
            true => self.charge(text.len()),
            false => self.charge(text.len().saturating_mul(FOLDED)),
        }
    }

    /// Charges for making the keys of values whose texts have these lengths.
    pub fn fold_all(&self, lengths: Lengths) -> Result<()> {
        let beyond_ascii = lengths.beyond_ascii.saturating_mul(FOLDED);
        self.charge(
            lengths
                .json
                .saturating_mul(COPIED)
                .saturating_add(beyond_ascii),
        )
    }

    /// Charges for a copy of so many bytes.
    pub fn copy(&self, bytes: usize) -> Result<()> {
        self.charge(bytes.saturating_mul(COPIED))
    }

    /// Charges for changing so many values, each of which gets so many bytes.
    pub fn change(&self, values: usize, bytes: usize) -> Result<()> {
        let each = bytes.saturating_mul(COPIED).saturating_add(CHANGED);
        self.charge(values.saturating_mul(each))
    }
}
