//! `/api/v1/admin/tenants/{tenant_id}/import`: lines of an export, of this tenant or of another one, become users, groups and memberships.
//!
//! An export of any size comes in any number of requests, each as long as a body may be: a line stands for itself, since the new ids
//! follow from the old ones ([`lines`]). A line whose resource is there already changes nothing, so that a request may be sent again.

mod lines;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::export::NDJSON;
use crate::api::http::call::Call;
use crate::api::http::caller::Caller;
use crate::api::http::envelope;
use crate::api::http::query_parameters::tenant_in_path;
use crate::api::http::reply::Reply;
use crate::api::scim::author::change_as;
use crate::auth::admin::Admin;
use crate::change::{Done, Intent, Known, Request, Wish, kind_of};
use crate::error::{Error, Kind, Result};
use crate::scim::body;
use crate::scim::filter::parse::shortened;
use crate::scim::patch::MemberChanges;
use crate::scim::schema::{GROUPS, RESOURCE_TYPES, ResourceType, USERS};
use crate::store::members::{self, Pair};
use crate::store::{self, Rows, Statement, guards, resources, rows_at, tenants};
use lines::{Arrival, Arrivals, Content};

/// Most resources, and most lines of members, that are written at once.
const AT_ONCE: usize = 1_000;
/// Most members that are.
const MEMBERS_AT_ONCE: usize = 5_000;
/// Most failures that a reply names; it counts all of them.
const MAX_FAILURES: usize = 1_000;
/// How often what others write at the same time is met.
const MAX_ATTEMPTS: usize = 3;
/// Statements after which lines of members are not halved any more, to find those that nest groups too deep: D1 runs 1,000 for a request.
const HALVED_WITHIN: u64 = 300;
/// Most ids that one failure names.
const MAX_NAMED: usize = 5;

/// What came of the lines.
#[derive(Default, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ImportResponse {
    users: Arrived,
    groups: Arrived,
    members: Joined,
    /// How many lines failed, in whole or in part.
    failed: usize,
    /// The first 1,000 of them.
    failures: Vec<ImportFailure>,
}

/// Resources of the lines.
#[derive(Default, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Arrived {
    created: usize,
    /// Those that were there already, and stay as they are.
    unchanged: usize,
}

/// Members of the lines.
#[derive(Default, Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Joined {
    added: usize,
    /// Those that were members already.
    unchanged: usize,
}

/// A line that failed. Members whom it names and who are there have come in all the same.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct ImportFailure {
    /// The line's number in the body, from 1.
    line: usize,
    /// What is wrong, in a sentence.
    detail: String,
}

/// Something of a line, with the line's number.
struct Numbered<T> {
    line: usize,
    what: T,
}

/// `POST …/tenants/{tenant_id}/import`.
pub async fn answer(call: &Call<'_>, admin: &Admin) -> Result<Reply> {
    let tenant = tenant_in_path(call, admin)?;
    let body = call.body(&[NDJSON])?;
    let results = call
        .run(Some(&tenant), vec![tenants::select(&tenant)])
        .await?;
    let row = rows_at(&results, 0)?.first();
    let row = row.ok_or_else(|| Error::not_found("the tenant"))?;
    let settings = tenants::settings(row)?;
    call.note_tenant(&tenant);
    let import = Import {
        call,
        caller: Caller::of_admin(admin.clone(), tenant, settings),
        outcome: RefCell::default(),
    };
    import.run(&body).await.map_err(|error| match error.kind {
        // Its settings changed while it went on.
        Kind::CredentialStale => Error {
            kind: Kind::Unavailable {
                retry_after_seconds: 1,
            },
            ..error
        },
        _ => error,
    })?;
    let mut outcome = import.outcome.into_inner();
    outcome.failures.sort_by_key(|failure| failure.line);
    Ok(envelope::single(call, 200, outcome))
}

/// The import of one request.
struct Import<'c> {
    call: &'c Call<'c>,
    caller: Caller,
    outcome: RefCell<ImportResponse>,
}

impl Import<'_> {
    fn fail(&self, line: usize, detail: impl Into<String>) {
        let mut outcome = self.outcome.borrow_mut();
        outcome.failed += 1;
        if outcome.failures.len() < MAX_FAILURES {
            let detail = detail.into();
            outcome.failures.push(ImportFailure { line, detail });
        }
    }

    async fn run(&self, body: &[u8]) -> Result<()> {
        let mut seen = BTreeSet::new();
        let mut resources: Vec<Numbered<Arrival>> = Vec::new();
        let mut joining: Vec<Numbered<Arrivals>> = Vec::new();
        for (index, text) in body.split(|byte| *byte == b'\n').enumerate() {
            let (line, text) = (index + 1, text.trim_ascii_end());
            if text.is_empty() {
                continue;
            }
            match lines::read(&self.caller.tenant, text) {
                Err(detail) => self.fail(line, detail),
                Ok(Content::Head) => {}
                Ok(Content::Members(what)) => joining.push(Numbered { line, what }),
                Ok(Content::Resource(mut what)) => {
                    let members = what.members.take();
                    joining.extend(members.map(|what| Numbered { line, what }));
                    match seen.insert(what.id.clone()) {
                        true => resources.push(Numbered { line, what }),
                        false => self.count_unchanged(what.resource_type),
                    }
                }
            }
        }
        let bodies = resources.iter().map(|one| &one.what);
        self.caller
            .learn(bodies.map(|what| (what.resource_type, &what.data)));
        for some in resources.chunks(AT_ONCE) {
            self.bring(some).await?;
        }
        let mut left = joining.as_slice();
        while !left.is_empty() {
            let (some, rest) = left.split_at(fitting(left));
            self.join(some).await?;
            left = rest;
        }
        Ok(())
    }

    fn count_unchanged(&self, resource_type: &ResourceType) {
        self.arrived(resource_type, |arrived| arrived.unchanged += 1);
    }

    fn arrived(&self, resource_type: &ResourceType, count: impl Fn(&mut Arrived)) {
        let mut outcome = self.outcome.borrow_mut();
        count(match resource_type.name == USERS.name {
            true => &mut outcome.users,
            false => &mut outcome.groups,
        });
    }

    /// Makes the resources that are not there yet. Where somebody else makes one of them meanwhile, it looks again.
    async fn bring(&self, some: &[Numbered<Arrival>]) -> Result<()> {
        let mut attempt = 1;
        loop {
            let present = self.present(some).await?;
            let new: Vec<_> = some
                .iter()
                .filter(|one| !present.contains(&one.what.id))
                .collect();
            match self.create(&new).await {
                Err(error) if error.kind == Kind::Raced && attempt < MAX_ATTEMPTS => attempt += 1,
                Err(error) => return Err(error),
                Ok(()) => {
                    for one in some.iter().filter(|one| present.contains(&one.what.id)) {
                        self.count_unchanged(one.what.resource_type);
                    }
                    return Ok(());
                }
            }
        }
    }

    async fn present(&self, some: &[Numbered<Arrival>]) -> Result<BTreeSet<String>> {
        let batch = RESOURCE_TYPES.into_iter().flat_map(|resource_type| {
            let of_type = some.iter().map(|one| &one.what);
            let of_type = of_type.filter(|what| what.resource_type.name == resource_type.name);
            let ids = of_type.map(|what| &what.id);
            resources::select_present(&self.caller.tenant, resource_type, ids)
        });
        ids_in(&self.caller.read(self.call, batch.collect()).await?)
    }

    async fn create(&self, new: &[&Numbered<Arrival>]) -> Result<()> {
        if new.is_empty() {
            return Ok(());
        }
        let intents: Vec<Result<Intent>> = new
            .iter()
            .map(|one| {
                let what = &one.what;
                let resource = body::read(
                    self.caller.shape(what.resource_type),
                    what.data.clone(),
                    self.caller.profile(),
                    &self.call.budget,
                );
                let id = what.id.clone();
                let resource = resource.map_err(Error::from);
                Ok(Intent::create(what.resource_type, id, resource))
            })
            .collect();
        let are_new = |outcomes: &[Result<Done>]| self.are_new(outcomes);
        let request = Request {
            along: Some(&are_new),
            ..Request::of(&intents)
        };
        let written = change_as(self.call, &self.caller, &request).await?;
        for (one, outcome) in new.iter().zip(written.outcomes) {
            match outcome {
                Ok(_) => self.arrived(one.what.resource_type, |arrived| arrived.created += 1),
                Err(error) => self.fail(one.line, error.detail),
            }
        }
        Ok(())
    }

    /// Guards that nobody has made one of them since it was looked for: it would be at a later version now.
    fn are_new(&self, outcomes: &[Result<Done>]) -> Vec<Statement> {
        let statements = RESOURCE_TYPES.into_iter().flat_map(|resource_type| {
            let made = outcomes.iter().flatten();
            let made = made.filter(|done| done.resource_type.name == resource_type.name);
            let versions = made.filter_map(|done| Some((done.id.as_str(), done.version?, None)));
            guards::versions(&self.caller.tenant, resource_type, versions)
        });
        statements.collect()
    }

    /// Puts members into groups; where the groups would be nested too deep by it, the lines by halves, so that one line alone fails. Where
    /// that takes too long, lines fail together.
    async fn join(&self, some: &[Numbered<Arrivals>]) -> Result<()> {
        let mut parts = vec![some];
        while let Some(part) = parts.pop() {
            match (self.join_at_once(part).await, part) {
                (Ok(()), _) => {}
                (Err(error), [one]) if matches!(error.kind, Kind::Scim(_)) => {
                    self.fail(one.line, error.detail);
                }
                (Err(error), _)
                    if matches!(error.kind, Kind::Scim(_))
                        && self.call.cost().statements > HALVED_WITHIN =>
                {
                    let detail =
                        format!("{}: by this line or others that came with it", error.detail);
                    part.iter()
                        .for_each(|one| self.fail(one.line, detail.as_str()));
                }
                (Err(error), _) if matches!(error.kind, Kind::Scim(_)) => {
                    let (half, other) = part.split_at(part.len() / 2);
                    parts.extend([other, half]);
                }
                (Err(error), _) => return Err(error),
            }
        }
        Ok(())
    }

    async fn join_at_once(&self, some: &[Numbered<Arrivals>]) -> Result<()> {
        let (call, tenant) = (self.call, &self.caller.tenant);
        let groups: BTreeSet<&String> = some.iter().map(|one| &one.what.group).collect();
        let pairs: BTreeSet<Pair> = some
            .iter()
            .flat_map(|one| {
                let members = one.what.members.iter();
                members.map(|(id, _)| (one.what.group.clone(), id.clone()))
            })
            .collect();
        let pairs: Vec<Pair> = pairs.into_iter().collect();
        let mut batch = resources::select_present(tenant, &GROUPS, groups);
        let of_groups = batch.len();
        batch.extend(members::probe(tenant, &pairs));
        let results = self.caller.read(call, batch).await?;
        let (present, probed) = results.split_at_checked(of_groups).unwrap_or_default();
        let present = ids_in(present)?;
        let mut known: BTreeMap<Pair, Known> = BTreeMap::new();
        for row in probed.iter().flat_map(|rows| &rows.rows) {
            let probed = members::probed(row)?;
            let what = Known {
                granted: probed.granted,
                kind: kind_of(probed.kind.as_deref()),
            };
            known.insert((probed.group, probed.id), what);
        }
        let mut wanted: Vec<(usize, usize, Result<Intent>)> = Vec::new();
        let mut unchanged = 0;
        let mut failures: Vec<(usize, String)> = Vec::new();
        for one in some {
            let group = &one.what.group;
            if !present.contains(group) {
                failures.push((one.line, "its group is not there yet".to_owned()));
                continue;
            }
            let mut new = BTreeMap::new();
            let mut nobody = Vec::new();
            for (id, old) in &one.what.members {
                let what = known.get(&(group.clone(), id.clone())).copied();
                match what.unwrap_or_default() {
                    Known { kind: None, .. } => nobody.push(old.as_str()),
                    Known {
                        granted: Some(_), ..
                    } => unchanged += 1,
                    Known {
                        kind: Some(kind), ..
                    } => {
                        new.insert(id.clone(), kind);
                    }
                }
            }
            if !nobody.is_empty() {
                failures.push((one.line, missing(&nobody)));
            }
            if !new.is_empty() {
                let count = new.len();
                let changes = MemberChanges::by_id(new, []);
                let intent = Intent::change(&GROUPS, group.clone(), Ok(Wish::Members(changes)));
                wanted.push((one.line, count, Ok(intent)));
            }
        }
        let (counted, intents): (Vec<_>, Vec<_>) = wanted
            .into_iter()
            .map(|(line, count, intent)| ((line, count), intent))
            .unzip();
        let mut added = 0;
        if !intents.is_empty() {
            let request = Request {
                pairs: known.into_iter().collect(),
                ..Request::of(&intents)
            };
            let written = change_as(call, &self.caller, &request).await?;
            for ((line, count), outcome) in counted.into_iter().zip(written.outcomes) {
                match outcome {
                    Ok(_) => added += count,
                    Err(error) => failures.push((line, error.detail)),
                }
            }
        }
        let mut outcome = self.outcome.borrow_mut();
        outcome.members.added += added;
        outcome.members.unchanged += unchanged;
        drop(outcome);
        for (line, detail) in failures {
            self.fail(line, detail);
        }
        Ok(())
    }
}

/// How many of the lines, from the first on, are written at once: one at least.
fn fitting(lines: &[Numbered<Arrivals>]) -> usize {
    let mut room = MEMBERS_AT_ONCE;
    let fitting = lines.iter().take(AT_ONCE).take_while(|one| {
        let fits = one.what.members.len() <= room;
        room = room.saturating_sub(one.what.members.len());
        fits
    });
    fitting.count().max(1)
}

fn missing(old: &[&str]) -> String {
    let named: Vec<String> = old
        .iter()
        .take(MAX_NAMED)
        .map(|id| format!("`{}`", shortened(id)))
        .collect();
    let more = match old.len() > MAX_NAMED {
        true => format!(" and {} more", old.len() - MAX_NAMED),
        false => String::new(),
    };
    format!(
        "members whose lines have not come yet are not in the group: {}{more}; send this line again after theirs",
        named.join(", ")
    )
}

fn ids_in(results: &[Rows]) -> Result<BTreeSet<String>> {
    let rows = results.iter().flat_map(|rows| &rows.rows);
    let ids = rows.map(|row| row.text("id"));
    Ok(ids.collect::<store::Result<_>>()?)
}
