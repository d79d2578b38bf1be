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
    /// A sentence for the log.
    pub(super) fn reason(&self) -> String {
        match self {
            Failure::Directory(error) => error.to_string(),
            Failure::Refused(reason) => reason.clone(),
            Failure::Store(store::Error::Guard(Guard::LeaseLost)) => {
                "the run was taken for dead, or its provider was deleted; it has written nothing since".to_owned()
            }
            Failure::Store(store::Error::Overloaded(_)) => {
                "the database could not be reached; the next sync goes on from there".to_owned()
            }
            Failure::Store(store::Error::Conflict(_)) => {
                "others keep taking names that the directory has; the next sync goes on from there".to_owned()
            }
            Failure::Store(error) => format!("{error}; the next sync goes on from there"),
        }
    }
}
