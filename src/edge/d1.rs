//! The database on D1.
//!
//! Results are read here and not by the `worker` crate, which takes the size of the database for a number of 32 bits: above
//! 4 GiB, and D1 goes to 10 GB, it cannot read the counts beside it. Names of columns cross once for a statement, and not with every row.

use std::rc::Rc;

use async_trait::async_trait;
use serde::Deserialize;
use wasm_bindgen::{JsCast, JsValue};
use worker::D1Database;
use worker::js_sys::{Array, Error as JsError, Object, Promise};
use worker::wasm_bindgen_futures::JsFuture;
use worker::worker_sys::types::{D1Database as Batching, D1Result};

use crate::json::MAX_EXACT;
use crate::platform::Database;
use crate::store::{Error, Result, Row, Rows, Statement, Value};

/// A D1 database.
pub struct D1(pub D1Database);

#[async_trait(?Send)]
impl Database for D1 {
    async fn run(&self, batch: Vec<Statement>) -> Result<Vec<Rows>> {
        let results = JsFuture::from(self.sent(batch)?).await.map_err(failed)?;
        let results: Array = results.unchecked_into();
        // Each result is let go of once its rows are here.
        (0..results.length())
            .map(|_| rows(results.shift().unchecked_ref()))
            .collect()
    }
}

impl D1 {
    /// Sends a batch, and keeps neither its statements nor their parameters while the reply is on its way: they are megabytes.
    fn sent(&self, batch: Vec<Statement>) -> Result<Promise> {
        let statements = Array::new();
        for statement in batch {
            let params: Vec<JsValue> = statement.params.iter().map(to_js).collect();
            let prepared = self.0.prepare(statement.sql.into_owned());
            statements.push(prepared.bind(&params).map_err(refused)?.inner());
        }
        let database: &JsValue = self.0.as_ref();
        database
            .unchecked_ref::<Batching>()
            .batch(statements)
            .map_err(failed)
    }
}

/// Numbers cross as doubles, the only kind that D1 takes; nothing is `null` and never `undefined`.
fn to_js(value: &Value) -> JsValue {
    match value {
        Value::Null => JsValue::NULL,
        #[expect(
            clippy::cast_precision_loss,
            reason = "whole numbers here are below 2^53"
        )]
        Value::Integer(number) => JsValue::from_f64(*number as f64),
        Value::Real(number) => JsValue::from_f64(*number),
        Value::Text(text) => JsValue::from_str(text),
    }
}

/// A whole number is one, whatever column it is from: JavaScript does not tell.
fn from_js(value: &JsValue) -> Result<Value> {
    if let Some(text) = value.as_string() {
        return Ok(Value::Text(text));
    }
    match value.as_f64() {
        #[expect(clippy::cast_possible_truncation, reason = "whole, and below 2^53")]
        Some(number) if number.fract() == 0.0 && number.abs() <= MAX_EXACT => {
            Ok(Value::Integer(number as i64))
        }
        Some(number) => Ok(Value::Real(number)),
        None if value.is_null() => Ok(Value::Null),
        None => Err(Error::Backend(
            "a value that is no null, number or string".to_owned(),
        )),
    }
}

/// A result's rows are objects whose columns have one order.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a count is a whole number, not below 0"
)]
fn rows(result: &D1Result) -> Result<Rows> {
    if !result.success().map_err(failed)? {
        let reason = result.error().ok().flatten().unwrap_or_default();
        return Err(Error::from_message(&reason));
    }
    let found = result.results().map_err(failed)?.unwrap_or_default();
    let mut columns: Rc<[String]> = Rc::default();
    let mut rows = Vec::with_capacity(found.length() as usize);
    for row in found.iter() {
        let row: Object = row.unchecked_into();
        if rows.is_empty() {
            let names = Object::keys(&row);
            columns = names.iter().filter_map(|name| name.as_string()).collect();
        }
        let values = Object::values(&row)
            .iter()
            .map(|value| from_js(&value))
            .collect::<Result<_>>()?;
        rows.push(Row::new(Rc::clone(&columns), values));
    }
    let meta = result.meta().map_err(failed)?;
    let counted: Counted = serde_wasm_bindgen::from_value(meta.into())
        .map_err(|error| Error::Backend(format!("what D1 counted: {error}")))?;
    Ok(Rows {
        rows,
        read: counted.rows_read as u64,
        written: counted.rows_written as u64,
        bytes: (counted.size_after > 0.0).then_some(counted.size_after as i64),
    })
}

/// What D1 counted for a statement: numbers of JavaScript, whatever their size.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Counted {
    rows_read: f64,
    rows_written: f64,
    size_after: f64,
}

/// D1's errors have their reason in the cause alone, and must not be formatted: their `Display` throws.
fn refused(error: worker::Error) -> Error {
    match error {
        worker::Error::D1(error) => Error::from_message(&error.cause()),
        other => Error::from_message(&other.to_string()),
    }
}

/// The reason of an error as the runtime throws it: that of its cause, where it has one.
fn failed(error: JsValue) -> Error {
    let message = |error: &JsError| String::from(error.message());
    let reason = match error.dyn_ref::<JsError>() {
        Some(error) => match error.cause().dyn_ref::<JsError>() {
            Some(cause) => message(cause),
            None => message(error),
        },
        None => error.as_string().unwrap_or_default(),
    };
    Error::from_message(&reason)
}
