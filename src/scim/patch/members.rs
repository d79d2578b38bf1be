//! What a PATCH does to a group's members, without the members.

use serde_json::Value;

use super::operation::{Op, Operation, in_operation};
use crate::ordered::{OrderedMap, OrderedSet};
use crate::scim::error::{Error, Result};
use crate::scim::filter::{Operand, Operator, Predicate};
use crate::scim::profile::Profile;
use crate::scim::schema::{GROUPS, USERS};
use crate::scim::value;

/// Changes to a group's members, as one step from what is there to what is wanted: take away all
/// ([`clear`](Self::clear)), or those that match and those named, then add.
#[derive(Debug, Clone, Default)]
pub struct MemberChanges {
    /// Whether the members there before go, all of them.
    pub clear: bool,
    /// Whether an operation takes them all away and names nobody in their place.
    pub emptied: bool,
    /// Ids to take away.
    pub remove: OrderedSet<String>,
    /// Members to take away are also those that meet one of these.
    pub remove_matching: Vec<Matching>,
    /// Ids to add.
    pub add: OrderedMap<String, Adding>,
    /// The number of the operation at work.
    at: usize,
}

/// How somebody is added.
#[derive(Debug, Clone, Copy)]
pub struct Adding {
    /// The number of the last operation that does.
    pub at: usize,
    /// The type that the client declares: `User` where it says nothing.
    pub declared: &'static str,
}

/// Members to take away by a filter: those that the group had, and those that an operation before this one added. What the
/// latter are is not known here.
#[derive(Debug, Clone)]
pub struct Matching {
    pub filter: Predicate,
    /// The number of the operation among those on members.
    pub at: usize,
    /// Which of the body's operations it is.
    pub index: Option<usize>,
}

impl MemberChanges {
    /// Makes these the group's members, whatever they were.
    pub fn replace_all(&mut self, members: &[Value]) {
        *self = MemberChanges {
            clear: true,
            emptied: self.emptied || members.is_empty(),
            at: self.at,
            ..MemberChanges::default()
        };
        self.add_all(members);
    }

    /// Adds these members to those that are there.
    pub fn adding(members: &[Value]) -> Self {
        let mut changes = MemberChanges::default();
        changes.add_all(members);
        changes
    }

    /// Adds those with their types, and takes these away.
    pub fn by_id(
        add: impl IntoIterator<Item = (String, &'static str)>,
        remove: impl IntoIterator<Item = String>,
    ) -> Self {
        let add = add.into_iter();
        MemberChanges {
            add: add
                .map(|(id, declared)| (id, Adding { at: 0, declared }))
                .collect(),
            remove: remove.into_iter().collect(),
            ..MemberChanges::default()
        }
    }

    fn add_all(&mut self, members: &[Value]) {
        for member in members {
            let Some(id) = id_of(member) else {
                continue;
            };
            self.remove.remove(id);
            let adding = Adding {
                at: self.at,
                declared: declared(member),
            };
            self.add.insert(id.to_owned(), adding);
        }
    }

    fn remove_ids(&mut self, ids: impl IntoIterator<Item = String>) {
        for id in ids {
            self.add.remove(&id);
            if !self.clear {
                self.remove.insert(id);
            }
        }
    }

    /// Whether they name each member by its id, and do not depend on who is there.
    pub fn is_by_id(&self) -> bool {
        !self.clear && self.remove_matching.is_empty()
    }

    /// What all operations together do to the members; each sees what those before it did.
    pub fn of(operations: &[Operation], profile: Profile) -> Result<Self> {
        let mut changes = MemberChanges::default();
        for operation in operations
            .iter()
            .filter(|operation| operation.is_on_members())
        {
            changes
                .take_up(operation, profile)
                .map_err(|error| in_operation(operation.index, error))?;
            changes.at += 1;
        }
        Ok(changes)
    }

    fn take_up(&mut self, operation: &Operation, profile: Profile) -> Result<()> {
        let Operation {
            op, path, value, ..
        } = operation;
        let members = &path.found;
        if members.sub.is_some() {
            return Err(Error::mutability(format!(
                "`{}`: the parts of a member are immutable",
                path.text
            )));
        }
        let read = |value: &Option<Value>| -> Result<Vec<Value>> {
            let value = value.clone().unwrap_or_default();
            match value::read(&members.attribute, value, "members", profile)? {
                Some(Value::Array(members)) => with_ids(members),
                _ => Ok(Vec::new()),
            }
        };
        match (op, &path.filter) {
            (Op::Add, None) => self.add_all(&read(value)?),
            (Op::Replace, None) => self.replace_all(&read(value)?),
            // RFC 7644 §3.5.2.2 knows no value here; Entra names the members to remove in it.
            (Op::Remove, None) => match value {
                None => self.replace_all(&[]),
                Some(_) => {
                    let ids = read(value)?;
                    self.remove_ids(ids.iter().filter_map(id_of).map(str::to_owned));
                }
            },
            (Op::Remove, Some(filter)) => self.remove_by(filter, operation.index),
            (Op::Add | Op::Replace, Some(_)) => {
                return Err(Error::path(format!(
                    "`{}`: members are added by their ids, not by a filter",
                    path.text
                )));
            }
        }
        Ok(())
    }

    /// Who is no member is none afterwards either (RFC 7644 §3.5.2.2, the first example).
    fn remove_by(&mut self, filter: &Predicate, index: Option<usize>) {
        match ids_of(filter) {
            Some(ids) => self.remove_ids(ids),
            None => self.remove_matching.push(Matching {
                filter: filter.clone(),
                at: self.at,
                index,
            }),
        }
    }
}

/// The ids in a filter that is nothing but `value eq "…"`, or several of these with `or`.
fn ids_of(filter: &Predicate) -> Option<Vec<String>> {
    match filter {
        Predicate::Compare(found, Operator::Equal, Operand::Text { key, .. })
            if found.leaf().name() == "value" =>
        {
            Some(vec![key.clone()])
        }
        Predicate::Or(any) => {
            let ids: Option<Vec<_>> = any.iter().map(ids_of).collect();
            ids.map(|ids| ids.into_iter().flatten().collect())
        }
        _ => None,
    }
}

fn declared(member: &Value) -> &'static str {
    let declared = member.get("type").and_then(Value::as_str);
    match declared.is_some_and(|declared| declared.eq_ignore_ascii_case(GROUPS.name)) {
        true => GROUPS.name,
        false => USERS.name,
    }
}

fn id_of(member: &Value) -> Option<&str> {
    member.get("value").and_then(Value::as_str)
}

/// Refuses a member without an id: who was meant cannot be known.
pub fn with_ids(members: Vec<Value>) -> Result<Vec<Value>> {
    match members.iter().position(|member| id_of(member).is_none()) {
        Some(index) => Err(Error::value(format!("members[{index}].value is required"))),
        None => Ok(members),
    }
}
