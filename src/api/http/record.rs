//! The journal: what is kept of a request that changed something or was refused, so that whoever runs this can be told why.
//!
//! A change's row is written in the very batch of the change, and costs a row ([`Call::row`]). A refusal is recorded after the reply, in one
//! batch that nobody waits for ([`after`]), and so is a look-up by a name that found nobody: it says why a client went on to create. Other
//! reads leave nothing. What a tenant's clients are refused is stored for [`MAX_A_MINUTE`] of them a minute, and counted beyond.

use http::Method;
use serde_json::Value;

use super::call::Call;
use super::journal::name_in_filter;
use super::redaction;
use crate::error::Error;
use crate::ids::TenantId;
use crate::scim::fold::name_key;
use crate::scim::forgiven::so_far;
use crate::store::requests::{self, After, Entry, MAX_A_MINUTE};
use crate::store::{Statement, directory};

/// What beyond the stored refusals is counted at once.
const COUNTED_AT_ONCE: i64 = 100;

impl Call<'_> {
    /// The row of a request whose change is about to be written, for the same batch. It is written once, however often the batch is tried.
    pub fn row(&self, tenant: &TenantId, after: After) -> Statement {
        let journal = &self.journal;
        let status = journal.status.get().unwrap_or_else(|| self.usual_status());
        journal.written.set(Some(status));
        let mut entry = self.entry(status, None);
        entry.d1_trips += 1;
        entry.d1_rows_read = None;
        entry.d1_rows_written = None;
        requests::insert(tenant, &entry, after)
    }

    /// Notes that the batch with the row was not carried out.
    pub fn forget_row(&self) {
        self.journal.written.set(None);
    }

    /// What a request is answered that did what it asked for.
    fn usual_status(&self) -> u16 {
        let name = self.journal.route.get().map_or("", |(name, _)| name);
        match *self.method() {
            Method::DELETE => 204,
            Method::POST if name.starts_with("create") || name.starts_with("rotate") => 201,
            _ => 200,
        }
    }

    fn entry(&self, status: u16, error: Option<&Error>) -> Entry {
        let journal = &self.journal;
        let failures = journal.failures.borrow();
        let kept = journal.body.borrow();
        let scrub = |text: &str| match &*kept {
            Some(kept) => kept.scrub(text),
            None => text.to_owned(),
        };
        let detail = match (error, &*failures) {
            (Some(error), _) => Some(scrub(&error.said())),
            (None, Some((failed, all, first))) => Some(format!(
                "{failed} of {all} operations failed, the first with {}: {}",
                first.status(),
                scrub(&first.said())
            )),
            (None, None) => None,
        };
        let cause = error.or(failures.as_ref().map(|(.., first)| first));
        let is_failed = status >= 400 || failures.is_some();
        let is_made = |name: &str| name.starts_with("create");
        let route = journal.route.get();
        // What is sent again is told as what its sender asked for.
        let sent = self.sent_by.unwrap_or(self);
        let pattern = sent.journal.route.get().map_or("", |(_, pattern)| pattern);
        // What an administrator's route reads lies outside of the tenant too: how much that is would tell whether others have an id.
        let is_own = pattern.contains("/scim/v2");
        let resource = journal.resource.borrow().clone();
        // What was not made has no id.
        let resource =
            resource.filter(|_| status < 400 || !route.is_some_and(|(name, _)| is_made(name)));
        let resource = resource.or_else(|| self.resource_in_path());
        let user_name = journal
            .user_name
            .borrow()
            .clone()
            .or_else(|| self.name_in_query());
        let is_kept = |name: &String| !redaction::is_secret(name);
        let user_name = user_name.filter(is_kept);
        let former = journal.former_name.borrow().clone().filter(is_kept);
        let forgiven: Value = so_far(&journal.notes)
            .tolerances()
            .map(|tolerance| tolerance.code)
            .collect();
        let uri = sent.request().uri();
        let cost = self.cost();
        let counted = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        Entry {
            id: self.request_id.clone(),
            actor: journal.actor.borrow().clone().unwrap_or_default(),
            method: sent.method().to_string(),
            route: pattern.to_owned(),
            path: redaction::address(uri.path(), uri.query()),
            status,
            is_by_size: journal.is_by_size.get(),
            failed: is_failed,
            scim_type: cause.and_then(Error::scim_type).map(str::to_owned),
            detail,
            forgiven: forgiven.to_string(),
            resource_type: resource.as_ref().map(|(name, _)| (*name).to_owned()),
            resource_id: resource.map(|(_, id)| id),
            user_name_key: user_name.as_deref().map(name_key),
            user_name,
            former: former.map(|name| (name.clone(), name_key(&name))),
            is_named: self.is_deletion() || journal.found_nobody.get(),
            duration_ms: self.app.platform.clock.now() - self.now,
            d1_trips: counted(cost.trips),
            d1_rows_read: is_own.then(|| counted(cost.read)),
            d1_rows_written: is_own.then(|| counted(cost.written)),
            body_state: match &*kept {
                Some(kept) => kept.state(),
                None if self.has_body() => "unreadable",
                None => "none",
            }
            .to_owned(),
            body: kept.as_ref().map(|kept| kept.text.clone()),
        }
    }

    /// Notes the body of a request that was refused before it was read, as by a scope or a limit: it says whom the request was about.
    fn note_unread_body(&self) {
        let is_unread = self.journal.body.borrow().is_none() && self.has_body();
        if is_unread && self.request().body().len() <= redaction::MAX_BODY {
            // What cannot be read is not kept.
            let _ = self.json();
        }
    }

    fn is_deletion(&self) -> bool {
        *self.method() == Method::DELETE
    }

    /// What the path names, as far as its last id goes.
    fn resource_in_path(&self) -> Option<(&'static str, String)> {
        let pattern = self.journal.route.get().map_or("", |(_, pattern)| pattern);
        let (name, param) = match () {
            () if pattern.contains("/Users/:id") => ("User", "id"),
            () if pattern.contains("/Groups/:id") => ("Group", "id"),
            () if pattern.contains(":mapping_id") => ("GroupMapping", "mapping_id"),
            () if pattern.contains(":idp_id") => ("IdentityProvider", "idp_id"),
            () if pattern.contains(":token_id") => ("ScimToken", "token_id"),
            () => return None,
        };
        Some((name, crate::ids::canonical_uuid(self.param(param))?))
    }

    /// The user name that a look-up is for.
    fn name_in_query(&self) -> Option<String> {
        let filter = self
            .query()
            .into_iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("filter"));
        name_in_filter(&filter?.1)
    }
}

/// Records a request that was refused, after its reply; and corrects the row of a change whose reply was another than was to be expected.
pub fn after(call: &Call<'_>, status: u16, error: Option<&Error>) {
    let journal = &call.journal;
    let is_asked_for = match journal.written.get() {
        Some(written) => status >= 400 || (status != written && !journal.is_by_size.get()),
        None => status >= 400 || journal.failures.borrow().is_some() || is_missed_look_up(call),
    };
    if !is_asked_for || call.is_dry() || journal.route.get().is_none() {
        return;
    }
    if status != 401 && journal.has_actor() {
        call.note_unread_body();
    }
    let entry = call.entry(status, error);
    let minute = call.now.div_euclid(60_000);
    let platform = call.app.platform.clone();
    let Some(tenant) = call.tenant_of_journal() else {
        let hash = journal.token_hash.borrow().clone();
        let Some(hash) = hash.filter(|_| status == 401) else {
            return;
        };
        // A token that does not hold any more is somebody's all the same.
        platform.background.clone().defer(Box::pin(async move {
            let look = vec![directory::select_holder(&hash)];
            let found = platform.database_of(None).run(look).await;
            let Some(row) = found
                .ok()
                .and_then(|results| results.into_iter().next()?.rows.into_iter().next())
            else {
                return;
            };
            let (Ok(tenant), Ok(token)) = (row.text("tenant_id"), row.text("resource_id")) else {
                return;
            };
            if let Some(tenant) = TenantId::parse(&tenant) {
                let entry = Entry {
                    actor: format!("scim-token:{token}"),
                    ..entry
                };
                let batch = requests::record(&tenant, &entry, minute);
                let _ = platform.database_of(Some(&tenant)).run(batch.into()).await;
            }
        }));
        return;
    };
    // An instance that has stored so many itself counts on by the hundred.
    let stored = call.app.memory.count_refusal(tenant.as_str(), minute);
    let batch: Vec<Statement> = match stored {
        stored if stored <= MAX_A_MINUTE => requests::record(&tenant, &entry, minute).into(),
        stored if stored % COUNTED_AT_ONCE == 0 => {
            vec![requests::count(&tenant, minute, COUNTED_AT_ONCE)]
        }
        _ => return,
    };
    platform.background.clone().defer(Box::pin(async move {
        // What cannot be recorded is in the log.
        let _ = platform.database_of(Some(&tenant)).run(batch).await;
    }));
}

fn is_missed_look_up(call: &Call<'_>) -> bool {
    let journal = &call.journal;
    journal.found_nobody.get()
        && (journal.user_name.borrow().is_some() || call.name_in_query().is_some())
}
