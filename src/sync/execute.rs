//! Does what was planned, piece by piece: each is one batch that leaves everything consistent, resources with their audit events, counters, log
//! entries and links. A run that only tells what would be done goes the same way, and writes the log's entries alone.

use super::author::carry_out;
use super::failure::Failure;
use super::object::{Action, Kind, Note};
use super::session::Session;
use super::stage::{Store, count};
use super::staged::{MembersPart, Piece, What};
use super::steps::{self, Step};
use crate::change::{Intent, Known, Mandate, Request, Seen, Wish, audit};
use crate::error::Result as ChangeResult;
use crate::scim::patch::MemberChanges;
use crate::scim::resource::Resource;
use crate::store::Statement;
use crate::store::directory_entries::{self, DirectoryEntry};
use crate::store::members::Pair;
use crate::store::sync_counts::Counts;
use crate::store::sync_logs::{self, SyncEntry};

/// Entries that a run which only tells puts into its log.
const MAX_TOLD: i64 = 1_000;

/// Collects what goes into the next batch.
pub struct Writer<'w> {
    session: &'w Session<'w>,
    /// Whether nothing is carried out.
    tells: bool,
    /// Whether what is told is written with the end of the run: one that begins anew where it breaks off tells nothing twice.
    waits: bool,
    intents: Vec<ChangeResult<Intent>>,
    /// Resources as they were read.
    seen: Vec<Seen>,
    entries: Vec<SyncEntry>,
    links: Vec<DirectoryEntry>,
    unlinked: Vec<String>,
    members_digests: Vec<(String, String)>,
    counts: Counts,
    /// Number of the last entry of the log.
    seq: i64,
}

impl<'w> Writer<'w> {
    /// `is_all`: whether the run goes to its end in this message.
    pub fn new(session: &'w Session<'w>, is_all: bool) -> Self {
        let tells = session.only_tells();
        Writer {
            session,
            tells,
            waits: tells && is_all,
            intents: Vec::new(),
            seen: Vec::new(),
            entries: Vec::new(),
            links: Vec::new(),
            unlinked: Vec::new(),
            members_digests: Vec::new(),
            counts: session.counts(),
            seq: session.state.borrow().last_entry,
        }
    }

    /// What is told and not written yet, for the batch that ends the run.
    pub fn told(&mut self) -> Vec<Statement> {
        self.session.note(&self.counts);
        self.beside()
    }

    /// Does pieces as one batch, and says that the next ones come then.
    pub async fn carry_out(
        &mut self,
        pieces: &[Piece],
        store: &mut Store<'_>,
    ) -> Result<(), Failure> {
        for piece in pieces {
            self.collect(&piece.what, store).await?;
        }
        if self.waits {
            return Ok(());
        }
        let before = self.session.state.borrow().piece;
        self.session.state.borrow_mut().piece += i64::from(count(pieces.len()));
        let directory = Mandate::Directory(self.session.idp.clone());
        let done = self.write_as(directory, Vec::new(), Vec::new()).await;
        if done.is_err() {
            self.session.state.borrow_mut().piece = before;
        }
        done
    }

    async fn collect(&mut self, what: &What, store: &mut Store<'_>) -> Result<(), Failure> {
        match what {
            What::Gone(number) => {
                let gone = store.gone(*number).await?;
                let steps = steps::of_gone(self.session, gone).await?;
                steps.into_iter().for_each(|step| self.take(step));
            }
            What::Objects(ranges) => {
                let objects = store.gather(ranges).await?;
                let steps = steps::of_objects(self.session, &objects).await?;
                steps.into_iter().for_each(|step| self.take(step));
            }
            What::Members(number) => {
                for part in store.members(*number).await? {
                    self.members(&part);
                }
            }
            What::Notes(number) => {
                let notes = store.notes(*number).await?;
                notes.iter().for_each(|note| self.enter(note));
            }
        }
        Ok(())
    }

    fn take(&mut self, step: Step) {
        match &step.action {
            // It is counted where it is found out that it is gone.
            Some(Action::Kept) => {}
            Some(action) => self.counts.count(step.kind, *action),
            None if step.link.is_some() => self.counts.of(step.kind).unchanged += 1,
            None => {}
        }
        if let Some(note) = step.note() {
            self.enter(&note);
        }
        if self.tells {
            return;
        }
        let id = step.resource.to_string();
        match &step.link {
            Some(link) => self.links.push(DirectoryEntry {
                unique_id: step.unique_id.to_string(),
                resource_type: step.kind.name().to_owned(),
                resource_id: id.clone(),
                dn_key: link.member_key.to_text(),
                digest: link.digest.to_text(),
                members_digest: link.members_digest.to_text(),
                state: link.state,
            }),
            None => self.unlinked.push(step.unique_id.to_string()),
        }
        let resource_type = step.kind.resource_type();
        if step.action == Some(Action::Deleted) {
            let intent = Intent::change(resource_type, id, Ok(Wish::Delete));
            return self.intents.push(Ok(intent));
        }
        // Where only the link changes, nobody's resource does.
        let Some(text) = &step.text else {
            return;
        };
        // It is what the same type has written.
        let resource = Resource::from_stored(text).unwrap_or_default();
        if step.version > 0 {
            self.seen.push(step.before(&resource));
        }
        let intent = match step.action {
            Some(Action::Created) => Intent::create(resource_type, id, Ok(resource)),
            Some(Action::Reactivated) => {
                let wish = Wish::Become(resource, audit::Action::Restore);
                Intent::change(resource_type, id, Ok(wish))
            }
            _ => {
                let wish = Wish::Become(resource, audit::Action::Replace);
                Intent::change(resource_type, id, Ok(wish))
            }
        };
        self.intents.push(Ok(intent));
    }

    fn members(&mut self, part: &MembersPart) {
        self.counts.memberships.added += u64::from(count(part.add.len()));
        self.counts.memberships.removed += u64::from(count(part.remove.len()));
        let gone = part.remove.iter().map(|member| member.0.to_string());
        let come = part.add.iter();
        let come = come.map(|(member, kind)| (member.0.to_string(), kind.name()));
        if part.weight() > 0 {
            self.change_members(&part.group.to_string(), MemberChanges::by_id(come, gone));
        }
        let Some((digest, added, removed)) = part.end else {
            return;
        };
        self.members_digests
            .push((part.unique_id.to_string(), digest.to_text()));
        if added + removed > 0 {
            self.enter(&Note {
                kind: Kind::Group,
                action: Action::Members,
                unique_id: Some(part.unique_id.clone()),
                dn: None,
                name: Some(part.name.clone()),
                resource_id: Some(part.group.to_string()),
                reason: Some(format!("{added} added, {removed} removed")),
            });
        }
    }

    /// Intends that a group's members change: once in a batch, so that the group gets its next version, and an event that names them.
    fn change_members(&mut self, group: &str, changes: MemberChanges) {
        if self.tells {
            return;
        }
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
        for (group, changes) in groups {
            self.change_members(&group, changes);
        }
        notes.iter().for_each(|note| self.enter(note));
        self.write_as(Mandate::Mappings, pairs, along).await
    }

    pub fn counts(&mut self) -> &mut Counts {
        &mut self.counts
    }

    fn enter(&mut self, note: &Note) {
        if self.tells && self.seq >= MAX_TOLD {
            return;
        }
        self.seq += 1;
        let mut entry = note.entry(self.seq);
        if self.tells && note.action == Action::Created {
            // What is not there yet has no id that would stay.
            entry.resource_id = None;
        }
        self.entries.push(entry);
    }

    /// Writes what was collected on somebody's word, as one step of the run. Of the pairs it is known what they are.
    async fn write_as(
        &mut self,
        mandate: Mandate,
        pairs: Vec<(Pair, Known)>,
        mut along: Vec<Statement>,
    ) -> Result<(), Failure> {
        let session = self.session;
        let before = (session.counts(), session.state.borrow().last_entry);
        along.extend(self.beside());
        session.note(&self.counts);
        session.state.borrow_mut().last_entry = self.seq;
        let intents = std::mem::take(&mut self.intents);
        let seen = std::mem::take(&mut self.seen);
        let done = match intents.is_empty() {
            true => session.write(along).await.map(drop).map_err(Failure::from),
            false => {
                let request = Request {
                    is_whole: true,
                    pairs,
                    seen,
                    along: Some(&|_| along.clone()),
                    ..Request::of(&intents)
                };
                carry_out(session, mandate, &request).await
            }
        };
        if done.is_err() {
            session.note(&before.0);
            session.state.borrow_mut().last_entry = before.1;
        }
        done
    }

    /// What goes into a batch beside the changes: what is known of the directory's entries, and the log.
    fn beside(&mut self) -> Vec<Statement> {
        let (tenant, idp) = (&self.session.tenant, &self.session.idp);
        let links = std::mem::take(&mut self.links);
        let mut batch = directory_entries::save(tenant, idp, &links);
        let unlinked = std::mem::take(&mut self.unlinked);
        batch.extend(directory_entries::delete(tenant, idp, &unlinked));
        let digests = std::mem::take(&mut self.members_digests);
        if !self.tells {
            batch.extend(directory_entries::save_members_digests(
                tenant, idp, &digests,
            ));
        }
        let entries = std::mem::take(&mut self.entries);
        let log_id = self.session.log_id();
        batch.extend(sync_logs::insert_entries(tenant, &log_id, &entries));
        batch
    }
}
