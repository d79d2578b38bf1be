//! Cuts a filter into tokens, in one pass, with the place of each in bytes.

use crate::scim::error::{Error, Result};

/// A token of the filter grammar.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Token<'a> {
    Open,
    Close,
    OpenBracket,
    CloseBracket,
    /// A JSON string, quotes included.
    Quoted(&'a str),
    /// A string between apostrophes, without them: out of the grammar, yet sent.
    Apostrophed(&'a str),
    /// Anything else up to white space or a bracket: a path, an operator, a number, a keyword.
    Word(&'a str),
}

/// A token and where it begins.
#[derive(Debug, Clone, Copy)]
pub struct Spanned<'a> {
    pub token: Token<'a>,
    pub at: usize,
}

/// All tokens of a text.
pub fn tokens(text: &str) -> Result<Vec<Spanned<'_>>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..) {
        let Some(first) = rest.chars().next() else {
            break;
        };
        let (token, length) = match first {
            ' ' | '\t' | '\r' | '\n' => {
                at += 1;
                continue;
            }
            '(' => (Token::Open, 1),
            ')' => (Token::Close, 1),
            '[' => (Token::OpenBracket, 1),
            ']' => (Token::CloseBracket, 1),
            '"' => {
                let end = end_of_string(rest).ok_or_else(|| unclosed(at))?;
                (Token::Quoted(rest.get(..end).unwrap_or_default()), end)
            }
            '\'' => {
                let inner = rest.get(1..).unwrap_or_default();
                let end = inner.find('\'').ok_or_else(|| unclosed(at))?;
                (
                    Token::Apostrophed(inner.get(..end).unwrap_or_default()),
                    end + 2,
                )
            }
            _ => {
                // What ends a word is what is passed over or stands alone, and nothing else: a word has one character at least.
                let ends = |c: char| " \t\r\n()[]\"".contains(c);
                let end = rest.find(ends).unwrap_or(rest.len());
                (Token::Word(rest.get(..end).unwrap_or_default()), end)
            }
        };
        found.push(Spanned { token, at });
        at += length;
    }
    Ok(found)
}

/// Length of the JSON string at the start of the text, quotes included.
fn end_of_string(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}

fn unclosed(at: usize) -> Error {
    Error::filter(format!(
        "the string that begins at position {} is not closed",
        at + 1
    ))
}
