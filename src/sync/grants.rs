//! What group mappings give: once the directory's groups are what they should be, whoever is in one of them, itself or through groups in
//! it, is a member of the internal group that a mapping names. See [`store::mapping_grants`](crate::store::mapping_grants).

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::digest::Digest;
use super::execute::Writer;
use super::mapping::{dn_key, shortened_dn};
use super::object::{Action, Kind, Note};
use super::session::Session;
use super::{Failure, Place, Source};
use crate::change::Known;
use crate::ids;
use crate::ldap::dn;
use crate::scim::patch::MemberChanges;
use crate::store::group_mappings::GroupMapping;
use crate::store::mapping_grants::{self, Difference};
use crate::store::members::{BOTH, DIRECT, GIVEN, Pair};
use crate::store::rows_at;

/// How often what mappings give is looked at, each time for thousands of memberships.
const MAX_ROUNDS: usize = 100;

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

/// The entry in the log.
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

/// Gives and takes back until what there is, is what there should be.
pub async fn settle(
    session: &Session<'_>,
    writer: &mut Writer<'_>,
    mappings: &[Wanted],
) -> Result<(), Failure> {
    let wanted = to_json(mappings);
    // What it follows from has to be there first.
    writer.flush().await?;
    for _ in 0..MAX_ROUNDS {
        let statement = mapping_grants::select_differences(&session.tenant, &session.idp, &wanted);
        let results = session.read(vec![statement]).await?;
        let differences = mapping_grants::differences(rows_at(&results, 0)?)?;
        if differences.is_empty() {
            return Ok(());
        }
        let mut groups: BTreeMap<&str, Vec<&Difference>> = BTreeMap::new();
        for difference in &differences {
            groups
                .entry(&difference.group_id)
                .or_default()
                .push(difference);
        }
        let (mut changes, mut pairs, mut notes) = (Vec::new(), Vec::new(), Vec::new());
        for (group, differences) in groups {
            let Effect {
                come,
                go,
                given,
                taken_back,
            } = effect(&differences);
            pairs.extend(differences.iter().map(|one| known(one)));
            if given + taken_back > 0 {
                writer.counts().mapped.given += given;
                writer.counts().mapped.taken_back += taken_back;
                notes.push(note(group, given, taken_back));
            }
            let come = come.into_iter().map(|member| (member, Kind::User.name()));
            changes.push((group.to_owned(), MemberChanges::by_id(come, go)));
        }
        let rows = mapping_grants::apply(&session.tenant, &session.idp, &differences);
        writer.grant(changes, pairs, rows, &notes).await?;
    }
    Err(Failure::Refused(
        "others keep changing what group mappings give; the next sync goes on".to_owned(),
    ))
}

/// A membership as it is.
fn known(difference: &Difference) -> (Pair, Known) {
    let pair = (difference.group_id.clone(), difference.member_id.clone());
    let known = Known {
        granted: difference.granted,
        kind: Some(Kind::User.name()),
    };
    (pair, known)
}

/// What differences come to for a group.
#[derive(Default)]
struct Effect {
    /// Those whom mappings give from now on, and those whom they give no more.
    come: Vec<String>,
    go: Vec<String>,
    /// How many memberships appear, and how many disappear.
    given: u64,
    taken_back: u64,
}

fn effect(differences: &[&Difference]) -> Effect {
    let mut members: BTreeMap<&str, Vec<&Difference>> = BTreeMap::new();
    for difference in differences {
        members
            .entry(&difference.member_id)
            .or_default()
            .push(difference);
    }
    let mut effect = Effect::default();
    for (member, differences) in members {
        let gives = differences.iter().any(|difference| difference.give == 1);
        let lost = differences
            .iter()
            .filter(|difference| difference.give == 0)
            .count();
        let Some(one) = differences.first() else {
            continue;
        };
        let grounds = usize::try_from(one.grounds).unwrap_or_default();
        match one.granted {
            None | Some(DIRECT) if gives => {
                effect.given += u64::from(one.granted.is_none());
                effect.come.push(member.to_owned());
            }
            Some(GIVEN | BOTH) if !gives && lost >= grounds => {
                effect.taken_back += u64::from(one.granted == Some(GIVEN));
                effect.go.push(member.to_owned());
            }
            _ => {}
        }
    }
    effect
}
