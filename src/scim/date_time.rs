//! Points in time: milliseconds since 1970 inside, RFC 3339 in UTC outside (RFC 7643 §2.3.5).

use chrono::{DateTime, SecondsFormat};

/// A time as replies show it, with milliseconds and `Z`. Years outside 0000–9999 do not occur: clocks are ours.
pub fn format(milliseconds: i64) -> String {
    DateTime::from_timestamp_millis(milliseconds)
        .unwrap_or(DateTime::UNIX_EPOCH)
        .to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// A time that a client sent, in milliseconds since 1970 with their fraction. Any offset and up to nine decimals
/// are understood; a time without an offset is taken for UTC, since XML Schema leaves the offset out at will.
pub fn parse(text: &str) -> Option<f64> {
    let time = DateTime::parse_from_rfc3339(text)
        .or_else(|_| DateTime::parse_from_rfc3339(&format!("{text}Z")))
        .ok()?;
    let fraction = f64::from(time.timestamp_subsec_nanos() % 1_000_000) / 1e6;
    // Milliseconds of any year that parses stay far below 2^53.
    #[expect(clippy::cast_precision_loss, reason = "below 2^53")]
    Some(time.timestamp_millis() as f64 + fraction)
}
