//! What is learned from a SCIM request, where the tenant lets that be: what is in no schema is in one from then on, once something of the
//! request is written.

use std::cell::Cell;
use std::rc::Rc;

use serde_json::Value as Json;

use crate::ids::TenantId;
use crate::scim::schema::{self, OwnSchemas, ResourceType};
use crate::store::tenants::Settings;
use crate::store::{Guard, Statement, Value, own_schemas};

/// Schemas learned from a request.
#[derive(Debug)]
pub struct Learning {
    /// All of the tenant's own schemas with them.
    pub own: Rc<OwnSchemas>,
    documents: Vec<(String, Value)>,
    pub is_kept: Cell<bool>,
}

impl Learning {
    /// What is learned from the bodies of a request; none where that is nothing.
    pub fn of<'b>(
        settings: &Settings,
        bodies: impl Iterator<Item = (&'static ResourceType, &'b Json)>,
    ) -> Option<Self> {
        if settings.profile.is_strict() || settings.own.drops_unknown {
            return None;
        }
        let learned = schema::learn(&settings.own, bodies)?;
        let documents = learned.documents.into_iter();
        let documents = documents.map(|(urn, document)| (urn, document.to_string().into()));
        Some(Learning {
            own: Rc::new(learned.own),
            documents: documents.collect(),
            is_kept: Cell::new(false),
        })
    }

    /// Statements that keep it, where nothing has yet. They fail where the tenant's schemas are not any more what it was learned beside.
    pub fn keep(&self, tenant: &TenantId, settings: &Settings, now: i64) -> Vec<Statement> {
        if self.is_kept.get() {
            return Vec::new();
        }
        let revision = settings.own.revision;
        let stale = own_schemas::advance(tenant, revision, Guard::CredentialStale);
        let documents = self.documents.iter();
        let saved =
            documents.map(|(urn, document)| own_schemas::save(tenant, urn, document.clone(), now));
        stale.into_iter().chain(saved).collect()
    }
}
