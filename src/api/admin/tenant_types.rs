//! What is said of tenants over HTTP.

use serde::{Deserialize, Serialize};

use super::assignable::AssignableValues;
use crate::api::http::input::{Text, Time, Whole, present};
use crate::ids::TenantId;
use crate::scim::profile::Profile;
use crate::scim::schema::{ENTITLEMENTS, ROLES};
use crate::store::tenants::{RemovalFuse, Tenant};

/// For how long something is kept.
type Days = Whole<0, 3_650>;

/// How much of its tenant one credential may remove: users and groups that it deletes or switches off, of all that there are, and members
/// whom it takes out of groups, of all memberships. What goes beyond is answered 503.
#[derive(Clone, Copy, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Fuse {
    /// In per cent of what there was when the time began.
    pub percent: Whole<1, 100>,
    /// So many in any case.
    pub at_least: Whole<0, 1_000_000>,
    /// Within so many minutes, from the first removal on.
    pub minutes: Whole<1, 1_440>,
}

impl From<Fuse> for RemovalFuse {
    fn from(fuse: Fuse) -> Self {
        RemovalFuse {
            percent: fuse.percent.0,
            at_least: fuse.at_least.0,
            minutes: fuse.minutes.0,
        }
    }
}

impl From<RemovalFuse> for Fuse {
    fn from(fuse: RemovalFuse) -> Self {
        Fuse {
            percent: Whole(fuse.percent),
            at_least: Whole(fuse.at_least),
            minutes: Whole(fuse.minutes),
        }
    }
}

/// A colour: `#` and six hexadecimal digits.
#[derive(Deserialize)]
#[serde(try_from = "String")]
#[cfg_attr(
    feature = "openapi",
    derive(schemars::JsonSchema),
    schemars(extend("pattern" = "^#[0-9A-Fa-f]{6}$"))
)]
pub struct Color(pub String);

impl TryFrom<String> for Color {
    type Error = &'static str;

    fn try_from(text: String) -> std::result::Result<Self, Self::Error> {
        let digits = text.strip_prefix('#').unwrap_or_default();
        match digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            true => Ok(Color(text)),
            false => Err("it has to be `#` and six hexadecimal digits"),
        }
    }
}

/// What becomes of values under a URN that is in no schema.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub enum UnknownExtensions {
    /// They are kept, and their attributes become a schema of the tenant's own.
    Learn,
    Drop,
}

impl UnknownExtensions {
    fn of(drops_unknown: bool) -> Self {
        match drops_unknown {
            true => UnknownExtensions::Drop,
            false => UnknownExtensions::Learn,
        }
    }

    pub fn drops(self) -> bool {
        self == UnknownExtensions::Drop
    }
}

/// What a tenant is made of.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct TenantCreate {
    /// For people to read.
    pub name: Text<1, 200>,
    /// A UUIDv7 where it is left out. It is part of the tenant's SCIM base URL and stays taken for good.
    #[serde(default)]
    pub id: Option<TenantId>,
    /// `compat` where it is left out.
    #[serde(default)]
    pub scim_profile: Option<Profile>,
    /// Whether Argon2id hashes of passwords that clients send are kept; `false` where it is left out.
    #[serde(default)]
    pub store_passwords: Option<bool>,
    /// How many days the audit trail is kept; 0 keeps nothing. 365 where it is left out.
    #[serde(default)]
    pub audit_days: Option<Days>,
    /// How many days it is kept what resources were before each change, for their history and for taking changes back; 0 switches that
    /// off. 30 where it is left out.
    #[serde(default)]
    pub history_days: Option<Days>,
    /// How many days the journal of requests is kept; 0 keeps nothing. 30 where it is left out.
    #[serde(default)]
    pub requests_days: Option<Days>,
    /// Whether the journal of requests has bodies. `true` where it is left out.
    #[serde(default)]
    pub record_bodies: Option<bool>,
    /// How much of the tenant one credential may remove; null for as much as it likes. 20 percent, 50 at least, in 60 minutes where it is left out.
    #[serde(default, deserialize_with = "present")]
    pub removal_fuse: Option<Option<Fuse>>,
    /// What the product is called on the page that a set-up link opens.
    #[serde(default)]
    pub product_name: Option<Text<1, 100>>,
    /// The product's colour there: `#` and six hexadecimal digits.
    #[serde(default)]
    pub product_color: Option<Color>,
    /// What becomes of values under a URN that is in no schema, where the profile is `compat`: `learn` where it is left out. `strict` refuses
    /// them.
    #[serde(default)]
    pub unknown_extensions: Option<UnknownExtensions>,
    /// The roles that users can have: `/Roles` has them, and `strict` takes no others. Empty for whichever.
    #[serde(default)]
    pub roles: Option<AssignableValues>,
    /// The entitlements that users can have, likewise.
    #[serde(default)]
    pub entitlements: Option<AssignableValues>,
    /// The database that the tenant is to live in, by its name.
    #[serde(default)]
    pub database: Option<Text<1, 20>>,
    /// The location or jurisdiction of such a database, as `weur` or `eu`; of several, the one with most room.
    #[serde(default)]
    pub location: Option<Text<1, 20>>,
}

/// What is to change; what is left out or null stays as it is, but `removal_fuse`, which null switches off, and `product_name` and
/// `product_color`, which null removes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct TenantUpdate {
    /// For people to read.
    #[serde(default)]
    pub name: Option<Text<1, 200>>,
    #[serde(default)]
    pub scim_profile: Option<Profile>,
    /// Whether Argon2id hashes of passwords that clients send are kept.
    #[serde(default)]
    pub store_passwords: Option<bool>,
    /// How many days the audit trail is kept; 0 keeps nothing.
    #[serde(default)]
    pub audit_days: Option<Days>,
    /// How many days it is kept what resources were before each change, for their history and for taking changes back; 0 switches that
    /// off.
    #[serde(default)]
    pub history_days: Option<Days>,
    /// How many days the journal of requests is kept; 0 keeps nothing.
    #[serde(default)]
    pub requests_days: Option<Days>,
    /// Whether the journal of requests has bodies.
    #[serde(default)]
    pub record_bodies: Option<bool>,
    /// How much of the tenant one credential may remove; null for as much as it likes. What is left out stays.
    #[serde(default, deserialize_with = "present")]
    pub removal_fuse: Option<Option<Fuse>>,
    /// What the product is called on the page that a set-up link opens; null for nothing.
    #[serde(default, deserialize_with = "present")]
    pub product_name: Option<Option<Text<1, 100>>>,
    /// The product's colour there: `#` and six hexadecimal digits; null for none.
    #[serde(default, deserialize_with = "present")]
    pub product_color: Option<Option<Color>>,
    /// What becomes of values under a URN that is in no schema, where the profile is `compat`.
    #[serde(default)]
    pub unknown_extensions: Option<UnknownExtensions>,
    /// The roles that users can have: `/Roles` has them, and `strict` takes no others. Empty for whichever.
    #[serde(default)]
    pub roles: Option<AssignableValues>,
    /// The entitlements that users can have, likewise.
    #[serde(default)]
    pub entitlements: Option<AssignableValues>,
}

/// A tenant: one customer.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct TenantResponse {
    /// Part of the tenant's SCIM base URL.
    pub id: String,
    /// For people to read.
    pub name: String,
    pub scim_profile: Profile,
    /// Whether Argon2id hashes of passwords that clients send are kept.
    pub store_passwords: bool,
    /// How many days the audit trail is kept.
    pub audit_days: i64,
    /// How many days it is kept what resources were before each change.
    pub history_days: i64,
    /// How many days the journal of requests is kept.
    pub requests_days: i64,
    /// Whether the journal of requests has bodies.
    pub record_bodies: bool,
    /// How much of the tenant one credential may remove; null for as much as it likes.
    pub removal_fuse: Option<Fuse>,
    /// What the product is called on the page that a set-up link opens.
    pub product_name: Option<String>,
    /// The product's colour there.
    pub product_color: Option<String>,
    /// What becomes of values under a URN that is in no schema, where the profile is `compat`.
    pub unknown_extensions: UnknownExtensions,
    /// The roles that users can have; none where they can have any.
    pub roles: AssignableValues,
    /// The entitlements that users can have; none where they can have any.
    pub entitlements: AssignableValues,
    /// The database that the tenant lives in.
    pub database: String,
    pub created_at: Time,
    pub updated_at: Time,
}

/// A tenant as replies show it.
pub fn show(tenant: Tenant, database: &str) -> TenantResponse {
    let assignable = &tenant.settings.own.assignable;
    TenantResponse {
        id: tenant.id,
        name: tenant.name,
        scim_profile: tenant.settings.profile,
        store_passwords: tenant.settings.store_passwords,
        audit_days: tenant.keeping.audit_days,
        history_days: tenant.keeping.history_days,
        requests_days: tenant.keeping.requests_days,
        record_bodies: tenant.keeping.record_bodies,
        removal_fuse: tenant.keeping.removal_fuse.map(Fuse::from),
        product_name: tenant.product.name,
        product_color: tenant.product.color,
        roles: AssignableValues::of_stored(assignable.of(&ROLES)),
        entitlements: AssignableValues::of_stored(assignable.of(&ENTITLEMENTS)),
        unknown_extensions: UnknownExtensions::of(tenant.settings.own.drops_unknown),
        database: database.to_owned(),
        created_at: Time(tenant.created_at),
        updated_at: Time(tenant.updated_at),
    }
}
