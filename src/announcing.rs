//! A database that has what was written announced: where somebody is to be sent the events of a tenant, a message goes to whoever sends them,
//! after the reply. Which batches are about that, the batch itself says; of a SCIM client's the credential does, which costs no row more.

use std::rc::Rc;

use async_trait::async_trait;

use crate::ids::TenantId;
use crate::messages::{self, Message};
use crate::platform::{self, Background, Clock, Database, Entropy, Platform, Queue};
use crate::store::{Result, Rows, Statement, Value};

/// The column in which a statement names the tenant whose events are to be sent; null where nobody waits for them.
pub const ANNOUNCED: &str = "announced";

/// A database with what an announcement takes.
pub struct Announcing {
    pub database: Rc<dyn Database>,
    pub queue: Rc<dyn Queue>,
    pub background: Rc<dyn Background>,
    pub clock: Rc<dyn Clock>,
    pub entropy: Rc<dyn Entropy>,
}

/// Has the events of a tenant sent to whoever is to be sent them, after the reply. What is not sent for want of an id or of a queue is found
/// by the clock.
pub fn announce(platform: &Platform, tenant: &TenantId) {
    let run = platform::new_id(platform.clock.as_ref(), platform.entropy.as_ref());
    if let Ok(run) = run {
        let queue = Rc::clone(&platform.queue);
        defer(platform.background.as_ref(), queue, tenant.to_string(), run);
    }
}

fn defer(background: &dyn Background, queue: Rc<dyn Queue>, tenant: String, run: String) {
    let message = Message::Deliver {
        tenant,
        stream: None,
        run,
    };
    background.defer(Box::pin(async move {
        let _ = messages::put(queue.as_ref(), message, 0).await;
    }));
}

#[async_trait(?Send)]
impl Database for Announcing {
    async fn run(&self, batch: Vec<Statement>) -> Result<Vec<Rows>> {
        let results = self.database.run(batch).await?;
        let mut rows = results.iter().filter_map(Rows::first);
        let announced = rows.find_map(|row| match row.value(ANNOUNCED) {
            Ok(Value::Text(tenant)) => Some(tenant.clone()),
            _ => None,
        });
        let Some(tenant) = announced else {
            return Ok(results);
        };
        if let Ok(run) = platform::new_id(self.clock.as_ref(), self.entropy.as_ref()) {
            let queue = Rc::clone(&self.queue);
            defer(self.background.as_ref(), queue, tenant, run);
        }
        Ok(results)
    }
}
