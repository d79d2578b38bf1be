//! What a SCIM client asks of a list: from the query string, or the body of a search (RFC 7644 §3.4.2, §3.4.3; RFC 9865).

use serde_json::Value;

use crate::api::http::call::Call;
use crate::error::Result;
use crate::scim::attribute_path::{self, Target};
use crate::scim::error::{Error, ScimType};
use crate::scim::filter::{parse, resolve};
use crate::scim::forgiven::{Forgiven, note};
use crate::scim::profile::Profile;
use crate::scim::projection::Projection;
use crate::scim::schema::{AttributeRef, Kind, Shape};
use crate::scim::value::Given;
use crate::scim::{SEARCH_REQUEST, cursor};
use crate::store::resources::{Descending, Memberships, TypeQuery};

/// Page size where the client asks for none.
pub const DEFAULT_COUNT: i64 = 100;
/// Largest page; a larger `count` is taken for this.
pub const MAX_COUNT: i64 = 1_000;

/// What a list, or a reply of one resource, takes in its query.
const PARAMETERS: [&str; 8] = [
    "filter",
    "startIndex",
    "count",
    "cursor",
    "sortBy",
    "sortOrder",
    "attributes",
    "excludedAttributes",
];

/// The parameters of a list as they came.
#[derive(Debug, Default)]
pub struct ListParams {
    filter: Option<String>,
    start_index: Option<String>,
    count: Option<String>,
    /// Empty for the first page by cursor.
    cursor: Option<String>,
    sort_by: Option<String>,
    sort_order: Option<String>,
    attributes: Option<Vec<String>>,
    excluded: Option<Vec<String>>,
}

/// A list that is understood.
pub struct ListQuery {
    pub types: Vec<TypeQuery>,
    pub projections: Vec<Projection>,
    pub sorted: Option<Descending>,
    /// From 1.
    pub start_index: i64,
    pub count: i64,
    /// Whether the client named the page size.
    pub counted: bool,
    pub cursor: Option<String>,
    /// What a cursor of this list is bound to, besides the tenant.
    pub binding: Vec<String>,
}

impl ListParams {
    /// From the query string. What is unknown is passed over: Entra appends flags of its own to the base URL. In `compat` a name may be
    /// written in any case.
    pub fn of_query(call: &Call<'_>, profile: Profile) -> Self {
        let mut params = ListParams::default();
        let names = |value: &str| {
            Some(
                value
                    .split(',')
                    .map(|name| name.trim().to_owned())
                    .collect(),
            )
        };
        for (name, value) in call.query() {
            let known = PARAMETERS.into_iter().find(|known| match profile {
                Profile::Strict => *known == name,
                Profile::Compat => known.eq_ignore_ascii_case(&name),
            });
            let Some(known) = known else {
                continue;
            };
            if known != name {
                note(Forgiven::ParameterCase);
            }
            let name = known;
            // A parameter without a value is as good as none; but an empty cursor asks for the first page.
            if value.is_empty() && name != "cursor" {
                continue;
            }
            match name {
                "filter" => params.filter = Some(value),
                "startIndex" => params.start_index = Some(value),
                "count" => params.count = Some(value),
                "cursor" => params.cursor = Some(value),
                "sortBy" => params.sort_by = Some(value),
                "sortOrder" => params.sort_order = Some(value),
                "attributes" => params.attributes = names(&value),
                "excludedAttributes" => params.excluded = names(&value),
                _ => {}
            }
        }
        params
    }

    /// From the body of a search.
    pub fn of_body(body: Value, profile: Profile) -> Result<Self> {
        let Value::Object(body) = body else {
            return Err(Error::syntax("the body is not a JSON object").into());
        };
        let mut given = Given::new(body, "the body")?;
        given.take_message_schemas(SEARCH_REQUEST, profile)?;
        let mut text = |name: &str| -> Result<Option<String>> {
            match given.take(name) {
                None | Some(Value::Null) => Ok(None),
                Some(Value::String(text)) => Ok(Some(text)),
                Some(Value::Number(number)) => Ok(Some(number.to_string())),
                Some(_) => Err(Error::value(format!("{name} has the wrong type")).into()),
            }
        };
        let mut params = ListParams {
            filter: text("filter")?,
            start_index: text("startIndex")?,
            count: text("count")?,
            cursor: text("cursor")?,
            sort_by: text("sortBy")?,
            sort_order: text("sortOrder")?,
            ..ListParams::default()
        };
        params.attributes = names_of(given.take("attributes"), "attributes")?;
        params.excluded = names_of(given.take("excludedAttributes"), "excludedAttributes")?;
        given.refuse_rest("the body", profile)?;
        Ok(params)
    }

    /// Whether the client named the attributes that it wants.
    pub fn names_attributes(&self) -> bool {
        self.attributes.is_some()
    }

    /// Which attributes a reply carries; for replies of one resource, the only part that counts.
    pub fn projection(&self, shape: Shape<'_>, profile: Profile) -> Result<Projection> {
        Ok(Projection::new(
            shape,
            self.attributes.as_deref(),
            self.excluded.as_deref(),
            profile,
        )?)
    }

    /// Understands the parameters, for one resource type or for several at once. Errors name the parameter.
    pub fn resolve(self, types: &[Shape<'_>], profile: Profile) -> Result<ListQuery> {
        let filter = match self.filter.as_deref().map(str::trim) {
            None | Some("") => None,
            Some(text) => Some(parse::parse(text, profile)?),
        };
        let projections = types
            .iter()
            .map(|shape| self.projection(*shape, profile))
            .collect::<Result<Vec<_>>>()?;
        let sorted_by = self.sort_by(types, profile)?;
        let type_queries = types
            .iter()
            .zip(&projections)
            .zip(&sorted_by)
            .map(|((shape, projection), sort_by)| {
                let others: Vec<_> = types
                    .iter()
                    .copied()
                    .filter(|other| other.name != shape.name)
                    .collect();
                let filter = filter
                    .as_ref()
                    .map(|filter| resolve::resolve(filter, *shape, &others, profile));
                Ok(TypeQuery {
                    resource_type: shape.resource_type,
                    filter: filter.transpose()?,
                    sort_by: sort_by.clone(),
                    memberships: Memberships::of(shape, projection),
                })
            })
            .collect::<Result<Vec<_>>>()?;
        let descending = self.descending()?;
        let names: Vec<&str> = types.iter().map(|shape| shape.resource_type.name).collect();
        let binding = [
            names.join(" "),
            self.filter.clone().unwrap_or_default(),
            self.sort_by
                .clone()
                .unwrap_or_default()
                .to_ascii_lowercase(),
            descending.to_string(),
        ];
        if self.cursor.is_some() && self.start_index.is_some() {
            return Err(Error::value("startIndex and cursor exclude each other").into());
        }
        // RFC 7644 §3.4.2.4: below 1 is 1, a negative count is 0.
        let start_index = number("startIndex", self.start_index.as_deref())?
            .unwrap_or(1)
            .max(1);
        let count = number("count", self.count.as_deref()).map_err(|error| match self.cursor {
            Some(_) => Error::new(ScimType::InvalidCount, error.detail),
            None => error,
        })?;
        Ok(ListQuery {
            types: type_queries,
            projections,
            sorted: sorted_by
                .iter()
                .any(Option::is_some)
                .then_some(Descending(descending)),
            start_index,
            count: count.unwrap_or(DEFAULT_COUNT).clamp(0, MAX_COUNT),
            counted: count.is_some(),
            cursor: self.cursor,
            binding: binding.into(),
        })
    }

    fn descending(&self) -> Result<bool> {
        match self.sort_order.as_deref() {
            None => Ok(false),
            Some(order) if order.eq_ignore_ascii_case("ascending") => Ok(false),
            Some(order) if order.eq_ignore_ascii_case("descending") => Ok(true),
            Some(_) => Err(Error::value("sortOrder is ascending or descending").into()),
        }
    }

    /// What each type is sorted by; some type has to have the attribute.
    fn sort_by(&self, types: &[Shape<'_>], profile: Profile) -> Result<Vec<Option<AttributeRef>>> {
        let Some(by) = self
            .sort_by
            .as_deref()
            .map(str::trim)
            .filter(|by| !by.is_empty())
        else {
            return Ok(types.iter().map(|_| None).collect());
        };
        let shown = parse::shortened(by);
        let found: Vec<Option<AttributeRef>> = types
            .iter()
            .map(|shape| match attribute_path::resolve(*shape, by, profile) {
                Ok(Target::Attribute(found)) if found.is_readable() => Some(found),
                _ => None,
            })
            .collect();
        if found.iter().all(Option::is_none) {
            return Err(Error::path(format!("sortBy: there is no attribute `{shown}`")).into());
        }
        found
            .into_iter()
            .map(|found| significant(found, &shown))
            .collect()
    }
}

/// The attribute, or `value` of a complex one.
fn significant(found: Option<AttributeRef>, shown: &str) -> Result<Option<AttributeRef>> {
    let Some(mut found) = found else {
        return Ok(None);
    };
    if found.leaf().kind == Kind::Complex {
        found.sub = found.attribute.default_sub();
        if found.sub.is_none() {
            let detail = format!("sortBy: `{shown}` is complex; name one of its sub-attributes");
            return Err(Error::path(detail).into());
        }
    }
    Ok(Some(found))
}

fn names_of(value: Option<Value>, name: &str) -> Result<Option<Vec<String>>> {
    let wrong = || Error::value(format!("{name} takes an array of attribute names"));
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Array(names)) => names
            .into_iter()
            .map(|name| {
                name.as_str()
                    .map(str::to_owned)
                    .ok_or_else(|| wrong().into())
            })
            .collect::<Result<Vec<_>>>()
            .map(Some),
        Some(_) => Err(wrong().into()),
    }
}

fn number(name: &str, text: Option<&str>) -> std::result::Result<Option<i64>, Error> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    match text.parse::<i64>() {
        // An offset that no table reaches, kept where a double is exact.
        Ok(number) => Ok(Some(number.clamp(-1, 1 << 40))),
        Err(_) => Err(Error::value(format!("{name} is not a whole number"))),
    }
}

/// How long a cursor lives, for the ServiceProviderConfig.
pub const CURSOR_TIMEOUT_SECONDS: i64 = cursor::TIMEOUT_SECONDS;
