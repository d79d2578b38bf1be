//! How a request reaches what is not of one tenant: a database by its name, all of them, and the tenant of what is named by an id alone.

use futures_util::future::join_all;

use super::call::Call;
use crate::databases::place::MAIN;
use crate::error::Result;
use crate::ids::TenantId;
use crate::store::{self, Rows, Statement, directory, rows_at, scim_tokens};

impl Call<'_> {
    /// Runs a batch in the database of that name, and counts what it cost.
    pub async fn run_in(&self, name: &str, batch: Vec<Statement>) -> store::Result<Vec<Rows>> {
        let results = self.app.platform.run_in(name, batch).await;
        self.meter.add_run(results.as_deref().unwrap_or_default());
        results
    }

    /// Runs the same batch in all databases at once, and gives the results of each, the first one's first.
    pub async fn run_everywhere(
        &self,
        batch: &[Statement],
    ) -> Vec<(&str, store::Result<Vec<Rows>>)> {
        let places = self.app.platform.homes.places().iter();
        let each = places.map(async |place| {
            let results = self.run_in(&place.name, batch.to_vec()).await;
            (place.name.as_str(), results)
        });
        join_all(each).await
    }

    /// The tenant of something that is named by its id alone, as far as it is needed to find its database: `only`, where an administrator has
    /// one; none where there is one database, which knows itself.
    pub async fn led_to(
        &self,
        only: Option<&TenantId>,
        kind: directory::Kind,
        id: &str,
    ) -> Result<Option<TenantId>> {
        let homes = &self.app.platform.homes;
        if only.is_some() || homes.is_single() {
            return Ok(only.cloned());
        }
        let results = self
            .run(None, vec![directory::select_home(kind, id)])
            .await?;
        let Some(row) = rows_at(&results, 0)?.first() else {
            return Ok(None);
        };
        let tenant = scim_tokens::tenant_id(row)?;
        homes.note(
            &tenant,
            row.optional_text("database")?.as_deref().unwrap_or(MAIN),
        );
        Ok(Some(tenant))
    }
}
