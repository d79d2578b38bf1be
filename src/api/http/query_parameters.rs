//! Which parameters a route of administrators takes in its query. One that it does not take is 422 and not passed over: a misspelt filter
//! would be answered with everything. SCIM routes pass over what they do not know (Entra appends flags of its own to the base URL).

use super::call::Call;
use super::input::parameter;
use crate::auth::admin::Admin;
use crate::error::{Error, FieldError, Result};
use crate::ids::TenantId;
use crate::scim::filter::parse::shortened;

/// Most parameters that one reply complains of.
const MAX_FIELDS: usize = 20;

/// 422 for parameters that the route does not take, and for one that is there twice: which of them counts would be a guess.
pub fn check(call: &Call<'_>, taken: &[&str]) -> Result<()> {
    let mut fields: Vec<FieldError> = Vec::new();
    let mut seen: Vec<String> = Vec::new();
    for (name, _) in call.query() {
        let (msg, kind) = match (taken.contains(&name.as_str()), seen.contains(&name)) {
            (true, false) => {
                seen.push(name);
                continue;
            }
            (true, true) => ("it is given twice".to_owned(), "value_error"),
            (false, _) if taken.is_empty() => (
                "this route takes no parameters".to_owned(),
                "extra_forbidden",
            ),
            (false, _) => (
                format!(
                    "this route takes no such parameter, but {}",
                    taken.join(", ")
                ),
                "extra_forbidden",
            ),
        };
        let field = FieldError::new(&["query", &shortened(&name)], msg, kind);
        if !fields.contains(&field) && fields.len() < MAX_FIELDS {
            fields.push(field);
        }
    }
    match fields.is_empty() {
        true => Ok(()),
        false => Err(Error::fields(fields)),
    }
}

/// The tenant that a query names, or the administrator's own; 422 where it is neither.
pub fn required_tenant(call: &Call<'_>, admin: &Admin) -> Result<TenantId> {
    tenant_in_query(call, admin)?
        .ok_or_else(|| Error::field(&["query", "tenant_id"], "it is required", "missing"))
}

/// The tenant in the path; 404 for one that this administrator does not see.
pub fn tenant_in_path(call: &Call<'_>, admin: &Admin) -> Result<TenantId> {
    let tenant = TenantId::parse(call.param("tenant_id")).filter(|tenant| admin.sees(tenant));
    let tenant = tenant.ok_or_else(|| Error::not_found("the tenant"))?;
    call.note_tenant(&tenant);
    Ok(tenant)
}

/// The tenant that a query names, where it names one; for an administrator of one tenant, that one.
pub fn tenant_in_query(call: &Call<'_>, admin: &Admin) -> Result<Option<TenantId>> {
    let Some(text) = parameter(call, "tenant_id") else {
        return Ok(admin.tenant.clone());
    };
    match TenantId::parse(&text) {
        Some(tenant) if admin.sees(&tenant) => Ok(Some(tenant)),
        Some(_) => Err(Error::not_found("the tenant")),
        None => Err(Error::field(
            &["query", "tenant_id"],
            "it is not a tenant id",
            "value_error",
        )),
    }
}

/// The tenant that a body names, or the administrator's own; 422 where it is neither.
pub fn tenant_in_body(given: Option<TenantId>, admin: &Admin) -> Result<TenantId> {
    match given.or_else(|| admin.tenant.clone()) {
        Some(tenant) if admin.sees(&tenant) => Ok(tenant),
        Some(_) => Err(Error::not_found("the tenant")),
        None => {
            let loc = ["body", "tenant_id"];
            Err(Error::field(&loc, "it is required", "missing"))
        }
    }
}
