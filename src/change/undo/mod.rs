//! Taking back what requests did: resources become what they were before the first of them, as far as nobody else changed them since.
//!
//! What is chosen are changes, by the rows of `revisions` that tell what was before each. They are put together for each resource, the latest
//! first, so that the oldest has the last word; what comes of it are intents like any others, and so an undo is written, recorded and undone
//! like any other change. Very many resources go in several batches, each of which leaves everything consistent.

mod found;
mod names;
mod outcome;
mod reading;
mod target;

use super::author::Author;
use super::intent::{Intent, Reverted, Wish};
use super::recent::Recent;
use super::request::{Along, Request};
use super::state::Done;
use super::writer::write;
use crate::error::Result;
use crate::ordered::{OrderedMap, OrderedSet};
use crate::scim::patch::MemberChanges;
use crate::scim::resource::differing;
use crate::scim::schema::{GROUPS, USERS};
use crate::scim::version::{Condition, Version};
use crate::store::Statement;
use crate::store::members::{DIRECT, GIVEN};
use found::{Around, Found};
use outcome::Resourceful;
pub use outcome::{Chosen, Conflict, Reason, Step, Undo, Undone};
use reading::{read, read_around};
use target::{Ground, Target, targets};

/// Statements that note what came of a part, written in its batch. They may fail it.
pub type Progress<'p> = &'p dyn Fn(&Undo) -> Vec<Statement>;

/// Changes in parts of so many resources, those that were changed last first. All changes of a resource are in one part.
pub fn in_parts(chosen: Vec<Chosen>, resources: usize) -> Vec<Vec<Chosen>> {
    let resourceful = by_resource(chosen);
    let parts = resourceful.chunks(resources.max(1));
    parts
        .map(|part| part.iter().flat_map(Resourceful::chosen).collect())
        .collect()
}

/// Takes a part of the changes back, or tries to. What earlier parts have done stays done, and can be taken back again.
pub async fn take_back(
    author: &dyn Author,
    recent: &Recent,
    part: Vec<Chosen>,
    is_dry: bool,
    progress: Option<Progress<'_>>,
) -> Result<Undo> {
    let part = by_resource(part);
    let mut undo = Undo::default();
    let is_noted = undo
        .take_part(author, recent, &part, is_dry, progress)
        .await?;
    if let Some(progress) = progress.filter(|_| !is_noted) {
        author.write(progress(&undo)).await?;
    }
    Ok(undo)
}

/// The resources that were changed, the one that was changed last first.
fn by_resource(chosen: Vec<Chosen>) -> Vec<Resourceful> {
    let mut resources: OrderedMap<(String, String), Resourceful> = OrderedMap::new();
    for change in chosen {
        let resource_type = match change.resource_type.as_str() {
            name if name == USERS.name => &USERS,
            name if name == GROUPS.name => &GROUPS,
            _ => continue,
        };
        let key = (change.resource_type, change.id.clone());
        let resource = resources.or_insert_with(key, || Resourceful {
            resource_type,
            id: change.id,
            first: change.seq,
            last: change.seq,
            requests: OrderedSet::new(),
            changes: Vec::new(),
        });
        resource.first = resource.first.min(change.seq);
        resource.last = resource.last.max(change.seq);
        resource.requests.insert(change.request_id.clone());
        resource.changes.push((change.request_id, change.seq));
    }
    let mut all: Vec<Resourceful> = resources.into_values().collect();
    all.sort_by_key(|resource| std::cmp::Reverse(resource.last));
    all
}

/// What is wanted of a group's members.
#[derive(Debug, Default)]
struct GroupMembers {
    add: OrderedMap<String, &'static str>,
    remove: OrderedSet<String>,
    grounds: OrderedMap<String, i64>,
}

impl Undo {
    /// Whether what came of it is noted already.
    async fn take_part(
        &mut self,
        author: &dyn Author,
        recent: &Recent,
        part: &[Resourceful],
        is_dry: bool,
        progress: Option<Progress<'_>>,
    ) -> Result<bool> {
        let found = read(author, part).await?;
        let own = &author.terms().origin.request_id;
        let mut targets = targets(self, part, &found, own)?;
        let around = read_around(author, &found, &targets).await?;
        names::refuse_taken(self, author.terms().profile, &mut targets, &found, &around);
        let members = self.members(&targets, &found, &around);
        let (intents, undone) = intents(&targets, members, &found, &around)?;
        let touched: OrderedSet<&String> = undone.iter().map(|undone| &undone.id).collect();
        let kept = targets.resources.iter();
        self.unchanged += kept
            .filter(|target| !touched.contains(&target.resource.id))
            .count();
        if intents.is_empty() {
            return Ok(false);
        }
        let seen = found.now.values().chain(around.groups.values());
        let pairs = around
            .pairs
            .iter()
            .map(|(pair, known)| (pair.clone(), *known));
        let so_far = self.clone();
        let along = |outcomes: &[Result<Done>]| {
            let mut undo = so_far.clone();
            undo.tally(&undone, outcomes);
            progress.map_or_else(Vec::new, |progress| progress(&undo))
        };
        let along: Along<'_> = &along;
        let request = Request {
            seen: seen.cloned().collect(),
            pairs: pairs.collect(),
            is_dry,
            along: progress.map(|_| along),
            ..Request::of(&intents)
        };
        let written = write(author, recent, &request).await?;
        self.tally(&undone, &written.outcomes);
        Ok(!is_dry)
    }

    /// Puts in what came of intents.
    fn tally(&mut self, undone: &[Undone], outcomes: &[Result<Done>]) {
        for (undone, outcome) in undone.iter().zip(outcomes) {
            match outcome {
                Ok(done) if done.is_changed => self.undone.push(undone.clone()),
                Ok(_) => self.unchanged += 1,
                Err(error) => self.conflicts.push(Conflict {
                    resource_type: undone.resource_type,
                    id: undone.id.clone(),
                    reason: Reason::Refused,
                    detail: error.detail.clone(),
                }),
            }
        }
    }

    /// What becomes of groups' members, as far as both are there.
    fn members(
        &mut self,
        targets: &target::Targets<'_>,
        found: &Found,
        around: &Around,
    ) -> OrderedMap<String, GroupMembers> {
        let mut all: OrderedMap<String, GroupMembers> = OrderedMap::new();
        let mut gone = OrderedSet::new();
        let (absent, revived) = (targets.absent(), targets.revived(found));
        for ((group, member), ground) in &targets.pairs {
            if absent.contains(group.as_str()) || absent.contains(member.as_str()) {
                continue;
            }
            let known = around.pairs.get(&(group.clone(), member.clone()));
            let known = known.copied().unwrap_or_default();
            let back = revived.get(member.as_str());
            let kind = known.kind.or(back.map(|resource_type| resource_type.name));
            let has_group = found.now.contains_key(group)
                || around.groups.contains_key(group)
                || revived.contains_key(group.as_str());
            let wanted = match (ground, kind, has_group) {
                (Ground::None, ..) if known.granted.is_none() => continue,
                (Ground::None, ..) => None,
                (_, _, false) => {
                    if gone.insert(group) {
                        self.conflict(
                            &GROUPS,
                            group,
                            Reason::GroupGone,
                            "the group is not there any more",
                        );
                    }
                    continue;
                }
                (_, None, true) => {
                    let detail = format!("{member} is not there any more");
                    self.conflict(&GROUPS, group, Reason::MemberGone, detail);
                    continue;
                }
                (Ground::Was(granted), Some(kind), true) => Some((*granted, kind)),
                (Ground::Unknown, Some(kind), true) => Some((GIVEN, kind)),
            };
            let members = all.or_default(group.clone());
            let Some((granted, kind)) = wanted else {
                members.remove.insert(member.clone());
                continue;
            };
            // What no mapping gives any more is nobody's but theirs.
            let is_given = around.given.contains(&(group.clone(), member.clone()));
            let granted = if is_given { granted } else { DIRECT };
            if known.granted.is_none() {
                members.add.insert(member.clone(), kind);
            }
            if known.granted.unwrap_or(DIRECT) != granted {
                members.grounds.insert(member.clone(), granted);
            }
        }
        all
    }
}

/// The intents, and what each of them is reported as: what frees names comes first, and who is to be a member before the group.
fn intents(
    targets: &target::Targets<'_>,
    mut members: OrderedMap<String, GroupMembers>,
    found: &Found,
    around: &Around,
) -> Result<(Vec<Result<Intent>>, Vec<Undone>)> {
    let mut made: Vec<(u8, Intent, Undone)> = Vec::new();
    for target in &targets.resources {
        let (resource_type, id) = (target.resource.resource_type, &target.resource.id);
        let now = found.now.get(id);
        let condition = now.map(|seen| Condition::OneOf(vec![seen.stored.version]));
        let rank = u8::from(resource_type.name == GROUPS.name);
        let own = members.remove(id).unwrap_or_default();
        let undone = |step, attributes| Undone {
            resource_type: resource_type.name,
            id: id.clone(),
            step,
            attributes,
            members: (own.add.len(), own.remove.len()),
        };
        let change = |wish| Intent {
            condition,
            ..Intent::change(resource_type, id.clone(), Ok(wish))
        };
        match (&target.target, now) {
            (Target::Absent, Some(_)) => {
                made.push((rank, change(Wish::Delete), undone(Step::Delete, Vec::new())));
            }
            (Target::Absent, None) => {}
            (Target::Was(was), None) => {
                let attributes = was.resource.attributes.keys().cloned().collect();
                let undone = undone(Step::Restore, attributes);
                let intent = Intent {
                    is_creation: true,
                    ..Intent::change(resource_type, id.clone(), Ok(revert(Some(was), own)))
                };
                made.push((2 + rank, intent, undone));
            }
            (Target::Was(was), Some(now)) => {
                let attributes = differing(&now.resource, &was.resource);
                if was.resource == *now.resource && own.is_empty() {
                    continue;
                }
                let undone = undone(Step::Revert, attributes);
                made.push((4, change(revert(Some(was), own)), undone));
            }
            (Target::Same, Some(_)) if !own.is_empty() => {
                let undone = undone(Step::Revert, Vec::new());
                made.push((4, change(revert(None, own)), undone));
            }
            (Target::Same, _) => {}
        }
    }
    // Groups that somebody comes back into, and that are changed by nothing else. Others may change them too.
    for (id, own) in members {
        if own.is_empty() || !around.groups.contains_key(&id) {
            continue;
        }
        let undone = Undone {
            resource_type: GROUPS.name,
            id: id.clone(),
            step: Step::Revert,
            attributes: Vec::new(),
            members: (own.add.len(), own.remove.len()),
        };
        let intent = Intent::change(&GROUPS, id, Ok(revert(None, own)));
        made.push((4, intent, undone));
    }
    made.sort_by_key(|(rank, ..)| *rank);
    let (intents, undone) = made
        .into_iter()
        .map(|(_, intent, undone)| (Ok(intent), undone))
        .unzip();
    Ok((intents, undone))
}

impl GroupMembers {
    fn is_empty(&self) -> bool {
        self.add.is_empty() && self.remove.is_empty() && self.grounds.is_empty()
    }
}

fn revert(was: Option<&target::Was>, members: GroupMembers) -> Wish {
    Wish::Revert(Reverted {
        resource: was.map(|was| was.resource.clone()),
        provider_id: was.map(|was| was.provider_id.clone()),
        version: was.map_or(Version(0), |was| was.version),
        created: was.map_or(0, |was| was.created),
        members: MemberChanges::by_id(members.add, members.remove),
        grounds: members.grounds,
    })
}
