//! What a plan may not do by itself: remove much of what the provider manages. A wrong filter, a base DN that was moved, a server that
//! answers with a part: they all look like people who left.

use crate::store::sync_counts::Counts;

/// From how many users, or groups, on it is suspicious that the directory has none at all; and from how many members on it is that as many
/// leave their groups.
pub const MANY: usize = 10;

/// How much there is, and how much of it goes.
#[derive(Debug, Default)]
pub struct Sums {
    /// Entries that the directory gave.
    pub read: Held,
    /// Whether the reading was of the whole directory.
    pub full: bool,
    /// How much the provider manages, and how much of that the plan removes; the first is known where something is removed, and of a
    /// reading of the whole directory.
    pub managed: Held,
    pub removed: usize,
    /// The same of the members of groups; known where many are removed.
    pub members_managed: usize,
    pub members_removed: usize,
}

impl Sums {
    /// What was read.
    pub fn of(read: &Counts, full: bool) -> Self {
        let held = |read: u64| usize::try_from(read).unwrap_or(usize::MAX);
        Sums {
            read: Held {
                users: held(read.users.read),
                groups: held(read.groups.read),
            },
            full,
            ..Sums::default()
        }
    }
}

/// How many users and groups.
#[derive(Debug, Clone, Copy, Default)]
pub struct Held {
    pub users: usize,
    pub groups: usize,
}

impl Held {
    pub fn all(self) -> usize {
        self.users + self.groups
    }
}

/// Why the plan is not to be carried out; none where it may be.
pub fn objection(plan: &Sums, max_removal_percent: usize) -> Option<String> {
    let how = "allow_removals=true lets one sync do it, dry_run=true shows what that would be";
    let emptiness = plan.full.then(|| nothing_read(plan)).flatten();
    let too_many = |removed: usize, managed: usize| removed * 100 > max_removal_percent * managed;
    let reason = emptiness.or_else(|| {
        let managed = plan.managed.all();
        too_many(plan.removed, managed).then(|| {
            format!(
                "the plan removes {} of the {managed} users and groups that the provider manages, more than max_removal_percent \
                 ({max_removal_percent} %) allows",
                plan.removed
            )
        })
    });
    let reason = reason.or_else(|| {
        let (removed, managed) = (plan.members_removed, plan.members_managed);
        (removed >= MANY && too_many(removed, managed)).then(|| {
            format!(
                "the plan takes {removed} of the {managed} members out of the groups that the provider manages, more than \
                 max_removal_percent ({max_removal_percent} %) allows"
            )
        })
    });
    reason.map(|reason| format!("{reason}; {how}"))
}

/// What of a directory that was read whole is suspiciously empty.
fn nothing_read(plan: &Sums) -> Option<String> {
    let (read, managed) = (plan.read, plan.managed);
    if read.all() == 0 && managed.all() > 0 {
        return Some(format!(
            "the directory has nothing, and the provider manages {} users and groups",
            managed.all()
        ));
    }
    let kinds = [
        ("user", read.users, managed.users),
        ("group", read.groups, managed.groups),
    ];
    // What is kept, and was missing before, is not removed now.
    let missing = kinds
        .into_iter()
        .find(|(_, read, managed)| plan.removed > 0 && *read == 0 && *managed >= MANY);
    missing.map(|(what, _, managed)| {
        format!("the directory has no {what}, and the provider manages {managed}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objects(read: (usize, usize), managed: (usize, usize), removed: usize) -> Option<String> {
        let held = |(users, groups)| Held { users, groups };
        let plan = Sums {
            read: held(read),
            managed: held(managed),
            removed,
            full: true,
            ..Sums::default()
        };
        objection(&plan, 20)
    }

    #[test]
    fn a_fifth_may_go_and_more_may_not() {
        assert_eq!(objects((80, 0), (100, 0), 20), None);
        assert!(objects((79, 0), (100, 0), 21).is_some_and(|why| why.contains("21 of the 100")));
        assert_eq!(objects((9, 9), (10, 10), 2), None);
        assert_eq!(objects((2, 0), (2, 1), 0), None);
    }

    #[test]
    fn nothing_at_all_is_an_answer_only_where_nothing_was() {
        assert_eq!(objects((0, 0), (0, 0), 0), None);
        assert!(objects((0, 0), (1, 0), 1).is_some());
        // Even where nothing would be removed, because the provider keeps what is missing.
        assert!(objects((0, 0), (5, 5), 0).is_some());
    }

    #[test]
    fn all_groups_are_more_than_their_share() {
        assert!(objects((1_000, 0), (1_000, 10), 10).is_some_and(|why| why.contains("no group")));
        assert_eq!(objects((1_000, 0), (1_000, 3), 3), None);
    }

    #[test]
    fn members_are_counted_apart_and_in_a_reading_of_changes_too() {
        let members = |removed, managed| {
            let plan = Sums {
                members_removed: removed,
                members_managed: managed,
                ..Sums::default()
            };
            objection(&plan, 20)
        };
        assert!(members(11, 12).is_some_and(|why| why.contains("11 of the 12 members")));
        assert!(members(21, 100).is_some());
        assert_eq!(members(20, 100), None);
        // A team of a few is remade every day.
        assert_eq!(members(9, 9), None);
    }
}
