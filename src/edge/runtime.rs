//! Time, randomness, work after the reply, and the log.

use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{self, Poll, Wake, Waker};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::{Either, select};
use futures_util::task::AtomicWaker;
use worker::{Context, Date, Delay, ScheduleContext};

use crate::platform::{Background, Clock, Entropy, LocalFuture, Log, Timer};

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

/// The runtime's timers.
pub struct RuntimeTimer;

#[async_trait(?Send)]
impl Timer for RuntimeTimer {
    async fn sleep(&self, ms: u32) {
        sleep(ms).await;
    }
}

/// Ends after so many milliseconds.
pub fn sleep(ms: u32) -> impl Future<Output = ()> {
    Sleep {
        delay: Delay::from(Duration::from_millis(ms.into())),
        newest: Arc::default(),
    }
}

/// The future's value, none where it takes longer than that.
pub async fn within<T>(timeout_ms: u32, work: impl Future<Output = T>) -> Option<T> {
    match select(std::pin::pin!(work), sleep(timeout_ms)).await {
        Either::Left((value, _)) => Some(value),
        Either::Right(_) => None,
    }
}

/// A [`Delay`] wakes the task that polled it first. This wakes the one that did so last, for work may go on in another task.
struct Sleep {
    delay: Delay,
    newest: Arc<Newest>,
}

#[derive(Default)]
struct Newest(AtomicWaker);

impl Wake for Newest {
    fn wake(self: Arc<Self>) {
        self.0.wake();
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut task::Context<'_>) -> Poll<()> {
        self.newest.0.register(context.waker());
        let waker = Waker::from(Arc::clone(&self.newest));
        Pin::new(&mut self.delay).poll(&mut task::Context::from_waker(&waker))
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

/// Why a connection failed, in other words than the runtime's. It tells little: a name that DNS does not know looks like a port where nobody
/// listens, and several other things are `internal error` and a reference that only its authors can read. `unknown` is what those may be.
pub fn plain(reason: &str, unknown: &str) -> String {
    let reason = reason.split("; reference").next().unwrap_or(reason).trim();
    let reason = reason.strip_prefix("Error: ").unwrap_or(reason);
    let plain = match reason {
        "internal error" | "" => unknown,
        "Network connection lost." => "nothing listens there, or the connection was lost",
        reason if reason.contains("cannot connect to the specified address") => {
            "its name is not known to DNS, or nothing listens on that port"
        }
        reason if reason.contains("DNS lookup failed") => "its name is not known to DNS",
        reason => reason,
    };
    plain.to_owned()
}
