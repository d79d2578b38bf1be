//! What a database holds, in a form in which two runs of one request can be compared: what is new in each (ids, secrets, times) is
//! masked, and the order of the rows does not count. Where tenants live in another database than the first one, what leads to them there is left
//! out: it may lead to nothing.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};

use rollcall::databases::place::MAIN;
use rollcall::store::Value;
use rollcall::store::identity_providers::BOUND;
use serde_json::Value as Json;

use crate::support::World;

/// Every row of every table.
#[derive(Debug, PartialEq, Eq)]
pub struct State(Vec<String>);

impl State {
    /// The state now, seen through a mask.
    pub fn of(world: &World, mask: &Mask) -> Self {
        let mut rows: Vec<String> = Vec::new();
        let mut dump = world.database.dump();
        if world.home_name() != MAIN {
            let of_main = world.databases.main().dump();
            dump.extend(
                of_main
                    .into_iter()
                    .filter(|(table, _)| !["directory", "placements"].contains(&table.as_str())),
            );
        }
        for (table, found) in dump {
            for row in found {
                let row: Vec<String> = row.iter().map(|value| mask.shown(value)).collect();
                rows.push(format!("{table}: {}", row.join(" | ")));
            }
        }
        rows.sort();
        State(rows)
    }

    /// What distinguishes it from another, a row a line.
    pub fn against(&self, other: &State) -> String {
        let only = |one: &State, two: &State, sign: &str| {
            let rows = one.0.iter().filter(|row| !two.0.contains(row));
            rows.map(|row| format!("{sign} {row}\n"))
                .collect::<String>()
        };
        only(self, other, "+") + &only(other, self, "-")
    }
}

/// What takes the new out of texts. Most texts are met again and again, in the state after each fault, and are masked once.
pub struct Mask {
    /// What is there before and stays as it is.
    known: BTreeSet<String>,
    met: RefCell<HashMap<String, String>>,
}

impl Mask {
    pub fn new(known: BTreeSet<String>) -> Self {
        Mask {
            known,
            met: RefCell::default(),
        }
    }

    fn shown(&self, value: &Value) -> String {
        match value {
            Value::Integer(number) if *number > 1_000_000_000_000 => "<time>".to_owned(),
            Value::Integer(number) => number.to_string(),
            Value::Text(text) => self.masked(text),
            other => format!("{other:?}"),
        }
    }

    /// The text with ids, hashes, secrets and times that are not known taken out.
    pub fn masked(&self, text: &str) -> String {
        if let Some(masked) = self.met.borrow().get(text) {
            return masked.clone();
        }
        let masked = in_order(masked(&timeless(text), &self.known));
        let mut met = self.met.borrow_mut();
        met.insert(text.to_owned(), masked.clone());
        masked
    }
}

/// The text without how long something took, which a clock that jumps tells wrong.
fn timeless(text: &str) -> String {
    const TOOK: &str = "\"duration_ms\":";
    let mut parts = text.split(TOOK);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |all, part| {
        all + TOOK + part.trim_start_matches(|c: char| c.is_ascii_digit() || c == '-')
    })
}

fn masked(text: &str, known: &BTreeSet<String>) -> String {
    let is_word = |c| {
        !matches!(
            c,
            ' ' | '"' | '\\' | '{' | '}' | '[' | ']' | '(' | ')' | '@'
        )
    };
    let mut masked = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        masked.push_str(&word_masked(word, known));
        let next = after.chars().next().map_or(0, char::len_utf8);
        let (between, after) = after.split_at(next);
        masked.push_str(between);
        rest = after;
    }
    masked
}

/// Members in an event of the audit trail stand in the order of their ids, which a clock that jumps changes.
fn in_order(text: String) -> String {
    match text.starts_with(r#"{"members":"#) {
        true => {
            let mut detail: Json = serde_json::from_str(&text).unwrap();
            for ids in detail["members"].as_object_mut().unwrap().values_mut() {
                if let Some(ids) = ids.as_array_mut() {
                    ids.sort_by_key(Json::to_string);
                }
            }
            detail.to_string()
        }
        false => text,
    }
}

fn word_masked(word: &str, known: &BTreeSet<String>) -> String {
    if known.contains(word) {
        return word.to_owned();
    }
    // A number in JSON: the milliseconds of a time.
    let digits = word.trim_matches([':', ',']);
    if digits.len() == 13 && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return word.replace(digits, "<time>");
    }
    if let Some((page, _)) = word.split_once("/rsl_") {
        return format!("{page}/<secret>");
    }
    let sealed = word.strip_prefix(BOUND).unwrap_or(word);
    let sealed = sealed.len() > 36 && !sealed.contains(['.', ':']);
    if sealed
        || word.starts_with("rcs_")
        || word.starts_with("rca_")
        || word.starts_with("$argon2")
        || (word.len() == 64 && is_hex(word))
    {
        return "<secret>".to_owned();
    }
    if word.len() == 24 && word.ends_with('Z') && word.as_bytes().get(10) == Some(&b'T') {
        return "<time>".to_owned();
    }
    // An id may stand at the end of an address.
    let parts: Vec<&str> = word
        .split('/')
        .map(|part| {
            match part.len() == 36 && is_hex(&part.replace('-', "")) && !known.contains(part) {
                true => "<id>",
                false => part,
            }
        })
        .collect();
    parts.join("/")
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
