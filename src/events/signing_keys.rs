//! The keys that sign security event tokens: made when the first is needed, published before they sign and after, and replaced by the clock.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::error::{Error, Result};
use crate::platform::{self, Platform};
use crate::seal::KeyRing;
use crate::store::event_streams::Sealed;
use crate::store::signing_keys as rows;
use crate::store::{self, rows_at};

const DAY_MS: i64 = 86_400_000;
/// How long a key signs, in milliseconds: 90 days.
pub const SIGNS_MS: i64 = 90 * DAY_MS;
/// How long a key is published before it signs: longer than anybody may keep the set.
pub const AHEAD_MS: i64 = 2 * DAY_MS;
/// How long a key stays published after another signs in its place.
pub const KEPT_MS: i64 = 8 * DAY_MS;

/// A key that signs.
pub struct SigningKey {
    /// The `kid` of what it signs.
    pub id: String,
    /// A JWK.
    private: String,
}

impl SigningKey {
    /// A token of these claims (RFC 7515 §3.1), of the type that security event tokens have (RFC 8417 §2.3).
    pub async fn token(&self, platform: &Platform, claims: &Value) -> Result<String> {
        let header = json!({"typ": "secevent+jwt", "alg": "ES256", "kid": self.id});
        let [header, claims] =
            [&header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        let signed = format!("{header}.{claims}");
        let signature = platform.signer.sign(&self.private, signed.as_bytes()).await;
        let signature =
            signature.map_err(|reason| Error::internal(format!("signing: {reason}")))?;
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }
}

fn binding(id: &str) -> Vec<u8> {
    format!("signing-key\n{id}").into_bytes()
}

fn open(key: &rows::SigningKey, keys: &KeyRing) -> Option<String> {
    let bytes = URL_SAFE_NO_PAD.decode(&key.private.text).ok()?;
    let private = keys.open(&key.private.key_id, &binding(&key.id), &bytes)?;
    String::from_utf8(private).ok()
}

fn seal(platform: &Platform, keys: &KeyRing, id: &str, private: &str) -> Result<Sealed> {
    let sealed = keys.seal(&binding(id), private.as_bytes(), platform.entropy.as_ref());
    Ok(Sealed {
        text: URL_SAFE_NO_PAD.encode(sealed.map_err(Error::internal)?),
        key_id: keys.current_id().to_owned(),
    })
}

async fn read(platform: &Platform) -> Result<Vec<rows::SigningKey>> {
    let database = platform.database_of(None);
    let results = database.run(vec![rows::select_all()]).await?;
    let found = rows_at(&results, 0)?.rows.iter().map(rows::signing_key);
    Ok(found.collect::<store::Result<_>>()?)
}

/// Makes a key that signs from that time on, after the last of those that are known.
async fn make(
    platform: &Platform,
    keys: &KeyRing,
    known: &[rows::SigningKey],
    signs_from: i64,
) -> Result<()> {
    let id = platform::new_id(platform.clock.as_ref(), platform.entropy.as_ref());
    let id = id.map_err(Error::internal)?;
    let generated = platform.signer.generate().await;
    let private = generated.map_err(|reason| Error::internal(format!("a key: {reason}")))?;
    let jwk: Value = serde_json::from_str(&private)
        .map_err(|error| Error::internal(format!("a key: {error}")))?;
    let published = json!({
        "kty": "EC", "crv": "P-256", "x": jwk.get("x"), "y": jwk.get("y"), "kid": id, "use": "sig", "alg": "ES256",
    });
    let whole = json!({
        "kty": "EC", "crv": "P-256", "x": jwk.get("x"), "y": jwk.get("y"), "d": jwk.get("d"),
    });
    let key = rows::SigningKey {
        private: seal(platform, keys, &id, &whole.to_string())?,
        published: published.to_string(),
        created_at: platform.clock.now(),
        signs_from,
        id,
    };
    let last = known.last().map(|last| last.id.as_str());
    let insert = vec![rows::insert(&key, last)];
    platform.database_of(None).run(insert).await?;
    Ok(())
}

/// The key that signs now: the last one whose time has come; where there is none, as after somebody deleted it, the first of those to come.
fn chosen(all: &[rows::SigningKey], keys: &KeyRing, now: i64) -> Option<SigningKey> {
    let opened = |key: &rows::SigningKey| {
        let id = key.id.clone();
        open(key, keys).map(|private| SigningKey { id, private })
    };
    let (due, coming): (Vec<_>, Vec<_>) = all.iter().partition(|key| key.signs_from <= now);
    let in_order = due.into_iter().rev().chain(coming);
    in_order.filter_map(opened).next()
}

/// The key that signs now. It is made where there is none that opens.
pub async fn current(platform: &Platform, keys: &KeyRing) -> Result<SigningKey> {
    let now = platform.clock.now();
    let known = read(platform).await?;
    if let Some(key) = chosen(&known, keys, now) {
        return Ok(key);
    }
    make(platform, keys, &known, now).await?;
    let known = read(platform).await?;
    chosen(&known, keys, now).ok_or_else(|| Error::internal("no key signs"))
}

/// Makes the next key in time, and deletes those that are needed no more. Where there is none yet, nothing is signed and none is made.
pub async fn replace(platform: &Platform, keys: &KeyRing) -> Result<()> {
    let now = platform.clock.now();
    let known = read(platform).await?;
    let Some(last) = known.last() else {
        return Ok(());
    };
    let due = last.signs_from + SIGNS_MS;
    if now >= due - AHEAD_MS {
        make(platform, keys, &known, due.max(now + AHEAD_MS)).await?;
    }
    if known.len() > 1 {
        let delete = rows::delete_replaced_before(now - KEPT_MS);
        platform.database_of(None).run(vec![delete]).await?;
    }
    Ok(())
}

/// What came of sealing all keys anew.
#[derive(Debug, Default)]
pub struct Resealed {
    pub done: i64,
    /// Ids of those that do not open.
    pub unreadable: Vec<String>,
}

/// Seals keys anew that another encryption key than the current one sealed.
pub async fn reseal(platform: &Platform, keys: &KeyRing) -> Result<Resealed> {
    let mut resealed = Resealed::default();
    let mut batch = Vec::new();
    for key in read(platform).await? {
        if key.private.key_id == keys.current_id() {
            continue;
        }
        match open(&key, keys) {
            Some(private) => {
                let after = seal(platform, keys, &key.id, &private)?;
                batch.push(rows::reseal(&key.id, &key.private, &after));
                resealed.done += 1;
            }
            None => resealed.unreadable.push(key.id),
        }
    }
    if !batch.is_empty() {
        platform.database_of(None).run(batch).await?;
    }
    Ok(resealed)
}
