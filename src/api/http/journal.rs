//! What is found out about a request while it is worked on, for the [journal](super::record).

use std::cell::{Cell, RefCell};

use serde_json::Value;

use super::redaction::Kept;
use crate::error::Error;
use crate::ids::TenantId;
use crate::scim::filter::parse::parse;
use crate::scim::filter::{Filter, Literal, Operator};
use crate::scim::forgiven::{Notes, noting};
use crate::scim::profile::Profile;
use crate::scim::schema::USERS;

/// What was found out about a request so far.
#[derive(Default)]
pub struct Journal {
    /// What `compat` forgave.
    pub notes: Cell<Notes>,
    /// The route's name and pattern.
    pub(super) route: Cell<Option<(&'static str, &'static str)>>,
    pub(super) actor: RefCell<Option<String>>,
    pub(super) tenant: RefCell<Option<TenantId>>,
    /// The hash of a SCIM token whose holder is not known yet.
    pub(super) token_hash: RefCell<Option<String>>,
    pub(super) body: RefCell<Option<Kept>>,
    pub(super) user_name: RefCell<Option<String>>,
    /// The name that the user has had so far.
    pub(super) former_name: RefCell<Option<String>>,
    /// The user names in the operations of a Bulk request, by their numbers.
    names: RefCell<Vec<Option<String>>>,
    pub(super) resource: RefCell<Option<(&'static str, String)>>,
    pub(super) status: Cell<Option<u16>>,
    pub(super) is_by_size: Cell<bool>,
    pub(super) found_nobody: Cell<bool>,
    /// How many operations of a Bulk request failed, of how many, and why the first of them did.
    pub(super) failures: RefCell<Option<(usize, usize, Error)>>,
    /// The same of those before, where the request is carried out in parts.
    before: RefCell<(usize, usize, Option<Error>)>,
    /// The status in the row that was written with the change.
    pub(super) written: Cell<Option<u16>>,
}

impl Journal {
    pub fn note_route(&self, name: &'static str, pattern: &'static str) {
        self.route.set(Some((name, pattern)));
    }

    /// The route's name and pattern.
    pub fn route(&self) -> Option<(&'static str, &'static str)> {
        self.route.get()
    }

    /// Notes whose credential it is, as the audit trail names them.
    pub fn note_actor(&self, actor: String) {
        *self.actor.borrow_mut() = Some(actor);
    }

    /// Notes the one tenant that a credential is for.
    pub fn note_tenant(&self, tenant: &TenantId) {
        *self.tenant.borrow_mut() = Some(tenant.clone());
    }

    pub fn tenant(&self) -> Option<TenantId> {
        self.tenant.borrow().clone()
    }

    /// Whether somebody has shown who they are.
    pub fn has_actor(&self) -> bool {
        self.actor.borrow().is_some()
    }

    /// Notes the hash of a SCIM token, by which its holder is found where it does not hold.
    pub fn note_token_hash(&self, hash: &str) {
        *self.token_hash.borrow_mut() = Some(hash.to_owned());
    }

    /// Notes the body, without secrets, and whom it is about.
    pub fn note_body(&self, body: &Value) {
        if self.body.borrow().is_none() {
            *self.user_name.borrow_mut() = name_in(body);
            *self.names.borrow_mut() = names_in_operations(body);
            *self.body.borrow_mut() = Some(Kept::of(body));
        }
    }

    /// Notes what the request is about.
    pub fn note_resource(&self, resource_type: &'static str, id: &str) {
        *self.resource.borrow_mut() = Some((resource_type, id.to_owned()));
    }

    /// Notes the name that the user has had so far.
    pub fn note_former_name(&self, name: Option<&str>) {
        *self.former_name.borrow_mut() = name.map(str::to_owned);
    }

    /// Notes what the reply's status will be, where it is another than is usual.
    pub fn expect_status(&self, status: u16) {
        self.status.set(Some(status));
    }

    /// Notes that the status depends on how large the group is.
    pub fn expect_by_size(&self) {
        self.is_by_size.set(true);
    }

    /// Notes that a list is empty.
    pub fn note_nobody(&self) {
        self.found_nobody.set(true);
    }

    /// Whether the row that goes with a change is written, and so the change.
    pub fn is_written(&self) -> bool {
        self.written.get().is_some()
    }

    /// Notes what came of the operations of the same Bulk request that were carried out before: how many failed of how many, and why the
    /// first of them did.
    pub fn note_before(&self, failed: usize, of: usize, first: Option<Error>) {
        *self.before.borrow_mut() = (failed, of, first);
    }

    /// Notes which operations of so many in a Bulk request fail, by their numbers. The request is about the first of them that names somebody:
    /// it is one row of the journal, which is found by one name.
    pub fn note_failures(&self, failed: &[(usize, &Error)], of: usize) {
        let (failed_before, before, first) = &*self.before.borrow();
        let here = failed.first().map(|(_, first)| (*first).clone());
        let first = first.clone().or(here);
        let failures = first.map(|first| (failed_before + failed.len(), before + of, first));
        *self.failures.borrow_mut() = failures;
        let names = self.names.borrow();
        let named = failed
            .iter()
            .find_map(|(number, _)| names.get(*number)?.clone());
        if !names.is_empty() {
            *self.user_name.borrow_mut() = named;
        }
    }
}

/// The user names in the operations of a Bulk request; none where it is no such request.
fn names_in_operations(body: &Value) -> Vec<Option<String>> {
    let field = |value: &Value, name: &str| {
        let mut fields = value.as_object()?.iter();
        let found = fields.find(|(given, _)| given.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.clone())
    };
    let Some(Value::Array(operations)) = field(body, "Operations") else {
        return Vec::new();
    };
    let is_bulk = operations
        .iter()
        .any(|operation| field(operation, "method").is_some());
    let named = |operation: &Value| name_in(&field(operation, "data")?);
    match is_bulk {
        true => operations.iter().map(named).collect(),
        false => Vec::new(),
    }
}

/// The user name that a body gives, changes or looks for.
fn name_in(body: &Value) -> Option<String> {
    let body = body.as_object()?;
    let field = |name: &str| {
        let mut fields = body.iter();
        fields
            .find(|(given, _)| given.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    };
    if let Some(name) = field("userName") {
        return name.as_str().map(str::to_owned);
    }
    if let Some(filter) = field("filter") {
        return name_in_filter(filter.as_str()?);
    }
    let operations = field("Operations")?.as_array()?;
    operations.iter().take(100).find_map(|operation| {
        // Operations of a Bulk request have a method, and are each about somebody else.
        let operation = operation
            .as_object()
            .filter(|operation| !operation.contains_key("method"))?;
        let part = |name: &str| {
            let mut parts = operation.iter();
            parts
                .find(|(given, _)| given.eq_ignore_ascii_case(name))
                .map(|(_, value)| value)
        };
        match part("path").and_then(Value::as_str) {
            Some(path) if path.eq_ignore_ascii_case("userName") => {
                part("value")?.as_str().map(str::to_owned)
            }
            Some(_) => None,
            None => name_in(part("value")?),
        }
    })
}

/// The name that a filter asks for: the first that `userName` is to be equal to, wherever it stands. Of a filter that cannot be read, what
/// follows a `userName eq` at its beginning.
pub(super) fn name_in_filter(filter: &str) -> Option<String> {
    // What is forgiven here is not the request's: it was noted where that read the filter.
    let read = || parse(filter, Profile::Compat);
    match noting(&Cell::default(), read) {
        Ok(filter) => name_asked(&filter),
        Err(_) => {
            let mut words = filter.split_whitespace();
            let begins = words.next()?.eq_ignore_ascii_case("userName")
                && words.next()?.eq_ignore_ascii_case("eq");
            let name = words.next().filter(|_| begins)?;
            Some(name.trim_matches(['"', '\'']).to_owned())
        }
    }
}

fn name_asked(filter: &Filter) -> Option<String> {
    match filter {
        Filter::And(all) | Filter::Or(all) => all.iter().find_map(name_asked),
        Filter::Compare(path, Operator::Equal, Literal::Text(name) | Literal::Number(name)) => {
            let (urn, attribute) = path.text.rsplit_once(':').unwrap_or(("", &path.text));
            let is_core = urn.is_empty() || urn.eq_ignore_ascii_case(USERS.schema.id());
            (is_core && attribute.eq_ignore_ascii_case("userName")).then(|| name.clone())
        }
        _ => None,
    }
}
