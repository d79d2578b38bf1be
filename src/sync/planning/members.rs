//! Who is in the directory's groups, and what of that is new.

use std::collections::HashSet;

use uuid::Uuid;

use super::planner::{Fate, Planner};
use crate::sync::digest::Digest;
use crate::sync::failure::Failure;
use crate::sync::lookup::digest_of;
use crate::sync::mapping::shortened_dn;
use crate::sync::object::{Action, Kind, Note, Object};
use crate::sync::plan::MemberStep;

/// Members whose groups are read at once.
const AT_ONCE: usize = 50_000;
/// Members that a note names.
const NAMED: usize = 5;

/// A group whose members are not what they were.
struct Changed {
    index: usize,
    group: Uuid,
    members: Vec<(Uuid, Kind)>,
    digest: Digest,
    is_new: bool,
}

impl Planner<'_> {
    pub(super) async fn draw_up_members(&mut self) -> Result<(), Failure> {
        let mut changed = Vec::new();
        for index in 0..self.reading.objects.len() {
            let Some(object) = self.reading.objects.get(index) else {
                continue;
            };
            let Some((group, _)) = self
                .resource_of(index)
                .filter(|_| object.kind == Kind::Group)
            else {
                continue;
            };
            let members = self.resolve(object);
            let ids: Vec<Uuid> = members.iter().map(|(id, _)| *id).collect();
            let digest = digest_of(&ids);
            let link = self.facts.links.get(&object.unique_id);
            if link.is_some_and(|link| link.members_digest == digest) {
                continue;
            }
            changed.push(Changed {
                index,
                group,
                members,
                digest,
                is_new: self.fates.get(index) == Some(&Fate::Create),
            });
        }
        let mut start = 0;
        while start < changed.len() {
            let mut weight = 0;
            let few = changed.iter().skip(start).take_while(|group| {
                let fits = weight == 0 || weight + group.members.len() <= AT_ONCE;
                weight += group.members.len() + 1;
                fits
            });
            let end = start + few.count();
            let groups = changed.get(start..end).unwrap_or_default();
            let known = groups.iter().filter(|group| !group.is_new);
            let known: Vec<Uuid> = known.map(|group| group.group).collect();
            self.facts.ask_members(self.session, &known).await?;
            for group in groups {
                let known = self.facts.members.remove(&group.group);
                self.draw_up(group, &known.unwrap_or_default());
            }
            start = end;
        }
        Ok(())
    }

    /// The resource of whom a group names so.
    pub(super) fn member(&self, key: Digest) -> Option<(Uuid, Kind)> {
        match self.reading.named(key) {
            Some(index) => self.resource_of(index),
            None => {
                let elsewhere = self.facts.elsewhere(key, self.reading);
                elsewhere.map(|(_, link)| (link.resource_id, link.kind))
            }
        }
    }

    /// The members of a group that are resources; the others are noted.
    fn resolve(&mut self, object: &Object) -> Vec<(Uuid, Kind)> {
        let mut members = Vec::with_capacity(object.members.len());
        let mut unresolved = Vec::new();
        for key in &object.members {
            let here = self.reading.named(*key);
            match self.member(*key) {
                Some(member) => members.push(member),
                None => unresolved.push(match here {
                    Some(index) => self
                        .reading
                        .objects
                        .get(index)
                        .map_or("", |member| &member.dn),
                    None => self.reading.strangers.get(key).map_or("", |name| name),
                }),
            }
        }
        if !unresolved.is_empty() {
            let some = unresolved.iter().take(NAMED);
            let some: Vec<Box<str>> = some.map(|name| shortened_dn(name)).collect();
            let more = match unresolved.len() > NAMED {
                true => " and others",
                false => "",
            };
            let reason = format!(
                "{} of its members are no user or group of this sync: {}{more}",
                unresolved.len(),
                some.join("; ")
            );
            self.plan.counts.memberships.unresolved += count(unresolved.len());
            let note = Note::on(object, Action::Unresolved, Some(reason));
            self.plan.notes.push(note);
        }
        members.sort_unstable();
        members.dedup();
        members
    }

    fn draw_up(&mut self, changed: &Changed, known: &[Uuid]) {
        let Some(object) = self.reading.objects.get(changed.index) else {
            return;
        };
        let known: HashSet<Uuid> = known.iter().copied().collect();
        let wanted: HashSet<Uuid> = changed.members.iter().map(|(id, _)| *id).collect();
        let add: Vec<(Uuid, Kind)> = changed
            .members
            .iter()
            .filter(|(id, _)| !known.contains(id))
            .copied()
            .collect();
        let mut remove: Vec<Uuid> = known.difference(&wanted).copied().collect();
        remove.sort_unstable();
        self.plan.counts.memberships.added += count(add.len());
        self.plan.counts.memberships.removed += count(remove.len());
        self.plan.members.push(MemberStep {
            unique_id: object.unique_id.clone(),
            name: object.name.clone(),
            group: changed.group,
            add,
            remove,
            digest: changed.digest,
        });
    }
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
