//! What goes wrong with a directory, each as a sentence that tells an administrator what to do.

use super::message::LdapResult;

/// Result of anything asked of a directory.
pub type Result<T> = std::result::Result<T, Error>;

/// Longest text of a server that is passed on, in characters.
const MAX_DIAGNOSTIC: usize = 200;

/// A directory's failure. Its text names no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("{peer} cannot be reached: {reason}")]
    Unreachable { peer: String, reason: String },
    #[error("TLS with {peer} failed: {reason}")]
    Tls { peer: String, reason: String },
    /// The server has said nothing, or too little, for that long.
    #[error("{peer} did not answer the {operation} within {milliseconds} ms")]
    Timeout {
        peer: String,
        operation: &'static str,
        milliseconds: u32,
    },
    #[error("{peer} closed the connection before it answered the {operation}{reason}")]
    Closed {
        peer: String,
        operation: &'static str,
        /// The server's own, beginning with `: `, where it gave one.
        reason: String,
    },
    /// What arrived is not what RFC 4511 allows there.
    #[error("{peer} does not speak LDAP as it should: it sent {reason}")]
    Protocol { peer: String, reason: String },
    /// The server answered with a code that is no success.
    #[error("the {operation} failed: {}{}", meaning(*.code, .diagnostic), said(*.code, .diagnostic))]
    Refused {
        operation: &'static str,
        /// RFC 4511 §4.1.9 and appendix A.
        code: i64,
        /// The server's own words, shortened.
        diagnostic: String,
    },
    /// What is asked cannot be asked.
    #[error("{0}")]
    Invalid(String),
    /// The answer is larger than what is taken.
    #[error("{0}")]
    TooLarge(String),
}

impl Error {
    /// The error of a result that is no success. A server that repeats the password in its words does not get it passed on.
    pub(super) fn refused(operation: &'static str, result: &LdapResult, secret: &[u8]) -> Self {
        Error::Refused {
            operation,
            code: result.code,
            diagnostic: readable(&result.diagnostic, secret),
        }
    }
}

/// A server's words as one short line of text without the secret.
pub(super) fn readable(words: &[u8], secret: &[u8]) -> String {
    let mut text = String::from_utf8_lossy(words).into_owned();
    let secret = String::from_utf8_lossy(secret);
    if !secret.is_empty() {
        text = text.replace(secret.as_ref(), "…");
    }
    let text: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    let text = text.trim();
    match text.char_indices().nth(MAX_DIAGNOSTIC) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

fn said(code: i64, diagnostic: &str) -> String {
    let name = name(code).map_or_else(|| code.to_string(), |name| format!("{code} {name}"));
    match diagnostic {
        "" => format!(" ({name})"),
        words => format!(" ({name}: {words})"),
    }
}

/// RFC 4511 appendix A.1.
fn name(code: i64) -> Option<&'static str> {
    Some(match code {
        1 => "operationsError",
        2 => "protocolError",
        3 => "timeLimitExceeded",
        4 => "sizeLimitExceeded",
        7 => "authMethodNotSupported",
        8 => "strongerAuthRequired",
        9 => "partialResults",
        10 => "referral",
        11 => "adminLimitExceeded",
        12 => "unavailableCriticalExtension",
        13 => "confidentialityRequired",
        14 => "saslBindInProgress",
        16 => "noSuchAttribute",
        17 => "undefinedAttributeType",
        18 => "inappropriateMatching",
        21 => "invalidAttributeSyntax",
        32 => "noSuchObject",
        33 => "aliasProblem",
        34 => "invalidDNSyntax",
        36 => "aliasDereferencingProblem",
        48 => "inappropriateAuthentication",
        49 => "invalidCredentials",
        50 => "insufficientAccessRights",
        51 => "busy",
        52 => "unavailable",
        53 => "unwillingToPerform",
        54 => "loopDetect",
        80 => "other",
        _ => return None,
    })
}

/// What a code means for whoever set the directory up.
fn meaning(code: i64, diagnostic: &str) -> &'static str {
    match code {
        // Active Directory says why in its words alone; a bind that fails before a search is an operationsError there.
        1 if diagnostic.contains("successful bind must be completed") => {
            "the directory gives nothing to strangers: a bind DN and a password are needed"
        }
        2 => "the server takes the request for malformed, or does not support it",
        3 => {
            "the server's time limit was reached; narrow the base DN or the filter, or raise the limit for the bind DN"
        }
        4 => {
            "the server gives this bind DN fewer entries than there are; raise its size limit, or lower the page size"
        }
        7 => "the server takes no simple bind",
        8 => "the server wants a protected connection; use ldaps:// or StartTLS",
        9 | 10 => {
            "another server has that part of the directory; use the address of the server that holds the base DN"
        }
        11 => {
            "an administrative limit of the server was reached; raise it for the bind DN, or lower the page size"
        }
        13 => "the server wants a protected connection; use ldaps:// or StartTLS",
        16 | 17 => "the server does not know an attribute that was asked for",
        18 => "the filter compares an attribute in a way that the server does not support",
        21 => "a value in the filter does not have its attribute's form",
        32 => "there is no entry of that DN, or the bind DN may not see it",
        34 => "the server takes the DN for malformed",
        48 => "the server does not take this kind of bind from this DN",
        49 => credentials(diagnostic),
        50 => "the bind DN may not do this; give it the right to read",
        51 => "the server is busy; try again later",
        52 => "the server is not available now, or does not offer this",
        53 => "the server will not do this for the bind DN, or not on this connection",
        _ => "the server reports an error",
    }
}

/// Active Directory hides which of many reasons it is behind one code, and names it in its words, as `data 52e`.
fn credentials(diagnostic: &str) -> &'static str {
    let detail = diagnostic
        .split_once("data ")
        .map(|(_, rest)| rest.split([',', ' ']).next().unwrap_or_default());
    match detail {
        Some("525") => "the directory has no such bind DN",
        Some("530" | "531") => "the bind account may not sign in now, or not from here",
        Some("532") => "the bind account's password has expired",
        Some("533") => "the bind account is disabled",
        Some("701") => "the bind account has expired",
        Some("773") => "the bind account's password has to be changed first",
        Some("775") => "the bind account is locked",
        _ => "the bind DN or the password is wrong",
    }
}
