//! An administrator as the author of changes to users and groups, and how one names these.

use async_trait::async_trait;
use serde::Deserialize;

use crate::api::http::call::Call;
use crate::auth::admin::Admin;
use crate::change::audit::{self, Action, Detail, Event, Totals};
use crate::change::{Author, Mandate, Terms};
use crate::error::{Error, Result};
use crate::ids::TenantId;
use crate::scim::budget::Budget;
use crate::scim::schema::{GROUPS, ResourceType, USERS};
use crate::store::tenants::{self, Settings};
use crate::store::{self, Rows, Statement};

/// What an administrator did to one thing of a tenant, for the audit trail and the journal: its type and id, and the names of the attributes.
pub fn audited<N: Into<String>>(
    call: &Call<'_>,
    admin: &Admin,
    tenant: &TenantId,
    (resource_type, id): (&'static str, &str),
    action: Action,
    attributes: impl IntoIterator<Item = N>,
) -> Vec<Statement> {
    call.journal.note_resource(resource_type, id);
    let event = Event {
        action,
        resource_type,
        resource_id: id,
        attributes: attributes.into_iter().map(Into::into).collect(),
        detail: Detail::default(),
    };
    let origin = call.origin_of(admin.actor());
    audit::append(tenant, &origin, Totals::default(), &[event])
}

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
            own: settings.own,
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
