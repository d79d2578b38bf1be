//! A run as the author of changes: on the word of its directory, or on that of group mappings.

use std::cell::RefCell;
use std::rc::Rc;

use async_trait::async_trait;

use super::failure::Failure;
use super::session::Session;
use crate::change::audit::Origin;
use crate::change::{self, Author, Mandate, Recent, Request, Terms};
use crate::error::{Error, Result};
use crate::scim::budget::Budget;
use crate::scim::error::ScimType;
use crate::store::{self, Constraint, Rows, Statement};

struct SyncAuthor<'a> {
    session: &'a Session<'a>,
    terms: Terms,
    /// Why the database did not do what it was asked for last, of what was to be written, or of what was asked since.
    failed: RefCell<Option<store::Error>>,
    budget: Budget,
}

impl SyncAuthor<'_> {
    fn noted<T>(&self, result: store::Result<T>) -> store::Result<T> {
        if let Err(error) = &result {
            *self.failed.borrow_mut() = Some(error.clone());
        }
        result
    }
}

#[async_trait(?Send)]
impl Author for SyncAuthor<'_> {
    fn terms(&self) -> &Terms {
        &self.terms
    }

    async fn read(&self, batch: Vec<Statement>) -> Result<Vec<Rows>> {
        Ok(self.noted(self.session.read(batch).await)?)
    }

    async fn write(&self, batch: Vec<Statement>) -> store::Result<Vec<Rows>> {
        self.failed.take();
        self.noted(self.session.write(batch).await)
    }

    fn hash(&self, _password: &str) -> Result<String> {
        Err(Error::internal("a directory gives no passwords"))
    }

    fn budget(&self) -> &Budget {
        &self.budget
    }

    fn now(&self) -> i64 {
        self.session.now()
    }

    async fn pause(&self, ms: u32) {
        self.session.platform.timer.sleep(ms).await;
    }
}

/// Carries intents out, all or none.
pub async fn carry_out(
    session: &Session<'_>,
    mandate: Mandate,
    request: &Request<'_>,
) -> std::result::Result<(), Failure> {
    let author = SyncAuthor {
        session,
        terms: Terms {
            tenant: session.tenant.clone(),
            profile: session.known.settings.profile,
            own: Rc::clone(&session.known.settings.own),
            provider_id: session.idp.clone(),
            mandate,
            store_passwords: false,
            base: String::new(),
            origin: Origin {
                at: session.now(),
                ..session.origin.clone()
            },
        },
        failed: RefCell::default(),
        budget: Budget::unlimited(),
    };
    let written = match change::write(&author, &Recent::default(), request).await {
        Ok(written) => written,
        Err(error) => {
            return Err(match author.failed.into_inner() {
                Some(failed) => Failure::Store(failed),
                None => Failure::Refused(error.detail),
            });
        }
    };
    match written.outcomes.into_iter().find_map(Result::err) {
        None => Ok(()),
        // Somebody took a name since the plan was made.
        Some(error) if error.scim_type() == Some(ScimType::Uniqueness.name()) => {
            let taken = Constraint::UserName;
            Err(Failure::Store(store::Error::Conflict(taken)))
        }
        Some(error) => Err(Failure::Refused(error.detail)),
    }
}
