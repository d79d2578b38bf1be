//! Bodies that come compressed (RFC 9110 §8.4): `gzip`, `deflate` and several of them are decoded, anything else is 415 with what is taken.
//! What comes out is bounded while it comes: a small body that unpacks to gigabytes costs what one of the longest allowed costs.

use std::borrow::Cow;

use http::HeaderMap;
use http::header::CONTENT_ENCODING;
use miniz_oxide::inflate::{
    DecompressError, TINFLStatus, decompress_to_vec_with_limit, decompress_to_vec_zlib_with_limit,
};

use crate::error::{Error, Kind, Result};
use crate::scim::filter::parse::shortened;

/// What `Accept-Encoding` of a 415 names.
pub const ACCEPTED: &str = "gzip, deflate, identity";
/// Most codings one after the other: nobody has use for more, and each costs a pass.
const MAX_CODINGS: usize = 3;

/// Why a body cannot be decoded.
enum Failure {
    TooLong,
    /// It is not what the coding says.
    Malformed,
}

impl From<DecompressError> for Failure {
    fn from(error: DecompressError) -> Self {
        match error.status {
            TINFLStatus::HasMoreOutput => Failure::TooLong,
            _ => Failure::Malformed,
        }
    }
}

/// The body without its codings, at most so many bytes long where it had any. An empty body has nothing to decode.
pub fn decoded<'b>(headers: &HeaderMap, body: &'b [u8], most: usize) -> Result<Cow<'b, [u8]>> {
    let mut body = Cow::Borrowed(body);
    if body.is_empty() {
        return Ok(body);
    }
    let codings = codings(headers)?;
    // The last one was applied last.
    for coding in codings.iter().rev() {
        let result = match coding {
            Coding::Gzip => gunzip(&body, most),
            Coding::Deflate => inflate(&body, most),
        };
        body = Cow::Owned(result.map_err(|failure| match failure {
            Failure::TooLong => Error::new(
                Kind::PayloadTooLarge,
                format!("the body is longer than {most} bytes once it is decoded"),
            ),
            Failure::Malformed => Error::new(
                Kind::BadRequest,
                format!(
                    "the body is not what Content-Encoding says: {}",
                    coding.name()
                ),
            ),
        })?);
    }
    Ok(body)
}

#[derive(Debug, Clone, Copy)]
enum Coding {
    Gzip,
    Deflate,
}

impl Coding {
    const fn name(self) -> &'static str {
        match self {
            Coding::Gzip => "gzip",
            Coding::Deflate => "deflate",
        }
    }
}

/// The codings that the headers name, in the order in which they were applied; `identity` is none.
fn codings(headers: &HeaderMap) -> Result<Vec<Coding>> {
    let mut codings = Vec::new();
    for line in headers.get_all(CONTENT_ENCODING) {
        for name in line.to_str().unwrap_or("?").split(',').map(str::trim) {
            let is = |known: &str| name.eq_ignore_ascii_case(known);
            if name.is_empty() || is("identity") {
                continue;
            }
            match () {
                () if is("gzip") || is("x-gzip") => codings.push(Coding::Gzip),
                () if is("deflate") => codings.push(Coding::Deflate),
                () => return Err(not_taken(&shortened(name))),
            }
        }
    }
    match codings.len() > MAX_CODINGS {
        true => Err(not_taken(&format!("more than {MAX_CODINGS} codings"))),
        false => Ok(codings),
    }
}

fn not_taken(what: &str) -> Error {
    Error::new(
        Kind::UnsupportedEncoding,
        format!("the body may be encoded as {ACCEPTED}, and not as {what}"),
    )
}

/// `deflate` is zlib's format (RFC 9110 §8.4.1.2); some send what stands inside that, without its frame.
fn inflate(body: &[u8], most: usize) -> std::result::Result<Vec<u8>, Failure> {
    match decompress_to_vec_zlib_with_limit(body, most).map_err(Failure::from) {
        Err(Failure::Malformed) => Ok(decompress_to_vec_with_limit(body, most)?),
        done => done,
    }
}

/// Flags of a gzip header (RFC 1952 §2.3.1).
const HEADER_CHECKSUM: u8 = 2;
const EXTRA: u8 = 4;
const NAME: u8 = 8;
const COMMENT: u8 = 16;
/// Bytes of the checksum and of the length that end a gzip body.
const TRAILER: usize = 8;

/// One gzip member. Its length is checked; its checksum is not, as RFC 1952 §2.3.1.2 allows: TLS has carried it.
fn gunzip(body: &[u8], most: usize) -> std::result::Result<Vec<u8>, Failure> {
    let packed = without_header(body).ok_or(Failure::Malformed)?;
    let (packed, trailer) = packed
        .len()
        .checked_sub(TRAILER)
        .and_then(|end| packed.split_at_checked(end))
        .ok_or(Failure::Malformed)?;
    let unpacked = decompress_to_vec_with_limit(packed, most)?;
    let length = u32::try_from(unpacked.len()).unwrap_or(u32::MAX);
    match trailer.ends_with(&length.to_le_bytes()) {
        true => Ok(unpacked),
        false => Err(Failure::Malformed),
    }
}

/// What follows the header; none where there is no whole one.
fn without_header(body: &[u8]) -> Option<&[u8]> {
    let rest = body.strip_prefix(&[0x1f, 0x8b, 8])?;
    let (&flags, rest) = rest.split_first()?;
    // Time, extra flags, operating system.
    let (_, mut rest) = rest.split_at_checked(6)?;
    if flags & EXTRA != 0 {
        let (length, after) = rest.split_first_chunk::<2>()?;
        rest = after.get(usize::from(u16::from_le_bytes(*length))..)?;
    }
    for text in [NAME, COMMENT] {
        if flags & text != 0 {
            let end = rest.iter().position(|byte| *byte == 0)?;
            rest = rest.get(end + 1..)?;
        }
    }
    if flags & HEADER_CHECKSUM != 0 {
        rest = rest.get(2..)?;
    }
    Some(rest)
}
