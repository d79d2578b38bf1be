//! Rows of `directory_entries`: which resource an entry of a directory is; and what a directory says of the members of its groups.
//! There are tens of thousands, which come and go as JSON.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;

use super::set::Set;
use super::{Error, Result, Rows, Statement};
use crate::ids::TenantId;

/// Entries that one statement gives: a string of D1 has two million bytes at most, and an entry 500.
pub const PAGE: usize = 3_500;

/// What became of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// The directory has it.
    Present,
    /// It is gone, and the user was deactivated for that.
    Deactivated,
    /// It is gone, and the resource was left as it is.
    Kept,
}

impl State {
    pub const fn name(self) -> &'static str {
        match self {
            State::Present => "present",
            State::Deactivated => "deactivated",
            State::Kept => "kept",
        }
    }
}

/// A row, without tenant and provider.
#[derive(Debug, Deserialize)]
pub struct DirectoryEntry {
    pub unique_id: String,
    /// `User` or `Group`.
    pub resource_type: String,
    pub resource_id: String,
    pub dn_key: String,
    pub digest: String,
    pub members_digest: String,
    pub state: State,
}

const COLUMNS: &str = "json_array(d.unique_id, d.resource_type, d.resource_id, d.dn_key, d.digest, d.members_digest, d.state)";

/// The provider's entries after a unique id, in the order of these, [`PAGE`] at most.
pub fn select_after(tenant: &TenantId, idp: &str, unique_id: &str) -> Statement {
    Statement::new(
        format!(
            "select json_group_array({COLUMNS}) as entries from (select * from directory_entries \
             where tenant_id = ?1 and idp_id = ?2 and unique_id > ?3 order by unique_id limit {PAGE}) d"
        ),
        vec![tenant.into(), idp.into(), unique_id.into()],
    )
}

/// The entries with these unique ids.
pub fn select_by_unique_id<'i>(
    tenant: &TenantId,
    idp: &str,
    ids: impl IntoIterator<Item = &'i str>,
) -> Vec<Statement> {
    select_by(tenant, idp, ids, "directory_entries d", "d.unique_id")
}

/// The entries with these DNs, by their hashes.
pub fn select_by_dn<'i>(
    tenant: &TenantId,
    idp: &str,
    keys: impl IntoIterator<Item = &'i str>,
) -> Vec<Statement> {
    let table = "directory_entries d indexed by directory_entries_dn_idx";
    select_by(tenant, idp, keys, table, "d.dn_key")
}

/// The entries that are these resources. A resource of a directory has its entry's unique id as `externalId`.
pub fn select_by_resource(tenant: &TenantId, idp: &str, ids: &[String]) -> Vec<Statement> {
    let pages = ids.chunks(PAGE).flat_map(|ids| {
        ["users", "groups"].map(|table| {
            Statement::new(
                format!(
                    "select json_group_array({COLUMNS}) as entries from json_each(?3) e \
                     cross join {table} r on r.tenant_id = ?1 and r.id = e.value \
                     cross join directory_entries d on d.tenant_id = ?1 and d.idp_id = ?2 \
                     and d.unique_id = r.external_id and d.resource_id = r.id"
                ),
                vec![tenant.into(), idp.into(), json!(ids).to_string().into()],
            )
        })
    });
    pages.collect()
}

/// How many users and groups the provider manages: columns `users` and `groups`.
pub fn count(tenant: &TenantId, idp: &str) -> Statement {
    Statement::new(
        "select coalesce(sum(resource_type = 'User'), 0) as users, coalesce(sum(resource_type = 'Group'), 0) as groups \
         from directory_entries where tenant_id = ?1 and idp_id = ?2",
        vec![tenant.into(), idp.into()],
    )
}

/// How many members all groups have together that the provider manages: column `members`.
pub fn count_members(tenant: &TenantId, idp: &str) -> Statement {
    Statement::new(
        "select coalesce(sum(member_count), 0) as members from groups where tenant_id = ?1 and managed_by = ?2",
        vec![tenant.into(), idp.into()],
    )
}

/// How many members these groups have together: column `members`, a row for each statement.
pub fn count_members_of(tenant: &TenantId, groups: &[String]) -> Vec<Statement> {
    Set::of_ids(groups).statements(&[tenant.into()], |part| {
        format!(
            "select coalesce(sum(member_count), 0) as members from groups where tenant_id = ?1 and {}",
            part.has("id")
        )
    })
}

fn select_by<'i>(
    tenant: &TenantId,
    idp: &str,
    values: impl IntoIterator<Item = &'i str>,
    table: &str,
    column: &str,
) -> Vec<Statement> {
    let values: Vec<&str> = values.into_iter().collect();
    values
        .chunks(PAGE)
        .map(|values| {
            Statement::new(
                format!(
                    "select json_group_array({COLUMNS}) as entries from json_each(?3) e cross join {table} \
                     on d.tenant_id = ?1 and d.idp_id = ?2 and {column} = e.value"
                ),
                vec![tenant.into(), idp.into(), json!(values).to_string().into()],
            )
        })
        .collect()
}

/// Reads what one of the selects gave.
pub fn entries(rows: &Rows) -> Result<Vec<DirectoryEntry>> {
    let Some(row) = rows.first() else {
        return Ok(Vec::new());
    };
    serde_json::from_str(&row.text("entries")?)
        .map_err(|error| Error::Backend(format!("directory entries: {error}")))
}

/// Writes entries, new ones and known ones.
pub fn save(tenant: &TenantId, idp: &str, entries: &[DirectoryEntry]) -> Vec<Statement> {
    let rows = entries.iter().map(|entry| {
        vec![
            (&entry.unique_id).into(),
            (&entry.resource_type).into(),
            (&entry.resource_id).into(),
            (&entry.dn_key).into(),
            (&entry.digest).into(),
            (&entry.members_digest).into(),
            entry.state.name().into(),
        ]
    });
    let columns = &[
        "unique_id",
        "type",
        "id",
        "dn_key",
        "digest",
        "members_digest",
        "state",
    ];
    Set::new(columns, rows).statements(&[tenant.into(), idp.into()], |part| {
        format!(
            "{} insert into directory_entries (tenant_id, idp_id, unique_id, resource_type, resource_id, dn_key, digest, \
             members_digest, state) \
             select ?1, ?2, e.unique_id, e.type, e.id, e.dn_key, e.digest, e.members_digest, e.state from e where true \
             on conflict (tenant_id, idp_id, unique_id) do update set resource_id = excluded.resource_id, \
             dn_key = excluded.dn_key, digest = excluded.digest, members_digest = excluded.members_digest, \
             state = excluded.state",
            part.table()
        )
    })
}

/// Forgets entries by their unique ids.
pub fn delete(tenant: &TenantId, idp: &str, unique_ids: &[String]) -> Vec<Statement> {
    Set::of_ids(unique_ids).statements(&[tenant.into(), idp.into()], |part| {
        format!(
            "delete from directory_entries where tenant_id = ?1 and idp_id = ?2 and {}",
            part.has("unique_id")
        )
    })
}

/// Notes what the members of groups are now: pairs of the group's unique id and the digest.
pub fn save_members_digests(
    tenant: &TenantId,
    idp: &str,
    digests: &[(String, String)],
) -> Vec<Statement> {
    let rows = digests
        .iter()
        .map(|(unique_id, digest)| vec![unique_id.into(), digest.into()]);
    Set::new(&["unique_id", "digest"], rows).statements(&[tenant.into(), idp.into()], |part| {
        format!(
            "{} update directory_entries set members_digest = e.digest from e \
             where tenant_id = ?1 and idp_id = ?2 and directory_entries.unique_id = e.unique_id",
            part.table()
        )
    })
}

/// Who is in these groups by the directory's word: columns `group_id` and `part`, a JSON array of ids. In parts, because D1 gives no
/// string of more than two million bytes; ids end in random digits.
pub fn select_members(tenant: &TenantId, groups: &[String]) -> Vec<Statement> {
    Set::of_ids(groups).statements(&[tenant.into()], |part| {
        format!(
            "{} select m.group_id, json_group_array(m.member_id) as part from e \
             cross join group_members m on m.tenant_id = ?1 and m.group_id = e.id \
             where m.granted <> 1 group by m.group_id, substr(m.member_id, -1)",
            part.table()
        )
    })
}

/// Reads what [`select_members`] gave: members by their groups.
pub fn members(results: &[Rows]) -> Result<HashMap<Uuid, Vec<Uuid>>> {
    let mut members: HashMap<Uuid, Vec<Uuid>> = HashMap::new();
    for row in results.iter().flat_map(|rows| &rows.rows) {
        let group = Uuid::try_parse(&row.text("group_id")?).unwrap_or_default();
        let text = row.text("part")?;
        let part: Vec<&str> = serde_json::from_str(&text)
            .map_err(|error| Error::Backend(format!("members: {error}")))?;
        let part = part.into_iter().filter_map(|id| Uuid::try_parse(id).ok());
        members.entry(group).or_default().extend(part);
    }
    Ok(members)
}
