//! The next part of a Bulk request that was accepted is carried out.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::carry::{Went, Work, count, is_passing};
use super::parts::Part;
use crate::api::http::call::Call;
use crate::api::http::record;
use crate::api::http::reply::{Dialect, error_body};
use crate::api::scim::bulk::{self, MadeByBulkId, request::Entry};
use crate::change::Done;
use crate::error::{Error, Result};
use crate::scim::BULK_REQUEST;
use crate::scim::forgiven::noting;
use crate::store::async_requests::{self, Outcome};

impl Work<'_> {
    /// Carries out the next part of a Bulk request.
    pub async fn part(&self, statements: &Cell<u64>) -> Result<Went> {
        let part: Part =
            serde_json::from_str(&self.body).map_err(|error| Error::internal(error.to_string()))?;
        let (place, id) = (self.place.clone(), self.request.id.clone());
        let call = Call::new(self.app, self.request("")?, place, id);
        let [failed, done] = [self.request.failed, self.request.done]
            .map(|count| usize::try_from(count).unwrap_or_default());
        call.journal
            .note_before(failed, done, self.first_failure.clone());
        let left = self
            .request
            .fail_on_errors
            .map(|most| most - self.request.failed);
        let left = left.map(|left| usize::try_from(left).unwrap_or_default());
        let mut way = Box::pin(self.tried(&call, &part, left));
        let tried = std::future::poll_fn(|context| {
            noting(&call.journal.notes, || way.as_mut().poll(context))
        });
        let tried = tried.await;
        statements.set(statements.get() + call.cost().statements);
        let (is_over, error) = match tried {
            Ok(is_over) => (is_over, None),
            Err(error) if is_passing(&error) => return Err(error),
            // What is refused as a whole is refused to each operation.
            Err(error) => {
                let refused = self.refused(&part, &error)?;
                let failed = count(refused.len());
                let is_over = self.is_over(refused.len(), failed, part.pieces.len());
                let batch = self.step(&refused, failed, is_over, self.app.platform.clock.now());
                call.run(Some(self.tenant), batch).await?;
                (is_over, Some(error))
            }
        };
        let status = error.as_ref().map_or(200, Error::status);
        record::after(&call, status, error.as_ref());
        Ok(match is_over {
            true => Went::Over(None),
            false => Went::More,
        })
    }

    /// Whether nothing follows a part of so many operations, of which so many were tried and so many failed.
    fn is_over(&self, tried: usize, failed: i64, of: usize) -> bool {
        let most = self.request.fail_on_errors;
        let is_stopped = most.is_some_and(|most| self.request.failed + failed >= most);
        self.request.part + 1 >= self.request.parts || tried < of || is_stopped
    }

    /// Carries out a part's operations; whether nothing follows.
    async fn tried(&self, call: &Call<'_>, part: &Part, left: Option<usize>) -> Result<bool> {
        let operations = part.operations()?;
        call.journal
            .note_body(&json!({"schemas": [BULK_REQUEST], "Operations": operations}));
        let caller = self.caller(call).await?;
        let succeeded = self.succeeded(call, part).await?;
        let has_succeeded = |number: usize| succeeded.contains(&number);
        let (entries, made) = part.read(operations, caller.profile(), has_succeeded);
        let step = |outcomes: &[Result<Done>]| {
            let failed = count(outcomes.iter().filter(|outcome| outcome.is_err()).count());
            let is_over = self.is_over(outcomes.len(), failed, entries.len());
            let shown = self.outcomes(part, (&entries, &made), outcomes);
            let now = self.app.platform.clock.now();
            (is_over, self.step(&shown, failed, is_over, now))
        };
        let along = |outcomes: &[Result<Done>]| step(outcomes).1;
        let operations = (entries.as_slice(), &made);
        let outcomes = bulk::carry_out(call, &caller, operations, left, Some(&along)).await?;
        let (is_over, batch) = step(&outcomes);
        if !call.journal.is_written() {
            call.run(Some(self.tenant), batch).await?;
        }
        Ok(is_over)
    }

    /// The numbers of those operations before, to which these refer, that did what they were to.
    async fn succeeded(&self, call: &Call<'_>, part: &Part) -> Result<BTreeSet<usize>> {
        let numbers = part.before.values().map(|before| count(before.number));
        let batch = async_requests::select_succeeded(self.tenant, &self.request.id, numbers);
        if batch.is_empty() {
            return Ok(BTreeSet::new());
        }
        let results = call.run(Some(self.tenant), batch).await?;
        let mut succeeded = BTreeSet::new();
        for row in results.iter().flat_map(|rows| &rows.rows) {
            let number = usize::try_from(row.integer("number")?);
            succeeded.extend(number.ok());
        }
        Ok(succeeded)
    }

    fn outcomes(
        &self,
        part: &Part,
        (entries, made): (&[Entry], &MadeByBulkId),
        outcomes: &[Result<Done>],
    ) -> Vec<Outcome> {
        let mut shown = bulk::show_all(&self.base(), entries, made, outcomes);
        // The version that each resource has in the end, as it is counted here.
        let mut last: BTreeMap<(&str, &str), i64> = BTreeMap::new();
        for done in outcomes.iter().flatten() {
            let key = (done.resource_type.name, done.id.as_str());
            let version = done.version.map_or(0, |version| version.0);
            last.insert(key, version);
        }
        let tried = shown.iter_mut().zip(outcomes).zip(&part.pieces);
        let outcomes = tried.map(|((shown, outcome), piece)| {
            let done = outcome.as_ref().ok();
            let counted = done.and_then(|done| Some((done, done.version?)));
            let behind = counted.and_then(|(done, version)| {
                let last = last.get(&(done.resource_type.name, done.id.as_str()))?;
                (*last > 0).then_some(*last - version.0)
            });
            Outcome {
                number: count(piece.number),
                result: shown.to_string(),
                resource: behind.and_then(|_| {
                    let done = done?;
                    Some((done.resource_type.name, done.id.clone()))
                }),
                behind: behind.unwrap_or_default(),
            }
        });
        outcomes.collect()
    }

    /// What comes of operations that are not tried.
    fn refused(&self, part: &Part, error: &Error) -> Result<Vec<Outcome>> {
        let (status, response) = error_body(error, Dialect::Scim);
        let pieces = part.pieces.iter().zip(part.operations()?);
        let outcomes = pieces.map(|(piece, operation)| {
            let given = |name: &str| {
                let mut fields = operation.as_object()?.iter();
                let (_, value) = fields.find(|(given, _)| given.eq_ignore_ascii_case(name))?;
                value.as_str().map(str::to_owned)
            };
            let mut shown = Map::new();
            let method = given("method").unwrap_or_default().to_ascii_uppercase();
            shown.insert("method".to_owned(), method.into());
            if let Some(bulk_id) = given("bulkId") {
                shown.insert("bulkId".to_owned(), bulk_id.into());
            }
            shown.insert("status".to_owned(), status.to_string().into());
            shown.insert("response".to_owned(), response.clone());
            Outcome {
                number: count(piece.number),
                result: Value::Object(shown).to_string(),
                resource: None,
                behind: 0,
            }
        });
        Ok(outcomes.collect())
    }
}
