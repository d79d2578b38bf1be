//! `POST /api/v1/admin/identity-providers/reencrypt`: seals all secrets anew, under the encryption key
//! that is configured and bound to where they are sent, that are not yet: after the key was replaced, or an older version wrote them.
//!
//! It goes by the rows, whatever became of their tenants, so that nothing is left under the old key when nothing `remains`. One request does
//! as much as a request may ask of the database; sent again, it goes on.

use super::access::{Access, View};
use super::responses::ReencryptionResponse;
use super::secrets;
use crate::api::http::call::Call;
use crate::api::http::envelope;
use crate::api::http::reply::Reply;
use crate::auth::admin::Admin;
use crate::change::audit::Action;
use crate::error::{Error, Result};
use crate::events::{Secrets, signing_keys};
use crate::store::event_streams::{self, Sealed};
use crate::store::requests::After;
use crate::store::{Row, identity_providers as rows, rows_at, scim_tokens};

/// Secrets that are sealed anew in one batch, with four statements each, and most batches of a request: D1 runs 1,000 statements for it.
const IN_A_BATCH: i64 = 80;
const MAX_BATCHES: usize = 3;

pub async fn reencrypt(call: &Call<'_>, admin: &Admin) -> Result<Reply> {
    let access = Access::of(call, admin, View::Admin)?;
    if access.tenant.is_some() {
        return Err(Error::forbidden(
            "an administrator of one tenant has no hand in the keys of all",
        ));
    }
    let current = call.app.config.encryption_keys.current_id();
    let mut done = ReencryptionResponse::default();
    let (mut of_providers, mut of_streams) = (MAX_BATCHES, MAX_BATCHES);
    for place in call.app.platform.homes.places() {
        let database = place.name.as_str();
        providers_sealed_anew(call, &access, database, &mut of_providers, &mut done).await?;
        streams_sealed_anew(call, database, &mut of_streams, &mut done).await?;
    }
    let (platform, keys) = (&call.app.platform, &call.app.config.encryption_keys);
    let own = signing_keys::reseal(platform, keys).await?;
    done.reencrypted += own.done;
    done.unreadable.extend(own.unreadable);
    let left = [
        rows::count_sealed_otherwise(current),
        event_streams::count_sealed_otherwise(current),
        crate::store::signing_keys::count_sealed_otherwise(current),
    ];
    for (_, results) in call.run_everywhere(&left).await {
        for left in results? {
            done.remaining += left.first().map_or(Ok(0), |row| row.integer("total"))?;
        }
    }
    Ok(envelope::single(call, 200, &done))
}

/// Seals the secrets of a database's providers anew, in no more batches than are left.
async fn providers_sealed_anew(
    call: &Call<'_>,
    access: &Access<'_>,
    database: &str,
    batches: &mut usize,
    done: &mut ReencryptionResponse,
) -> Result<()> {
    let current = call.app.config.encryption_keys.current_id();
    let mut after = (String::new(), String::new());
    while *batches > 0 {
        let statement = rows::select_sealed_otherwise(current, (&after.0, &after.1), IN_A_BATCH);
        let results = call.run_in(database, vec![statement]).await?;
        let found = &rows_at(&results, 0)?.rows;
        *batches -= usize::from(!found.is_empty());
        let batch = sealed_anew(call, access, found, &mut after, done)?;
        if !batch.is_empty() {
            call.run_in(database, batch)
                .await
                .inspect_err(|_| call.forget_row())?;
        }
        if found.len() < usize::try_from(IN_A_BATCH).unwrap_or(usize::MAX) {
            break;
        }
    }
    Ok(())
}

/// Seals the secrets of event streams anew. They are bound to their stream alone, and nothing else of it changes.
async fn streams_sealed_anew(
    call: &Call<'_>,
    database: &str,
    batches: &mut usize,
    done: &mut ReencryptionResponse,
) -> Result<()> {
    let (keys, entropy) = (
        &call.app.config.encryption_keys,
        call.app.platform.entropy.as_ref(),
    );
    let current = keys.current_id();
    let mut after = (String::new(), String::new());
    while *batches > 0 {
        let from = (after.0.as_str(), after.1.as_str());
        let select = event_streams::select_sealed_otherwise(current, from, IN_A_BATCH);
        let results = call.run_in(database, vec![select]).await?;
        let found = &rows_at(&results, 0)?.rows;
        *batches -= usize::from(!found.is_empty());
        let mut batch = Vec::new();
        for row in found {
            let (tenant, id) = (scim_tokens::tenant_id(row)?, row.text("id")?);
            let before = Sealed {
                text: row.text("secrets")?,
                key_id: row.text("key_id")?,
            };
            after = (tenant.to_string(), id.clone());
            match Secrets::open(&before, keys, &tenant, &id) {
                Some(secrets) => {
                    let sealed = secrets.seal(keys, entropy, &tenant, &id);
                    let sealed = sealed.map_err(Error::internal)?;
                    batch.push(event_streams::reseal(&tenant, &id, &before, &sealed));
                    done.reencrypted += 1;
                }
                None => done.unreadable.push(id),
            }
        }
        if !batch.is_empty() {
            call.run_in(database, batch).await?;
        }
        if found.len() < usize::try_from(IN_A_BATCH).unwrap_or(usize::MAX) {
            break;
        }
    }
    Ok(())
}

/// The statements that write some secrets sealed anew, and audit it.
fn sealed_anew(
    call: &Call<'_>,
    access: &Access<'_>,
    found: &[Row],
    after: &mut (String, String),
    done: &mut ReencryptionResponse,
) -> Result<Vec<crate::store::Statement>> {
    let mut batch = Vec::new();
    for row in found {
        let provider = rows::identity_provider(row)?;
        *after = (provider.tenant_id.to_string(), provider.id.clone());
        let renewed = secrets::renew(call.app, &provider, &provider)?;
        match renewed {
            Some(sealed) if Some(&sealed) != provider.secret.as_ref() => {
                // Each tenant's journal has the request.
                batch.push(call.row(&provider.tenant_id, After(0)));
                batch.push(rows::reseal(&provider, &sealed));
                batch.extend(access.audited(
                    call,
                    &provider.tenant_id,
                    Action::Rotate,
                    ("IdentityProvider", &provider.id),
                    vec!["secret_key_id".to_owned()],
                ));
                done.reencrypted += 1;
            }
            _ => done.unreadable.push(provider.id),
        }
    }
    Ok(batch)
}
