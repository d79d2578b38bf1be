//! What group mappings give: once the directory's groups are what they should be, whoever is in one of them, itself or through groups in
//! it, is a member of the internal group that a mapping names. See [`store::mapping_grants`](crate::store::mapping_grants).

use std::collections::BTreeMap;

use super::execute::Writer;
use super::failure::Failure;
use super::group_mapping::{Wanted, note, to_json};
use super::object::Kind;
use super::session::Session;
use crate::change::Known;
use crate::scim::patch::MemberChanges;
use crate::store::mapping_grants::{self, Difference};
use crate::store::members::{BOTH, DIRECT, GIVEN, Pair};
use crate::store::rows_at;

/// How often what mappings give is looked at in one run, each time for thousands of memberships.
const MAX_ROUNDS: usize = 1_000;

/// Gives and takes back until what there is, is what there should be; false where a message's time is over before.
pub async fn settle(
    session: &Session<'_>,
    writer: &mut Writer<'_>,
    mappings: &[Wanted],
) -> Result<bool, Failure> {
    let wanted = to_json(mappings);
    while session.state.borrow().rounds < MAX_ROUNDS {
        let statement = mapping_grants::select_differences(&session.tenant, &session.idp, &wanted);
        let results = session.read(vec![statement]).await?;
        let differences = mapping_grants::differences(rows_at(&results, 0)?)?;
        if differences.is_empty() {
            return Ok(true);
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
        session.state.borrow_mut().rounds += 1;
        writer.grant(changes, pairs, rows, &notes).await?;
        if session.is_spent() {
            return Ok(false);
        }
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
