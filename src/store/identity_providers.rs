//! Rows of `identity_providers`. What the API knows as JSON is JSON text here; secrets are here only sealed.

use super::directory::{self, Kind};
use super::{Guard, Params, Result, Row, Statement, Value, guards, page};
use crate::ids::TenantId;
use crate::scim::fold::fold_case;

/// What a provider speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    Oidc,
    Saml,
    Ldap,
}

impl Protocol {
    pub const ALL: [Protocol; 3] = [Protocol::Oidc, Protocol::Saml, Protocol::Ldap];

    pub const fn name(self) -> &'static str {
        match self {
            Protocol::Oidc => "OIDC",
            Protocol::Saml => "SAML",
            Protocol::Ldap => "LDAP",
        }
    }

    /// The protocol of that name, in whatever case.
    pub fn from_name(name: &str) -> Option<Self> {
        Protocol::ALL
            .into_iter()
            .find(|protocol| protocol.name().eq_ignore_ascii_case(name))
    }
}

/// What the text of a secret begins with that is bound to where it is sent. It is no letter of base64url.
pub const BOUND: &str = "2.";

/// A sealed secret as a row holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The sealed value in base64url, after [`BOUND`] where it is bound to its destination.
    pub text: String,
    /// Id of the key that sealed it.
    pub key_id: String,
}

/// A provider that is not deleted.
#[derive(Debug, Clone)]
pub struct IdentityProvider {
    pub id: String,
    pub tenant_id: TenantId,
    pub name: String,
    pub display_name: Option<String>,
    pub protocol: Protocol,
    pub enabled: bool,
    pub auto_create_users: bool,
    pub update_user_on_login: bool,
    /// The protocol's configuration, JSON without secrets.
    pub config: String,
    /// JSON.
    pub attribute_mapping: String,
    /// JSON: an array of domains.
    pub allowed_domains: String,
    pub secret: Option<Sealed>,
    pub created_at: i64,
    pub updated_at: i64,
    /// Grows with every change.
    pub revision: i64,
    /// When its directory was last synced, where it has one.
    pub synced_at: Option<i64>,
}

const COLUMNS: &str = "p.id, p.tenant_id, p.name, p.display_name, p.protocol, p.enabled, p.auto_create_users, \
     p.update_user_on_login, p.config, p.attribute_mapping, p.allowed_domains, p.secret, p.secret_key_id, \
     p.created_at, p.updated_at, p.revision, \
     (select s.synced_at from directory_syncs s where s.tenant_id = p.tenant_id and s.idp_id = p.id) as synced_at";

/// Providers that are not deleted, of tenants that are not deleted.
const FROM: &str =
    "from identity_providers p join tenants t on t.id = p.tenant_id and t.deleted_at is null";

pub fn identity_provider(row: &Row) -> Result<IdentityProvider> {
    let tenant_id = row.text("tenant_id")?;
    let protocol = row.text("protocol")?;
    let sealed = |text| {
        Ok::<_, super::Error>(Sealed {
            text,
            key_id: row.text("secret_key_id")?,
        })
    };
    Ok(IdentityProvider {
        id: row.text("id")?,
        tenant_id: TenantId::parse(&tenant_id)
            .ok_or_else(|| super::Error::Backend(format!("tenant id `{tenant_id}`")))?,
        name: row.text("name")?,
        display_name: row.optional_text("display_name")?,
        protocol: Protocol::from_name(&protocol)
            .ok_or_else(|| super::Error::Backend(format!("protocol `{protocol}`")))?,
        enabled: row.boolean("enabled")?,
        auto_create_users: row.boolean("auto_create_users")?,
        update_user_on_login: row.boolean("update_user_on_login")?,
        config: row.text("config")?,
        attribute_mapping: row.text("attribute_mapping")?,
        allowed_domains: row.text("allowed_domains")?,
        secret: row.optional_text("secret")?.map(sealed).transpose()?,
        created_at: row.integer("created_at")?,
        updated_at: row.integer("updated_at")?,
        revision: row.integer("revision")?,
        synced_at: row.optional_integer("synced_at")?,
    })
}

/// What is written of a provider, new or changed: `?1` to `?14`.
fn written(provider: &IdentityProvider) -> Vec<Value> {
    let secret = provider.secret.as_ref();
    vec![
        (&provider.tenant_id).into(),
        (&provider.id).into(),
        (&provider.name).into(),
        fold_case(&provider.name).into(),
        provider.display_name.as_ref().into(),
        provider.enabled.into(),
        provider.auto_create_users.into(),
        provider.update_user_on_login.into(),
        (&provider.config).into(),
        (&provider.attribute_mapping).into(),
        (&provider.allowed_domains).into(),
        secret.map(|secret| &secret.text).into(),
        secret.map(|secret| &secret.key_id).into(),
        provider.updated_at.into(),
    ]
}

/// Inserts a provider with its directory entry.
pub fn insert(provider: &IdentityProvider) -> [Statement; 2] {
    let mut values = written(provider);
    values.push(provider.protocol.name().into());
    [
        Statement::new(
            "insert into identity_providers (tenant_id, id, name, name_key, display_name, enabled, auto_create_users, \
             update_user_on_login, config, attribute_mapping, allowed_domains, secret, secret_key_id, updated_at, created_at, \
             protocol, revision) \
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?14, ?15, 1)",
            values,
        ),
        directory::insert(
            Kind::IdentityProvider,
            &provider.id,
            &provider.tenant_id,
            &provider.id,
        ),
    ]
}

/// A provider by its id: of that tenant, or of whichever has it.
pub fn select(id: &str, tenant: Option<&TenantId>) -> Statement {
    match tenant {
        Some(tenant) => Statement::new(
            format!(
                "select {COLUMNS} {FROM} where p.tenant_id = ?1 and p.id = ?2 and p.deleted_at is null"
            ),
            vec![tenant.into(), id.into()],
        ),
        None => Statement::new(
            format!(
                "select {COLUMNS} from directory d \
                 join identity_providers p on p.tenant_id = d.tenant_id and p.id = d.resource_id \
                 join tenants t on t.id = p.tenant_id and t.deleted_at is null \
                 where d.kind = 'identity_provider' and d.key = ?1 and p.deleted_at is null"
            ),
            vec![id.into()],
        ),
    }
}

/// Which providers a list is of.
#[derive(Debug, Default)]
pub struct Wanted<'w> {
    pub tenant: Option<&'w TenantId>,
    pub protocol: Option<Protocol>,
    pub enabled_only: bool,
    /// A part of the name, case apart, or of the display name, the case of ASCII letters apart.
    pub search: Option<&'w str>,
}

/// A page of providers by their ids, and how many there are.
pub fn select_page(wanted: &Wanted<'_>, limit: i64, offset: i64) -> [Statement; 2] {
    let mut params = Params::default();
    let mut source = format!("{FROM} where p.deleted_at is null");
    if let Some(tenant) = wanted.tenant {
        source += &format!(" and p.tenant_id = {}", params.bind(tenant));
    }
    if let Some(protocol) = wanted.protocol {
        source += &format!(" and p.protocol = {}", params.bind(protocol.name()));
    }
    if wanted.enabled_only {
        source += " and p.enabled = 1";
    }
    if let Some(search) = wanted.search {
        let folded = params.bind(fold_case(search));
        source += &format!(
            " and (instr(p.name_key, {folded}) > 0 or instr(lower(coalesce(p.display_name, '')), lower({folded})) > 0)"
        );
    }
    let order = "p.tenant_id, p.id";
    page(&source, params, COLUMNS, order, (limit, offset))
}

/// Fails the batch with [`Guard::ProviderMissing`] where the tenant has no such provider.
pub fn require(tenant: &TenantId, id: &str) -> Statement {
    guards::require(
        Guard::ProviderMissing,
        "exists (select 1 from identity_providers p join tenants t on t.id = p.tenant_id and t.deleted_at is null \
         where p.tenant_id = ?1 and p.id = ?2 and p.deleted_at is null)",
        vec![tenant.into(), id.into()],
    )
}

/// Fails the batch with [`Guard::NoDirectory`] where that provider of the tenant speaks another protocol than LDAP.
pub fn require_directory(tenant: &TenantId, id: &str) -> Statement {
    guards::require(
        Guard::NoDirectory,
        "exists (select 1 from identity_providers where tenant_id = ?1 and id = ?2 and protocol = ?3)",
        vec![tenant.into(), id.into(), Protocol::Ldap.name().into()],
    )
}

/// Fails the batch with [`Guard::VersionConflict`] where somebody else changed the provider since it was read.
fn unchanged(provider: &IdentityProvider) -> Statement {
    guards::require(
        Guard::VersionConflict,
        "exists (select 1 from identity_providers where tenant_id = ?1 and id = ?2 and revision = ?3)",
        vec![
            (&provider.tenant_id).into(),
            (&provider.id).into(),
            provider.revision.into(),
        ],
    )
}

/// Writes a provider that was read; all of it, because the handler has read it all.
pub fn update(provider: &IdentityProvider) -> [Statement; 2] {
    [
        unchanged(provider),
        Statement::new(
            "update identity_providers set name = ?3, name_key = ?4, display_name = ?5, enabled = ?6, auto_create_users = ?7, \
             update_user_on_login = ?8, config = ?9, attribute_mapping = ?10, allowed_domains = ?11, secret = ?12, \
             secret_key_id = ?13, updated_at = ?14, revision = revision + 1 where tenant_id = ?1 and id = ?2",
            written(provider),
        ),
    ]
}

/// Hides a provider that was read, and forgets its secret.
pub fn delete(provider: &IdentityProvider, now: i64) -> [Statement; 2] {
    [
        unchanged(provider),
        Statement::new(
            "update identity_providers set deleted_at = ?3, updated_at = ?3, secret = null, secret_key_id = null, \
             revision = revision + 1 where tenant_id = ?1 and id = ?2",
            vec![
                (&provider.tenant_id).into(),
                (&provider.id).into(),
                now.into(),
            ],
        ),
    ]
}

/// Forgets the secrets of all providers of a tenant.
pub fn wipe_secrets(tenant: &TenantId, now: i64) -> Statement {
    Statement::new(
        "update identity_providers set secret = null, secret_key_id = null, updated_at = ?2, revision = revision + 1 \
         where tenant_id = ?1 and secret is not null",
        vec![tenant.into(), now.into()],
    )
}

/// Secrets that another key than `?1` sealed, or that are not bound to their destination.
fn sealed_otherwise() -> String {
    let length = BOUND.len();
    format!(
        "secret is not null and (secret_key_id <> ?1 or substr(secret, 1, {length}) <> '{BOUND}')"
    )
}

/// Providers whose secret another key than this one sealed, or that is not bound to its destination, after the one named by its tenant and
/// its id; of deleted tenants too.
pub fn select_sealed_otherwise(key_id: &str, after: (&str, &str), limit: i64) -> Statement {
    Statement::new(
        format!(
            "select {COLUMNS} from identity_providers p where {} \
             and exists (select 1 from tenants where id = p.tenant_id) and (p.tenant_id, p.id) > (?2, ?3) order by p.tenant_id, p.id limit ?4",
            sealed_otherwise()
        ),
        vec![key_id.into(), after.0.into(), after.1.into(), limit.into()],
    )
}

pub fn count_sealed_otherwise(key_id: &str) -> Statement {
    Statement::new(
        format!(
            "select count(*) as total from identity_providers where {} and exists (select 1 from tenants where id = tenant_id)",
            sealed_otherwise()
        ),
        vec![key_id.into()],
    )
}

/// Writes the same secret sealed anew, unless another one was set since the provider was read.
pub fn reseal(provider: &IdentityProvider, sealed: &Sealed) -> Statement {
    Statement::new(
        "update identity_providers set secret = ?3, secret_key_id = ?4 where tenant_id = ?1 and id = ?2 and secret = ?5",
        vec![
            (&provider.tenant_id).into(),
            (&provider.id).into(),
            (&sealed.text).into(),
            (&sealed.key_id).into(),
            provider.secret.as_ref().map(|secret| &secret.text).into(),
        ],
    )
}
