//! The platform with faults on purpose: any one call that a request makes of it can fail, hang, or lie.
//!
//! Each part of the platform is wrapped. The calls of a request are counted, and the one whose number is armed goes wrong.

use std::cell::{Cell, RefCell};
use std::future::pending;
use std::rc::Rc;

use async_trait::async_trait;
use rollcall::platform::{
    Answered, Clock, Database, Entropy, HttpClient, HttpError, Limit, Others, RateLimiter, Tcp,
    TcpError, TcpSecurity, TcpStream, TokenCache,
};
use rollcall::store::{Error, Result, Rows, Statement};

use super::World;

/// What a call is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Database,
    Cache,
    Web,
    Limiter,
    Tcp,
    Entropy,
    Clock,
}

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The database says this instead of running the batch.
    Says(&'static str),
    /// The same, from this call on.
    SaysFromNowOn(&'static str),
    /// The batch runs and its reply is lost.
    ReplyLost,
    /// What is asked for is not to be had: a cache, a document, random numbers.
    Down,
    /// No answer comes, and the request is given up: before anything was done, or after.
    HangsBefore,
    HangsAfter,
    /// From this call on the clock is off by so many milliseconds.
    ClockJumps(i64),
}

pub const LOST: &str = "D1_ERROR: Network connection lost.";
pub const OVERLOADED: &str = "D1_ERROR: D1 DB is overloaded. Too many requests queued.";
/// Nothing that passes by itself.
pub const BROKEN: &str = "D1_ERROR: no such column: nonsense at offset 7: SQLITE_ERROR";
const HOURS: i64 = 3_600_000;

impl Part {
    /// All that can go wrong with a call.
    pub fn faults(self) -> &'static [Fault] {
        match self {
            Part::Database => &[
                Fault::Says(LOST),
                Fault::Says(OVERLOADED),
                Fault::SaysFromNowOn(OVERLOADED),
                Fault::Says(BROKEN),
                Fault::ReplyLost,
                Fault::HangsBefore,
                Fault::HangsAfter,
            ],
            Part::Cache | Part::Web | Part::Limiter | Part::Tcp => {
                &[Fault::Down, Fault::HangsBefore, Fault::HangsAfter]
            }
            Part::Entropy => &[Fault::Down],
            Part::Clock => &[Fault::ClockJumps(2 * HOURS), Fault::ClockJumps(-2 * HOURS)],
        }
    }
}

/// Each of the other databases goes wrong as the first one does.
impl Others for Faulty<dyn Others> {
    fn open(&self, name: &str) -> Option<Rc<dyn Database>> {
        let opened = self.0.open(name)?;
        Some(Rc::new(Faulty(opened, self.1.clone())))
    }
}

/// The faults of a world.
#[derive(Default)]
pub struct Faults {
    calls: RefCell<Vec<Part>>,
    armed: Cell<Option<(usize, Fault)>>,
    outage: Cell<Option<&'static str>>,
    clock_off: Cell<i64>,
    hangs: Cell<bool>,
}

impl Faults {
    /// Wraps a world's platform.
    pub fn install(world: &mut World) -> Rc<Self> {
        let faults = Rc::new(Faults::default());
        let platform = &mut world.app.platform;
        platform.database = Rc::new(Faulty(platform.database.clone(), faults.clone()));
        platform.others = Rc::new(Faulty(platform.others.clone(), faults.clone()));
        platform.token_cache = Rc::new(Faulty(platform.token_cache.clone(), faults.clone()));
        platform.http = Rc::new(Faulty(platform.http.clone(), faults.clone()));
        platform.tcp = Rc::new(Faulty(platform.tcp.clone(), faults.clone()));
        platform.limiter = Rc::new(Faulty(platform.limiter.clone(), faults.clone()));
        platform.entropy = Rc::new(Faulty(platform.entropy.clone(), faults.clone()));
        platform.clock = Rc::new(Faulty(platform.clock.clone(), faults.clone()));
        world.employ();
        faults
    }

    /// Begins to count again. The call with that number goes wrong; none where there is no number.
    pub fn arm(&self, armed: Option<(usize, Fault)>) {
        self.calls.borrow_mut().clear();
        self.armed.set(armed);
        self.outage.set(None);
        self.clock_off.set(0);
        self.hangs.set(false);
    }

    /// The calls made since.
    pub fn calls(&self) -> Vec<Part> {
        self.calls.borrow().clone()
    }

    /// Whether a call has been left without an answer.
    pub fn hangs(&self) -> bool {
        self.hangs.get()
    }

    fn count(&self, part: Part) -> Option<Fault> {
        let number = self.calls.borrow().len();
        self.calls.borrow_mut().push(part);
        match self.armed.get() {
            Some((armed, fault)) if armed == number => Some(fault),
            _ => None,
        }
    }

    async fn hang<T>(&self) -> T {
        self.hangs.set(true);
        pending().await
    }

    /// Makes a call that cannot go wrong otherwise than by not being answered, or by `down`.
    async fn pass<T>(&self, part: Part, work: impl Future<Output = T>, down: T) -> T {
        match self.count(part) {
            Some(Fault::Down) => down,
            Some(Fault::HangsBefore) => self.hang().await,
            Some(Fault::HangsAfter) => {
                work.await;
                self.hang().await
            }
            _ => work.await,
        }
    }
}

/// A part of the platform that fails when it is told to.
struct Faulty<T: ?Sized>(Rc<T>, Rc<Faults>);

#[async_trait(?Send)]
impl Database for Faulty<dyn Database> {
    async fn run(&self, batch: Vec<Statement>) -> Result<Vec<Rows>> {
        let Faulty(inner, faults) = self;
        let fault = faults.count(Part::Database);
        if let Some(message) = faults.outage.get() {
            return Err(Error::from_message(message));
        }
        match fault {
            Some(Fault::Says(message)) => Err(Error::from_message(message)),
            Some(Fault::SaysFromNowOn(message)) => {
                faults.outage.set(Some(message));
                Err(Error::from_message(message))
            }
            Some(Fault::ReplyLost) => {
                inner.run(batch).await?;
                Err(Error::from_message(LOST))
            }
            Some(Fault::HangsBefore) => faults.hang().await,
            Some(Fault::HangsAfter) => {
                let _ = inner.run(batch).await;
                faults.hang().await
            }
            _ => inner.run(batch).await,
        }
    }
}

#[async_trait(?Send)]
impl TokenCache for Faulty<dyn TokenCache> {
    async fn get(&self, key: &str) -> Option<String> {
        let Faulty(inner, faults) = self;
        faults.pass(Part::Cache, inner.get(key), None).await
    }

    async fn put(&self, key: &str, value: &str, seconds: u64) {
        let Faulty(inner, faults) = self;
        let work = inner.put(key, value, seconds);
        faults.pass(Part::Cache, work, ()).await;
    }

    async fn delete(&self, key: &str) {
        let Faulty(inner, faults) = self;
        faults.pass(Part::Cache, inner.delete(key), ()).await;
    }
}

#[async_trait(?Send)]
impl HttpClient for Faulty<dyn HttpClient> {
    async fn get(
        &self,
        url: &str,
        max_bytes: usize,
        timeout_ms: u32,
    ) -> std::result::Result<Vec<u8>, HttpError> {
        let Faulty(inner, faults) = self;
        let down = Err(HttpError::Timeout(timeout_ms));
        let work = inner.get(url, max_bytes, timeout_ms);
        faults.pass(Part::Web, work, down).await
    }

    async fn post(
        &self,
        url: &str,
        headers: &[(&str, String)],
        body: String,
        max_reply: usize,
        timeout_ms: u32,
    ) -> std::result::Result<Answered, HttpError> {
        let Faulty(inner, faults) = self;
        let down = Err(HttpError::Timeout(timeout_ms));
        let work = inner.post(url, headers, body, max_reply, timeout_ms);
        faults.pass(Part::Web, work, down).await
    }
}

#[async_trait(?Send)]
impl Tcp for Faulty<dyn Tcp> {
    async fn connect(
        &self,
        host: &str,
        port: u16,
        security: TcpSecurity,
        timeout_ms: u32,
    ) -> std::result::Result<Box<dyn TcpStream>, TcpError> {
        let Faulty(inner, faults) = self;
        let work = inner.connect(host, port, security, timeout_ms);
        let stream = faults.pass(Part::Tcp, work, Err(reset())).await?;
        Ok(Box::new(FaultyStream(stream, faults.clone())))
    }
}

struct FaultyStream(Box<dyn TcpStream>, Rc<Faults>);

#[async_trait(?Send)]
impl TcpStream for FaultyStream {
    async fn write_all(
        &mut self,
        bytes: &[u8],
        timeout_ms: u32,
    ) -> std::result::Result<(), TcpError> {
        let FaultyStream(inner, faults) = self;
        let work = inner.write_all(bytes, timeout_ms);
        faults.pass(Part::Tcp, work, Err(reset())).await
    }

    async fn read(&mut self, timeout_ms: u32) -> std::result::Result<Vec<u8>, TcpError> {
        let FaultyStream(inner, faults) = self;
        let work = inner.read(timeout_ms);
        faults.pass(Part::Tcp, work, Err(reset())).await
    }

    async fn start_tls(
        self: Box<Self>,
        timeout_ms: u32,
    ) -> std::result::Result<Box<dyn TcpStream>, TcpError> {
        let FaultyStream(inner, faults) = *self;
        let work = inner.start_tls(timeout_ms);
        let stream = faults.pass(Part::Tcp, work, Err(reset())).await?;
        Ok(Box::new(FaultyStream(stream, faults.clone())))
    }

    async fn close(self: Box<Self>) {
        let FaultyStream(inner, faults) = *self;
        faults.pass(Part::Tcp, inner.close(), ()).await;
    }
}

fn reset() -> TcpError {
    TcpError::Other("the connection was reset".to_owned())
}

#[async_trait(?Send)]
impl RateLimiter for Faulty<dyn RateLimiter> {
    async fn allows(&self, limit: Limit, key: &str) -> bool {
        let Faulty(inner, faults) = self;
        let work = inner.allows(limit, key);
        faults.pass(Part::Limiter, work, true).await
    }
}

impl Entropy for Faulty<dyn Entropy> {
    fn fill(&self, buffer: &mut [u8]) -> std::result::Result<(), String> {
        let Faulty(inner, faults) = self;
        match faults.count(Part::Entropy) {
            Some(_) => Err("no random numbers".to_owned()),
            None => inner.fill(buffer),
        }
    }
}

impl Clock for Faulty<dyn Clock> {
    fn now(&self) -> i64 {
        let Faulty(inner, faults) = self;
        if let Some(Fault::ClockJumps(off)) = faults.count(Part::Clock) {
            faults.clock_off.set(off);
        }
        inner.now() + faults.clock_off.get()
    }
}
