//! The steps of a plan, once it is known who is to be written: what is there is read, and compared with what is to be.

use std::collections::HashMap;

use serde_json::Value as Json;
use uuid::Uuid;

use super::planner::{Fate, Planner};
use crate::scim::render::Stored;
use crate::scim::resource::{self, Resource};

use crate::store::directory_entries::State;
use crate::store::resources;
use crate::sync::digest::Digest;
use crate::sync::failure::Failure;
use crate::sync::links::Link;
use crate::sync::object::{Action, Kind, Object};
use crate::sync::plan::{Step, Subject};
use crate::sync::source::Missing;

/// Resources read at once.
const AT_ONCE: usize = 2_000;

/// What is there of a resource, as far as it matters.
struct Current {
    version: i64,
    created: i64,
    attributes: Vec<String>,
    /// The addresses that are there, where others are to be.
    addresses: Option<Json>,
    /// Whether the user may use his account.
    active: bool,
    /// The user without his right to use the account, where that is to be written.
    deactivated: Option<Box<str>>,
}

impl Planner<'_> {
    pub(super) async fn draw_up_steps(&mut self) -> Result<(), Failure> {
        let mut current = self.read_current().await?;
        self.part_with_the_vanished(&mut current);
        let written = self
            .fates
            .iter()
            .filter(|fate| !matches!(fate, Fate::Unchanged | Fate::Out));
        self.plan.steps.reserve_exact(written.count());
        for kind in [Kind::User, Kind::Group] {
            let first = self.plan.steps.len();
            for (index, object) in self.reading.objects.iter().enumerate() {
                if object.kind != kind {
                    continue;
                }
                if let Some(step) = self.step(index, object, &mut current) {
                    let tally = self.plan.counts.of(kind);
                    match step.action {
                        None => tally.unchanged += 1,
                        Some(action) => self.plan.counts.count(kind, action),
                    }
                    self.plan.steps.push(step);
                } else if self.fates.get(index) == Some(&Fate::Unchanged) {
                    self.plan.counts.of(kind).unchanged += 1;
                }
            }
            // Names that are given up come first, so that they are free when others take them.
            if let Some(steps) = self.plan.steps.get_mut(first..) {
                steps.sort_by_key(|step| !step.renamed);
            }
        }
        Ok(())
    }

    /// Reads what is to be changed or removed.
    async fn read_current(&self) -> Result<HashMap<Uuid, Current>, Failure> {
        let updated = self.updated();
        let vanished = self
            .vanished
            .iter()
            .filter(|(_, action)| *action != Action::Kept)
            .filter_map(|(id, _)| self.facts.links.get(id));
        let mut wanted: Vec<(Kind, Uuid)> = vanished
            .map(|link| (link.kind, link.resource_id))
            .chain(updated.iter().filter_map(|(id, index)| {
                let object = self.reading.objects.get(*index)?;
                Some((object.kind, *id))
            }))
            .collect();
        wanted.sort_unstable();
        let mut current = HashMap::with_capacity(wanted.len());
        for chunk in wanted.chunks(AT_ONCE) {
            let mut batch = Vec::new();
            let mut kinds = Vec::new();
            for kind in [Kind::User, Kind::Group] {
                let of_kind = chunk.iter().filter(|(found, _)| *found == kind);
                let ids: Vec<String> = of_kind.map(|(_, id)| id.to_string()).collect();
                let tenant = &self.session.tenant;
                for statement in resources::select_many(tenant, kind.resource_type(), &ids) {
                    batch.push(statement);
                    kinds.push(kind);
                }
            }
            let results = self.session.read(batch).await?;
            for (kind, rows) in kinds.into_iter().zip(&results) {
                for row in &rows.rows {
                    let stored = resources::stored(kind.resource_type(), row)?;
                    let id = Uuid::try_parse(&stored.id).unwrap_or_default();
                    let object = updated
                        .get(&id)
                        .and_then(|index| self.reading.objects.get(*index));
                    let deactivate = self.terms.missing == Missing::Deactivate;
                    current.insert(id, compare(kind, &stored, object, deactivate)?);
                }
            }
        }
        Ok(current)
    }

    fn part_with_the_vanished(&mut self, current: &mut HashMap<Uuid, Current>) {
        for (unique_id, action) in std::mem::take(&mut self.vanished) {
            let Some(link) = self.facts.links.get(&unique_id).copied() else {
                continue;
            };
            let found = current.remove(&link.resource_id);
            let gone = found.is_none();
            let (version, created) = found
                .as_ref()
                .map_or((0, 0), |found| (found.version, found.created));
            let text = found.and_then(|found| found.deactivated);
            let attributes = text.iter().map(|_| "active".to_owned()).collect();
            let mut step = Step {
                kind: link.kind,
                action: Some(action),
                subject: Subject::Gone { unique_id, text },
                resource_id: link.resource_id,
                version,
                created,
                attributes,
                addresses: None,
                renamed: false,
                link: None,
            };
            match action {
                Action::Deleted => {
                    // A resource that is not there any more leaves only its link to be forgotten.
                    if gone {
                        step.action = None;
                    } else {
                        self.plan.counts.count(link.kind, action);
                    }
                    self.plan.deletions.push(step);
                }
                Action::Deactivated => {
                    self.plan.counts.count(link.kind, action);
                    step.link = Some(Link {
                        state: State::Deactivated,
                        ..link
                    });
                    self.plan.steps.push(step);
                }
                _ => {
                    step.link = Some(Link {
                        state: State::Kept,
                        ..link
                    });
                    self.plan.steps.push(step);
                }
            }
        }
    }

    fn step(
        &self,
        index: usize,
        object: &Object,
        current: &mut HashMap<Uuid, Current>,
    ) -> Option<Step> {
        let fate = *self.fates.get(index)?;
        if matches!(fate, Fate::Unchanged | Fate::Out) {
            return None;
        }
        let (resource_id, kind) = self.resource_of(index)?;
        let link = self.facts.links.get(&object.unique_id);
        let found = current.remove(&resource_id);
        let is_new = found.is_none();
        let mut step = Step {
            kind,
            action: None,
            subject: Subject::Object {
                index,
                write: false,
            },
            resource_id,
            version: 0,
            created: self.session.now(),
            attributes: Vec::new(),
            addresses: None,
            renamed: self.renamed.contains(&index),
            link: Some(Link {
                kind,
                resource_id,
                member_key: object.member_key,
                digest: object.digest,
                members_digest: link.map_or(Digest::default(), |link| link.members_digest),
                state: State::Present,
                seen: true,
            }),
        };
        let mut inactive = false;
        if let Some(found) = found {
            step.version = found.version;
            step.created = found.created;
            step.attributes = found.attributes;
            step.addresses = found.addresses;
            inactive = !found.active;
        }
        step.action = match fate {
            Fate::Relinked => None,
            // What the link says is gone: it is made again, under the same id.
            _ if is_new => {
                if let Some(link) = &mut step.link {
                    link.members_digest = Digest::default();
                }
                Some(Action::Created)
            }
            _ if step.attributes.is_empty() => None,
            _ => {
                let back = link.is_some_and(|link| link.state == State::Deactivated);
                match back && inactive && step.attributes.iter().any(|name| name == "active") {
                    true => Some(Action::Reactivated),
                    false => Some(Action::Updated),
                }
            }
        };
        step.subject = Subject::Object {
            index,
            write: step.action.is_some(),
        };
        Some(step)
    }
}

fn compare(
    kind: Kind,
    stored: &Stored,
    object: Option<&Object>,
    deactivate: bool,
) -> Result<Current, Failure> {
    let unreadable = |error: serde_json::Error| {
        crate::store::Error::Backend(format!("stored {} {}: {error}", kind.name(), stored.id))
    };
    let before = Resource::from_stored(&stored.resource).map_err(unreadable)?;
    let active = before.attributes.get("active") != Some(&Json::Bool(false));
    let attributes = match object {
        Some(object) => resource::differing(
            &before,
            &Resource::from_stored(&object.text).map_err(unreadable)?,
        ),
        None => Vec::new(),
    };
    let moved = attributes.iter().any(|name| name == "emails");
    let addresses = moved.then(|| before.attributes.get("emails").cloned().unwrap_or_default());
    let mut deactivated = None;
    if deactivate && object.is_none() && kind == Kind::User && active {
        let mut after = before;
        after
            .attributes
            .insert("active".to_owned(), Json::Bool(false));
        deactivated = Some(after.to_stored(kind.resource_type()).into());
    }
    Ok(Current {
        version: stored.version.0,
        created: stored.created,
        attributes,
        addresses,
        active,
        deactivated,
    })
}
