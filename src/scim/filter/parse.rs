//! Recursive descent over the tokens of a filter, in linear time, with caps on length, depth and terms.

use super::lexer::{Spanned, Token, tokens};
use super::{Filter, Literal, MAX_DEPTH, MAX_LENGTH, MAX_TERMS, Operator, Path};
use crate::scim::error::{Error, Result};
use crate::scim::forgiven::{Forgiven, note};
use crate::scim::name;
use crate::scim::profile::Profile;

/// Parses a filter. In `compat` it also understands values in apostrophes or without quotes, and a sub-attribute
/// after a value path (`emails[type eq "work"].value eq "x"`), as Entra and others send them.
///
/// Errors are `invalidFilter` and name the position, counted in bytes from 1.
pub fn parse(text: &str, profile: Profile) -> Result<Filter> {
    if text.len() > MAX_LENGTH {
        return Err(Error::filter(format!(
            "the filter is {} bytes long; {MAX_LENGTH} are allowed",
            text.len()
        )));
    }
    let tokens = tokens(text)?;
    let mut parser = Parser {
        tokens: &tokens,
        next: 0,
        terms: 0,
        depth: 0,
        profile,
        end: text.len(),
    };
    let filter = parser.alternatives()?;
    match parser.peek() {
        None => Ok(filter),
        Some(extra) => Err(expected("`and`, `or` or the end", Some(extra), text.len())),
    }
}

const VALUE: &str = "a JSON value (text stands in double quotes)";

struct Parser<'t, 'a> {
    tokens: &'t [Spanned<'a>],
    next: usize,
    terms: usize,
    depth: usize,
    profile: Profile,
    end: usize,
}

impl<'a> Parser<'_, 'a> {
    fn peek(&self) -> Option<Spanned<'a>> {
        self.tokens.get(self.next).copied()
    }

    fn take(&mut self) -> Option<Spanned<'a>> {
        let token = self.peek();
        self.next += 1;
        token
    }

    fn keyword(&mut self, keyword: &str) -> bool {
        let found = matches!(self.peek(), Some(Spanned { token: Token::Word(word), .. })
            if word.eq_ignore_ascii_case(keyword));
        if found {
            self.next += 1;
        }
        found
    }

    fn expect(&mut self, wanted: Token<'static>, name: &str) -> Result<()> {
        match self.take() {
            Some(found) if found.token == wanted => Ok(()),
            other => Err(expected(name, other, self.end)),
        }
    }

    fn alternatives(&mut self) -> Result<Filter> {
        let mut terms = vec![self.conjunction()?];
        while self.keyword("or") {
            terms.push(self.conjunction()?);
        }
        Ok(single_or(terms, Filter::Or))
    }

    fn conjunction(&mut self) -> Result<Filter> {
        let mut terms = vec![self.term()?];
        while self.keyword("and") {
            terms.push(self.term()?);
        }
        Ok(single_or(terms, Filter::And))
    }

    fn term(&mut self) -> Result<Filter> {
        if self.keyword("not") {
            if !matches!(self.peek(), Some(found) if found.token == Token::Open) {
                return Err(expected("`(` after `not`", self.peek(), self.end));
            }
            return Ok(Filter::Not(Box::new(self.group()?)));
        }
        match self.peek() {
            Some(Spanned {
                token: Token::Open, ..
            }) => self.group(),
            _ => self.comparison(),
        }
    }

    fn group(&mut self) -> Result<Filter> {
        self.next += 1;
        let filter = self.nested(Self::alternatives)?;
        self.expect(Token::Close, "`)`")?;
        Ok(filter)
    }

    fn nested(&mut self, parse: impl Fn(&mut Self) -> Result<Filter>) -> Result<Filter> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Error::filter(format!(
                "the filter is nested more than {MAX_DEPTH} deep"
            )));
        }
        let filter = parse(self);
        self.depth -= 1;
        filter
    }

    fn comparison(&mut self) -> Result<Filter> {
        self.terms += 1;
        if self.terms > MAX_TERMS {
            return Err(Error::filter(format!(
                "the filter has more than {MAX_TERMS} comparisons"
            )));
        }
        let path = match self.take() {
            Some(Spanned {
                token: Token::Word(word),
                at,
            }) if is_path(word) => Path {
                text: word.to_owned(),
                at,
            },
            other => return Err(expected("an attribute", other, self.end)),
        };
        match self.peek() {
            Some(Spanned {
                token: Token::OpenBracket,
                ..
            }) => self.element(path),
            _ => self.operation(path),
        }
    }

    fn element(&mut self, path: Path) -> Result<Filter> {
        self.next += 1;
        let inner = self.nested(Self::alternatives)?;
        self.expect(Token::CloseBracket, "`]`")?;
        if let Some(Spanned {
            token: Token::Word(word),
            at,
        }) = self.peek()
            && let Some(sub) = word.strip_prefix('.')
        {
            if self.profile.is_strict() {
                return Err(expected("`and`, `or` or the end", self.peek(), self.end));
            }
            note(Forgiven::SubBehindFilter);
            self.next += 1;
            let sub = Path {
                text: sub.to_owned(),
                at: at + 1,
            };
            let comparison = self.operation(sub)?;
            return Ok(Filter::Element(
                path,
                Box::new(Filter::And(vec![inner, comparison])),
            ));
        }
        Ok(Filter::Element(path, Box::new(inner)))
    }

    fn operation(&mut self, path: Path) -> Result<Filter> {
        let found = self.take();
        let Some(Spanned {
            token: Token::Word(word),
            ..
        }) = found
        else {
            return Err(expected("an operator", found, self.end));
        };
        if word.eq_ignore_ascii_case("pr") {
            return Ok(Filter::Present(path));
        }
        match Operator::from_name(word) {
            Some(operator) => Ok(Filter::Compare(path, operator, self.literal()?)),
            None => Err(expected(
                "an operator (eq, ne, co, sw, ew, gt, ge, lt, le, pr)",
                found,
                self.end,
            )),
        }
    }

    fn literal(&mut self) -> Result<Literal> {
        let found = self.take();
        match found.map(|found| found.token) {
            Some(Token::Quoted(json)) => match serde_json::from_str(json) {
                Ok(text) => Ok(Literal::Text(text)),
                Err(_) => Err(expected("a valid JSON string", found, self.end)),
            },
            Some(Token::Word("true")) => Ok(Literal::Boolean(true)),
            Some(Token::Word("false")) => Ok(Literal::Boolean(false)),
            Some(Token::Word("null")) => Ok(Literal::Null),
            Some(Token::Word(word)) => match serde_json::from_str::<f64>(word) {
                Ok(_) => Ok(Literal::Number(word.to_owned())),
                Err(_) if !self.profile.is_strict() => {
                    note(Forgiven::UnquotedText);
                    Ok(Literal::Text(word.to_owned()))
                }
                Err(_) => Err(expected(VALUE, found, self.end)),
            },
            Some(Token::Apostrophed(text)) if !self.profile.is_strict() => {
                note(Forgiven::UnquotedText);
                Ok(Literal::Text(text.to_owned()))
            }
            _ => Err(expected(VALUE, found, self.end)),
        }
    }
}

fn single_or(mut terms: Vec<Filter>, many: impl Fn(Vec<Filter>) -> Filter) -> Filter {
    match terms.pop() {
        Some(only) if terms.is_empty() => only,
        Some(last) => {
            terms.push(last);
            many(terms)
        }
        None => many(terms),
    }
}

/// Whether a word can be an attribute path: a letter, then name characters, dots, colons, `$ref` (RFC 7644 §3.10).
fn is_path(word: &str) -> bool {
    let name = |c: char| c.is_ascii_alphanumeric() || "-_.:$".contains(c);
    word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '$') && word.chars().all(name)
}

fn expected(what: &str, found: Option<Spanned<'_>>, end: usize) -> Error {
    let (position, found) = match found {
        None => (end + 1, "the filter ends".to_owned()),
        Some(Spanned { token, at }) => {
            let text = match token {
                Token::Open => "(",
                Token::Close => ")",
                Token::OpenBracket => "[",
                Token::CloseBracket => "]",
                Token::Quoted(text) | Token::Apostrophed(text) | Token::Word(text) => text,
            };
            (at + 1, format!("found `{}`", shortened(text)))
        }
    };
    Error::filter(format!("expected {what} at position {position}: {found}"))
}

/// Longest quotation in an error message, in characters: an attribute below an extension's URN has its name at the end.
const MAX_QUOTED: usize = 120;

/// The first characters of what somebody else sent, for an error message; those that cannot be seen, as `\u{202e}`.
pub fn shortened(text: &str) -> String {
    let mut chars = text.chars();
    let mut short = String::new();
    for c in chars.by_ref().take(MAX_QUOTED) {
        match name::is_unseen(c) {
            true => short.extend(c.escape_unicode()),
            false => short.push(c),
        }
    }
    if chars.next().is_some() {
        short.push('…');
    }
    short
}
