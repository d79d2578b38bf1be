//! Distinguished names in their text form (RFC 4514): parsed, with the place of what is wrong, and brought into the one form in which
//! two spellings of a name are equal.

use std::fmt::Write;

use yasna::tags::{TAG_IA5STRING, TAG_OCTETSTRING, TAG_PRINTABLESTRING, TAG_UTF8STRING};

use super::filter::is_attribute;
use crate::scim::fold::fold_case;

/// Longest DN in bytes.
pub const MAX_LENGTH: usize = 8_192;

/// A name: its parts from the entry up to the root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dn(pub Vec<Rdn>);

/// One step of a name: an attribute and its value, or several of them.
pub type Rdn = Vec<(String, Value)>;

/// A value in a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Escapes resolved.
    Text(Vec<u8>),
    /// The BER encoding of a value, written as `#` and hexadecimal digits.
    Encoded(Vec<u8>),
}

/// Why a text is no DN.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("at character {}: {expected}", .at + 1)]
pub struct ParseError {
    /// Where, in characters from 0.
    pub at: usize,
    pub expected: &'static str,
}

/// The form under which two spellings of one DN are equal, none where the text is no DN. Escapes are resolved, case and superfluous
/// white space do not count, attributes that have a name and a number go by the name, and an RDN's parts are sorted. All values are
/// compared without case: those of the few attributes for which case counts are not used in names.
pub fn normalise(text: &str) -> Option<String> {
    Some(steps(text)?.join(","))
}

/// Whether a DN is that of the base or of something below it; false where one of the two is no DN.
pub fn is_within(text: &str, base: &str) -> bool {
    match (steps(text), steps(base)) {
        (Some(steps), Some(base)) => steps.ends_with(&base),
        _ => false,
    }
}

/// The DN of a value that is a DN with an optional bit string behind it, `dc=x#'0101'B` (RFC 4517 §3.3.21, the syntax of
/// `uniqueMember`).
pub fn without_uid(value: &str) -> &str {
    let parts = value
        .trim_end()
        .strip_suffix("'B")
        .and_then(|rest| rest.rsplit_once("#'"));
    let Some((dn, bits)) = parts else {
        return value;
    };
    // An escaped # belongs to the DN.
    let escapes = dn.len() - dn.trim_end_matches('\\').len();
    match bits.bytes().all(|bit| matches!(bit, b'0' | b'1')) && escapes % 2 == 0 {
        true => dn,
        false => value,
    }
}

/// The steps of a DN, each in its normal form, from the entry up.
fn steps(text: &str) -> Option<Vec<String>> {
    let steps = parse(text).ok()?.0.into_iter().map(|rdn| {
        let mut parts: Vec<String> = rdn
            .iter()
            .map(|(attribute, value)| format!("{}={}", short_name(attribute), key(value)))
            .collect();
        parts.sort_unstable();
        parts.dedup();
        parts.join("+")
    });
    Some(steps.collect())
}

/// The name that the text stands for; the empty text stands for the root. White space around separators is ignored.
pub fn parse(text: &str) -> Result<Dn, ParseError> {
    let mut parser = Parser { text, at: 0 };
    if text.len() > MAX_LENGTH {
        return Err(parser.error("a DN has 8192 bytes at most"));
    }
    parser.skip_space();
    if parser.peek().is_none() {
        return Ok(Dn(Vec::new()));
    }
    let mut rdns = vec![Vec::new()];
    loop {
        let part = parser.part()?;
        if let Some(rdn) = rdns.last_mut() {
            rdn.push(part);
        }
        match parser.peek() {
            None => return Ok(Dn(rdns)),
            Some(',') => rdns.push(Vec::new()),
            Some('+') => {}
            Some(_) => return Err(parser.error("a , or a + is missing here")),
        }
        parser.at += 1;
    }
}

struct Parser<'a> {
    text: &'a str,
    /// In bytes.
    at: usize,
}

impl Parser<'_> {
    fn part(&mut self) -> Result<(String, Value), ParseError> {
        self.skip_space();
        let rest = self.text.get(self.at..).unwrap_or_default();
        let end = rest
            .find(|c: char| !c.is_ascii_alphanumeric() && !"-._".contains(c))
            .unwrap_or(rest.len());
        let attribute = rest.get(..end).unwrap_or_default();
        if !is_attribute(attribute) {
            return Err(self.error("an attribute's name is missing here, as in cn=Anna"));
        }
        self.at += end;
        self.skip_space();
        if self.peek() != Some('=') {
            return Err(self.error("an = is missing here"));
        }
        self.at += 1;
        self.skip_space();
        let value = match self.peek() {
            Some('#') => self.encoded()?,
            _ => self.text()?,
        };
        Ok((attribute.to_owned(), value))
    }

    fn encoded(&mut self) -> Result<Value, ParseError> {
        const EXPECTED: &str = "pairs of hexadecimal digits follow a # at the beginning of a value; as a letter it is \\#";
        self.at += 1;
        let mut bytes = Vec::new();
        while let Some(byte) = self.hex() {
            bytes.push(byte);
        }
        if bytes.is_empty() {
            return Err(self.error(EXPECTED));
        }
        self.skip_space();
        match self.peek() {
            None | Some(',' | '+') => Ok(Value::Encoded(bytes)),
            Some(_) => Err(self.error(EXPECTED)),
        }
    }

    fn text(&mut self) -> Result<Value, ParseError> {
        let mut bytes = Vec::new();
        // White space at the end belongs to the value only where it is escaped.
        let mut kept = 0;
        while let Some(next) = self.peek() {
            match next {
                ',' | '+' => break,
                '"' | ';' | '<' | '>' | '\0' => {
                    return Err(self.error("this character has to be escaped by a \\ in a value"));
                }
                '\\' => {
                    self.at += 1;
                    if let Some(byte) = self.hex() {
                        bytes.push(byte);
                    } else {
                        match self.peek() {
                            Some(c) if " \"#+,;<=>\\".contains(c) => {
                                self.push(&mut bytes, c);
                            }
                            _ => {
                                return Err(self.error(
                                    "a special character or two hexadecimal digits follow a \\",
                                ));
                            }
                        }
                    }
                    kept = bytes.len();
                }
                ' ' => self.push(&mut bytes, ' '),
                other => {
                    self.push(&mut bytes, other);
                    kept = bytes.len();
                }
            }
        }
        bytes.truncate(kept);
        Ok(Value::Text(bytes))
    }

    fn push(&mut self, bytes: &mut Vec<u8>, c: char) {
        bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        self.at += c.len_utf8();
    }

    /// A pair of hexadecimal digits, none where there is not one.
    fn hex(&mut self) -> Option<u8> {
        let digits = self.text.get(self.at..self.at + 2)?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        self.at += 2;
        u8::from_str_radix(digits, 16).ok()
    }

    fn peek(&self) -> Option<char> {
        self.text.get(self.at..)?.chars().next()
    }

    fn skip_space(&mut self) {
        while self.peek() == Some(' ') {
            self.at += 1;
        }
    }

    fn error(&self, expected: &'static str) -> ParseError {
        let before = self.text.get(..self.at).unwrap_or_default();
        ParseError {
            at: before.chars().count(),
            expected,
        }
    }
}

/// The names that RFC 4514 §3 has for numbers, and the long names of the same attributes.
fn short_name(attribute: &str) -> String {
    let name = attribute.to_ascii_lowercase();
    let short = match name.as_str() {
        "2.5.4.3" | "commonname" => "cn",
        "2.5.4.4" | "surname" => "sn",
        "2.5.4.6" | "countryname" => "c",
        "2.5.4.7" | "localityname" => "l",
        "2.5.4.8" | "stateorprovincename" => "st",
        "2.5.4.9" | "streetaddress" => "street",
        "2.5.4.10" | "organizationname" => "o",
        "2.5.4.11" | "organizationalunitname" => "ou",
        "0.9.2342.19200300.100.1.1" | "userid" => "uid",
        "0.9.2342.19200300.100.1.25" | "domaincomponent" => "dc",
        "1.2.840.113549.1.9.1" | "email" | "emailaddress" => "emailaddress",
        _ => return name,
    };
    short.to_owned()
}

/// A value in the form in which it is compared, escaped so that no two values look the same.
fn key(value: &Value) -> String {
    let text = match value {
        Value::Text(bytes) => String::from_utf8(bytes.clone()).map_err(|_| bytes.clone()),
        Value::Encoded(bytes) => decoded(bytes).ok_or_else(|| bytes.clone()),
    };
    let mut key = String::new();
    match text {
        Ok(text) => {
            // RFC 4518 §2.6.1: a run of spaces counts as one, and none at the ends.
            let words: Vec<&str> = text.split(' ').filter(|word| !word.is_empty()).collect();
            for c in fold_case(&words.join(" ")).chars() {
                if ",+\"\\<>;=#".contains(c) {
                    key.push('\\');
                }
                key.push(c);
            }
        }
        Err(bytes) => {
            key.push('#');
            for byte in bytes {
                // Writing to a String does not fail.
                let _ = write!(key, "{byte:02x}");
            }
        }
    }
    key
}

/// The text that is encoded in BER, where it is text.
fn decoded(bytes: &[u8]) -> Option<String> {
    let text = yasna::parse_ber(bytes, |reader| {
        let tag = reader.lookahead_tag()?;
        let known = [
            TAG_OCTETSTRING,
            TAG_UTF8STRING,
            TAG_PRINTABLESTRING,
            TAG_IA5STRING,
        ];
        if !known.contains(&tag) {
            return Ok(None);
        }
        reader
            .read_tagged_implicit(tag, |reader| reader.read_bytes())
            .map(Some)
    });
    String::from_utf8(text.ok()??).ok()
}
