//! Requests at once, which take turns: each lets the others go first before each of its batches.

use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use http::Request;
use rollcall::platform::{Database, Platform};
use rollcall::store::{Result, Rows, Statement};

use super::{Answer, World, databases};

/// A database of which each batch waits for its turn.
struct Turns(Rc<dyn Database>);

#[async_trait(?Send)]
impl Database for Turns {
    async fn run(&self, batch: Vec<Statement>) -> Result<Vec<Rows>> {
        let mut waited = false;
        std::future::poll_fn(|context| {
            if std::mem::replace(&mut waited, true) {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
        self.0.run(batch).await
    }
}

/// Has every batch of a platform wait for its turn.
pub fn take_turns(platform: &mut Platform) {
    databases::wrap(platform, |database| Rc::new(Turns(database)));
}

impl World {
    /// Has every batch of the first worker wait for its turn.
    pub fn take_turns(&mut self) {
        take_turns(&mut self.app.platform);
    }

    /// Two requests at once: whose turn it is next, the order says (true: the second one's); behind its end they alternate.
    pub fn interleaved(&self, requests: [Request<Vec<u8>>; 2], order: &[bool]) -> [Answer; 2] {
        let named = requests.each_ref().map(|request| {
            let path = request.uri().path().to_owned();
            (request.method().clone(), path)
        });
        let [one, two] = requests.map(|request| self.app.handle(request));
        let (mut one, mut two) = (pin!(one), pin!(two));
        let mut context = Context::from_waker(Waker::noop());
        let mut done = [None, None];
        self.databases.begin_invocation();
        let mut turns = order
            .iter()
            .copied()
            .chain([false, true].into_iter().cycle());
        while done.iter().any(Option::is_none) {
            let second = turns.next().expect("turns without end");
            let index = usize::from(second);
            if done[index].is_some() {
                continue;
            }
            let polled = match second {
                false => one.as_mut().poll(&mut context),
                true => two.as_mut().poll(&mut context),
            };
            if let Poll::Ready(response) = polled {
                done[index] = Some(response);
            }
        }
        self.background.finish();
        let mut answers = named
            .into_iter()
            .zip(done)
            .map(|((method, path), response)| {
                self.read_answer(&method, &path, response.expect("a response"))
            });
        std::array::from_fn(|_| answers.next().expect("two"))
    }
}
