//! What a SCIM client asks of a list: from the query string, or the body of a search (RFC 7644 §3.4.2, §3.4.3).

use super::call::Call;
use crate::error::Result;
use crate::scim::attribute_path::{self, Target};
use crate::scim::error::{Error, ScimType};
use crate::scim::filter::{Predicate, parse, resolve};
use crate::scim::profile::Profile;
use crate::scim::projection::Projection;
use crate::scim::schema::{Kind, ResourceType, Returned};
use crate::store::resources::Sort;

/// Page size where the client asks for none.
pub const DEFAULT_COUNT: i64 = 100;
/// Largest page; a larger `count` is taken for this.
pub const MAX_COUNT: i64 = 1_000;

/// The parameters of a list as text.
#[derive(Debug, Default)]
pub struct ListParams {
    filter: Option<String>,
    start_index: Option<String>,
    count: Option<String>,
    sort_by: Option<String>,
    sort_order: Option<String>,
    attributes: Option<Vec<String>>,
    excluded: Option<Vec<String>>,
}

/// A list that is understood, for one resource type.
pub struct ListQuery {
    pub filter: Option<Predicate>,
    pub sort: Option<Sort>,
    /// From 1.
    pub start_index: i64,
    pub count: i64,
    pub projection: Projection,
}

impl ListParams {
    /// From the query string. What is unknown is passed over: Entra appends flags of its own to the base URL.
    pub fn of_query(call: &Call<'_>) -> Self {
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
            match name.as_str() {
                "filter" => params.filter = Some(value),
                "startIndex" => params.start_index = Some(value),
                "count" => params.count = Some(value),
                "sortBy" => params.sort_by = Some(value),
                "sortOrder" => params.sort_order = Some(value),
                "attributes" => params.attributes = names(&value),
                "excludedAttributes" => params.excluded = names(&value),
                _ => {}
            }
        }
        params
    }

    /// Which attributes a reply carries; for replies of one resource, the only part that counts.
    pub fn projection(
        &self,
        resource_type: &'static ResourceType,
        profile: Profile,
    ) -> Result<Projection> {
        Ok(Projection::new(
            resource_type,
            self.attributes.as_deref(),
            self.excluded.as_deref(),
            profile,
        )?)
    }

    /// Understands the parameters. Errors name the parameter.
    pub fn resolve(
        &self,
        resource_type: &'static ResourceType,
        profile: Profile,
    ) -> Result<ListQuery> {
        let filter = match self.filter.as_deref().map(str::trim) {
            None | Some("") => None,
            Some(text) => {
                let parsed = parse::parse(text, profile)?;
                Some(resolve::resolve(&parsed, resource_type, profile)?)
            }
        };
        // RFC 7644 §3.4.2.4: below 1 is 1, a negative count is 0.
        let start_index = number("startIndex", self.start_index.as_deref())?
            .unwrap_or(1)
            .max(1);
        let count = number("count", self.count.as_deref())?
            .unwrap_or(DEFAULT_COUNT)
            .clamp(0, MAX_COUNT);
        Ok(ListQuery {
            filter,
            sort: self.sort(resource_type, profile)?,
            start_index,
            count,
            projection: self.projection(resource_type, profile)?,
        })
    }

    fn sort(&self, resource_type: &'static ResourceType, profile: Profile) -> Result<Option<Sort>> {
        let descending = match self.sort_order.as_deref() {
            None => false,
            Some(order) if order.eq_ignore_ascii_case("ascending") => false,
            Some(order) if order.eq_ignore_ascii_case("descending") => true,
            Some(_) => {
                return Err(Error::value("sortOrder is ascending or descending").into());
            }
        };
        let Some(by) = self
            .sort_by
            .as_deref()
            .map(str::trim)
            .filter(|by| !by.is_empty())
        else {
            return Ok(None);
        };
        let shown = parse::shortened(by);
        let mut found = match attribute_path::resolve(resource_type, by, profile) {
            Some(Target::Attribute(found)) if found.leaf().returned != Returned::Never => found,
            _ => {
                return Err(Error::new(
                    ScimType::InvalidPath,
                    format!("sortBy: {} has no attribute `{shown}`", resource_type.name),
                )
                .into());
            }
        };
        if found.leaf().kind == Kind::Complex {
            found.sub = found.attribute.default_sub();
            if found.sub.is_none() {
                return Err(Error::new(
                    ScimType::InvalidPath,
                    format!("sortBy: `{shown}` is complex; name one of its sub-attributes"),
                )
                .into());
            }
        }
        Ok(Some(Sort {
            by: found,
            descending,
        }))
    }
}

fn number(name: &str, text: Option<&str>) -> Result<Option<i64>> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    match text.parse::<i64>() {
        // An offset that no table reaches, kept where a double is exact.
        Ok(number) => Ok(Some(number.clamp(-1, 1 << 40))),
        Err(_) => Err(Error::value(format!("{name} is not a whole number")).into()),
    }
}
