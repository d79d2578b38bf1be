//! A reply's text in pieces, each made when its turn comes: the members of a large group are kept as their ids until they are
//! sent, at a fifth of the length of their text.

use std::rc::Rc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::projection::Projection;
use super::schema::{GROUPS, ResourceType};
use crate::json::quoted;

/// Memberships of one resource and of one type.
#[derive(Debug, Clone)]
pub struct Part {
    /// `User` or `Group` of a group's members, `direct` or `indirect` of a user's groups.
    pub kind: String,
    /// A JSON array of ids, or of pairs of id and name.
    pub ids: String,
}

/// What the text of memberships depends on beside themselves.
#[derive(Debug, Clone)]
pub struct Frame {
    pub resource_type: &'static ResourceType,
    pub base: Rc<str>,
    pub projection: Projection,
}

#[derive(Debug, Clone)]
enum Piece {
    Text(String),
    Memberships(Rc<Frame>, Part),
}

/// Text in pieces.
#[derive(Debug, Clone, Default)]
pub struct Pieces {
    pieces: Vec<Piece>,
}

impl From<String> for Pieces {
    fn from(text: String) -> Self {
        Pieces {
            pieces: vec![Piece::Text(text)],
        }
    }
}

impl Pieces {
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    pub fn push_text(&mut self, text: &str) {
        match self.pieces.last_mut() {
            Some(Piece::Text(last)) => last.push_str(text),
            _ => self.pieces.push(Piece::Text(text.to_owned())),
        }
    }

    /// Adds the elements of a JSON array, whose brackets are text before and after.
    pub fn push_elements(&mut self, frame: &Rc<Frame>, parts: Vec<Part>) {
        let piece = |part| Piece::Memberships(Rc::clone(frame), part);
        self.pieces.extend(parts.into_iter().map(piece));
    }

    pub fn append(&mut self, other: Pieces) {
        for piece in other.pieces {
            match piece {
                Piece::Text(text) => self.push_text(&text),
                memberships => self.pieces.push(memberships),
            }
        }
    }

    /// The texts in their order. An error is a part that the database gave and that is no such array.
    pub fn into_texts(self) -> impl Iterator<Item = Result<Vec<u8>, String>> {
        let mut follows = false;
        self.pieces.into_iter().map(move |piece| match piece {
            Piece::Text(text) => {
                follows = false;
                Ok(text.into_bytes())
            }
            Piece::Memberships(frame, part) => {
                let mut elements = elements(&frame, &part).map_err(|error| error.to_string())?;
                if follows && !elements.is_empty() {
                    elements.insert(0, ',');
                }
                follows |= !elements.is_empty();
                Ok(elements.into_bytes())
            }
        })
    }
}

/// A membership as a part has it.
#[derive(Deserialize)]
#[serde(untagged)]
enum Membership<'t> {
    Id(&'t str),
    Named(&'t str, Option<String>),
}

/// The elements of a part, with commas between them.
fn elements(frame: &Frame, part: &Part) -> serde_json::Result<String> {
    let memberships: Vec<Membership<'_>> = serde_json::from_str(&part.ids)?;
    let is_group = frame.resource_type.name == GROUPS.name;
    let (base, kind) = (&frame.base, &part.kind);
    let endpoint = match is_group {
        true => format!("/{kind}s"),
        false => GROUPS.endpoint.to_owned(),
    };
    let mut text = String::with_capacity(memberships.len() * (base.len() + 128));
    for membership in memberships {
        let (id, name) = match membership {
            Membership::Id(id) => (id, None),
            Membership::Named(id, name) => (id, name),
        };
        if !text.is_empty() {
            text.push(',');
        }
        // Ids and types have nothing to escape.
        text.push_str(&format!(
            "{{\"value\":\"{id}\",\"$ref\":\"{base}{endpoint}/{id}\""
        ));
        if let Some(name) = name {
            text.push_str(&format!(",\"display\":{}", quoted(&name)));
        }
        text.push_str(&format!(",\"type\":\"{kind}\"}}"));
    }
    let name = frame.resource_type.memberships;
    if frame.projection.shows_whole(name) {
        return Ok(text);
    }
    let whole: Value = serde_json::from_str(&format!("[{text}]"))?;
    let shown = frame
        .projection
        .apply(frame.resource_type, json!({ name: whole }));
    let shown = shown.get(name).map(Value::to_string).unwrap_or_default();
    Ok(shown
        .trim_start_matches('[')
        .trim_end_matches(']')
        .to_owned())
}
