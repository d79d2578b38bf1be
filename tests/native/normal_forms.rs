//! Unicode's normal forms and its case folding, compared with those of the libraries.

use caseless::Caseless;
use proptest::prelude::*;
use rollcall::scim::fold::fold_case;
use rollcall::scim::normal_form::{composed, decomposed};
use unicode_normalization::UnicodeNormalization;

#[track_caller]
fn expect_same(text: &str) {
    let nfd: String = decomposed(text.chars()).collect();
    assert_eq!(nfd, text.nfd().collect::<String>(), "NFD of {text:?}");
    let nfc = composed(text.chars());
    assert_eq!(nfc, text.nfc().collect::<String>(), "NFC of {text:?}");
}

/// Marks of several classes, some of which exclude each other.
const MARKS: [char; 14] = [
    '\u{300}', '\u{301}', '\u{308}', '\u{323}', '\u{327}', '\u{328}', '\u{345}', '\u{338}',
    '\u{5B0}', '\u{94D}', '\u{9BE}', '\u{1100}', '\u{1161}', '\u{11A8}',
];

/// Each character there is (beyond are planes without any, and those of private use), alone and with marks before and behind it.
#[test]
fn every_character_has_the_librarys_normal_forms() {
    for c in '\u{0}'..='\u{323af}' {
        expect_same(&c.to_string());
    }
    let has_form =
        |c: &char| !std::iter::once(*c).nfd().eq([*c]) || "aeiouAEO\u{3046}\u{AC00}".contains(*c);
    for c in ('\u{0}'..='\u{323af}').filter(has_form) {
        for (mark, next) in MARKS.iter().zip(MARKS.iter().cycle().skip(1)) {
            expect_same(&format!("{c}{mark}"));
            expect_same(&format!("{mark}{c}{next}{mark}"));
        }
    }
}

#[test]
fn every_character_is_folded_as_the_library_does() {
    for c in '\0'..=char::MAX {
        let text = c.to_string();
        let folded: String = text.chars().default_case_fold().collect();
        assert_eq!(fold_case(&text), folded, "{text:?}");
    }
}

fn character() -> impl Strategy<Value = char> {
    prop_oneof![
        any::<char>(),
        prop::char::range('a', 'z'),
        prop::char::range('\u{C0}', '\u{24F}'),
        prop::sample::select(MARKS.to_vec()),
        prop::char::range('\u{300}', '\u{36F}'),
        prop::char::range('\u{1100}', '\u{11FF}'),
        prop::char::range('\u{AC00}', '\u{AC80}'),
        prop::char::range('\u{F900}', '\u{FAD9}'),
        prop::char::range('\u{11099}', '\u{110BA}'),
        prop::char::range('\u{1D15E}', '\u{1D1C0}'),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn texts_have_the_librarys_normal_forms(text in prop::collection::vec(character(), 0..12)) {
        expect_same(&text.into_iter().collect::<String>());
    }
}
