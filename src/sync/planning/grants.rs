//! What group mappings would give and take back, were the plan carried out: for a dry run, because a real one looks when it is (see
//! [`grants`](crate::sync::grants)). An internal group that the directory itself manages is taken as it is now.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use uuid::Uuid;

use super::planner::Planner;
use crate::store::{Rows, directory_entries, mapping_grants};
use crate::sync::digest::Digest;
use crate::sync::failure::Failure;
use crate::sync::group_mapping::{self, Wanted};
use crate::sync::object::Kind;

/// Most memberships that are looked up at once: there may be as many as users for each internal group.
const GIVEN_AT_ONCE: usize = 16_000;

/// The groups of the directory as the plan leaves them.
#[derive(Default)]
struct Groups {
    all: HashSet<Uuid>,
    /// Those that mappings name.
    by_unique_id: HashMap<Digest, Uuid>,
    by_dn: HashMap<Digest, Vec<Uuid>>,
    /// The members of those that stay as they are; of such as were asked for.
    kept: HashMap<Uuid, Vec<Uuid>>,
}

/// Memberships that appear, and such that disappear.
type Effect = (u64, u64);

/// What happens to each internal group.
#[derive(Default)]
struct Effects(BTreeMap<String, Effect>);

impl Effects {
    /// Takes up rows with columns `group_id`, `own` and, it may be, `to_give`.
    fn add(&mut self, rows: &Rows, change: impl Fn(&mut Effect, u64, u64)) -> Result<(), Failure> {
        for row in &rows.rows {
            let effect = self.0.entry(row.text("group_id")?).or_default();
            let to_give = row.integer("to_give").map_or(0, i64::unsigned_abs);
            change(effect, row.integer("own")?.unsigned_abs(), to_give);
        }
        Ok(())
    }
}

impl Planner<'_, '_> {
    pub(super) async fn foresee_grants(&mut self, mappings: &[Wanted]) -> Result<(), Failure> {
        let session = self.intake.session;
        let (tenant, idp) = (&session.tenant, &session.idp);
        let doomed: HashSet<Uuid> = self.doomed().map(|(id, _)| id).collect();
        let gone: Vec<String> = doomed.iter().map(Uuid::to_string).collect();
        // How many memberships of a group appear, and how many disappear: those that nothing else gives, less those that go with their
        // users, and those that are given as before.
        let mut effects = Effects::default();
        let more = |effect: &mut Effect, own, _| effect.1 += own;
        let less = |effect: &mut Effect, own, to_give| {
            effect.0 += to_give;
            effect.1 = effect.1.saturating_sub(own);
        };
        let mut batch = vec![mapping_grants::count_own(tenant, idp)];
        batch.extend(mapping_grants::count_own_of(tenant, idp, &gone));
        for (index, rows) in session.read(batch).await?.iter().enumerate() {
            match index {
                0 => effects.add(rows, more)?,
                _ => effects.add(rows, less)?,
            }
        }
        let mut groups = self.groups_to_be(mappings, &doomed);
        let internal: BTreeSet<Uuid> = mappings.iter().map(|mapping| mapping.group).collect();
        for group in internal {
            let of_group = mappings.iter().filter(|mapping| mapping.group == group);
            let given = self.given(&mut groups, of_group, &doomed).await?;
            let given: Vec<Uuid> = given.into_iter().collect();
            for part in given.chunks(GIVEN_AT_ONCE) {
                let pairs: Vec<(String, String)> = part
                    .iter()
                    .map(|member| (group.to_string(), member.to_string()))
                    .collect();
                let batch = mapping_grants::count_to_give(tenant, idp, &pairs);
                for rows in &session.read(batch).await? {
                    effects.add(rows, less)?;
                }
            }
        }
        for group in &gone {
            effects.0.remove(group);
        }
        for (group, (given, taken_back)) in effects.0 {
            if given + taken_back > 0 {
                self.plan.counts.mapped.given += given;
                self.plan.counts.mapped.taken_back += taken_back;
                let note = group_mapping::note(&group, given, taken_back);
                self.intake.stage.note(note).await?;
            }
        }
        Ok(())
    }

    /// The users whom an internal group's mappings make its members.
    async fn given<'m>(
        &self,
        groups: &mut Groups,
        mappings: impl Iterator<Item = &'m Wanted>,
        doomed: &HashSet<Uuid>,
    ) -> Result<HashSet<Uuid>, Failure> {
        let mut given = HashSet::new();
        let mut reached = HashSet::new();
        let mut next = Vec::new();
        for mapping in mappings {
            let by_id = groups.by_unique_id.get(&Digest::of(&mapping.unique_id));
            let by_dn = groups.by_dn.get(&mapping.dn_key).into_iter().flatten();
            next.extend(by_id.into_iter().chain(by_dn).copied());
        }
        while !next.is_empty() {
            next.retain(|group| reached.insert(*group));
            self.ask_kept(groups, &next).await?;
            let members = next
                .iter()
                .flat_map(|group| self.members_to_be(groups, *group));
            let members = members.filter(|(member, _)| !doomed.contains(member));
            let (inner, users): (Vec<_>, Vec<_>) =
                members.partition(|(_, kind)| *kind == Kind::Group);
            given.extend(users.into_iter().map(|(user, _)| user));
            next = inner.into_iter().map(|(group, _)| group).collect();
        }
        Ok(given)
    }

    fn groups_to_be(&self, mappings: &[Wanted], doomed: &HashSet<Uuid>) -> Groups {
        let named: HashSet<Digest> = mappings.iter().map(|wanted| wanted.dn_key).collect();
        let ids = mappings.iter().map(|wanted| Digest::of(&wanted.unique_id));
        let ids: HashSet<Digest> = ids.collect();
        let mut groups = Groups::default();
        for (_, record) in self.intake.survey.records.iter() {
            let Some((id, Kind::Group)) = record.resource() else {
                continue;
            };
            if doomed.contains(&id) {
                continue;
            }
            groups.all.insert(id);
            if ids.contains(&record.unique_id) {
                groups.by_unique_id.insert(record.unique_id, id);
            }
            if named.contains(&record.member_key) {
                groups.by_dn.entry(record.member_key).or_default().push(id);
            }
        }
        groups
    }

    /// Asks who is in those of these groups that stay as they are.
    async fn ask_kept(&self, groups: &mut Groups, wanted: &[Uuid]) -> Result<(), Failure> {
        let unknown = wanted.iter().filter(|id| groups.all.contains(id));
        let unknown = unknown.filter(|id| !self.to_be.contains_key(id));
        let unknown = unknown.filter(|id| !groups.kept.contains_key(id));
        let unknown: Vec<String> = unknown.map(Uuid::to_string).collect();
        let session = self.intake.session;
        let batch = directory_entries::select_members(&session.tenant, &unknown);
        let members = directory_entries::members(&session.read(batch).await?)?;
        groups.kept.extend(members);
        Ok(())
    }

    fn members_to_be(&self, groups: &Groups, group: Uuid) -> Vec<(Uuid, Kind)> {
        if let Some(members) = self.to_be.get(&group) {
            return members.clone();
        }
        let kind = |id: &Uuid| match groups.all.contains(id) {
            true => Kind::Group,
            false => Kind::User,
        };
        let members = groups.kept.get(&group).into_iter().flatten();
        members.map(|id| (*id, kind(id))).collect()
    }
}
