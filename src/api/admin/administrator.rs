//! An administrator as the author of changes to users and groups, and how one names these.

use async_trait::async_trait;
use serde::Deserialize;

use crate::api::http::call::Call;
use crate::auth::admin::Admin;
use crate::change::{Author, Mandate, Terms};
use crate::error::{Error, Result};
use crate::ids::TenantId;
use crate::scim::budget::Budget;
use crate::scim::schema::{GROUPS, ResourceType, USERS};
use crate::store::tenants::{self, Settings};
use crate::store::{self, Rows, Statement};

/// An administrator with a request.
pub struct Administrator<'c> {
    call: &'c Call<'c>,
    terms: Terms,
}

impl<'c> Administrator<'c> {
    /// In a tenant that has these settings.
    pub fn new(call: &'c Call<'c>, admin: &Admin, tenant: TenantId, settings: Settings) -> Self {
        let terms = Terms {
            tenant,
            profile: settings.profile,
            provider_id: String::new(),
            mandate: Mandate::Administrator,
            store_passwords: false,
            base: String::new(),
            origin: call.origin_of(admin.actor()),
        };
        Administrator { call, terms }
    }
}

#[async_trait(?Send)]
impl Author for Administrator<'_> {
    fn terms(&self) -> &Terms {
        &self.terms
    }

    fn budget(&self) -> &Budget {
        &self.call.budget
    }

    async fn read(&self, batch: Vec<Statement>) -> Result<Vec<Rows>> {
        Ok(self.call.run(Some(&self.terms.tenant), batch).await?)
    }

    async fn write(&self, batch: Vec<Statement>) -> store::Result<Vec<Rows>> {
        let tenant = &self.terms.tenant;
        let held = std::iter::once(tenants::require(tenant));
        let batch = held.chain(batch).collect();
        let results = self.call.change(tenant, batch).await?;
        Ok(results.into_iter().skip(1).collect())
    }

    fn hash(&self, _password: &str) -> Result<String> {
        Err(Error::internal("nobody's password comes back"))
    }

    fn now(&self) -> i64 {
        self.call.app.platform.clock.now()
    }

    async fn pause(&self, ms: u32) {
        self.call.app.platform.timer.sleep(ms).await;
    }
}

/// A type of resources.
#[derive(Debug, Clone, Copy, Deserialize)]
#[cfg_attr(feature = "openapi", derive(schemars::JsonSchema))]
pub enum ResourceKind {
    User,
    Group,
}

impl ResourceKind {
    pub fn of(self) -> &'static ResourceType {
        match self {
            ResourceKind::User => &USERS,
            ResourceKind::Group => &GROUPS,
        }
    }
}
