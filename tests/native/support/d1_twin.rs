//! SQLite made to behave like D1: the migrations applied, D1's limits set, integers bound as doubles, a batch as the only
//! transaction. What holds here is replayed against workerd by the suites of `tests/edge`.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::{LazyLock, Mutex};

use async_trait::async_trait;
use rollcall::platform::Database;
use rollcall::store::{Error, Result, Row, Rows, Statement, Value};
use rusqlite::Connection;
use rusqlite::StatementStatus;
use rusqlite::backup::Backup;
use rusqlite::limits::Limit;
use rusqlite::types::{ToSqlOutput, ValueRef};

/// The limits that D1 documents, and those that workerd sets without documenting them.
const LIMITS: [(Limit, i32); 9] = [
    (Limit::SQLITE_LIMIT_LENGTH, 2_000_000),
    (Limit::SQLITE_LIMIT_SQL_LENGTH, 100_000),
    (Limit::SQLITE_LIMIT_COLUMN, 100),
    (Limit::SQLITE_LIMIT_EXPR_DEPTH, 100),
    (Limit::SQLITE_LIMIT_COMPOUND_SELECT, 5),
    (Limit::SQLITE_LIMIT_VDBE_OP, 25_000),
    (Limit::SQLITE_LIMIT_FUNCTION_ARG, 32),
    (Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 50),
    (Limit::SQLITE_LIMIT_VARIABLE_NUMBER, 100),
];

pub struct D1Twin {
    connection: RefCell<Connection>,
    /// Errors to give instead of running the next batches.
    pub failures: RefCell<Vec<Error>>,
    /// What the next batches do, the last one first: give an error instead of running, or run.
    pub planned: RefCell<Vec<Option<Error>>>,
    /// Runs before the batch with that number from now, as another client's request would.
    pub interference: RefCell<Option<(usize, Vec<String>)>>,
    /// Statements to run before the next batch that writes into the audit trail.
    pub write_interference: RefCell<Option<Vec<String>>>,
    /// Every statement run since recording began; none where it did not.
    pub recorded: RefCell<Option<Vec<Statement>>>,
    /// Rows that each statement is said to read, as D1 would count them; SQLite does not.
    pub rows_read: Cell<u64>,
    /// How large the database is said to be.
    pub bytes: Cell<Option<i64>>,
    /// Statements of the invocation at work: of one request with what it defers.
    statements: Cell<usize>,
    /// Steps of SQLite's virtual machine since they were asked for last: some ten for a row that is looked at.
    steps: Cell<u64>,
}

/// How large an empty database is said to be.
pub const SMALL: i64 = 400_000;

/// Statements that D1 runs for one invocation.
const MAX_STATEMENTS: usize = 1_000;

/// A database after the migrations, of which each test has a copy.
static MIGRATED: LazyLock<Mutex<Connection>> = LazyLock::new(|| {
    let connection = Connection::open_in_memory().expect("an SQLite in memory");
    let mut migrations: Vec<_> = std::fs::read_dir("migrations")
        .expect("migrations")
        .map(|entry| entry.expect("a file").path())
        .collect();
    migrations.sort();
    // What wrangler notes of them.
    connection
        .execute_batch("create table d1_migrations (id integer primary key, name text unique, applied_at timestamp)")
        .expect("the table of migrations");
    for path in migrations {
        let sql = std::fs::read_to_string(&path).expect("a migration");
        connection
            .execute_batch(&sql)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let name = path.file_name().and_then(|name| name.to_str());
        connection
            .execute("insert into d1_migrations (name) values (?1)", [name])
            .expect("a note of it");
    }
    Mutex::new(connection)
});

impl D1Twin {
    pub fn new() -> Self {
        let mut connection = Connection::open_in_memory().expect("an SQLite in memory");
        {
            let migrated = MIGRATED.lock().expect("the migrations succeed");
            let copying = Backup::new(&migrated, &mut connection).expect("a copy");
            copying.step(-1).expect("the whole of it");
        }
        connection
            .execute_batch("pragma foreign_keys = on")
            .expect("foreign keys");
        for (limit, value) in LIMITS {
            connection.set_limit(limit, value).expect("a limit");
        }
        connection.set_prepared_statement_cache_capacity(200);
        D1Twin {
            connection: RefCell::new(connection),
            failures: RefCell::default(),
            planned: RefCell::default(),
            interference: RefCell::default(),
            write_interference: RefCell::default(),
            recorded: RefCell::default(),
            rows_read: Cell::default(),
            bytes: Cell::new(Some(SMALL)),
            statements: Cell::default(),
            steps: Cell::default(),
        }
    }

    /// Counts the statements of another invocation; gives those of the one before.
    pub fn begin_invocation(&self) -> usize {
        self.statements.replace(0)
    }

    /// Goes on counting those of an invocation that was interrupted by another.
    pub fn resume_invocation(&self, statements: usize) {
        self.statements.set(statements);
    }

    /// The steps that some work takes.
    pub fn steps(&self, work: impl FnOnce()) -> u64 {
        self.steps.set(0);
        work();
        self.steps.take()
    }

    /// All rows of a query, for looking behind the application's back.
    pub fn query(&self, sql: &str) -> Vec<Vec<Value>> {
        let connection = self.connection.borrow();
        let mut statement = connection.prepare_cached(sql).expect(sql);
        let columns = statement.column_count();
        statement
            .query_map([], |row| {
                (0..columns)
                    .map(|index| Ok(value(row.get_ref(index)?)))
                    .collect()
            })
            .expect(sql)
            .map(|row| row.expect(sql))
            .collect()
    }

    /// The first column of the first row, as an integer.
    pub fn number(&self, sql: &str) -> i64 {
        match self.query(sql).first().and_then(|row| row.first()) {
            Some(Value::Integer(number)) => *number,
            other => panic!("{sql}: {other:?}"),
        }
    }

    pub fn execute(&self, sql: &str) {
        self.connection.borrow().execute_batch(sql).expect(sql);
    }

    /// Keeps everything as it is now.
    pub fn save(&self) {
        self.execute("savepoint kept");
    }

    /// Sets everything back to what was kept.
    pub fn restore(&self) {
        self.execute("rollback to kept");
    }

    /// The statements that some work runs.
    pub fn recording(&self, work: impl FnOnce()) -> Vec<Statement> {
        self.recorded.replace(Some(Vec::new()));
        work();
        self.recorded.take().unwrap_or_default()
    }

    /// How SQLite goes about a statement: the lines of `explain query plan`.
    pub fn plan(&self, statement: &Statement) -> Vec<String> {
        let connection = self.connection.borrow();
        let sql = format!("explain query plan {}", statement.sql);
        let mut prepared = connection.prepare(&sql).expect(&sql);
        prepared
            .query_map(rusqlite::params_from_iter(bound(statement)), |row| {
                row.get("detail")
            })
            .expect(&sql)
            .map(|line| line.expect(&sql))
            .collect()
    }

    fn run_one(&self, connection: &Connection, statement: &Statement) -> Result<Rows> {
        let mut prepared = connection
            .prepare_cached(&statement.sql)
            .map_err(|error| Error::Backend(format!("{error} in {}", statement.sql)))?;
        let columns: Rc<[String]> = prepared
            .column_names()
            .into_iter()
            .map(str::to_owned)
            .collect();
        prepared.reset_status(StatementStatus::VmStep);
        let mut found = prepared
            .query(rusqlite::params_from_iter(bound(statement)))
            .map_err(refused)?;
        let mut rows = Vec::new();
        while let Some(row) = found.next().map_err(refused)? {
            let values = (0..columns.len())
                .map(|index| Ok(value(row.get_ref(index).map_err(refused)?)))
                .collect::<Result<_>>()?;
            rows.push(Row::new(Rc::clone(&columns), values));
        }
        drop(found);
        let steps = prepared.get_status(StatementStatus::VmStep);
        self.steps
            .set(self.steps.get() + u64::try_from(steps).unwrap_or_default());
        Ok(Rows {
            rows,
            read: self.rows_read.get(),
            bytes: self.bytes.get(),
            ..Rows::default()
        })
    }

    fn interfere(&self) {
        let due = match self.interference.borrow_mut().as_mut() {
            Some((0, _)) => true,
            Some((batches, _)) => {
                *batches -= 1;
                false
            }
            None => false,
        };
        if due {
            let (_, statements) = self.interference.take().expect("what is due");
            for sql in statements {
                self.execute(&sql);
            }
        }
    }
}

#[async_trait(?Send)]
impl Database for D1Twin {
    async fn run(&self, batch: Vec<Statement>) -> Result<Vec<Rows>> {
        if let Some(error) = self.failures.borrow_mut().pop() {
            return Err(error);
        }
        if let Some(Some(error)) = self.planned.borrow_mut().pop() {
            return Err(error);
        }
        self.interfere();
        let writes = |statement: &Statement| statement.sql.contains("insert into audit_events");
        if batch.iter().any(writes)
            && let Some(statements) = self.write_interference.take()
        {
            for sql in statements {
                self.execute(&sql);
            }
        }
        if let Some(recorded) = self.recorded.borrow_mut().as_mut() {
            recorded.extend(batch.iter().cloned());
        }
        self.statements.set(self.statements.get() + batch.len());
        assert!(
            self.statements.get() <= MAX_STATEMENTS,
            "{} statements in one invocation; D1 runs {MAX_STATEMENTS}",
            self.statements.get()
        );
        let mut connection = self.connection.borrow_mut();
        // A savepoint is a transaction of its own, and can be one within what `save` has begun.
        let transaction = connection.savepoint().map_err(refused)?;
        let results = batch
            .iter()
            .map(|statement| self.run_one(&transaction, statement))
            .collect::<Result<Vec<_>>>()?;
        transaction.commit().map_err(refused)?;
        Ok(results)
    }
}

/// The values of a statement's parameters as D1 binds them.
fn bound(statement: &Statement) -> impl Iterator<Item = ToSqlOutput<'_>> {
    statement.params.iter().map(|value| match value {
        Value::Null => ToSqlOutput::Borrowed(ValueRef::Null),
        // D1 has no way to bind an integer.
        #[expect(clippy::cast_precision_loss, reason = "as D1 does")]
        Value::Integer(number) => ToSqlOutput::Borrowed(ValueRef::Real(*number as f64)),
        Value::Real(number) => ToSqlOutput::Borrowed(ValueRef::Real(*number)),
        Value::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
    })
}

fn value(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Integer(number),
        ValueRef::Real(number) => Value::Real(number),
        ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(_) => panic!("there are no blobs"),
    }
}

fn refused(error: rusqlite::Error) -> Error {
    Error::from_message(&error.to_string())
}
