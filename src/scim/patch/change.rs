//! What one operation makes of one attribute's value (RFC 7644 §3.5.2.1 to §3.5.2.3).

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{Op, Path};
use crate::scim::error::{Error, Result};
use crate::scim::filter::evaluate::element_matches;
use crate::scim::profile::Profile;
use crate::scim::schema::Attribute;
use crate::scim::value;

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
        let attribute = self.path.found.attribute;
        let parts = value::read_object(attribute, new, &self.path.text, self.profile)?;
        parts.merge_into(&mut current);
        Ok((!current.is_empty()).then_some(Value::Object(current)))
    }

    pub fn sub_of_single(
        &self,
        current: Option<Value>,
        sub: &'static Attribute,
        value: Option<Value>,
    ) -> Result<Option<Value>> {
        let mut object = match current {
            Some(Value::Object(object)) => object,
            _ => Map::new(),
        };
        self.set_sub(&mut object, sub, value)?;
        Ok((!object.is_empty()).then_some(Value::Object(object)))
    }

    pub fn multi(&self, current: Option<Value>, value: Option<Value>) -> Result<Option<Value>> {
        let mut values = into_array(current);
        match (self.op, value) {
            (Op::Remove, None | Some(Value::Null)) => return Ok(None),
            (Op::Remove, Some(value)) => {
                let gone = into_array(self.read(value)?);
                values.retain(|value| !gone.iter().any(|gone| same_value(value, gone)));
            }
            (Op::Replace, Some(value)) => return self.read(value),
            (Op::Add, Some(value)) => {
                let mut touched = BTreeSet::new();
                for new in into_array(self.read(value)?) {
                    touched.insert(value::add(&mut values, new));
                }
                self.limit(values.len())?;
                self.flip_primary(&mut values, |index| touched.contains(&index))?;
            }
            (Op::Add | Op::Replace, None) => {}
        }
        Ok((!values.is_empty()).then_some(Value::Array(values)))
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
            self.path.found.attribute,
            value,
            &self.path.text,
            self.profile,
        )
    }

    /// The elements that the path's filter selects, or all of them where it has none.
    pub fn elements(&self, mut values: Vec<Value>, value: Option<Value>) -> Result<Option<Value>> {
        let selects = |value: &Value| match &self.path.filter {
            Some(filter) => element_matches(filter, value),
            None => true,
        };
        let mut selected: Vec<bool> = values.iter().map(selects).collect();
        if !selected.contains(&true) {
            match (self.op, self.profile) {
                // RFC 7644 §3.12: no target is what a filter does not find.
                (Op::Remove | Op::Replace, Profile::Strict) if self.path.filter.is_some() => {
                    return Err(Error::no_target(format!(
                        "`{}` matches no value",
                        self.path.text
                    )));
                }
                (Op::Remove, _) => return Ok(non_empty(values)),
                (Op::Add | Op::Replace, _) => {
                    values.push(self.implied_element());
                    self.limit(values.len())?;
                    selected.push(true);
                }
            }
        }
        let mut result = Vec::with_capacity(values.len());
        let mut touched = Vec::with_capacity(values.len());
        for (element, selected) in values.into_iter().zip(selected) {
            let element = match selected {
                true => self.element(element, value.clone())?,
                false => Some(element),
            };
            if let Some(element) = element {
                result.push(element);
                touched.push(selected);
            }
        }
        self.flip_primary(&mut result, |index| touched.get(index) == Some(&true))?;
        Ok(non_empty(result))
    }

    fn element(&self, element: Value, value: Option<Value>) -> Result<Option<Value>> {
        let Value::Object(mut object) = element else {
            return Ok(Some(element));
        };
        let Some(sub) = self.path.found.sub else {
            return match (self.op, self.given(value)) {
                (_, None) => Ok(None),
                (Op::Add, Some(Value::Object(new))) => self.merged(object, new),
                (op, Some(value)) => {
                    let attribute = self.path.found.attribute;
                    let read = value::read_one(attribute, value, &self.path.text, self.profile)?;
                    Ok(match (op, read) {
                        // A text that stands for the whole value is its `value`, and no more than that.
                        (Op::Add, Some(Value::Object(new))) => {
                            object.extend(new);
                            Some(Value::Object(object))
                        }
                        (_, read) => read,
                    })
                }
            };
        };
        let cleared = !self.set_sub(&mut object, sub, value)?;
        // What is left when a client clears `emails[type eq "work"].value` says nothing any more.
        let says_nothing = object
            .keys()
            .all(|name| matches!(name.as_str(), "type" | "primary"));
        let gone = object.is_empty() || (cleared && says_nothing && !self.profile.is_strict());
        Ok((!gone).then_some(Value::Object(object)))
    }

    /// Sets or removes a sub-attribute; tells whether it has a value afterwards.
    fn set_sub(
        &self,
        object: &mut Map<String, Value>,
        sub: &'static Attribute,
        value: Option<Value>,
    ) -> Result<bool> {
        let read = match self.given(value) {
            Some(value) => value::read(sub, value, &self.path.text, self.profile)?,
            None => None,
        };
        Ok(match read {
            Some(value) => {
                object.insert(sub.name.to_owned(), value);
                true
            }
            None => {
                object.shift_remove(sub.name);
                false
            }
        })
    }

    /// The operation's value, none where it removes.
    fn given(&self, value: Option<Value>) -> Option<Value> {
        match self.op {
            Op::Remove => None,
            Op::Add | Op::Replace => value,
        }
    }

    fn implied_element(&self) -> Value {
        let implied = self.path.implied().into_iter();
        let object: Map<String, Value> = implied
            .map(|(sub, value)| (sub.name.to_owned(), value))
            .collect();
        Value::Object(object)
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
