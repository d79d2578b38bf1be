//! What of a provider's users goes into attributes of extensions: a tenant's own, and the enterprise one.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};

use crate::error::FieldError;
use crate::scim::attribute_path::{self, Target};
use crate::scim::profile::Profile;
use crate::scim::schema::{AttributeRef, Kind, Mutability, OwnSchemas, USERS};

/// Most attributes that a provider fills.
const MAX_EXTENSIONS: usize = 100;

/// By the path of each attribute, as in `urn:ietf:params:scim:schemas:extension:Acme:2.0:User:costCenter`, what it is filled from.
#[derive(Debug, Clone, Serialize)]
#[serde(transparent)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Extensions<N>(BTreeMap<String, N>);

impl<N> Default for Extensions<N> {
    fn default() -> Self {
        Extensions(BTreeMap::new())
    }
}

/// A null takes one out of those that were there before, and is nothing where there were none.
impl<'de, N: Deserialize<'de>> Deserialize<'de> for Extensions<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let all = BTreeMap::<String, Option<N>>::deserialize(deserializer)?;
        let given = all.into_iter();
        Ok(Extensions(
            given
                .filter_map(|(path, from)| Some((path, from?)))
                .collect(),
        ))
    }
}

impl<N> Extensions<N> {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Those whose attributes there are, and what each is filled from.
    pub fn resolved<'e>(
        &'e self,
        own: &'e OwnSchemas,
    ) -> impl Iterator<Item = (AttributeRef, &'e N)> {
        let all = self.0.iter();
        all.filter_map(|(path, from)| Some((attribute(own, path).ok()?, from)))
    }

    /// What is wrong with them, at a place in a body.
    pub fn faults(&self, own: &OwnSchemas, at: &[&str]) -> Vec<FieldError> {
        if self.0.len() > MAX_EXTENSIONS {
            let msg = format!(
                "it has {} attributes; {MAX_EXTENSIONS} are allowed",
                self.0.len()
            );
            return vec![FieldError::new(at, &msg, "value_error")];
        }
        let mut known: Vec<String> = Vec::new();
        let faults = self.0.keys().filter_map(|path| {
            let msg = match attribute(own, path) {
                Err(msg) => msg,
                Ok(attribute) => {
                    let name = attribute.to_string();
                    if !known.contains(&name) {
                        known.push(name);
                        return None;
                    }
                    "it is there twice"
                }
            };
            let loc: Vec<&str> = at.iter().copied().chain([path.as_str()]).collect();
            Some(FieldError::new(&loc, msg, "value_error"))
        });
        faults.collect()
    }
}

/// The attribute of users that a path names, which has to be of an extension.
fn attribute(own: &OwnSchemas, path: &str) -> std::result::Result<AttributeRef, &'static str> {
    let target = attribute_path::resolve(own.shape(&USERS), path, Profile::Strict);
    let Ok(Target::Attribute(attribute)) = target else {
        return Err(
            "it is no attribute of users in a schema of this tenant, as in urn:…:User:costCenter; declare it first",
        );
    };
    let is_read_only = [&attribute.attribute]
        .into_iter()
        .chain(&attribute.sub)
        .any(|one| one.mutability == Mutability::ReadOnly);
    match attribute.leaf().kind {
        _ if attribute.extension.is_none() => Err("it is no attribute of an extension"),
        _ if is_read_only => Err("it is read-only"),
        Kind::Complex => Err("it has parts; name one of them, as in urn:…:User:address.city"),
        _ => Ok(attribute),
    }
}
