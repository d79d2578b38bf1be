//! The form in which strings are compared where case does not count.
//!
//! It is what RFC 7613's UsernameCaseMapped compares, which RFC 7644 §5 asks for: wide and narrow forms as plain ones, full Unicode
//! case folding (SQL's own functions fold ASCII letters only), and NFC. `Ä` and `ä`, `ß` and `SS`, `é` in one character or in two, and
//! `ａ` and `a` are the same user name. What is stored for comparing and what is compared with it both come from here.
//!
//! Not taken from there: which characters a user name may have. It allows no space, and many people's names have one; see
//! [`name`](super::name) for what is refused.

use std::borrow::Cow;

use super::characters::case_folded;
use super::normal_form::{composed, decomposed};
use super::schema::Attribute;
use crate::ids;

/// The folded form of a string. Folded again it stays as it is.
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let plain = text.chars().map(plain_width);
    composed(decomposed(plain).flat_map(case_folded))
}

/// The key of a name (see [`Attribute::is_name`]): white space around it is no part of it.
pub fn name_key(name: &str) -> String {
    fold(name.trim())
}

/// Case folding alone: for what is compared by rules of its own, and whose keys are stored.
pub fn fold_case(text: &str) -> String {
    match text.is_ascii() {
        true => text.to_ascii_lowercase(),
        false => text.chars().flat_map(case_folded).collect(),
    }
}

/// Another key that a resource may have whose value has this one: rows written before values were normalised keep theirs until they are
/// brought over (see [`crate::change::rows::keys`]).
pub fn former(key: &str) -> Option<String> {
    let former = || decomposed(key.chars()).collect::<String>();
    (!key.is_ascii())
        .then(former)
        .filter(|former| former != key)
}

/// The string as an attribute compares it: folded unless the attribute is case-exact (RFC 7643 §2.2); an id as it is kept.
pub fn comparable<'t>(text: &'t str, attribute: &Attribute) -> Cow<'t, str> {
    match (attribute.case_exact, attribute.is_name) {
        _ if attribute.is_id => Cow::Owned(ids::as_kept(text)),
        (true, _) => Cow::Borrowed(text),
        (_, true) => Cow::Owned(name_key(text)),
        _ => Cow::Owned(fold(text)),
    }
}

/// The plain form of a wide or narrow character (Unicode's Halfwidth and Fullwidth Forms, and the ideographic space); others as they are.
/// A table of our own, because a library's would bring all compatibility forms.
fn plain_width(c: char) -> char {
    const NARROW: &str = "。「」、・ヲァィゥェォャュョッーアイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワン\u{3099}\u{309A}";
    let moved = |from: u32, to: u32| char::from_u32(u32::from(c) - from + to);
    let nth = |forms: &str, first: u32| forms.chars().nth((u32::from(c) - first) as usize);
    let plain = match u32::from(c) {
        0x3000 => Some(' '),
        0xFF01..=0xFF5E => moved(0xFF01, 0x21),
        0xFF5F..=0xFF60 => moved(0xFF5F, 0x2985),
        0xFF61..=0xFF9F => nth(NARROW, 0xFF61),
        0xFFA0 => Some('\u{3164}'),
        0xFFA1..=0xFFBE => moved(0xFFA1, 0x3131),
        0xFFC2..=0xFFC7 => moved(0xFFC2, 0x314F),
        0xFFCA..=0xFFCF => moved(0xFFCA, 0x3155),
        0xFFD2..=0xFFD7 => moved(0xFFD2, 0x315B),
        0xFFDA..=0xFFDC => moved(0xFFDA, 0x3161),
        0xFFE0..=0xFFE6 => nth("¢£¬¯¦¥₩", 0xFFE0),
        0xFFE8..=0xFFEE => nth("│←↑→↓■○", 0xFFE8),
        _ => None,
    };
    plain.unwrap_or(c)
}
