//! Brings rows over whose keys are from before values were normalised; see [`store::keys`](crate::change::rows::keys). The clock does it, a part
//! at each tick, and the log says how far it is and which names are those of two.

use serde_json::json;

use crate::api::http::app::App;
use crate::change::audit::{self, Action, Detail, Event, Origin, Totals};
use crate::change::rows::keys::{self, Stale};
use crate::error::{Error, Result};
use crate::ids::TenantId;
use crate::platform::{self, Database};
use crate::scim::resource::Resource;
use crate::scim::schema::{RESOURCE_TYPES, ResourceType};
use crate::scim::version::Version;
use crate::store::{self, Guard, Statement, rows_at};

/// Rows of a batch, and most batches of a tick, of a few statements each: the statements of one invocation are limited, and syncs need
/// most of them.
const IN_A_BATCH: i64 = 500;
const MAX_BATCHES: usize = 40;

/// What a tick has done.
#[derive(Debug, Default)]
struct Done {
    renewed: usize,
    /// Ids of those whose names others have.
    taken: Vec<String>,
}

impl App {
    /// Renews the keys of some rows, where there are such. After an error some may be done.
    pub async fn renew_keys(&self, database: &dyn Database) -> Result<()> {
        let mut done = Done::default();
        let result = self.renew_some(database, &mut done).await;
        if done.renewed > 0 || !done.taken.is_empty() || result.is_err() {
            let line = json!({
                "scheduled": "keys",
                "renewed": done.renewed,
                "names_of_two": done.taken,
                "error": result.as_ref().err().map(|error| error.internal.as_ref().unwrap_or(&error.detail)),
            });
            self.platform.log.line(&line.to_string());
        }
        result
    }

    async fn renew_some(&self, database: &dyn Database, done: &mut Done) -> Result<()> {
        let mut batches = 0;
        while batches < MAX_BATCHES {
            let select = |resource_type| keys::select_stale(resource_type, IN_A_BATCH);
            let results = database.run(RESOURCE_TYPES.map(select).to_vec()).await?;
            let before = batches;
            for (index, resource_type) in RESOURCE_TYPES.into_iter().enumerate() {
                let rows = &rows_at(&results, index)?.rows;
                let stale = rows.iter().map(keys::stale);
                let stale: Vec<Stale> = stale
                    .filter_map(store::Result::transpose)
                    .collect::<store::Result<_>>()?;
                for of_tenant in stale.chunk_by(|one, other| one.tenant == other.tenant) {
                    batches += self.renew_of_tenant(resource_type, of_tenant, done).await?;
                    if batches >= MAX_BATCHES {
                        return Ok(());
                    }
                }
            }
            if batches == before {
                break;
            }
        }
        Ok(())
    }

    /// All at once (what is from before has nothing of a tenant's own schemas); where one has a name that is taken, each half by itself, and so on. Gives how many batches it took; what would take
    /// more than [`MAX_BATCHES`] is left for the next tick.
    async fn renew_of_tenant(
        &self,
        resource_type: &'static ResourceType,
        stale: &[Stale],
        done: &mut Done,
    ) -> Result<usize> {
        let mut batches = 0;
        let mut parts = vec![stale];
        while let Some(part) = parts.pop() {
            let [first, rest @ ..] = part else {
                continue;
            };
            if batches >= MAX_BATCHES {
                break;
            }
            batches += 1;
            let tenant = &first.tenant;
            let database = self.platform.database_of(Some(tenant));
            let rows: Vec<(&str, Version, &Resource)> = part
                .iter()
                .filter_map(|one| Some((one.id.as_str(), one.version, one.resource.as_ref()?)))
                .collect();
            let result = match rows.len() == part.len() {
                true => {
                    database
                        .run(keys::renew(tenant, resource_type.plain(), &rows))
                        .await
                }
                false => Err(store::Error::Conflict(store::Constraint::Other)),
            };
            match result {
                Ok(_) => done.renewed += part.len(),
                Err(store::Error::Conflict(_) | store::Error::Guard(Guard::VersionConflict))
                    if !rest.is_empty() =>
                {
                    let (half, other) = part.split_at(part.len() / 2);
                    parts.extend([other, half]);
                }
                // Whoever changed it has renewed it.
                Err(store::Error::Guard(Guard::VersionConflict)) => {}
                Err(store::Error::Conflict(_)) => {
                    batches += 1;
                    let kept = self.kept(tenant, resource_type, &first.id)?;
                    database.run(kept).await?;
                    done.taken.push(first.id.clone());
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(batches)
    }

    /// A row that keeps its keys, and the audit trail's word of it.
    fn kept(
        &self,
        tenant: &TenantId,
        resource_type: &'static ResourceType,
        id: &str,
    ) -> Result<Vec<Statement>> {
        let platform = &self.platform;
        let required = resource_type
            .schema
            .attributes
            .iter()
            .filter(|attribute| attribute.required);
        let event = Event {
            action: Action::Collide,
            resource_type: resource_type.name,
            resource_id: id,
            attributes: required
                .map(|attribute| attribute.name().to_owned())
                .collect(),
            detail: Detail::default(),
        };
        let origin = Origin {
            actor: "schedule".to_owned(),
            request_id: platform::new_id(platform.clock.as_ref(), platform.entropy.as_ref())
                .map_err(Error::internal)?,
            at: platform.clock.now(),
        };
        let mut batch = vec![keys::keep(tenant, resource_type, id)];
        batch.extend(audit::append(tenant, &origin, Totals::default(), &[event]));
        Ok(batch)
    }
}
