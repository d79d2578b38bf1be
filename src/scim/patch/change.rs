//! What one operation makes of one attribute's value (RFC 7644 §3.5.2.1 to §3.5.2.3).

use serde_json::{Map, Value};

use super::operation::Op;
use super::path::Path;
use crate::ordered::OrderedSet;
use crate::scim::budget::Budget;
use crate::scim::error::{Error, Result};
use crate::scim::filter::evaluate::Keys;
use crate::scim::forgiven::{Forgiven, note};
use crate::scim::lengths::Lengths;
use crate::scim::profile::Profile;
use crate::scim::value::{self, Parts};

pub fn into_array(value: Option<Value>) -> Vec<Value> {
    match value {
        None => Vec::new(),
        Some(Value::Array(values)) => values,
        Some(one) => vec![one],
    }
}

pub fn first(values: Value) -> Value {
    match values {
        Value::Array(mut values) if !values.is_empty() => values.swap_remove(0),
        other => other,
    }
}

/// One operation on one attribute. Each function takes the attribute's current value and gives the new one, none
/// where the attribute is unassigned afterwards.
pub struct Change<'p> {
    pub op: Op,
    pub path: &'p Path,
    pub profile: Profile,
    pub budget: &'p Budget,
}

impl Change<'_> {
    pub fn single(&self, current: Option<Value>, value: Option<Value>) -> Result<Option<Value>> {
        match (self.given(value), current) {
            (None, _) => Ok(None),
            (Some(Value::Object(new)), Some(Value::Object(current))) => self.merged(current, new),
            (Some(value), _) => self.read(value),
        }
    }

    /// A complex value with other sub-attributes; none where it has none left.
    fn merged(
        &self,
        mut current: Map<String, Value>,
        new: Map<String, Value>,
    ) -> Result<Option<Value>> {
        let attribute = &self.path.found.attribute;
        let parts = value::read_object(attribute, new, &self.path.text, self.profile)?;
        parts.merge_into(&mut current);
        Ok((!current.is_empty()).then_some(Value::Object(current)))
    }

    pub fn sub_of_single(
        &self,
        current: Option<Value>,
        value: Option<Value>,
    ) -> Result<Option<Value>> {
        let mut object = match current {
            Some(Value::Object(object)) => object,
            _ => Map::new(),
        };
        if let Some(said) = self.said(value)? {
            said.merge_into(&mut object);
        }
        Ok((!object.is_empty()).then_some(Value::Object(object)))
    }

    pub fn multi(&self, current: Option<Value>, value: Option<Value>) -> Result<Option<Value>> {
        let mut values = into_array(current);
        match (self.op, value) {
            (Op::Remove, None | Some(Value::Null)) => return Ok(None),
            (Op::Remove, Some(value)) => {
                let gone = into_array(self.read(value)?);
                self.charge_for_each(&values, &gone)?;
                values.retain(|value| !gone.iter().any(|gone| same_value(value, gone)));
            }
            (Op::Replace, Some(value)) => return self.read(value),
            (Op::Add, Some(value)) => {
                let new = into_array(self.read(value)?);
                self.charge_for_each(&values, &new)?;
                self.charge_for_each(&new, &new)?;
                let mut touched = OrderedSet::new();
                for new in new {
                    touched.insert(value::add(&mut values, new));
                }
                self.limit(values.len())?;
                self.flip_primary(&mut values, |index| touched.contains(&index))?;
            }
            (Op::Add | Op::Replace, None) => {}
        }
        Ok((!values.is_empty()).then_some(Value::Array(values)))
    }

    /// Charges for comparing each value that is there with each one that is named.
    fn charge_for_each(&self, there: &[Value], named: &[Value]) -> Result<()> {
        let bytes = named.iter().map(|named| Lengths::of(named).json);
        let bytes = bytes.sum::<usize>().saturating_mul(there.len());
        self.budget.steps(there.len().saturating_mul(named.len()))?;
        self.budget.compare(bytes)
    }

    /// The same limit as for values that come all at once.
    fn limit(&self, values: usize) -> Result<()> {
        match values > value::MAX_VALUES {
            true => Err(Error::value(format!(
                "`{}` would have {values} values; {} are allowed",
                self.path.text,
                value::MAX_VALUES
            ))),
            false => Ok(()),
        }
    }

    fn read(&self, value: Value) -> Result<Option<Value>> {
        value::read(
            &self.path.found.attribute,
            value,
            &self.path.text,
            self.profile,
        )
    }

    /// The elements that the path's filter selects, or all of them where it has none. `keys` are those of the values, as far as they are
    /// known; they are brought to those of the new ones.
    pub fn elements(
        &self,
        values: Vec<Value>,
        value: Option<Value>,
        keys: &mut Vec<Keys>,
    ) -> Result<Option<Value>> {
        let said = self.said(value)?;
        keys.resize_with(values.len(), Keys::default);
        let mut selected = Vec::with_capacity(values.len());
        for (value, keys) in values.iter().zip(keys.iter_mut()) {
            selected.push(self.selects(value, keys)?);
        }
        let count = selected.iter().filter(|selected| **selected).count();
        if count == 0 {
            return self.missed(values, said, keys);
        }
        self.charge_for_changes(count, said.as_ref())?;
        let mut result = Vec::with_capacity(values.len());
        let mut touched = Vec::with_capacity(values.len());
        let known = std::mem::replace(keys, Vec::with_capacity(values.len()));
        for ((element, selected), known) in values.into_iter().zip(selected).zip(known) {
            let (element, known) = match (selected, element) {
                (true, Value::Object(object)) => {
                    (self.changed(object, said.as_ref()), Keys::default())
                }
                (_, element) => (Some(element), known),
            };
            if let Some(element) = element {
                result.push(element);
                touched.push(selected);
                keys.push(known);
            }
        }
        self.flip_primary(&mut result, |index| touched.get(index) == Some(&true))?;
        Ok(non_empty(result))
    }

    fn selects(&self, value: &Value, keys: &mut Keys) -> Result<bool> {
        match &self.path.filter {
            Some(filter) => keys.meet(filter, value, self.budget),
            None => self.budget.steps(1).map(|()| true),
        }
    }

    /// Charges for so many elements that each get what the operation says.
    fn charge_for_changes(&self, count: usize, said: Option<&Parts>) -> Result<()> {
        let lengths = |said: &Parts| {
            let given = said.given.iter();
            let lengths = given.map(|(name, value)| name.len() + Lengths::of(value).json);
            lengths.sum()
        };
        self.budget.change(count, said.map_or(0, lengths))
    }

    /// What the operation says of each element that it means, its value read once; none where the element goes.
    fn said(&self, value: Option<Value>) -> Result<Option<Parts>> {
        let attribute = &self.path.found.attribute;
        let at = &self.path.text;
        if let Some(sub) = &self.path.found.sub {
            let read = match self.given(value) {
                Some(value) => value::read(sub, value, at, self.profile)?,
                None => None,
            };
            return Ok(Some(Parts::of_one(sub, read)));
        }
        let Some(value) = self.given(value) else {
            return Ok(None);
        };
        match value::unwrap_single(value, self.profile) {
            Value::Object(object) => {
                value::read_object(attribute, object, at, self.profile).map(Some)
            }
            other => Ok(match value::read_one(attribute, other, at, self.profile)? {
                Some(Value::Object(given)) => Some(Parts::new(given)),
                _ => None,
            }),
        }
    }

    /// An element after the operation. `compat` changes what is named and keeps the rest, so that the filter finds the element the next time;
    /// in `strict` a whole element is replaced (RFC 7644 §3.5.2.3).
    fn changed(&self, element: Map<String, Value>, said: Option<&Parts>) -> Option<Value> {
        let said = said?;
        let is_whole = self.path.found.sub.is_none() && self.op == Op::Replace;
        let mut changed = match is_whole && self.profile.is_strict() {
            true => Map::new(),
            false => element,
        };
        said.merge_into(&mut changed);
        // What is left when a client clears `emails[type eq "work"].value` says nothing any more.
        let says_nothing = changed
            .keys()
            .all(|name| matches!(name.as_str(), "type" | "primary"));
        let cleared = !said.cleared.is_empty() && !self.profile.is_strict();
        let gone = changed.is_empty() || (cleared && says_nothing);
        (!gone).then_some(Value::Object(changed))
    }

    /// Nothing is selected: an element is made that the filter selects from then on, of what the filter says by plain equality and what the
    /// operation gives.
    fn missed(
        &self,
        mut values: Vec<Value>,
        said: Option<Parts>,
        keys: &mut Vec<Keys>,
    ) -> Result<Option<Value>> {
        let no_target = |why: &str| Error::no_target(format!("`{}` {why}", self.path.text));
        match (self.op, self.profile) {
            // RFC 7644 §3.12: no target is what a filter does not find.
            (Op::Remove | Op::Replace, Profile::Strict) if self.path.filter.is_some() => {
                return Err(no_target("matches no value"));
            }
            (Op::Remove, _) => return Ok(non_empty(values)),
            (Op::Replace, _) if self.path.filter.is_some() => note(Forgiven::ElementMade),
            (Op::Add | Op::Replace, _) => {}
        }
        // What clears something has nothing to make.
        let said = said.filter(|said| !said.given.is_empty());
        let Some(made) = self.changed(self.implied()?, said.as_ref()) else {
            return Ok(non_empty(values));
        };
        self.charge_for_each(&values, std::slice::from_ref(&made))?;
        let at = value::add(&mut values, made);
        keys.resize_with(values.len(), Keys::default);
        let is_found = match (values.get(at), keys.get_mut(at)) {
            (Some(made), Some(keys)) => {
                *keys = Keys::default();
                self.selects(made, keys)?
            }
            _ => false,
        };
        if !is_found {
            return Err(no_target(
                "matches no value, and not the one that it would make",
            ));
        }
        self.limit(values.len())?;
        self.flip_primary(&mut values, |index| index == at)?;
        Ok(non_empty(values))
    }

    /// The sub-attributes of an element that the filter asks for.
    fn implied(&self) -> Result<Map<String, Value>> {
        let mut implied = Map::new();
        for (sub, value) in self.path.implied() {
            if let Some(value) = value::read_one(&sub, value, &self.path.text, self.profile)? {
                implied.insert(sub.name().to_owned(), value);
            }
        }
        Ok(implied)
    }

    /// The operation's value, none where it removes.
    fn given(&self, value: Option<Value>) -> Option<Value> {
        match self.op {
            Op::Remove => None,
            Op::Add | Op::Replace => value,
        }
    }

    /// Where the operation made a value primary, no other one stays so (RFC 7644 §3.5.2).
    fn flip_primary(&self, values: &mut [Value], touched: impl Fn(usize) -> bool) -> Result<()> {
        let is_primary = |value: &Value| value.get("primary") == Some(&Value::Bool(true));
        let flips = values
            .iter()
            .enumerate()
            .any(|(index, value)| touched(index) && is_primary(value));
        if flips {
            for (index, value) in values.iter_mut().enumerate() {
                if !touched(index)
                    && is_primary(value)
                    && let Some(object) = value.as_object_mut()
                {
                    object.insert("primary".to_owned(), Value::Bool(false));
                }
            }
        }
        value::one_primary(values, &self.path.text, self.profile)
    }
}

fn non_empty(values: Vec<Value>) -> Option<Value> {
    (!values.is_empty()).then_some(Value::Array(values))
}

/// Whether a client means this value by that one: the same `value`, whatever else it sent along.
fn same_value(value: &Value, named: &Value) -> bool {
    match (value.get("value"), named.get("value")) {
        (Some(value), Some(named)) => value == named,
        _ => value == named,
    }
}
