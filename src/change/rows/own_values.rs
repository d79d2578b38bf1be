//! Rows of `own_values`, by which resources are looked up; and what resources have of a tenant's own schemas, where these change.

use serde_json::Value as Json;

use crate::ids::TenantId;
use crate::ordered::OrderedSet;
use crate::scim::fold::comparable;
use crate::scim::resource::Resource;
use crate::scim::schema::{ResourceType, Shape};
use crate::store::Statement;
use crate::store::own_schemas::{looked_up, path};
use crate::store::set::Set;
use crate::store::tables::table;

/// Attributes and values, as they are compared, by which a resource is looked up.
type Keys = OrderedSet<(String, String)>;

fn keys(shape: Shape<'_>, resource: &Resource) -> Keys {
    let mut keys = Keys::new();
    for extension in shape.own {
        let attributes = extension.attributes.iter().filter(|one| one.is_lookup);
        for attribute in attributes {
            let object = resource.attributes.get(extension.id());
            let values = match object.and_then(|object| object.get(attribute.name())) {
                Some(Json::Array(values)) => values.as_slice(),
                other => other.map(std::slice::from_ref).unwrap_or_default(),
            };
            let name = looked_up(extension, attribute);
            let texts = values.iter().filter_map(Json::as_str);
            let texts = texts.map(|text| comparable(text, attribute).into_owned());
            keys.extend(texts.map(|text| (name.clone(), text)));
        }
    }
    keys
}

/// Writes the rows of resources anew that have other values than before.
pub fn rewrite<'r>(
    tenant: &TenantId,
    shape: Shape<'_>,
    resources: impl Iterator<Item = (&'r str, Option<&'r Resource>, &'r Resource)>,
) -> Vec<Statement> {
    if !shape.has_lookups() {
        return Vec::new();
    }
    let mut old: Vec<String> = Vec::new();
    let mut new = Vec::new();
    for (id, before, after) in resources {
        let before = before.map(|before| keys(shape, before)).unwrap_or_default();
        let after = keys(shape, after);
        if before == after {
            continue;
        }
        old.extend((!before.is_empty()).then(|| id.to_owned()));
        let rows = after.into_iter();
        new.extend(rows.map(|(name, value)| vec![id.into(), name.into(), value.into()]));
    }
    let mut statements = forget(tenant, &old);
    let set = Set::new(&["id", "attribute", "value"], new);
    statements.extend(set.statements(&[tenant.into()], |part| {
        format!(
            "{} insert into own_values (tenant_id, attribute, value, resource_id) select ?1, e.attribute, e.value, e.id from e",
            part.table()
        )
    }));
    statements
}

/// Takes the rows of resources away.
pub fn forget(tenant: &TenantId, ids: &[String]) -> Vec<Statement> {
    Set::of_ids(ids).statements(&[tenant.into()], |part| {
        format!(
            "delete from own_values where tenant_id = ?1 and {}",
            part.has("resource_id")
        )
    })
}

/// Begins to look resources up by an attribute, or ends it: by its rows alone, for what its values are does not change.
pub fn look_up(
    tenant: &TenantId,
    resource_type: &ResourceType,
    urn: &str,
    attribute: &str,
    is_lookup: bool,
) -> Statement {
    let name = format!("{urn}:{attribute}").to_ascii_lowercase();
    let params = vec![tenant.into(), name.into()];
    let key = path(urn, &[&attribute.to_ascii_lowercase()]);
    let table = table(resource_type);
    Statement::new(
        match is_lookup {
            false => "delete from own_values where tenant_id = ?1 and attribute = ?2".to_owned(),
            true => format!(
                "insert or ignore into own_values (tenant_id, attribute, value, resource_id) select ?1, ?2, e.value, r.id \
                 from {table} r cross join json_each(r.keys, '{key}') e where r.tenant_id = ?1"
            ),
        },
        params,
    )
}

/// Takes attributes, or all that an extension has where none is named, out of the resources that have them. Each is another version then.
pub fn discard(
    tenant: &TenantId,
    resource_type: &ResourceType,
    urn: &str,
    attributes: &[&str],
    now: i64,
) -> Vec<Statement> {
    let table = table(resource_type);
    let whole = path(urn, &[]);
    let mut statements = Vec::new();
    for attribute in attributes {
        let at = path(urn, &[attribute]);
        let key = path(urn, &[&attribute.to_ascii_lowercase()]);
        statements.push(Statement::new(
            format!(
                "update {table} set resource = json_remove(resource, '{at}'), keys = json_remove(keys, '{key}'), version = version + 1, \
                 modified_at = ?2 where tenant_id = ?1 and json_type(resource, '{at}') is not null"
            ),
            vec![tenant.into(), now.into()],
        ));
    }
    // An extension left empty is gone.
    let (is_left, version) = match attributes {
        [] => ("is not null", "version + 1"),
        _ => ("= '{}'", "version"),
    };
    let without = |column: &str| {
        format!(
            "json_remove({column}, '{whole}', '$.schemas[' || (select key from json_each({column}, '$.schemas') where value = '{urn}') || ']')"
        )
    };
    statements.push(Statement::new(
        format!(
            "update {table} set resource = {}, keys = {}, version = {version}, modified_at = ?2 \
             where tenant_id = ?1 and json_extract(resource, '{whole}') {is_left}",
            without("resource"),
            without("keys")
        ),
        vec![tenant.into(), now.into()],
    ));
    statements
}
