//! What group mappings would give and take back, were the plan carried out: for a dry run, because a real one looks when it is (see
//! [`grants`](crate::sync::grants)). An internal group that the directory itself manages is taken as it is now.

use std::collections::{BTreeMap, HashMap, HashSet};

use uuid::Uuid;

use super::Planner;
use crate::store::{directory_entries, mapping_grants};
use crate::sync::Failure;
use crate::sync::digest::Digest;
use crate::sync::grants::{self, Wanted};
use crate::sync::object::{Kind, Object};

/// The groups of the directory as the plan leaves them.
#[derive(Default)]
struct Groups<'g> {
    by_unique_id: HashMap<&'g str, Uuid>,
    by_dn: HashMap<Digest, Uuid>,
    /// Those that were read.
    read: HashMap<Uuid, &'g Object>,
    /// The members of those that are gone from the directory and are kept.
    kept: HashMap<Uuid, Vec<Uuid>>,
}

impl Planner<'_> {
    pub(super) async fn foresee_grants(&mut self, mappings: &[Wanted]) -> Result<(), Failure> {
        let (tenant, idp) = (&self.session.tenant, &self.session.idp);
        let doomed: HashSet<Uuid> = self
            .plan
            .deletions
            .iter()
            .map(|step| step.resource_id)
            .collect();
        let given = self.given(mappings, &doomed).await?;
        let given: Vec<(String, String)> = given
            .iter()
            .map(|(group, member)| (group.to_string(), member.to_string()))
            .collect();
        let gone: Vec<String> = doomed.iter().map(Uuid::to_string).collect();
        let mut batch = vec![mapping_grants::count_own(tenant, idp)];
        batch.extend(mapping_grants::count_own_of(tenant, idp, &gone));
        let to_give = batch.len();
        batch.extend(mapping_grants::count_to_give(tenant, idp, &given));
        let results = self.session.read(batch).await?;
        // How many memberships of a group appear, and how many disappear: those that nothing else gives, less those that go with their
        // users, and those that are given as before.
        let mut effects: BTreeMap<String, (u64, u64)> = BTreeMap::new();
        for (index, rows) in results.iter().enumerate() {
            for row in &rows.rows {
                let (given, taken_back) = effects.entry(row.text("group_id")?).or_default();
                let number = |column: &str| row.integer(column).map(i64::unsigned_abs);
                match index {
                    0 => *taken_back += number("own")?,
                    _ => *taken_back = taken_back.saturating_sub(number("own")?),
                }
                if index >= to_give {
                    *given += number("to_give")?;
                }
            }
        }
        for group in &gone {
            effects.remove(group);
        }
        for (group, (given, taken_back)) in effects {
            if given + taken_back > 0 {
                self.plan.counts.mapped.given += given;
                self.plan.counts.mapped.taken_back += taken_back;
                let note = grants::note(&group, given, taken_back);
                self.plan.notes.push(note);
            }
        }
        Ok(())
    }

    /// The memberships that mappings give: internal group and user.
    async fn given(
        &self,
        mappings: &[Wanted],
        doomed: &HashSet<Uuid>,
    ) -> Result<HashSet<(Uuid, Uuid)>, Failure> {
        let groups = self.groups_to_be(doomed).await?;
        let mut given = HashSet::new();
        for mapping in mappings {
            let named = [
                groups.by_unique_id.get(&*mapping.unique_id),
                groups.by_dn.get(&mapping.dn_key),
            ];
            let mut next: Vec<Uuid> = named.into_iter().flatten().copied().collect();
            let mut reached: HashSet<Uuid> = next.iter().copied().collect();
            while let Some(group) = next.pop() {
                for (member, kind) in self.members_to_be(&groups, group) {
                    match kind {
                        Kind::User => {
                            given.insert((mapping.group, member));
                        }
                        Kind::Group if reached.insert(member) => next.push(member),
                        Kind::Group => {}
                    }
                }
            }
        }
        Ok(given)
    }

    async fn groups_to_be(&self, doomed: &HashSet<Uuid>) -> Result<Groups<'_>, Failure> {
        let mut groups = Groups::default();
        for (index, object) in self.reading.objects.iter().enumerate() {
            if let Some((id, Kind::Group)) = self.resource_of(index) {
                groups.by_unique_id.insert(&object.unique_id, id);
                groups.by_dn.insert(object.dn_key, id);
                groups.read.insert(id, object);
            }
        }
        let mut kept = Vec::new();
        for (unique_id, link) in &self.links {
            let id = link.resource_id;
            if link.kind == Kind::Group && !doomed.contains(&id) && !groups.read.contains_key(&id) {
                groups.by_unique_id.insert(unique_id, id);
                groups.by_dn.insert(link.dn_key, id);
                kept.push(id.to_string());
            }
        }
        let batch = directory_entries::select_members(&self.session.tenant, &kept);
        groups.kept = directory_entries::members(&self.session.read(batch).await?)?;
        Ok(groups)
    }

    fn members_to_be(&self, groups: &Groups<'_>, group: Uuid) -> Vec<(Uuid, Kind)> {
        if let Some(object) = groups.read.get(&group) {
            let members = object.members.iter();
            return members
                .filter_map(|key| self.resource_of(self.reading.by_dn(*key)?))
                .collect();
        }
        let kind = |id: &Uuid| match groups.read.contains_key(id) || groups.kept.contains_key(id) {
            true => Kind::Group,
            false => Kind::User,
        };
        let members = groups.kept.get(&group).into_iter().flatten();
        members.map(|id| (*id, kind(id))).collect()
    }
}
