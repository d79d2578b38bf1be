//! Carries a plan out, in few and large batches. Each of them leaves everything consistent: resources with their audit events, counters,
//! log entries and links; so that a run that breaks off has done a part of its work and nothing by halves, and the next one finds
//! the rest.

use serde_json::Value as Json;
use uuid::Uuid;

use super::author::carry_out;
use super::failure::Failure;
use super::object::{Action, Kind, Note};
use super::plan::{MemberStep, Plan, Step};
use super::reading::Reading;
use super::session::Session;
use crate::change::{Intent, Known, Mandate, Request, Seen, Wish, audit};
use crate::error::Result as ChangeResult;
use crate::scim::patch::MemberChanges;
use crate::scim::profile::Profile;
use crate::scim::resource::Resource;
use crate::scim::version::Version;
use crate::store::Statement;
use crate::store::directory_entries::{self, DirectoryEntry};
use crate::store::members::Pair;
use crate::store::sync_counts::Counts;
use crate::store::sync_logs::{self, SyncEntry};

/// What one batch may weigh: D1 gives it 30 seconds, and on its way there it is in memory several times.
const MAX_WEIGHT: usize = 10_000;
/// What a resource weighs, and a membership, an entry of the log.
const RESOURCE: usize = 10;
const ONE: usize = 1;
/// Memberships in one batch.
const MEMBERS_AT_ONCE: usize = MAX_WEIGHT / ONE;

/// Collects what goes into the next batch.
pub struct Writer<'w> {
    session: &'w Session<'w>,
    profile: Profile,
    intents: Vec<ChangeResult<Intent>>,
    /// Resources as the plan has read them.
    seen: Vec<Seen>,
    /// Statements beside the changes.
    statements: Vec<Statement>,
    entries: Vec<SyncEntry>,
    links: Vec<DirectoryEntry>,
    unlinked: Vec<String>,
    members_digests: Vec<(String, String)>,
    counts: Counts,
    weight: usize,
    /// Number of the last entry of the log.
    seq: i64,
}

impl<'w> Writer<'w> {
    pub fn new(session: &'w Session<'w>) -> Self {
        Writer {
            session,
            profile: session.known.profile,
            intents: Vec::new(),
            seen: Vec::new(),
            statements: Vec::new(),
            entries: Vec::new(),
            links: Vec::new(),
            unlinked: Vec::new(),
            members_digests: Vec::new(),
            counts: session.counts(),
            weight: 0,
            seq: session.state.borrow().last_entry,
        }
    }

    /// Carries a plan out. What is left over at its end goes with the next [`flush`](Self::flush).
    pub async fn execute(&mut self, plan: &Plan, reading: &Reading) -> Result<(), Failure> {
        self.counts.adopt(&plan.counts);
        for kind in [Kind::User, Kind::Group] {
            for step in plan.deletions.iter().filter(|step| step.kind == kind) {
                self.room(RESOURCE).await?;
                self.delete(step, reading);
            }
        }
        for kind in [Kind::User, Kind::Group] {
            for step in plan.steps.iter().filter(|step| step.kind == kind) {
                self.room(RESOURCE).await?;
                self.save(step, reading);
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
        let directory = Mandate::Directory(self.session.idp.clone());
        self.flush_as(directory, Vec::new()).await
    }

    /// Writes what was collected on somebody's word. Of the pairs it is known what they are.
    async fn flush_as(
        &mut self,
        mandate: Mandate,
        pairs: Vec<(Pair, Known)>,
    ) -> Result<(), Failure> {
        let beside = self.beside();
        let intents = std::mem::take(&mut self.intents);
        self.weight = 0;
        let before = self.session.counts();
        self.session.note(&self.counts);
        if beside.is_empty() && intents.is_empty() {
            return Ok(());
        }
        let last_entry =
            std::mem::replace(&mut self.session.state.borrow_mut().last_entry, self.seq);
        let request = Request {
            is_whole: true,
            pairs,
            seen: std::mem::take(&mut self.seen),
            along: Some(&|_| beside.clone()),
            ..Request::of(&intents)
        };
        let done = carry_out(self.session, self.profile, mandate, &request).await;
        if done.is_err() {
            self.session.note(&before);
            self.session.state.borrow_mut().last_entry = last_entry;
        }
        done
    }

    /// What goes into a batch beside the changes: what is known of the directory's entries, and the log.
    fn beside(&mut self) -> Vec<Statement> {
        let (tenant, idp) = (&self.session.tenant, &self.session.idp);
        let mut batch = std::mem::take(&mut self.statements);
        let links = std::mem::take(&mut self.links);
        batch.extend(directory_entries::save(tenant, idp, &links));
        let unlinked = std::mem::take(&mut self.unlinked);
        batch.extend(directory_entries::delete(tenant, idp, &unlinked));
        let digests = std::mem::take(&mut self.members_digests);
        batch.extend(directory_entries::save_members_digests(
            tenant, idp, &digests,
        ));
        let entries = std::mem::take(&mut self.entries);
        let log_id = self.session.log.borrow().id.clone();
        batch.extend(sync_logs::insert_entries(tenant, &log_id, &entries));
        batch
    }

    fn delete(&mut self, step: &Step, reading: &Reading) {
        self.unlinked.push(step.unique_id(reading).to_owned());
        if step.action.is_some() {
            self.intend(step, Ok(Wish::Delete));
            self.note_step(step, reading);
        }
    }

    fn intend(&mut self, step: &Step, wish: ChangeResult<Wish>) {
        let id = step.resource_id.to_string();
        let intent = Intent::change(step.kind.resource_type(), id, wish);
        self.intents.push(Ok(intent));
    }

    fn save(&mut self, step: &Step, reading: &Reading) {
        if let Some(link) = &step.link {
            self.links.push(DirectoryEntry {
                unique_id: step.unique_id(reading).to_owned(),
                resource_type: step.kind.name().to_owned(),
                resource_id: step.resource_id.to_string(),
                dn_key: link.member_key.to_text(),
                digest: link.digest.to_text(),
                members_digest: link.members_digest.to_text(),
                state: link.state,
            });
        }
        // Where only the link changes, nobody's resource does.
        if let Some(text) = step.text(reading) {
            // It is what the same type has written.
            let resource = Resource::from_stored(text).unwrap_or_default();
            if step.version > 0 {
                self.seen.push(before(step, &resource));
            }
            match step.action {
                Some(Action::Created) => {
                    let (resource_type, id) = (step.kind.resource_type(), step.resource_id);
                    let intent = Intent::create(resource_type, id.to_string(), Ok(resource));
                    self.intents.push(Ok(intent));
                }
                Some(Action::Reactivated) => {
                    self.intend(step, Ok(Wish::Become(resource, audit::Action::Restore)));
                }
                _ => self.intend(step, Ok(Wish::Become(resource, audit::Action::Replace))),
            }
        }
        self.note_step(step, reading);
    }

    async fn execute_members(&mut self, steps: &[MemberStep]) -> Result<(), Failure> {
        for step in steps {
            let id = step.group.to_string();
            // A large group changes in parts.
            for part in step.remove.chunks(MEMBERS_AT_ONCE) {
                self.room(part.len() * ONE + RESOURCE).await?;
                self.counts.memberships.removed += count(part.len());
                let gone = part.iter().map(Uuid::to_string);
                self.change_members(&id, MemberChanges::by_id([], gone));
            }
            for part in step.add.chunks(MEMBERS_AT_ONCE) {
                self.room(part.len() * ONE + RESOURCE).await?;
                self.counts.memberships.added += count(part.len());
                let come = part.iter();
                let come = come.map(|(member, kind)| (member.to_string(), kind.name()));
                self.change_members(&id, MemberChanges::by_id(come, []));
            }
            self.members_digests
                .push((step.unique_id.to_string(), step.digest.to_text()));
            if step.changes_anything() {
                self.note(&step.note()).await?;
            }
        }
        Ok(())
    }

    /// Intends that a group's members change: once in a batch, so that the group gets its next version, and an event that names them.
    fn change_members(&mut self, group: &str, changes: MemberChanges) {
        let last = self.intents.last_mut().and_then(|last| last.as_mut().ok());
        if let Some(Intent {
            id,
            wish: Ok(Wish::Members(before)),
            ..
        }) = last
            && *id == group
        {
            before.add.extend(changes.add);
            before.remove.extend(changes.remove);
            return;
        }
        let wish = Ok(Wish::Members(changes));
        let resource_type = Kind::Group.resource_type();
        let intent = Intent::change(resource_type, group.to_owned(), wish);
        self.intents.push(Ok(intent));
    }

    /// Changes the members of groups on the word of mappings, with what goes along, in a batch of its own.
    pub async fn grant(
        &mut self,
        groups: Vec<(String, MemberChanges)>,
        pairs: Vec<(Pair, Known)>,
        along: Vec<Statement>,
        notes: &[Note],
    ) -> Result<(), Failure> {
        self.flush().await?;
        for (group, changes) in groups {
            self.change_members(&group, changes);
        }
        self.statements = along;
        notes.iter().for_each(|note| self.enter(note));
        self.flush_as(Mandate::Mappings, pairs).await
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
        self.entries.push(note.entry(self.seq));
    }

    /// An entry for what is done with a resource.
    fn note_step(&mut self, step: &Step, reading: &Reading) {
        let Some(note) = step.note(reading) else {
            return;
        };
        if note.action != Action::Kept {
            self.counts.count(step.kind, note.action);
        }
        self.enter(&note);
    }
}

/// What the plan has read of a resource, told from what it is to be: which attributes are others, and the addresses that it had.
fn before(step: &Step, after: &Resource) -> Seen {
    let mut before = after.clone();
    for name in &step.attributes {
        let is_new = after.attributes.contains_key(name);
        before.attributes.remove(name);
        if !is_new {
            before.attributes.insert(name.clone(), Json::Null);
        }
    }
    if let Some(addresses) = &step.addresses {
        let name = "emails".to_owned();
        before.attributes.insert(name, addresses.clone());
    }
    let (resource_type, id) = (step.kind.resource_type(), step.resource_id.to_string());
    Seen::told(
        resource_type,
        id,
        Version(step.version),
        step.created,
        before,
    )
}

pub fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
