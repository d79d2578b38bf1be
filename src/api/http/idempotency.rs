//! `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): a request that an administrator sends again with the same key, because they
//! never saw the reply, gets the reply of the first one, a token that is shown once included, and nothing is made a second time.
//!
//! The table of routes says which routes take the header. The reply to what was done is kept in the very batch that does it ([`commit`]), so
//! that there is neither one without the other. It is looked up before the handler runs ([`once`]), and once more where the handler fails at the database: the
//! same request, sent twice at once, may have stood in its way, or the batch was carried out and only its outcome lost.
//!
//! Keys are their caller's own. A reply is kept for a day, sealed. One that cannot be opened any more, because the key that sealed it is gone,
//! still stands in the way of a second making.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderName;
use serde_json::json;
use sha2::{Digest, Sha256};

use super::app::App;
use super::call::Call;
use super::reply::Reply;
use crate::auth::admin::Admin;
use crate::error::{Error, Kind, Result};
use crate::ids::TenantId;
use crate::platform::{Database, LocalFuture};
use crate::store::identity_providers::Sealed;
use crate::store::kept_replies::{self, KeptReply, Slot};
use crate::store::{self, Rows, Statement};

/// The header as documents write it.
pub const NAME: &str = "Idempotency-Key";
const HEADER: HeaderName = HeaderName::from_static("idempotency-key");
/// Longest key in bytes.
pub const MAX_KEY_BYTES: usize = 255;
/// Most replies that one tick of the clock forgets.
const FORGOTTEN_AT_ONCE: i64 = 1_000;

fn fault(msg: impl Into<String>, kind: &'static str) -> Error {
    Error::field(&["header", NAME], msg, kind)
}

/// Answers with the reply that is kept for the request's key, or else by the handler's work.
pub async fn once(
    call: &Call<'_>,
    admin: &Admin,
    work: LocalFuture<'_, Result<Reply>>,
) -> Result<Reply> {
    let Some(key) = key(call)? else {
        return work.await;
    };
    let slot = call.keep_reply_in(slot(call, admin, key));
    if let Some(kept) = look_up(call, slot).await? {
        return answer(call, slot, &kept);
    }
    let trips = call.cost().trips;
    let error = match work.await {
        Ok(reply) => return Ok(reply),
        // The database was asked nothing: nobody stood in the way.
        Err(error) if call.cost().trips == trips => return Err(error),
        Err(error) => error,
    };
    match look_up(call, slot).await {
        Ok(Some(kept)) => answer(call, slot, &kept),
        Ok(None) | Err(_) => Err(error),
    }
}

/// The request's key, where it has one.
fn key<'c>(call: &'c Call<'_>) -> Result<Option<&'c str>> {
    let mut lines = call.headers().get_all(HEADER).iter();
    let Some(line) = lines.next() else {
        return Ok(None);
    };
    if lines.next().is_some() {
        return Err(fault("it is given twice", "value_error"));
    }
    match line.to_str() {
        Ok("") => Err(fault("it is empty", "value_error")),
        Ok(key) if key.len() > MAX_KEY_BYTES => Err(fault(
            format!("it has {} bytes; {MAX_KEY_BYTES} are allowed", key.len()),
            "value_error",
        )),
        Ok(key) if key.bytes().all(|byte| matches!(byte, b' '..=b'~')) => Ok(Some(key)),
        _ => Err(fault(
            "it has other characters than printable ASCII",
            "value_error",
        )),
    }
}

fn slot(call: &Call<'_>, admin: &Admin, key: &str) -> Slot {
    let request = call.request();
    let tenant = admin.tenant.as_ref().map(TenantId::to_string);
    let tenant = tenant.unwrap_or_default();
    // The issuer of JWTs may name somebody like a link.
    let issuer = match admin.setup_link() {
        Some(_) => "",
        None => call.app.config.issuer.as_str(),
    };
    let asked_by = json!([issuer, admin.subject, tenant, key]).to_string();
    let address = request.uri().path_and_query().map(|part| part.as_str());
    let asked_for = json!([request.method().as_str(), address]).to_string();
    let request_hash = Sha256::new()
        .chain_update(asked_for)
        .chain_update(request.body())
        .finalize();
    Slot {
        tenant,
        key_hash: format!("{:x}", Sha256::digest(asked_by)),
        request_hash: format!("{request_hash:x}"),
    }
}

async fn look_up(call: &Call<'_>, slot: &Slot) -> Result<Option<KeptReply>> {
    let tenant = TenantId::parse(&slot.tenant);
    let batch = vec![kept_replies::select(slot, call.now)];
    // It is kept where what it tells of was made; who may make something for any tenant may have done so in any database.
    let results = match &tenant {
        Some(tenant) => vec![call.run(Some(tenant), batch).await?],
        None => {
            let everywhere = call.run_everywhere(&batch).await.into_iter();
            let results = everywhere.map(|(_, results)| results);
            results.collect::<crate::store::Result<Vec<_>>>()?
        }
    };
    let mut rows = results.iter().flatten().filter_map(Rows::first);
    Ok(rows.next().map(kept_replies::kept_reply).transpose()?)
}

fn answer(call: &Call<'_>, slot: &Slot, kept: &KeptReply) -> Result<Reply> {
    if kept.request_hash != slot.request_hash {
        return Err(fault(
            "it came with another request before; use a new key for a new request",
            "idempotency_key_reused",
        ));
    }
    if let Some(tenant) = TenantId::parse(&kept.made_for) {
        call.note_tenant(&tenant);
    }
    let reply = URL_SAFE_NO_PAD
        .decode(&kept.sealed.text)
        .ok()
        .and_then(|sealed| {
            let keys = &call.app.config.encryption_keys;
            keys.open(&kept.sealed.key_id, &binding(slot), &sealed)
        })
        .and_then(|kept| Reply::from_kept(&kept));
    reply.ok_or_else(|| {
        Error::new(
            Kind::Conflict,
            "the request was carried out, and its reply does not open any more: the encryption key was replaced since. Look at what there \
             is, and use a new Idempotency-Key",
        )
    })
}

fn binding(slot: &Slot) -> Vec<u8> {
    let Slot {
        tenant,
        key_hash,
        request_hash,
    } = slot;
    format!("kept-reply\n{tenant}\n{key_hash}\n{request_hash}").into_bytes()
}

/// Runs a batch that makes something for a tenant, whose reply is this one, and keeps the reply where the request came with a key. Gives the
/// batch's results. Errors are the store's.
pub async fn commit(
    call: &Call<'_>,
    made_for: &TenantId,
    mut batch: Vec<Statement>,
    reply: &Reply,
) -> store::Result<Vec<Rows>> {
    let own = batch.len();
    if let Some(slot) = call.slot() {
        batch.extend(keep(call, slot, made_for, reply).map_err(store::Error::Backend)?);
    }
    let mut results = call.change(made_for, batch).await?;
    results.truncate(own);
    Ok(results)
}

fn keep(
    call: &Call<'_>,
    slot: &Slot,
    made_for: &TenantId,
    reply: &Reply,
) -> std::result::Result<[Statement; 2], String> {
    let entropy = call.app.platform.entropy.as_ref();
    let keys = &call.app.config.encryption_keys;
    let sealed = keys.seal(&binding(slot), &reply.to_kept()?, entropy)?;
    let sealed = Sealed {
        text: URL_SAFE_NO_PAD.encode(sealed),
        key_id: keys.current_id().to_owned(),
    };
    Ok(kept_replies::insert(slot, made_for, &sealed, call.now))
}

/// The same for a reply that is made of what is read along with the batch, and is not changed by it. It is read before where the reply is
/// kept, because it is kept in the batch.
pub async fn commit_and_read(
    call: &Call<'_>,
    made_for: &TenantId,
    mut batch: Vec<Statement>,
    reads: Vec<Statement>,
    reply: impl Fn(&[Rows]) -> Result<Reply>,
    refused: impl Fn(store::Error) -> Error,
) -> Result<Reply> {
    if call.slot().is_some() {
        let reply = reply(&call.run(Some(made_for), reads).await?)?;
        let done = commit(call, made_for, batch, &reply).await;
        return done.map(|_| reply).map_err(refused);
    }
    let own = batch.len();
    batch.extend(reads);
    let results = call.change(made_for, batch).await.map_err(refused)?;
    reply(results.get(own..).unwrap_or_default())
}

impl App {
    /// Forgets some of the replies that were kept for as long as they are.
    pub async fn forget_replies(&self, database: &dyn Database) -> Result<()> {
        let now = self.platform.clock.now();
        let batch = vec![kept_replies::delete_expired(now, FORGOTTEN_AT_ONCE)];
        database.run(batch).await?;
        Ok(())
    }
}
