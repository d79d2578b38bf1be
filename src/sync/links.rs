//! Which resources the entries of a directory are, as far as the database knows.

use std::collections::HashMap;

use uuid::Uuid;

use super::digest::Digest;
use super::object::Kind;
use super::session::Session;
use crate::store::directory_entries::{self, DirectoryEntry, State};
use crate::store::{Result, Statement};

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
}

impl Link {
    pub fn of(entry: &DirectoryEntry) -> Self {
        Link {
            kind: Kind::from_name(&entry.resource_type),
            resource_id: Uuid::try_parse(&entry.resource_id).unwrap_or_default(),
            member_key: Digest::from_text(&entry.dn_key),
            digest: Digest::from_text(&entry.digest),
            members_digest: Digest::from_text(&entry.members_digest),
            state: entry.state,
        }
    }
}

/// Links by the unique ids of their entries.
pub type Links = HashMap<Box<str>, Link>;

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
            let entries = directory_entries::entries(rows)?;
            links.extend(entries.into_iter().map(|entry| {
                let link = Link::of(&entry);
                (entry.unique_id.into(), link)
            }));
        }
    }
    Ok(links)
}
