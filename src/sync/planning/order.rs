//! In which order objects are written: users, then groups; and of each first those that give up names, so that they are free when others take
//! them. A thousand of them are one batch: D1 gives it 30 seconds,
//! and on its way there it is in memory several times.

use super::planner::Planner;
use crate::sync::object::Kind;
use crate::sync::staged::{Piece, RESOURCE, Range, What};
use crate::sync::survey::Fate;

impl Planner<'_, '_> {
    pub(super) fn order(&self) -> Vec<Piece> {
        let mut lists: [Vec<u32>; 4] = Default::default();
        for (_, record) in self.intake.survey.records.iter() {
            let Some(staged) = record.staged else {
                continue;
            };
            if !matches!(record.fate, Fate::Relinked | Fate::Update | Fate::Create) {
                continue;
            }
            let [renamed_users, users, renamed_groups, groups] = &mut lists;
            let list = match (record.kind, record.renamed) {
                (Kind::User, true) => renamed_users,
                (Kind::User, false) => users,
                (Kind::Group, true) => renamed_groups,
                (Kind::Group, false) => groups,
            };
            list.push(staged.get());
        }
        let mut pieces = Vec::new();
        for list in &mut lists {
            list.sort_unstable();
            let few = list.chunks(self.intake.session.limits.objects.max(1));
            pieces.extend(few.map(|few| Piece {
                what: What::Objects(ranges(few)),
                weight: few.len() * RESOURCE,
            }));
        }
        pieces
    }
}

/// Numbers in order as ranges.
fn ranges(numbers: &[u32]) -> Vec<Range> {
    let mut ranges: Vec<Range> = Vec::new();
    for number in numbers {
        match ranges.last_mut().filter(|(_, end)| end == number) {
            Some((_, end)) => *end += 1,
            None => ranges.push((*number, number + 1)),
        }
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_one_behind_the_other_are_one_range() {
        assert_eq!(ranges(&[]), []);
        assert_eq!(ranges(&[1, 2, 3, 7, 9, 10]), [(1, 4), (7, 8), (9, 11)]);
    }
}
