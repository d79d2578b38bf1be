//! What a database holds, in a form in which two runs of one request can be compared: what is new in each (ids, secrets, times) is
//! masked, and the order of the rows does not count.

use std::collections::BTreeSet;

use rollcall::store::Value;

use crate::support::World;

/// Every row of every table.
#[derive(Debug, PartialEq, Eq)]
pub struct State(Vec<String>);

impl State {
    /// The state now; what is `known` is not masked.
    pub fn of(world: &World, known: &BTreeSet<String>) -> Self {
        let mut rows: Vec<String> = Vec::new();
        for (table, found) in world.database.dump() {
            for row in found {
                let row: Vec<String> = row.iter().map(|value| shown(value, known)).collect();
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

fn shown(value: &Value, known: &BTreeSet<String>) -> String {
    match value {
        Value::Integer(number) if *number > 1_000_000_000_000 => "<time>".to_owned(),
        Value::Integer(number) => number.to_string(),
        Value::Text(text) => masked(text, known),
        other => format!("{other:?}"),
    }
}

/// The text with ids, hashes, secrets and times that are not known taken out.
pub fn masked(text: &str, known: &BTreeSet<String>) -> String {
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

fn word_masked(word: &str, known: &BTreeSet<String>) -> String {
    if known.contains(word) {
        return word.to_owned();
    }
    let sealed = word.len() > 36 && !word.contains(['.', ':']);
    if sealed
        || word.starts_with("rcs_")
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
