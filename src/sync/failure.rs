//! Why a run did not do what it should.

use crate::store::{self, Guard};

/// Why a run did not do what it should.
#[derive(Debug)]
pub enum Failure {
    Store(store::Error),
    Directory(crate::ldap::Error),
    /// It is not done, for this reason.
    Refused(String),
}

impl From<store::Error> for Failure {
    fn from(error: store::Error) -> Self {
        Failure::Store(error)
    }
}

impl From<crate::ldap::Error> for Failure {
    fn from(error: crate::ldap::Error) -> Self {
        Failure::Directory(error)
    }
}

impl Failure {
    /// Whether another message may get on where this one did not, or somebody else has taken the run over.
    pub(super) fn may_pass(&self) -> bool {
        let passing = |error: &store::Error| {
            matches!(
                error,
                store::Error::Overloaded(_) | store::Error::Guard(Guard::LeaseLost)
            )
        };
        matches!(self, Failure::Store(error) if passing(error))
    }

    /// A sentence for the log.
    pub(super) fn reason(&self) -> String {
        match self {
            Failure::Directory(error) => error.to_string(),
            Failure::Refused(reason) => reason.clone(),
            Failure::Store(store::Error::Conflict(_)) => {
                "others keep taking names that the directory has; the next sync goes on from there"
                    .to_owned()
            }
            Failure::Store(error) => format!("{error}; the next sync goes on from there"),
        }
    }
}
