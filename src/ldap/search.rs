//! Searches (RFC 4511 §4.5), read page by page (RFC 2696).

use super::connection::Connection;
use super::entry::Entry;
use super::error::{Error, Result};
use super::filter::Filter;
use super::message::{MessageId, Request, Response, Scope};
use super::range::{self, MAX_BYTES, OPERATION, too_large};

/// How many times the timeout of a single wait a page may take as a whole.
const PAGE_WAITS: u32 = 10;
/// Pages in a row that may come without an entry. Active Directory sends some where it looked at much and found nothing.
const MAX_EMPTY_PAGES: usize = 100;
/// When a page is handed over before its end, in bytes of its entries.
const ENOUGH_BYTES: usize = 4 * 1024 * 1024;

/// What is searched for.
#[derive(Debug, Clone)]
pub struct Search {
    pub base_dn: String,
    pub scope: Scope,
    /// RFC 4515.
    pub filter: String,
    /// Attributes that are wanted; none for all but the operational ones, `1.1` for none at all (RFC 4511 §4.5.1.8).
    pub attributes: Vec<String>,
}

/// The answer to a search. Its entries are whole or there is an error: a limit that was reached is one.
pub struct Pages<'c> {
    connection: &'c mut Connection,
    search: Search,
    state: State,
    referrals: usize,
    empty_pages: usize,
}

enum State {
    /// The next page is to be asked for, with this cookie.
    Next(Vec<u8>),
    /// A page has begun.
    Running(MessageId),
    Over,
    /// It failed, and stays so: the rest will never come.
    Failed(Error),
}

impl Connection {
    /// The entries that a search finds, page by page.
    pub fn search<'c>(&'c mut self, search: &Search) -> Pages<'c> {
        Pages::new(self, search)
    }
}

impl<'c> Pages<'c> {
    pub(super) fn new(connection: &'c mut Connection, search: &Search) -> Self {
        Pages {
            connection,
            search: search.clone(),
            state: State::Next(Vec::new()),
            referrals: 0,
            empty_pages: 0,
        }
    }

    /// The next entries, at least one; none after the last. A server that sends everything in one page has it handed over in parts.
    pub async fn next(&mut self) -> Result<Option<Vec<Entry>>> {
        let page = self.page().await;
        if let Err(error) = &page {
            self.state = State::Failed(error.clone());
        }
        page
    }

    /// How many parts of the answer lie on other servers, so far. They are not followed.
    pub fn referrals(&self) -> usize {
        self.referrals
    }

    async fn page(&mut self) -> Result<Option<Vec<Entry>>> {
        let filter = Filter::parse_composed(&self.search.filter)
            .map_err(|error| Error::Invalid(format!("the filter does not hold: {error}")))?;
        let page_ends = self
            .connection
            .deadline(self.connection.timeout_ms.saturating_mul(PAGE_WAITS));
        let most = usize::try_from(self.connection.page_size).unwrap_or(usize::MAX);
        let mut entries: Vec<Entry> = Vec::new();
        let mut bytes = 0;
        loop {
            let id = match &self.state {
                State::Over if entries.is_empty() => return Ok(None),
                State::Over => return Ok(Some(entries)),
                State::Failed(error) => return Err(error.clone()),
                State::Running(id) => *id,
                State::Next(cookie) => {
                    let request = Request::Search {
                        base_dn: &self.search.base_dn,
                        scope: self.search.scope,
                        filter: &filter,
                        attributes: &self.search.attributes,
                        page: Some((self.connection.page_size, cookie)),
                    };
                    let id = self.connection.send(OPERATION, &request).await?;
                    self.state = State::Running(id);
                    id
                }
            };
            let until = self.connection.deadline(self.connection.timeout_ms);
            let response = self.connection.receive(OPERATION, id, until.min(page_ends));
            match response.await? {
                Response::Entry { dn, attributes } => {
                    let entry = Entry::read(dn, attributes)
                        .map_err(|reason| self.connection.protocol(&reason))?;
                    bytes += entry.size();
                    entries.push(entry);
                    let enough = entries.len() > most || bytes > ENOUGH_BYTES;
                    // Attributes that come in parts are completed when the page is over: one request at a time.
                    if enough && !entries.iter().any(Entry::has_more) {
                        return Ok(Some(entries));
                    }
                    if bytes > MAX_BYTES {
                        return Err(too_large());
                    }
                }
                Response::Reference => self.referrals += 1,
                Response::Done(result, cookie) => {
                    self.connection.succeeded(OPERATION, &result)?;
                    self.state = match cookie {
                        Some(cookie) if !cookie.is_empty() => State::Next(cookie),
                        _ => State::Over,
                    };
                    range::complete(self.connection, &mut entries).await?;
                    if !entries.is_empty() {
                        self.empty_pages = 0;
                        return Ok(Some(entries));
                    }
                    self.empty_pages += 1;
                    if self.empty_pages > MAX_EMPTY_PAGES {
                        let reason = format!("{MAX_EMPTY_PAGES} empty pages in a row");
                        return Err(self.connection.protocol(&reason));
                    }
                }
                _ => return Err(self.connection.unexpected(OPERATION)),
            }
        }
    }
}
