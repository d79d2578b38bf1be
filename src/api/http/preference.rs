//! `Prefer` (RFC 7240): what a client would like. Of what there is, one is honoured: to be answered before the request is carried out
//! (`respond-async`, RFC 9967 §2.5.1.1), after so many seconds (`wait`) where it is not done by then. Others are passed over.

use http::{HeaderMap, HeaderName};

use super::request::{MAX_ASYNC_BODY_BYTES, MAX_BODY_BYTES};

/// The header.
pub const PREFER: HeaderName = HeaderName::from_static("prefer");
/// Longest wait that is granted, in seconds.
pub const MAX_WAIT: u32 = 25;

/// A wish to be answered early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RespondAsync {
    /// After how many seconds at the latest; none for at once.
    pub wait: Option<u32>,
}

impl RespondAsync {
    /// What the headers say of it; none where it is not wished for.
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let lines = headers.get_all(PREFER).into_iter();
        let texts = lines.filter_map(|line| line.to_str().ok());
        let wishes = texts.flat_map(|text| text.split(',')).map(|wish| {
            // Parameters of a preference say nothing here.
            let wish = wish.split(';').next().unwrap_or_default();
            let (name, value) = wish.split_once('=').unwrap_or((wish, ""));
            (name.trim(), value.trim().trim_matches('"'))
        });
        let (mut is_wished, mut wait) = (false, None);
        for (name, value) in wishes {
            is_wished |= name.eq_ignore_ascii_case("respond-async");
            // Of several, the first counts (RFC 7240 §2).
            if name.eq_ignore_ascii_case("wait") && wait.is_none() {
                wait = Some(value.parse::<u32>().ok());
            }
        }
        let wait = wait.flatten().filter(|seconds| *seconds > 0);
        is_wished.then_some(RespondAsync {
            wait: wait.map(|seconds| seconds.min(MAX_WAIT)),
        })
    }

    /// What `Preference-Applied` says.
    pub fn applied(self) -> String {
        match self.wait {
            Some(seconds) => format!("respond-async, wait={seconds}"),
            None => "respond-async".to_owned(),
        }
    }
}

/// Longest body that a request may have, in bytes.
pub fn max_body_bytes(path: &str, headers: &HeaderMap) -> usize {
    let is_bulk = path.trim_end_matches('/').ends_with("/Bulk");
    match is_bulk && RespondAsync::of(headers).is_some() {
        true => MAX_ASYNC_BODY_BYTES,
        false => MAX_BODY_BYTES,
    }
}
