//! SCIM requests that were answered before they are carried out: a message does some parts of one, each in one batch that also notes what came
//! of it. So a message that comes twice, or late, finds its part done.

use std::cell::Cell;

use serde_json::json;

use crate::api::App;
use crate::api::scim::async_requests::{Went, message};
use crate::error::{Error, Result};
use crate::ids::TenantId;
use crate::messages;
use crate::platform::Database;
use crate::store::async_requests::{self, MAX_RESENT};
use crate::store::rows_at;

/// Requests that one tick of the clock goes on with.
const AT_ONCE: i64 = 100;

impl App {
    /// Carries some parts out, and sends the message for the next ones.
    pub(super) async fn async_request_on(&self, tenant: &str, id: &str) -> Result<()> {
        let Some(tenant) = TenantId::parse(tenant) else {
            return Ok(());
        };
        let statements = Cell::new(0);
        let limits = self.config.async_requests;
        let clock = &self.platform.clock;
        let until = clock.now() + limits.work_ms;
        let mut went = Went::More;
        while matches!(went, Went::More)
            && statements.get() < limits.statements
            && clock.now() <= until
        {
            went = self.carry_on(&tenant, id, &statements).await?;
        }
        let line = json!({
            "async_request": id,
            "tenant": tenant.as_str(),
            "d1_statements": statements.get(),
        });
        self.platform.log.line(&line.to_string());
        match went {
            Went::More => messages::send(&self.platform, message(&tenant, id), 0).await,
            Went::Over(_) | Went::Lost => Ok(()),
        }
    }

    /// Sends the messages anew of requests of which nothing was heard for long, and gives those up of which that was done often enough.
    pub(super) async fn send_silent_requests(&self, database: &dyn Database) {
        let now = self.platform.clock.now();
        let result = async {
            let batch = vec![async_requests::revive(now, AT_ONCE)];
            let results = database.run(batch).await?;
            for row in &rows_at(&results, 0)?.rows {
                let request = async_requests::async_request(row)?;
                let Some(tenant) = TenantId::parse(&row.text("tenant_id")?) else {
                    continue;
                };
                match row.integer("resent")? > MAX_RESENT {
                    true => {
                        self.give_request_up(&tenant, &request.id, &request.actor)
                            .await?
                    }
                    false => {
                        let message = message(&tenant, &request.id);
                        messages::send(&self.platform, message, 0).await?;
                    }
                }
            }
            Ok::<_, Error>(())
        };
        self.tell_scheduled("async requests", result.await);
    }
}
