//! Keys of rows that were written before values were normalised (see [`fold`](crate::scim::fold)): which these are, and their new ones.
//!
//! Until a row is brought over it is found by the key that it has, which is the new one's decomposed form where it is another at all;
//! full-width names and white space around a name are found once it is. Nobody is merged: a row whose name somebody else has by the new
//! key keeps its own.

use super::users;
use crate::ids::TenantId;
use crate::scim::fold::former;
use crate::scim::resource::Resource;
use crate::scim::schema::{ResourceType, Shape, USERS};
use crate::scim::version::Version;
use crate::store::set::Set;
use crate::store::tables::table;
use crate::store::unique::UniqueKey;
use crate::store::{Result, Row, Statement, guards};

/// As the indexes of the migration have it.
const STALE: &str = "json_extract(r.keys, '$.form') is null \
     and (r.keys glob '*[^ -~]*' or r.keys glob '*\" *' or r.keys glob '* \"*')";

/// A row with keys from before.
#[derive(Debug)]
pub struct Stale {
    pub tenant: TenantId,
    pub id: String,
    pub version: Version,
    /// None where the text cannot be read.
    pub resource: Option<Resource>,
}

/// Rows whose keys are from before, of all tenants that live in the database, up to so many; those of one tenant in a row.
pub fn select_stale(resource_type: &ResourceType, limit: i64) -> Statement {
    let table = table(resource_type);
    Statement::new(
        format!(
            "select r.tenant_id, r.id, r.version, r.resource from {table} r indexed by {table}_keys_form_idx \
             where {STALE} and exists (select 1 from tenants t where t.id = r.tenant_id) order by r.tenant_id, r.id limit ?1"
        ),
        vec![limit.into()],
    )
}

/// Reads a row of [`select_stale`]; none where its tenant's id is none.
pub fn stale(row: &Row) -> Result<Option<Stale>> {
    let Some(tenant) = TenantId::parse(&row.text("tenant_id")?) else {
        return Ok(None);
    };
    Ok(Some(Stale {
        tenant,
        id: row.text("id")?,
        version: Version(row.integer("version")?),
        resource: Resource::from_stored(&row.text("resource")?).ok(),
    }))
}

/// Gives rows of one tenant their new keys: a name that somebody has fails the batch, and so does a change since they were read.
pub fn renew(
    tenant: &TenantId,
    shape: Shape<'_>,
    stale: &[(&str, Version, &Resource)],
) -> Vec<Statement> {
    let resource_type = shape.resource_type;
    let table = table(resource_type);
    let read = stale.iter().map(|(id, version, _)| (*id, *version, None));
    let mut statements = guards::versions(tenant, resource_type, read);
    let rows = stale
        .iter()
        .map(|(id, _, resource)| vec![(*id).into(), resource.to_keys(shape).into()]);
    statements.extend(Set::new(&["id", "keys"], rows).statements(&[tenant.into()], |part| {
        format!(
            "{} update {table} set keys = e.keys from e where {table}.tenant_id = ?1 and {table}.id = e.id",
            part.table()
        )
    }));
    if resource_type.name == USERS.name {
        let rows: Vec<(&str, &Resource)> = stale
            .iter()
            .map(|(id, _, resource)| (*id, *resource))
            .collect();
        statements.extend(users::rewrite_emails(tenant, &rows));
    }
    statements
}

/// Leaves a row its keys, and notes that they stay.
pub fn keep(tenant: &TenantId, resource_type: &ResourceType, id: &str) -> Statement {
    let table = table(resource_type);
    Statement::new(
        format!(
            "update {table} set keys = json_set(keys, '$.form', 2) where tenant_id = ?1 and id = ?2"
        ),
        vec![tenant.into(), id.into()],
    )
}

/// Fails the batch, as the index would, where a name that is to be somebody's is that of a row from before. `names` are ids with the
/// keys of the names that they are to have.
pub fn guard_former<'n>(
    tenant: &TenantId,
    unique: UniqueKey,
    names: impl IntoIterator<Item = (&'n str, &'n str)>,
) -> Vec<Statement> {
    let (table, column) = unique.column();
    let rows = names
        .into_iter()
        .filter_map(|(id, key)| Some(vec![id.into(), former(key)?.into()]));
    Set::new(&["id", "name"], rows).statements(&[tenant.into()], |part| {
        let none_has_it = format!(
            "not exists (select 1 from e cross join {table} r on r.tenant_id = ?1 and r.{column} = e.name and r.id <> e.id)"
        );
        let text = format!("'UNIQUE constraint failed: {table}.{column}'");
        format!("{} {}", part.table(), guards::unless(&none_has_it, &text))
    })
}
