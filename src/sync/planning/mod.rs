//! How a plan is made. Planning reads and writes nothing.

mod grants;
mod members;
mod names;
mod planner;
mod rows;

use std::collections::HashSet;

use uuid::Uuid;

use super::facts::Facts;
use super::failure::Failure;
use super::guard::MANY;
use super::object::{Action, Kind};
use super::plan::{Held, Plan};
use super::reading::Reading;
use super::session::Session;
use super::source::Missing;
use crate::store::Rows;
use crate::store::directory_entries::{self, State};
use planner::{Fate, Planner};

pub use planner::Terms;

/// Makes the plan.
pub async fn plan(
    session: &Session<'_>,
    terms: &Terms<'_>,
    reading: &mut Reading,
    facts: Facts,
) -> Result<Plan, Failure> {
    let mut planner = Planner {
        session,
        terms,
        reading,
        facts,
        fates: Vec::new(),
        new_ids: Vec::new(),
        names: Vec::new(),
        renamed: HashSet::new(),
        vanished: Vec::new(),
        plan: Plan::default(),
    };
    planner.match_objects()?;
    planner.miss();
    planner.settle_names().await?;
    planner.draw_up_steps().await?;
    planner.draw_up_members().await?;
    planner.measure().await?;
    if let Some(mappings) = terms.foreseen {
        planner.foresee_grants(mappings).await?;
    }
    let (mut plan, fates) = (planner.plan, planner.fates);
    plan.counts.referrals = reading.counts.referrals;
    // What is as it was is not needed any more, and there is much of it; what is left out for now may be let in by another plan.
    for (object, fate) in reading.objects.iter_mut().zip(fates) {
        if matches!(fate, Fate::Unchanged | Fate::Relinked) {
            object.text = Box::default();
        }
    }
    Ok(plan)
}

impl Planner<'_> {
    /// Finds the resources of the objects.
    fn match_objects(&mut self) -> Result<(), Failure> {
        self.plan.counts = self.reading.counts;
        let held = |read: u64| usize::try_from(read).unwrap_or(usize::MAX);
        self.plan.read = Held {
            users: held(self.reading.counts.users.read),
            groups: held(self.reading.counts.groups.read),
        };
        for note in &self.reading.unusable {
            // It is there, whatever is wrong with it: it has not vanished.
            if let Some(link) = note
                .unique_id
                .as_ref()
                .and_then(|id| self.facts.links.get_mut(id))
            {
                link.seen = true;
            }
            self.plan.counts.count(note.kind, note.action);
            self.plan.notes.push(note.clone());
        }
        for (index, object) in self.reading.objects.iter().enumerate() {
            let (fate, other_kind) = match self.facts.links.get_mut(&object.unique_id) {
                None => (Fate::Create, None),
                Some(link) => {
                    link.seen = true;
                    let same = link.digest == object.digest && link.state != State::Deactivated;
                    let still =
                        link.member_key == object.member_key && link.state == State::Present;
                    match (link.kind == object.kind, same, still) {
                        (false, ..) => (Fate::Out, Some(link.kind)),
                        (true, true, true) => (Fate::Unchanged, None),
                        (true, true, false) => (Fate::Relinked, None),
                        (true, false, _) => (Fate::Update, None),
                    }
                }
            };
            self.fates.push(fate);
            self.names.push(names::key(object));
            self.new_ids.push(match fate {
                Fate::Create => self.new_id()?,
                _ => Uuid::nil(),
            });
            if let Some(kind) = other_kind {
                let reason = format!("it is a {} here; one entry is one resource", kind.name());
                self.leave_out(index, Action::Skipped, reason);
            }
        }
        Ok(())
    }

    /// How much it removes of how much, for the guard. What is not known of the reading is counted only where something is removed.
    async fn measure(&mut self) -> Result<(), Failure> {
        let (tenant, idp) = (&self.session.tenant, &self.session.idp);
        let removed = self.plan.counts.memberships.removed;
        self.plan.full = self.terms.full;
        self.plan.members_removed = usize::try_from(removed).unwrap_or(usize::MAX);
        let deletions = self.plan.deletions.iter();
        let doomed: Vec<String> = deletions
            .filter(|step| step.kind == Kind::Group)
            .map(|step| step.resource_id.to_string())
            .collect();
        let mut batch = Vec::new();
        if !self.terms.full && self.plan.removed > 0 {
            batch.push(directory_entries::count(tenant, idp));
        }
        let counted = batch.len();
        if self.plan.members_removed >= MANY || !doomed.is_empty() {
            batch.push(directory_entries::count_members(tenant, idp));
            batch.extend(directory_entries::count_members_of(tenant, &doomed));
        }
        let number = |rows: &Rows, column: &str| -> Result<usize, Failure> {
            let number = rows.first().map_or(Ok(0), |row| row.integer(column))?;
            Ok(usize::try_from(number).unwrap_or_default())
        };
        for (index, rows) in self.session.read(batch).await?.iter().enumerate() {
            if index < counted {
                self.plan.managed.users = number(rows, "users")?;
                self.plan.managed.groups = number(rows, "groups")?;
            } else if index == counted {
                self.plan.members_managed = number(rows, "members")?;
            } else {
                self.plan.members_removed += number(rows, "members")?;
            }
        }
        Ok(())
    }

    /// Finds what the directory does not have any more. Only a reading of all of it can tell, but for users whom it has, and not as users.
    fn miss(&mut self) {
        for (unique_id, link) in &self.facts.links {
            let left = link.kind == Kind::User && self.reading.left.contains(unique_id);
            if self.terms.full {
                match link.kind {
                    Kind::User => self.plan.managed.users += 1,
                    Kind::Group => self.plan.managed.groups += 1,
                }
            }
            if link.seen || !(self.terms.full || left) {
                continue;
            }
            let action = match (self.terms.missing, link.kind) {
                (Missing::Keep, _) => Action::Kept,
                (Missing::Deactivate, Kind::User) => Action::Deactivated,
                (Missing::Delete, _) | (Missing::Deactivate, Kind::Group) => Action::Deleted,
            };
            let known = match action {
                Action::Kept => link.state != State::Present,
                Action::Deactivated => link.state == State::Deactivated,
                _ => false,
            };
            if action != Action::Kept && !known {
                self.plan.removed += 1;
            }
            if action == Action::Kept {
                self.plan.counts.count(link.kind, action);
            }
            if !known {
                self.vanished.push((unique_id.clone(), action));
            }
        }
        // In the same order whenever it is done.
        self.vanished
            .sort_unstable_by(|one, other| one.0.cmp(&other.0));
    }
}
