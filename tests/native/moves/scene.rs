//! Two databases, a tenant in the first, and its move, driven message by message: before each call of it something may happen, and each may go
//! wrong.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use rollcall::change::rows_of_tenants::{TABLES, TENANT};
use rollcall::config::MoveLimits;
use rollcall::ids::TenantId;
use rollcall::jobs::moves::{Databases, Mover, Next};
use rollcall::platform::Database;
use rollcall::store::moves::{self, Begun};
use rollcall::store::{Error, Result, Rows, Statement, Value, rows_at};

use crate::support::d1_twin::D1Twin;
use crate::support::faults::{BROKEN, LOST};
use crate::support::{SECRET, Tenant, World};

/// What goes wrong with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    Lost,
    ReplyLost,
    Broken,
    DiesBefore,
    DiesAfter,
    /// It is given up, and is carried out so many calls later.
    Late(usize),
}

pub const FAULTS: [Fault; 6] = [
    Fault::Lost,
    Fault::ReplyLost,
    Fault::Broken,
    Fault::DiesBefore,
    Fault::DiesAfter,
    Fault::Late(4),
];

type Hook = Rc<dyn Fn(usize)>;

type Late = (usize, Rc<D1Twin>, Vec<Statement>);

/// The calls of the movers, counted.
#[derive(Default)]
pub struct Calls {
    pub count: Cell<usize>,
    armed: Cell<Option<(usize, Fault)>>,
    hook: RefCell<Option<Hook>>,
    /// What the target says to whatever is written there.
    pub full: Cell<bool>,
    /// What is carried out late: before which call, where, and what.
    late: RefCell<Option<Late>>,
}

impl Calls {
    /// Whether the call of that number was made.
    pub fn is_met(&self, number: usize) -> bool {
        self.count.get() > number
    }
}

/// A database as a mover reaches it.
struct Watched {
    inner: Rc<D1Twin>,
    calls: Rc<Calls>,
    is_target: bool,
}

#[async_trait(?Send)]
impl Database for Watched {
    async fn run(&self, batch: Vec<Statement>) -> Result<Vec<Rows>> {
        let number = self.calls.count.get();
        self.calls.count.set(number + 1);
        let due = self
            .calls
            .late
            .borrow()
            .as_ref()
            .is_some_and(|late| number >= late.0);
        if let Some((_, twin, batch)) = due.then(|| self.calls.late.take()).flatten() {
            let _ = twin.run(batch).await;
        }
        let hook = self.calls.hook.borrow().clone();
        if let Some(hook) = hook {
            hook(number);
        }
        let inserts = batch
            .iter()
            .any(|one| one.sql.contains("insert or replace"));
        if self.calls.full.get() && self.is_target && inserts {
            let message = "D1_ERROR: database or disk is full: SQLITE_FULL";
            return Err(Error::from_message(message));
        }
        let fault = self.calls.armed.get().filter(|(armed, _)| *armed == number);
        match fault.map(|(_, fault)| fault) {
            None => self.inner.run(batch).await,
            Some(Fault::Lost) => Err(Error::from_message(LOST)),
            Some(Fault::Late(calls)) => {
                let at = number + calls;
                *self.calls.late.borrow_mut() = Some((at, self.inner.clone(), batch));
                Err(Error::from_message(LOST))
            }
            Some(Fault::Broken) => Err(Error::from_message(BROKEN)),
            Some(Fault::ReplyLost) => {
                self.inner.run(batch).await?;
                Err(Error::from_message(LOST))
            }
            Some(Fault::DiesBefore) => std::future::pending().await,
            Some(Fault::DiesAfter) => {
                let _ = self.inner.run(batch).await;
                std::future::pending().await
            }
        }
    }
}

/// What came of a message.
#[derive(Debug, PartialEq, Eq)]
pub enum Came {
    More,
    Over,
    Again(String),
    Died,
}

pub struct Scene {
    pub world: World,
    pub a: Rc<D1Twin>,
    pub b: Rc<D1Twin>,
    pub calls: Rc<Calls>,
    pub limits: Cell<MoveLimits>,
    pub id: String,
    pub token: String,
    token_id: String,
    /// Whether the next move goes back.
    pub is_back: Cell<bool>,
    moves: Cell<usize>,
}

/// Limits by which a small tenant takes many messages.
pub fn small() -> MoveLimits {
    MoveLimits {
        rows: 7,
        bytes: 4_000,
        deleted: 6,
        few: 3,
        statements: 60,
        ..MoveLimits::default()
    }
}

impl Scene {
    pub fn new(profile: &str) -> Rc<Self> {
        let world = World::configured(&[("JWT_LOCAL_SECRET", SECRET), ("DATABASES", "other")]);
        // Messages of the move come from the test alone.
        world.queue.halted.set(true);
        let (a, b) = (world.database.clone(), world.databases.named("other"));
        let tenant = world.tenant(profile).unfused();
        let (id, token, token_id) = (
            tenant.id.clone(),
            tenant.token.clone(),
            tenant.token_id.clone(),
        );
        Rc::new(Scene {
            world,
            a,
            b,
            calls: Rc::default(),
            limits: Cell::new(small()),
            id,
            token,
            token_id,
            is_back: Cell::default(),
            moves: Cell::default(),
        })
    }

    pub fn tenant(&self) -> Tenant<'_> {
        Tenant {
            world: &self.world,
            id: self.id.clone(),
            token: self.token.clone(),
            token_id: self.token_id.clone(),
        }
    }

    pub fn tenant_id(&self) -> TenantId {
        TenantId::parse(&self.id).expect("an id")
    }

    /// The databases that the move goes between.
    pub fn ends(&self) -> (&Rc<D1Twin>, &Rc<D1Twin>) {
        match self.is_back.get() {
            false => (&self.a, &self.b),
            true => (&self.b, &self.a),
        }
    }

    /// What happens before each call, told its number.
    pub fn before_each(&self, hook: impl Fn(usize) + 'static) {
        self.calls.count.set(0);
        *self.calls.hook.borrow_mut() = Some(Rc::new(hook));
    }

    pub fn undisturbed(&self) {
        *self.calls.hook.borrow_mut() = None;
        self.calls.armed.set(None);
        self.calls.late.take();
        self.calls.full.set(false);
    }

    /// The call with that number goes wrong.
    pub fn arm(&self, number: usize, fault: Fault) {
        self.calls.count.set(0);
        self.calls.armed.set(Some((number, fault)));
    }

    /// Begins a move to where the tenant is not.
    pub fn begin(&self) {
        let number = self.moves.get() + 1;
        self.moves.set(number);
        let (source, target) = match self.is_back.get() {
            false => ("main", "other"),
            true => ("other", "main"),
        };
        let id = format!("move-{number}");
        let begun = Begun {
            id: &id,
            source,
            target,
            actor: "jwt:root",
            now: self.world.clock.0.get(),
        };
        let begin = moves::begin(&self.tenant_id(), &begun).expect("statements");
        let results = pollster::block_on(self.a.run(begin.into())).expect("a move");
        assert_eq!(rows_at(&results, 1).expect("rows").rows.len(), 1);
    }

    pub fn column(&self, column: &str) -> Option<String> {
        let sql = format!("select {column} from moves where tenant_id = '{}'", self.id);
        match &self.a.query(&sql)[0][0] {
            Value::Text(text) => Some(text.clone()),
            Value::Null => None,
            other => Some(format!("{other:?}")),
        }
    }

    pub fn status(&self) -> String {
        self.column("status").expect("a status")
    }

    fn watched(&self, inner: &Rc<D1Twin>, is_target: bool) -> Rc<dyn Database> {
        Rc::new(Watched {
            inner: inner.clone(),
            calls: self.calls.clone(),
            is_target,
        })
    }

    async fn perform(&self) -> rollcall::error::Result<Next> {
        let main = self.watched(&self.a, false);
        let tenant = self.tenant_id();
        let id = self.column("id").expect("an id");
        let take = moves::take(&tenant, &id, None, self.world.clock.0.get());
        let taken = main.run(vec![take]).await?;
        let Some(row) = rows_at(&taken, 0)?.first() else {
            return Ok(Next::Done);
        };
        let moving = moves::read(row)?;
        let (source, target) = self.ends();
        let databases = Databases {
            main,
            source: self.watched(source, false),
            target: self.watched(target, true),
        };
        let platform = &self.world.app.platform;
        let mut mover = Mover::new(platform, self.limits.get(), databases, tenant, moving);
        mover.work().await
    }

    /// One message.
    pub fn message(&self) -> Came {
        let outer = (self.a.begin_invocation(), self.b.begin_invocation());
        let mut context = Context::from_waker(Waker::noop());
        let mut work = Box::pin(self.perform());
        let came = match work.as_mut().poll(&mut context) {
            Poll::Pending => Came::Died,
            Poll::Ready(Ok(Next::Done)) => Came::Over,
            Poll::Ready(Ok(_)) => Came::More,
            Poll::Ready(Err(error)) => Came::Again(error.internal.unwrap_or(error.detail)),
        };
        self.a.resume_invocation(outer.0);
        self.b.resume_invocation(outer.1);
        self.world.queue.lose();
        came
    }

    /// Messages until the move is over; their number.
    pub fn run(&self) -> usize {
        for number in 1..3_000 {
            let came = self.message();
            let status = self.status();
            if ["done", "cancelled", "failed"].contains(&status.as_str()) {
                return number;
            }
            if came != Came::More {
                self.world.clock.advance_seconds(5);
            }
        }
        panic!(
            "it never ends: {:?} {:?}",
            self.status(),
            self.column("state")
        );
    }

    /// Every row of the tenant in a database, by its table.
    pub fn rows(&self, twin: &D1Twin) -> BTreeMap<&'static str, Vec<String>> {
        let mut tables = BTreeMap::new();
        for table in TABLES {
            let sql = format!(
                "select * from {} where tenant_id = '{}' order by {}",
                table.name,
                self.id,
                table.key()
            );
            let rows = twin
                .query(&sql)
                .iter()
                .map(|row| format!("{row:?}"))
                .collect();
            tables.insert(table.name, rows);
        }
        tables
    }

    pub fn own_row(&self, twin: &D1Twin) -> Option<String> {
        let columns = TENANT.join(", ");
        let rows = twin.query(&format!(
            "select {columns} from tenants where id = '{}'",
            self.id
        ));
        rows.first().map(|row| format!("{row:?}"))
    }

    /// Nothing of the tenant is there, and nothing of its move.
    #[track_caller]
    pub fn assert_empty(&self, twin: &D1Twin) {
        for (table, rows) in self.rows(twin) {
            assert!(rows.is_empty(), "{table}: {rows:?}");
        }
        assert_eq!(self.own_row(twin), None);
        self.assert_unwatched(twin);
    }

    #[track_caller]
    pub fn assert_unwatched(&self, twin: &D1Twin) {
        let triggers = "select name from sqlite_master where type = 'trigger' and name glob 'mov*'";
        assert_eq!(twin.query(triggers), Vec::<Vec<Value>>::new());
        assert_eq!(twin.number("select count(*) from moved_rows"), 0);
    }

    /// The tenant is in the target alone, as it was in the source.
    #[track_caller]
    pub fn assert_moved(&self, rows: &BTreeMap<&'static str, Vec<String>>, own: &Option<String>) {
        let (source, target) = self.ends();
        assert_eq!(self.status(), "done", "{:?}", self.column("reason"));
        same(&self.rows(target), rows);
        assert_eq!(self.own_row(target), *own);
        self.assert_empty(source);
        self.assert_unwatched(target);
        let place = self.a.query("select database from placements");
        let places: Vec<Vec<Value>> = match self.is_back.get() {
            false => vec![vec!["other".into()]],
            true => Vec::new(),
        };
        assert_eq!(place, places);
        let directory = |twin: &D1Twin| {
            twin.query(&format!(
                "select kind, key, resource_id from directory where tenant_id = '{}' order by kind, key",
                self.id
            ))
        };
        // Main keeps what leads to tenants.
        match self.is_back.get() {
            false => {
                // But for hashes of tokens that are wiped.
                let here = directory(source);
                assert!(directory(target).iter().all(|row| here.contains(row)));
                let ids = "select count(*) from scim_tokens where token_hash <> ''";
                let hashes = "select count(*) from directory where kind = 'scim_token_hash'";
                assert_eq!(target.number(ids), target.number(hashes));
                let ids = "select (select count(*) from scim_tokens) + (select count(*) from identity_providers)";
                let others = "select count(*) from directory where kind <> 'scim_token_hash'";
                assert_eq!(target.number(ids), target.number(others));
            }
            true => assert!(directory(source).is_empty()),
        }
    }
}

#[track_caller]
pub fn same(
    ours: &BTreeMap<&'static str, Vec<String>>,
    theirs: &BTreeMap<&'static str, Vec<String>>,
) {
    for (table, rows) in ours {
        let cut = |rows: &[String]| -> Vec<String> {
            rows.iter()
                .map(|row| row.chars().take(600).collect())
                .collect()
        };
        if theirs.get(table) != Some(rows) {
            assert_eq!(cut(rows), cut(&theirs[table]), "{table}");
            panic!("{table}: long rows differ");
        }
    }
}
