//! Checks that the attributes which a provider fills are there.

use super::config::{Config, mapping_of};
use super::extensions::Extensions;
use crate::api::http::call::Call;
use crate::error::{Error, Result};
use crate::store::identity_providers::IdentityProvider;
use crate::store::{rows_at, tenants};

/// Checks what a provider's mapping, its own or that of its directory, fills of extensions. The tenant's schemas are read where there is
/// something to check.
pub async fn check_extensions(call: &Call<'_>, provider: &IdentityProvider) -> Result<()> {
    let claims = &mapping_of(provider)?.extensions;
    let directory = match Config::of(provider)? {
        Config::Ldap(config) => config.attribute_mapping.extensions,
        Config::Oidc(_) | Config::Saml(_) => Extensions::default(),
    };
    if claims.is_empty() && directory.is_empty() {
        return Ok(());
    }
    let tenant = &provider.tenant_id;
    let batch = vec![tenants::select(tenant)];
    let results = call.run(Some(tenant), batch).await?;
    // Where there is no such tenant, the change says so.
    let Some(row) = rows_at(&results, 0)?.first() else {
        return Ok(());
    };
    let own = tenants::settings(row)?.own;
    let mut faults = claims.faults(&own, &["body", "attribute_mapping", "extensions"]);
    let at = ["body", "ldap_config", "attribute_mapping", "extensions"];
    faults.extend(directory.faults(&own, &at));
    match faults.is_empty() {
        true => Ok(()),
        false => Err(Error::fields(faults)),
    }
}
