//! Which addresses the worker may be sent to. Whoever configures a provider chooses where it connects, so nothing is asked that only
//! we can reach: addresses of this machine, of private networks, of a cloud's metadata service.
//!
//! An address is judged as `fetch` reads it: both parse URLs by the WHATWG's standard, so that `0x7f.1`, `2130706433` and
//! `[::ffff:127.0.0.1]` are all the loopback address. A public name that resolves to a private address is not known here; Cloudflare's
//! network does not connect to those.

use std::net::{Ipv4Addr, Ipv6Addr};

use url::{Host, ParseError, Url};

/// Last labels of names that mean something inside one network only (RFC 6761, RFC 6762, RFC 8375, and what is in use).
const PRIVATE_SUFFIXES: [&str; 9] = [
    "localhost",
    "local",
    "localdomain",
    "internal",
    "intranet",
    "lan",
    "home",
    "corp",
    "home.arpa",
];

/// Parses an absolute URL, which is ASCII (RFC 3986 §2). A host beyond it is written as DNS has it (`xn--…`), and not encoded in
/// another way: the tables that would bring it into that form are not part of the worker.
pub fn parse(text: &str) -> Result<Url, String> {
    let after_scheme = text.split_once(':').map_or("", |(_, rest)| rest);
    let authority = after_scheme.trim_start_matches(['/', '\\']);
    let authority = authority.split(['/', '\\', '?', '#']).next();
    // A user's name and password before the host have an error of their own.
    let host = authority.and_then(|authority| authority.rsplit('@').next());
    if !text.is_ascii() || host.is_some_and(|host| host.contains('%')) {
        return Err("it is not written in ASCII: a host as in xn--bcher-kva.example, the rest percent-encoded".to_owned());
    }
    Url::parse(text).map_err(|error| format!("it is no absolute URL: {}", fault(error)))
}

fn fault(error: ParseError) -> &'static str {
    match error {
        ParseError::RelativeUrlWithoutBase => "it does not begin with https:// or the like",
        ParseError::EmptyHost => "it names no host",
        ParseError::InvalidPort => "its port is no number up to 65535",
        ParseError::InvalidIpv4Address | ParseError::InvalidIpv6Address => {
            "its host looks like an IP address, and is none"
        }
        _ => "its host has characters that no host has",
    }
}

/// Judges a URL from a configuration or a provider's document: `https`, and nowhere private. `local` allows the loopback address, and
/// plain `http` to it.
pub fn judge(text: &str, local: bool) -> Result<Url, String> {
    let url = parse(text).map_err(|error| format!("{text} cannot be used: {error}"))?;
    let Some(host) = url.host() else {
        return Err(format!("{text} names no host"));
    };
    let is_here = local && is_loopback(&host);
    match url.scheme() {
        "https" => {}
        "http" if is_here => {}
        "http" => {
            return Err(format!(
                "{text} is not secured: it has to begin with https://"
            ));
        }
        other => {
            return Err(format!(
                "{text} has the scheme {other}; it has to begin with https://"
            ));
        }
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(format!("{} has a user name or a password in it", host));
    }
    match reason(&host) {
        Some(reason) if !is_here => Err(format!("{host} is not allowed: {reason}")),
        _ => Ok(url),
    }
}

/// Judges a host by itself, as an LDAP URL has it: a name, or an address with or without brackets.
pub fn judge_host(text: &str, local: bool) -> Result<(), String> {
    if text.contains(['/', '?', '#', '@', '\\']) {
        return Err(format!("{text} is no host"));
    }
    let bracketed = match text.parse::<Ipv6Addr>() {
        Ok(_) => format!("[{text}]"),
        Err(_) => text.to_owned(),
    };
    judge(&format!("https://{bracketed}/"), local).map(drop)
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => {
            let name = name.strip_suffix('.').unwrap_or(name);
            name == "localhost" || name.ends_with(".localhost")
        }
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

/// Why a host is not to be connected to; none where it may be.
fn reason(host: &Host<&str>) -> Option<&'static str> {
    match host {
        Host::Domain(name) => name_reason(name),
        Host::Ipv4(address) => v4_reason(*address),
        Host::Ipv6(address) => v6_reason(*address),
    }
}

fn name_reason(name: &str) -> Option<&'static str> {
    let name = name.strip_suffix('.').unwrap_or(name);
    let ends_in = |suffix: &&str| {
        name.strip_suffix(suffix)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    if PRIVATE_SUFFIXES.iter().any(ends_in) {
        return Some("such names are for one machine or one network");
    }
    match name.contains('.') {
        true => None,
        false => Some("a name without a dot is for one network"),
    }
}

fn v4_reason(address: Ipv4Addr) -> Option<&'static str> {
    match address.octets() {
        [127, ..] => Some("it is this machine's own (loopback) address"),
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] | [100, 64..=127, ..] => {
            Some("it is an address of a private network")
        }
        [169, 254, ..] => Some("it is a link-local address, as metadata services have"),
        [168, 63, 129, 16] => Some("it is the address of a cloud's metadata service"),
        [0, ..]
        | [192, 0, 0 | 2, _]
        | [192, 88, 99, _]
        | [198, 18 | 19, ..]
        | [198, 51, 100, _]
        | [203, 0, 113, _]
        | [224..=255, ..] => Some("it is a reserved address"),
        _ => None,
    }
}

fn v6_reason(address: Ipv6Addr) -> Option<&'static str> {
    let embedded = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Ipv4Addr::new(a, b, c, d)
    };
    match address.segments() {
        [0, 0, 0, 0, 0, 0, 0, 1] => Some("it is this machine's own (loopback) address"),
        [0, 0, 0, 0, 0, 0, 0, 0] => Some("it is a reserved address"),
        // IPv4 in IPv6: mapped, translated, compatible, NAT64 (RFC 6052), 6to4 (RFC 3056).
        [0, 0, 0, 0, 0, 0xffff | 0, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => v4_reason(embedded(high, low)),
        [0xfc00..=0xfdff, ..] | [0xfec0..=0xfeff, ..] | [0x64, 0xff9b, 1, ..] => {
            Some("it is an address of a private network")
        }
        [0xfe80..=0xfebf, ..] => Some("it is a link-local address"),
        // Teredo and the like (RFC 6890), documentation, and what is not global unicast.
        [0x2001, 0..=0x01ff, ..] | [0x2001, 0xdb8, ..] | [0x3fff, 0..=0x0fff, ..] => {
            Some("it is a reserved address")
        }
        [first, ..] if first & 0xe000 != 0x2000 => Some("it is a reserved address"),
        _ => None,
    }
}
