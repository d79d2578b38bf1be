//! The client of directories, against a real server and against servers that misbehave.

mod answers;
mod dn;
mod entry;
mod filters;
mod misbehaving;
pub mod scripted;
mod slapd;

use std::rc::Rc;

use rollcall::ldap::{Connection, Entry, Result, Scope, Search, Settings};
use rollcall::platform::Platform;

use crate::support::World;
use crate::support::network::SystemClock;
use crate::support::slapd::BASE;

/// A platform whose time goes by.
fn platform() -> Platform {
    Platform {
        clock: Rc::new(SystemClock),
        ..World::new().app.platform
    }
}

pub fn everything(filter: &str) -> Search {
    Search {
        base_dn: BASE.to_owned(),
        scope: Scope::Subtree,
        filter: filter.to_owned(),
        attributes: vec!["*".to_owned(), "entryUUID".to_owned()],
    }
}

/// All pages of a search on a connection of its own: their entries, and how many pages and referrals there were.
pub fn read(settings: &Settings, search: &Search) -> Result<(Vec<Vec<Entry>>, usize)> {
    pollster::block_on(async {
        let mut connection = Connection::open(&platform(), settings).await?;
        let mut pages = connection.search(search);
        let mut found = Vec::new();
        while let Some(page) = pages.next().await? {
            found.push(page);
        }
        let referrals = pages.referrals();
        connection.close().await;
        Ok((found, referrals))
    })
}

/// Why it cannot be read.
#[track_caller]
fn failure(settings: &Settings, search: &Search) -> String {
    match read(settings, search) {
        Ok((pages, _)) => panic!("{} pages", pages.len()),
        Err(error) => error.to_string(),
    }
}
