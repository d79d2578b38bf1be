//! Bodies and addresses as the journal keeps them: without passwords and other secrets, and cut.
//!
//! What a name calls a secret is left out with all that is in it, wherever it stands: an attribute, an extension's, a part of one, what the
//! path of a PATCH operation leads to, JSON inside a string. A text that looks like a credential is left out whatever it is called.

use serde_json::Value;

use crate::json::quoted;

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

    /// A sentence about the request without what was left out of its body.
    pub fn scrub(&self, sentence: &str) -> String {
        let mut sentence = sentence.to_owned();
        for secret in &self.secrets {
            sentence = sentence.replace(secret.as_str(), REDACTED);
        }
        sentence
    }

    fn is_full(&self) -> bool {
        self.text.len() > MAX_BODY
    }

    /// Leaves a value out.
    fn leave_out(&mut self, value: &Value) {
        if value.is_null() {
            self.text.push_str("null");
            return;
        }
        self.is_redacted = true;
        self.text.push('"');
        self.text.push_str(REDACTED);
        self.text.push('"');
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
        if self.is_full() {
            return;
        }
        match value {
            Value::Object(object) => {
                let path = object
                    .iter()
                    .find(|(name, _)| name.eq_ignore_ascii_case("path"));
                let leads_to_secret =
                    path.is_some_and(|(_, path)| path.as_str().is_some_and(names_secret));
                self.text.push('{');
                for (index, (name, value)) in object.iter().enumerate() {
                    if index > 0 {
                        self.text.push(',');
                    }
                    self.write_name(name);
                    let is_led_to = leads_to_secret && name.eq_ignore_ascii_case("value");
                    match is_led_to || names_secret(name) {
                        true => self.leave_out(value),
                        false => self.write(value, Some(name)),
                    }
                }
                self.text.push('}');
            }
            Value::Array(values) => {
                self.text.push('[');
                for (index, value) in values.iter().enumerate() {
                    if index > 0 {
                        self.text.push(',');
                    }
                    self.write(value, name);
                }
                self.text.push(']');
            }
            Value::String(text) => self.write_text(text, name, value),
            other => self.text.push_str(&other.to_string()),
        }
    }

    /// A name that is a path may compare with a secret.
    fn write_name(&mut self, name: &str) {
        match compares_secret(name) {
            true => self.leave_out(&name.into()),
            false => self.text.push_str(&quoted(name)),
        }
        self.text.push(':');
    }

    fn write_text(&mut self, text: &str, name: Option<&str>, value: &Value) {
        let is_query = name.is_some_and(|name| {
            ["path", "filter"]
                .iter()
                .any(|query| name.eq_ignore_ascii_case(query))
        });
        if is_credential(text) || (is_query && compares_secret(text)) {
            return self.leave_out(value);
        }
        let packed = text.trim_start().starts_with(['{', '[']);
        let packed = packed.then(|| serde_json::from_str::<Value>(text).ok());
        let packed = packed.flatten().map(|packed| Kept::of(&packed));
        match packed.filter(|packed| packed.is_redacted || packed.is_cut) {
            Some(packed) => {
                self.is_redacted = true;
                self.secrets.extend(packed.secrets);
                self.text.push_str(&quoted(&packed.text));
            }
            None => self.text.push_str(&quoted(text)),
        }
    }
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

/// Whether a name, or a path or filter with it, is that of a secret.
fn names_secret(text: &str) -> bool {
    let lower = text.to_lowercase();
    let mut words = lower.split(|c: char| !c.is_alphanumeric());
    let plain: String = lower.chars().filter(|c| c.is_alphanumeric()).collect();
    let contained = [
        "passw",
        "passphrase",
        "secret",
        "token",
        "credential",
        "apikey",
        "privatekey",
        "authorization",
    ];
    contained.iter().any(|word| plain.contains(word))
        || words.any(|word| {
            ["pwd", "pin", "otp", "cvv", "cvc"].contains(&word)
                || word.ends_with("key")
                || word.ends_with("keys")
        })
}

/// Whether a text names a secret and something to compare it with.
fn compares_secret(text: &str) -> bool {
    text.contains(['"', '\'', '[', ' ']) && names_secret(text)
}

/// Whether a text has the form of a credential: a SCIM token, a JWT, a bearer header, a private key.
fn is_credential(text: &str) -> bool {
    let is_jwt = |word: &str| word.starts_with("eyJ") && word.matches('.').count() == 2;
    text.contains("rcs_")
        || text.contains("PRIVATE KEY")
        || text.split_whitespace().any(is_jwt)
        || text
            .get(..7)
            .is_some_and(|head| head.eq_ignore_ascii_case("bearer "))
}
