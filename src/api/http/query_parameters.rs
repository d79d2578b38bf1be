//! Which parameters a route of administrators takes in its query. One that it does not take is 422 and not passed over: a misspelt filter
//! would be answered with everything. SCIM routes pass over what they do not know (Entra appends flags of its own to the base URL).

use super::call::Call;
use super::routes::{Endpoint, View};
use crate::error::{Error, FieldError, Result};
use crate::scim::filter::parse::shortened;

/// Most parameters that one reply complains of.
const MAX_FIELDS: usize = 20;

const PAGING: [&str; 2] = ["page", "per_page"];

impl Endpoint {
    /// The parameters that an administrator's route takes, besides those of [`Endpoint::is_paged`].
    const fn own_parameters(self) -> &'static [&'static str] {
        match self {
            Endpoint::ListTenants => &["search"],
            Endpoint::ListScimTokens | Endpoint::ScimEndpointInfo => &["tenant_id"],
            Endpoint::ListIdentityProviders(View::Admin) => {
                &["tenant_id", "provider_type", "search"]
            }
            Endpoint::ListIdentityProviders(View::Tenant) => &["enabled_only", "protocol"],
            Endpoint::StartSync => &["dry_run", "full", "allow_removals"],
            _ => &[],
        }
    }

    const fn is_paged(self) -> bool {
        matches!(
            self,
            Endpoint::ListTenants
                | Endpoint::ListScimTokens
                | Endpoint::ListIdentityProviders(_)
                | Endpoint::ListGroupMappings
                | Endpoint::ListSyncLogs
                | Endpoint::ReadSyncLog
        )
    }

    /// All parameters that an administrator's route takes.
    pub fn parameters(self) -> Vec<&'static str> {
        let paging = PAGING.into_iter().filter(|_| self.is_paged());
        paging
            .chain(self.own_parameters().iter().copied())
            .collect()
    }
}

/// 422 for parameters that the route does not take, and for one that is there twice: which of them counts would be a guess.
pub fn check(call: &Call<'_>, endpoint: Endpoint) -> Result<()> {
    let taken = endpoint.parameters();
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
