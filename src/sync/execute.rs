//! Carries a plan out, in few and large batches. Each of them leaves everything consistent: resources with their audit events, counters,
//! log entries and links; so that a run that breaks off has done a part of its work and nothing by halves, and the next one finds
//! the rest.

use uuid::Uuid;

use super::Failure;
use super::counts::Counts;
use super::object::{Action, Kind, Note};
use super::plan::{MemberStep, Plan, Step};
use super::reading::Reading;
use super::session::Session;
use crate::scim::resource::Resource;
use crate::store::audit::{self, Detail, Event, Totals};
use crate::store::directory_entries::{self, DirectoryEntry};
use crate::store::groups::{self, GroupRow};
use crate::store::members::Pair;
use crate::store::sync_logs::{self, SyncEntry};
use crate::store::users::{self, UserRow};
use crate::store::{Statement, resources, unique};

/// What one batch may weigh: D1 gives it 30 seconds, and on its way there it is in memory several times.
const MAX_WEIGHT: usize = 10_000;
/// What a resource weighs, and a membership, an entry of the log.
const RESOURCE: usize = 10;
const ONE: usize = 1;
/// Resources in one batch.
const RESOURCES_AT_ONCE: usize = MAX_WEIGHT / RESOURCE;
/// Memberships in one batch.
const MEMBERS_AT_ONCE: usize = MAX_WEIGHT / ONE;

/// An event of the audit trail in the making.
struct Change {
    action: audit::Action,
    kind: Kind,
    id: String,
    attributes: Vec<String>,
    detail: Detail,
}

/// Collects what goes into the next batch.
pub struct Writer<'w> {
    session: &'w Session<'w>,
    unique_group_names: bool,
    statements: Vec<Statement>,
    events: Vec<Change>,
    entries: Vec<SyncEntry>,
    links: Vec<DirectoryEntry>,
    unlinked: Vec<String>,
    added: Vec<(String, String, &'static str)>,
    removed: Vec<Pair>,
    /// Groups whose members change.
    changed: Vec<String>,
    members_digests: Vec<(String, String)>,
    totals: Totals,
    counts: Counts,
    weight: usize,
    /// Number of the last entry of the log.
    seq: i64,
}

impl<'w> Writer<'w> {
    pub fn new(session: &'w Session<'w>, unique_group_names: bool) -> Self {
        Writer {
            session,
            unique_group_names,
            statements: Vec::new(),
            events: Vec::new(),
            entries: Vec::new(),
            links: Vec::new(),
            unlinked: Vec::new(),
            added: Vec::new(),
            removed: Vec::new(),
            changed: Vec::new(),
            members_digests: Vec::new(),
            totals: Totals::default(),
            counts: *session.done.borrow(),
            weight: 0,
            seq: session.last_entry.get(),
        }
    }

    /// Carries a plan out. What is left over at its end goes with the next [`flush`](Self::flush).
    pub async fn execute(&mut self, plan: &Plan, reading: &Reading) -> Result<(), Failure> {
        self.counts.adopt(&plan.counts);
        for kind in [Kind::User, Kind::Group] {
            let of_kind: Vec<&Step> = plan
                .deletions
                .iter()
                .filter(|step| step.kind == kind)
                .collect();
            for steps in of_kind.chunks(RESOURCES_AT_ONCE) {
                self.room(steps.len() * RESOURCE).await?;
                self.delete(kind, steps, reading);
            }
        }
        for kind in [Kind::User, Kind::Group] {
            let of_kind: Vec<&Step> = plan.steps.iter().filter(|step| step.kind == kind).collect();
            for steps in of_kind.chunks(RESOURCES_AT_ONCE) {
                self.room(steps.len() * RESOURCE).await?;
                self.save(kind, steps, reading);
            }
        }
        self.execute_members(&plan.members).await
    }

    /// Makes room for so much more.
    async fn room(&mut self, weight: usize) -> Result<(), Failure> {
        if self.weight > 0 && self.weight + weight > MAX_WEIGHT {
            self.flush().await?;
        }
        self.weight += weight;
        Ok(())
    }

    /// Writes what was collected.
    pub async fn flush(&mut self) -> Result<(), Failure> {
        let batch = self.take();
        if batch.is_empty() {
            return Ok(());
        }
        self.session.write(batch).await?;
        *self.session.done.borrow_mut() = self.counts;
        self.session.last_entry.set(self.seq);
        Ok(())
    }

    /// What was collected, for a batch that the caller runs.
    pub fn take(&mut self) -> Vec<Statement> {
        let session = self.session;
        let (tenant, idp) = (&session.tenant, &session.idp);
        let mut batch = std::mem::take(&mut self.statements);
        let removed = std::mem::take(&mut self.removed);
        batch.extend(directory_entries::delete_members(tenant, &removed));
        let added = std::mem::take(&mut self.added);
        batch.extend(directory_entries::insert_members(tenant, &added));
        let changed = std::mem::take(&mut self.changed);
        batch.extend(directory_entries::recount(tenant, &changed, session.now()));
        let links = std::mem::take(&mut self.links);
        batch.extend(directory_entries::save(tenant, idp, &links));
        let unlinked = std::mem::take(&mut self.unlinked);
        batch.extend(directory_entries::delete(tenant, idp, &unlinked));
        let digests = std::mem::take(&mut self.members_digests);
        batch.extend(directory_entries::save_members_digests(
            tenant, idp, &digests,
        ));
        let events = std::mem::take(&mut self.events);
        if !events.is_empty() {
            let totals = std::mem::take(&mut self.totals);
            let events: Vec<Event<'_>> = events
                .iter()
                .map(|change| Event {
                    action: change.action,
                    resource_type: change.kind.name(),
                    resource_id: &change.id,
                    attributes: change.attributes.clone(),
                    detail: change.detail.clone(),
                })
                .collect();
            batch.extend(audit::append(tenant, &session.origin, totals, &events));
        }
        let entries = std::mem::take(&mut self.entries);
        let log_id = session.log.borrow().id.clone();
        batch.extend(sync_logs::insert_entries(tenant, &log_id, &entries));
        session.note(&self.counts);
        self.weight = 0;
        batch
    }

    fn delete(&mut self, kind: Kind, steps: &[&Step], reading: &Reading) {
        let session = self.session;
        let gone: Vec<String> = steps
            .iter()
            .filter(|step| step.action.is_some())
            .map(|step| step.resource_id.to_string())
            .collect();
        self.statements.extend(resources::delete(
            &session.tenant,
            kind.resource_type(),
            &gone,
            session.now(),
        ));
        for step in steps {
            self.unlinked.push(step.unique_id(reading).to_owned());
            if step.action.is_some() {
                self.total(kind, -1);
                let event = (audit::Action::Delete, Vec::new(), Detail::default());
                self.note_step(step, Some(event), reading);
            }
        }
    }

    fn save(&mut self, kind: Kind, steps: &[&Step], reading: &Reading) {
        let mut resources = Vec::new();
        for step in steps {
            if let Some(link) = &step.link {
                self.links.push(DirectoryEntry {
                    unique_id: step.unique_id(reading).to_owned(),
                    resource_type: kind.name().to_owned(),
                    resource_id: step.resource_id.to_string(),
                    dn_key: link.member_key.to_text(),
                    digest: link.digest.to_text(),
                    members_digest: link.members_digest.to_text(),
                    state: link.state,
                });
            }
            if step.action == Some(Action::Created) {
                self.total(kind, 1);
            }
            let Some(text) = step.text(reading) else {
                // Where only the link changes, nobody's resource does.
                self.note_step(step, None, reading);
                continue;
            };
            // It is what the same type has written.
            let resource = Resource::from_stored(text).unwrap_or_default();
            let (action, attributes) = match step.action {
                Some(Action::Created) => {
                    let all = resource.attributes.keys().cloned().collect();
                    (audit::Action::Create, all)
                }
                Some(Action::Reactivated) => (audit::Action::Restore, step.attributes.clone()),
                _ => (audit::Action::Replace, step.attributes.clone()),
            };
            let detail = Detail::of(&attributes, &resource);
            self.note_step(step, Some((action, attributes, detail)), reading);
            resources.push((*step, step.resource_id.to_string(), resource));
        }
        let session = self.session;
        let (tenant, now) = (&session.tenant, session.now());
        let renamed: Vec<String> = resources
            .iter()
            .filter(|(step, ..)| step.renamed)
            .map(|(_, id, _)| id.clone())
            .collect();
        self.statements
            .extend(unique::vacate(tenant, kind.resource_type(), &renamed));
        self.statements.extend(match kind {
            Kind::User => save_users(session, &resources),
            Kind::Group => {
                let rows = resources.iter().map(|(step, id, resource)| GroupRow {
                    id,
                    provider_id: &session.idp,
                    created: step.created,
                    gain: 1,
                    resource,
                    unique_name: self.unique_group_names,
                    members: 0,
                });
                groups::save(tenant, &rows.collect::<Vec<_>>(), now)
            }
        });
    }

    async fn execute_members(&mut self, steps: &[MemberStep]) -> Result<(), Failure> {
        for step in steps {
            let id = step.group.to_string();
            // A large group changes in parts.
            for part in step.remove.chunks(MEMBERS_AT_ONCE) {
                self.room(part.len() * ONE + RESOURCE).await?;
                self.counts.memberships.removed += count(part.len());
                let members = part.iter().map(Uuid::to_string);
                self.change_members(&id, [], members.clone());
                self.removed
                    .extend(members.map(|member| (id.clone(), member)));
            }
            for part in step.add.chunks(MEMBERS_AT_ONCE) {
                self.room(part.len() * ONE + RESOURCE).await?;
                self.counts.memberships.added += count(part.len());
                self.change_members(&id, part.iter().map(|(member, _)| member.to_string()), []);
                let added = part
                    .iter()
                    .map(|(member, kind)| (id.clone(), member.to_string(), kind.name()));
                self.added.extend(added);
            }
            self.members_digests
                .push((step.unique_id.to_string(), step.digest.to_text()));
            if step.changes_anything() {
                self.note(&step.note()).await?;
            }
        }
        Ok(())
    }

    /// Notes that a group's members change in this batch: the group gets its next version, and an event that names them.
    pub fn change_members(
        &mut self,
        group: &str,
        added: impl IntoIterator<Item = String>,
        removed: impl IntoIterator<Item = String>,
    ) {
        if self.changed.last().is_none_or(|last| last != group) {
            self.changed.push(group.to_owned());
            self.events.push(Change {
                action: audit::Action::Patch,
                kind: Kind::Group,
                id: group.to_owned(),
                attributes: vec!["members".to_owned()],
                detail: Detail::default(),
            });
        }
        if let Some(change) = self.events.last_mut() {
            change.detail.add(added);
            change.detail.remove(removed);
        }
    }

    /// Statements for the next batch, of that weight.
    pub async fn add(&mut self, statements: Vec<Statement>, weight: usize) -> Result<(), Failure> {
        self.room(weight).await?;
        self.statements.extend(statements);
        Ok(())
    }

    pub fn counts(&mut self) -> &mut Counts {
        &mut self.counts
    }

    /// Adds an entry to the log.
    pub async fn note(&mut self, note: &Note) -> Result<(), Failure> {
        self.room(ONE).await?;
        self.enter(note);
        Ok(())
    }

    fn enter(&mut self, note: &Note) {
        self.seq += 1;
        let text = |text: &Option<Box<str>>| text.as_deref().map(str::to_owned);
        self.entries.push(SyncEntry {
            seq: self.seq,
            resource_type: note.kind.name().to_owned(),
            action: note.action.name().to_owned(),
            unique_id: text(&note.unique_id),
            dn: text(&note.dn),
            name: text(&note.name),
            resource_id: note.resource_id.clone(),
            reason: note.reason.clone(),
        });
    }

    /// An event and an entry for what is done with a resource.
    fn note_step(
        &mut self,
        step: &Step,
        event: Option<(audit::Action, Vec<String>, Detail)>,
        reading: &Reading,
    ) {
        let Some(note) = step.note(reading) else {
            return;
        };
        if note.action != Action::Kept {
            self.counts.count(step.kind, note.action);
        }
        if let Some((action, attributes, detail)) = event {
            self.events.push(Change {
                action,
                kind: step.kind,
                id: step.resource_id.to_string(),
                attributes,
                detail,
            });
        }
        self.enter(&note);
    }

    fn total(&mut self, kind: Kind, difference: i64) {
        match kind {
            Kind::User => self.totals.users += difference,
            Kind::Group => self.totals.groups += difference,
        }
    }
}

/// The rows of users. Addresses are rows of their own, and are left alone where they stay.
fn save_users(session: &Session<'_>, users: &[(&Step, String, Resource)]) -> Vec<Statement> {
    let before: Vec<Option<Resource>> = users
        .iter()
        .map(|(step, ..)| {
            let mut before = Resource::default();
            before
                .attributes
                .insert("emails".to_owned(), step.addresses.clone()?);
            Some(before)
        })
        .collect();
    let rows: Vec<UserRow<'_>> = users
        .iter()
        .zip(&before)
        .map(|((step, id, resource), before)| UserRow {
            id,
            provider_id: &session.idp,
            created: step.created,
            gain: 1,
            before: match step.version {
                0 => None,
                _ => Some(before.as_ref().unwrap_or(resource)),
            },
            resource,
            password_hash: None,
        })
        .collect();
    users::save(&session.tenant, &rows, session.now())
}

pub fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
