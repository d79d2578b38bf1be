//! What the setting `ACCESS_SCOPES` gives to whom.

use serde_json::{Map, Value};

use crate::auth::admin_scope::AdminScope;
use crate::ids::TenantId;

/// What somebody may do, as an administrator's JWT says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// With spaces between them.
    pub scope: String,
    /// The one tenant that it is for; none for all of them.
    pub tenant: Option<TenantId>,
}

/// Whom a grant is for. Addresses and domains are in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Who {
    Person(String),
    Group(String),
    Domain(String),
}

/// All grants, in the order of the setting.
#[derive(Debug, Clone)]
pub struct People(Vec<(Who, Grant)>);

impl People {
    /// Reads a JSON object: by an e-mail address, a domain (`@example.com`) or a group (`group:admins`) the scopes with spaces between them, or
    /// `{"scope": …, "tenant_id": …}`.
    pub fn parse(text: &str) -> Result<Self, String> {
        let entries: Map<String, Value> = serde_json::from_str(text).map_err(|_| {
            "it has to be a JSON object of scopes by e-mail address, @domain or group:name"
                .to_owned()
        })?;
        let people = entries.iter().map(|(name, value)| {
            let read = || Ok((who(name)?, grant(value)?));
            read().map_err(|reason: String| format!("`{name}`: {reason}"))
        });
        people.collect::<Result<_, _>>().map(People)
    }

    /// What somebody is given: by their address, else by the first of their groups in the setting, else by their domain.
    pub fn find(&self, email: &str, groups: &[String]) -> Option<&Grant> {
        let email = email.to_ascii_lowercase();
        // One that could be read in two ways is of no domain.
        let domain = email
            .split_once('@')
            .filter(|(local, domain)| !local.is_empty() && !domain.contains('@'))
            .map(|(_, domain)| domain);
        let first = |is_it: &dyn Fn(&Who) -> bool| {
            let found = self.0.iter().find(|(who, _)| is_it(who));
            found.map(|(_, grant)| grant)
        };
        first(&|who| matches!(who, Who::Person(known) if *known == email))
            .or_else(|| first(&|who| matches!(who, Who::Group(known) if groups.contains(known))))
            .or_else(|| {
                first(&|who| matches!(who, Who::Domain(known) if Some(known.as_str()) == domain))
            })
    }
}

fn who(name: &str) -> Result<Who, String> {
    let lower = || name.to_ascii_lowercase();
    match (name.strip_prefix("group:"), name.rsplit_once('@')) {
        (Some(group), _) if !group.is_empty() => Ok(Who::Group(group.to_owned())),
        (None, Some(("", domain))) if !domain.is_empty() => {
            Ok(Who::Domain(domain.to_ascii_lowercase()))
        }
        (None, Some((local, domain))) if !local.is_empty() && !domain.is_empty() => {
            Ok(Who::Person(lower()))
        }
        _ => Err("it is no e-mail address, no @domain and no group:name".to_owned()),
    }
}

fn grant(value: &Value) -> Result<Grant, String> {
    let (scope, tenant) = match value {
        Value::String(scope) => (scope.as_str(), None),
        Value::Object(fields) => {
            let unknown = fields
                .keys()
                .find(|name| !["scope", "tenant_id"].contains(&name.as_str()));
            if let Some(name) = unknown {
                return Err(format!("`{name}` is neither scope nor tenant_id"));
            }
            let scope = fields.get("scope").and_then(Value::as_str);
            (scope.unwrap_or_default(), fields.get("tenant_id"))
        }
        _ => ("", None),
    };
    let tenant = tenant
        .map(|id| {
            let id = id.as_str().and_then(TenantId::parse);
            id.ok_or_else(|| "tenant_id is no tenant's id".to_owned())
        })
        .transpose()?;
    let scopes: Vec<&str> = scope.split_ascii_whitespace().collect();
    if scopes.is_empty() {
        return Err("it gives no scopes, a string with spaces between them".to_owned());
    }
    if let Some(unknown) = scopes.iter().find(|scope| !AdminScope::is_known(scope)) {
        return Err(format!("there is no scope `{unknown}`"));
    }
    let reaches = tenant.is_some() || scopes.iter().any(|scope| AdminScope::is_of_all(scope));
    match reaches {
        true => Ok(Grant {
            scope: scopes.join(" "),
            tenant,
        }),
        false => Err(
            "it reaches no tenant: it needs a tenant_id, or the scope platform or admin for all tenants"
                .to_owned(),
        ),
    }
}
