//! The roles and entitlements that a tenant says there are, as an administrator sets them.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::api::http::input::Text;

/// Most of each.
const MAX: usize = 200;
/// Most bytes of each, as JSON: they come along with every token.
const MAX_BYTES: usize = 32_768;

/// A role or an entitlement that users can have.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub struct AssignableValue {
    /// What a user has who has it, and its id.
    pub value: Text<1, 200>,
    /// Its name for people to read; the value where it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display: Option<Text<1, 200>>,
    /// What it is used for.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<Text<1, 100>>,
    /// What it allows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Text<1, 500>>,
    /// Whether it can be given to users; `true` where it is left out.
    #[serde(default = "yes")]
    pub supported: bool,
}

const fn yes() -> bool {
    true
}

/// At most 200 of them, each value once, and 32 KiB.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(transparent)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema), schemars(inline))]
pub struct AssignableValues(Vec<AssignableValue>);

impl AssignableValues {
    /// Those that are stored.
    pub fn of_stored(stored: &[Value]) -> Self {
        let read = |one: &Value| AssignableValue::deserialize(one).ok();
        AssignableValues(stored.iter().filter_map(read).collect())
    }

    /// As they are stored: a list of JSON.
    pub fn to_stored(&self) -> String {
        serde_json::to_string(&self.0).unwrap_or_default()
    }
}

impl<'de> Deserialize<'de> for AssignableValues {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let all = Vec::<AssignableValue>::deserialize(deserializer)?;
        if all.len() > MAX {
            let detail = format!("it has {} values; {MAX} are allowed", all.len());
            return Err(D::Error::custom(detail));
        }
        let named = |index: usize, value: &str| {
            let mut before = all.iter().take(index);
            before.any(|one| one.value.as_str().eq_ignore_ascii_case(value))
        };
        let mut numbered = all.iter().enumerate();
        if let Some((_, one)) = numbered.find(|(index, one)| named(*index, one.value.as_str())) {
            let detail = format!("{} is there twice", one.value.as_str());
            return Err(D::Error::custom(detail));
        }
        let all = AssignableValues(all);
        match all.to_stored().len() {
            bytes if bytes > MAX_BYTES => Err(D::Error::custom(format!(
                "it has {bytes} bytes; {MAX_BYTES} are allowed"
            ))),
            _ => Ok(all),
        }
    }
}
