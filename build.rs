//! Writes down what Unicode says of single characters, for `src/scim/characters.rs`: their canonical forms (UAX #15), and what case folding
//! makes of them. The libraries that know it have it in tables of which no compression makes less. Here numbers stand in columns, each as its
//! difference from the one before, which are mostly the same: the workers that are uploaded are 17 kB smaller.

use std::path::Path;
use std::{env, fs, io};

use caseless::Caseless;
use unicode_normalization::char::{canonical_combining_class, compose, decompose_canonical};

/// Hangul syllables are reckoned.
const SYLLABLES: std::ops::RangeInclusive<char> = '\u{AC00}'..='\u{D7A3}';

/// Characters, and what each comes to.
type Spelled = Vec<(char, Vec<char>)>;

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    let (mut composed, mut whole, mut folded) = (Spelled::new(), Spelled::new(), Spelled::new());
    let mut classes: Vec<(char, u8)> = Vec::new();
    for c in '\0'..=char::MAX {
        let class = canonical_combining_class(c);
        if class != classes.last().map_or(0, |(_, class)| *class) {
            classes.push((c, class));
        }
        let fold: Vec<char> = std::iter::once(c).default_case_fold().collect();
        if fold != [c] {
            folded.push((c, fold));
        }
        let mut parts = Vec::new();
        decompose_canonical(c, |part| parts.push(part));
        if parts == [c] || SYLLABLES.contains(&c) {
            continue;
        }
        match pair(c, &parts) {
            Some(pair) => composed.push((c, pair)),
            None => whole.push((c, parts)),
        }
    }
    let mut out = Vec::new();
    for table in [&composed, &whole, &folded] {
        spell(&mut out, table);
    }
    column(&mut out, classes.iter().map(|(first, _)| u32::from(*first)));
    column(&mut out, classes.iter().map(|(_, class)| u32::from(*class)));
    let folder = env::var("OUT_DIR").map_err(io::Error::other)?;
    fs::write(Path::new(&folder).join("characters"), out)
}

/// The two characters that are put together to one, where there are two.
fn pair(c: char, parts: &[char]) -> Option<Vec<char>> {
    let (last, [first, between @ ..]) = parts.split_last()? else {
        return None;
    };
    let mut marks = between.iter();
    let base = marks.try_fold(*first, |base, mark| compose(base, *mark))?;
    (compose(base, *last) == Some(c)).then(|| vec![base, *last])
}

/// The characters, how many each comes to, and these: the first of all, then the second of those that have one, and so on.
fn spell(out: &mut Vec<u8>, table: &Spelled) {
    column(out, table.iter().map(|(c, _)| u32::from(*c)));
    column(out, table.iter().map(|(_, to)| count(to)));
    let most = table
        .iter()
        .map(|(_, to)| to.len())
        .max()
        .unwrap_or_default();
    for place in 0..most {
        let there = table.iter().filter_map(|(_, to)| to.get(place));
        column(out, there.map(|c| u32::from(*c)));
    }
}

/// How many numbers there are, and each as its difference from the one before.
fn column(out: &mut Vec<u8>, numbers: impl Iterator<Item = u32>) {
    let numbers: Vec<u32> = numbers.collect();
    write(out, i64::from(count(&numbers)));
    let mut last = 0;
    for number in numbers {
        let difference = i64::from(number) - last;
        // Its sign is the last bit.
        write(out, (difference << 1) ^ (difference >> 63));
        last = i64::from(number);
    }
}

/// How many there are: hundreds.
fn count<T>(all: &[T]) -> u32 {
    u32::try_from(all.len()).unwrap_or(u32::MAX)
}

/// A number in as many bytes as it takes: seven bits each, the lowest first, and the eighth where there are more.
fn write(out: &mut Vec<u8>, mut number: i64) {
    while number > 0x7F {
        out.extend(u8::try_from(number & 0x7F | 0x80));
        number >>= 7;
    }
    out.extend(u8::try_from(number));
}
