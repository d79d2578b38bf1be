//! Rows of `tenants`.

use std::rc::Rc;

use serde::{Deserialize, Serialize};

use super::statement::Role;
use super::{Error, Guard, Params, Result, Row, Statement, guards, page};
use crate::ids::TenantId;
use crate::scim::profile::Profile;
use crate::scim::schema::OwnSchemas;

/// What a tenant's administrator set, as far as a SCIM request depends on it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settings {
    pub profile: Profile,
    /// Whether Argon2id hashes of passwords are kept.
    pub store_passwords: bool,
    /// Whether somebody is sent what changes.
    pub is_followed: bool,
    /// The schemas of its own.
    pub own: Rc<OwnSchemas>,
}

/// What `unknown_extensions` says where values in no schema are dropped, and where they are learned from.
const DROP: &str = "drop";
const LEARN: &str = "learn";

fn unknown_extensions(drops: bool) -> &'static str {
    match drops {
        true => DROP,
        false => LEARN,
    }
}

/// How long what is recorded of a tenant is kept, in days, where 0 keeps nothing; and how much one credential may remove.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keeping {
    /// The audit trail.
    pub audit_days: i64,
    /// What resources were before each change.
    pub history_days: i64,
    /// The journal of requests.
    pub requests_days: i64,
    /// Whether the journal has bodies.
    pub record_bodies: bool,
    /// None for as much as it likes.
    pub removal_fuse: Option<RemovalFuse>,
}

impl Default for Keeping {
    /// What the columns' defaults say.
    fn default() -> Self {
        Keeping {
            audit_days: 365,
            history_days: 30,
            requests_days: 30,
            record_bodies: true,
            removal_fuse: Some(RemovalFuse {
                percent: 20,
                at_least: 50,
                minutes: 60,
            }),
        }
    }
}

/// How much of its tenant one credential may remove: deactivate, delete, or take out of groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemovalFuse {
    /// That share of what there was when the time began, from 1 to 100.
    pub percent: i64,
    /// So many in any case.
    pub at_least: i64,
    /// Within so many minutes.
    pub minutes: i64,
}

/// What the page that a set-up link opens is headed with; nothing of it where it is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Product {
    pub name: Option<String>,
    /// `#` and six hexadecimal digits.
    pub color: Option<String>,
}

/// A tenant as an administrator sees it.
#[derive(Debug, Clone)]
pub struct Tenant {
    pub id: String,
    pub name: String,
    pub product: Product,
    pub settings: Settings,
    pub keeping: Keeping,
    pub created_at: i64,
    pub updated_at: i64,
}

const COLUMNS: &str = "id, name, scim_profile, store_passwords, push_streams, audit_days, history_days, requests_days, record_bodies, \
     removal_fuse, product_name, product_color, created_at, updated_at, schemas_revision, unknown_extensions";

/// The documents of a tenant's own schemas, and the one of what may be assigned, as `own_schemas`: looked for where there may be some.
pub const OWN_SCHEMAS: &str = "iif(t.schemas_revision = 0, null, (select json_group_array(json(o.document)) from (select document, \
     created_at, id from own_schemas where tenant_id = t.id union all select t.assignable, 0, '' where t.assignable is not null \
     order by created_at, id) o)) as own_schemas";

pub fn tenant(row: &Row) -> Result<Tenant> {
    Ok(Tenant {
        id: row.text("id")?,
        name: row.text("name")?,
        product: product(row)?,
        settings: settings(row)?,
        keeping: keeping(row)?,
        created_at: row.integer("created_at")?,
        updated_at: row.integer("updated_at")?,
    })
}

/// Reads the columns of what the set-up page is headed with.
pub fn product(row: &Row) -> Result<Product> {
    Ok(Product {
        name: row.optional_text("product_name")?,
        color: row.optional_text("product_color")?,
    })
}

/// Reads the settings' columns.
pub fn settings(row: &Row) -> Result<Settings> {
    Ok(Settings {
        profile: Profile::from_name(&row.text("scim_profile")?).unwrap_or_default(),
        store_passwords: row.boolean("store_passwords")?,
        is_followed: row.integer("push_streams")? > 0,
        own: Rc::new(own_schemas(row)?),
    })
}

/// Reads the columns of a tenant's own schemas.
pub fn own_schemas(row: &Row) -> Result<OwnSchemas> {
    Ok(OwnSchemas::read(
        row.integer("schemas_revision")?,
        row.optional_text("unknown_extensions")?.as_deref() == Some(DROP),
        row.optional_text("own_schemas")?.unwrap_or_default(),
    ))
}

fn keeping(row: &Row) -> Result<Keeping> {
    let fuse = row.optional_text("removal_fuse")?;
    let fuse = fuse.map(|fuse| serde_json::from_str(&fuse)).transpose();
    Ok(Keeping {
        audit_days: row.integer("audit_days")?,
        history_days: row.integer("history_days")?,
        requests_days: row.integer("requests_days")?,
        record_bodies: row.boolean("record_bodies")?,
        removal_fuse: fuse.map_err(|error| Error::Backend(format!("removal_fuse: {error}")))?,
    })
}

/// The fuse as its column has it.
fn fuse_text(fuse: Option<RemovalFuse>) -> Option<String> {
    fuse.and_then(|fuse| serde_json::to_string(&fuse).ok())
}

pub fn insert(
    id: &TenantId,
    name: &str,
    product: &Product,
    settings: &Settings,
    keeping: &Keeping,
    now: i64,
) -> Statement {
    Statement::new(
        "insert into tenants (id, name, scim_profile, store_passwords, created_at, updated_at, audit_days, history_days, \
         requests_days, record_bodies, removal_fuse, upkeep_at, product_name, product_color, schemas_revision, unknown_extensions, \
         assignable) values (?1, ?2, ?3, ?4, ?5, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
        vec![
            id.into(),
            name.into(),
            settings.profile.name().into(),
            settings.store_passwords.into(),
            now.into(),
            keeping.audit_days.into(),
            keeping.history_days.into(),
            keeping.requests_days.into(),
            keeping.record_bodies.into(),
            fuse_text(keeping.removal_fuse).into(),
            (now + DAY_MS).into(),
            product.name.clone().into(),
            product.color.clone().into(),
            settings.own.revision.into(),
            settings.own.drops_unknown.then_some(DROP).into(),
            settings.own.assignable.to_stored().into(),
        ],
    )
    // Where it is made, it lives.
    .with_role(Role::Locates)
}

pub fn select(id: &TenantId) -> Statement {
    Statement::new(
        format!(
            "select {COLUMNS}, {OWN_SCHEMAS} from tenants t where id = ?1 and deleted_at is null"
        ),
        vec![id.into()],
    )
}

/// Fails the batch with [`Guard::NotFound`] where there is no such tenant.
pub fn require(id: &TenantId) -> Statement {
    guards::require(
        Guard::NotFound,
        "exists (select 1 from tenants where id = ?1 and deleted_at is null)",
        vec![id.into()],
    )
}

/// What an administrator changes; `None` leaves it as it is.
#[derive(Debug, Default)]
pub struct Changes<'c> {
    pub name: Option<&'c str>,
    pub profile: Option<Profile>,
    pub store_passwords: Option<bool>,
    pub audit_days: Option<i64>,
    pub history_days: Option<i64>,
    pub requests_days: Option<i64>,
    pub record_bodies: Option<bool>,
    pub removal_fuse: Option<Option<RemovalFuse>>,
    pub product_name: Option<Option<String>>,
    pub product_color: Option<Option<String>>,
    /// Whether values in no schema are dropped.
    pub drops_unknown: Option<bool>,
    /// The roles that there are, as JSON; and the entitlements.
    pub roles: Option<String>,
    pub entitlements: Option<String>,
}

pub fn update(id: &TenantId, changes: &Changes<'_>, now: i64) -> Statement {
    Statement::new(
        format!(
            "update tenants set name = coalesce(?2, name), scim_profile = coalesce(?3, scim_profile), \
         store_passwords = coalesce(?4, store_passwords), updated_at = ?5, audit_days = coalesce(?6, audit_days), \
         history_days = coalesce(?7, history_days), requests_days = coalesce(?8, requests_days), \
         record_bodies = coalesce(?9, record_bodies), removal_fuse = iif(?10, ?11, removal_fuse), \
         product_name = iif(?12, ?13, product_name), product_color = iif(?14, ?15, product_color), \
         schemas_revision = schemas_revision + (?16 is not null and ?16 <> coalesce(unknown_extensions, '{LEARN}') \
         or ?17 is not null or ?18 is not null), \
         assignable = iif(?17 is null and ?18 is null, assignable, \
         json_object('roles', json(coalesce(?17, assignable ->> 'roles', '[]')), \
         'entitlements', json(coalesce(?18, assignable ->> 'entitlements', '[]')))), \
         unknown_extensions = coalesce(?16, unknown_extensions) where id = ?1"
        ),
        vec![
            id.into(),
            changes.name.into(),
            changes.profile.map(Profile::name).into(),
            changes.store_passwords.into(),
            now.into(),
            changes.audit_days.into(),
            changes.history_days.into(),
            changes.requests_days.into(),
            changes.record_bodies.into(),
            changes.removal_fuse.is_some().into(),
            fuse_text(changes.removal_fuse.flatten()).into(),
            changes.product_name.is_some().into(),
            changes.product_name.clone().flatten().into(),
            changes.product_color.is_some().into(),
            changes.product_color.clone().flatten().into(),
            changes.drops_unknown.map(unknown_extensions).into(),
            changes.roles.clone().into(),
            changes.entitlements.clone().into(),
        ],
    )
}

/// Hides the tenant; its id stays taken. See [`scim_tokens::wipe_all`](super::scim_tokens::wipe_all) and
/// [`identity_providers::wipe_secrets`](super::identity_providers::wipe_secrets) for what goes with it.
pub fn delete(id: &TenantId, now: i64) -> Statement {
    Statement::new(
        "update tenants set deleted_at = ?2, upkeep_at = ?3 where id = ?1",
        vec![id.into(), now.into(), (now + RESTORED_WITHIN_MS).into()],
    )
}

/// A day, in milliseconds.
pub const DAY_MS: i64 = 86_400_000;
/// How long a deleted tenant can be brought back, in milliseconds. Its rows go after that.
pub const RESTORED_WITHIN_MS: i64 = 30 * DAY_MS;

/// Brings a deleted tenant back. Fails the batch with [`Guard::NotFound`] where there is none, or not any more.
pub fn restore(id: &TenantId, now: i64) -> [Statement; 2] {
    let border = now - RESTORED_WITHIN_MS;
    [
        guards::require(
            Guard::NotFound,
            "exists (select 1 from tenants where id = ?1 and deleted_at > ?2)",
            vec![id.into(), border.into()],
        ),
        Statement::new(
            "update tenants set deleted_at = null, updated_at = ?2, upkeep_at = ?2 where id = ?1",
            vec![id.into(), now.into()],
        ),
    ]
}

/// When a tenant was deleted, as `deleted_at`, and how long it keeps what.
pub fn select_upkeep(id: &TenantId) -> Statement {
    Statement::new(
        "select deleted_at, audit_days, history_days, requests_days from tenants where id = ?1",
        vec![id.into()],
    )
}

/// Some tenants whose upkeep is due, as `id`: it is due again a day later.
pub fn claim_upkeep(now: i64, limit: i64) -> Statement {
    Statement::new(
        "update tenants set upkeep_at = ?2 where id in (select id from tenants indexed by tenants_upkeep_idx \
         where upkeep_at <= ?1 order by upkeep_at limit ?3) returning id",
        vec![now.into(), (now + DAY_MS).into(), limit.into()],
    )
}

/// How many tenants there are, as `total`.
#[cfg(feature = "jobs")]
pub fn count() -> Statement {
    Statement::new(
        "select count(*) as total from tenants where deleted_at is null",
        Vec::new(),
    )
}

/// A page of tenants by their ids, and how many there are: of one tenant's administrator, that tenant; with a search, those
/// whose id or name contains the text, ASCII letters without case.
pub fn select_page(
    only: Option<&TenantId>,
    search: Option<&str>,
    limit: i64,
    offset: i64,
) -> [Statement; 2] {
    let mut params = Params::default();
    let mut source = "from tenants where deleted_at is null".to_owned();
    if let Some(only) = only {
        source += &format!(" and id = {}", params.bind(only));
    }
    if let Some(search) = search {
        let search = params.bind(search);
        source += &format!(
            " and (instr(lower(name), lower({search})) > 0 or instr(id, lower({search})) > 0)"
        );
    }
    let columns = format!(
        "{COLUMNS}, iif(assignable is null, null, json_array(json(assignable))) as own_schemas"
    );
    page(&source, params, &columns, "id", (limit, offset))
}
