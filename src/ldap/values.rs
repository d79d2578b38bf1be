//! Values of attributes whose form is their own: ids and times.

use std::fmt::Write;

use chrono::{DateTime, NaiveDate, SecondsFormat, TimeDelta};
use uuid::Uuid;

/// The text of a value that identifies an entry; none for an empty one.
///
/// `objectGUID` of Active Directory is 16 bytes, the first three numbers of the UUID with their bytes in reverse ([MS-DTYP] §2.3.4.2); a UUID in
/// text, as `entryUUID` of RFC 4530 is, is written in its canonical form; other text is taken as it is, and other bytes in hexadecimal.
pub fn unique_id(attribute: &str, value: &[u8]) -> Option<String> {
    if value.is_empty() {
        return None;
    }
    if attribute.eq_ignore_ascii_case("objectGUID")
        && let Ok(bytes) = <[u8; 16]>::try_from(value)
    {
        return Some(Uuid::from_bytes_le(bytes).hyphenated().to_string());
    }
    match std::str::from_utf8(value) {
        Ok(text) if !text.chars().any(char::is_control) => Some(crate::ids::as_kept(text)),
        _ => {
            let mut text = String::with_capacity(value.len() * 2);
            for byte in value {
                // Writing to a String does not fail.
                let _ = write!(text, "{byte:02x}");
            }
            Some(text)
        }
    }
}

/// A generalizedTime (RFC 4517 §3.3.13) in milliseconds since 1970: `20260102030405Z`, minutes and seconds left out at will, a
/// fraction of the last part, and an offset in the place of `Z`.
pub fn generalized_time(text: &str) -> Option<i64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    if !matches!(digits, 10 | 12 | 14) {
        return None;
    }
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<u32>().ok();
    let part = |from: usize| match from < digits {
        true => number(from, from + 2),
        false => Some(0),
    };
    let (hour, minute, second) = (part(8)?, part(10)?, part(12)?);
    // A leap second is the last moment of its minute.
    let second = if second == 60 { 59 } else { second };
    let year = text.get(..4)?.parse().ok()?;
    let time = NaiveDate::from_ymd_opt(year, number(4, 6)?, number(6, 8)?)?
        .and_hms_opt(hour, minute, second)?;
    let rest = text.get(digits..)?;
    let unit = match digits {
        10 => 3_600_000,
        12 => 60_000,
        _ => 1_000,
    };
    let (fraction, zone) = match rest.strip_prefix(['.', ',']) {
        Some(rest) => {
            let end = rest.find(|c: char| !c.is_ascii_digit())?;
            (fraction(rest.get(..end)?, unit)?, rest.get(end..)?)
        }
        None => (0, rest),
    };
    let time = time.and_utc().timestamp_millis() + fraction;
    Some(time - offset(zone)?.num_milliseconds())
}

/// Milliseconds since 1970 as a generalizedTime of whole seconds.
pub fn to_generalized_time(milliseconds: i64) -> String {
    let time = DateTime::from_timestamp_millis(milliseconds).unwrap_or(DateTime::UNIX_EPOCH);
    let mut text = time.to_rfc3339_opts(SecondsFormat::Secs, true);
    text.retain(|c| c.is_ascii_digit() || c == 'Z');
    text
}

/// A decimal fraction of a unit, in milliseconds; digits beyond the ninth count for nothing.
fn fraction(digits: &str, unit: i64) -> Option<i64> {
    let digits = digits.get(..digits.len().min(9))?;
    let scale = 10_i64.pow(u32::try_from(digits.len()).ok()?);
    Some(digits.parse::<i64>().ok()? * unit / scale)
}

/// `Z`, `+01`, `-0530`.
fn offset(zone: &str) -> Option<TimeDelta> {
    if zone == "Z" {
        return Some(TimeDelta::zero());
    }
    let sign = match zone.get(..1)? {
        "+" => 1,
        "-" => -1,
        _ => return None,
    };
    let digits = zone.get(1..)?;
    if !matches!(digits.len(), 2 | 4) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let hours: i64 = digits.get(..2)?.parse().ok()?;
    let minutes: i64 = match digits.get(2..) {
        Some("") | None => 0,
        Some(minutes) => minutes.parse().ok()?,
    };
    (hours < 24 && minutes < 60).then(|| TimeDelta::minutes(sign * (hours * 60 + minutes)))
}
