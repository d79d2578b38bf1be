//! The form in which strings are compared where case does not count.
//!
//! Full Unicode case folding, because SQL's own functions fold ASCII letters only: `Ä` and `ä`, `ß` and `SS`, `Σ`
//! and `ς` are the same user name. What is stored for comparing and what is compared with it both come from here.

use std::borrow::Cow;

/// The folded form of a string.
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        text.to_ascii_lowercase()
    } else {
        caseless::default_case_fold_str(text)
    }
}

/// The string as an attribute compares it: folded unless the attribute is case-exact (RFC 7643 §2.2).
pub fn comparable(text: &str, case_exact: bool) -> Cow<'_, str> {
    if case_exact {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(fold(text))
    }
}
