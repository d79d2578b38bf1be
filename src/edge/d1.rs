//! The database on D1.
//!
//! Results are read here and not by the `worker` crate, which takes the size of the database for a number of 32 bits: above
//! 4 GiB, and D1 goes to 10 GB, it cannot read the counts beside it.

use async_trait::async_trait;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use wasm_bindgen::{JsCast, JsValue};
use worker::js_sys::{Array, Error as JsError};
use worker::wasm_bindgen_futures::JsFuture;
use worker::worker_sys::types::{D1Database as Batching, D1Result};
use worker::{D1Database, D1PreparedStatement};

use crate::platform::Database;
use crate::store::{Error, Result, Row, Rows, Statement, Value};

/// A D1 database.
pub struct D1(pub D1Database);

#[async_trait(?Send)]
impl Database for D1 {
    async fn run(&self, batch: Vec<Statement>) -> Result<Vec<Rows>> {
        let statements = batch
            .into_iter()
            .map(|statement| {
                let params: Vec<JsValue> = statement.params.iter().map(to_js).collect();
                let prepared = self.0.prepare(statement.sql.into_owned());
                prepared.bind(&params).map_err(refused)
            })
            .collect::<Result<Vec<D1PreparedStatement>>>()?;
        let statements = statements.iter().map(D1PreparedStatement::inner).collect();
        let database: &JsValue = self.0.as_ref();
        let results = database
            .unchecked_ref::<Batching>()
            .batch(statements)
            .map_err(failed)?;
        let results = JsFuture::from(results).await.map_err(failed)?;
        Array::from(&results)
            .iter()
            .map(|result| rows(result.unchecked_ref()))
            .collect()
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

/// What D1 counted for a statement. Numbers of JavaScript, whatever their size.
#[derive(serde::Deserialize)]
struct Meta {
    rows_read: Option<f64>,
    rows_written: Option<f64>,
}

fn rows(result: &D1Result) -> Result<Rows> {
    if !result.success().map_err(failed)? {
        let reason = result.error().ok().flatten().unwrap_or_default();
        return Err(Error::from_message(&reason));
    }
    let unreadable = |error: &dyn std::fmt::Display| Error::Backend(error.to_string());
    let found = result.results().map_err(failed)?.unwrap_or_default();
    let rows = found
        .iter()
        .map(|row| {
            let RawRow(columns) =
                serde_wasm_bindgen::from_value(row).map_err(|error| unreadable(&error))?;
            Ok(Row::new(columns))
        })
        .collect::<Result<Vec<Row>>>()?;
    let meta = result.meta().map_err(failed)?;
    let meta: Meta =
        serde_wasm_bindgen::from_value(meta.into()).map_err(|error| unreadable(&error))?;
    Ok(Rows {
        rows,
        read: whole(meta.rows_read),
        written: whole(meta.rows_written),
    })
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a count is a whole number, not below 0"
)]
fn whole(count: Option<f64>) -> u64 {
    count.unwrap_or_default() as u64
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

/// A row as D1 gives it: an object.
struct RawRow(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for RawRow {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Columns;
        impl<'de> Visitor<'de> for Columns {
            type Value = RawRow;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a row")
            }

            fn visit_map<A: MapAccess<'de>>(
                self,
                mut access: A,
            ) -> std::result::Result<RawRow, A::Error> {
                let mut columns = Vec::new();
                while let Some((name, RawValue(value))) = access.next_entry()? {
                    columns.push((name, value));
                }
                Ok(RawRow(columns))
            }
        }
        deserializer.deserialize_map(Columns)
    }
}

struct RawValue(Value);

impl<'de> Deserialize<'de> for RawValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Scalar;
        impl Visitor<'_> for Scalar {
            type Value = RawValue;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("null, a number or a string")
            }

            fn visit_unit<E>(self) -> std::result::Result<RawValue, E> {
                Ok(RawValue(Value::Null))
            }

            fn visit_none<E>(self) -> std::result::Result<RawValue, E> {
                Ok(RawValue(Value::Null))
            }

            fn visit_f64<E>(self, number: f64) -> std::result::Result<RawValue, E> {
                Ok(RawValue(Value::Real(number)))
            }

            fn visit_i64<E>(self, number: i64) -> std::result::Result<RawValue, E> {
                Ok(RawValue(Value::Integer(number)))
            }

            fn visit_str<E>(self, text: &str) -> std::result::Result<RawValue, E> {
                Ok(RawValue(Value::Text(text.to_owned())))
            }

            fn visit_string<E>(self, text: String) -> std::result::Result<RawValue, E> {
                Ok(RawValue(Value::Text(text)))
            }
        }
        deserializer.deserialize_any(Scalar)
    }
}
