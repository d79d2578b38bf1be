//! `/api/v1/admin/databases`: the databases that tenants live in, and which of them a new tenant comes to.

use futures_util::future::join_all;
use serde::Serialize;

use crate::api::http::call::Call;
use crate::api::http::envelope;
use crate::api::http::input::Page;
use crate::api::http::reply::Reply;
use crate::auth::admin::Admin;
use crate::databases::homes::Homes;
use crate::databases::migrations;
use crate::databases::place::{MAIN, Place};
use crate::error::{Error, Kind, Result};
use crate::ids::TenantId;
use crate::store::{self, placements, rows_at, tenants};

/// How a database is.
#[derive(Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
enum DatabaseState {
    /// It takes new tenants.
    Open,
    /// It is above 80 percent, and takes no new tenants.
    Filling,
    /// It is above 99 percent, and takes deletions alone.
    Full,
    /// It has not had all migrations.
    Outdated,
    /// It does not answer.
    OutOfReach,
}

/// A database that tenants live in.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct DatabaseResponse {
    name: String,
    /// Where D1 was asked to put it.
    location: Option<String>,
    /// Whose laws it stays under.
    jurisdiction: Option<String>,
    /// How large it is; null where it does not say.
    bytes: Option<i64>,
    /// How large it may become.
    max_bytes: i64,
    /// How many tenants live there.
    tenants: Option<i64>,
    takes_new_tenants: bool,
    state: DatabaseState,
    /// What to do about it; null where nothing is.
    #[serde(rename = "do")]
    to_do: Option<&'static str>,
}

impl DatabaseState {
    fn to_do(self) -> Option<&'static str> {
        match self {
            DatabaseState::Open => None,
            DatabaseState::Filling => Some(
                "Add a database (npm run deploy -- --database …) for new tenants, or move tenants out of this one: POST tenants/{id}/move.",
            ),
            DatabaseState::Full => Some(
                "Move tenants out of it: POST tenants/{id}/move. Until there is room, nothing but deletions is taken for its tenants.",
            ),
            DatabaseState::Outdated => Some("Deploy again: npm run deploy migrates all databases."),
            DatabaseState::OutOfReach => Some(
                "See whether D1 has an outage, and whether the deploy has bound the database: npm run deploy binds all of them. The log says more.",
            ),
        }
    }
}

fn show(homes: &Homes, place: &Place, asked: store::Result<i64>) -> DatabaseResponse {
    let asked = asked.map_err(|error| match error {
        store::Error::Outdated { .. } => DatabaseState::Outdated,
        _ => DatabaseState::OutOfReach,
    });
    let bytes = asked.ok().and_then(|_| homes.bytes(&place.name));
    let state = match (asked, bytes) {
        (Err(state), _) => state,
        (Ok(_), Some(bytes)) if homes.is_full(bytes) => DatabaseState::Full,
        (Ok(_), Some(bytes)) if !homes.takes_new_tenants(bytes) => DatabaseState::Filling,
        (Ok(_), _) => DatabaseState::Open,
    };
    DatabaseResponse {
        name: place.name.clone(),
        location: place.location.clone(),
        jurisdiction: place.jurisdiction.clone(),
        bytes,
        max_bytes: homes.max_bytes(),
        tenants: asked.ok(),
        takes_new_tenants: state == DatabaseState::Open,
        state,
        to_do: state.to_do(),
    }
}

/// Some of the databases, each asked at once with the others. Where none of them answers, that is no matter of one database.
async fn read(call: &Call<'_>, places: &[Place]) -> Result<Vec<DatabaseResponse>> {
    let asked = places.iter().map(|place| tenants_in(call, &place.name));
    let asked = join_all(asked).await;
    let answers = |asked: &store::Result<i64>| {
        matches!(
            asked,
            Ok(_) | Err(store::Error::Outdated { .. } | store::Error::Unbound(_))
        )
    };
    if !asked.iter().any(answers)
        && let Some(Err(error)) = asked.first()
    {
        return Err(error.clone().into());
    }
    let homes = &call.app.platform.homes;
    let all = places.iter().zip(asked);
    Ok(all
        .map(|(place, asked)| show(homes, place, asked))
        .collect())
}

/// How many tenants live in a database, where that has had all migrations.
async fn tenants_in(call: &Call<'_>, name: &str) -> store::Result<i64> {
    let batch = vec![tenants::count(), placements::last_migration()];
    let results = match call.run_in(name, batch).await {
        Err(store::Error::Backend(reason)) if reason.contains(placements::MIGRATIONS) => {
            call.run_in(name, vec![tenants::count()]).await?
        }
        results => results?,
    };
    if let Some(rows) = results.get(1) {
        migrations::check(name, rows)?;
    }
    let row = rows_at(&results, 0)?.first();
    row.map_or(Ok(0), |row| row.integer("total"))
}

/// `GET /api/v1/admin/databases/`.
pub async fn list(call: &Call<'_>, admin: &Admin) -> Result<Reply> {
    if admin.tenant.is_some() {
        return Err(Error::forbidden(
            "an administrator of one tenant does not see the databases of all",
        ));
    }
    let page = Page::of(call)?;
    let places = call.app.platform.homes.places();
    let (offset, limit) = (page.offset(), page.per_page);
    let from = usize::try_from(offset)
        .unwrap_or(usize::MAX)
        .min(places.len());
    let to = from
        .saturating_add(usize::try_from(limit).unwrap_or_default())
        .min(places.len());
    let data = read(call, places.get(from..to).unwrap_or_default()).await?;
    let total = i64::try_from(places.len()).unwrap_or(i64::MAX);
    Ok(envelope::listed(call, page, total, data))
}

/// The databases that need a person, for [`status`](super::status). Where there is one alone, that it answers and how many tenants it has is
/// known.
pub async fn in_need(call: &Call<'_>, tenants: i64) -> Result<Vec<DatabaseResponse>> {
    let homes = &call.app.platform.homes;
    let mut all = match homes.places() {
        [one] => vec![show(homes, one, Ok(tenants))],
        several => read(call, several).await?,
    };
    all.retain(|database| database.to_do.is_some());
    Ok(all)
}

/// The database that a new tenant is to live in: that one, or one in that location or jurisdiction; the first one where neither is named and it
/// takes new tenants, else the one with most room. 422 where there is none such, and 507 where none of them takes new tenants.
pub async fn choose<'c>(
    call: &'c Call<'_>,
    database: Option<&str>,
    location: Option<&str>,
) -> Result<&'c str> {
    let homes = &call.app.platform.homes;
    let wanted = homes.places().iter().filter(|place| {
        database.is_none_or(|name| place.name == name)
            && location.is_none_or(|location| place.is_in(location))
    });
    let wanted: Vec<&Place> = wanted.collect();
    if wanted.is_empty() {
        let is_known = |name: &str| homes.places().iter().any(|place| place.name == name);
        let (field, what) = match database {
            Some(name) if !is_known(name) => ("database", "there is no database of that name"),
            Some(_) => ("location", "the database is kept elsewhere"),
            None => ("location", "no database is kept there"),
        };
        return Err(Error::field(&["body", field], what, "value_error"));
    }
    let asked = wanted.iter().map(async |place| {
        match homes.is_single() && homes.bytes(&place.name).is_some() {
            true => Ok(()),
            false => tenants_in(call, &place.name).await.map(drop),
        }
    });
    let asked = join_all(asked).await;
    let mut failed = None;
    let mut open = Vec::new();
    for (place, asked) in wanted.iter().zip(asked) {
        let bytes = homes.bytes(&place.name).unwrap_or_default();
        match asked {
            Ok(()) if homes.takes_new_tenants(bytes) => open.push((bytes, place)),
            Ok(()) => {}
            Err(error) => failed = Some(error),
        }
    }
    let is_main = |(_, place): &&(i64, &&Place)| place.name == MAIN && location.is_none();
    let chosen = open
        .iter()
        .find(is_main)
        .or_else(|| open.iter().min_by_key(|(bytes, _)| *bytes));
    match (chosen, failed) {
        (Some((_, place)), _) => Ok(&place.name),
        (None, Some(error)) => Err(error.into()),
        (None, None) => {
            let names: Vec<&str> = wanted.iter().map(|place| place.name.as_str()).collect();
            Err(Error::new(
                Kind::Full,
                format!(
                    "no new tenants: more than 80 percent of the room is taken in {}",
                    names.join(", ")
                ),
            ))
        }
    }
}

/// Notes in the first database where a tenant will live, before it is made there, and gives that. Where it was to be made before and that failed,
/// it comes to where it was to live then, unless it `is_asked_for` elsewhere. 409 where there is one with its id, or one is to be made elsewhere.
pub async fn place<'c>(
    call: &'c Call<'_>,
    tenant: &TenantId,
    database: &'c str,
    is_asked_for: bool,
) -> Result<&'c str> {
    let homes = &call.app.platform.homes;
    let mut placed = database;
    if !homes.is_single() {
        let batch = vec![
            placements::insert(tenant, database),
            placements::select(tenant),
        ];
        let results = call.run(None, batch).await?;
        let row = rows_at(&results, 1)?.first();
        let noted = row.map_or(Ok(None), |row| row.optional_text("database"))?;
        let known = homes
            .places()
            .iter()
            .find(|place| noted.as_ref() == Some(&place.name))
            .filter(|place| place.name == database || !is_asked_for);
        let Some(known) = known else {
            return Err(Error::new(
                Kind::Conflict,
                format!("the id {tenant} is taken"),
            ));
        };
        placed = &known.name;
    }
    homes.note(tenant, placed);
    Ok(placed)
}
