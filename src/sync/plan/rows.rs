//! The steps of a plan, once it is known who is to be written: what is there is read, and compared with what is to be.

use std::collections::HashMap;

use serde_json::Value as Json;
use uuid::Uuid;

use super::{Fate, Planner, Step, Text};
use crate::scim::render::Stored;
use crate::scim::resource::{self, Resource};

use crate::store::directory_entries::State;
use crate::store::resources;
use crate::sync::Failure;
use crate::sync::digest::Digest;
use crate::sync::links::Link;
use crate::sync::object::{Action, Kind, Object};

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
        let current = self.read_current().await?;
        self.part_with_the_vanished(&current);
        for kind in [Kind::User, Kind::Group] {
            let mut steps: Vec<Step> = Vec::new();
            for (index, object) in self.reading.objects.iter().enumerate() {
                if object.kind == kind
                    && let Some(step) = self.step(index, object, &current)
                {
                    let tally = self.plan.counts.of(kind);
                    match step.action {
                        None => tally.unchanged += 1,
                        Some(action) => self.plan.counts.count(kind, action),
                    }
                    steps.push(step);
                } else if object.kind == kind && self.fates.get(index) == Some(&Fate::Unchanged) {
                    self.plan.counts.of(kind).unchanged += 1;
                }
            }
            // Names that are given up come first, so that they are free when others take them.
            steps.sort_by_key(|step| !step.renamed);
            self.plan.steps.extend(steps);
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
            .filter_map(|(id, _)| self.links.get(id));
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
                    current.insert(id, compare(kind, &stored, object)?);
                }
            }
        }
        Ok(current)
    }

    fn part_with_the_vanished(&mut self, current: &HashMap<Uuid, Current>) {
        for (unique_id, action) in std::mem::take(&mut self.vanished) {
            let Some(link) = self.links.get(&unique_id).copied() else {
                continue;
            };
            let found = current.get(&link.resource_id);
            let mut step = Step {
                kind: link.kind,
                action: Some(action),
                unique_id,
                dn: None,
                name: None,
                resource_id: link.resource_id,
                version: found.map_or(0, |found| found.version),
                created: found.map_or(0, |found| found.created),
                text: None,
                attributes: Vec::new(),
                addresses: None,
                renamed: false,
                link: None,
            };
            match action {
                Action::Deleted => {
                    // A resource that is not there any more leaves only its link to be forgotten.
                    if found.is_none() {
                        step.action = None;
                    } else {
                        self.plan.counts.count(link.kind, action);
                    }
                    self.plan.deletions.push(step);
                }
                Action::Deactivated => {
                    self.plan.counts.count(link.kind, action);
                    if let Some(text) = found.and_then(|found| found.deactivated.clone()) {
                        step.text = Some(Text::Own(text));
                        step.attributes.push("active".to_owned());
                    }
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
        current: &HashMap<Uuid, Current>,
    ) -> Option<Step> {
        let fate = *self.fates.get(index)?;
        if matches!(fate, Fate::Unchanged | Fate::Out) {
            return None;
        }
        let (resource_id, kind) = self.resource_of(index)?;
        let link = self.links.get(&object.unique_id);
        let found = current.get(&resource_id);
        let mut step = Step {
            kind,
            action: None,
            unique_id: object.unique_id.clone(),
            dn: Some(object.dn.clone()),
            name: Some(object.name.clone()),
            resource_id,
            version: found.map_or(0, |found| found.version),
            created: found.map_or_else(|| self.session.now(), |found| found.created),
            text: None,
            attributes: found.map_or_else(Vec::new, |found| found.attributes.clone()),
            addresses: found.and_then(|found| found.addresses.clone()),
            renamed: self.renamed.contains(&index),
            link: Some(Link {
                kind,
                resource_id,
                dn_key: object.dn_key,
                digest: object.digest,
                members_digest: link.map_or(Digest::default(), |link| link.members_digest),
                state: State::Present,
                seen: true,
            }),
        };
        step.action = match (fate, found) {
            (Fate::Relinked, _) => None,
            // What the link says is gone: it is made again, under the same id.
            (_, None) => {
                step.attributes = attributes_of(object);
                if let Some(link) = &mut step.link {
                    link.members_digest = Digest::default();
                }
                Some(Action::Created)
            }
            (_, Some(found)) if found.attributes.is_empty() => None,
            (_, Some(found)) => {
                let back = link.is_some_and(|link| link.state == State::Deactivated);
                match back && !found.active && found.attributes.iter().any(|name| name == "active")
                {
                    true => Some(Action::Reactivated),
                    false => Some(Action::Updated),
                }
            }
        };
        step.text = step.action.map(|_| Text::Object(index));
        Some(step)
    }
}

fn attributes_of(object: &Object) -> Vec<String> {
    let resource = Resource::from_stored(&object.text).unwrap_or_default();
    resource.attributes.keys().cloned().collect()
}

fn compare(kind: Kind, stored: &Stored, object: Option<&Object>) -> Result<Current, Failure> {
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
    if object.is_none() && kind == Kind::User && active {
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
