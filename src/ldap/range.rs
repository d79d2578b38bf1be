//! Attributes that come in parts: Active Directory gives 1,500 values of a group's `member` with an entry, as `member;range=0-1499`, and the
//! rest when asked for `member;range=1500-*`. [MS-ADTS] §3.1.1.3.1.3.3.

use super::connection::Connection;
use super::entry::Entry;
use super::error::{Error, Result};
use super::filter::Filter;
use super::message::{Request, Response, Scope};

pub(super) const OPERATION: &str = "search";
/// Most bytes of entries that are held at once.
pub(super) const MAX_BYTES: usize = 32 * 1024 * 1024;

/// Asks for the rest of whatever came in parts.
pub async fn complete(connection: &mut Connection, entries: &mut [Entry]) -> Result<()> {
    let mut bytes: usize = entries.iter().map(Entry::size).sum();
    for entry in entries {
        while let Some((name, from)) = entry.take_more() {
            let part = part(connection, &entry.dn, &name, from).await?;
            let added = part.size();
            if !entry.append(&name, part) {
                return Err(connection.protocol("no more values of an attribute that has more"));
            }
            bytes += added;
            if bytes > MAX_BYTES {
                return Err(too_large());
            }
        }
    }
    Ok(())
}

/// The entry again, with that attribute's values from there on.
async fn part(connection: &mut Connection, dn: &str, name: &str, from: u64) -> Result<Entry> {
    let request = Request::Search {
        base_dn: dn,
        scope: Scope::Base,
        filter: &Filter::present("objectClass"),
        attributes: &[format!("{name};range={from}-*")],
        page: None,
    };
    let id = connection.send(OPERATION, &request).await?;
    let mut found = None;
    loop {
        let until = connection.deadline(connection.timeout_ms);
        match connection.receive(OPERATION, id, until).await? {
            Response::Entry { dn, attributes } if found.is_none() => {
                let entry =
                    Entry::read(dn, attributes).map_err(|reason| connection.protocol(&reason))?;
                found = Some(entry);
            }
            Response::Done(result, _) => {
                connection.succeeded(OPERATION, &result)?;
                return found
                    .ok_or_else(|| Error::Invalid(format!("{dn} went away while it was read")));
            }
            _ => return Err(connection.unexpected(OPERATION)),
        }
    }
}

pub(super) fn too_large() -> Error {
    Error::TooLarge(format!(
        "a page of the answer has more than {} MiB; lower the page size",
        MAX_BYTES / 1024 / 1024
    ))
}
