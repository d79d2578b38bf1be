//! Who changes something.

use std::rc::Rc;

use async_trait::async_trait;

use super::audit::Origin;
use crate::error::{Error, Result};
use crate::ids::TenantId;
use crate::scim::budget::Budget;
use crate::scim::profile::Profile;
use crate::scim::resource::Resource;
use crate::scim::schema::{OwnSchemas, ResourceType, Shape};
use crate::store::{self, Rows, Statement};

/// Whose word changes are made on, and so what they may touch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mandate {
    /// A client's: what no directory manages.
    Client,
    /// That of the directory of the identity provider with this id: what it manages.
    Directory(String),
    /// That of group mappings: the members of any group, as far as mappings give them.
    Mappings,
    /// That of an administrator who takes changes back, or erases: anything.
    Administrator,
}

impl Mandate {
    /// Whether it reaches what this provider manages, none for nobody.
    pub fn covers(&self, manager: Option<&str>) -> bool {
        match self {
            Mandate::Client => manager.is_none(),
            Mandate::Directory(provider) => manager == Some(provider.as_str()),
            Mandate::Mappings | Mandate::Administrator => true,
        }
    }

    pub fn is_client(&self) -> bool {
        *self == Mandate::Client
    }
}

/// What holds for all that one author writes with one request.
#[derive(Debug, Clone)]
pub struct Terms {
    pub tenant: TenantId,
    pub profile: Profile,
    /// The tenant's own schemas.
    pub own: Rc<OwnSchemas>,
    /// The identity provider whose `externalId`s the author uses; empty for none.
    pub provider_id: String,
    /// What the author may change.
    pub mandate: Mandate,
    /// Whether the tenant keeps hashes of passwords.
    pub store_passwords: bool,
    /// The SCIM base that the request used, an absolute URL.
    pub base: String,
    pub origin: Origin,
}

impl Terms {
    /// A resource type as the tenant has it.
    pub fn shape(&self, resource_type: &'static ResourceType) -> Shape<'_> {
        self.own.shape(resource_type)
    }
}

/// Who changes something: its way to the database, on which its right to do so is checked, and the world around it.
#[async_trait(?Send)]
pub trait Author {
    fn terms(&self) -> &Terms;
    /// What all that is wanted together may have worked through, however often it is planned.
    fn budget(&self) -> &Budget;
    /// Runs a batch that reads; one round trip.
    async fn read(&self, batch: Vec<Statement>) -> Result<Vec<Rows>>;
    /// Runs a batch that writes, or is undone as a whole; one round trip.
    async fn write(&self, batch: Vec<Statement>) -> store::Result<Vec<Rows>>;
    /// Told which of so many intents fail, by their numbers, right before the batch of the others is written.
    fn told(&self, _failed: &[(usize, &Error)], _of: usize) {}
    /// Told of the only resource that is wanted, right before it is written, where it is known as it was.
    fn found(&self, _before: &Resource) {}
    /// The hash of a password that the tenant keeps.
    fn hash(&self, password: &str) -> Result<String>;
    /// Milliseconds since 1970.
    fn now(&self) -> i64;
    /// Waits for about that many milliseconds: half of it at least, and one and a half times at most, so that those who run into each
    /// other do not do so again.
    async fn pause(&self, ms: u32);
    /// Told where the tenant's fuse refuses a removal.
    fn fuse_blew(&self) {}
}
