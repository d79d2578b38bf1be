//! The test of a directory: connect, TLS, bind, base DN, user filter, group filter.

use super::{Checks, Failed};
use crate::ldap::{Connection, Error, Result, Scope, Search, Security, Settings};
use crate::platform::Platform;

/// Entries that are counted of what a filter matches, and how long the counting of one filter may take, in milliseconds.
const MAX_COUNTED: usize = 10_000;
const MAX_COUNTING_MS: i64 = 20_000;
/// Longest wait, in milliseconds: somebody looks on.
const TIMEOUT_MS: u32 = 5_000;
/// RFC 4511 §4.5.1.8: no attributes.
const NO_ATTRIBUTES: &str = "1.1";

/// What is tested: where the directory is, and what is looked for in it.
pub struct Target<'a> {
    pub settings: &'a Settings,
    pub base_dn: &'a str,
    pub user_filter: &'a str,
    /// The base and the filter of groups, where groups are looked for.
    pub groups: Option<(&'a str, &'a str)>,
    pub unique_id_attribute: &'a str,
}

/// Tests a directory.
pub async fn test(
    checks: &mut Checks<'_>,
    platform: &Platform,
    target: &Target<'_>,
) -> std::result::Result<(), Failed> {
    let settings = Settings {
        timeout_ms: target.settings.timeout_ms.min(TIMEOUT_MS),
        ..target.settings.clone()
    };
    let mut connection = secured(checks, platform, &settings).await?;
    let result = looked_at(checks, platform, target, &mut connection).await;
    connection.close().await;
    result
}

/// The stages `connect` and `TLS`.
async fn secured(
    checks: &mut Checks<'_>,
    platform: &Platform,
    settings: &Settings,
) -> std::result::Result<Connection, Failed> {
    let opened = async {
        match Connection::connect(platform, settings).await {
            Ok(connection) => Ok((Ok(connection), "the server answers".to_owned())),
            // The runtime tells of both at once; the server was there, and TLS failed.
            Err(error @ Error::Tls { .. }) => Ok((Err(error), "the server answers".to_owned())),
            Err(error) => Err(error.to_string()),
        }
    };
    let opened = checks.stage("connect", opened).await?;
    let secured = async {
        let connection = opened?;
        match settings.security {
            Security::Plain => Ok((
                connection,
                "not asked for: the password and the directory cross the network in the open",
            )),
            Security::Tls => greeted(connection).await,
            Security::StartTls => greeted(connection.start_tls().await?).await,
        }
    };
    let secured = async {
        let secured: Result<_> = secured.await;
        secured
            .map(|(connection, message)| (connection, message.to_owned()))
            .map_err(|error| error.to_string())
    };
    checks.stage("TLS", secured).await
}

/// Reads the root (RFC 4512 §5.1), which servers show to anybody: the first answer is the proof of TLS. That the server may refuse it does
/// not matter.
async fn greeted(mut connection: Connection) -> Result<(Connection, &'static str)> {
    let root = search("", Scope::Base, "(objectClass=*)", NO_ATTRIBUTES);
    let answer = connection.search(&root).next().await;
    match answer {
        Ok(_) | Err(Error::Refused { .. }) => Ok((
            connection,
            "the connection is protected, and the certificate holds",
        )),
        Err(error) => {
            connection.close().await;
            Err(error)
        }
    }
}

/// The stages from `bind` on.
async fn looked_at(
    checks: &mut Checks<'_>,
    platform: &Platform,
    target: &Target<'_>,
    connection: &mut Connection,
) -> std::result::Result<(), Failed> {
    let bind_dn = &target.settings.bind_dn;
    let bound = async {
        let message = match bind_dn.as_str() {
            "" => "bound as nobody".to_owned(),
            dn => format!("bound as {dn}"),
        };
        let bound = connection.bind(bind_dn).await;
        bound.map_err(|error| error.to_string())?;
        Ok(((), message))
    };
    checks.stage("bind", bound).await?;

    let based = async {
        let base = search(
            target.base_dn,
            Scope::Base,
            "(objectClass=*)",
            NO_ATTRIBUTES,
        );
        let found = connection.search(&base).next().await;
        match found.map_err(|error| error.to_string())? {
            Some(_) => Ok(((), format!("{} can be read", target.base_dn))),
            None => Err(format!("the bind DN may not see {}", target.base_dn)),
        }
    };
    checks.stage("base DN", based).await?;

    let unique_id = target.unique_id_attribute;
    let users = async {
        let users = search(
            target.base_dn,
            Scope::Subtree,
            target.user_filter,
            unique_id,
        );
        let matched = Matched::count(platform, connection, &users, unique_id).await?;
        match matched.entries {
            0 => Err("the filter matches no entry below the base DN".to_owned()),
            _ => matched.told(unique_id),
        }
    };
    checks.stage("user filter", users).await?;

    let Some((base_dn, filter)) = target.groups else {
        return Ok(());
    };
    let groups = async {
        let groups = search(base_dn, Scope::Subtree, filter, unique_id);
        let matched = Matched::count(platform, connection, &groups, unique_id).await?;
        match matched.entries {
            0 => Ok((
                (),
                "the filter matches no entry: there will be no groups".to_owned(),
            )),
            _ => matched.told(unique_id),
        }
    };
    checks.stage("group filter", groups).await
}

fn search(base_dn: &str, scope: Scope, filter: &str, attribute: &str) -> Search {
    Search {
        base_dn: base_dn.to_owned(),
        scope,
        filter: filter.to_owned(),
        attributes: vec![attribute.to_owned()],
    }
}

/// What a filter matches.
struct Matched {
    entries: usize,
    /// Whether there may be more.
    more: bool,
    /// Entries that cannot be told apart from others for good.
    without_id: usize,
    referrals: usize,
}

impl Matched {
    async fn count(
        platform: &Platform,
        connection: &mut Connection,
        search: &Search,
        unique_id: &str,
    ) -> std::result::Result<Self, String> {
        let until = platform.clock.now() + MAX_COUNTING_MS;
        let mut matched = Matched {
            entries: 0,
            more: false,
            without_id: 0,
            referrals: 0,
        };
        let mut pages = connection.search(search);
        while let Some(page) = pages.next().await.map_err(|error| error.to_string())? {
            matched.entries += page.len();
            let nameless = page
                .iter()
                .filter(|entry| entry.unique_id(unique_id).is_none());
            matched.without_id += nameless.count();
            if matched.entries >= MAX_COUNTED || platform.clock.now() >= until {
                matched.more = true;
                break;
            }
        }
        matched.referrals = pages.referrals();
        Ok(matched)
    }

    fn told(&self, unique_id: &str) -> std::result::Result<((), String), String> {
        if self.without_id == self.entries {
            return Err(format!(
                "the filter matches entries, and none that were looked at has exactly one {unique_id}, the attribute that identifies them"
            ));
        }
        let at_least = if self.more { "at least " } else { "" };
        let mut message = match self.entries {
            1 => format!("the filter matches {at_least}1 entry"),
            entries => format!("the filter matches {at_least}{entries} entries"),
        };
        if self.without_id > 0 {
            message.push_str(&format!(
                "; {} without exactly one {unique_id} will be left out",
                self.without_id
            ));
        }
        match self.referrals {
            0 => {}
            1 => message.push_str("; 1 part lies on another server and is left out"),
            parts => message.push_str(&format!(
                "; {parts} parts lie on other servers and are left out"
            )),
        }
        Ok(((), message))
    }
}
