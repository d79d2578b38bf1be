//! What is staged: written while the directory is read, and loaded when it is its turn.

use std::collections::HashMap;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::object::Note;
use super::session::Session;
use super::staged::{Gone, MembersPart, Piece, RESOURCE, Range, Staged, What};
use super::state::Phase;
use crate::store::{Error, Result, Rows, Statement, rows_at, sync_chunks};

/// Notes, and entries that are gone, in one text: they are written in one batch.
pub const MAX_NOTES: usize = 5_000;
pub const MAX_GONE: usize = 1_000;
/// Pieces that are loaded at once.
const PIECES_AT_ONCE: i64 = 50;

const OBJECTS: &str = "objects";
const GONE: &str = "gone";
const MEMBERS: &str = "members";
const NOTES: &str = "notes";
const PIECES: &str = "pieces";

/// A text, of its kind and by its number.
type Texts = HashMap<(&'static str, i64), String>;

/// What is being staged. As long as it is little it stays in memory: a run of which nothing is written before it is planned goes to its end
/// in one message, and begins anew where that breaks off.
pub struct Stage<'s> {
    session: &'s Session<'s>,
    /// Whether what an earlier reading has staged is still there.
    is_stale: bool,
    /// Whether something was written.
    pub is_written: bool,
    /// What is not written yet.
    texts: Texts,
    size: usize,
    notes: Vec<Note>,
    /// Those of the notes that are staged: they are done last.
    notes_pieces: Vec<Piece>,
    numbers: Numbers,
}

/// How many texts there are.
#[derive(Default)]
struct Numbers {
    gone: i64,
    members: i64,
    notes: i64,
}

impl<'s> Stage<'s> {
    pub fn new(session: &'s Session<'s>) -> Self {
        Stage {
            session,
            is_stale: !session.is_new(),
            is_written: false,
            texts: Texts::new(),
            size: 0,
            notes: Vec::new(),
            notes_pieces: Vec::new(),
            numbers: Numbers::default(),
        }
    }

    /// Stages objects, the first one by its number, and asks something along with it.
    pub async fn put_objects(
        &mut self,
        first: u32,
        objects: &[Staged],
        along: Vec<Statement>,
    ) -> Result<Vec<Rows>> {
        self.put(OBJECTS, i64::from(first), objects, along).await
    }

    pub async fn put_gone(&mut self, gone: &[Gone]) -> Result<Piece> {
        let number = self.numbers.gone;
        self.numbers.gone += 1;
        self.put(GONE, number, gone, Vec::new()).await?;
        Ok(Piece {
            what: What::Gone(number),
            weight: gone.len() * RESOURCE,
        })
    }

    pub async fn put_members(&mut self, parts: &[MembersPart]) -> Result<Piece> {
        let number = self.numbers.members;
        self.numbers.members += 1;
        self.put(MEMBERS, number, parts, Vec::new()).await?;
        Ok(Piece {
            what: What::Members(number),
            weight: parts.iter().map(|part| part.weight() + RESOURCE).sum(),
        })
    }

    /// Takes up what is only to be told.
    pub async fn note(&mut self, note: Note) -> Result<()> {
        self.notes.push(note);
        match self.notes.len() < MAX_NOTES {
            true => Ok(()),
            false => self.put_notes().await,
        }
    }

    async fn put_notes(&mut self) -> Result<()> {
        if self.notes.is_empty() {
            return Ok(());
        }
        let (number, notes) = (self.numbers.notes, std::mem::take(&mut self.notes));
        self.numbers.notes += 1;
        self.notes_pieces.push(Piece {
            what: What::Notes(number),
            weight: notes.len(),
        });
        self.put(NOTES, number, &notes, Vec::new()).await.map(drop)
    }

    /// Stages the pieces, and those of the notes behind them, and with them that they are done next. What is little is not written: it is
    /// in the store that is given, with the pieces, and nowhere else.
    pub async fn finish(
        mut self,
        mut pieces: Vec<Piece>,
        mut store: Store<'s>,
    ) -> Result<Store<'s>> {
        self.put_notes().await?;
        pieces.append(&mut self.notes_pieces);
        if self.is_written {
            let texts: Vec<String> = pieces.iter().map(text).collect::<Result<_>>()?;
            let (tenant, log) = (&self.session.tenant, self.session.log_id());
            let mut batch = self.rest();
            batch.extend(sync_chunks::insert_many(tenant, &log, PIECES, &texts));
            self.session.state.borrow_mut().phase = Phase::Doing;
            self.session.write(batch).await?;
        } else {
            store.texts = self.texts;
            store.is_all = true;
        }
        store.pieces = Some(pieces);
        Ok(store)
    }

    /// What writes all that is not written yet.
    fn rest(&mut self) -> Vec<Statement> {
        self.is_written = true;
        self.size = 0;
        let (tenant, log) = (&self.session.tenant, self.session.log_id());
        let mut batch = Vec::new();
        if std::mem::replace(&mut self.is_stale, false) {
            batch.push(sync_chunks::delete(tenant, &log));
        }
        for ((kind, number), body) in self.texts.drain() {
            batch.extend(sync_chunks::insert(tenant, &log, kind, number, &body));
        }
        batch
    }

    async fn put(
        &mut self,
        kind: &'static str,
        number: i64,
        body: &(impl Serialize + ?Sized),
        along: Vec<Statement>,
    ) -> Result<Vec<Rows>> {
        // Objects are asked for before all are planned, and of those that are in memory the last ones alone.
        let mut others = self.texts.keys();
        let is_asked_for =
            kind == OBJECTS && (self.is_written || others.any(|(kind, _)| *kind == OBJECTS));
        let body = text(body)?;
        self.size += body.len();
        self.texts.insert((kind, number), body);
        if self.size < self.session.limits.text && !is_asked_for {
            return self.session.read(along).await;
        }
        let mut batch = self.rest();
        let first = batch.len();
        batch.extend(along);
        let mut results = self.session.write(batch).await?;
        Ok(results.split_off(first.min(results.len())))
    }
}

fn text(body: &(impl Serialize + ?Sized)) -> Result<String> {
    serde_json::to_string(body)
        .map_err(|error| Error::Backend(format!("what a sync stages: {error}")))
}

/// What was staged, to be done.
pub struct Store<'s> {
    session: &'s Session<'s>,
    /// The objects that were loaded last, and the number of the first one.
    objects: Option<(u32, Vec<Staged>)>,
    /// The pieces, where they were just planned.
    pieces: Option<Vec<Piece>>,
    /// Texts that are nowhere else.
    texts: Texts,
    /// Whether those are all.
    pub is_all: bool,
}

impl<'s> Store<'s> {
    pub fn new(session: &'s Session<'s>) -> Self {
        Store {
            session,
            objects: None,
            pieces: None,
            texts: Texts::new(),
            is_all: false,
        }
    }

    /// The next pieces from a number on; none where there are no more.
    pub async fn pieces(&mut self, from: i64) -> Result<Vec<Piece>> {
        if let Some(pieces) = &mut self.pieces {
            return Ok(std::mem::take(pieces));
        }
        let (tenant, log) = (&self.session.tenant, self.session.log_id());
        let select = sync_chunks::select_from(tenant, &log, PIECES, from, PIECES_AT_ONCE);
        let results = self.session.read(vec![select]).await?;
        let rows = rows_at(&results, 0)?.rows.iter();
        rows.map(|row| read(&row.text("body")?)).collect()
    }

    pub async fn gone(&self, number: i64) -> Result<Vec<Gone>> {
        self.load(GONE, number).await
    }

    pub async fn members(&self, number: i64) -> Result<Vec<MembersPart>> {
        self.load(MEMBERS, number).await
    }

    pub async fn notes(&self, number: i64) -> Result<Vec<Note>> {
        self.load(NOTES, number).await
    }

    /// The objects of a range from its beginning on, as far as they lie together, and the number behind them. A few thousand are loaded at
    /// once, and are there for whoever asks next.
    pub async fn objects(&mut self, (from, to): Range) -> Result<(&[Staged], u32)> {
        let is_there = |(first, objects): &(u32, Vec<Staged>)| {
            (*first..*first + count(objects.len())).contains(&from)
        };
        if !self.objects.as_ref().is_some_and(is_there) {
            // Two of them are never in memory at once.
            self.objects = None;
            let (tenant, log) = (&self.session.tenant, self.session.log_id());
            let select = sync_chunks::select_before(tenant, &log, OBJECTS, i64::from(from));
            let results = self.session.read(vec![select]).await?;
            let rows = rows_at(&results, 0)?;
            let first = rows.first().map_or(Ok(0), |row| row.integer("number"))?;
            let body = sync_chunks::body(rows)?.unwrap_or_default();
            self.objects = Some((u32::try_from(first).unwrap_or_default(), read(&body)?));
        }
        let lost = || Error::Backend(format!("the object {from} of a sync is not staged"));
        let (first, objects) = self.objects.as_ref().ok_or_else(lost)?;
        let end = to.min(first + count(objects.len()));
        let place =
            |number: u32| usize::try_from(number.saturating_sub(*first)).unwrap_or_default();
        let found = objects
            .get(place(from)..place(end))
            .filter(|found| !found.is_empty());
        Ok((found.ok_or_else(lost)?, end))
    }

    /// Keeps objects that were just staged, for whoever asks next.
    pub fn keep(&mut self, first: u32, objects: Vec<Staged>) {
        self.objects = Some((first, objects));
    }

    /// The objects of several ranges, without the members of groups.
    pub async fn gather(&mut self, ranges: &[Range]) -> Result<Vec<Staged>> {
        let mut gathered = Vec::new();
        for (from, to) in ranges {
            let mut next = *from;
            while next < *to {
                let (objects, end) = self.objects((next, *to)).await?;
                gathered.extend(objects.iter().map(Staged::without_members));
                next = end;
            }
        }
        Ok(gathered)
    }

    async fn load<T: DeserializeOwned>(&self, kind: &'static str, number: i64) -> Result<Vec<T>> {
        if let Some(body) = self.texts.get(&(kind, number)) {
            return read(body);
        }
        let (tenant, log) = (&self.session.tenant, self.session.log_id());
        let select = sync_chunks::select(tenant, &log, kind, number);
        let results = self.session.read(vec![select]).await?;
        let body = sync_chunks::body(rows_at(&results, 0)?)?;
        read(
            &body.ok_or_else(|| {
                Error::Backend(format!("{kind} {number} of a sync are not staged"))
            })?,
        )
    }
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T> {
    serde_json::from_str(text)
        .map_err(|error| Error::Backend(format!("what a sync has staged: {error}")))
}

pub fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
