//! Tests of the connection to an identity provider: stage by stage, up to the first that fails, each with a sentence that tells an administrator
//! what was found or what to do.

pub mod address;
pub mod ldap;

use std::future::Future;

use serde::Serialize;

use crate::platform::Clock;

/// How one stage of a test ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    pub name: &'static str,
    pub ok: bool,
    /// What was found, or what is wrong and can be done.
    pub message: String,
    /// What the stage took, in milliseconds; only waiting counts.
    pub duration_ms: i64,
}

/// The stages of a test so far.
pub struct Checks<'c> {
    clock: &'c dyn Clock,
    checks: Vec<Check>,
}

/// A stage failed, and the test is over: [`Checks`] has why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failed;

impl<'c> Checks<'c> {
    pub fn new(clock: &'c dyn Clock) -> Self {
        Checks {
            clock,
            checks: Vec::new(),
        }
    }

    /// Runs a stage, which gives something to go on with and what to say of it, or the reason why it failed.
    pub async fn stage<T>(
        &mut self,
        name: &'static str,
        work: impl Future<Output = Result<(T, String), String>>,
    ) -> Result<T, Failed> {
        let started = self.clock.now();
        let (ok, message, value) = match work.await {
            Ok((value, message)) => (true, message, Ok(value)),
            Err(message) => (false, message, Err(Failed)),
        };
        self.checks.push(Check {
            name,
            ok,
            message,
            duration_ms: self.clock.now() - started,
        });
        value
    }

    pub fn into_vec(self) -> Vec<Check> {
        self.checks
    }
}
