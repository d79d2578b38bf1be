//! What Unicode says of the canonical forms of single characters (UAX #15): what each is made of, which two are put together again, and
//! the classes of marks. `build.rs` writes it down in the order of the characters.

use std::sync::OnceLock;

/// A line for each character that is made of others: `=`, itself and the two that it is composed of; or `>`, itself and all that it comes
/// to, where nothing is composed to it.
const FORMS: &str = include_str!(concat!(env!("OUT_DIR"), "/forms.txt"));
/// A line for each character whose class is another than that of the one before: itself, and the class.
const CLASSES: &str = include_str!(concat!(env!("OUT_DIR"), "/classes.txt"));

/// Hangul (The Unicode Standard, 3.12): the first syllable, leading consonant, vowel and trailing consonant, and how many there are; the
/// trailing ones with none as the first.
const SYLLABLE: u32 = 0xAC00;
const LEADING: u32 = 0x1100;
const VOWEL: u32 = 0x1161;
const TRAILING: u32 = 0x11A7;
const LEADINGS: u32 = 19;
const VOWELS: u32 = 21;
const TRAILINGS: u32 = 28;

struct Tables {
    parts: Vec<(char, &'static str)>,
    composed: Vec<((char, char), char)>,
    classes: Vec<(char, u8)>,
}

fn tables() -> &'static Tables {
    static TABLES: OnceLock<Tables> = OnceLock::new();
    TABLES.get_or_init(|| {
        let mut tables = Tables {
            parts: Vec::new(),
            composed: Vec::new(),
            classes: Vec::new(),
        };
        for line in FORMS.split_terminator('\n') {
            let mut chars = line.chars();
            let (Some(sign), Some(c)) = (chars.next(), chars.next()) else {
                continue;
            };
            tables.parts.push((c, chars.as_str()));
            if let ('=', Some(base), Some(mark)) = (sign, chars.next(), chars.next()) {
                tables.composed.push(((base, mark), c));
            }
        }
        tables.composed.sort_unstable();
        for line in CLASSES.split_terminator('\n') {
            let mut chars = line.chars();
            if let (Some(first), Ok(class)) = (chars.next(), chars.as_str().parse()) {
                tables.classes.push((first, class));
            }
        }
        tables
    })
}

/// Hands on what a character is made of, each part made of nothing else; itself where it is made of nothing.
pub fn decompose(c: char, emit: &mut impl FnMut(char)) {
    if c.is_ascii() {
        return emit(c);
    }
    if let Some(parts) = jamo(c) {
        return parts.into_iter().flatten().for_each(emit);
    }
    let known = &tables().parts;
    let found = known.binary_search_by_key(&c, |(known, _)| *known);
    match found.ok().and_then(|index| known.get(index)) {
        None => emit(c),
        Some((_, parts)) => {
            for part in parts.chars() {
                decompose(part, emit);
            }
        }
    }
}

/// The character that is put together of two.
pub fn compose(base: char, mark: char) -> Option<char> {
    let known = &tables().composed;
    let found = known.binary_search_by_key(&(base, mark), |(pair, _)| *pair);
    match found {
        Ok(index) => known.get(index).map(|(_, c)| *c),
        Err(_) => syllable(base, mark),
    }
}

/// The canonical combining class: by which marks stand in order; 0 for what is none.
pub fn combining_class(c: char) -> u8 {
    if c.is_ascii() {
        return 0;
    }
    let known = &tables().classes;
    let after = known.partition_point(|(first, _)| *first <= c);
    let class = after.checked_sub(1).and_then(|index| known.get(index));
    class.map_or(0, |(_, class)| *class)
}

/// The parts of a Hangul syllable.
fn jamo(c: char) -> Option<[Option<char>; 3]> {
    let index = u32::from(c).checked_sub(SYLLABLE)?;
    let leading = index / (VOWELS * TRAILINGS);
    let trailing = index % TRAILINGS;
    (leading < LEADINGS).then(|| {
        [
            char::from_u32(LEADING + leading),
            char::from_u32(VOWEL + index / TRAILINGS % VOWELS),
            char::from_u32(TRAILING + trailing).filter(|_| trailing > 0),
        ]
    })
}

/// The Hangul syllable of a leading consonant and a vowel, or of such a one and a trailing consonant.
fn syllable(base: char, next: char) -> Option<char> {
    let of = |c: char, first: u32, count: u32| {
        u32::from(c)
            .checked_sub(first)
            .filter(|index| *index < count)
    };
    if let (Some(leading), Some(vowel)) = (of(base, LEADING, LEADINGS), of(next, VOWEL, VOWELS)) {
        return char::from_u32(SYLLABLE + (leading * VOWELS + vowel) * TRAILINGS);
    }
    let syllable = of(base, SYLLABLE, LEADINGS * VOWELS * TRAILINGS)?;
    let trailing = of(next, TRAILING, TRAILINGS)?;
    (syllable % TRAILINGS == 0 && trailing > 0)
        .then(|| char::from_u32(u32::from(base) + trailing))
        .flatten()
}
