//! Bodies and addresses as the journal keeps them: without passwords and other secrets, and cut.
//!
//! What a name calls a secret is left out with all that is in it, wherever it stands: an attribute, an extension's, a part of one, what the
//! path of a PATCH operation leads to, JSON inside a string. A text that looks like a credential is left out whatever it is called.

use serde_json::Value;

use crate::json::quoted;
use crate::scim::secrets::{is_credential, names_secret};

/// Most of a body that is kept, in bytes.
pub const MAX_BODY: usize = 16 * 1_024;
/// Most of an address.
const MAX_ADDRESS: usize = 2 * 1_024;
/// What stands in the place of a secret.
pub const REDACTED: &str = "[redacted]";
/// Shortest secret that is looked for in a sentence.
const MIN_SECRET: usize = 4;

/// A body as it is kept.
#[derive(Debug, Clone, Default)]
pub struct Kept {
    pub text: String,
    pub is_cut: bool,
    pub is_redacted: bool,
    /// What was left out, to be left out of other texts too.
    secrets: Vec<String>,
}

impl Kept {
    pub fn of(body: &Value) -> Self {
        let mut kept = Kept::default();
        kept.write(body, None);
        if kept.text.len() > MAX_BODY {
            kept.is_cut = true;
            cut(&mut kept.text, MAX_BODY);
        }
        kept
    }

    /// What `compat` says of the body.
    pub fn state(&self) -> &'static str {
        match (self.is_cut, self.is_redacted) {
            (true, _) => "cut",
            (false, true) => "redacted",
            (false, false) => "whole",
        }
    }

    /// A sentence about the request without what was left out of its body, also where it quotes but a part of that.
    pub fn scrub(&self, sentence: &str) -> String {
        let mut sentence = sentence.to_owned();
        for secret in &self.secrets {
            sentence = sentence.replace(secret.as_str(), REDACTED);
        }
        let is_part = |piece: &str| {
            let piece = piece.trim_end_matches('…');
            let is_name = piece.chars().all(|c| c.is_alphanumeric() || c == '.');
            piece.len() >= MIN_SECRET
                && !(is_name && names_secret(piece))
                && self.secrets.iter().any(|secret| secret.contains(piece))
        };
        // What a sentence quotes stands between grave accents.
        let pieces = sentence.split('`').enumerate();
        let pieces = pieces.map(|(place, piece)| match place % 2 == 1 && is_part(piece) {
            true => REDACTED,
            false => piece,
        });
        pieces.collect::<Vec<_>>().join("`")
    }

    fn is_full(&self) -> bool {
        self.text.len() > MAX_BODY
    }

    /// Goes on with the text while there is room. What comes after is still looked through, for a sentence may quote it.
    fn push(&mut self, text: &str) {
        if !self.is_full() {
            self.text.push_str(text);
        }
    }

    fn push_quoted(&mut self, text: &str) {
        if !self.is_full() {
            self.text.push_str(&quoted(text));
        }
    }

    /// Leaves a value out.
    fn leave_out(&mut self, value: &Value) {
        if value.is_null() {
            self.push("null");
            return;
        }
        self.is_redacted = true;
        self.push_quoted(REDACTED);
        self.remember(value);
    }

    fn remember(&mut self, value: &Value) {
        match value {
            Value::String(text) if text.len() >= MIN_SECRET => self.secrets.push(text.clone()),
            Value::Number(number) if number.to_string().len() >= MIN_SECRET => {
                self.secrets.push(number.to_string());
            }
            Value::Array(values) => values.iter().for_each(|value| self.remember(value)),
            Value::Object(object) => object.values().for_each(|value| self.remember(value)),
            _ => {}
        }
    }

    /// Writes a value that stands under a name.
    fn write(&mut self, value: &Value, name: Option<&str>) {
        match value {
            Value::Object(object) => {
                let is = |name: &str, wanted: &str| name.trim().eq_ignore_ascii_case(wanted);
                // A path that is no text leads nowhere; what it was meant for is a secret all the same.
                let leads_to_secret = object
                    .iter()
                    .any(|(name, path)| is(name, "path") && names_secret(&path.to_string()));
                self.push("{");
                for (index, (name, value)) in object.iter().enumerate() {
                    if index > 0 {
                        self.push(",");
                    }
                    self.write_name(name);
                    let is_led_to = leads_to_secret && is(name, "value");
                    match is_led_to || names_secret(name) {
                        true => self.leave_out(value),
                        false => self.write(value, Some(name)),
                    }
                }
                self.push("}");
            }
            Value::Array(values) => {
                self.push("[");
                for (index, value) in values.iter().enumerate() {
                    if index > 0 {
                        self.push(",");
                    }
                    self.write(value, name);
                }
                self.push("]");
            }
            Value::String(text) => self.write_text(text, name, value),
            other => self.push(&other.to_string()),
        }
    }

    /// A name that is a path may compare with a secret.
    fn write_name(&mut self, name: &str) {
        match compares_secret(name) {
            true => self.leave_out(&name.into()),
            false => self.push_quoted(name),
        }
        self.push(":");
    }

    fn write_text(&mut self, text: &str, name: Option<&str>, value: &Value) {
        let is_query = name.is_some_and(|name| {
            let queries = [
                "path",
                "filter",
                "sortBy",
                "attributes",
                "excludedAttributes",
            ];
            let name = name.trim();
            queries.iter().any(|query| name.eq_ignore_ascii_case(query))
        });
        if is_credential(text) || (is_query && compares_secret(text)) {
            return self.leave_out(value);
        }
        match packed(text) {
            Some(packed) => {
                self.is_redacted = true;
                self.secrets.extend(packed.secrets);
                self.push_quoted(&packed.text);
            }
            None => self.push_quoted(text),
        }
    }
}

/// What is kept of JSON inside a string, where that is not all of it.
fn packed(text: &str) -> Option<Kept> {
    let is_packed = text.trim_start().starts_with(['{', '[']);
    let packed = is_packed.then(|| serde_json::from_str::<Value>(text).ok());
    let packed = packed.flatten().map(|packed| Kept::of(&packed));
    packed.filter(|packed| packed.is_redacted || packed.is_cut)
}

/// Whether a text is, or has in it, what is not kept.
pub fn is_secret(text: &str) -> bool {
    is_credential(text) || packed(text).is_some()
}

/// An address as it is kept: its query without secrets.
pub fn address(path: &str, query: Option<&str>) -> String {
    let mut address = match is_credential(path) {
        true => REDACTED.to_owned(),
        false => path.to_owned(),
    };
    for (index, pair) in query.unwrap_or_default().split('&').enumerate() {
        let is_secret = || {
            let decoded: Vec<(_, _)> = form_urlencoded::parse(pair.as_bytes()).collect();
            decoded.iter().any(|(name, value)| {
                names_secret(name) || names_secret(value) || is_credential(value)
            })
        };
        if pair.is_empty() {
            continue;
        }
        address.push(if index == 0 { '?' } else { '&' });
        match is_secret() {
            true => address.push_str(REDACTED),
            false => address.push_str(pair),
        }
    }
    cut(&mut address, MAX_ADDRESS);
    address
}

fn cut(text: &mut String, most: usize) {
    let mut end = most.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
}

/// Whether a text names a secret and something to compare it with.
fn compares_secret(text: &str) -> bool {
    text.contains(['"', '\'', '[', ' ', '=']) && names_secret(text)
}
