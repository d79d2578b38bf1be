//! Sets of rows that a statement takes in. One resource is a set of one: the SQL is the same for one and for a thousand, and
//! the number of statements does not grow with the number of rows.
//!
//! A few rows cross as parameters, because D1 counts the rows of `json_each` as read; many cross as JSON arrays, because D1
//! runs 1,000 statements for one request.

use serde_json::Value as Json;

use super::{Params, Statement, Value};

/// Most parameters of one statement at D1.
const MAX_PARAMETERS: usize = 100;
/// Most rows in one statement as parameters.
const MAX_ROWS: usize = 90;
/// Statements above which the rows cross as JSON.
const MAX_STATEMENTS: usize = 20;
/// Longest JSON parameter in bytes: D1 takes strings of two million. A row that is longer alone crosses as parameters.
const MAX_JSON: usize = 900_000;

/// Rows with named columns.
#[derive(Debug, Clone)]
pub struct Set {
    columns: &'static [&'static str],
    rows: Vec<Vec<Value>>,
}

/// The rows that one statement takes in.
pub struct Part {
    columns: String,
    /// A `select` or a `values` of the rows.
    rows: String,
    /// The rows where they are few, each in brackets.
    few: Vec<String>,
}

impl Part {
    /// `with e (…) as (…)`, for the beginning of a statement that reads the rows from `e`.
    pub fn table(&self) -> String {
        format!("with e ({}) as ({})", self.columns, self.rows)
    }

    /// The condition that `columns` have the values of one of the rows. One row is compared for equality, and several single
    /// values with a list, because the rows of a subquery are counted again.
    pub fn has(&self, columns: &str) -> String {
        match self.few.as_slice() {
            [one] => format!("({columns}) = {one}"),
            many @ [_, ..] if !columns.contains(',') => {
                format!("{columns} in ({})", many.join(", "))
            }
            _ => format!("({columns}) in ({})", self.rows),
        }
    }
}

impl Set {
    /// Each row has a value for each column.
    pub fn new(
        columns: &'static [&'static str],
        rows: impl IntoIterator<Item = Vec<Value>>,
    ) -> Self {
        Set {
            columns,
            rows: rows.into_iter().collect(),
        }
    }

    /// Rows of one column, `id`.
    pub fn of_ids<'i>(ids: impl IntoIterator<Item = &'i String>) -> Self {
        Set::new(&["id"], ids.into_iter().map(|id| vec![id.into()]))
    }

    /// The statements that take in all rows; none for none. `fixed` are the values of `?1` and on, the same for all.
    pub fn statements(&self, fixed: &[Value], sql: impl Fn(&Part) -> String) -> Vec<Statement> {
        self.parts(fixed, &sql)
    }

    /// The same with all rows as JSON, but for those that are too long for it: few statements, however many rows.
    #[cfg(feature = "jobs")]
    pub fn packed(&self, fixed: &[Value], sql: impl Fn(&Part) -> String) -> Vec<Statement> {
        stated(self.as_json(fixed), &sql)
    }

    /// Behind a trait object: compiled once, and not for each statement that there is.
    fn parts(&self, fixed: &[Value], sql: &dyn Fn(&Part) -> String) -> Vec<Statement> {
        let room = MAX_PARAMETERS.saturating_sub(fixed.len()) / self.columns.len().max(1);
        let parts = match self.rows.len() > MAX_STATEMENTS * room.min(MAX_ROWS) {
            true => self.as_json(fixed),
            false => self.as_parameters(&self.rows, fixed),
        };
        stated(parts, sql)
    }

    fn as_parameters<'r>(
        &self,
        rows: impl IntoIterator<Item = &'r Vec<Value>>,
        fixed: &[Value],
    ) -> Vec<(Part, Params)> {
        let mut parts = Vec::new();
        let mut params = Params::new(fixed.to_vec());
        let mut texts: Vec<String> = Vec::new();
        let part = |few: Vec<String>| Part {
            columns: self.columns.join(", "),
            rows: format!("values {}", few.join(", ")),
            few,
        };
        for row in rows {
            if texts.len() == MAX_ROWS || params.count() + row.len() > MAX_PARAMETERS {
                let full = std::mem::replace(&mut params, Params::new(fixed.to_vec()));
                parts.push((part(std::mem::take(&mut texts)), full));
            }
            let places: Vec<String> = row.iter().map(|value| params.bind(value.clone())).collect();
            texts.push(format!("({})", places.join(", ")));
        }
        if !texts.is_empty() {
            parts.push((part(texts), params));
        }
        parts
    }

    fn as_json(&self, fixed: &[Value]) -> Vec<(Part, Params)> {
        let mut arrays = Vec::new();
        let mut current = String::new();
        let mut long = Vec::new();
        for row in &self.rows {
            let text = Json::Array(row.iter().map(Json::from).collect()).to_string();
            if text.len() > MAX_JSON {
                long.push(row);
                continue;
            }
            if current.len() + text.len() > MAX_JSON {
                arrays.push(std::mem::take(&mut current));
            }
            if !current.is_empty() {
                current.push(',');
            }
            current.push_str(&text);
        }
        arrays.push(current);
        let mut parts = self.as_parameters(long, fixed);
        let values: Vec<String> = (0..self.columns.len())
            .map(|index| format!("json_extract(value, '$[{index}]')"))
            .collect();
        for array in arrays.into_iter().filter(|array| !array.is_empty()) {
            let mut params = Params::new(fixed.to_vec());
            let array = params.bind(format!("[{array}]"));
            let part = Part {
                columns: self.columns.join(", "),
                rows: format!("select {} from json_each({array})", values.join(", ")),
                few: Vec::new(),
            };
            parts.push((part, params));
        }
        parts
    }
}

fn stated(parts: Vec<(Part, Params)>, sql: &dyn Fn(&Part) -> String) -> Vec<Statement> {
    let parts = parts.into_iter();
    parts
        .map(|(part, params)| Statement::new(sql(&part), params.into_values()))
        .collect()
}

impl From<&Value> for Json {
    fn from(value: &Value) -> Self {
        match value {
            Value::Null => Json::Null,
            Value::Integer(number) => (*number).into(),
            Value::Real(number) => (*number).into(),
            Value::Text(text) => text.as_str().into(),
        }
    }
}
