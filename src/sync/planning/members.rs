//! Who is in the directory's groups, and what of that is new.

use std::collections::{BTreeSet, HashSet};

use uuid::Uuid;

use super::planner::Planner;
use crate::store::directory_entries;
use crate::sync::digest::{Digest, of_members};
use crate::sync::failure::Failure;
use crate::sync::mapping::shortened_dn;
use crate::sync::object::{Action, Kind, Note};
use crate::sync::staged::{Member, MembersPart, RESOURCE};
use crate::sync::survey::Fate;

/// Members whose groups are read at once.
const AT_ONCE: usize = 50_000;
/// Members that a note names.
const NAMED: usize = 5;

/// A group whose members are not what they were.
struct Changed {
    unique_id: Box<str>,
    name: Box<str>,
    group: Uuid,
    members: Vec<(Uuid, Kind)>,
    digest: Digest,
    is_new: bool,
}

/// A note on a group with members that are no resources.
struct Unresolved {
    note: Note,
    count: usize,
    /// The first of them: as the group writes them, or by the number of a staged object.
    some: Vec<Result<Box<str>, u32>>,
}

/// Who comes into a group, and who leaves it.
type Difference<'d> = (&'d [(Uuid, Kind)], &'d [Uuid]);

/// Parts on their way into pieces.
#[derive(Default)]
struct Parts {
    parts: Vec<MembersPart>,
    weight: usize,
}

impl Planner<'_, '_> {
    pub(super) async fn draw_up_members(&mut self) -> Result<(), Failure> {
        let records = self.intake.survey.records.iter();
        let groups = records.filter(|(_, record)| record.kind == Kind::Group);
        let groups = groups.filter(|(_, record)| record.resource().is_some());
        let mut groups: Vec<(u32, Uuid, Fate)> = groups
            .filter_map(|(_, record)| Some((record.staged?.get(), record.resource, record.fate)))
            .collect();
        groups.sort_unstable_by_key(|(number, ..)| *number);
        let (mut changed, mut unresolved, mut parts) = (Vec::new(), Vec::new(), Parts::default());
        let mut weight = 0;
        for (number, group, fate) in groups {
            let Some(one) = self.resolve(number, group, fate, &mut unresolved).await? else {
                continue;
            };
            if weight > 0 && weight + one.members.len() > AT_ONCE {
                self.compare(std::mem::take(&mut changed), &mut parts)
                    .await?;
                weight = 0;
            }
            weight += one.members.len() + 1;
            changed.push(one);
        }
        self.compare(changed, &mut parts).await?;
        self.stage_parts(&mut parts).await?;
        self.note_unresolved(unresolved).await
    }

    /// The members of a group that are resources, where they are not what they were; the others are noted.
    async fn resolve(
        &mut self,
        number: u32,
        group: Uuid,
        fate: Fate,
        unresolved: &mut Vec<Unresolved>,
    ) -> Result<Option<Changed>, Failure> {
        let (objects, _) = self.intake.store.objects((number, number + 1)).await?;
        let Some((object, named)) = objects
            .first()
            .and_then(|object| Some((object, object.members.as_ref()?)))
        else {
            return Ok(None);
        };
        let survey = &self.intake.survey;
        let mut members = Vec::new();
        let (mut missing, mut some) = (0, Vec::new());
        for key in named.keys() {
            if let Some(member) = survey.member(key) {
                members.push(member);
                continue;
            }
            missing += 1;
            if missing <= NAMED {
                let here = survey
                    .named(key)
                    .and_then(|number| survey.records.get(number)?.staged);
                some.push(match here {
                    Some(number) => Err(number.get()),
                    None => Ok(shortened_dn(named.stranger(key))),
                });
            }
        }
        if missing > 0 {
            self.plan.counts.memberships.unresolved += u64::try_from(missing).unwrap_or(u64::MAX);
            unresolved.push(Unresolved {
                note: object.note(Action::Unresolved, None),
                count: missing,
                some,
            });
        }
        members.sort_unstable();
        members.dedup();
        let digest = of_members(members.iter().map(|(id, _)| *id).collect());
        if self.terms.foreseen.is_some() {
            self.to_be.insert(group, members.clone());
        }
        let is_new = fate == Fate::Create;
        if !is_new && digest == object.members_digest {
            return Ok(None);
        }
        Ok(Some(Changed {
            unique_id: object.unique_id.clone(),
            name: object.name.clone(),
            group,
            members,
            digest,
            is_new,
        }))
    }

    /// Compares groups with who is in them by the directory's word.
    async fn compare(&mut self, changed: Vec<Changed>, parts: &mut Parts) -> Result<(), Failure> {
        let session = self.intake.session;
        let mut before = std::mem::take(&mut self.intake.members);
        let unknown = changed.iter().filter(|group| !group.is_new);
        let unknown = unknown.map(|group| &group.group);
        let unknown = unknown.filter(|group| !before.contains_key(group));
        let unknown: Vec<String> = unknown.map(Uuid::to_string).collect();
        let batch = directory_entries::select_members(&session.tenant, &unknown);
        before.extend(directory_entries::members(&session.read(batch).await?)?);
        for group in changed {
            let known = before.remove(&group.group).unwrap_or_default();
            let known: HashSet<Uuid> = known.into_iter().collect();
            let wanted: HashSet<Uuid> = group.members.iter().map(|(id, _)| *id).collect();
            let mut remove: Vec<Uuid> = known.difference(&wanted).copied().collect();
            remove.sort_unstable();
            let mut add = group.members;
            add.retain(|(id, _)| !known.contains(id));
            self.plan.sums.members_removed += remove.len();
            let end = (group.digest, add.len(), remove.len());
            let in_one = session.limits.objects * RESOURCE;
            let removed = remove.chunks(in_one).map(|ids| (&[][..], ids));
            let added = add.chunks(in_one).map(|ids| (ids, &[][..]));
            let mut pieces: Vec<Difference<'_>> = removed.chain(added).collect();
            if pieces.is_empty() {
                pieces.push((&[], &[]));
            }
            let last = pieces.len() - 1;
            for (index, (add, remove)) in pieces.into_iter().enumerate() {
                let part = MembersPart {
                    unique_id: group.unique_id.clone(),
                    name: group.name.clone(),
                    group: group.group,
                    add: add.iter().map(|(id, kind)| (Member(*id), *kind)).collect(),
                    remove: remove.iter().copied().map(Member).collect(),
                    end: (index == last).then_some(end),
                };
                let weight = part.weight() + RESOURCE;
                if parts.weight > 0 && parts.weight + weight > in_one {
                    self.stage_parts(parts).await?;
                }
                parts.weight += weight;
                parts.parts.push(part);
            }
        }
        Ok(())
    }

    async fn stage_parts(&mut self, parts: &mut Parts) -> Result<(), Failure> {
        let Parts { parts, .. } = std::mem::take(parts);
        if !parts.is_empty() {
            let piece = self.intake.stage.put_members(&parts).await?;
            self.plan.pieces.push(piece);
        }
        Ok(())
    }

    async fn note_unresolved(&mut self, unresolved: Vec<Unresolved>) -> Result<(), Failure> {
        let staged = unresolved.iter().flat_map(|one| &one.some);
        let staged: BTreeSet<u32> = staged
            .filter_map(|name| name.as_ref().err().copied())
            .collect();
        let dns = self.dns(&staged).await?;
        for one in unresolved {
            let some = one.some.iter().map(|name| match name {
                Ok(name) => name,
                Err(number) => dns.get(number).map_or("", |dn| dn),
            });
            let some: Vec<&str> = some.collect();
            let more = match one.count > NAMED {
                true => " and others",
                false => "",
            };
            let reason = format!(
                "{} of its members are no user or group of this sync: {}{more}",
                one.count,
                some.join("; ")
            );
            let reason = Some(reason);
            self.intake.stage.note(Note { reason, ..one.note }).await?;
        }
        Ok(())
    }
}
