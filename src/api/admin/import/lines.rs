//! The lines of an export, as what another tenant is to have of them.
//!
//! Ids become others, by the tenant and the old id alone: whoever reads a line knows the new ids of all that it refers to, in whatever
//! request that came or will come, and the same line is the same resource however often it is sent.

use serde_json::{Map, Value};

use super::super::export::VERSION;
use crate::ids::{self, TenantId};
use crate::json;
use crate::scim::filter::parse::shortened;
use crate::scim::schema::{ENTERPRISE, RESOURCE_TYPES, ResourceType, USERS};

/// What a line brings.
#[derive(Debug)]
pub enum Content {
    /// The first line of an export.
    Head,
    Resource(Arrival),
    Members(Arrivals),
}

/// A user or group that is to be there.
#[derive(Debug)]
pub struct Arrival {
    pub resource_type: &'static ResourceType,
    pub id: String,
    /// The body of a POST.
    pub data: Value,
    /// Members that a group's line has in itself.
    pub members: Option<Arrivals>,
}

/// Members that a group is to have.
#[derive(Debug, Clone)]
pub struct Arrivals {
    pub group: String,
    /// Each with what it was in the export.
    pub members: Vec<(String, String)>,
}

/// Reads a line for a tenant. The error is a sentence for people.
pub fn read(tenant: &TenantId, line: &[u8]) -> Result<Content, String> {
    let Value::Object(mut object) = json::parse_line(line)? else {
        return Err("it is no JSON object".to_owned());
    };
    if let Some(version) = object.get("rollcall_export") {
        return match version.as_u64() == Some(VERSION) {
            true => Ok(Content::Head),
            false => Err(format!(
                "it is the first line of an export of version {version}; {VERSION} is known here"
            )),
        };
    }
    if let Some(group) = object.get("group").filter(|_| !object.contains_key("id")) {
        let group = new_id(tenant, group, "group")?;
        let members = object.get("members").unwrap_or(&Value::Null);
        return Ok(Content::Members(arrivals(tenant, group, members)?));
    }
    let resource_type = type_of(&object).ok_or(
        "it is no user, no group and no members: neither meta.resourceType nor schemas says User or Group",
    )?;
    let id = new_id(tenant, object.get("id").unwrap_or(&Value::Null), "id")?;
    let members = match object.shift_remove("members") {
        Some(members) => Some(arrivals(tenant, id.clone(), &members)?),
        None => None,
    };
    if resource_type.name == USERS.name {
        refer(tenant, &mut object);
        // Who was neither active nor inactive is not switched on by a default.
        object.entry("active").or_insert(Value::Null);
    }
    Ok(Content::Resource(Arrival {
        resource_type,
        id,
        data: Value::Object(object),
        members,
    }))
}

fn type_of(object: &Map<String, Value>) -> Option<&'static ResourceType> {
    let named = object
        .get("meta")
        .and_then(|meta| meta.get("resourceType"))
        .and_then(Value::as_str);
    let schemas = object.get("schemas").and_then(Value::as_array);
    let has = |urn: &str| {
        let mut urns = schemas.into_iter().flatten().filter_map(Value::as_str);
        urns.any(|one| one.eq_ignore_ascii_case(urn))
    };
    RESOURCE_TYPES.into_iter().find(|known| match named {
        Some(named) => known.name == named,
        None => has(known.schema.id()),
    })
}

fn new_id(tenant: &TenantId, old: &Value, name: &str) -> Result<String, String> {
    let text = old.as_str().ok_or_else(|| format!("{name} is missing"))?;
    ids::carried_over(tenant, text)
        .ok_or_else(|| format!("{name} is no id of an export: `{}`", shortened(text)))
}

fn arrivals(tenant: &TenantId, group: String, members: &Value) -> Result<Arrivals, String> {
    let members = members.as_array().ok_or("members is no array")?;
    let members = members.iter().map(|member| {
        let old = member.get("value").unwrap_or(&Value::Null);
        let id = new_id(tenant, old, "members.value")?;
        Ok((id, old.as_str().unwrap_or_default().to_owned()))
    });
    Ok(Arrivals {
        group,
        members: members.collect::<Result<_, String>>()?,
    })
}

/// Puts the new id of a user's manager in the place of the old one. What is no id of ours stays: clients put there what they like.
fn refer(tenant: &TenantId, user: &mut Map<String, Value>) {
    let manager = user
        .get_mut(ENTERPRISE.id())
        .and_then(|enterprise| enterprise.get_mut("manager"))
        .and_then(Value::as_object_mut);
    let Some(manager) = manager else {
        return;
    };
    let old = manager.get("value").and_then(Value::as_str);
    if let Some(id) = old.and_then(|old| ids::carried_over(tenant, old)) {
        manager.insert("value".to_owned(), id.into());
    }
    // It follows from the value.
    manager.shift_remove("$ref");
}
