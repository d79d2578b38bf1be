//! Replays the conversations of `tests/fixtures/idp`; the format is described there.

use std::collections::BTreeMap;

use http::Request;
use serde_json::Value;

use super::{Answer, ORIGIN, Tenant, World};

/// Replays one file on a tenant of its own; the error names the step and what differs.
pub fn replay(name: &str, profile: &str) -> Result<(), String> {
    let text = std::fs::read_to_string(format!("tests/fixtures/idp/{name}.json"))
        .map_err(|error| error.to_string())?;
    let fixture: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let world = World::new();
    let tenant = world.tenant(profile);
    let mut saved = BTreeMap::new();
    for (index, step) in fixture["steps"]
        .as_array()
        .ok_or("no steps")?
        .iter()
        .enumerate()
    {
        let strict = step.get("strict").filter(|_| profile == "strict");
        if strict == Some(&Value::from("skip")) {
            continue;
        }
        let expect = strict.unwrap_or(&step["expect"]);
        let answer = send(&tenant, &step["send"], &saved);
        check(&answer, expect, &saved).map_err(|difference| {
            format!(
                "{name} ({profile}), step {}: {difference}\n  sent {}\n  got {} {}\n  {}",
                index + 1,
                fill(&step["send"], &saved),
                answer.status,
                answer.body,
                answer.log
            )
        })?;
        if answer.status < 300 {
            for (key, from) in step["save"].as_object().into_iter().flatten() {
                let from = from.as_str().ok_or("a pointer")?;
                let value = match from.strip_prefix("header:") {
                    Some(header) => answer.header(header).to_owned(),
                    None => answer
                        .body
                        .pointer(from)
                        .and_then(Value::as_str)
                        .ok_or_else(|| format!("{name}: nothing to save at {from}"))?
                        .to_owned(),
                };
                saved.insert(key.clone(), value);
            }
        }
    }
    Ok(())
}

/// The names of all files, sorted.
pub fn names() -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir("tests/fixtures/idp")
        .expect("fixtures")
        .filter_map(|entry| {
            let name = entry.expect("a file").file_name();
            Some(name.to_str()?.strip_suffix(".json")?.to_owned())
        })
        .collect();
    names.sort();
    names
}

/// Whether a file is replayed in the strict profile too.
pub fn is_strict(name: &str) -> bool {
    let text = std::fs::read_to_string(format!("tests/fixtures/idp/{name}.json"));
    let fixture: Value = serde_json::from_str(&text.expect("a fixture")).expect("JSON");
    fixture["strict"] == true
}

type Saved = BTreeMap<String, String>;

fn send(tenant: &Tenant<'_>, send: &Value, saved: &Saved) -> Answer {
    let send = fill(send, saved);
    let base = match send["base"].as_str() {
        Some("token") => "/scim/v2".to_owned(),
        _ => tenant.base(),
    };
    let path = send["path"].as_str().expect("a path");
    let mut request = Request::builder()
        .method(send["method"].as_str().expect("a method"))
        .uri(format!("{ORIGIN}{base}{path}"));
    request = match send["auth"].as_str() {
        Some("none") => request,
        Some("bare") => request.header("authorization", &tenant.token),
        Some("bad") => request.header("authorization", "Bearer rcs_not-a-token"),
        _ => request.header("authorization", format!("Bearer {}", tenant.token)),
    };
    let body = match (&send["raw"], send.get("body")) {
        (Value::String(raw), _) => Some(raw.clone()),
        (_, Some(body)) => Some(body.to_string()),
        _ => None,
    };
    let mut typed = false;
    for (name, value) in send["headers"].as_object().into_iter().flatten() {
        typed |= name == "content-type";
        request = request.header(name, value.as_str().expect("a header"));
    }
    if body.is_some() && !typed {
        request = request.header("content-type", "application/scim+json");
    }
    let body = body.unwrap_or_default().into_bytes();
    tenant.world.send(request.body(body).expect("a request"))
}

/// Puts saved values in the place of their names.
fn fill(value: &Value, saved: &Saved) -> Value {
    match value {
        Value::String(text) => Value::String(fill_text(text, saved)),
        Value::Array(values) => values.iter().map(|value| fill(value, saved)).collect(),
        Value::Object(object) => Value::Object(
            object
                .iter()
                .map(|(name, value)| (name.clone(), fill(value, saved)))
                .collect(),
        ),
        other => other.clone(),
    }
}

fn fill_text(text: &str, saved: &Saved) -> String {
    saved.iter().fold(text.to_owned(), |text, (name, value)| {
        text.replace(&format!("{{{{{name}}}}}"), value)
    })
}

fn check(answer: &Answer, expect: &Value, saved: &Saved) -> Result<(), String> {
    let expect = fill(expect, saved);
    if expect["status"] != answer.status {
        return Err(format!("status {} was expected", expect["status"]));
    }
    for (name, wanted) in expect["headers"].as_object().into_iter().flatten() {
        let found = answer
            .headers
            .get(name)
            .and_then(|value| value.to_str().ok());
        let holds = match (wanted.as_str().unwrap_or_default(), found) {
            ("{{absent}}", found) => found.is_none(),
            ("{{any}}", found) => found.is_some(),
            (wanted, Some(found)) => text_matches(wanted, found),
            (_, None) => false,
        };
        if !holds {
            return Err(format!(
                "header {name}: {wanted} was expected, not {found:?}"
            ));
        }
    }
    match expect.get("body") {
        None => {}
        Some(Value::Null) if answer.body.is_null() => {}
        Some(Value::Null) => return Err("no body was expected".to_owned()),
        Some(wanted) => matches(wanted, &answer.body, "")?,
    }
    for pointer in expect["absent"].as_array().into_iter().flatten() {
        let pointer = pointer.as_str().unwrap_or_default();
        if answer.body.pointer(pointer).is_some() {
            return Err(format!("{pointer} was not expected"));
        }
    }
    Ok(())
}

fn matches(wanted: &Value, found: &Value, at: &str) -> Result<(), String> {
    let differs = || Err(format!("at {at}: {wanted} was expected, not {found}"));
    match (wanted, found) {
        (Value::String(text), found) if text == "{{any}}" => match found.is_null() {
            true => differs(),
            false => Ok(()),
        },
        (Value::String(wanted), Value::String(text)) => match text_matches(wanted, text) {
            true => Ok(()),
            false => differs(),
        },
        (Value::Object(object), found) if object.contains_key("{{unordered}}") => {
            let wanted = object["{{unordered}}"].as_array().expect("an array");
            let Value::Array(found) = found else {
                return differs();
            };
            let mut rest: Vec<&Value> = found.iter().collect();
            for wanted in wanted {
                let Some(index) = rest
                    .iter()
                    .position(|found| matches(wanted, found, at).is_ok())
                else {
                    return Err(format!("at {at}: nothing matches {wanted} in {found:?}"));
                };
                rest.remove(index);
            }
            match rest.is_empty() {
                true => Ok(()),
                false => Err(format!("at {at}: {rest:?} was not expected")),
            }
        }
        (Value::Object(wanted), Value::Object(found)) => {
            wanted.iter().try_for_each(|(name, wanted)| {
                matches(
                    wanted,
                    found.get(name).unwrap_or(&Value::Null),
                    &format!("{at}/{name}"),
                )
            })
        }
        (Value::Array(wanted), Value::Array(found)) if wanted.len() == found.len() => wanted
            .iter()
            .zip(found)
            .enumerate()
            .try_for_each(|(index, (wanted, found))| {
                matches(wanted, found, &format!("{at}/{index}"))
            }),
        (wanted, found) if wanted == found => Ok(()),
        _ => differs(),
    }
}

fn text_matches(wanted: &str, found: &str) -> bool {
    match wanted
        .strip_prefix("{{suffix:")
        .and_then(|rest| rest.strip_suffix("}}"))
    {
        Some(suffix) => found.ends_with(suffix),
        None => wanted == found,
    }
}
