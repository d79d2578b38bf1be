//! What a Bulk request knows of the database, and what it still has to ask. The simulation names what it needs; all needs of
//! a round are read in one round trip.

use std::collections::{BTreeMap, BTreeSet};

use crate::api::http::authenticate::Caller;
use crate::api::http::call::Call;
use crate::api::scim::group_members::{Known, check_comparisons, kind_of};
use crate::error::Result;
use crate::scim::filter::Predicate;
use crate::scim::member::Member;
use crate::scim::render::Stored;
use crate::scim::schema::{GROUPS, ResourceType, USERS};
use crate::store::members::{GIVEN, Pair};
use crate::store::unique::UniqueKey;
use crate::store::{Row, Rows, members, resources, unique};

/// What was read. A key that is there and holds nothing is known not to exist.
#[derive(Debug, Default)]
pub struct Facts {
    pub users: BTreeMap<String, Option<Stored>>,
    pub groups: BTreeMap<String, Option<Stored>>,
    pub holders: BTreeMap<(UniqueKey, String), Option<String>>,
    /// Whether the pair is a membership, and what the member is.
    pub pairs: BTreeMap<Pair, Known>,
    /// All members of a group.
    pub members: BTreeMap<String, BTreeMap<String, Known>>,
    /// The members of a group that meet a filter, by the operation that has it and the filter's number there.
    pub matching: BTreeMap<(usize, usize), Vec<String>>,
}

/// Filters on the members of groups, by the operation that has them and their numbers there.
type Matching = BTreeMap<(usize, usize), (String, Predicate)>;

/// Members of groups as filters see them, with their ids.
type Seen = BTreeMap<String, Vec<(String, Member)>>;

/// What is still to be read.
#[derive(Debug, Default)]
pub struct Needs {
    pub users: BTreeSet<String>,
    pub groups: BTreeSet<String>,
    pub holders: BTreeSet<(UniqueKey, String)>,
    pub pairs: BTreeSet<Pair>,
    pub members: BTreeSet<String>,
    pub matching: Matching,
}

impl Needs {
    pub fn is_empty(&self) -> bool {
        self.users.is_empty()
            && self.groups.is_empty()
            && self.holders.is_empty()
            && self.pairs.is_empty()
            && self.members.is_empty()
            && self.matching.is_empty()
    }

    pub fn resource(&mut self, resource_type: &ResourceType, id: &str) {
        match resource_type.name == GROUPS.name {
            true => self.groups.insert(id.to_owned()),
            false => self.users.insert(id.to_owned()),
        };
    }
}

/// What a statement of a round was for.
enum Question {
    Resources(&'static ResourceType),
    Holders(UniqueKey),
    Pairs,
    Members(String),
    Matching,
}

impl Facts {
    pub fn resource(&self, resource_type: &ResourceType, id: &str) -> Option<&Option<Stored>> {
        match resource_type.name == GROUPS.name {
            true => self.groups.get(id),
            false => self.users.get(id),
        }
    }

    /// Reads all that is needed, in one round trip.
    pub async fn learn(
        &mut self,
        call: &Call<'_>,
        caller: &Caller,
        mut needs: Needs,
    ) -> Result<()> {
        let tenant = &caller.tenant;
        let base = call.scim_base();
        let mut questions = Vec::new();
        let mut batch = Vec::new();
        for (resource_type, ids) in [(&USERS, &needs.users), (&GROUPS, &needs.groups)] {
            for statement in resources::select_many(tenant, resource_type, ids) {
                questions.push(Question::Resources(resource_type));
                batch.push(statement);
            }
        }
        for unique in UniqueKey::ALL {
            let keys = needs
                .holders
                .iter()
                .filter(|(of, _)| *of == unique)
                .map(|(_, key)| key);
            for statement in unique::select_holders(tenant, unique, keys) {
                questions.push(Question::Holders(unique));
                batch.push(statement);
            }
        }
        let pairs: Vec<Pair> = needs.pairs.iter().cloned().collect();
        for statement in members::probe(tenant, &pairs) {
            questions.push(Question::Pairs);
            batch.push(statement);
        }
        for group in &needs.members {
            questions.push(Question::Members(group.clone()));
            batch.push(members::select_all(tenant, group));
        }
        let matching = std::mem::take(&mut needs.matching);
        let groups: BTreeSet<&String> = matching.values().map(|(group, _)| group).collect();
        let filters: Vec<&Predicate> = matching.values().map(|(_, filter)| filter).collect();
        if !filters.is_empty() {
            for statement in members::select_for_filters(tenant, &base, groups, &filters) {
                questions.push(Question::Matching);
                batch.push(statement);
            }
        }
        let results = caller.read(call, batch).await?;
        self.assume_absent(needs);
        let mut seen = Seen::new();
        for (question, rows) in questions.into_iter().zip(&results) {
            match question {
                Question::Matching => {
                    for row in &rows.rows {
                        let (group, id, member) = members::for_filters(row, &base)?;
                        seen.entry(group).or_default().push((id, member));
                    }
                }
                question => self.take(question, rows)?,
            }
        }
        self.compare(matching, &seen)
    }

    /// Finds out who of the members seen meets which filter.
    fn compare(&mut self, matching: Matching, seen: &Seen) -> Result<()> {
        let members_of = |group: &String| seen.get(group).map_or(&[][..], Vec::as_slice);
        let all = matching
            .values()
            .map(|(group, filter)| members_of(group).len() * filter.comparisons());
        check_comparisons(all.sum())?;
        for (key, (group, filter)) in matching {
            let meeting = members_of(&group)
                .iter()
                .filter(|(_, member)| member.meets(&filter));
            let ids = meeting.map(|(id, _)| id.clone()).collect();
            self.matching.insert(key, ids);
        }
        Ok(())
    }

    /// What was asked for and not found is known to be missing.
    fn assume_absent(&mut self, needs: Needs) {
        self.users
            .extend(needs.users.into_iter().map(|id| (id, None)));
        self.groups
            .extend(needs.groups.into_iter().map(|id| (id, None)));
        self.holders
            .extend(needs.holders.into_iter().map(|key| (key, None)));
        let nothing = needs.pairs.into_iter().map(|pair| (pair, Known::default()));
        self.pairs.extend(nothing);
    }

    fn take(&mut self, question: Question, rows: &Rows) -> Result<()> {
        match question {
            Question::Resources(resource_type) => {
                for row in &rows.rows {
                    let stored = resources::stored(resource_type, row)?;
                    let found = match resource_type.name == GROUPS.name {
                        true => &mut self.groups,
                        false => &mut self.users,
                    };
                    found.insert(stored.id.clone(), Some(stored));
                }
            }
            Question::Holders(unique) => {
                for row in &rows.rows {
                    let key = (unique, row.text("key")?);
                    self.holders.insert(key, Some(row.text("id")?));
                }
            }
            Question::Pairs => {
                for row in &rows.rows {
                    let probed = members::probed(row)?;
                    let known = Known {
                        is_member: probed.is_member,
                        is_given: probed.is_given,
                        kind: kind_of(probed.kind.as_deref()),
                    };
                    self.pairs.insert((probed.group, probed.id), known);
                }
            }
            Question::Members(group) => {
                let member = |row: &Row| -> Result<(String, Known)> {
                    let known = Known {
                        is_member: true,
                        is_given: row.integer("granted")? == GIVEN,
                        kind: kind_of(Some(&row.text("kind")?)),
                    };
                    Ok((row.text("id")?, known))
                };
                let members = rows.rows.iter().map(member).collect::<Result<_>>()?;
                self.members.insert(group, members);
            }
            Question::Matching => {}
        }
        Ok(())
    }
}
