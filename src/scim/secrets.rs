//! What is taken for a secret: by its name, or by its form.

use serde_json::Value;

/// Whether a name, or a path or filter with it, is that of a secret.
pub fn names_secret(text: &str) -> bool {
    let lower = text.to_lowercase();
    let mut words = lower.split(|c: char| !c.is_alphanumeric());
    let plain: String = lower.chars().filter(|c| c.is_alphanumeric()).collect();
    let contained = [
        "passw",
        "passphrase",
        "secret",
        "token",
        "credential",
        "apikey",
        "privatekey",
        "authorization",
    ];
    contained.iter().any(|word| plain.contains(word))
        || words.any(|word| {
            ["pwd", "pin", "otp", "cvv", "cvc"].contains(&word)
                || word.ends_with("key")
                || word.ends_with("keys")
        })
}

/// A value without what is a secret by its name or its form; null where it is one itself. For what is kept without a schema that somebody declared.
pub fn without_secrets(value: Value) -> Value {
    match value {
        Value::String(text) if is_credential(&text) => Value::Null,
        Value::Array(values) => {
            let values = values.into_iter().map(without_secrets);
            Value::Array(values.filter(|value| !value.is_null()).collect())
        }
        Value::Object(object) => {
            let kept = object.into_iter().filter(|(name, _)| !names_secret(name));
            Value::Object(
                kept.map(|(name, value)| (name, without_secrets(value)))
                    .collect(),
            )
        }
        other => other,
    }
}

/// Whether a text has the form of a credential: a SCIM token, a set-up link's secret, a token of the console, a JWT, a bearer header, a private key.
pub fn is_credential(text: &str) -> bool {
    let is_jwt = |word: &str| word.starts_with("eyJ") && word.matches('.').count() == 2;
    text.contains("rcs_")
        || text.contains("rsl_")
        || text.contains("rca_")
        || text.contains("PRIVATE KEY")
        || text.split_whitespace().any(is_jwt)
        || text
            .get(..7)
            .is_some_and(|head| head.eq_ignore_ascii_case("bearer "))
}
