//! Directory syncs: those that are due are begun, those that fell silent are gone on with, and a message makes a few steps of one.

use std::rc::Rc;

use serde_json::json;

use crate::api::App;
use crate::api::admin::directory_syncs::{message, opened};
use crate::api::admin::identity_providers::config::Config;
use crate::api::admin::identity_providers::directory;
use crate::api::admin::identity_providers::fields::AttributeName;
use crate::api::admin::identity_providers::types::MissingUserAction;
use crate::error::{Error, Result};
use crate::ids::TenantId;
use crate::messages;
use crate::platform::{self, Database};
use crate::scim::schema::OwnSchemas;
use crate::store::identity_providers::IdentityProvider;
use crate::store::sync_runs::{self, Order};
use crate::store::{self, Guard, Row, Rows, directory_syncs};
use crate::sync::digest::Digest;
use crate::sync::extensions::Filled;
use crate::sync::mapping::Mapping;
use crate::sync::{Missing, Next, Session, Source, go_on};

/// Syncs that one tick of the clock begins, and such that it goes on with: each is a dozen statements, of 1,000.
const AT_ONCE: i64 = 30;

impl App {
    /// Makes a few steps of a sync, and sends the message for the next ones. A message of a sync that is over, or of nobody's, is done.
    pub async fn sync(&self, tenant: &str, idp: &str, log: &str) -> Result<()> {
        let Some(tenant) = TenantId::parse(tenant) else {
            return Ok(());
        };
        let platform = &self.platform;
        let Some((session, provider)) =
            Session::open(platform, &tenant, (idp, log), self.config.sync).await?
        else {
            return Ok(());
        };
        let source = match &provider {
            Some(provider) => source(self, provider, &session.known.settings.own),
            None => Err("the provider or its tenant was deleted".to_owned()),
        };
        let next = go_on(&session, source).await;
        let cost = session.meter.cost();
        let line = json!({
            "sync": log,
            "tenant": tenant.as_str(),
            "idp": idp,
            "status": session.status(),
            "d1_trips": cost.trips,
            "d1_statements": cost.statements,
            "d1_rows_read": cost.read,
            "d1_rows_written": cost.written,
        });
        platform.log.line(&line.to_string());
        match next? {
            Next::More => messages::send(platform, message(&tenant, idp, log), 0).await,
            Next::Over => Ok(()),
        }
    }

    /// Begins the syncs that are due, and sends the messages anew of those of which nothing was heard for long; each fails alone.
    pub async fn send_due_syncs(&self, database: &dyn Database) {
        let now = self.platform.clock.now();
        let batch = vec![
            directory_syncs::select_silent(now, AT_ONCE),
            directory_syncs::select_due(now, AT_ONCE),
        ];
        let (silent, due) = match database.run(batch).await {
            Ok(results) => {
                let mut results = results.into_iter();
                (
                    results.next().unwrap_or_default(),
                    results.next().unwrap_or_default(),
                )
            }
            Err(error) => return self.tell_failed(None, &error.into()),
        };
        for row in &silent.rows {
            if let Some((tenant, idp)) = provider_of(row)
                && let Err(error) = self.revive_sync(&tenant, &idp).await
            {
                self.tell_failed(Some(&idp), &error);
            }
        }
        for row in &due.rows {
            if let Some((tenant, idp)) = provider_of(row)
                && let Err(error) = self.begin_sync(&tenant, &idp).await
            {
                self.tell_failed(Some(&idp), &error);
            }
        }
    }

    async fn revive_sync(&self, tenant: &TenantId, idp: &str) -> Result<()> {
        let platform = &self.platform;
        let batch = sync_runs::revive(tenant, idp, platform.clock.now());
        let results = platform.database_of(Some(tenant)).run(batch).await?;
        match results.last().and_then(Rows::first) {
            None => Ok(()),
            Some(row) => {
                let message = message(tenant, idp, &row.text("log_id")?);
                messages::send(platform, message, 0).await
            }
        }
    }

    async fn begin_sync(&self, tenant: &TenantId, idp: &str) -> Result<()> {
        let platform = &self.platform;
        let log = opened(platform, idp, "scheduled")?;
        let request_id = platform::new_id(platform.clock.as_ref(), platform.entropy.as_ref());
        let order = Order {
            request_id: request_id.map_err(Error::internal)?,
            ..Order::default()
        };
        let batch = sync_runs::begin(tenant, &log, &order);
        match platform.database_of(Some(tenant)).run(batch).await {
            Ok(_) => messages::send(platform, message(tenant, idp, &log.id), 0).await,
            // Somebody else has begun it, or it is gone.
            Err(store::Error::Guard(Guard::SyncRunning | Guard::ProviderMissing)) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn tell_failed(&self, idp: Option<&str>, error: &Error) {
        let reason = error.internal.as_ref().unwrap_or(&error.detail);
        let line = json!({"scheduled": "syncs", "idp": idp, "error": reason});
        self.platform.log.line(&line.to_string());
    }
}

fn provider_of(row: &Row) -> Option<(TenantId, String)> {
    let tenant = TenantId::parse(&row.text("tenant_id").ok()?)?;
    Some((tenant, row.text("id").ok()?))
}

/// The directory of a provider. The error is a sentence for the sync's log.
fn source(
    app: &App,
    provider: &IdentityProvider,
    own: &Rc<OwnSchemas>,
) -> std::result::Result<Source, String> {
    let Ok(Config::Ldap(config)) = Config::of(provider) else {
        return Err("the stored configuration cannot be read; write it again".to_owned());
    };
    let settings = directory::settings(app, provider, &config).map_err(|_| {
        "the stored bind password does not open: the key that sealed it is gone, or it was set for another address; set it again"
            .to_owned()
    })?;
    let name = |name: &AttributeName| name.as_str().to_owned();
    let mapped = &config.attribute_mapping;
    let optional = |mapped: &Option<AttributeName>| mapped.as_ref().map(name);
    let (users, groups) = config.places();
    let resolved = mapped.extensions.resolved(own);
    let extensions: Vec<Filled> = resolved
        .map(|(attribute, from)| Filled {
            attribute,
            from: name(from),
        })
        .collect();
    let described = extensions.iter().fold(provider.config.clone(), |all, one| {
        format!("{all}\n{}", one.described())
    });
    Ok(Source {
        settings,
        users,
        groups,
        mapping: Mapping {
            unique_id: name(&config.unique_id_attribute),
            member: name(&config.member_attribute),
            user_name: name(&mapped.user_name),
            email: optional(&mapped.email),
            first_name: optional(&mapped.first_name),
            last_name: optional(&mapped.last_name),
            display_name: optional(&mapped.display_name),
            active: optional(&mapped.active),
            group_name: name(&mapped.group_name),
            extensions,
            own: Rc::clone(own),
        },
        missing: match config.missing_user_action {
            MissingUserAction::Deactivate => Missing::Deactivate,
            MissingUserAction::Delete => Missing::Delete,
            MissingUserAction::Keep => Missing::Keep,
        },
        max_removal_percent: usize::try_from(config.max_removal_percent.0).unwrap_or_default(),
        digest: Digest::of(described),
    })
}
