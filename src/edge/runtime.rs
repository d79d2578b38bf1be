//! Time, randomness, work after the reply, and the log.

use std::rc::Rc;

use worker::{Context, Date, ScheduleContext};

use crate::platform::{Background, Clock, Entropy, LocalFuture, Log};

/// The runtime's clock. Deployed, it stands still but for I/O: good for dates, useless for timing code.
pub struct RuntimeClock;

impl Clock for RuntimeClock {
    fn now(&self) -> i64 {
        i64::try_from(Date::now().as_millis()).unwrap_or(i64::MAX)
    }
}

/// The runtime's random numbers (`crypto.getRandomValues`).
pub struct RuntimeEntropy;

impl Entropy for RuntimeEntropy {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), String> {
        getrandom::fill(buffer).map_err(|error| error.to_string())
    }
}

/// Work that the runtime finishes after the reply has gone out.
pub struct AfterReply(pub Rc<Context>);

impl Background for AfterReply {
    fn defer(&self, work: LocalFuture<'static, ()>) {
        self.0.wait_until(work);
    }
}

/// Work that the runtime finishes after a tick of the clock.
pub struct AfterTick(pub ScheduleContext);

impl Background for AfterTick {
    fn defer(&self, work: LocalFuture<'static, ()>) {
        self.0.wait_until(work);
    }
}

/// The runtime's console, which Workers Logs collects.
pub struct Console;

impl Log for Console {
    fn line(&self, line: &str) {
        worker::console_log!("{line}");
    }
}

/// The runtime's words on a connection that failed, without what only its authors can read.
pub fn plain(reason: &str) -> String {
    let reason = reason.split("; reference").next().unwrap_or(reason).trim();
    let reason = reason.strip_prefix("Error: ").unwrap_or(reason);
    match reason {
        "internal error" | "" => "the connection failed".to_owned(),
        reason if reason.contains("DNS lookup failed") => "its name is not known to DNS".to_owned(),
        reason => reason.to_owned(),
    }
}
