//! Rows of `tenants`.

use super::{Guard, Params, Result, Row, Statement, guards, page};
use crate::ids::TenantId;
use crate::scim::profile::Profile;

/// What a tenant's administrator set, as far as a SCIM request depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Settings {
    pub profile: Profile,
    /// Whether Argon2id hashes of passwords are kept.
    pub store_passwords: bool,
}

/// A tenant as an administrator sees it.
#[derive(Debug, Clone)]
pub struct Tenant {
    pub id: String,
    pub name: String,
    pub settings: Settings,
    pub created_at: i64,
    pub updated_at: i64,
}

const COLUMNS: &str = "id, name, scim_profile, store_passwords, created_at, updated_at";

pub fn tenant(row: &Row) -> Result<Tenant> {
    Ok(Tenant {
        id: row.text("id")?,
        name: row.text("name")?,
        settings: settings(row)?,
        created_at: row.integer("created_at")?,
        updated_at: row.integer("updated_at")?,
    })
}

/// Reads the settings' columns.
pub fn settings(row: &Row) -> Result<Settings> {
    Ok(Settings {
        profile: Profile::from_name(&row.text("scim_profile")?).unwrap_or_default(),
        store_passwords: row.boolean("store_passwords")?,
    })
}

pub fn insert(id: &TenantId, name: &str, settings: Settings, now: i64) -> Statement {
    Statement::new(
        "insert into tenants (id, name, scim_profile, store_passwords, created_at, updated_at) \
         values (?1, ?2, ?3, ?4, ?5, ?5)",
        vec![
            id.into(),
            name.into(),
            settings.profile.name().into(),
            settings.store_passwords.into(),
            now.into(),
        ],
    )
}

pub fn select(id: &TenantId) -> Statement {
    Statement::new(
        format!("select {COLUMNS} from tenants where id = ?1 and deleted_at is null"),
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
}

pub fn update(id: &TenantId, changes: &Changes<'_>, now: i64) -> Statement {
    Statement::new(
        "update tenants set name = coalesce(?2, name), scim_profile = coalesce(?3, scim_profile), \
         store_passwords = coalesce(?4, store_passwords), updated_at = ?5 where id = ?1",
        vec![
            id.into(),
            changes.name.into(),
            changes.profile.map(Profile::name).into(),
            changes.store_passwords.into(),
            now.into(),
        ],
    )
}

/// Hides the tenant; its id stays taken. See [`scim_tokens::wipe_all`](super::scim_tokens::wipe_all) and
/// [`identity_providers::wipe_secrets`](super::identity_providers::wipe_secrets) for what goes with it.
pub fn delete(id: &TenantId, now: i64) -> Statement {
    Statement::new(
        "update tenants set deleted_at = ?2 where id = ?1",
        vec![id.into(), now.into()],
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
    page(&source, params, COLUMNS, "id", (limit, offset))
}
