//! Names that only one may have. An object whose name somebody else has is a conflict: it is told, and never merged with whoever has
//! it. Among the directory's own the one that has the name already comes before the one that wants it.

use std::collections::{HashMap, HashSet};

use uuid::Uuid;

use super::planner::{Planner, Why};
use crate::sync::intake::Holder;
use crate::sync::object::Kind;
use crate::sync::survey::{Fate, Index, Record};

impl Planner<'_, '_> {
    /// Leaves out whoever cannot have the name that the directory gives him.
    pub(super) fn settle_names(&mut self) {
        self.claim_names();
        let concerned: HashSet<Uuid> = self
            .intake
            .holders
            .values()
            .map(|holder| holder.id)
            .collect();
        let records = &self.intake.survey.records;
        let movers = records.iter().filter(|(_, record)| {
            record.fate == Fate::Update && concerned.contains(&record.resource)
        });
        let movers: HashMap<Uuid, u32> = movers
            .map(|(number, record)| (record.resource, number))
            .collect();
        let doomed: HashSet<Uuid> = self.doomed().map(|(id, _)| id).collect();
        // Whoever stays keeps his name, and so others from having it: until nobody is left out any more.
        loop {
            let records = self.intake.survey.records.iter();
            let out = records.filter_map(|(number, record)| {
                let holder = self.objection(record, &movers, &doomed)?;
                Some((number, Why::Holder(holder)))
            });
            let out: Vec<(u32, Why)> = out.collect();
            if out.is_empty() {
                break;
            }
            for (number, why) in out {
                self.leave_out(number, why);
            }
        }
    }

    fn leave_out(&mut self, number: u32, why: Why) {
        if let Some(record) = self.intake.survey.records.get_mut(number) {
            record.fate = Fate::Out;
            self.left_out.push((number, why));
        }
    }

    /// Gives each name to the first object that has it.
    fn claim_names(&mut self) {
        let mut claims = Index::default();
        let mut out = Vec::new();
        let records = &self.intake.survey.records;
        let name = |number| {
            records
                .get(number)
                .map(|record| record.name)
                .unwrap_or_default()
        };
        for fate in [Fate::Unchanged, Fate::Relinked, Fate::Update, Fate::Create] {
            let mut claiming: Vec<(u32, &Record)> = records
                .iter()
                .filter(|(_, record)| record.fate == fate)
                .filter(|(_, record)| record.kind == Kind::User || self.intake.unique_group_names)
                .collect();
            // In the order in which they were read.
            claiming.sort_by_key(|(_, record)| record.staged);
            for (number, record) in claiming {
                if let Some(first) = claims.enter(number, &name)
                    && record.wants_name()
                {
                    out.push((number, Why::Another(first)));
                }
            }
        }
        for (number, why) in out {
            self.leave_out(number, why);
        }
    }

    /// Who keeps an object that is to be written from having its name.
    fn objection(
        &self,
        record: &Record,
        movers: &HashMap<Uuid, u32>,
        doomed: &HashSet<Uuid>,
    ) -> Option<Holder> {
        if !record.wants_name() {
            return None;
        }
        let holder = self.intake.holders.get(&record.name)?;
        if holder.id == record.resource || doomed.contains(&holder.id) {
            return None;
        }
        let mover = movers.get(&holder.id);
        let mover = mover.and_then(|mover| self.intake.survey.records.get(*mover));
        let moves =
            mover.is_some_and(|mover| mover.fate == Fate::Update && mover.name != record.name);
        (!moves).then_some(*holder)
    }
}
