//! Tests of the connection to an identity provider: stage by stage, up to the first that fails, each with a sentence that tells an administrator
//! what was found or what to do.

pub mod address;
pub mod ldap;

use std::future::Future;
use std::rc::Rc;

use serde::Serialize;

use crate::platform::Clock;

/// A stage of a test, as it went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    pub name: &'static str,
    pub ok: bool,
    pub message: String,
    /// Milliseconds, of the platform's clock.
    pub duration_ms: i64,
}

/// The stages of a test so far.
pub struct Stages {
    clock: Rc<dyn Clock>,
    checks: Vec<Check>,
}

impl Stages {
    pub fn new(clock: &Rc<dyn Clock>) -> Self {
        Stages {
            clock: Rc::clone(clock),
            checks: Vec::new(),
        }
    }

    /// Runs a stage. It gives its value and what to say of it, or why it failed; then there is no value, and no further stage to run.
    pub async fn run<T>(
        &mut self,
        name: &'static str,
        work: impl Future<Output = Result<(T, String), String>>,
    ) -> Option<T> {
        let start = self.clock.now();
        let result = work.await;
        let duration_ms = self.clock.now() - start;
        let (value, message) = match result {
            Ok((value, message)) => (Some(value), message),
            Err(reason) => (None, reason),
        };
        self.checks.push(Check {
            name,
            ok: value.is_some(),
            message,
            duration_ms,
        });
        value
    }

    pub fn into_checks(self) -> Vec<Check> {
        self.checks
    }
}
