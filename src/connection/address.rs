//! Which hosts are nobody's but our own network's. A tenant names hosts that the worker then talks to; one inside would let him look around
//! where he has no business. The runtime refuses private addresses too, whatever name leads to them; this says so beforehand, and clearly.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Names that lead nowhere outside (RFC 6761, RFC 6762, RFC 8375, and `internal`, which ICANN keeps for it).
const PRIVATE_NAMES: [&str; 5] = ["localhost", "local", "internal", "localdomain", "home.arpa"];

/// Judges a host. `local` allows this machine's own, as local development needs.
pub fn judge_host(host: &str, local: bool) -> Result<(), String> {
    match is_private(host) && !(local && is_here(host)) {
        true => Err(format!("{host} is not allowed: it is in a private network")),
        false => Ok(()),
    }
}

fn is_here(host: &str) -> bool {
    match host.parse::<IpAddr>() {
        Ok(address) => address.is_loopback(),
        Err(_) => host == "localhost",
    }
}

/// Whether a host, a name or an address with or without brackets, is on this machine or in a private network; also one that is
/// neither a name nor an address in its ordinary form, as `127.1` or `0x7f000001` are.
pub fn is_private(host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
        .unwrap_or(&host);
    match bare.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => is_private_v4(address),
        Ok(IpAddr::V6(address)) => is_private_v6(address),
        Err(_) => is_private_name(bare),
    }
}

fn is_private_name(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or_default();
    let is_number = last.bytes().all(|byte| byte.is_ascii_digit()) || last.starts_with("0x");
    let below = |end: &str| {
        name.strip_suffix(end)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    };
    is_number || !name.contains('.') || PRIVATE_NAMES.iter().any(|end| below(end))
}

/// RFC 6890, and multicast.
fn is_private_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || address.is_multicast()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (18..20).contains(&b))
}

/// What is not global unicast, and what carries a private address of IPv4 in it: mapped, translated (RFC 6052) or 6to4.
fn is_private_v6(address: Ipv6Addr) -> bool {
    let v4 = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        is_private_v4(Ipv4Addr::new(a, b, c, d))
    };
    match address.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low] => v4(high, low),
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => v4(high, low),
        [0x2002, high, low, ..] => v4(high, low),
        [0x2001, 0xdb8, ..] => true,
        [first, ..] => first & 0xe000 != 0x2000,
    }
}
