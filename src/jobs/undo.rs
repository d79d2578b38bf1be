//! Undos of very many changes: a message takes some parts back, each in one batch that also notes what came of it. So a message that comes
//! twice, or late, finds its part done.

use std::cell::Cell;

use async_trait::async_trait;
use serde_json::json;

use crate::api::App;
use crate::api::admin::undo::{Outcome, changes};
use crate::change::audit::Origin;
use crate::change::{Author, Mandate, Terms, undo};
use crate::error::{Error, Result};
use crate::ids::TenantId;
use crate::messages::{self, Message};
use crate::platform::{Database, Platform};
use crate::scim::budget::Budget;
use crate::store::tenants::{self, Settings};
use crate::store::undos::{self, UndoRow};
use crate::store::{self, Guard, Meter, Rows, Statement, rows_at};

/// Undos that one tick of the clock goes on with.
const AT_ONCE: i64 = 30;

/// An undo as the author of its changes.
struct Undoing<'u> {
    platform: &'u Platform,
    meter: &'u Meter,
    terms: Terms,
    budget: Budget,
    /// Whether another message has done the part.
    is_lost: Cell<bool>,
}

#[async_trait(?Send)]
impl Author for Undoing<'_> {
    fn terms(&self) -> &Terms {
        &self.terms
    }

    fn budget(&self) -> &Budget {
        &self.budget
    }

    async fn read(&self, batch: Vec<Statement>) -> Result<Vec<Rows>> {
        let database = self.platform.database_of(Some(&self.terms.tenant));
        Ok(self.meter.run(database.as_ref(), batch).await?)
    }

    async fn write(&self, batch: Vec<Statement>) -> store::Result<Vec<Rows>> {
        let database = self.platform.database_of(Some(&self.terms.tenant));
        let held = std::iter::once(tenants::require(&self.terms.tenant));
        let batch = held.chain(batch).collect();
        let results = self.meter.run(database.as_ref(), batch).await;
        let lost = matches!(results, Err(store::Error::Guard(Guard::LeaseLost)));
        self.is_lost.set(lost);
        Ok(results?.into_iter().skip(1).collect())
    }

    fn hash(&self, _password: &str) -> Result<String> {
        Err(Error::internal("nobody's password comes back"))
    }

    fn now(&self) -> i64 {
        self.platform.clock.now()
    }

    async fn pause(&self, ms: u32) {
        self.platform.timer.sleep(ms).await;
    }
}

impl App {
    /// Takes some parts back, and sends the message for the next ones.
    pub(super) async fn undo_on(&self, tenant: &str, id: &str) -> Result<()> {
        let Some(tenant) = TenantId::parse(tenant) else {
            return Ok(());
        };
        let meter = Meter::default();
        let mut is_more = true;
        while is_more && meter.cost().statements < self.config.undo.statements {
            is_more = self.undo_part(&meter, &tenant, id).await?;
        }
        let cost = meter.cost();
        let line = json!({
            "undo": id,
            "tenant": tenant.as_str(),
            "d1_trips": cost.trips,
            "d1_statements": cost.statements,
            "d1_rows_read": cost.read,
            "d1_rows_written": cost.written,
        });
        self.platform.log.line(&line.to_string());
        match is_more {
            true => messages::send(&self.platform, message(&tenant, id), 0).await,
            false => Ok(()),
        }
    }

    /// Takes the next part back; whether there may be another one for this message.
    async fn undo_part(&self, meter: &Meter, tenant: &TenantId, id: &str) -> Result<bool> {
        let platform = &self.platform;
        let database = platform.database_of(Some(tenant));
        let batch = vec![tenants::select(tenant), undos::select(tenant, id)];
        let results = meter.run(database.as_ref(), batch).await?;
        let (Some(settings), Some(row)) =
            (rows_at(&results, 0)?.first(), rows_at(&results, 1)?.first())
        else {
            return Ok(false);
        };
        let undo = undos::undo(row)?;
        let body = row.optional_text("body")?;
        let Some(body) = body.filter(|_| undo.status == "running") else {
            return Ok(false);
        };
        let author = Undoing {
            platform,
            meter,
            terms: terms(
                tenant,
                tenants::settings(settings)?,
                &undo,
                platform.clock.now(),
            ),
            budget: Budget::unlimited(),
            is_lost: Cell::default(),
        };
        let so_far = Outcome::from_stored(&undo.outcome)?;
        let progress = |part: &undo::Undo| {
            let outcome = so_far.clone().with(part).to_stored();
            undos::progress(tenant, &undo, &outcome, platform.clock.now())
        };
        let part = changes(&body)?;
        match undo::take_back(&author, &self.recent, part, undo.is_dry, Some(&progress)).await {
            Ok(_) => Ok(undo.part + 1 < undo.parts),
            Err(_) if author.is_lost.get() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Sends the messages anew of undos of which nothing was heard for long.
    pub(super) async fn send_silent_undos(&self, database: &dyn Database) {
        let now = self.platform.clock.now();
        let result = async {
            let batch = undos::revive(now, AT_ONCE).into();
            let results = database.run(batch).await?;
            for row in &rows_at(&results, 1)?.rows {
                if let Some(tenant) = TenantId::parse(&row.text("tenant_id")?) {
                    let message = message(&tenant, &row.text("id")?);
                    messages::send(&self.platform, message, 0).await?;
                }
            }
            Ok::<_, Error>(())
        };
        self.tell_scheduled("undos", result.await);
    }
}

fn message(tenant: &TenantId, id: &str) -> Message {
    Message::Undo {
        tenant: tenant.to_string(),
        id: id.to_owned(),
    }
}

fn terms(tenant: &TenantId, settings: Settings, undo: &UndoRow, now: i64) -> Terms {
    Terms {
        tenant: tenant.clone(),
        profile: settings.profile,
        own: settings.own,
        provider_id: String::new(),
        mandate: Mandate::Administrator,
        store_passwords: false,
        base: String::new(),
        origin: Origin {
            actor: undo.actor.clone(),
            request_id: undo.id.clone(),
            at: now,
        },
    }
}
