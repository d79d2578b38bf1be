//! What is said of objects that are left out.

use std::collections::{BTreeSet, HashMap};

use super::planner::{Planner, Why};
use crate::sync::failure::Failure;
use crate::sync::intake::Holder;
use crate::sync::object::Kind;

/// DNs that are looked up to be told: each is a few hundred bytes.
const MAX_DNS: usize = 10_000;

/// DNs of staged objects, by their numbers.
pub type Dns = HashMap<u32, Box<str>>;

impl Planner<'_, '_> {
    pub(super) async fn note_left_out(&mut self) -> Result<(), Failure> {
        let records = &self.intake.survey.records;
        let staged = |number: u32| Some(records.get(number)?.staged?.get());
        let others = self.left_out.iter().filter_map(|(_, why)| match why {
            Why::Another(first) => staged(*first),
            _ => None,
        });
        let others = others.collect();
        let left_out = std::mem::take(&mut self.left_out).into_iter();
        let left_out = left_out.filter_map(|(number, why)| Some((staged(number)?, why)));
        let mut left_out: Vec<(u32, Why)> = left_out.collect();
        left_out.sort_by_key(|(number, _)| *number);
        let dns = self.dns(&others).await?;
        for (number, why) in left_out {
            let (objects, _) = self.intake.store.objects((number, number + 1)).await?;
            let Some(object) = objects.first() else {
                continue;
            };
            let (kind, action) = (object.kind, why.action());
            let name = object.name.clone();
            let note = object.note(action, None);
            let reason = Some(self.reason(kind, &name, why, &dns));
            self.plan.counts.count(kind, action);
            let note = crate::sync::object::Note { reason, ..note };
            self.intake.stage.note(note).await?;
        }
        Ok(())
    }

    /// The DNs of staged objects.
    pub(super) async fn dns(&mut self, numbers: &BTreeSet<u32>) -> Result<Dns, Failure> {
        let mut dns = Dns::new();
        for number in numbers.iter().take(MAX_DNS) {
            let (objects, _) = self.intake.store.objects((*number, number + 1)).await?;
            if let Some(object) = objects.first() {
                dns.insert(*number, object.dn.clone());
            }
        }
        Ok(dns)
    }

    fn reason(&self, kind: Kind, name: &str, why: Why, dns: &Dns) -> String {
        let what = format!("{} `{name}`", kind.name_attribute());
        match why {
            Why::OtherKind(kind) => {
                format!("it is a {} here; one entry is one resource", kind.name())
            }
            Why::Holder(holder) => self.whose(&what, kind, holder),
            Why::Another(first) => {
                let first = self.intake.survey.records.get(first);
                let dn = first.and_then(|first| dns.get(&first.staged?.get()));
                match (dn, first) {
                    (Some(dn), _) => format!("{what} is that of another entry too, {dn}"),
                    (None, Some(first)) => {
                        format!(
                            "{what} is that of another entry too, the {} {}",
                            noun(kind),
                            first.resource
                        )
                    }
                    (None, None) => what,
                }
            }
        }
    }

    fn whose(&self, what: &str, kind: Kind, holder: Holder) -> String {
        let (noun, id) = (noun(kind), holder.id);
        let manager = holder.managed_by.map(usize::from);
        match manager.and_then(|number| self.intake.managers.get(number)) {
            None => format!("{what} belongs to the {noun} {id}, which SCIM clients manage"),
            Some(idp) if *idp == self.intake.session.idp => {
                format!(
                    "{what} belongs to the {noun} {id}, which is another entry of this directory, or was one"
                )
            }
            Some(idp) => {
                format!(
                    "{what} belongs to the {noun} {id}, which the identity provider {idp} manages"
                )
            }
        }
    }
}

fn noun(kind: Kind) -> String {
    kind.name().to_ascii_lowercase()
}
