//! The rest of the world outside: a cache, a clock, random numbers, documents on the web, work after the reply, a log. All of it
//! real enough to be wrong on purpose.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use async_trait::async_trait;
use rollcall::platform::{
    Answered, Asset, Assets, Background, Clock, Entropy, HttpClient, HttpError, Limit, LocalFuture,
    Log, RateLimiter, Timer, TokenCache,
};
use sha2::{Digest, Sha256};

use super::jobs::TestQueue;

/// A cache whose every look-up is counted, and that can be down.
#[derive(Default)]
pub struct TestCache {
    pub entries: RefCell<BTreeMap<String, String>>,
    pub gets: Cell<usize>,
    pub down: Cell<bool>,
}

#[async_trait(?Send)]
impl TokenCache for TestCache {
    async fn get(&self, key: &str) -> Option<String> {
        self.gets.set(self.gets.get() + 1);
        match self.down.get() {
            true => None,
            false => self.entries.borrow().get(key).cloned(),
        }
    }

    async fn put(&self, key: &str, value: &str, _seconds: u64) {
        if !self.down.get() {
            self.entries
                .borrow_mut()
                .insert(key.to_owned(), value.to_owned());
        }
    }

    async fn delete(&self, key: &str) {
        if !self.down.get() {
            self.entries.borrow_mut().remove(key);
        }
    }
}

/// A clock that stands still until it is set.
pub struct TestClock(pub Cell<i64>);

impl TestClock {
    pub fn advance_seconds(&self, seconds: i64) {
        self.0.set(self.0.get() + seconds * 1_000);
    }
}

impl Clock for TestClock {
    fn now(&self) -> i64 {
        self.0.get()
    }
}

/// Waits in no time: the clock goes on, and a job that is due is done.
pub struct TestTimer(pub Rc<TestClock>, pub Rc<TestQueue>);

#[async_trait(?Send)]
impl Timer for TestTimer {
    async fn sleep(&self, ms: u32) {
        self.0.0.set(self.0.0.get() + i64::from(ms));
        if !self.1.halted.get() {
            self.1.deliver().await;
        }
    }
}

/// Numbers that never repeat and that nobody should take for random.
#[derive(Default)]
pub struct TestEntropy(Cell<u64>);

impl Entropy for TestEntropy {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), String> {
        for chunk in buffer.chunks_mut(8) {
            let next = self.0.get().wrapping_add(0x9E37_79B9_7F4A_7C15);
            self.0.set(next);
            let mixed = (next ^ (next >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            let bytes = (mixed ^ (mixed >> 27)).to_be_bytes();
            chunk.copy_from_slice(&bytes[..chunk.len()]);
        }
        Ok(())
    }
}

/// Documents by their addresses, and how often they were fetched.
#[derive(Default)]
pub struct TestWeb {
    pub documents: RefCell<BTreeMap<String, Vec<u8>>>,
    /// What goes wrong at an address, instead of its document.
    pub errors: RefCell<BTreeMap<String, HttpError>>,
    pub fetches: Cell<usize>,
    /// What was sent, in its order.
    pub posts: RefCell<Vec<Post>>,
    /// What is answered to what is sent to an address, one after the other; 200 where there is nothing more.
    pub answers: RefCell<BTreeMap<String, VecDeque<Result<Answered, HttpError>>>>,
}

/// Something that was sent.
#[derive(Debug, Clone)]
pub struct Post {
    pub url: String,
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

impl TestWeb {
    /// Has an address serve the metadata of a SAML provider.
    pub fn publish_metadata(&self, url: &str) {
        let namespace = "urn:oasis:names:tc:SAML:2.0:metadata";
        let document = format!("<EntityDescriptor xmlns='{namespace}'></EntityDescriptor>");
        let mut documents = self.documents.borrow_mut();
        documents.insert(url.to_owned(), document.into_bytes());
    }
}

#[async_trait(?Send)]
impl HttpClient for TestWeb {
    async fn get(
        &self,
        url: &str,
        max_bytes: usize,
        _timeout_ms: u32,
    ) -> Result<Vec<u8>, HttpError> {
        self.fetches.set(self.fetches.get() + 1);
        if let Some(error) = self.errors.borrow().get(url) {
            return Err(error.clone());
        }
        match self.documents.borrow().get(url) {
            Some(document) if document.len() <= max_bytes => Ok(document.clone()),
            Some(_) => Err(HttpError::TooLong(max_bytes)),
            None => Err(HttpError::Status(404)),
        }
    }

    async fn post(
        &self,
        url: &str,
        headers: &[(&str, String)],
        body: String,
        max_reply: usize,
        _timeout_ms: u32,
    ) -> Result<Answered, HttpError> {
        let headers = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()));
        self.posts.borrow_mut().push(Post {
            url: url.to_owned(),
            headers: headers.collect(),
            body,
        });
        let mut answers = self.answers.borrow_mut();
        let answer = answers.get_mut(url).and_then(VecDeque::pop_front);
        let mut answered = answer.unwrap_or(Ok(Answered {
            status: 200,
            ..Answered::default()
        }))?;
        answered.body.truncate(max_reply);
        Ok(answered)
    }
}

/// Counts for ever, against no limit but those that a test sets.
#[derive(Default)]
pub struct TestLimiter {
    pub limits: RefCell<BTreeMap<Limit, usize>>,
    pub counts: RefCell<BTreeMap<(Limit, String), usize>>,
}

#[async_trait(?Send)]
impl RateLimiter for TestLimiter {
    async fn allows(&self, limit: Limit, key: &str) -> bool {
        let mut counts = self.counts.borrow_mut();
        let count = counts.entry((limit, key.to_owned())).or_default();
        *count += 1;
        let most = self.limits.borrow().get(&limit).copied();
        most.is_none_or(|most| *count <= most)
    }
}

/// The files of `src/assets/`; the build adds those of the viewer.
pub struct PublicFolder;

#[async_trait(?Send)]
impl Assets for PublicFolder {
    async fn get(&self, path: &str) -> Result<Option<Asset>, String> {
        let Ok(text) = std::fs::read_to_string(format!("src/assets/{path}")) else {
            return Ok(None);
        };
        let etag = format!("\"{:x}\"", Sha256::digest(&text));
        Ok(Some(Asset { text, etag }))
    }
}

/// Work that is kept until the reply is out.
#[derive(Default)]
pub struct TestBackground(RefCell<Vec<LocalFuture<'static, ()>>>);

impl TestBackground {
    pub fn finish(&self) {
        for work in self.take() {
            pollster::block_on(work);
        }
    }

    /// What waits to be done.
    pub fn take(&self) -> Vec<LocalFuture<'static, ()>> {
        self.0.take()
    }
}

impl Background for TestBackground {
    fn defer(&self, work: LocalFuture<'static, ()>) {
        self.0.borrow_mut().push(work);
    }
}

#[derive(Default)]
pub struct TestLog(pub RefCell<Vec<String>>);

impl Log for TestLog {
    fn line(&self, line: &str) {
        self.0.borrow_mut().push(line.to_owned());
    }
}
