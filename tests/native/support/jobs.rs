//! The queue of jobs: what is sent is performed while a request waits, one message in each of its pauses, or when the test says so.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use async_trait::async_trait;
use rollcall::api::App;
use rollcall::jobs::Verdict;
use rollcall::platform::{MAX_MESSAGE_BYTES, Queue, QueueName};

use super::databases::Twins;
use super::outside::TestClock;

/// How often a message is delivered, as `wrangler.jobs.toml` says.
const MAX_DELIVERIES: u32 = 11;

struct Waiting {
    text: String,
    /// Milliseconds since 1970.
    due: i64,
    deliveries: u32,
}

/// A message at work; one that is given up does not keep others from it.
struct Working<'q>(&'q Cell<bool>);

impl Drop for Working<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

/// Messages that wait, and those that were given up.
pub struct TestQueue {
    clock: Rc<TestClock>,
    databases: Rc<Twins>,
    waiting: RefCell<VecDeque<Waiting>>,
    /// Messages that failed too often.
    pub dead: RefCell<Vec<String>>,
    /// Whether nothing can be sent.
    pub down: Cell<bool>,
    /// Whether a request's pauses deliver nothing, as where the other worker does not run.
    pub halted: Cell<bool>,
    busy: Cell<bool>,
    worker: RefCell<Option<Rc<App>>>,
}

impl TestQueue {
    pub fn new(clock: Rc<TestClock>, databases: Rc<Twins>) -> Self {
        TestQueue {
            clock,
            databases,
            waiting: RefCell::default(),
            dead: RefCell::default(),
            down: Cell::default(),
            halted: Cell::default(),
            busy: Cell::default(),
            worker: RefCell::default(),
        }
    }

    /// Who performs the messages.
    pub fn employ(&self, worker: Rc<App>) {
        *self.worker.borrow_mut() = Some(worker);
    }

    /// The messages that wait.
    pub fn waiting(&self) -> Vec<String> {
        let waiting = self.waiting.borrow();
        waiting.iter().map(|one| one.text.clone()).collect()
    }

    /// Loses all messages.
    pub fn lose(&self) {
        self.waiting.borrow_mut().clear();
    }

    /// Puts a message into the queue, as whoever sends another version would.
    pub fn put(&self, text: &str) {
        self.waiting.borrow_mut().push_back(Waiting {
            text: text.to_owned(),
            due: self.clock.0.get(),
            deliveries: 0,
        });
    }

    /// Delivers the first message that is due, in an invocation of its own; false where none is.
    pub async fn deliver(&self) -> bool {
        if self.busy.get() {
            return false;
        }
        let now = self.clock.0.get();
        let due = {
            let mut waiting = self.waiting.borrow_mut();
            let first = waiting.iter().position(|one| one.due <= now);
            first.and_then(|index| waiting.remove(index))
        };
        let worker = self.worker.borrow().clone();
        let (Some(mut message), Some(worker)) = (due, worker) else {
            return false;
        };
        self.busy.set(true);
        let _working = Working(&self.busy);
        let outer = self.databases.begin_invocation();
        let verdict = worker.perform(&message.text).await;
        self.databases.resume_invocation(&outer);
        if let Verdict::Again { seconds } = verdict {
            message.deliveries += 1;
            message.due = self.clock.0.get() + i64::from(seconds) * 1_000;
            match message.deliveries < MAX_DELIVERIES {
                true => self.waiting.borrow_mut().push_back(message),
                false => self.dead.borrow_mut().push(message.text),
            }
        }
        true
    }

    /// Delivers until nothing waits, letting time pass for what is delayed.
    pub fn work_off(&self) {
        loop {
            while pollster::block_on(self.deliver()) {}
            let next = self.waiting.borrow().iter().map(|one| one.due).min();
            match next {
                Some(due) => self.clock.0.set(due.max(self.clock.0.get())),
                None => return,
            }
        }
    }
}

#[async_trait(?Send)]
impl Queue for TestQueue {
    async fn send(
        &self,
        _queue: QueueName,
        message: &str,
        delay_seconds: u32,
    ) -> Result<(), String> {
        assert!(
            message.len() <= MAX_MESSAGE_BYTES,
            "a message of {} bytes",
            message.len()
        );
        if self.down.get() {
            return Err("Queue sending failed".to_owned());
        }
        self.waiting.borrow_mut().push_back(Waiting {
            text: message.to_owned(),
            due: self.clock.0.get() + i64::from(delay_seconds) * 1_000,
            deliveries: 0,
        });
        Ok(())
    }
}
