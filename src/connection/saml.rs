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
    pub certificate: &'t str,
    /// Whether a provider on this machine may be reached.
    pub local: bool,
}

pub async fn test(
    checks: &mut Checks<'_>,
    platform: &Platform,
    target: &Target<'_>,
) -> Result<(), Failed> {
    let parsed = certificate::parse(target.certificate).map(|parsed| {
        let message = match parsed.common_name() {
            Some(name) => format!("it is the certificate of {name}"),
            None => "it is an X.509 certificate".to_owned(),
        };
        (parsed, message)
    });
    let parsed = checks.note("certificate", parsed)?;
    let say = |message: String| ((), message);
    checks.note("validity", parsed.validity(platform.clock.now()).map(say))?;
    checks.note("key", parsed.strength().map(say))?;
    let sso_url = address::judge(target.sso_url, target.local)
        .map(|_| ((), format!("logins go to {}", target.sso_url)));
    checks.note("SSO URL", sso_url)?;
    checks
        .stage("metadata", async {
            let message = metadata(platform, target, &parsed).await?;
            Ok(((), message))
        })
        .await
}

/// Compares with what the provider publishes. Not every `entity_id` is an address, and not every such address serves anything: then there
/// is nothing to compare, and nothing wrong.
async fn metadata(
    platform: &Platform,
    target: &Target<'_>,
    parsed: &Parsed,
) -> Result<String, String> {
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
        Ok(Some(metadata)) => compare(&metadata, target, parsed),
        Ok(None) => Ok(format!(
            "{} serves something else than metadata; there is nothing to compare",
            target.entity_id
        )),
        Err(reason) => Err(format!("the metadata at {}: {reason}", target.entity_id)),
    }
}

fn compare(metadata: &Metadata, target: &Target<'_>, parsed: &Parsed) -> Result<String, String> {
    let mut wrong = Vec::new();
    let is_ours =
        |text: &String| certificate::parse(text).is_ok_and(|theirs| theirs.der == parsed.der);
    if !metadata.certificates.iter().any(is_ours) {
        wrong.push(match metadata.certificates.len() {
            0 => "the metadata have no certificate that signs".to_owned(),
            count => format!(
                "the certificate is none of the {count} that the metadata name: the provider may have changed it"
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
