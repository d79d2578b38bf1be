//! Statements with their parameters, and the rows that come back.

use std::borrow::Cow;
use std::rc::Rc;

use super::{Error, Result};
use crate::ordered::OrderedSet;

/// A value that crosses to the database or back. Integers beyond 2^53 do not occur: D1 carries numbers as doubles.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Null,
    Integer(i64),
    Real(f64),
    Text(String),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Value::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Value::Text(text)
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        Value::Text(text.clone())
    }
}

impl From<&crate::ids::TenantId> for Value {
    fn from(id: &crate::ids::TenantId) -> Self {
        Value::Text(id.as_str().to_owned())
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Value::Integer(number)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Value::Real(number)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Value::Integer(i64::from(value))
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Null, Into::into)
    }
}

/// One SQL statement with the values of `?1`, `?2` and so on; at most 100 of them.
#[derive(Debug, Clone)]
pub struct Statement {
    pub sql: Cow<'static, str>,
    pub params: Vec<Value>,
    pub role: Role,
}

/// What a statement means where tenants live in several databases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Plain,
    /// It finds its tenant, or refuses the batch, where the tenant lives here, and does not elsewhere: whoever made it looks again then.
    Locates,
    /// It writes what leads to something of a tenant: the first database has that too, and has it before.
    Leads,
    /// It deletes what leads to something of a tenant: the first database forgets that too, afterwards.
    Forgets,
}

impl Statement {
    /// A statement that uses each of its parameters, and no others. Debug builds refuse any other where it is made, because SQLite
    /// refuses only some of them, and D1 others.
    pub fn new(sql: impl Into<Cow<'static, str>>, params: Vec<Value>) -> Self {
        let sql = sql.into();
        debug_assert_eq!(
            placeholders(&sql),
            (1..=params.len()).collect(),
            "the placeholders of the {} parameters of `{sql}`",
            params.len()
        );
        Statement {
            sql,
            params,
            role: Role::Plain,
        }
    }

    /// The same with a role.
    pub fn with_role(self, role: Role) -> Self {
        Statement { role, ..self }
    }
}

/// The numbers of the placeholders in a statement's text: `?1` and so on.
fn placeholders(sql: &str) -> OrderedSet<usize> {
    let (_, after) = sql.split_once('?').unwrap_or_default();
    after
        .split('?')
        .filter_map(|rest| {
            let end = rest.find(|c: char| !c.is_ascii_digit());
            rest.get(..end.unwrap_or(rest.len()))?.parse().ok()
        })
        .collect()
}

/// Parameters of a statement whose text is put together while they are collected.
#[derive(Debug, Clone, Default)]
pub struct Params {
    values: Vec<Value>,
}

impl Params {
    pub fn new(values: Vec<Value>) -> Self {
        Params { values }
    }

    /// Gives the placeholder that stands for a value. Equal values share one: a search of two types compares with the same
    /// operands twice, and 100 parameters are all there are.
    pub fn bind(&mut self, value: impl Into<Value>) -> String {
        let value = value.into();
        let known = self.values.iter().position(|known| *known == value);
        let index = known.unwrap_or_else(|| {
            self.values.push(value);
            self.values.len() - 1
        });
        format!("?{}", index + 1)
    }

    /// How many there are so far.
    pub fn count(&self) -> usize {
        self.values.len()
    }

    pub fn into_values(self) -> Vec<Value> {
        self.values
    }
}

/// How many rows there are `from … where …`, as `total`, and a page of them in an order.
pub fn page(
    source: &str,
    mut params: Params,
    columns: &str,
    order: &str,
    (limit, offset): (i64, i64),
) -> [Statement; 2] {
    let count = Statement::new(
        format!("select count(*) as total {source}"),
        params.clone().into_values(),
    );
    let (limit, offset) = (params.bind(limit), params.bind(offset));
    let rows = Statement::new(
        format!("select {columns} {source} order by {order} limit {limit} offset {offset}"),
        params.into_values(),
    );
    [count, rows]
}

/// What one statement gave: its rows, and what it cost by the database's own count.
#[derive(Debug, Clone, Default)]
pub struct Rows {
    pub rows: Vec<Row>,
    pub read: u64,
    pub written: u64,
    /// Bytes of the database after it, where that is told.
    pub bytes: Option<i64>,
}

impl Rows {
    pub fn first(&self) -> Option<&Row> {
        self.rows.first()
    }
}

/// One row, columns by name.
#[derive(Debug, Clone)]
pub struct Row {
    columns: Rc<[String]>,
    values: Vec<Value>,
}

impl Value {
    /// A column has a value of a type that it never has. The value stays out of the log.
    fn strange(&self, name: &str) -> Error {
        let kind = match self {
            Value::Null => "null",
            Value::Integer(_) => "an integer",
            Value::Real(_) => "a real number",
            Value::Text(_) => "text",
        };
        Error::Backend(format!("column `{name}` is {kind}"))
    }
}

impl Row {
    /// A value for each column; rows of one statement share the names.
    pub fn new(columns: Rc<[String]>, values: Vec<Value>) -> Self {
        Row { columns, values }
    }

    /// Whether there is such a column.
    pub fn has(&self, name: &str) -> bool {
        self.columns.iter().any(|column| column == name)
    }

    pub fn value(&self, name: &str) -> Result<&Value> {
        let index = self.columns.iter().position(|column| column == name);
        index
            .and_then(|index| self.values.get(index))
            .ok_or_else(|| Error::Backend(format!("no column `{name}`")))
    }

    pub fn text(&self, name: &str) -> Result<String> {
        self.optional_text(name)?
            .ok_or_else(|| Error::Backend(format!("column `{name}` is null")))
    }

    pub fn optional_text(&self, name: &str) -> Result<Option<String>> {
        match self.value(name)? {
            Value::Null => Ok(None),
            Value::Text(text) => Ok(Some(text.clone())),
            other => Err(other.strange(name)),
        }
    }

    pub fn integer(&self, name: &str) -> Result<i64> {
        self.optional_integer(name)?
            .ok_or_else(|| Error::Backend(format!("column `{name}` is null")))
    }

    pub fn optional_integer(&self, name: &str) -> Result<Option<i64>> {
        match self.value(name)? {
            Value::Null => Ok(None),
            Value::Integer(number) => Ok(Some(*number)),
            // D1 gives every number as a double; ours are whole and below 2^53.
            #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
            Value::Real(number) if number.fract() == 0.0 => Ok(Some(*number as i64)),
            other => Err(other.strange(name)),
        }
    }

    pub fn boolean(&self, name: &str) -> Result<bool> {
        Ok(self.integer(name)? != 0)
    }
}

/// The statement's own rows out of what a batch gave.
pub fn rows_at(results: &[Rows], index: usize) -> Result<&Rows> {
    results
        .get(index)
        .ok_or_else(|| Error::Backend(format!("the batch gave no result {index}")))
}
