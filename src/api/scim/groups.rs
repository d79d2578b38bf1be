//! `POST`, `PUT` and `PATCH` of `/Groups` (RFC 7644 §3.3, §3.5). A group's members are never loaded: a change names rows to insert and to
//! delete.

use http::HeaderName;
use serde_json::Value;

use super::author::change_shown;
use super::list_query::ListParams;
use super::resources::{if_match, show};
use crate::api::http::call::Call;
use crate::api::http::caller::Caller;
use crate::api::http::reply::Reply;
use crate::change::{Intent, Shown, Wish};
use crate::error::Result;
use crate::scim::projection::Projection;
use crate::scim::schema::GROUPS;
use crate::scim::{body, patch};
use crate::store::requests;
use crate::store::resources::Memberships;

/// Largest group that the reply to a PATCH carries without being asked; above, the reply is 204.
const MAX_MEMBERS_IN_PATCH_REPLY: i64 = requests::MAX_MEMBERS_SHOWN;

/// `POST /Groups`.
pub async fn create(call: &Call<'_>, caller: &Caller) -> Result<Reply> {
    let params = ListParams::of_query(call, caller.profile());
    let body = call.json()?;
    caller.learn(std::iter::once((&GROUPS, &body)));
    let projection = params.projection(caller.shape(&GROUPS), caller.profile())?;
    let group = body::read(caller.shape(&GROUPS), body, caller.profile(), &call.budget)?;
    let intent = Intent::create(&GROUPS, call.new_id()?, Ok(group));
    let memberships = Memberships::of(&GROUPS, &projection);
    let shown = change_shown(call, caller, intent, memberships).await?;
    show(201, shown.stored, call, caller, &projection).await
}

/// `PUT /Groups/{id}`. Without `members`, `compat` leaves them alone.
pub async fn replace(call: &Call<'_>, caller: &Caller) -> Result<Reply> {
    change(call, caller, true, |_, body| Ok(Wish::Replace(body))).await
}

/// `PATCH /Groups/{id}`.
pub async fn patch(call: &Call<'_>, caller: &Caller) -> Result<Reply> {
    change(call, caller, false, |id, body| {
        let operations = patch::parse(body, caller.shape(&GROUPS), id, caller.profile())?;
        Wish::patch(operations, caller.profile())
    })
    .await
}

async fn change(
    call: &Call<'_>,
    caller: &Caller,
    is_replaced: bool,
    wish: impl Fn(&str, Value) -> Result<Wish>,
) -> Result<Reply> {
    let params = ListParams::of_query(call, caller.profile());
    let id = call.id("id", GROUPS.name)?;
    let body = call
        .json()
        .inspect(|body| caller.learn(std::iter::once((&GROUPS, body))));
    let projection = params.projection(caller.shape(&GROUPS), caller.profile())?;
    let extent = extent(call, is_replaced, params.names_attributes(), &projection);
    match extent {
        Extent::Never => call.journal.expect_status(204),
        Extent::Small => call.journal.expect_by_size(),
        Extent::Always => {}
    }
    let intent = Intent {
        condition: if_match(call),
        ..Intent::change(&GROUPS, id.clone(), body.and_then(|body| wish(&id, body)))
    };
    let memberships = extent.memberships(Memberships::of(&GROUPS, &projection));
    let Shown { stored, held } = change_shown(call, caller, intent, memberships).await?;
    match extent.shows(held) {
        true => show(200, stored, call, caller, &projection).await,
        false => Ok(Reply::empty(204).etag(stored.version)),
    }
}

/// Whether the reply carries the group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extent {
    Never,
    /// While that is cheap.
    Small,
    Always,
}

impl Extent {
    /// Which memberships are read with the group.
    fn memberships(self, memberships: Memberships) -> Memberships {
        match self {
            Extent::Never => Memberships {
                wanted: false,
                ..memberships
            },
            Extent::Small => Memberships {
                most: memberships.most.min(MAX_MEMBERS_IN_PATCH_REPLY),
                ..memberships
            },
            Extent::Always => memberships,
        }
    }

    fn shows(self, held: Option<i64>) -> bool {
        match self {
            Extent::Never => false,
            Extent::Small => held.unwrap_or_default() <= MAX_MEMBERS_IN_PATCH_REPLY,
            Extent::Always => true,
        }
    }
}

/// After a PUT the reply carries the group always; after a PATCH as `Prefer` says (RFC 7240 §4.2), else while that is cheap; and where the
/// client named attributes, it has to (RFC 7644 §3.5.2).
fn extent(
    call: &Call<'_>,
    is_replaced: bool,
    is_asked_for: bool,
    projection: &Projection,
) -> Extent {
    let prefer = call
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
    if prefers("return=minimal") && !is_asked_for {
        return Extent::Never;
    }
    let always = is_replaced
        || is_asked_for
        || prefers("return=representation")
        || !projection.includes("members");
    match always {
        true => Extent::Always,
        false => Extent::Small,
    }
}
