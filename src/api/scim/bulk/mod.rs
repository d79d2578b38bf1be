//! `POST /Bulk` (RFC 7644 §3.7): operations become intents, which are carried out together.
//!
//! Ids of new resources are ours to give, and are given before anything is planned: references may lead backwards, forwards and in
//! circles.

pub(super) mod request;

use serde_json::{Map, Value, json};

use super::author::change_many;
use super::resources::write_scope;
use crate::api::http::call::Call;
use crate::api::http::caller::Caller;
use crate::api::http::reply::{Dialect, Reply, error_body};
use crate::change::{self, Along, Done, Intent, Wish};
use crate::error::{Error, Result};
use crate::ids;
use crate::ordered::OrderedMap;
use crate::scim::error::Error as ScimError;
use crate::scim::filter::parse::shortened;
use crate::scim::{BULK_RESPONSE, body, patch};
use request::{Entry, Method, REFERENCE, substitute, substitute_text};

pub use request::MAX_OPERATIONS;

/// `POST /Bulk`.
pub async fn answer(call: &Call<'_>, caller: &Caller) -> Result<Reply> {
    let request = request::read(call.json()?, caller.profile())?;
    let (entries, made) = (&request.entries, made(call, &request.entries)?);
    let fail_on_errors = request.fail_on_errors;
    let outcomes = carry_out(call, caller, (entries, &made), fail_on_errors, None).await?;
    let operations = show_all(&call.scim_base(), entries, &made, &outcomes);
    let body = json!({"schemas": [BULK_RESPONSE], "Operations": operations});
    Ok(Reply::scim(200, body.to_string()))
}

/// Carries operations out together.
pub async fn carry_out(
    call: &Call<'_>,
    caller: &Caller,
    (entries, made): (&[Entry], &MadeByBulkId),
    fail_on_errors: Option<usize>,
    along: Option<Along<'_>>,
) -> Result<Vec<Result<Done>>> {
    let wanted = entries
        .iter()
        .filter_map(|entry| entry.operation.as_ref().ok());
    caller.learn(wanted.map(|operation| (operation.resource_type, &operation.data)));
    let intents: Vec<Result<Intent>> = entries
        .iter()
        .map(|entry| intent(call, caller, made, entry))
        .collect();
    let written = change_many(call, caller, &intents, fail_on_errors, along).await?;
    Ok(written.outcomes)
}

/// What the operations that were reached came to, as a Bulk response tells it.
pub fn show_all(
    base: &str,
    entries: &[Entry],
    made: &MadeByBulkId,
    outcomes: &[Result<Done>],
) -> Vec<Value> {
    let tried = entries.iter().zip(outcomes);
    tried
        .map(|(entry, outcome)| show(entry, outcome, base, made, outcomes))
        .collect()
}

/// What a POST operation makes.
pub struct Made {
    pub by: Maker,
    pub id: String,
}

/// Which operation makes a resource.
pub enum Maker {
    /// The one with that number, of those that are carried out together.
    Index(usize),
    /// One that was carried out before: whether it did what it was to.
    Before { has_succeeded: bool },
}

impl Made {
    fn index(&self) -> Option<usize> {
        match self.by {
            Maker::Index(index) => Some(index),
            Maker::Before { .. } => None,
        }
    }
}

/// What the POST operations make, by `bulkId`.
pub type MadeByBulkId = OrderedMap<String, Made>;

/// The `bulkId` of an operation that makes a resource.
pub fn maker(entry: &Entry) -> Option<&String> {
    let is_made = matches!(&entry.operation, Ok(operation) if operation.method == Method::Post);
    entry.bulk_id.as_ref().filter(|_| is_made)
}

fn made(call: &Call<'_>, entries: &[Entry]) -> Result<MadeByBulkId> {
    let mut made = MadeByBulkId::new();
    for (index, entry) in entries.iter().enumerate() {
        if let Some(bulk_id) = maker(entry) {
            let (by, id) = (Maker::Index(index), call.new_id()?);
            made.insert(bulk_id.clone(), Made { by, id });
        }
    }
    Ok(made)
}

/// What an operation wants, with ids in the place of references.
fn intent(call: &Call<'_>, caller: &Caller, made: &MadeByBulkId, entry: &Entry) -> Result<Intent> {
    let operation = entry.operation.as_ref().map_err(Error::clone)?;
    let resource_type = operation.resource_type;
    let (profile, shape) = (caller.profile(), caller.shape(resource_type));
    caller.require(write_scope(resource_type))?;
    let mut references = OrderedMap::new();
    for reference in &operation.references {
        let Some(made) = made.get(reference) else {
            return Err(ScimError::value(format!(
                "`bulkId:{}` refers to no resource that this request makes",
                shortened(reference)
            ))
            .into());
        };
        match made.by {
            Maker::Index(index) => {
                references.insert(index, reference.clone());
            }
            Maker::Before {
                has_succeeded: true,
            } => {}
            Maker::Before { .. } => return Err(change::broken_reference(reference)),
        }
    }
    let id_of = |reference: &str| made.get(reference).map(|made| made.id.clone());
    let data = substitute(&operation.data, &id_of);
    if operation.method == Method::Post {
        let own = entry.bulk_id.as_ref().and_then(|bulk_id| made.get(bulk_id));
        let id = own.map_or_else(|| call.new_id(), |made| Ok(made.id.clone()))?;
        let resource = body::read(shape, data, profile, &call.budget).map_err(Error::from);
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
        Method::Patch => patch::parse(data, shape, &id, profile)
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
        made_by: made_by.and_then(Made::index),
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
    let is_made = match made.by {
        Maker::Index(index) => matches!(outcomes.get(index), Some(Ok(_))),
        Maker::Before { has_succeeded } => has_succeeded,
    };
    is_made.then_some(made.id.as_str())
}
