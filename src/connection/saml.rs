//! The stages of a SAML provider's test: its certificate can be read, is in force and strong enough, logins have somewhere to go, and
//! where the provider publishes metadata at its `entity_id`, these say the same.

use super::certificate::{self, Parsed};
use super::saml_metadata::{self, Metadata};
use super::{Checks, Failed, MAX_DOCUMENT, TIMEOUT_MS, address};
use crate::platform::Platform;

/// What to test, out of a provider's configuration.
pub struct Target<'t> {
    pub entity_id: &'t str,
    pub sso_url: &'t str,
    /// At least one, in the order in which they were given.
    pub certificates: &'t [Parsed],
    /// Whether a provider on this machine may be reached.
    pub local: bool,
}

pub async fn test(
    checks: &mut Checks<'_>,
    platform: &Platform,
    target: &Target<'_>,
) -> Result<(), Failed> {
    let all = target.certificates;
    let named = match all {
        [] => Err("there is none".to_owned()),
        [one] => Ok(match one.common_name() {
            Some(name) => format!("it is the certificate of {name}"),
            None => "it is an X.509 certificate".to_owned(),
        }),
        all => {
            let names: Vec<String> = all.iter().map(Parsed::called).collect();
            Ok(format!("there are {}: of {}", all.len(), names.join(", ")))
        }
    };
    let say = |message: String| ((), message);
    let now = platform.clock.now();
    let in_force = |parsed: &Parsed| parsed.validity(now).is_ok();
    checks.note("certificate", named.map(say))?;
    let validity = one_by_one(
        all,
        |parsed| parsed.validity(now),
        |results| results.iter().any(Result::is_ok),
    );
    checks.note("validity", validity.map(say))?;
    let strength = one_by_one(all, Parsed::strength, |results| {
        let mut judged = all.iter().zip(results);
        judged.all(|(parsed, result)| result.is_ok() || !in_force(parsed))
    });
    checks.note("key", strength.map(say))?;
    let sso_url = address::judge(target.sso_url, target.local)
        .map(|_| ((), format!("logins go to {}", target.sso_url)));
    checks.note("SSO URL", sso_url)?;
    checks
        .stage("metadata", async {
            let message = metadata(platform, target).await?;
            Ok(((), message))
        })
        .await
}

/// What a judgement finds of each certificate, one after the other; an error where it does not hold for all of them together.
fn one_by_one(
    all: &[Parsed],
    judge: impl Fn(&Parsed) -> Result<String, String>,
    holds: impl Fn(&[Result<String, String>]) -> bool,
) -> Result<String, String> {
    let results: Vec<Result<String, String>> = all.iter().map(judge).collect();
    let said = all.iter().zip(&results).map(|(parsed, result)| {
        let (Ok(words) | Err(words)) = result;
        match all {
            [_] => words.clone(),
            _ => format!("{}: {words}", parsed.called()),
        }
    });
    let said = said.collect::<Vec<String>>().join("; ");
    match holds(&results) {
        true => Ok(said),
        false => Err(said),
    }
}

/// Compares with what the provider publishes. Not every `entity_id` is an address, and not every such address serves anything: then there
/// is nothing to compare, and nothing wrong.
async fn metadata(platform: &Platform, target: &Target<'_>) -> Result<String, String> {
    if address::judge(target.entity_id, target.local).is_err() {
        return Ok(
            "entity_id is no address that could serve metadata; there is nothing to compare"
                .to_owned(),
        );
    }
    let fetched = platform
        .http
        .get(target.entity_id, MAX_DOCUMENT, TIMEOUT_MS)
        .await;
    let document = match fetched {
        Ok(document) => document,
        Err(error) => {
            return Ok(format!(
                "{} serves no metadata ({error}); there is nothing to compare",
                target.entity_id
            ));
        }
    };
    match saml_metadata::read(&document, target.entity_id) {
        Ok(Some(metadata)) => compare(&metadata, target),
        Ok(None) => Ok(format!(
            "{} serves something else than metadata; there is nothing to compare",
            target.entity_id
        )),
        Err(reason) => Err(format!("the metadata at {}: {reason}", target.entity_id)),
    }
}

/// The metadata at an address, as it stands. The error is a sentence for people.
pub async fn published(platform: &Platform, url: &str, local: bool) -> Result<String, String> {
    address::judge(url, local)?;
    let fetched = platform.http.get(url, MAX_DOCUMENT, TIMEOUT_MS).await;
    let document = fetched.map_err(|error| format!("it cannot be read: {error}"))?;
    let text = String::from_utf8(document).ok();
    text.filter(|text| saml_metadata::is_some(text))
        .ok_or_else(|| "it serves something else than SAML metadata".to_owned())
}

fn compare(metadata: &Metadata, target: &Target<'_>) -> Result<String, String> {
    let mut wrong = Vec::new();
    let ours = target.certificates;
    let is_ours = |text: &String| {
        let theirs = certificate::parse(text).unwrap_or_default();
        theirs
            .iter()
            .any(|theirs| ours.iter().any(|ours| ours.der == theirs.der))
    };
    if !metadata.certificates.iter().any(is_ours) {
        wrong.push(match metadata.certificates.len() {
            0 => "the metadata have no certificate that signs".to_owned(),
            count => format!(
                "{} none of the {count} that the metadata name: the provider may have changed it",
                match ours {
                    [_] => "the certificate is",
                    _ => "the certificates are",
                }
            ),
        });
    }
    if !metadata.sso_urls.iter().any(|url| url == target.sso_url) {
        wrong.push(format!(
            "the metadata name other addresses for logins than sso_url: {}",
            match metadata.sso_urls.as_slice() {
                [] => "none".to_owned(),
                urls => urls.join(", "),
            }
        ));
    }
    match wrong.is_empty() {
        true => Ok("the metadata name the same certificate and address".to_owned()),
        false => Err(wrong.join("; ")),
    }
}
