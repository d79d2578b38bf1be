//! Writes down what Unicode says of the canonical forms of single characters (UAX #15), in their order, for `src/scim/canonical.rs`. The library
//! that knows it has it in hash tables, of which no compression makes less; like this the workers that are uploaded are 15 kB smaller.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs, io};

use unicode_normalization::char::{canonical_combining_class, compose, decompose_canonical};

/// Hangul syllables are reckoned.
const SYLLABLES: std::ops::RangeInclusive<char> = '\u{AC00}'..='\u{D7A3}';

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    let folder = env::var("OUT_DIR").map_err(io::Error::other)?;
    let mut forms = String::new();
    let mut classes = String::new();
    let mut last = 0;
    for c in '\0'..=char::MAX {
        let class = canonical_combining_class(c);
        if class != last {
            let _ = writeln!(classes, "{c}{class}");
            last = class;
        }
        if !SYLLABLES.contains(&c)
            && let Some((sign, parts)) = form(c)
        {
            let _ = writeln!(forms, "{sign}{c}{parts}");
        }
    }
    fs::write(Path::new(&folder).join("forms.txt"), forms)?;
    fs::write(Path::new(&folder).join("classes.txt"), classes)
}

/// What a character is made of: with `=` the two that it is composed of again, with `>` all that it comes to for good.
fn form(c: char) -> Option<(char, String)> {
    let mut parts = Vec::new();
    decompose_canonical(c, |part| parts.push(part));
    if parts == [c] {
        return None;
    }
    let whole = || ('>', parts.iter().collect());
    let (last, [first, between @ ..]) = parts.split_last()? else {
        return Some(whole());
    };
    let base = between
        .iter()
        .try_fold(*first, |base, mark| compose(base, *mark));
    Some(match base {
        Some(base) if compose(base, *last) == Some(c) => ('=', String::from_iter([base, *last])),
        _ => whole(),
    })
}
