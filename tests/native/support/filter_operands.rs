//! Comparisons of random filters as text: operators, and values at or near those that a population has.

use chrono::{DateTime, FixedOffset};
use rollcall::scim::schema::{Attribute, Kind};
use serde_json::Value;

use super::filter_text::Choice;
use super::population::WORDS;

/// One comparison on a path: operator and value, or `pr`.
pub fn operation(
    path: &str,
    leaf: &Attribute,
    values: &[Value],
    choice: &Choice,
    lenient: bool,
) -> String {
    const OPERATORS: [&str; 9] = ["eq", "ne", "gt", "ge", "lt", "le", "sw", "co", "ew"];
    let operator = match choice.operator {
        11 => return format!("{path} {}", cased("pr".to_owned(), choice.style)),
        // What a type does not allow is asked for now and then, to be refused.
        _ if matches!(leaf.kind, Kind::Boolean | Kind::Binary) && choice.cut > 0 => {
            OPERATORS[choice.operator % 2]
        }
        _ if matches!(leaf.kind, Kind::DateTime | Kind::Integer | Kind::Decimal)
            && choice.cut > 0 =>
        {
            OPERATORS[choice.operator % 6]
        }
        // The indexed ones more often.
        9 => "sw",
        10 => "eq",
        operator => OPERATORS[operator],
    };
    let value = match values.len() {
        0 => Value::from(WORDS[choice.value % WORDS.len()]),
        many => values[choice.value % many].clone(),
    };
    let operand = match (leaf.kind, choice.twist) {
        (_, 11) if matches!(operator, "eq" | "ne") => "null".to_owned(),
        (Kind::Boolean, twist) => boolean(twist, lenient),
        (Kind::Integer | Kind::Decimal, twist) => number(&value, twist),
        (Kind::DateTime, twist) => quoted(&moment(&value, twist, choice.cut), 0),
        (_, 10) if lenient => {
            ["42", "1e2", "true", "unquoted", "'in apostrophes'"][choice.cut % 5].to_owned()
        }
        (_, twist) => {
            let value = value.as_str().unwrap_or("anna");
            quoted(&twisted(value, twist, choice), choice.cut)
        }
    };
    format!(
        "{path} {} {operand}",
        cased(operator.to_owned(), choice.style)
    )
}

/// A number that there is, or one beside it.
fn number(value: &Value, twist: usize) -> String {
    let number = value.as_f64().unwrap_or(1.0);
    let beside = [0.0, 0.0, 0.0, 0.25, -0.25, 1.0, -1.0, 0.5][twist % 8];
    Value::from(number + beside).to_string()
}

fn boolean(twist: usize, lenient: bool) -> String {
    match twist {
        0 if lenient => "\"True\"",
        1 if lenient => "False",
        twist if twist.is_multiple_of(2) => "true",
        _ => "false",
    }
    .to_owned()
}

/// A time at or near the one given, as seen elsewhere, down to ten millionths of a second.
fn moment(value: &Value, twist: usize, cut: usize) -> String {
    let time = value
        .as_str()
        .and_then(|text| DateTime::parse_from_rfc3339(text).ok())
        .unwrap_or_default();
    let hours = [0, 5, -8, 14][cut % 4];
    let there = time.with_timezone(
        &FixedOffset::east_opt(hours * 3_600 + 1_800 * (hours % 2)).expect("an offset"),
    );
    let seconds = there.format("%Y-%m-%dT%H:%M:%S");
    let millis = there.timestamp_subsec_millis();
    let offset = there.format("%:z");
    match twist {
        0..4 => format!("{seconds}.{millis:03}{offset}"),
        4 | 5 => format!("{seconds}.{millis:03}0000{offset}"),
        6 => format!("{seconds}.{millis:03}0001{offset}"),
        7 => format!("{seconds}.{millis:03}9999{offset}"),
        8 => format!("{seconds}{offset}"),
        // Without an offset it is UTC.
        9 => time.to_utc().format("%Y-%m-%dT%H:%M:%S%.3f").to_string(),
        _ => format!("{}.{millis:03}Z", time.to_utc().format("%Y-%m-%dT%H:%M:%S")),
    }
}

/// The value itself, or something near it.
fn twisted(value: &str, twist: usize, choice: &Choice) -> String {
    let characters: Vec<char> = value.chars().collect();
    let cut = choice.cut.min(characters.len());
    match twist {
        0..3 => value.to_owned(),
        3 => value.to_uppercase(),
        4 => value.to_lowercase(),
        5 => characters[..cut].iter().collect(),
        6 => characters[characters.len() - cut..].iter().collect(),
        7 => characters[cut..].iter().collect(),
        8 => WORDS[choice.value % WORDS.len()].to_owned(),
        9 => format!("{value}{}", WORDS[choice.value % WORDS.len()]),
        // More often for the operators that have prefixes, of which the last character is the hard one.
        10 => WORDS[choice.value % WORDS.len()].chars().take(1).collect(),
        _ => String::new(),
    }
}

/// A JSON string; now and then with every character escaped that can be.
fn quoted(text: &str, style: usize) -> String {
    if style != 1 {
        return Value::from(text).to_string();
    }
    let units: String = text
        .encode_utf16()
        .map(|unit| format!("\\u{unit:04x}"))
        .collect();
    format!("\"{units}\"")
}

pub fn cased(text: String, style: usize) -> String {
    match style {
        6 => text.to_ascii_uppercase(),
        7 => text.to_ascii_lowercase(),
        _ => text,
    }
}
