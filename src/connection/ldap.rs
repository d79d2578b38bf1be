//! The test of a directory: connect, TLS, bind, base DN, user filter, group filter.

use super::{Check, Checks, Failed};
use crate::ldap::{Connection, Error, Result, Scope, Search, Security, Settings};
use crate::platform::Platform;

/// Entries that are counted of what a filter matches, and how long the counting of one filter may take, in milliseconds.
const MAX_COUNTED: usize = 10_000;
const MAX_COUNTING_MS: i64 = 20_000;
/// RFC 4511 §4.5.1.8: no attributes.
const NO_ATTRIBUTES: &str = "1.1";

/// What a provider looks for in a directory.
pub struct Directory<'a> {
    pub settings: &'a Settings,
    pub base_dn: &'a str,
    pub user_filter: &'a str,
    /// The base and the filter of groups, where groups are looked for.
    pub groups: Option<(&'a str, &'a str)>,
    pub unique_id_attribute: &'a str,
}

/// Tests a directory.
pub async fn checks(platform: &Platform, directory: &Directory<'_>) -> Vec<Check> {
    let mut stages = Checks::new(&*platform.clock);
    if let Ok(mut connection) = secured(platform, directory.settings, &mut stages).await {
        // A stage that failed has said so: what is left is to take leave.
        let _ = looked_at(platform, directory, &mut connection, &mut stages).await;
        connection.close().await;
    }
    stages.into_vec()
}

/// The stages `connect` and `TLS`.
async fn secured(
    platform: &Platform,
    settings: &Settings,
    stages: &mut Checks<'_>,
) -> std::result::Result<Connection, Failed> {
    let opened = async {
        match Connection::connect(platform, settings).await {
            Ok(connection) => Ok((Ok(connection), "the server answers".to_owned())),
            // The runtime tells of both at once; the server was there, and TLS failed.
            Err(error @ Error::Tls { .. }) => Ok((Err(error), "the server answers".to_owned())),
            Err(error) => Err(error.to_string()),
        }
    };
    let opened = stages.stage("connect", opened).await?;
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
    stages.stage("TLS", secured).await
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
    platform: &Platform,
    directory: &Directory<'_>,
    connection: &mut Connection,
    stages: &mut Checks<'_>,
) -> std::result::Result<(), Failed> {
    let bind_dn = &directory.settings.bind_dn;
    let bound = async {
        let message = match bind_dn.as_str() {
            "" => "bound as nobody".to_owned(),
            dn => format!("bound as {dn}"),
        };
        let bound = connection.bind(bind_dn).await;
        bound.map_err(|error| error.to_string())?;
        Ok(((), message))
    };
    stages.stage("bind", bound).await?;

    let based = async {
        let base = search(
            directory.base_dn,
            Scope::Base,
            "(objectClass=*)",
            NO_ATTRIBUTES,
        );
        let found = connection.search(&base).next().await;
        match found.map_err(|error| error.to_string())? {
            Some(_) => Ok(((), format!("{} can be read", directory.base_dn))),
            None => Err(format!("the bind DN may not see {}", directory.base_dn)),
        }
    };
    stages.stage("base DN", based).await?;

    let unique_id = directory.unique_id_attribute;
    let users = async {
        let users = search(
            directory.base_dn,
            Scope::Subtree,
            directory.user_filter,
            unique_id,
        );
        let matched = Matched::count(platform, connection, &users, unique_id).await?;
        match matched.entries {
            0 => Err("the filter matches no entry below the base DN".to_owned()),
            _ => matched.told(unique_id),
        }
    };
    stages.stage("user filter", users).await?;

    let Some((base_dn, filter)) = directory.groups else {
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
    stages.stage("group filter", groups).await
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
