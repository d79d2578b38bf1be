//! A group mapping as it is compared with the directory, and what the log says of it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::digest::Digest;
use super::mapping::{dn_key, shortened_dn};
use super::object::{Action, Kind, Note};
use super::source::{Place, Source};
use crate::ids;
use crate::ldap::dn;
use crate::store::group_mappings::GroupMapping;

/// Attributes whose values are UUIDs.
const UUIDS: [&str; 3] = ["entryUUID", "objectGUID", "ipaUniqueID"];

/// A mapping as it is compared with the directory: the external group is named by its unique id or by its DN.
pub struct Wanted {
    pub mapping: String,
    /// The external group as it was given.
    pub external: String,
    /// The internal group.
    pub group: Uuid,
    pub unique_id: String,
    pub dn_key: Digest,
}

impl From<&GroupMapping> for Wanted {
    fn from(mapping: &GroupMapping) -> Self {
        let external = mapping.external_group_id.trim();
        Wanted {
            mapping: mapping.id.clone(),
            external: external.to_owned(),
            group: Uuid::try_parse(&mapping.internal_group_id).unwrap_or_default(),
            unique_id: ids::as_kept(external),
            dn_key: dn_key(external),
        }
    }
}

/// Why an external group can be none of a directory, by the unique id and the place of its groups; none where it may be one.
pub fn unmatchable(external: &str, unique_id: &str, groups: Option<&Place>) -> Option<String> {
    let external = external.trim();
    let Some(groups) = groups else {
        return Some("the provider has no group_filter, so no groups are read".to_owned());
    };
    if ids::canonical_uuid(external).is_some() {
        return None;
    }
    let has_uuids = UUIDS
        .iter()
        .any(|known| known.eq_ignore_ascii_case(unique_id));
    if has_uuids
        && let Some(bytes) = STANDARD.decode(external).ok()
        && let Ok(bytes) = <[u8; 16]>::try_from(bytes)
    {
        let uuid = match unique_id.eq_ignore_ascii_case("objectGUID") {
            true => Uuid::from_bytes_le(bytes),
            false => Uuid::from_bytes(bytes),
        };
        return Some(format!(
            "it is base64, and {unique_id} is compared as text: {uuid}"
        ));
    }
    match dn::parse(external) {
        Ok(_) if dn::is_within(external, &groups.base_dn) => None,
        // Any text may be a unique id of such an attribute.
        _ if !has_uuids => None,
        Ok(_) => Some(format!(
            "it is not below {}, where groups are looked for",
            groups.base_dn
        )),
        Err(error) if external.contains('=') => Some(format!("it is no DN: {error}")),
        Err(_) => Some(format!("it is neither a UUID, as {unique_id} is, nor a DN")),
    }
}

/// The entries in the log for mappings that can give nothing.
pub fn unmatched(mappings: &[Wanted], source: &Source) -> Vec<Note> {
    let notes = mappings.iter().filter_map(|wanted| {
        let (unique_id, groups) = (&source.mapping.unique_id, source.groups.as_ref());
        let reason = unmatchable(&wanted.external, unique_id, groups)?;
        Some(Note {
            kind: Kind::Group,
            action: Action::Unresolved,
            unique_id: None,
            dn: None,
            name: Some(shortened_dn(&wanted.external)),
            resource_id: Some(wanted.group.to_string()),
            reason: Some(format!(
                "the group mapping {} can give nothing: {reason}",
                wanted.mapping
            )),
        })
    });
    notes.collect()
}

/// The mappings as the store compares them.
pub fn to_json(mappings: &[Wanted]) -> Json {
    let mappings = mappings.iter().map(|wanted| {
        json!([
            wanted.mapping,
            wanted.group.to_string(),
            wanted.unique_id,
            wanted.dn_key.to_text()
        ])
    });
    mappings.collect()
}

/// The entry in the log for what they give and take back.
pub fn note(group: &str, given: u64, taken_back: u64) -> Note {
    Note {
        kind: Kind::Group,
        action: Action::Members,
        unique_id: None,
        dn: None,
        name: None,
        resource_id: Some(group.to_owned()),
        reason: Some(format!(
            "{given} given, {taken_back} taken back by group mappings"
        )),
    }
}
