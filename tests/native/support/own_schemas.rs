//! Schemas of a tenant's own, drawn at random.

use serde_json::{Value, json};

use super::population::Dice;

/// Times that are the same, or not, however they are written.
pub const TIMES: [&str; 6] = [
    "2026-01-01T00:00:00Z",
    "2026-01-01T01:00:00+01:00",
    "2026-01-01T00:00:00.001Z",
    "2025-12-31T23:59:59.9999999Z",
    "1969-07-20T20:17:40Z",
    "0001-01-01T00:00:00Z",
];
const NAMES: [&str; 12] = [
    "code",
    "Cost-Centre",
    "level",
    "since",
    "remote",
    "page",
    "seal",
    "desks",
    "place",
    "tags",
    "share_of",
    "x1",
];
const KINDS: [&str; 7] = [
    "string",
    "boolean",
    "decimal",
    "integer",
    "dateTime",
    "binary",
    "reference",
];
const SUBS: [&str; 5] = ["value", "type", "primary", "display", "floor"];

/// An attribute of a simple kind, or with its parts of a complex one.
fn attribute(dice: &mut Dice, name: &str, is_part: bool) -> Value {
    let is_complex = !is_part && dice.one_in(3);
    let kind = match name {
        "primary" => "boolean",
        _ if is_complex => "complex",
        _ => dice.pick(&KINDS),
    };
    let mut attribute = json!({"name": name, "type": kind});
    if !is_part && dice.one_in(2) {
        attribute["multiValued"] = true.into();
    }
    if kind == "string" && dice.one_in(2) {
        attribute["caseExact"] = true.into();
    }
    if kind == "reference" {
        attribute["referenceTypes"] = json!(["external"]);
    }
    if is_complex {
        let subs = SUBS.iter().take(1 + dice.below(SUBS.len()));
        attribute["subAttributes"] = subs.map(|name| self::attribute(dice, name, true)).collect();
    }
    attribute
}

/// Two of users and one of groups, as they are declared. Up to three of their attributes are looked up by.
pub fn draw(dice: &mut Dice) -> Vec<Value> {
    let mut lookups = 3;
    let urns = [
        (
            "urn:ietf:params:scim:schemas:extension:drawn.one:2.0:User",
            "User",
        ),
        ("urn:drawn:two", "User"),
        (
            "urn:ietf:params:scim:schemas:extension:drawn:2.0:Group",
            "Group",
        ),
    ];
    urns.map(|(urn, resource_type)| {
        let mut names = NAMES.to_vec();
        let count = 2 + dice.below(5);
        let attributes = (0..count).map(|_| {
            let name = names.remove(dice.below(names.len()));
            let mut attribute = attribute(dice, name, false);
            let is_text = ["string", "reference"].contains(&attribute["type"].as_str().expect("a type"));
            if is_text && lookups > 0 && dice.one_in(2) {
                lookups -= 1;
                attribute["lookup"] = true.into();
            }
            attribute
        });
        let attributes: Vec<Value> = attributes.collect();
        json!({"id": urn, "resource_type": resource_type, "name": "Drawn", "attributes": attributes})
    })
    .into()
}
