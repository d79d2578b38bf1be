//! Lists that grow while they are read, the latest first: paged by where a page ended and not by its number, so that nothing is shown twice
//! or missed, and a page costs the same wherever it lies.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;

use super::call::Call;
use super::envelope::{Meta, meta};
use super::input::{number, parameter};
use super::reply::Reply;
use crate::error::{Error, Result};

/// Default and largest page.
pub const DEFAULT_LIMIT: i64 = 50;
pub const MAX_LIMIT: i64 = 200;

/// Which part of a list is asked for.
#[derive(Debug, Clone)]
pub struct Stretch {
    after: Option<String>,
    pub limit: i64,
}

impl Stretch {
    /// What the query says; 422 where that does not hold.
    pub fn of(call: &Call<'_>) -> Result<Self> {
        let limit = number(call, "limit", DEFAULT_LIMIT, 1..=MAX_LIMIT)?;
        let after = match parameter(call, "after").filter(|after| !after.is_empty()) {
            None => None,
            Some(after) => Some(decoded(&after).ok_or_else(foreign)?),
        };
        Ok(Stretch { after, limit })
    }

    /// Where the page before it ended; none for the first page, 422 for what no page has said.
    pub fn after<T>(&self, read: impl Fn(&str) -> Option<T>) -> Result<Option<T>> {
        match &self.after {
            None => Ok(None),
            Some(after) => read(after).map(Some).ok_or_else(foreign),
        }
    }

    /// Takes away what is beyond the page; whether there was something.
    pub fn cut<T>(&self, things: &mut Vec<T>) -> bool {
        let limit = usize::try_from(self.limit).unwrap_or_default();
        let is_more = things.len() > limit;
        things.truncate(limit);
        is_more
    }
}

fn decoded(after: &str) -> Option<String> {
    String::from_utf8(URL_SAFE_NO_PAD.decode(after).ok()?).ok()
}

fn foreign() -> Error {
    Error::field(
        &["query", "after"],
        "it is not what a page of this list has in pagination.next",
        "value_error",
    )
}

/// A page of things, the latest first.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "openapi", schemars(rename = "{T}Stretch"))]
pub struct Listed<T> {
    data: Vec<T>,
    pagination: Onward,
    meta: Meta,
}

/// Where the list goes on.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct Onward {
    /// `after` of the next page; null where this is the last. A page may have less than `limit`, and none, and still a next one: no page
    /// goes through more than some thousand entries.
    next: Option<String>,
    limit: i64,
}

impl Onward {
    fn after(stretch: &Stretch, next: Option<String>) -> Self {
        Onward {
            next: next.map(|next| URL_SAFE_NO_PAD.encode(next)),
            limit: stretch.limit,
        }
    }
}

/// A reply of a page, and of where the next one begins.
pub fn list<T: Serialize>(
    call: &Call<'_>,
    stretch: Stretch,
    data: Vec<T>,
    next: Option<String>,
) -> Reply {
    let pagination = Onward::after(&stretch, next);
    let meta = meta(call);
    Reply::json(
        200,
        &Listed {
            data,
            pagination,
            meta,
        },
    )
}

/// One thing, with a page of what it has many of, the latest first.
#[derive(Serialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
#[cfg_attr(feature = "openapi", schemars(rename = "{T}Stretch"))]
pub struct OneListed<T> {
    data: T,
    pagination: Onward,
    meta: Meta,
}

/// A reply of one thing with a page of what it has, and of where the next one begins.
pub fn list_of_one<T: Serialize>(
    call: &Call<'_>,
    stretch: Stretch,
    data: T,
    next: Option<String>,
) -> Reply {
    let pagination = Onward::after(&stretch, next);
    let meta = meta(call);
    Reply::json(
        200,
        &OneListed {
            data,
            pagination,
            meta,
        },
    )
}
