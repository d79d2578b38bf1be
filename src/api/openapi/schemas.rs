//! Schemas of the types that read bodies and write replies, by their names, as generators of clients understand them.

use schemars::JsonSchema;
use schemars::generate::{SchemaGenerator, SchemaSettings};
use serde_json::{Map, Value};

/// Which way a body goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// In a request.
    In,
    /// In a reply.
    Out,
}

/// What is collected while the routes are described.
pub struct Schemas {
    requests: SchemaGenerator,
    replies: SchemaGenerator,
}

impl Schemas {
    pub fn new() -> Self {
        let settings = SchemaSettings::draft2020_12().with(|settings| {
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
        });
        Schemas {
            requests: settings.clone().for_deserialize().into_generator(),
            replies: settings.for_serialize().into_generator(),
        }
    }

    /// A reference to what a request's body is read as.
    pub fn request<T: JsonSchema>(&mut self) -> Value {
        self.requests.subschema_for::<T>().to_value()
    }

    /// A reference to what a reply is written from.
    pub fn reply<T: JsonSchema>(&mut self) -> Value {
        self.replies.subschema_for::<T>().to_value()
    }

    /// All that was referred to.
    pub fn finish(mut self) -> Map<String, Value> {
        let mut all = self.requests.take_definitions(true);
        let mut replies = self.replies.take_definitions(true);
        all.values_mut().for_each(|schema| tidy(schema, Way::In));
        replies
            .values_mut()
            .for_each(|schema| tidy(schema, Way::Out));
        // What is one thing in requests and another in replies (where nothing is left to a default) has two names.
        let differs = |(name, schema): (&String, &Value)| {
            let other = all.get(name).is_some_and(|other| other != schema);
            other.then(|| name.clone())
        };
        for name in replies.iter().filter_map(differs).collect::<Vec<_>>() {
            if let Some(schema) = replies.remove(&name) {
                replies.insert(format!("{name}Response"), schema);
            }
            let old = format!("#/components/schemas/{name}");
            let new = format!("{old}Response");
            replies
                .values_mut()
                .for_each(|schema| redirect(schema, &old, &new));
        }
        all.extend(replies);
        all
    }
}

/// Makes a derived schema, and all within it, one that people and generators read as it is meant.
fn tidy(schema: &mut Value, way: Way) {
    match schema {
        Value::Array(values) => values.iter_mut().for_each(|value| tidy(value, way)),
        Value::Object(object) => {
            unlink(object);
            tell_default(object, way);
            gather_constants(object);
            for (name, value) in object {
                match value {
                    // Names of fields, which mean nothing in a schema.
                    Value::Object(fields) if name == "properties" => {
                        fields.values_mut().for_each(|value| tidy(value, way));
                    }
                    value => tidy(value, way),
                }
            }
        }
        _ => {}
    }
}

/// Takes the links to code out of a description, which is the type's own documentation.
fn unlink(schema: &mut Map<String, Value>) {
    if let Some(Value::String(text)) = schema.get_mut("description") {
        *text = text.replace("[`", "`").replace("`]", "`");
    }
}

/// Says the default of a request's field in words, and none in a reply, where nothing is left out. A generator may require what has a
/// default, as if its value were always there. Null needs no words.
fn tell_default(schema: &mut Map<String, Value>, way: Way) {
    let words = match schema.remove("default") {
        None | Some(Value::Null) => return,
        Some(Value::String(text)) => text,
        Some(value) => value.to_string(),
    };
    if way == Way::In {
        describe_more(schema, &format!("`{words}` where it is left out."));
    }
}

/// Writes a choice of constants as one `enum`: to a generator the variants are a union of types.
fn gather_constants(schema: &mut Map<String, Value>) {
    let Some(variants) = schema.get("oneOf").and_then(Value::as_array).cloned() else {
        return;
    };
    let constants = |variant: &Value| match (variant.get("const"), variant.get("enum")) {
        (Some(constant), None) => Some(vec![constant.clone()]),
        (None, Some(Value::Array(constants))) => Some(constants.clone()),
        _ => None,
    };
    let Some(all) = variants.iter().map(constants).collect::<Option<Vec<_>>>() else {
        return;
    };
    schema.remove("oneOf");
    schema.insert("type".to_owned(), "string".into());
    schema.insert("enum".to_owned(), all.concat().into());
    for variant in &variants {
        let constant = variant.get("const").and_then(Value::as_str);
        let about = variant.get("description").and_then(Value::as_str);
        if let (Some(constant), Some(about)) = (constant, about) {
            describe_more(schema, &format!("`{constant}`: {about}"));
        }
    }
}

fn describe_more(schema: &mut Map<String, Value>, more: &str) {
    let before = schema.get("description").and_then(Value::as_str);
    let description = match before {
        Some(before) => format!("{before} {more}"),
        None => more.to_owned(),
    };
    schema.insert("description".to_owned(), description.into());
}

/// Lets references to one schema lead to another.
fn redirect(schema: &mut Value, old: &str, new: &str) {
    match schema {
        Value::String(reference) if reference == old => new.clone_into(reference),
        Value::Array(values) => values
            .iter_mut()
            .for_each(|value| redirect(value, old, new)),
        Value::Object(object) => object
            .values_mut()
            .for_each(|value| redirect(value, old, new)),
        _ => {}
    }
}
