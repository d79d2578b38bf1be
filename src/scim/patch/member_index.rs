//! Members of one group, found by filters. Many filters may be asked about many members, so those that ask for a text, or for its beginning,
//! are answered from a sorted list, and only what is left is compared member by member.

use std::cell::OnceCell;
use std::rc::Rc;

use super::members::Matching;
use super::operation::in_operation;
use crate::scim::budget::Budget;
use crate::scim::error::Result;
use crate::scim::filter::{Operand, Operator, Predicate};
use crate::scim::member::{Member, PARTS};

#[derive(Debug)]
struct Entry {
    id: Rc<str>,
    member: Member,
    /// The number of the operation that adds it, whose filters are those of later ones; none where it was there before all of them.
    since: Option<usize>,
}

/// Members of one group.
#[derive(Debug, Default)]
pub struct MemberIndex {
    entries: Vec<Entry>,
    /// For each part, the places of the members that have it, in the order of its texts; made when a filter first asks for it.
    sorted: [OnceCell<Vec<usize>>; PARTS.len()],
}

impl MemberIndex {
    /// Takes a member up, whom the operation of that number adds, or who was there before all.
    pub fn push(&mut self, id: &str, member: Member, since: Option<usize>) {
        let id = id.into();
        self.entries.push(Entry { id, member, since });
        self.sorted = Default::default();
    }

    /// The ids of those who meet one of the filters that stand behind their own operation. The budget's refusal names the operation of the
    /// filter.
    pub fn meeting(&self, filters: &[Matching], budget: &Budget) -> Result<Vec<Rc<str>>> {
        let mut met = vec![false; self.entries.len()];
        for matching in filters {
            self.mark(&mut met, matching, budget)
                .map_err(|error| in_operation(matching.index, error))?;
        }
        let met = self.entries.iter().zip(met).filter(|(_, is_met)| *is_met);
        Ok(met.map(|(entry, _)| Rc::clone(&entry.id)).collect())
    }

    fn mark(&self, met: &mut [bool], matching: &Matching, budget: &Budget) -> Result<()> {
        let places = match self.candidates(&matching.filter, budget)? {
            Some(places) => places,
            None => (0..self.entries.len()).collect(),
        };
        budget.charge(places.len())?;
        for place in places {
            let (Some(is_met), Some(entry)) = (met.get_mut(place), self.entries.get(place)) else {
                continue;
            };
            let is_behind = entry.since.is_none_or(|since| since < matching.at);
            if !*is_met && is_behind {
                *is_met = entry.member.meets(&matching.filter, budget)?;
            }
        }
        Ok(())
    }

    /// The places of all who can meet the predicate, and perhaps of others; none where the order of no part tells.
    fn candidates(&self, predicate: &Predicate, budget: &Budget) -> Result<Option<Vec<usize>>> {
        Ok(match predicate {
            Predicate::Compare(found, operator, Operand::Text { key, .. }) => {
                budget.steps(PARTS.len())?;
                self.range(found.leaf().name(), *operator, key)
                    .map(<[usize]>::to_vec)
            }
            Predicate::Element(_, inner) => self.candidates(inner, budget)?,
            Predicate::Or(any) => {
                let mut all = Some(Vec::new());
                for one in any {
                    match (self.candidates(one, budget)?, &mut all) {
                        (Some(places), Some(all)) => all.extend(places),
                        _ => all = None,
                    }
                }
                all
            }
            Predicate::And(all) => {
                let mut fewest: Option<Vec<usize>> = None;
                for one in all {
                    let places = self.candidates(one, budget)?;
                    fewest = match (places, fewest) {
                        (Some(places), Some(fewest)) if places.len() >= fewest.len() => {
                            Some(fewest)
                        }
                        (places, fewest) => places.or(fewest),
                    };
                }
                fewest
            }
            Predicate::Never => Some(Vec::new()),
            Predicate::Compare(..)
            | Predicate::Not(_)
            | Predicate::Present(_)
            | Predicate::OfProvider(_) => None,
        })
    }

    /// The places of those whose part is the text, or begins with it.
    fn range(&self, part: &str, operator: Operator, wanted: &str) -> Option<&[usize]> {
        let number = PARTS.iter().position(|name| *name == part)?;
        let sorted = self.sorted.get(number)?.get_or_init(|| self.sort(part));
        let ends_with_it = match operator {
            Operator::Equal => true,
            Operator::StartsWith => false,
            _ => return None,
        };
        let until = |is_before: &dyn Fn(&str) -> bool| {
            sorted.partition_point(|place| is_before(self.text(*place, part)))
        };
        let first = until(&|text| text < wanted);
        let end = until(&|text| {
            text < wanted || (text.starts_with(wanted) && !(ends_with_it && text != wanted))
        });
        sorted.get(first..end)
    }

    fn sort(&self, part: &str) -> Vec<usize> {
        let places = self.entries.iter().enumerate();
        let has = places.filter(|(_, entry)| entry.member.text(part).is_some());
        let mut sorted: Vec<usize> = has.map(|(place, _)| place).collect();
        sorted.sort_by_key(|place| self.text(*place, part));
        sorted
    }

    fn text(&self, place: usize, part: &str) -> &str {
        let entry = self.entries.get(place);
        let text = entry.and_then(|entry| entry.member.text(part));
        text.unwrap_or_default()
    }
}
