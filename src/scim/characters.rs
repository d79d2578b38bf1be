//! What Unicode says of single characters: the canonical forms (UAX #15), what each is made of, which two are put together again, and
//! the classes of marks; and what case folding makes of each. `build.rs` writes it down, in columns of numbers.

use std::slice::Iter;
use std::sync::OnceLock;

const WRITTEN: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/characters"));

/// Hangul (The Unicode Standard, 3.12): the first syllable, leading consonant, vowel and trailing consonant, and how many there are; the
/// trailing ones with none as the first.
const SYLLABLE: u32 = 0xAC00;
const LEADING: u32 = 0x1100;
const VOWEL: u32 = 0x1161;
const TRAILING: u32 = 0x11A7;
const LEADINGS: u32 = 19;
const VOWELS: u32 = 21;
const TRAILINGS: u32 = 28;

/// Characters, in their order, and what each comes to.
struct Spelled {
    from: Vec<char>,
    to: Vec<Vec<char>>,
}

impl Spelled {
    fn read(written: &mut Iter<'_, u8>) -> Self {
        let from = characters(written);
        let lengths = column(written);
        let mut to: Vec<Vec<char>> = from.iter().map(|_| Vec::new()).collect();
        let most = lengths.iter().copied().max().unwrap_or_default();
        for place in 1..=most {
            let all = to.iter_mut().zip(&lengths);
            let there = all.filter(|(_, length)| **length >= place);
            for ((to, _), c) in there.zip(characters(written)) {
                to.push(c);
            }
        }
        Spelled { from, to }
    }

    fn get(&self, c: char) -> Option<&[char]> {
        let index = self.from.binary_search(&c).ok()?;
        self.to.get(index).map(Vec::as_slice)
    }
}

struct Tables {
    /// What is put together of two.
    composed: Spelled,
    /// The same, in the order of the two.
    pairs: Vec<(Vec<char>, char)>,
    /// What comes to others for good.
    whole: Spelled,
    folded: Spelled,
    /// Where a stretch of characters of one class begins, and the class.
    classes: Vec<(char, u32)>,
}

fn tables() -> &'static Tables {
    static TABLES: OnceLock<Tables> = OnceLock::new();
    TABLES.get_or_init(|| {
        let written = &mut WRITTEN.iter();
        let composed = Spelled::read(written);
        let pairs = composed.to.iter().cloned();
        let mut pairs: Vec<_> = pairs.zip(composed.from.iter().copied()).collect();
        pairs.sort_unstable();
        Tables {
            composed,
            pairs,
            whole: Spelled::read(written),
            folded: Spelled::read(written),
            classes: characters(written)
                .into_iter()
                .zip(column(written))
                .collect(),
        }
    })
}

fn characters(written: &mut Iter<'_, u8>) -> Vec<char> {
    let numbers = column(written).into_iter();
    numbers.filter_map(char::from_u32).collect()
}

/// A column of numbers: how many there are, and each as its difference from the one before, whose sign is the last bit.
fn column(written: &mut Iter<'_, u8>) -> Vec<u32> {
    let count = number(written);
    let mut last = 0_u32;
    let mut next = || {
        let difference = number(written);
        let sign = 0_u32.wrapping_sub(difference & 1);
        last = last.wrapping_add((difference >> 1) ^ sign);
        last
    };
    (0..count).map(|_| next()).collect()
}

/// A number: seven bits in each byte, the lowest first, and the eighth where there are more.
fn number(written: &mut Iter<'_, u8>) -> u32 {
    let mut number = 0;
    let mut shift = 0;
    for byte in written {
        number |= u32::from(byte & 0x7F) << shift;
        if *byte <= 0x7F {
            break;
        }
        shift += 7;
    }
    number
}

/// Hands on what a character is made of, each part made of nothing else; itself where it is made of nothing.
pub fn decompose(c: char, emit: &mut impl FnMut(char)) {
    if c.is_ascii() {
        return emit(c);
    }
    if let Some(parts) = jamo(c) {
        return parts.into_iter().flatten().for_each(emit);
    }
    let known = tables();
    match known.composed.get(c).or_else(|| known.whole.get(c)) {
        None => emit(c),
        Some(parts) => {
            for part in parts {
                decompose(*part, emit);
            }
        }
    }
}

/// The character that is put together of two.
pub fn compose(base: char, mark: char) -> Option<char> {
    let known = &tables().pairs;
    let pair = [base, mark];
    let found = known.binary_search_by(|(known, _)| known.as_slice().cmp(&pair));
    match found {
        Ok(index) => known.get(index).map(|(_, c)| *c),
        Err(_) => syllable(base, mark),
    }
}

/// The canonical combining class: by which marks stand in order; 0 for what is none.
pub fn combining_class(c: char) -> u32 {
    if c.is_ascii() {
        return 0;
    }
    let known = &tables().classes;
    let after = known.partition_point(|(first, _)| *first <= c);
    let class = after.checked_sub(1).and_then(|index| known.get(index));
    class.map_or(0, |(_, class)| *class)
}

/// Full case folding of one character: itself where it has no case (The Unicode Standard, 3.13, `toCasefold`).
pub fn case_folded(c: char) -> impl Iterator<Item = char> {
    let known = tables().folded.get(c);
    let itself = known.is_none().then_some(c);
    itself
        .into_iter()
        .chain(known.into_iter().flatten().copied())
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
