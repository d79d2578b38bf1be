//! What is known of a SCIM token: from the cache where it has it, from the database where it does not. The cache is a hint:
//! each batch checks what it said (see `caller`).

use std::borrow::Cow;
use std::rc::Rc;

use serde::{Deserialize, Serialize};

use super::app::App;
use super::call::Call;
use super::limits;
use crate::auth::bearer::refused;
use crate::auth::scope::Scopes;
use crate::databases::place::MAIN;
use crate::error::Result;
use crate::ids::TenantId;
use crate::platform::{Platform, TokenCache};
use crate::scim::profile::Profile;
use crate::scim::schema::OwnSchemas;
use crate::store::directory::{self, Kind};
use crate::store::scim_tokens::{self, Facts};
use crate::store::tenants::Settings;
use crate::store::{Rows, rows_at};

/// How long the cache keeps what it knows of a token, in seconds. It is checked with every use.
const CACHE_SECONDS: u64 = 86_400;

/// What the cache keeps of a token.
#[derive(Serialize, Deserialize)]
struct Cached<'t> {
    #[serde(borrow)]
    tenant: Cow<'t, str>,
    #[serde(borrow)]
    token: Cow<'t, str>,
    #[serde(borrow)]
    scopes: Cow<'t, str>,
    expires_at: Option<i64>,
    idp: Option<String>,
    /// The database that the tenant lives in; none for the first one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    database: Option<String>,
    revision: i64,
    #[serde(borrow)]
    profile: Cow<'t, str>,
    store_passwords: bool,
    /// Left out by workers of before.
    #[serde(default)]
    is_followed: bool,
    /// Of the tenant's own schemas, which most have none of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    own: Option<Own>,
}

/// What the cache keeps of a tenant's own schemas.
#[derive(Serialize, Deserialize)]
struct Own {
    revision: i64,
    drops_unknown: bool,
    documents: String,
}

/// Where a look at a credential finds what is known of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// In what is at hand.
    Cached,
    /// In the database.
    Afresh,
}

/// The facts of a token that may be used, by its hash; 401 where there is none.
pub async fn find(call: &Call<'_>, hash: &str, look: Look) -> Result<Facts> {
    let platform = &call.app.platform;
    let key = cache_key(hash);
    if look == Look::Cached
        && let Some(facts) = platform
            .token_cache
            .get(&key)
            .await
            .and_then(|text| from_cache(call.app, &text))
        && facts.expires_at.is_none_or(|expires| expires > call.now)
    {
        return Ok(facts);
    }
    if look == Look::Cached {
        limits::check_unknown(call)?;
    }
    let homes = &platform.homes;
    let select = scim_tokens::select_facts(hash, call.now);
    let mut results = match homes.is_single() {
        true => call.run(None, vec![select.clone()]).await?,
        false => {
            let home = directory::select_home(Kind::ScimTokenHash, hash);
            call.run(None, vec![select.clone(), home]).await?
        }
    };
    // Whose token it is, the first database says; whether it holds, the tenant's own one.
    let is_there = rows_at(&results, 0)?.first().is_some();
    if let Some(home) = results.get(1).and_then(Rows::first).filter(|_| !is_there) {
        let tenant = scim_tokens::tenant_id(home)?;
        let database = home.optional_text("database")?;
        homes.note(&tenant, database.as_deref().unwrap_or(MAIN));
        results = call.run(Some(&tenant), vec![select]).await?;
    }
    let Some(row) = rows_at(&results, 0)?.first() else {
        call.app.memory.forget_holder(hash);
        if look == Look::Afresh {
            forget(platform, hash);
        }
        return Err(refused());
    };
    let facts = scim_tokens::facts(row)?;
    if is_there {
        homes.note(&facts.tenant_id, MAIN);
    }
    remember(platform, hash, &facts);
    Ok(facts)
}

fn cache_key(hash: &str) -> String {
    format!("scim-token:{hash}")
}

/// Puts what is known of a token into the cache, after the reply.
pub fn remember(platform: &Platform, hash: &str, facts: &Facts) {
    let own = &facts.settings.own;
    let cached = Cached {
        tenant: facts.tenant_id.as_str().into(),
        token: facts.token_id.as_str().into(),
        scopes: facts.scopes.to_stored().into(),
        expires_at: facts.expires_at,
        idp: facts.idp_id.clone(),
        database: platform
            .homes
            .of(&facts.tenant_id)
            .filter(|name| *name != MAIN)
            .map(str::to_owned),
        revision: facts.revision,
        profile: facts.settings.profile.name().into(),
        store_passwords: facts.settings.store_passwords,
        is_followed: facts.settings.is_followed,
        own: (own.revision > 0).then(|| Own {
            revision: own.revision,
            drops_unknown: own.drops_unknown,
            documents: own.documents.clone(),
        }),
    };
    let Ok(value) = serde_json::to_string(&cached) else {
        return;
    };
    let key = cache_key(hash);
    in_background(platform, async move |cache| {
        cache.put(&key, &value, CACHE_SECONDS).await;
    });
}

/// Takes a token out of the cache, after the reply.
pub fn forget(platform: &Platform, hash: &str) {
    let key = cache_key(hash);
    in_background(platform, async move |cache| cache.delete(&key).await);
}

fn in_background<F>(platform: &Platform, work: F)
where
    F: AsyncFnOnce(Rc<dyn TokenCache>) + 'static,
{
    let cache = Rc::clone(&platform.token_cache);
    platform.background.defer(Box::pin(work(cache)));
}

fn from_cache(app: &App, text: &str) -> Option<Facts> {
    let cached: Cached<'_> = serde_json::from_str(text).ok()?;
    let tenant_id = TenantId::parse(&cached.tenant)?;
    // What this instance knows is no older: it looked after the cache had misled it.
    let homes = &app.platform.homes;
    if !homes.is_single() && homes.of(&tenant_id).is_none() {
        homes.note(&tenant_id, cached.database.as_deref().unwrap_or(MAIN));
    }
    let own = cached.own.map_or_else(Rc::default, |own| {
        app.memory.own_schemas(&cached.tenant, own.revision, || {
            OwnSchemas::read(own.revision, own.drops_unknown, own.documents)
        })
    });
    Some(Facts {
        tenant_id,
        token_id: cached.token.into_owned(),
        scopes: Scopes::from_stored(&cached.scopes),
        expires_at: cached.expires_at,
        idp_id: cached.idp,
        revision: cached.revision,
        settings: Settings {
            profile: Profile::from_name(&cached.profile)?,
            store_passwords: cached.store_passwords,
            is_followed: cached.is_followed,
            own,
        },
    })
}
