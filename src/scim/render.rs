//! Replies made of stored text. A plain reply is put together without parsing it: the stored object opens after `id`,
//! and what the store derives (memberships, `meta`) goes before its closing brace.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::rc::Rc;

use super::LIST_RESPONSE;
use super::date_time;
use super::pieces::{Frame, Part, Pieces};
use super::projection::Projection;
use super::resource::{STORED_REFERENCE, without_managed};
use super::schema::{ResourceType, USERS};
use super::version::Version;
use crate::json::quoted;

/// A resource as the store gives it.
#[derive(Debug, Clone)]
pub struct Stored {
    pub resource_type: &'static ResourceType,
    pub id: String,
    pub version: Version,
    /// Milliseconds since 1970.
    pub created: i64,
    /// Milliseconds since 1970.
    pub modified: i64,
    /// The JSON object with `schemas` and the client's attributes.
    pub resource: String,
    /// A JSON array: the groups of a user, the members of a group; none where it was not asked for.
    pub memberships: Option<String>,
    /// Whether they were asked for and are too many to come along in one value.
    pub oversized: bool,
    /// They then, once they are read.
    pub parts: Vec<Part>,
}

impl Stored {
    /// Nothing but a type: what a new resource begins from.
    pub fn bare(resource_type: &'static ResourceType) -> Self {
        Stored {
            resource_type,
            id: String::new(),
            version: Version(0),
            created: 0,
            modified: 0,
            resource: String::new(),
            memberships: None,
            oversized: false,
            parts: Vec::new(),
        }
    }

    /// The resource's address on the base that the request used.
    pub fn location(&self, base: &str) -> String {
        format!("{base}{}/{}", self.resource_type.endpoint, self.id)
    }

    /// The resource as a client sees it, as JSON text in pieces.
    pub fn into_pieces(mut self, frame: &Rc<Frame>) -> Pieces {
        let mut text = self.to_json(&frame.base, &frame.projection);
        if self.oversized && text.pop().is_some() {
            text.push_str(",\"");
            text.push_str(self.resource_type.memberships);
            text.push_str("\":[");
            let mut pieces = Pieces::from(text);
            pieces.push_elements(frame, std::mem::take(&mut self.parts));
            pieces.push_text("]}");
            return pieces;
        }
        Pieces::from(text)
    }

    /// The resource as a client sees it, as JSON text; without memberships that are too many to come along in one value.
    pub fn to_json(&self, base: &str, projection: &Projection) -> String {
        let visible = self.visible_memberships();
        if projection.is_default() {
            return self.assemble(base, visible);
        }
        // Memberships shown whole are not parsed: they may be 100,000.
        let (parsed, spliced) = match projection.shows_whole(self.resource_type.memberships) {
            true => (None, visible),
            false => (visible, None),
        };
        let whole = self.assemble(base, parsed);
        let mut text = match serde_json::from_str(&whole) {
            Ok(value) => projection.apply(self.resource_type, value).to_string(),
            Err(_) => whole,
        };
        if let Some(memberships) = spliced
            && text.pop().is_some()
        {
            text.push_str(",\"");
            text.push_str(self.resource_type.memberships);
            text.push_str("\":");
            text.push_str(memberships);
            text.push('}');
        }
        text
    }

    fn assemble(&self, base: &str, memberships: Option<&str>) -> String {
        let stored = without_managed(&self.resource);
        let inner = stored
            .trim()
            .trim_start_matches('{')
            .strip_suffix('}')
            .unwrap_or_default();
        let inner = with_references(inner, base);
        let room = inner.len() + memberships.map_or(0, str::len) + 512;
        let mut text = String::with_capacity(room);
        // What is not put through `Value` is ours, and has nothing to escape.
        text.push_str("{\"id\":\"");
        text.push_str(&self.id);
        text.push_str("\",");
        text.push_str(&inner);
        if let Some(memberships) = memberships {
            text.push_str(",\"");
            text.push_str(self.resource_type.memberships);
            text.push_str("\":");
            text.push_str(memberships);
        }
        let _ = write!(
            text,
            r#","meta":{{"resourceType":"{}","created":"{}","lastModified":"{}","location":{},"version":{}}}}}"#,
            self.resource_type.name,
            date_time::format(self.created),
            date_time::format(self.modified),
            quoted(&self.location(base)),
            quoted(&self.version.etag()),
        );
        text
    }

    /// A group shows its members even when there are none (clients count them); a user without groups has no `groups`.
    fn visible_memberships(&self) -> Option<&str> {
        let is_group = self.resource_type.name == "Group";
        self.memberships
            .as_deref()
            .filter(|memberships| is_group || *memberships != "[]")
    }
}

/// Stored text with its reference to a manager on a base: absolute, because a relative one begins at the service's root
/// (RFC 7643 §2.3.7), which not every client knows. Inside a client's text the quotes are escaped, so this is the name itself.
fn with_references<'t>(stored: &'t str, base: &str) -> Cow<'t, str> {
    let relative = format!("\"$ref\":\"{STORED_REFERENCE}");
    if !stored.contains(&relative) {
        return Cow::Borrowed(stored);
    }
    let reference = quoted(&format!("{base}{}/", USERS.endpoint));
    let open = reference.strip_suffix('"').unwrap_or_default();
    Cow::Owned(stored.replace(&relative, &format!("\"$ref\":{open}")))
}

/// How a list is paged.
#[derive(Debug)]
pub enum Paging {
    /// By `startIndex`.
    Index(i64),
    /// By cursor, with the next page's where there is one (RFC 9865 §2).
    Cursor(Option<String>),
}

/// A ListResponse (RFC 7644 §3.4.2) of resources that are JSON text already.
pub fn list(resources: Vec<Pieces>, total: i64, paging: &Paging) -> Pieces {
    let mut text = format!(
        "{{\"schemas\":[\"{LIST_RESPONSE}\"],\"totalResults\":{total},\"itemsPerPage\":{}",
        resources.len()
    );
    match paging {
        Paging::Index(start_index) => text.push_str(&format!(",\"startIndex\":{start_index}")),
        // A cursor is URL-safe and has nothing to escape.
        Paging::Cursor(Some(next)) => text.push_str(&format!(",\"nextCursor\":\"{next}\"")),
        Paging::Cursor(None) => {}
    }
    text.push_str(",\"Resources\":[");
    let mut list = Pieces::from(text);
    for (index, resource) in resources.into_iter().enumerate() {
        if index > 0 {
            list.push_text(",");
        }
        list.append(resource);
    }
    list.push_text("]}");
    list
}

/// A ListResponse of JSON texts, all on one page.
pub fn list_of(resources: Vec<String>) -> Pieces {
    let total = i64::try_from(resources.len()).unwrap_or(i64::MAX);
    let resources = resources.into_iter().map(Pieces::from).collect();
    list(resources, total, &Paging::Index(1))
}
