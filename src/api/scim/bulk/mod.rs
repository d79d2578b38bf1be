//! `POST /Bulk` (RFC 7644 §3.7): operations become intents, which are carried out together.
//!
//! Ids of new resources are ours to give, and are given before anything is planned: references may lead backwards, forwards and in
//! circles.

mod request;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::author::change_many;
use super::resources::write_scope;
use crate::api::http::call::Call;
use crate::api::http::caller::Caller;
use crate::api::http::reply::{Dialect, Reply, error_body};
use crate::change::{Done, Intent, Wish};
use crate::error::{Error, Result};
use crate::ids;
use crate::scim::error::Error as ScimError;
use crate::scim::filter::parse::shortened;
use crate::scim::{BULK_RESPONSE, body, patch};
use request::{Entry, Method, REFERENCE, substitute, substitute_text};

#[cfg(feature = "requests")]
pub use request::MAX_OPERATIONS;

/// `POST /Bulk`.
pub async fn answer(call: &Call<'_>, caller: &Caller) -> Result<Reply> {
    let request = request::read(call.json()?, caller.profile())?;
    let made = made(call, &request.entries)?;
    let intents: Vec<Result<Intent>> = request
        .entries
        .iter()
        .map(|entry| intent(call, caller, &made, entry))
        .collect();
    let written = change_many(call, caller, &intents, request.fail_on_errors).await?;
    let base = call.scim_base();
    let operations: Vec<Value> = request
        .entries
        .iter()
        .zip(&written.outcomes)
        .map(|(entry, outcome)| show(entry, outcome, &base, &made, &written.outcomes))
        .collect();
    let body = json!({"schemas": [BULK_RESPONSE], "Operations": operations});
    Ok(Reply::scim(200, body.to_string()))
}

/// A resource that a POST operation makes.
struct Made {
    /// The number of the operation.
    index: usize,
    id: String,
}

/// What the POST operations make, by `bulkId`.
type MadeByBulkId = BTreeMap<String, Made>;

fn made(call: &Call<'_>, entries: &[Entry]) -> Result<MadeByBulkId> {
    let mut made = MadeByBulkId::new();
    for (index, entry) in entries.iter().enumerate() {
        let is_made = matches!(&entry.operation, Ok(operation) if operation.method == Method::Post);
        if let Some(bulk_id) = entry.bulk_id.as_ref().filter(|_| is_made) {
            let id = call.new_id()?;
            made.insert(bulk_id.clone(), Made { index, id });
        }
    }
    Ok(made)
}

/// What an operation wants, with ids in the place of references.
fn intent(call: &Call<'_>, caller: &Caller, made: &MadeByBulkId, entry: &Entry) -> Result<Intent> {
    let operation = entry.operation.as_ref().map_err(Error::clone)?;
    let resource_type = operation.resource_type;
    let profile = caller.profile();
    caller.require(write_scope(resource_type))?;
    let mut references = BTreeMap::new();
    for reference in &operation.references {
        let Some(made) = made.get(reference) else {
            return Err(ScimError::value(format!(
                "`bulkId:{}` refers to no resource that this request makes",
                shortened(reference)
            ))
            .into());
        };
        references.insert(made.index, reference.clone());
    }
    let id_of = |reference: &str| made.get(reference).map(|made| made.id.clone());
    let data = substitute(&operation.data, &id_of);
    if operation.method == Method::Post {
        let own = entry.bulk_id.as_ref().and_then(|bulk_id| made.get(bulk_id));
        let id = own.map_or_else(|| call.new_id(), |made| Ok(made.id.clone()))?;
        let resource = body::read(resource_type, data, profile, &call.budget).map_err(Error::from);
        return Ok(Intent {
            references,
            ..Intent::create(resource_type, id, resource)
        });
    }
    let target = operation.target.as_deref().unwrap_or_default();
    let id = ids::canonical_uuid(&substitute_text(target, &id_of))
        .ok_or_else(|| Error::not_found(resource_type.name))?;
    let wish = match operation.method {
        Method::Put => Ok(Wish::Replace(data)),
        Method::Patch => patch::parse(data, resource_type, &id, profile)
            .map_err(Error::from)
            .and_then(|operations| Wish::patch(operations, profile)),
        Method::Post | Method::Delete => Ok(Wish::Delete),
    };
    let made_by = target
        .strip_prefix(REFERENCE)
        .and_then(|name| made.get(name));
    Ok(Intent {
        condition: operation.condition.clone(),
        references,
        made_by: made_by.map(|made| made.index),
        ..Intent::change(resource_type, id, wish)
    })
}

fn show(
    entry: &Entry,
    outcome: &Result<Done>,
    base: &str,
    made: &MadeByBulkId,
    outcomes: &[Result<Done>],
) -> Value {
    let mut shown = Map::new();
    let mut set = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            shown.insert(name.to_owned(), value);
        }
    };
    set("method", Some(entry.method.as_str().into()));
    set("bulkId", entry.bulk_id.as_deref().map(Value::from));
    match outcome {
        Ok(done) => {
            let location = format!("{base}{}/{}", done.resource_type.endpoint, done.id);
            set("version", done.version.map(|version| version.etag().into()));
            set("location", Some(location.into()));
            set("status", Some(done.status.to_string().into()));
        }
        Err(error) => {
            // RFC 7644 §3.7.3: where it failed, the operation's location is given too, unless it is a POST.
            let target = entry.target.as_ref().filter(|_| entry.method != "POST");
            let target = target.and_then(|(resource_type, id)| {
                let id = permanent(id, made, outcomes)?;
                Some(format!("{base}{}/{id}", resource_type.endpoint))
            });
            set("location", target.map(Value::from));
            let (status, body) = error_body(error, Dialect::Scim);
            set("status", Some(status.to_string().into()));
            set("response", Some(body));
        }
    }
    Value::Object(shown)
}

/// The id that a path names, by itself or by a reference to what an operation has made.
fn permanent<'i>(
    id: &'i str,
    made: &'i MadeByBulkId,
    outcomes: &[Result<Done>],
) -> Option<&'i str> {
    let Some(reference) = id.strip_prefix(REFERENCE) else {
        return Some(id);
    };
    let made = made.get(reference)?;
    let is_made = matches!(outcomes.get(made.index), Some(Ok(_)));
    is_made.then_some(made.id.as_str())
}
