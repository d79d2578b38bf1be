//! `POST`, `PUT` and `PATCH` of `/Groups` (RFC 7644 §3.3, §3.5).

use http::HeaderName;
use serde_json::Value;

use super::group_members::{self, Plan, Probed};
use super::list_query::ListParams;
use super::resources::{
    MAX_ATTEMPTS, check_precondition, check_size, differing, first, guard_name, if_match,
    is_worth_retrying, lost_race, refuse_managed, show, taken,
};
use crate::api::http::authenticate::{Caller, with_caller};
use crate::api::http::call::Call;
use crate::api::http::reply::Reply;
use crate::auth::scope::Scope;
use crate::error::{Error, Result};
use crate::scim::body;
use crate::scim::patch::{self, MemberChanges, Operation};
use crate::scim::profile::Profile;
use crate::scim::projection::Projection;
use crate::scim::render::Stored;
use crate::scim::resource::Resource;
use crate::scim::schema::GROUPS;
use crate::scim::version::Version;
use crate::store;
use crate::store::audit::{self, Action, Event, Totals};
use crate::store::groups::{self, GroupRow};
use crate::store::resources::{self as rows, Memberships};
use crate::store::{Constraint, Guard, Statement, guards, rows_at};

/// Largest group that the reply to a PATCH carries without being asked; above, the reply is 204.
const MAX_MEMBERS_IN_PATCH_REPLY: i64 = 500;

/// `POST /Groups`.
pub async fn create(call: &Call<'_>) -> Result<Reply> {
    let params = ListParams::of_query(call);
    with_caller(call, Scope::GroupsWrite, async |caller| {
        let projection = params.projection(&GROUPS, caller.profile())?;
        let group = body::read(&GROUPS, call.json()?, caller.profile())?;
        check_size(&GROUPS, &group)?;
        let id = call.new_id()?;
        let given = group.members.clone().unwrap_or_default();
        // The types that the client names are taken for true; the batch tells where a member is not there.
        let mut plan = Plan::as_declared(&given);
        let mut attempt = 1;
        loop {
            match insert(call, caller, &id, &group, &plan, &projection).await {
                Err(store::Error::Guard(Guard::MemberMissing)) if attempt < MAX_ATTEMPTS => {
                    attempt += 1;
                    plan = looked_up(call, caller, &id, &given).await?;
                }
                done => return created(done?, call, caller, &projection).await,
            }
        }
    })
    .await
}

async fn created(
    stored: std::result::Result<Stored, Constraint>,
    call: &Call<'_>,
    caller: &Caller,
    projection: &Projection,
) -> Result<Reply> {
    match stored {
        Ok(stored) => show(201, stored, call, caller, projection).await,
        Err(constraint) => Err(refusal(constraint)),
    }
}

async fn insert(
    call: &Call<'_>,
    caller: &Caller,
    id: &str,
    group: &Resource,
    plan: &Plan,
    projection: &Projection,
) -> store::Result<std::result::Result<Stored, Constraint>> {
    let row = GroupRow {
        id,
        provider_id: &caller.provider_id,
        created: call.now,
        gain: 1,
        resource: group,
        unique_name: !caller.profile().is_strict(),
        members: plan.difference(),
    };
    let mut batch = guard_name(caller, &GROUPS, id, None, group);
    batch.extend(groups::save(&caller.tenant, &[row], call.now));
    batch.extend(member_rows(caller, id, plan));
    let mut attributes: Vec<String> = group.attributes.keys().cloned().collect();
    attributes.extend(plan.changes_anything().then(|| "members".to_owned()));
    let event = Event {
        action: Action::Create,
        resource_type: GROUPS.name,
        resource_id: id,
        attributes,
        detail: plan.detail(),
    };
    let totals = Totals {
        groups: 1,
        ..Totals::default()
    };
    batch.extend(audit::append(
        &caller.tenant,
        &caller.origin(call),
        totals,
        &[event],
    ));
    let memberships = Memberships::of(&GROUPS, projection);
    let base = call.scim_base();
    batch.push(rows::select_one(
        &caller.tenant,
        &base,
        &GROUPS,
        id,
        memberships,
    ));
    match caller.write(call, batch).await {
        Ok(results) => last_stored(&results).map(Ok),
        Err(store::Error::Conflict(constraint)) => Ok(Err(constraint)),
        Err(error) => Err(error),
    }
}

fn member_rows(caller: &Caller, group: &str, plan: &Plan) -> Vec<Statement> {
    let tenant = &caller.tenant;
    let mut statements = group_members::existence(tenant, std::iter::once(plan), |_, _| false);
    statements.extend(group_members::rows(tenant, std::iter::once((group, plan))));
    statements
}

fn last_stored(results: &[store::Rows]) -> store::Result<Stored> {
    let row = results.last().and_then(store::Rows::first);
    let row = row.ok_or_else(|| store::Error::Backend("the group was not read back".to_owned()))?;
    rows::stored(&GROUPS, row)
}

fn refusal(constraint: Constraint) -> Error {
    match constraint {
        Constraint::GroupDisplayName => taken("displayName"),
        other => Error::internal(format!("a group ran into {other:?}")),
    }
}

/// What a request wants of a group. The members follow from the body alone, so that they can be looked up along with
/// the group.
struct Wanted {
    members: MemberChanges,
    attributes: Attributes,
}

enum Attributes {
    Replaced(Resource),
    Patched(Vec<Operation>),
}

impl Wanted {
    fn of(action: Action, id: &str, body: Value, profile: Profile) -> Result<Self> {
        if action == Action::Patch {
            let operations = patch::parse(body, &GROUPS, id, profile)?;
            return Ok(Wanted {
                members: MemberChanges::of(&operations, profile)?,
                attributes: Attributes::Patched(operations),
            });
        }
        let mut resource = body::read(&GROUPS, body, profile)?;
        let mut members = MemberChanges::default();
        match resource.members.take() {
            Some(given) => members.replace_all(&given),
            None if profile.is_strict() => members.replace_all(&[]),
            // Entra and Ping send a group's name without its members, and mean them to stay.
            None => {}
        }
        Ok(Wanted {
            members,
            attributes: Attributes::Replaced(resource),
        })
    }

    /// The group as it is to be, given what it is.
    fn resource(&self, before: &Resource, profile: Profile) -> Result<Resource> {
        match &self.attributes {
            Attributes::Replaced(resource) => Ok(resource.clone()),
            Attributes::Patched(operations) => {
                let mut resource = before.clone();
                patch::apply(operations, &GROUPS, &mut resource, profile)?;
                Ok(resource)
            }
        }
    }
}

/// `PUT /Groups/{id}`. Without `members`, `compat` leaves them alone.
pub async fn replace(call: &Call<'_>) -> Result<Reply> {
    change(call, Action::Replace).await
}

/// `PATCH /Groups/{id}`. The group's members are never loaded: the plan names rows to insert and to delete.
pub async fn patch(call: &Call<'_>) -> Result<Reply> {
    change(call, Action::Patch).await
}

async fn change(call: &Call<'_>, action: Action) -> Result<Reply> {
    let params = ListParams::of_query(call);
    with_caller(call, Scope::GroupsWrite, async |caller| {
        let id = call.id("id", GROUPS.name)?;
        let change = Change {
            call,
            caller,
            projection: params.projection(&GROUPS, caller.profile())?,
            is_asked_for: params.names_attributes(),
            action,
            wanted: Wanted::of(action, &id, call.json()?, caller.profile())?,
            id,
        };
        let mut attempt = 1;
        let condition = if_match(call);
        loop {
            match change.attempt().await? {
                Ok(reply) => return Ok(reply),
                Err(error)
                    if attempt < MAX_ATTEMPTS && is_worth_retrying(&error, condition.as_ref()) =>
                {
                    attempt += 1;
                }
                Err(store::Error::Conflict(constraint)) => return Err(refusal(constraint)),
                Err(error) => return Err(lost_race(error, condition.as_ref())),
            }
        }
    })
    .await
}

/// A change to one group, read and written in two round trips.
struct Change<'c> {
    call: &'c Call<'c>,
    caller: &'c Caller,
    id: String,
    projection: Projection,
    /// Whether the client named attributes: a reply has to carry them then (RFC 7644 §3.5.2).
    is_asked_for: bool,
    action: Action,
    wanted: Wanted,
}

impl Change<'_> {
    /// One attempt. The outer error is final, the inner one is the writing batch's.
    async fn attempt(&self) -> Result<store::Result<Reply>> {
        let Change {
            call, caller, id, ..
        } = self;
        let tenant = &caller.tenant;
        let base = call.scim_base();
        let members = &self.wanted.members;
        let mut batch = vec![groups::select_head(tenant, &base, id)];
        batch.extend(Probed::probes(tenant, &base, id, members));
        let results = caller.read(call, batch).await?;
        let stored = first(&results, 0, &GROUPS)?;
        check_precondition(if_match(call).as_ref(), &stored)?;
        let member_count = match rows_at(&results, 0)?.first() {
            Some(row) => row.integer("member_count")?,
            None => 0,
        };
        let before = Resource::from_stored(&stored.resource)
            .map_err(|error| Error::internal(format!("stored group {id}: {error}")))?;
        refuse_managed(&before)?;
        let after = self.wanted.resource(&before, caller.profile())?;
        check_size(&GROUPS, &after)?;
        let rest = results.get(1..).unwrap_or_default();
        let plan = Plan::new(
            members,
            &mut Probed::read(&base, members, rest)?,
            caller.profile(),
        )?;
        let count = member_count + plan.difference();
        if after == before && !plan.changes_anything() {
            return self.unchanged(stored, count).await.map(Ok);
        }
        let row = GroupRow {
            id,
            provider_id: &caller.provider_id,
            created: stored.created,
            gain: 1,
            resource: &after,
            unique_name: !caller.profile().is_strict(),
            members: plan.difference(),
        };
        let mut batch = guards::versions(tenant, &GROUPS, [(id.as_str(), stored.version)]);
        batch.extend(guard_name(caller, &GROUPS, id, Some(&before), &after));
        batch.extend(groups::save(tenant, &[row], call.now));
        batch.extend(member_rows(caller, id, &plan));
        let mut attributes = differing(&before, &after);
        attributes.extend(plan.changes_anything().then(|| "members".to_owned()));
        let event = Event {
            action: self.action,
            resource_type: GROUPS.name,
            resource_id: id,
            attributes,
            detail: plan.detail(),
        };
        batch.extend(audit::append(
            tenant,
            &caller.origin(call),
            Totals::default(),
            &[event],
        ));
        let shows = self.shows(count);
        batch.extend(shows.then(|| self.read_back()));
        let version = Version(stored.version.0 + 1);
        match caller.write_on(call, batch).await {
            Ok(results) if shows => {
                let stored = last_stored(&results)?;
                show(200, stored, call, caller, &self.projection)
                    .await
                    .map(Ok)
            }
            Ok(_) => Ok(Ok(Reply::empty(204).etag(version))),
            Err(error) => Ok(Err(error)),
        }
    }

    fn read_back(&self) -> Statement {
        let memberships = Memberships::of(&GROUPS, &self.projection);
        let base = self.call.scim_base();
        rows::select_one(&self.caller.tenant, &base, &GROUPS, &self.id, memberships)
    }

    async fn unchanged(&self, stored: Stored, count: i64) -> Result<Reply> {
        if !self.shows(count) {
            return Ok(Reply::empty(204).etag(stored.version));
        }
        let results = self.caller.read(self.call, vec![self.read_back()]).await?;
        let stored = first(&results, 0, &GROUPS)?;
        show(200, stored, self.call, self.caller, &self.projection).await
    }

    /// Whether the reply carries the group: always after a PUT; after a PATCH as `Prefer` says (RFC 7240 §4.2), else while
    /// that is cheap.
    fn shows(&self, members: i64) -> bool {
        let prefer = self
            .call
            .list_header(HeaderName::from_static("prefer"))
            .unwrap_or_default()
            .replace([' ', '"'], "");
        let prefers = |what: &str| {
            let mut preferences = prefer.split(',');
            preferences.any(|preference| {
                let (preference, _) = preference.split_once(';').unwrap_or((preference, ""));
                preference.eq_ignore_ascii_case(what)
            })
        };
        if prefers("return=minimal") && !self.is_asked_for {
            return false;
        }
        self.action == Action::Replace
            || self.is_asked_for
            || prefers("return=representation")
            || !self.projection.includes("members")
            || members <= MAX_MEMBERS_IN_PATCH_REPLY
    }
}

/// A plan for members of a new group, whose types are looked up because those declared did not hold.
async fn looked_up(call: &Call<'_>, caller: &Caller, group: &str, given: &[Value]) -> Result<Plan> {
    let wanted = MemberChanges::adding(given);
    let base = call.scim_base();
    let probes = Probed::probes(&caller.tenant, &base, group, &wanted);
    let results = caller.read(call, probes).await?;
    Plan::new(
        &wanted,
        &mut Probed::read(&base, &wanted, &results)?,
        caller.profile(),
    )
}
