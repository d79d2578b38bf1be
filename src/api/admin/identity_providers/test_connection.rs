//! `POST …/identity-providers/{idp_id}/test`: whether a provider can be reached and is what its configuration says. A test that fails is
//! an answer like another: 200 with `success` false.

use super::access::{Access, View};
use super::config::Config;
use super::directory;
use super::responses::{TestConnectionDetails, TestConnectionResponse};
use super::types::OidcConfig;
use crate::api::http::call::Call;
use crate::api::http::envelope;
use crate::api::http::reply::Reply;
use crate::auth::admin::Admin;
use crate::connection::{Checks, ldap, oidc, saml};
use crate::error::Result;

pub async fn test(call: &Call<'_>, admin: &Admin, view: View) -> Result<Reply> {
    let access = Access::of(call, admin, view)?;
    let provider = access.find(call).await?;
    let platform = &call.app.platform;
    let local = call.app.config.local_development;
    let mut checks = Checks::new(platform.clock.as_ref());
    // Why it failed is in the checks.
    let _ = match Config::of(&provider)? {
        Config::Oidc(config) => {
            let target = oidc::Target {
                issuer: config.issuer.as_str(),
                endpoints: configured(&config),
                local,
            };
            oidc::test(&mut checks, platform, &target).await
        }
        Config::Saml(config) => {
            let target = saml::Target {
                entity_id: config.entity_id.as_str(),
                sso_url: config.sso_url.as_str(),
                certificates: config.certificate.all(),
                local,
            };
            saml::test(&mut checks, platform, &target).await
        }
        Config::Ldap(config) => {
            let settings = directory::settings(call.app, &provider, &config)?;
            let (users, groups) = config.places();
            let target = ldap::Target {
                settings: &settings,
                base_dn: &users.base_dn,
                user_filter: &users.filter,
                groups: groups
                    .as_ref()
                    .map(|groups| (&*groups.base_dn, &*groups.filter)),
                unique_id_attribute: config.unique_id_attribute.as_str(),
            };
            ldap::test(&mut checks, platform, &target).await
        }
    };
    let checks = checks.into_vec();
    let failed = checks.iter().find(|check| !check.ok);
    let reply = TestConnectionResponse {
        success: failed.is_none(),
        message: match failed {
            None => format!("all {} checks passed", checks.len()),
            Some(check) => format!("{}: {}", check.name, check.message),
        },
        details: TestConnectionDetails {
            protocol: provider.protocol,
            checks,
        },
    };
    Ok(envelope::single(call, 200, &reply))
}

/// The endpoints that the configuration names itself.
fn configured(config: &OidcConfig) -> Vec<(&'static str, &str)> {
    let named = [
        ("authorization_endpoint", &config.authorization_endpoint),
        ("token_endpoint", &config.token_endpoint),
        ("userinfo_endpoint", &config.userinfo_endpoint),
        ("jwks_uri", &config.jwks_uri),
    ];
    named
        .into_iter()
        .filter_map(|(name, url)| Some((name, url.as_ref()?.as_str())))
        .collect()
}
