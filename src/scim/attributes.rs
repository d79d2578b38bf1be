//! The attributes of a resource by their names. Copies of a resource share what they have in common: a change copies the one value that it
//! is about, equal values are found to be so without a look at them, and how long a value's text is, is counted once.

use std::cell::OnceCell;
use std::rc::Rc;

use serde_json::{Map, Value};

use super::budget::Budget;
use super::error::Result;
use super::lengths::Lengths;

/// Attributes in the order in which they were set.
#[derive(Debug, Clone, Default)]
pub struct Attributes {
    held: Vec<(String, Rc<Held>)>,
}

/// A value, and the lengths of its text once somebody has asked for them.
#[derive(Debug)]
struct Held {
    value: Value,
    lengths: OnceCell<Lengths>,
}

impl Attributes {
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.held(name).map(|held| &held.value)
    }

    /// Sets an attribute, in its old place if it has one.
    pub fn insert(&mut self, name: String, value: Value) {
        let new = Rc::new(Held {
            value,
            lengths: OnceCell::new(),
        });
        match self.held.iter_mut().find(|(known, _)| *known == name) {
            Some((_, held)) => *held = new,
            None => self.held.push((name, new)),
        }
    }

    /// Takes an attribute out. A value that a copy of the resource has too is copied, and the budget charged for that.
    pub fn take(&mut self, name: &str, budget: &Budget) -> Result<Option<Value>> {
        let Some(at) = self.held.iter().position(|(known, _)| known == name) else {
            return Ok(None);
        };
        let (_, held) = self.held.remove(at);
        match Rc::try_unwrap(held) {
            Ok(held) => Ok(Some(held.value)),
            Err(shared) => {
                budget.copy(shared.lengths().json)?;
                Ok(Some(shared.value.clone()))
            }
        }
    }

    pub fn remove(&mut self, name: &str) {
        self.held.retain(|(known, _)| known != name);
    }

    pub fn contains_key(&self, name: &str) -> bool {
        self.held(name).is_some()
    }

    pub fn keys(&self) -> impl Iterator<Item = &String> {
        self.held.iter().map(|(name, _)| name)
    }

    /// How long each attribute's texts are, without its name.
    pub fn lengths(&self) -> impl Iterator<Item = (&str, Lengths)> {
        let held = self.held.iter();
        held.map(|(name, held)| (name.as_str(), held.lengths()))
    }

    /// Whether an attribute is the same here and there, or in neither.
    pub fn is_same(&self, name: &str, other: &Attributes) -> bool {
        match (self.held(name), other.held(name)) {
            (Some(one), Some(other)) => Rc::ptr_eq(one, other) || one.value == other.value,
            (one, other) => one.is_none() && other.is_none(),
        }
    }

    fn held(&self, name: &str) -> Option<&Rc<Held>> {
        let (_, held) = self.held.iter().find(|(known, _)| known == name)?;
        Some(held)
    }
}

/// Whatever the order is.
impl PartialEq for Attributes {
    fn eq(&self, other: &Self) -> bool {
        self.held.len() == other.held.len() && self.keys().all(|name| self.is_same(name, other))
    }
}

impl From<Map<String, Value>> for Attributes {
    fn from(object: Map<String, Value>) -> Self {
        let mut attributes = Attributes::default();
        for (name, value) in object {
            attributes.insert(name, value);
        }
        attributes
    }
}

impl Held {
    fn lengths(&self) -> Lengths {
        *self.lengths.get_or_init(|| Lengths::of(&self.value))
    }
}
