//! Deliveries: the events of a tenant, sent to whoever is to be sent them, in order and at least once.
//!
//! A message takes a stream for a while and sends what there is; others that come meanwhile find it taken, and leave it. What it has sent it
//! notes after each delivery, with its mark: whoever finds that another has taken the stream stops. So nobody overtakes, and what was sent but
//! not noted is sent again. A failed delivery waits; one that has failed for three days pauses the stream, for a person to see.

use std::rc::Rc;

use async_trait::async_trait;
use futures_util::future::{Either, select};
use serde_json::json;

use crate::api::App;
use crate::error::Result;
use crate::events::{self, Format, Parcel, Reads, SEALED_OTHERWISE, Wanted, signing_keys};
use crate::ids::TenantId;
use crate::messages::{self, Message};
use crate::platform::{self, Database, LocalFuture, Platform};
use crate::store::deliveries::{self, Delivery};
use crate::store::event_streams::{self, EventStream, Failure, Holder};
use crate::store::{self, Rows, Statement, rows_at};

/// How long a stream is believed to be taken, in milliseconds: longer than a receiver may take.
const LEASE_MS: i64 = 40_000;
/// How long one message delivers, in milliseconds; the next one goes on.
const WORK_MS: i64 = 20_000;
/// How long the queue waits for a delivery, in milliseconds. One that takes longer goes on beside it.
const IN_QUEUE_MS: u32 = 500;
/// Most deliveries of one message: each is two statements, and a page is two.
const MAX_DELIVERIES: usize = 200;
/// Most pages of events that one message reads.
const MAX_PAGES: usize = 100;
/// Changes that are read at once.
const CHANGES: i64 = 100;
/// How long to wait after each failure, in seconds; the last one from then on.
const WAITS: [i64; 7] = [5, 30, 120, 600, 1_800, 3_600, 7_200];
/// Longest wait that a receiver may ask for, in seconds.
const MAX_WAIT: i64 = 43_200;
/// How long a stream may fail before it is paused, in milliseconds: three days.
const MAX_FAILING_MS: i64 = 3 * 86_400_000;
/// Most streams that one tick of the clock goes after.
const STREAMS_AT_ONCE: i64 = 500;

impl App {
    /// Goes after streams whose message was lost.
    pub(super) async fn send_late_deliveries(&self, database: &dyn Database) {
        let sent = async {
            let behind = event_streams::select_behind(self.platform.clock.now(), STREAMS_AT_ONCE);
            let results = database.run(vec![behind]).await?;
            for row in &rows_at(&results, 0)?.rows {
                let (tenant, stream) = (row.text("tenant_id")?, row.text("id")?);
                messages::deliver(&self.platform, tenant, stream, 0).await?;
            }
            Ok::<_, crate::error::Error>(())
        };
        self.tell_scheduled("deliveries", sent.await);
    }

    /// Has the keys that sign tokens follow each other.
    pub(super) async fn replace_signing_keys(&self) {
        let replaced = signing_keys::replace(&self.platform, &self.config.encryption_keys);
        self.tell_scheduled("signing_keys", replaced.await);
    }

    /// Sends the events of a tenant: to the stream that is named, or to each.
    pub(super) async fn deliver(
        &self,
        tenant: &str,
        stream: Option<&str>,
        run: &str,
    ) -> Result<()> {
        let Some(tenant) = TenantId::parse(tenant) else {
            return Ok(());
        };
        let ids = match stream {
            Some(id) => vec![id.to_owned()],
            None => self.take_behind(&tenant, run).await?,
        };
        if let [id] = ids.as_slice() {
            return self.deliver_to(tenant, id.clone(), run.to_owned()).await;
        }
        for id in ids {
            let message = Message::Deliver {
                tenant: tenant.to_string(),
                stream: Some(id),
                run: run.to_owned(),
            };
            messages::send(&self.platform, message, 0).await?;
        }
        Ok(())
    }

    /// Takes the streams that nobody is at, so that each has one message, however many writes are announced meanwhile.
    async fn take_behind(&self, tenant: &TenantId, run: &str) -> Result<Vec<String>> {
        let now = self.platform.clock.now();
        let taken = event_streams::take_behind(tenant, run, now, now + LEASE_MS);
        let database = self.platform.database_of(Some(tenant));
        let results = database.run(vec![taken]).await?;
        let ids = rows_at(&results, 0)?.rows.iter().map(|row| row.text("id"));
        Ok(ids.collect::<store::Result<_>>()?)
    }

    /// Sends to one stream; a receiver that takes long keeps the queue only for a moment.
    async fn deliver_to(&self, tenant: TenantId, id: String, run: String) -> Result<()> {
        let (platform, config) = (self.platform.clone(), self.config.clone());
        let work: LocalFuture<'static, Result<()>> = Box::pin(async move {
            let lease = platform::new_id(platform.clock.as_ref(), platform.entropy.as_ref())
                .map_err(crate::error::Error::internal)?;
            let courier = Courier {
                database: platform.database_of(Some(&tenant)),
                local: config.local_development,
                platform: &platform,
                tenant: &tenant,
                id: &id,
                lease: &lease,
            };
            courier.work(&run, &config.encryption_keys).await
        });
        match select(work, self.platform.timer.sleep(IN_QUEUE_MS)).await {
            Either::Left((done, _)) => done,
            Either::Right(((), work)) => {
                let log = Rc::clone(&self.platform.log);
                self.platform.background.defer(Box::pin(async move {
                    if let Err(error) = work.await {
                        let line = json!({"delivery": "late", "error": error.internal});
                        log.line(&line.to_string());
                    }
                }));
                Ok(())
            }
        }
    }
}

/// Who delivers to one stream.
struct Courier<'c> {
    platform: &'c Platform,
    database: Rc<dyn Database>,
    /// Whether receivers on this very machine may be reached.
    local: bool,
    tenant: &'c TenantId,
    id: &'c str,
    lease: &'c str,
}

#[async_trait(?Send)]
impl Reads for Courier<'_> {
    async fn read(&self, batch: Vec<Statement>) -> Result<Vec<Rows>> {
        Ok(self.database.run(batch).await?)
    }
}

impl Courier<'_> {
    fn holder(&self) -> Holder<'_> {
        Holder {
            tenant: self.tenant,
            id: self.id,
            lease: self.lease,
        }
    }

    fn now(&self) -> i64 {
        self.platform.clock.now()
    }

    async fn work(&self, run: &str, keys: &crate::seal::KeyRing) -> Result<()> {
        let started = self.now();
        let taken = event_streams::take(self.holder(), run, started, started + LEASE_MS);
        let results = self.database.run(taken.into()).await?;
        let Some(row) = rows_at(&results, 1)?.first() else {
            return Ok(());
        };
        let mut stream = event_streams::event_stream(row)?;
        let Some(format) = Format::of(self.platform, keys, &stream).await? else {
            return self.pause(SEALED_OTHERWISE).await;
        };
        let wanted = Wanted::of_stream(&stream);
        let (mut deliveries, mut pages) = (0, 0);
        loop {
            let (tenant, after) = (self.tenant, stream.after);
            let page = events::page(self, tenant, after, CHANGES, &wanted).await?;
            if let Some(reason) = page.lost(after) {
                return self.pause(reason).await;
            }
            let (through, has_more) = (page.through, page.has_more());
            let most = usize::try_from(stream.batch).unwrap_or(1).max(1);
            let parcels = events::parcels(page, after, most, stream.pending);
            for parcel in parcels {
                if !self.send(&mut stream, &format, &parcel).await? {
                    return Ok(());
                }
                deliveries += 1;
                if deliveries >= MAX_DELIVERIES || self.now() - started > WORK_MS {
                    return self.hand_on().await;
                }
            }
            let now = self.now();
            let mut batch = Vec::new();
            if through > stream.after {
                stream.after = through;
                let until = now + LEASE_MS;
                batch.push(event_streams::advance(self.holder(), through, now, until));
            }
            if !has_more {
                batch.push(event_streams::release(self.holder(), true));
            }
            batch.push(event_streams::select_lease(self.holder()));
            let results = self.database.run(batch).await?;
            // It was let go, or another has it; where it is still ours, there is more.
            if !event_streams::is_held(results.last()) {
                return Ok(());
            }
            pages += 1;
            if pages >= MAX_PAGES || now - started > WORK_MS {
                return self.hand_on().await;
            }
        }
    }

    /// Lets the stream go, and has another message go on.
    async fn hand_on(&self) -> Result<()> {
        let released = event_streams::release(self.holder(), false);
        self.database.run(vec![released]).await?;
        let (tenant, id) = (self.tenant.to_string(), self.id.to_owned());
        messages::deliver(self.platform, tenant, id, 0).await
    }

    async fn pause(&self, reason: &str) -> Result<()> {
        let paused = event_streams::pause(self.holder(), reason, self.now());
        self.database.run(paused.into()).await?;
        Ok(())
    }

    /// Sends a parcel and notes what came of it; whether the stream goes on.
    async fn send(
        &self,
        stream: &mut EventStream,
        format: &Format,
        parcel: &Parcel,
    ) -> Result<bool> {
        let sent = self.now();
        let url = stream.url.clone().unwrap_or_default();
        let letter = format.letter(self.platform, parcel).await?;
        let outcome = format.send(self.platform, self.local, &url, letter).await;
        let now = self.now();
        let id = platform::new_id(self.platform.clock.as_ref(), self.platform.entropy.as_ref())
            .map_err(crate::error::Error::internal)?;
        let events = parcel.events.len();
        let delivery = Delivery {
            id,
            message_id: format.message_id(parcel),
            first: parcel.events.first().map_or(0, |event| event.seq),
            last: parcel.events.last().map_or(0, |event| event.seq),
            events: i64::try_from(events).unwrap_or(i64::MAX),
            attempt: stream.failures + 1,
            status: outcome.status,
            reason: outcome.reason.clone(),
            ms: now - sent,
            reply: outcome.reply.clone(),
            at: sent,
        };
        let noted = deliveries::insert(self.tenant, self.id, &delivery);
        if outcome.reason.is_none() {
            let (through, until) = (parcel.through.max(stream.after), now + LEASE_MS);
            let advanced = event_streams::advance(self.holder(), through, now, until);
            let results = self.database.run(vec![advanced, noted]).await?;
            stream.after = through;
            (stream.pending, stream.failures, stream.failing_since) = (None, 0, None);
            return Ok(event_streams::is_held(results.first()));
        }
        let since = stream.failing_since.unwrap_or(sent);
        let wait = wait_of(stream.failures, outcome.retry_after);
        let is_over = now - since >= MAX_FAILING_MS;
        let paused = match outcome.status {
            Some(410) => Some("the receiver answered 410: it wants no more"),
            _ if is_over => Some("its deliveries have failed for three days"),
            _ => None,
        };
        let failure = Failure {
            failures: stream.failures + 1,
            since,
            pending: parcel.through,
            next_try_at: now + wait * 1_000,
            paused,
        };
        let mut batch = vec![noted];
        batch.extend(event_streams::fail(self.holder(), &failure, now));
        let results = self.database.run(batch).await?;
        if paused.is_none() && event_streams::is_held(results.get(1)) {
            let delay = u32::try_from(wait).unwrap_or(u32::MAX);
            let (tenant, id) = (self.tenant.to_string(), self.id.to_owned());
            messages::deliver(self.platform, tenant, id, delay).await?;
        }
        Ok(false)
    }
}

/// How long to wait after so many failures before this one, in seconds, and at least as long as the receiver asks.
fn wait_of(failures: i64, asked: Option<i64>) -> i64 {
    let place = usize::try_from(failures).unwrap_or(usize::MAX);
    let last = WAITS.last().copied().unwrap_or_default();
    let own = WAITS.get(place).copied().unwrap_or(last);
    own.max(asked.unwrap_or_default().min(MAX_WAIT))
}
