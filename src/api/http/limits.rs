//! How often who may ask: counted by the platform, close to where the request came in, without a round trip to the database.
//!
//! - A tenant and, within it, each credential have limits that no identity provider reaches in ordinary work.
//! - A credential that does not hold counts against the address that it came from and the tenant that it was for, and against the
//!   address alone; of an IPv6 address, its first 64 bits. Above these limits the answer is 429, and a SCIM token that the cache does not know is not looked up in the database
//!   any more. Credentials that hold are not stopped by that, nor are other tenants behind the same address.
//!
//! The rows that a tenant reads are counted too, by the database's count and for a minute, in the memory of each running instance of the
//! worker: what it reads beyond the setting `ROWS_PER_MINUTE` is not refused, but then its lists that have to go through the whole
//! tenant are, until it has read less. Look-ups, pages and changes go on. One instance answers most of what a client sends within a minute;
//! with several the limit is as much higher.
//!
//! The keys are ids and hashes: no credential, no address, no subject stands in them.

use std::net::{IpAddr, Ipv6Addr};

use futures_util::future::join;
use http::HeaderName;
use sha2::{Digest, Sha256};

use super::call::Call;
use crate::auth::memory::is_within;
use crate::error::{Error, Kind, Result};
use crate::ids::TenantId;
use crate::platform::Limit;

/// The header in which Cloudflare names the client's address.
const ADDRESS: HeaderName = HeaderName::from_static("cf-connecting-ip");

impl Limit {
    /// The time in which requests are counted, in seconds: that of the limit's entry in `wrangler.toml`.
    const fn period_seconds(self) -> u32 {
        match self {
            Limit::Tenant | Limit::Credential => 10,
            Limit::Failures | Limit::Address => 60,
        }
    }
}

fn too_many(limit: Limit) -> Error {
    let (whose, retry_after_seconds) = match limit {
        Limit::Tenant => ("this tenant", limit.period_seconds()),
        Limit::Credential => ("this credential", limit.period_seconds()),
        Limit::Failures | Limit::Address => (
            "this address with credentials that do not hold",
            limit.period_seconds(),
        ),
    };
    Error::new(
        Kind::RateLimited {
            retry_after_seconds,
        },
        format!("there are too many requests of {whose}; wait {retry_after_seconds} seconds"),
    )
}

/// 429 for a list that goes through the whole tenant, where the tenant has read too many rows lately.
pub fn check_rows(call: &Call<'_>, tenant: &TenantId) -> Result<()> {
    let per_minute = call.app.config.rows_per_minute;
    let memory = &call.app.memory;
    match memory.seconds_until_rows(tenant.as_str(), call.now, per_minute) {
        None => Ok(()),
        Some(retry_after_seconds) => Err(Error::new(
            Kind::RateLimited {
                retry_after_seconds,
            },
            format!(
                "this tenant has read more than {per_minute} rows in a minute, and this list goes through all of it: \
                 filter by an attribute that is looked up, page by cursor, or wait {retry_after_seconds} seconds"
            ),
        )),
    }
}

/// Counts a request of a caller; 429 where there are too many. `credential` names whose it is: a token's id, a JWT's subject. Both limits are
/// asked at once, so what the one refuses counts against the other too.
pub async fn check(call: &Call<'_>, tenant: Option<&TenantId>, credential: &str) -> Result<()> {
    let limiter = &call.app.platform.limiter;
    let key = hashed(&[tenant.map_or("", TenantId::as_str), credential]);
    let of_credential = limiter.allows(Limit::Credential, &key);
    let of_tenant = async {
        match tenant {
            Some(tenant) => limiter.allows(Limit::Tenant, tenant.as_str()).await,
            None => true,
        }
    };
    match join(of_credential, of_tenant).await {
        (false, _) => Err(too_many(Limit::Credential)),
        (true, false) => Err(too_many(Limit::Tenant)),
        (true, true) => Ok(()),
    }
}

/// Counts what came of a request where it is a credential that does not hold: 429 instead of 401 where there are too many of them.
pub async fn counted<T>(call: &Call<'_>, result: Result<T>) -> Result<T> {
    let failed = matches!(
        &result,
        Err(Error {
            kind: Kind::Unauthorized { token_sent: true },
            ..
        })
    );
    if failed {
        for (limit, key) in keys(call) {
            if !call.app.platform.limiter.allows(limit, &key).await {
                call.app.memory.note_refused(&key, call.now);
                return Err(too_many(limit));
            }
        }
    }
    result
}

/// 429 for a credential that nothing is known of, from where too many do not hold.
pub fn check_unknown(call: &Call<'_>) -> Result<()> {
    for (limit, key) in keys(call) {
        let refused = call.app.memory.refused_at(&key);
        let period = i64::from(limit.period_seconds()) * 1_000;
        if refused.is_some_and(|at| is_within(call.now, at, period)) {
            return Err(too_many(limit));
        }
    }
    Ok(())
}

/// What a credential that does not hold counts against.
fn keys(call: &Call<'_>) -> [(Limit, String); 2] {
    let address = network(call.header(ADDRESS).unwrap_or_default());
    let address = address.as_str();
    let tenant = call.param("tenant_id");
    [
        (Limit::Failures, hashed(&[address, tenant])),
        (Limit::Address, hashed(&[address])),
    ]
}

/// Whose address it is: of IPv6 its first 64 bits, since one customer has all that follow; of IPv4, also inside IPv6, the whole.
fn network(address: &str) -> String {
    match address
        .trim()
        .parse()
        .map(|address: IpAddr| address.to_canonical())
    {
        Ok(IpAddr::V6(address)) => {
            let prefix = u128::from(address) >> 64 << 64;
            format!("{}/64", Ipv6Addr::from(prefix))
        }
        Ok(address) => address.to_string(),
        Err(_) => address.to_owned(),
    }
}

fn hashed(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_be_bytes());
        hash.update(part.as_bytes());
    }
    format!("{:x}", hash.finalize())
}
