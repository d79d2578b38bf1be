//! Which URNs can be those of a tenant's own schemas.

use super::resource_types::RESOURCE_TYPES;
use crate::scim::profile::Profile;

/// What begins the URNs that are not anybody's own.
const TAKEN: [&str; 3] = [
    "urn:ietf:params:scim:api:",
    "urn:ietf:params:scim:schemas:core:",
    "urn:rollcall:",
];

/// Why a URN cannot be a schema's beside others of the tenant's own; none where it can.
pub fn fault_of_urn<'o>(urn: &str, mut others: impl Iterator<Item = &'o str>) -> Option<String> {
    let parts: Vec<&str> = urn.split(':').collect();
    let is_part = |part: &&str| {
        let mut characters = part.chars();
        !part.is_empty() && characters.all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
    };
    let is_urn = parts.len() >= 3
        && parts.iter().all(is_part)
        && parts
            .first()
            .is_some_and(|first| first.eq_ignore_ascii_case("urn"));
    if !is_urn {
        return Some("it is no URN of letters, digits, `.`, `_` and `-` between colons".to_owned());
    }
    let folded = urn.to_ascii_lowercase();
    if TAKEN.iter().any(|taken| folded.starts_with(taken)) {
        return Some("it is not for schemas of one's own".to_owned());
    }
    let clashes = |other: &&str| {
        let other = other.to_ascii_lowercase();
        let begins = |long: &str, short: &str| {
            long.strip_prefix(short)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with([':', '.']))
        };
        begins(&folded, &other) || begins(&other, &folded)
    };
    let mut known = RESOURCE_TYPES.iter().flat_map(|resource_type| {
        let core = std::iter::once(&resource_type.schema);
        let all = core.chain(resource_type.extensions);
        all.flat_map(|schema| schema.names(Profile::Compat))
    });
    let clash = known.find(clashes).or_else(|| others.find(clashes))?;
    Some(format!(
        "a path could mean it or {clash}, of which one begins like the other"
    ))
}

/// Whether an attribute can have that name (RFC 7643 §2.1).
pub fn is_attribute_name(name: &str) -> bool {
    let mut characters = name.chars();
    characters
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic())
        && characters.all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
}
