//! Which resources the entries of a directory are, as far as the database knows.

use std::collections::HashMap;

use uuid::Uuid;

use super::digest::Digest;
use super::object::Kind;
use super::session::Session;
use crate::store::directory_entries::{self, DirectoryEntry, PAGE, State};
use crate::store::{Result, Rows, Statement};

/// The resource that an entry is.
#[derive(Debug, Clone, Copy)]
pub struct Link {
    pub kind: Kind,
    pub resource_id: Uuid,
    /// Hash of what groups name the entry by.
    pub member_key: Digest,
    pub digest: Digest,
    pub members_digest: Digest,
    pub state: State,
    /// Whether this reading has it.
    pub seen: bool,
}

/// Links by the unique ids of their entries.
pub type Links = HashMap<Box<str>, Link>;

fn add(links: &mut Links, entries: Vec<DirectoryEntry>) {
    for entry in entries {
        let link = Link {
            kind: Kind::from_name(&entry.resource_type),
            resource_id: Uuid::try_parse(&entry.resource_id).unwrap_or_default(),
            member_key: Digest::from_text(&entry.dn_key),
            digest: Digest::from_text(&entry.digest),
            members_digest: Digest::from_text(&entry.members_digest),
            state: entry.state,
            seen: false,
        };
        links.insert(entry.unique_id.into(), link);
    }
}

/// All links of the provider.
pub async fn all(session: &Session<'_>) -> Result<Links> {
    let mut links = Links::new();
    let mut after = String::new();
    loop {
        let statement = directory_entries::select_after(&session.tenant, &session.idp, &after);
        let results = session.read(vec![statement]).await?;
        let entries = directory_entries::entries(results.first().unwrap_or(&Rows::default()))?;
        let full = entries.len() == PAGE;
        if let Some(last) = entries.last() {
            after.clone_from(&last.unique_id);
        }
        add(&mut links, entries);
        if !full {
            return Ok(links);
        }
    }
}

/// Questions in one round trip, each with thousands of answers.
const AT_ONCE: usize = 4;

/// The links of entries with these unique ids.
pub async fn of<'i>(
    session: &Session<'_>,
    unique_ids: impl IntoIterator<Item = &'i str>,
) -> Result<Links> {
    let (tenant, idp) = (&session.tenant, &session.idp);
    let questions = directory_entries::select_by_unique_id(tenant, idp, unique_ids);
    answers(session, questions).await
}

/// The links of entries that the directory has and that groups name so.
pub async fn named(session: &Session<'_>, keys: impl IntoIterator<Item = Digest>) -> Result<Links> {
    let keys: Vec<String> = keys.into_iter().map(Digest::to_text).collect();
    let (tenant, idp) = (&session.tenant, &session.idp);
    let questions = directory_entries::select_by_dn(tenant, idp, keys.iter().map(String::as_str));
    let mut links = answers(session, questions).await?;
    links.retain(|_, link| link.state == State::Present);
    Ok(links)
}

/// The links of these resources.
pub async fn of_resources(session: &Session<'_>, resources: &[Uuid]) -> Result<Links> {
    let ids: Vec<String> = resources.iter().map(Uuid::to_string).collect();
    let (tenant, idp) = (&session.tenant, &session.idp);
    answers(
        session,
        directory_entries::select_by_resource(tenant, idp, &ids),
    )
    .await
}

async fn answers(session: &Session<'_>, questions: Vec<Statement>) -> Result<Links> {
    let mut links = Links::new();
    let mut left = questions.into_iter();
    while left.len() > 0 {
        let batch = left.by_ref().take(AT_ONCE).collect();
        for rows in &session.read(batch).await? {
            add(&mut links, directory_entries::entries(rows)?);
        }
    }
    Ok(links)
}
