//! A Bulk request that is carried out in parts, each no larger than a whole one may be that is answered at once.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::order;
use crate::api::http::call::{Call, SCIM_JSON};
use crate::api::http::request::{MAX_ASYNC_BODY_BYTES, MAX_BODY_BYTES};
use crate::api::scim::bulk::request::{self, Entry, Names, REFERENCE};
use crate::api::scim::bulk::{MAX_OPERATIONS, Made, MadeByBulkId, Maker, maker};
use crate::error::{Error, Kind, Result};
use crate::json;
use crate::scim::error::Error as ScimError;
use crate::scim::profile::Profile;

/// Most operations of a Bulk request that is answered before it is carried out.
pub const MAX_ASYNC_OPERATIONS: usize = 10_000;
/// Longest part in bytes: sealed and in base64, it is a third longer, and D1 takes texts of two million.
const MAX_PART_BYTES: usize = 1_300_000;
/// What a part has beside the text of an operation, and of a reference, in bytes at most.
const BESIDE: usize = 120;

/// A Bulk request in parts.
pub struct Parted {
    pub fail_on_errors: Option<usize>,
    pub operations: usize,
    /// JSON of [`Part`]s.
    pub parts: Vec<String>,
}

/// Operations that are carried out together.
#[derive(Serialize, Deserialize)]
pub struct Part {
    pub pieces: Vec<Piece>,
    /// What they make, by `bulkId`: the ids that it will have.
    ids: BTreeMap<String, String>,
    /// What they refer to that operations of earlier parts make, by `bulkId`.
    pub before: BTreeMap<String, Before>,
}

/// An operation as it was sent.
#[derive(Serialize, Deserialize)]
pub struct Piece {
    pub number: usize,
    is_repeated: bool,
    operation: Box<RawValue>,
}

/// What an earlier operation makes.
#[derive(Clone, Serialize, Deserialize)]
pub struct Before {
    pub number: usize,
    id: String,
}

/// What has to be known of an operation to put it into a part.
struct Known<'b> {
    text: &'b RawValue,
    makes: Option<String>,
    is_repeated: bool,
    references: Vec<String>,
    /// What it is about, as its path names it.
    target: Option<String>,
}

impl Known<'_> {
    fn bytes(&self) -> usize {
        let names = self.references.iter().map(|name| name.len() + BESIDE);
        self.text.get().len() + BESIDE + names.sum::<usize>()
    }
}

/// Reads the request's body, and puts its operations into parts of no more than so many. What is wrong with the whole is refused here.
pub fn parted(call: &Call<'_>, profile: Profile, most: usize) -> Result<Parted> {
    let body = call.body_up_to(MAX_ASYNC_BODY_BYTES, &SCIM_JSON)?;
    if body.len() <= MAX_BODY_BYTES {
        // It is told what is wrong with it in the usual words.
        call.json()?;
    }
    let fields = json::fields(&body).map_err(|detail| call.malformed(detail))?;
    let is_operations = |name: &str| name.eq_ignore_ascii_case("Operations");
    let listed = fields.iter().find(|(name, _)| is_operations(name));
    let operations = listed.and_then(|(_, text)| serde_json::from_str(text.get()).ok());
    let operations: Option<Vec<&RawValue>> = operations;
    let mut head = Map::new();
    for (name, text) in &fields {
        let value = match operations.is_some() && is_operations(name) {
            true => Value::Array(Vec::new()),
            false => json::parse(text.get().as_bytes()).map_err(|said| call.malformed(said))?,
        };
        head.insert(name.clone(), value);
    }
    let (fail_on_errors, _) = request::open(Value::Object(head), profile)?;
    let operations = operations.unwrap_or_default();
    request::check_count(operations.len(), MAX_ASYNC_OPERATIONS)?;
    let known = known(&operations, profile)?;
    let parts = in_parts(call, &known, most)?;
    Ok(Parted {
        fail_on_errors,
        operations: known.len(),
        parts: parts.iter().map(written).collect::<Result<_>>()?,
    })
}

fn written(part: &Part) -> Result<String> {
    serde_json::to_string(part).map_err(|error| Error::internal(error.to_string()))
}

/// One operation after the other, of which no more than that stays: taken apart, all of them would fill the memory.
fn known<'b>(operations: &[&'b RawValue], profile: Profile) -> Result<Vec<Known<'b>>> {
    let mut names = Names::default();
    let mut known = Vec::with_capacity(operations.len());
    for (number, text) in operations.iter().enumerate() {
        let bytes = text.get().len();
        if bytes > MAX_BODY_BYTES {
            return Err(Error::new(
                Kind::PayloadTooLarge,
                format!("Operations[{number}] has {bytes} bytes; {MAX_BODY_BYTES} are allowed"),
            ));
        }
        let operation = json::parse_line(text.get().as_bytes())
            .map_err(|said| ScimError::syntax(format!("Operations[{number}]: {said}")))?;
        let entry = names.entry(operation, number, false, profile);
        let makes = maker(&entry).cloned();
        let target = match &makes {
            Some(name) => Some(format!("{REFERENCE}{name}")),
            None => entry.target.as_ref().map(|(_, target)| target.clone()),
        };
        known.push(Known {
            text,
            makes,
            is_repeated: entry.is_repeated,
            references: match &entry.operation {
                Ok(operation) => operation.references.iter().cloned().collect(),
                Err(_) => Vec::new(),
            },
            target,
        });
    }
    Ok(known)
}

fn in_parts(call: &Call<'_>, known: &[Known<'_>], most: usize) -> Result<Vec<Part>> {
    let mut makers = HashMap::new();
    for (number, operation) in known.iter().enumerate() {
        if let Some(name) = &operation.makes {
            makers.insert(name.as_str(), (number, call.new_id()?));
        }
    }
    let mut numbers: Vec<Vec<usize>> = Vec::new();
    for run in order::runs(&needs(known, &makers)) {
        let bytes = |numbers: &[usize]| {
            let known = numbers.iter().filter_map(|number| known.get(*number));
            known.map(Known::bytes).sum::<usize>()
        };
        let own = bytes(&run);
        if run.len() > MAX_OPERATIONS || own > MAX_PART_BYTES {
            return Err(Error::new(
                Kind::PayloadTooLarge,
                format!(
                    "{} operations refer to each other in a circle, with {own} bytes; {MAX_OPERATIONS} with {MAX_PART_BYTES} bytes are allowed",
                    run.len()
                ),
            ));
        }
        match numbers.last_mut() {
            Some(last) if last.len() + run.len() <= most && bytes(last) + own <= MAX_PART_BYTES => {
                last.extend(run);
            }
            _ => numbers.push(run),
        }
    }
    let parts = numbers.iter_mut().map(|numbers| {
        numbers.sort_unstable();
        part(known, &makers, numbers)
    });
    Ok(parts.collect())
}

/// For each operation those that it rests on: what makes what it refers to, and the one before it that is about the same.
fn needs(known: &[Known<'_>], makers: &HashMap<&str, (usize, String)>) -> Vec<Vec<usize>> {
    let mut last: HashMap<&str, usize> = HashMap::new();
    let needs = known.iter().enumerate().map(|(number, operation)| {
        let references = operation.references.iter();
        let makers = references.filter_map(|name| Some(makers.get(name.as_str())?.0));
        let target = operation.target.as_deref();
        let before = target.and_then(|target| last.insert(target, number));
        makers.chain(before).filter(|one| *one != number).collect()
    });
    needs.collect()
}

fn part(known: &[Known<'_>], makers: &HashMap<&str, (usize, String)>, numbers: &[usize]) -> Part {
    let mut part = Part {
        pieces: Vec::new(),
        ids: BTreeMap::new(),
        before: BTreeMap::new(),
    };
    for number in numbers.iter().copied() {
        let Some(operation) = known.get(number) else {
            continue;
        };
        if let Some(name) = &operation.makes
            && let Some((_, id)) = makers.get(name.as_str())
        {
            part.ids.insert(name.clone(), id.clone());
        }
        for name in &operation.references {
            let made = makers.get(name.as_str());
            if let Some((number, id)) =
                made.filter(|(maker, _)| numbers.binary_search(maker).is_err())
            {
                let (number, id) = (*number, id.clone());
                part.before.insert(name.clone(), Before { number, id });
            }
        }
        part.pieces.push(Piece {
            number,
            is_repeated: operation.is_repeated,
            operation: operation.text.to_owned(),
        });
    }
    part
}

impl Part {
    /// The operations, as they were sent.
    pub fn operations(&self) -> Result<Vec<Value>> {
        let read = |piece: &Piece| json::parse_line(piece.operation.get().as_bytes());
        let operations: std::result::Result<_, String> = self.pieces.iter().map(read).collect();
        operations.map_err(Error::internal)
    }

    /// The operations, read, and what they may refer to. `has_succeeded` says of one that was carried out before whether it did what it was to.
    pub fn read(
        &self,
        operations: Vec<Value>,
        profile: Profile,
        has_succeeded: impl Fn(usize) -> bool,
    ) -> (Vec<Entry>, MadeByBulkId) {
        let mut names = Names::default();
        let pieces = self.pieces.iter().zip(operations);
        let entries: Vec<Entry> = pieces
            .map(|(piece, operation)| {
                names.entry(operation, piece.number, piece.is_repeated, profile)
            })
            .collect();
        let mut made = MadeByBulkId::new();
        for (name, before) in &self.before {
            let has_succeeded = has_succeeded(before.number);
            let by = Maker::Before { has_succeeded };
            let id = before.id.clone();
            made.insert(name.clone(), Made { by, id });
        }
        for (index, entry) in entries.iter().enumerate() {
            if let Some(name) = maker(entry)
                && let Some(id) = self.ids.get(name).cloned()
            {
                let by = Maker::Index(index);
                made.insert(name.clone(), Made { by, id });
            }
        }
        (entries, made)
    }
}
