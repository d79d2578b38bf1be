//! What a plan may not do by itself: remove much of what the provider manages. A wrong filter, a base DN that was moved, a server that
//! answers with a part: they all look like people who left.

use super::plan::Plan;

/// From how many users, or groups, on it is suspicious that the directory has none at all.
const MANY: usize = 10;

/// Why the plan is not to be carried out; none where it may be.
pub fn objection(plan: &Plan, max_removal_percent: usize) -> Option<String> {
    let managed = plan.managed;
    let how = "allow_removals=true lets one sync do it, dry_run=true shows what that would be";
    if plan.removed == 0 && plan.read.all() > 0 {
        return None;
    }
    if plan.read.all() == 0 && managed.all() > 0 {
        return Some(format!(
            "the directory has nothing, and the provider manages {} users and groups; {how}",
            managed.all()
        ));
    }
    for (what, read, managed) in [
        ("user", plan.read.users, managed.users),
        ("group", plan.read.groups, managed.groups),
    ] {
        if read == 0 && managed >= MANY {
            return Some(format!(
                "the directory has no {what}, and the provider manages {managed}; {how}"
            ));
        }
    }
    match plan.removed * 100 > max_removal_percent * managed.all() {
        true => Some(format!(
            "the plan removes {} of the {} users and groups that the provider manages, more than max_removal_percent \
             ({max_removal_percent} %) allows; {how}",
            plan.removed,
            managed.all()
        )),
        false => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::plan::Held;
    use super::*;

    fn objects(read: (usize, usize), managed: (usize, usize), removed: usize) -> Option<String> {
        let held = |(users, groups)| Held { users, groups };
        let plan = Plan {
            read: held(read),
            managed: held(managed),
            removed,
            ..Plan::default()
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
}
