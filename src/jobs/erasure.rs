//! Erasures that take more than a request: each message looks through a part of the journal, and the last one forgets the rest.

use crate::api::App;
use crate::change::audit::Origin;
use crate::change::erasure::{self, Subject};
use crate::error::{Error, Result};
use crate::ids::TenantId;
use crate::messages;
use crate::platform;
use crate::scim::schema::RESOURCE_TYPES;

/// Looks at the journal of one message.
const LOOKS: usize = 20;

impl App {
    /// Forgets a part. What is forgotten already is not found again.
    pub(super) async fn erase_on(
        &self,
        tenant: &str,
        resource_type: &str,
        id: &str,
        after: &str,
    ) -> Result<()> {
        let kind = RESOURCE_TYPES
            .into_iter()
            .find(|kind| kind.name == resource_type);
        let (Some(tenant), Some(resource_type)) = (TenantId::parse(tenant), kind) else {
            return Ok(());
        };
        let platform = &self.platform;
        let of = Subject {
            tenant,
            resource_type,
            id: id.to_owned(),
        };
        let database = platform.database_of(Some(&of.tenant));
        let run = async |batch| database.run(batch).await;
        let forgotten = erasure::forget_some(run, &of, after.to_owned(), LOOKS).await?;
        if !forgotten.rows.is_empty() {
            let request_id = platform::new_id(platform.clock.as_ref(), platform.entropy.as_ref());
            let origin = Origin {
                actor: "schedule".to_owned(),
                request_id: request_id.map_err(Error::internal)?,
                at: platform.clock.now(),
            };
            database
                .run(erasure::told(&of, &origin, &forgotten))
                .await?;
        }
        match forgotten.next {
            Some(after) => messages::send(platform, of.message(after), 0).await,
            None => Ok(()),
        }
    }
}
