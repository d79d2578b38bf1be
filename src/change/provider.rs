//! What goes with a group mapping or with an identity provider: set-based, because it may be much, and because nothing of it is for anybody
//! to refuse.

use super::audit::{self, Action, Origin};
use super::rows::revisions;
use crate::ids::TenantId;
use crate::store::Statement;

/// Takes back all that one mapping gave and nothing else gives, in the batch that deletes the mapping. A group that loses members by it has
/// an event in the audit trail.
pub fn revoke_mapping(
    tenant: &TenantId,
    idp: &str,
    mapping_id: &str,
    origin: &Origin,
) -> Vec<Statement> {
    // Memberships that no other mapping gives.
    let lost = "select k.group_id, k.member_id from mapping_grants k indexed by mapping_grants_mapping_idx \
         where k.tenant_id = ?1 and k.idp_id = ?2 and k.mapping_id = ?3 and not exists (select 1 from mapping_grants o \
         where o.tenant_id = ?1 and o.group_id = k.group_id and o.member_id = k.member_id and o.mapping_id <> ?3)";
    let gone = format!(
        "select m.group_id, m.member_id from ({lost}) l cross join group_members m \
         on m.tenant_id = ?1 and m.group_id = l.group_id and m.member_id = l.member_id and m.granted = 1"
    );
    let params = vec![tenant.into(), idp.into(), mapping_id.into()];
    let mut dated = params.clone();
    dated.push(origin.at.into());
    let step = |sql: String| Statement::new(sql, params.clone());
    let [count_up, append] = audit::append_member_losses(origin, &gone, &params);
    vec![
        count_up,
        append,
        revisions::keep_losses(origin, &gone, &params),
        Statement::new(
            format!(
                "update groups set version = version + 1, modified_at = ?4, \
                 member_count = member_count - (select count(*) from ({gone}) lost where lost.group_id = groups.id) \
                 where tenant_id = ?1 and id in (select group_id from ({gone}))"
            ),
            dated,
        ),
        step(format!(
            "update group_members set granted = 0 where tenant_id = ?1 and granted = 2 and (group_id, member_id) in ({lost})"
        )),
        step(format!(
            "delete from group_members where tenant_id = ?1 and granted = 1 and (group_id, member_id) in ({lost})"
        )),
        step(
            "delete from mapping_grants where tenant_id = ?1 and idp_id = ?2 and mapping_id = ?3"
                .to_owned(),
        ),
    ]
}

/// Makes all that a provider's mappings gave direct, in the batch that deletes the provider.
pub fn release_grants(tenant: &TenantId, idp: &str) -> Vec<Statement> {
    let params = vec![tenant.into(), idp.into()];
    vec![
        Statement::new(
            "update group_members set granted = iif(exists (select 1 from mapping_grants o where o.tenant_id = ?1 \
             and o.group_id = group_members.group_id and o.member_id = group_members.member_id and o.idp_id <> ?2), 2, 0) \
             where tenant_id = ?1 and granted <> 0 and (group_id, member_id) in \
             (select k.group_id, k.member_id from mapping_grants k indexed by mapping_grants_mapping_idx \
             where k.tenant_id = ?1 and k.idp_id = ?2)",
            params.clone(),
        ),
        Statement::new(
            "delete from mapping_grants where tenant_id = ?1 and idp_id = ?2",
            params,
        ),
    ]
}

/// Leaves all that a provider's directory put here to SCIM clients, as it is: nobody loses an account or a membership because a
/// configuration is deleted. For the batch that deletes the provider; a sync under way stops at its next write.
pub fn release_directory(tenant: &TenantId, idp: &str, now: i64) -> Vec<Statement> {
    let urn = crate::scim::resource::STORED_MANAGED;
    let unmanage = |table: &str, resource_type: &str| {
        // The provider comes last in the text, and its URN so in `schemas`.
        Statement::new(
            format!(
                "update {table} set version = version + 1, modified_at = ?3, \
                 resource = json_remove(resource, '$.\"{urn}\"', '$.schemas[#-1]'), \
                 keys = json_remove(keys, '$.managed', '$.schemas[#-1]') \
                 where tenant_id = ?1 and managed_by = ?2 and id in (select resource_id from directory_entries d \
                 where d.tenant_id = ?1 and d.idp_id = ?2 and d.resource_type = '{resource_type}')"
            ),
            vec![tenant.into(), idp.into(), now.into()],
        )
    };
    let of_provider = |sql: &'static str| Statement::new(sql, vec![tenant.into(), idp.into()]);
    vec![
        unmanage("users", "User"),
        unmanage("groups", "Group"),
        of_provider("delete from directory_entries where tenant_id = ?1 and idp_id = ?2"),
        of_provider("delete from directory_syncs where tenant_id = ?1 and idp_id = ?2"),
    ]
}

/// Revokes all tokens of an identity provider, with an audit event for each.
pub fn revoke_tokens(tenant: &TenantId, idp: &str, origin: &Origin) -> [Statement; 3] {
    const OF_PROVIDER: &str = "tenant_id = ?1 and idp_id = ?2 and revoked_at is null";
    [
        Statement::new(
            format!(
                "insert into audit_events (tenant_id, seq, at, actor, action, resource_type, resource_id, attributes, request_id) \
                 select k.tenant_id, t.audit_seq + row_number() over (order by k.id), ?3, ?4, ?5, 'ScimToken', k.id, \
                 '[\"revoked_at\"]', ?6 from (select tenant_id, id from scim_tokens where {OF_PROVIDER}) k \
                 join tenants t on t.id = k.tenant_id"
            ),
            vec![
                tenant.into(),
                idp.into(),
                origin.at.into(),
                (&origin.actor).into(),
                Action::Revoke.name().into(),
                (&origin.request_id).into(),
            ],
        ),
        Statement::new(
            format!(
                "update tenants set audit_seq = audit_seq + (select count(*) from scim_tokens where {OF_PROVIDER}) where id = ?1"
            ),
            vec![tenant.into(), idp.into()],
        ),
        Statement::new(
            format!(
                "update scim_tokens set is_active = 0, revoked_at = ?3, updated_at = ?3, revision = revision + 1 \
                 where {OF_PROVIDER}"
            ),
            vec![tenant.into(), idp.into(), origin.at.into()],
        ),
    ]
}
