//! How a plan is made, once everything was read: what is gone, who gets a name, who is in groups, and in which order all that is done. The
//! plan is staged as pieces of work, each of them one batch, and names what was staged while it was read.

mod grants;
mod members;
mod names;
mod notes;
mod order;
mod planner;

use std::collections::{HashMap, HashSet};

use super::digest::Digest;
use super::failure::Failure;
use super::guard::{MANY, Sums};
use super::intake::Intake;
use super::object::{Action, Kind};
use super::source::Missing;
use super::stage::MAX_GONE;
use super::staged::Gone;
use super::survey::Fate;
use crate::store::Rows;
use crate::store::directory_entries::{self, State};
use planner::{Planner, Why};

pub use planner::{Plan, Terms};

/// Makes the plan of all that was taken in.
pub async fn plan(intake: &mut Intake<'_>, terms: &Terms<'_>) -> Result<Plan, Failure> {
    intake.put_objects().await?;
    let counts = intake.counts;
    let mut planner = Planner {
        intake,
        terms,
        vanished: Vec::new(),
        left_out: Vec::new(),
        to_be: HashMap::new(),
        plan: Plan {
            pieces: Vec::new(),
            counts,
            sums: Sums::of(&counts, terms.full),
        },
    };
    planner.look_through();
    planner.settle_names();
    planner.note_left_out().await?;
    let pieces = planner.order();
    planner.stage_gone().await?;
    planner.plan.pieces.extend(pieces);
    planner.draw_up_members().await?;
    planner.measure().await?;
    if let Some(mappings) = terms.foreseen {
        planner.foresee_grants(mappings).await?;
    }
    Ok(planner.plan)
}

impl Planner<'_, '_> {
    /// Finds what the directory does not have any more, and counts what stays as it is. Only a reading of all of it can tell what is gone,
    /// but for users whom it has, and not as users.
    fn look_through(&mut self) {
        let Planner {
            intake,
            terms,
            plan,
            ..
        } = self;
        for (number, record) in intake.survey.records.iter() {
            let kind = record.kind;
            if terms.full && record.state.is_some() {
                match kind {
                    Kind::User => plan.sums.managed.users += 1,
                    Kind::Group => plan.sums.managed.groups += 1,
                }
            }
            match record.fate {
                Fate::Unchanged => plan.counts.of(kind).unchanged += 1,
                Fate::OtherKind => self.left_out.push((number, Why::OtherKind(kind))),
                _ => {}
            }
            let left = kind == Kind::User && intake.left.contains(&record.unique_id);
            if record.fate != Fate::Unread || !(terms.full || left) {
                continue;
            }
            let action = match (terms.missing, kind) {
                (Missing::Keep, _) => Action::Kept,
                (Missing::Deactivate, Kind::User) => Action::Deactivated,
                (Missing::Delete, _) | (Missing::Deactivate, Kind::Group) => Action::Deleted,
            };
            let state = record.state.unwrap_or(State::Present);
            let known = match action {
                Action::Kept => state != State::Present,
                Action::Deactivated => state == State::Deactivated,
                _ => false,
            };
            match action {
                Action::Kept => plan.counts.count(kind, action),
                _ if !known => plan.sums.removed += 1,
                _ => {}
            }
            if !known {
                self.vanished.push((number, action));
            }
        }
    }

    /// Stages what is gone: users that are deleted, then groups, then what stays in another state. Their unique ids are looked up by what
    /// groups name them by, because only hashes are in memory.
    async fn stage_gone(&mut self) -> Result<(), Failure> {
        let mut gone: [Vec<(Digest, Digest, Action)>; 3] = Default::default();
        for (number, action) in &self.vanished {
            let Some(record) = self.intake.survey.records.get(*number) else {
                continue;
            };
            let [users, groups, others] = &mut gone;
            let which = match (action, record.kind) {
                (Action::Deleted, Kind::User) => users,
                (Action::Deleted, Kind::Group) => groups,
                _ => others,
            };
            which.push((record.unique_id, record.member_key, *action));
        }
        let session = self.intake.session;
        for some in &mut gone {
            // In the same order whenever it is done.
            some.sort_unstable_by_key(|(unique_id, ..)| *unique_id);
            for few in some.chunks(MAX_GONE) {
                let keys: HashSet<String> = few.iter().map(|(_, key, _)| key.to_text()).collect();
                let keys = keys.iter().map(String::as_str);
                let batch = directory_entries::select_by_dn(&session.tenant, &session.idp, keys);
                let wanted: HashMap<Digest, Action> =
                    few.iter().map(|(id, _, action)| (*id, *action)).collect();
                let mut found = Vec::with_capacity(few.len());
                for rows in &session.read(batch).await? {
                    for entry in directory_entries::entries(rows)? {
                        if let Some(action) = wanted.get(&Digest::of(&entry.unique_id)) {
                            found.push(Gone::of(entry, *action));
                        }
                    }
                }
                found.sort_unstable_by(|one, other| one.unique_id.cmp(&other.unique_id));
                let piece = self.intake.stage.put_gone(&found).await?;
                self.plan.pieces.push(piece);
            }
        }
        Ok(())
    }

    /// How much it removes of how much, for the guard. What is not known of the reading is counted only where something is removed.
    async fn measure(&mut self) -> Result<(), Failure> {
        let session = self.intake.session;
        let (tenant, idp) = (&session.tenant, &session.idp);
        let doomed = self.doomed().filter(|(_, kind)| *kind == Kind::Group);
        let doomed: Vec<String> = doomed.map(|(id, _)| id.to_string()).collect();
        let sums = &mut self.plan.sums;
        let mut batch = Vec::new();
        if !self.terms.full && sums.removed > 0 {
            batch.push(directory_entries::count(tenant, idp));
        }
        let counted = batch.len();
        if sums.members_removed >= MANY || !doomed.is_empty() {
            batch.push(directory_entries::count_members(tenant, idp));
            batch.extend(directory_entries::count_members_of(tenant, &doomed));
        }
        let number = |rows: &Rows, column: &str| -> Result<usize, Failure> {
            let number = rows.first().map_or(Ok(0), |row| row.integer(column))?;
            Ok(usize::try_from(number).unwrap_or_default())
        };
        for (index, rows) in session.read(batch).await?.iter().enumerate() {
            if index < counted {
                sums.managed.users = number(rows, "users")?;
                sums.managed.groups = number(rows, "groups")?;
            } else if index == counted {
                sums.members_managed = number(rows, "members")?;
            } else {
                sums.members_removed += number(rows, "members")?;
            }
        }
        Ok(())
    }
}
