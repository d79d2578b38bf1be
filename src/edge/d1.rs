//! The database on D1.

use async_trait::async_trait;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use wasm_bindgen::JsValue;
use worker::{D1Database, D1Result};

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
                self.0.prepare(statement.sql.into_owned()).bind(&params)
            })
            .collect::<worker::Result<Vec<_>>>()
            .map_err(refused)?;
        let results = self.0.batch(statements).await.map_err(refused)?;
        results.iter().map(rows).collect()
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

fn rows(result: &D1Result) -> Result<Rows> {
    if !result.success() {
        let reason = result.error().unwrap_or_default();
        return Err(Error::from_message(&reason));
    }
    let rows: Vec<RawRow> = result
        .results()
        .map_err(|error| Error::Backend(error.to_string()))?;
    let meta = result.meta().ok().flatten();
    let count = |of: fn(&worker::d1::D1ResultMeta) -> Option<usize>| {
        let count = meta.as_ref().and_then(of).unwrap_or_default();
        u64::try_from(count).unwrap_or(u64::MAX)
    };
    Ok(Rows {
        rows: rows
            .into_iter()
            .map(|RawRow(columns)| Row::new(columns))
            .collect(),
        read: count(|meta| meta.rows_read),
        written: count(|meta| meta.rows_written),
    })
}

/// D1's errors have their reason in the cause alone, and must not be formatted: their `Display` throws.
fn refused(error: worker::Error) -> Error {
    match error {
        worker::Error::D1(error) => Error::from_message(&error.cause()),
        other => Error::from_message(&other.to_string()),
    }
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
