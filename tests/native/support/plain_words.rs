//! Words that no reply has, and texts that bring parsers to say them.

use super::Answer;

/// Words of the libraries that parse JSON, XML, URLs, certificates and compressed data, and of the language's own errors.
const PARSERS: [&str; 49] = [
    "expected value",
    "expected ident",
    "expected `",
    "expected one of",
    "expected struct",
    "expected a ",
    "expected u",
    "expected i",
    "unknown variant",
    "unknown field",
    "missing field",
    "duplicate field",
    "invalid type",
    "invalid value:",
    "invalid length",
    "did not match any variant",
    "EOF while",
    "unexpected end",
    "trailing comma",
    "trailing characters",
    "key must be a string",
    "control character (\\u0000",
    "lone leading surrogate",
    "invalid escape",
    "invalid number",
    "number out of range",
    "recursion limit",
    "invalid unicode",
    " at line ",
    "ill-formed",
    "syntax error",
    "not found before end of input",
    "end tag",
    "position ",
    "relative URL",
    "cannot-be-a-base",
    "empty host",
    "invalid port",
    "invalid IPv",
    "invalid domain character",
    "international domain name",
    "invalid digit",
    "out of range integral",
    "ASN.1",
    "DER",
    "TLV",
    "Invalid byte",
    "Invalid symbol",
    "invalid utf-8",
];

/// No reply has a parser's words: neither where it stands nor what it wanted.
#[track_caller]
pub fn expect_plain(answer: &Answer, given: &str) -> String {
    let text = answer.body.to_string();
    for words in PARSERS {
        assert!(!text.contains(words), "`{words}` for {given}: {text}");
    }
    text
}

/// Texts that are no JSON, and what is said of them.
pub const NO_JSON: [(&[u8], &str); 27] = [
    (b"{", "it breaks off in line 1, column 1"),
    (b"{\"a\":", "it breaks off in line 1, column 5"),
    (b"{\"a\": \"x", "it breaks off in line 1, column 8"),
    (b"[1, 2", "it breaks off in line 1, column 5"),
    (b"tru", "it breaks off in line 1, column 3"),
    (b"}", "`}` in line 1, column 1 does not belong there"),
    (b"hello", "`h` in line 1, column 1 does not belong there"),
    (b"NaN", "`N` in line 1, column 1 does not belong there"),
    (b"<html>", "`<` in line 1, column 1 does not belong there"),
    (b"{'a': 1}", "`'` in line 1, column 2 does not belong there"),
    (b"{a: 1}", "`a` in line 1, column 2 does not belong there"),
    (
        b"{\"a\": 1,}",
        "`}` in line 1, column 9 does not belong there",
    ),
    (
        b"{\"a\": [1,]}",
        "`]` in line 1, column 10 does not belong there",
    ),
    (b"{\"a\" 1}", "the number in line 1, column 6"),
    (b"{\"a\": 01}", "the number in line 1, column 8"),
    (b"{\"a\": 1e999}", "the number in line 1, column 11"),
    (
        b"{\"a\": -}",
        "`}` in line 1, column 8 does not belong there",
    ),
    (
        b"{\"a\": 1.}",
        "`}` in line 1, column 9 does not belong there",
    ),
    (b"{} {}", "`{` in line 1, column 4 does not belong there"),
    (b"{}\n\nx", "`x` in line 3, column 1 does not belong there"),
    (
        b"{\n  \"a\": nil\n}",
        "in line 2, column 9 does not belong there",
    ),
    (
        b"{\"a\": \"x\ny\"}",
        "the line break behind line 1 does not belong there",
    ),
    (
        b"{\"a\": \"\\x\"}",
        "`x` in line 1, column 9 does not belong there",
    ),
    (b"{\"a\": \"\\ud800\"}", "line 1, column"),
    (
        "{\"a\": ä}".as_bytes(),
        "`ä` in line 1, column 7 does not belong there",
    ),
    (
        b"{\"a\": 1, \"a\": 2}",
        "the key `a` is repeated (line 1, column",
    ),
    (b"{\"a\": \"\xff\"}", "it is no UTF-8 from byte 8 on"),
];
