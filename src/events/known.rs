//! What is known of resources right after the changes of a page.

use std::collections::HashMap;

use crate::store::events::{Change, Text};

/// What a resource was after a change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct After {
    pub text: Option<Text>,
    /// Whether it is just that, and not what came of it later.
    pub is_exact: bool,
}

/// Changes of a resource by one request, one after the other: what was between them is not kept.
struct Run<'c> {
    request: &'c str,
    after: After,
    /// What was before them; none where that is not kept.
    before: Option<Text>,
}

/// What resources were after each of the changes, in the same order. A batch keeps what was before its last change of a resource, which
/// was before all of them.
pub fn after_each(changes: &[Change]) -> Vec<After> {
    let mut runs: HashMap<&str, Run<'_>> = HashMap::new();
    let mut states = Vec::with_capacity(changes.len());
    for change in changes.iter().rev() {
        let request = change.event.request_id.as_str();
        let (after, kept) = match runs.remove(change.event.resource_id.as_str()) {
            None => (at_the_end(change), None),
            Some(run) if run.request == request => (vague(run.after), run.before),
            Some(Run {
                before: Some(text), ..
            }) => (exactly(text), None),
            Some(run) => (vague(run.after), None),
        };
        let run = Run {
            request,
            before: before(change, &after).or(kept),
            after: after.clone(),
        };
        runs.insert(&change.event.resource_id, run);
        states.push(after);
    }
    states.reverse();
    states
}

fn exactly(text: Text) -> After {
    After {
        text: Some(text),
        is_exact: true,
    }
}

fn vague(after: After) -> After {
    After {
        is_exact: false,
        ..after
    }
}

/// What was before a change: what is kept, or where its members alone changed, the same as after it.
fn before(change: &Change, after: &After) -> Option<Text> {
    let same = || match (change.same_version, &after.text) {
        (Some(version), Some(text)) if after.is_exact => Some(Text {
            version,
            resource: text.resource.clone(),
        }),
        _ => None,
    };
    change.was.clone().or_else(same)
}

/// What a resource was after its last change on a page.
fn at_the_end(change: &Change) -> After {
    match (&change.later_request, &change.later) {
        (None, _) => After {
            text: change.now.clone(),
            is_exact: change.now.is_some(),
        },
        (Some(request), Some(later)) => After {
            text: Some(later.clone()),
            is_exact: *request != change.event.request_id,
        },
        (Some(_), None) => After {
            text: change.now.clone(),
            is_exact: false,
        },
    }
}
