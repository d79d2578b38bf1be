//! Filters of searches in their text form (RFC 4515): parsed, with the place of what is wrong, and written in BER.

use std::fmt::Write;

use yasna::{DERWriter, Tag};

/// Longest filter in bytes.
pub const MAX_LENGTH: usize = 8_192;
/// Deepest nesting of `&`, `|` and `!`.
pub const MAX_DEPTH: usize = 16;
/// What a filter may have more that is put together here from one that was given: names of entries, two levels around it.
const ADDED: (usize, usize) = (65_536, 3);

/// A filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filter {
    And(Vec<Filter>),
    Or(Vec<Filter>),
    Not(Box<Filter>),
    /// An attribute compared with a value.
    Compare(Comparison, String, Vec<u8>),
    /// Parts of a value: how it begins, what comes in between, how it ends.
    Substrings(String, Option<Vec<u8>>, Vec<Vec<u8>>, Option<Vec<u8>>),
    Present(String),
    /// `attribute:dn:rule:=value`, as Active Directory's bit rules are.
    Extensible {
        attribute: Option<String>,
        dn_attributes: bool,
        rule: Option<String>,
        value: Vec<u8>,
    },
}

/// How an attribute is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    Equal,
    GreaterOrEqual,
    LessOrEqual,
    Approximate,
}

/// Why a text is no filter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("at character {}: {expected}", .at + 1)]
pub struct ParseError {
    /// Where, in characters from 0.
    pub at: usize,
    pub expected: &'static str,
}

impl Filter {
    /// The filter that the text stands for. White space around it and between filters is ignored.
    pub fn parse(text: &str) -> Result<Filter, ParseError> {
        if text.len() > MAX_LENGTH {
            return Err(ParseError {
                at: 0,
                expected: "a filter has 8192 bytes at most",
            });
        }
        Filter::within(text, MAX_DEPTH)
    }

    /// A filter that was made of one that holds.
    pub(super) fn parse_composed(text: &str) -> Result<Filter, ParseError> {
        if text.len() > MAX_LENGTH + ADDED.0 {
            return Err(ParseError {
                at: 0,
                expected: "the filter is too long",
            });
        }
        Filter::within(text, MAX_DEPTH + ADDED.1)
    }

    fn within(text: &str, most_levels: usize) -> Result<Filter, ParseError> {
        let mut parser = Parser {
            text,
            at: 0,
            most_levels,
        };
        parser.skip_space();
        let filter = parser.filter(0)?;
        parser.skip_space();
        match parser.peek() {
            None => Ok(filter),
            Some(_) => Err(parser.error("a filter ends with its closing parenthesis")),
        }
    }

    /// Whatever has the attribute.
    pub fn present(attribute: &str) -> Filter {
        Filter::Present(attribute.to_owned())
    }

    /// The text of a filter for whatever has that value, its special characters escaped (RFC 4515 §3).
    pub fn equal_to(attribute: &str, value: &str) -> String {
        let mut text = format!("({attribute}=");
        for c in value.chars() {
            match c {
                '\\' | '*' | '(' | ')' | '\0' => {
                    // Writing to a String does not fail.
                    let _ = write!(text, "\\{:02x}", u32::from(c));
                }
                c => text.push(c),
            }
        }
        text.push(')');
        text
    }

    /// The text of a filter that has to hold, in its brackets.
    pub fn bracketed(text: &str) -> String {
        match text.trim() {
            filter if filter.starts_with('(') => filter.to_owned(),
            filter => format!("({filter})"),
        }
    }

    /// Writes the filter as RFC 4511 §4.5.1.7 has it.
    pub(super) fn write(&self, writer: DERWriter<'_>) {
        match self {
            Filter::And(filters) => write_all(writer, 0, filters),
            Filter::Or(filters) => write_all(writer, 1, filters),
            // A choice keeps its own tag inside.
            Filter::Not(filter) => {
                writer.write_tagged(Tag::context(2), |writer| filter.write(writer));
            }
            Filter::Compare(comparison, attribute, value) => {
                let tag = match comparison {
                    Comparison::Equal => 3,
                    Comparison::GreaterOrEqual => 5,
                    Comparison::LessOrEqual => 6,
                    Comparison::Approximate => 8,
                };
                writer.write_tagged_implicit(Tag::context(tag), |writer| {
                    writer.write_sequence(|writer| {
                        writer.next().write_bytes(attribute.as_bytes());
                        writer.next().write_bytes(value);
                    });
                });
            }
            Filter::Substrings(attribute, initial, any, last) => {
                writer.write_tagged_implicit(Tag::context(4), |writer| {
                    writer.write_sequence(|writer| {
                        writer.next().write_bytes(attribute.as_bytes());
                        writer.next().write_sequence(|writer| {
                            let parts = initial.iter().map(|part| (0, part));
                            let parts = parts.chain(any.iter().map(|part| (1, part)));
                            for (tag, part) in parts.chain(last.iter().map(|part| (2, part))) {
                                octets(writer.next(), Tag::context(tag), part);
                            }
                        });
                    });
                });
            }
            Filter::Present(attribute) => octets(writer, Tag::context(7), attribute.as_bytes()),
            Filter::Extensible {
                attribute,
                dn_attributes,
                rule,
                value,
            } => writer.write_tagged_implicit(Tag::context(9), |writer| {
                writer.write_sequence(|writer| {
                    if let Some(rule) = rule {
                        octets(writer.next(), Tag::context(1), rule.as_bytes());
                    }
                    if let Some(attribute) = attribute {
                        octets(writer.next(), Tag::context(2), attribute.as_bytes());
                    }
                    octets(writer.next(), Tag::context(3), value);
                    if *dn_attributes {
                        writer
                            .next()
                            .write_tagged_implicit(Tag::context(4), |writer| {
                                writer.write_bool(true);
                            });
                    }
                });
            }),
        }
    }
}

fn write_all(writer: DERWriter<'_>, tag: u64, filters: &[Filter]) {
    writer.write_tagged_implicit(Tag::context(tag), |writer| {
        writer.write_sequence(|writer| {
            for filter in filters {
                filter.write(writer.next());
            }
        });
    });
}

struct Parser<'a> {
    text: &'a str,
    /// In bytes.
    at: usize,
    most_levels: usize,
}

impl Parser<'_> {
    fn filter(&mut self, depth: usize) -> Result<Filter, ParseError> {
        if depth > self.most_levels {
            return Err(self.error("filters may be nested 16 deep"));
        }
        self.expect('(', "a filter begins with an opening parenthesis")?;
        let filter = match self.peek() {
            Some('&') => Filter::And(self.list(depth)?),
            Some('|') => Filter::Or(self.list(depth)?),
            Some('!') => {
                self.at += 1;
                self.skip_space();
                let inner = self.filter(depth + 1)?;
                self.skip_space();
                Filter::Not(Box::new(inner))
            }
            _ => self.item()?,
        };
        self.expect(')', "a closing parenthesis is missing here")?;
        Ok(filter)
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Filter>, ParseError> {
        self.at += 1;
        let mut filters = Vec::new();
        self.skip_space();
        loop {
            filters.push(self.filter(depth + 1)?);
            self.skip_space();
            if self.peek() != Some('(') {
                return Ok(filters);
            }
        }
    }

    fn item(&mut self) -> Result<Filter, ParseError> {
        let attribute = self.word(
            is_description,
            is_attribute,
            "an attribute's name is missing here, as in (uid=anna)",
            "this is no attribute's name",
        )?;
        if self.peek() == Some(':') {
            return self.extensible(attribute);
        }
        let Some(attribute) = attribute else {
            return Err(self.error("an attribute's name is missing here, as in (uid=anna)"));
        };
        let comparison = match self.peek() {
            Some('=') => Comparison::Equal,
            Some('>') => Comparison::GreaterOrEqual,
            Some('<') => Comparison::LessOrEqual,
            Some('~') => Comparison::Approximate,
            _ => return Err(self.error("one of = >= <= ~= := is missing here")),
        };
        if comparison != Comparison::Equal {
            self.at += 1;
        }
        self.expect('=', "an = is missing here")?;
        let mut parts = vec![self.value()?];
        while self.peek() == Some('*') {
            if comparison != Comparison::Equal {
                return Err(
                    self.error("a * stands for any value with = alone; as a letter it is \\2a")
                );
            }
            self.at += 1;
            parts.push(self.value()?);
        }
        Ok(substrings(attribute, comparison, parts))
    }

    fn extensible(&mut self, attribute: Option<String>) -> Result<Filter, ParseError> {
        self.at += 1;
        let mut dn_attributes = false;
        let mut rule = None;
        if self.peek() != Some('=') {
            let first = self.rule()?;
            self.expect(':', "a : is missing here")?;
            match first.eq_ignore_ascii_case("dn") {
                true => dn_attributes = true,
                false => rule = Some(first),
            }
            if rule.is_none() && self.peek() != Some('=') {
                rule = Some(self.rule()?);
                self.expect(':', "a : is missing here")?;
            }
        }
        self.expect('=', "an = is missing here")?;
        if attribute.is_none() && rule.is_none() {
            return Err(self.error("an attribute's name or a matching rule is missing before this"));
        }
        let value = self.value()?;
        match self.peek() {
            Some('*') => {
                Err(self.error("a * stands for any value with = alone; as a letter it is \\2a"))
            }
            _ => Ok(Filter::Extensible {
                attribute,
                dn_attributes,
                rule,
                value,
            }),
        }
    }

    fn rule(&mut self) -> Result<String, ParseError> {
        const EXPECTED: &str = "a matching rule's name is missing here";
        self.word(
            |c| is_description(c) && c != ';',
            is_oid,
            EXPECTED,
            EXPECTED,
        )?
        .ok_or_else(|| self.error(EXPECTED))
    }

    /// A run of such characters; none where there is not one of them.
    fn word(
        &mut self,
        part: impl Fn(char) -> bool,
        holds: impl Fn(&str) -> bool,
        missing: &'static str,
        wrong: &'static str,
    ) -> Result<Option<String>, ParseError> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let end = rest.find(|c| !part(c)).unwrap_or(rest.len());
        let word = rest.get(..end).unwrap_or_default();
        if word.is_empty() {
            return match rest.chars().next() {
                Some(':') => Ok(None),
                _ => Err(self.error(missing)),
            };
        }
        if !holds(word) {
            return Err(self.error(wrong));
        }
        self.at += end;
        Ok(Some(word.to_owned()))
    }

    /// A value up to a `*` or a parenthesis, its escapes resolved.
    fn value(&mut self) -> Result<Vec<u8>, ParseError> {
        let mut value = Vec::new();
        while let Some(next) = self.peek() {
            match next {
                '*' | ')' => break,
                '(' => return Err(self.error("a parenthesis in a value is \\28 or \\29")),
                '\0' => return Err(self.error("a NUL in a value is \\00")),
                '\\' => {
                    let digits = self.text.get(self.at + 1..self.at + 3);
                    let byte = digits
                        .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))
                        .and_then(|digits| u8::from_str_radix(digits, 16).ok());
                    let Some(byte) = byte else {
                        return Err(self.error(
                            "two hexadecimal digits follow a \\ in a value; as a letter it is \\5c",
                        ));
                    };
                    value.push(byte);
                    self.at += 3;
                }
                other => {
                    value.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes());
                    self.at += other.len_utf8();
                }
            }
        }
        Ok(value)
    }

    fn peek(&self) -> Option<char> {
        self.text.get(self.at..)?.chars().next()
    }

    fn expect(&mut self, wanted: char, expected: &'static str) -> Result<(), ParseError> {
        if self.peek() != Some(wanted) {
            return Err(self.error(expected));
        }
        self.at += wanted.len_utf8();
        Ok(())
    }

    fn skip_space(&mut self) {
        while self.peek().is_some_and(|c| c.is_ascii_whitespace()) {
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

/// What the values between the stars make: `*` alone is any value, none is the value itself.
fn substrings(attribute: String, comparison: Comparison, mut parts: Vec<Vec<u8>>) -> Filter {
    let last = parts.pop().unwrap_or_default();
    if parts.is_empty() {
        return Filter::Compare(comparison, attribute, last);
    }
    let initial = parts.remove(0);
    let given = |part: Vec<u8>| (!part.is_empty()).then_some(part);
    let any: Vec<Vec<u8>> = parts.into_iter().filter_map(given).collect();
    match (given(initial), given(last)) {
        (None, None) if any.is_empty() => Filter::Present(attribute),
        (initial, last) => Filter::Substrings(attribute, initial, any, last),
    }
}

fn is_description(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-.;_".contains(c)
}

/// A name or an OID, with options (RFC 4512 §2.5). The underscore is not allowed, and used.
pub fn is_attribute(text: &str) -> bool {
    let mut parts = text.split(';');
    let option = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    parts.next().is_some_and(is_oid) && parts.all(option)
}

/// RFC 4512 §1.4: `descr` or `numericoid`.
fn is_oid(text: &str) -> bool {
    if text.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    }
    text.split('.')
        .all(|arc| !arc.is_empty() && arc.bytes().all(|byte| byte.is_ascii_digit()))
}

/// An octet string with another tag than its own.
pub fn octets(writer: DERWriter<'_>, tag: Tag, bytes: &[u8]) {
    writer.write_tagged_implicit(tag, |writer| writer.write_bytes(bytes));
}
