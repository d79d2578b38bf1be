//! One request while it is answered: what it says, whose it is, what it has cost.

use std::borrow::Cow;
use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;

use http::Method;
use http::header::{CONTENT_TYPE, HeaderName};
use serde_json::Value;

use super::app::App;
use super::content_encoding;
use super::journal::Journal;
use super::reply::{Dialect, Reply};
use super::request::MAX_BODY_BYTES;
use super::request::Request;
use crate::change::Along;
use crate::change::audit::Origin;
use crate::error::{Error, Kind, Result};
use crate::ids::{self, TenantId};
use crate::json;
use crate::platform;
use crate::scim::budget::Budget;
use crate::scim::error::ScimType;
use crate::scim::filter::parse::shortened;
use crate::store;
use crate::store::kept_replies::Slot;
use crate::store::requests::After;
use crate::store::{Cost, Meter, Rows, Statement};

/// How often a request is tried again when others changed what it had read.
const MAX_ATTEMPTS: usize = 8;

/// Content types of SCIM's bodies.
pub const SCIM_JSON: [&str; 2] = ["application/scim+json", "application/json"];

/// What the path of a request says.
#[derive(Debug, Clone)]
pub struct Place {
    pub dialect: Dialect,
    /// The part of the path that is the SCIM base, where it lies below one.
    pub scim_base: String,
    /// Parameters by name, percent-decoded.
    pub params: Vec<(String, String)>,
}

/// A request and all that its handler needs.
pub struct Call<'a> {
    pub app: &'a App,
    pub request_id: String,
    /// When the request came, in milliseconds since 1970: one time for all that it writes.
    pub now: i64,
    /// What the request may have worked through.
    pub budget: Budget,
    /// What is found out about the request, for the journal.
    pub journal: Journal,
    /// The request that sends this one again, where one does.
    pub sent_by: Option<&'a Call<'a>>,
    /// What else goes into the batch of its changes.
    pub along: Option<Along<'a>>,
    request: Request,
    place: Place,
    pub(super) meter: Rc<Meter>,
    tenant: RefCell<Option<TenantId>>,
    credential: RefCell<Option<String>>,
    slot: OnceCell<Slot>,
    dry: Cell<bool>,
}

impl<'a> Call<'a> {
    pub fn new(app: &'a App, request: Request, place: Place, request_id: String) -> Self {
        Call {
            app,
            request_id,
            now: app.platform.clock.now(),
            budget: Budget::default(),
            journal: Journal::default(),
            sent_by: None,
            along: None,
            request,
            place,
            meter: Rc::default(),
            tenant: RefCell::default(),
            credential: RefCell::default(),
            slot: OnceCell::new(),
            dry: Cell::default(),
        }
    }

    /// A request that this one sends again: it has this one's id, so that what it changes is this one's, and counts to its cost.
    pub fn sending(&'a self, request: Request, place: Place, is_dry: bool) -> Self {
        Call {
            sent_by: Some(self),
            meter: self.meter.clone(),
            dry: Cell::new(is_dry),
            ..Call::new(self.app, request, place, self.request_id.clone())
        }
    }

    /// A request that was accepted before, under its id, and is carried out now.
    #[cfg(feature = "jobs")]
    pub fn accepted(
        app: &'a App,
        request: Request,
        place: Place,
        request_id: String,
        along: Along<'a>,
    ) -> Self {
        Call {
            along: Some(along),
            ..Call::new(app, request, place, request_id)
        }
    }

    pub fn request(&self) -> &Request {
        &self.request
    }

    pub fn method(&self) -> &Method {
        self.request.method()
    }

    pub fn headers(&self) -> &http::HeaderMap {
        self.request.headers()
    }

    /// A header's value, where it is text.
    pub fn header(&self, name: HeaderName) -> Option<&str> {
        self.request.headers().get(name)?.to_str().ok()
    }

    /// A header whose value is a list, which may come in several lines.
    pub fn list_header(&self, name: HeaderName) -> Option<String> {
        let lines = self.request.headers().get_all(name);
        let lines: Vec<&str> = lines.iter().filter_map(|line| line.to_str().ok()).collect();
        (!lines.is_empty()).then(|| lines.join(","))
    }

    /// A parameter of the path.
    pub fn param(&self, name: &str) -> &str {
        self.place
            .params
            .iter()
            .find(|(param, _)| param == name)
            .map_or("", |(_, value)| value)
    }

    /// The id in the path, in canonical form. What is no UUID is nobody's id, and is not found.
    pub fn id(&self, name: &str, what: &str) -> Result<String> {
        ids::canonical_uuid(self.param(name)).ok_or_else(|| Error::not_found(what))
    }

    /// The query's parameters, decoded, in order.
    pub fn query(&self) -> Vec<(String, String)> {
        let query = self.request.uri().query().unwrap_or_default();
        form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect()
    }

    /// Scheme and host of the request.
    pub fn origin(&self) -> String {
        let uri = self.request.uri();
        format!(
            "{}://{}",
            uri.scheme_str().unwrap_or("https"),
            uri.authority().map_or("", |authority| authority.as_str())
        )
    }

    /// The SCIM base that the request used, as an absolute URL.
    pub fn scim_base(&self) -> String {
        self.origin() + &self.place.scim_base
    }

    /// The SCIM base that the request used, or the tenant's own where it lies below none.
    pub fn scim_base_for(&self, tenant: &TenantId) -> String {
        match self.place.scim_base.as_str() {
            "" => self.tenant_base(tenant),
            _ => self.scim_base(),
        }
    }

    /// The tenant's own SCIM base, as an absolute URL.
    pub fn tenant_base(&self, tenant: &TenantId) -> String {
        format!("{}/api/v1/tenants/{tenant}/scim/v2", self.origin())
    }

    /// The body as JSON: 415 for another content type, 413 where it is too long, and what is wrong with it otherwise.
    pub fn json(&self) -> Result<Value> {
        let accepted: &[&str] = match self.place.dialect {
            Dialect::Scim => &SCIM_JSON,
            Dialect::Admin => &["application/json"],
        };
        let body = json::parse(&self.body(accepted)?).map_err(|detail| self.malformed(detail))?;
        self.journal.note_body(&body);
        Ok(body)
    }

    /// What a body is refused with that is no JSON.
    pub fn malformed(&self, detail: String) -> Error {
        match self.place.dialect {
            Dialect::Scim => Error::scim(ScimType::InvalidSyntax, detail),
            Dialect::Admin => Error::field(&["body"], detail, "json_invalid"),
        }
    }

    /// The body, decoded, where it has one of these content types: 415 for another one, 413 where it is too long.
    pub fn body(&self, accepted: &[&str]) -> Result<Cow<'_, [u8]>> {
        self.body_up_to(MAX_BODY_BYTES, accepted)
    }

    /// The same for a body that may be so many bytes long.
    pub fn body_up_to(&self, most: usize, accepted: &[&str]) -> Result<Cow<'_, [u8]>> {
        let content_type = self.header(CONTENT_TYPE).unwrap_or_default();
        let (media_type, parameters) = content_type
            .split_once(';')
            .unwrap_or((content_type, Default::default()));
        let media_type = media_type.trim();
        if !accepted
            .iter()
            .any(|accepted| accepted.eq_ignore_ascii_case(media_type))
        {
            return Err(Error::new(
                Kind::UnsupportedMediaType,
                format!("the content type has to be {}", accepted.join(" or ")),
            ));
        }
        if let Some(charset) = foreign_charset(parameters) {
            let detail = format!("the body has to be UTF-8, and not {}", shortened(charset));
            return Err(Error::new(Kind::UnsupportedMediaType, detail));
        }
        if self.request.body().len() > most {
            return Err(Error::new(
                Kind::PayloadTooLarge,
                format!("the body is longer than {most} bytes"),
            ));
        }
        let decoded = content_encoding::decoded(self.headers(), self.request.body(), most);
        decoded.map_err(|error| match error.kind {
            Kind::BadRequest => self.malformed(error.detail),
            _ => error,
        })
    }

    /// Whether a body came along.
    pub fn has_body(&self) -> bool {
        !self.request.body().is_empty()
    }

    /// A new id.
    pub fn new_id(&self) -> Result<String> {
        let platform = &self.app.platform;
        platform::new_id(platform.clock.as_ref(), platform.entropy.as_ref())
            .map_err(Error::internal)
    }

    /// Waits for about that time, from half of it to one and a half, so that those who wait for the same do not meet again.
    pub async fn pause(&self, ms: u32) {
        let mut random = [0];
        let filled = self.app.platform.entropy.fill(&mut random);
        let share = filled.map_or(128, |()| u32::from(random[0]));
        let jittered = ms / 2 + ms * share / 255;
        self.app.platform.timer.sleep(jittered).await;
    }

    /// Runs a batch in one round trip and counts what it cost.
    pub async fn run(
        &self,
        tenant: Option<&TenantId>,
        batch: Vec<Statement>,
    ) -> store::Result<Vec<Rows>> {
        let platform = &self.app.platform;
        let database = platform.metered_database_of(tenant, &self.meter);
        let before = self.meter.cost().read;
        let results = self.meter.run(database.as_ref(), batch).await;
        if let Some(tenant) = tenant {
            let read = self.meter.cost().read - before;
            let per_minute = self.app.config.rows_per_minute;
            let memory = &self.app.memory;
            memory.add_rows(tenant.as_str(), read, self.now, per_minute);
        }
        results
    }

    /// Runs a batch that changes something of a tenant, and with it the request's row in the journal. Gives the batch's own results.
    pub async fn change(
        &self,
        tenant: &TenantId,
        batch: Vec<Statement>,
    ) -> store::Result<Vec<Rows>> {
        let with_row = std::iter::once(self.row(tenant, After(0))).chain(batch);
        let results = self.run(Some(tenant), with_row.collect()).await;
        if results.is_err() {
            self.forget_row();
        }
        Ok(results?.into_iter().skip(1).collect())
    }

    /// What it has cost so far.
    pub fn cost(&self) -> Cost {
        self.meter.cost()
    }

    /// Notes whose request it is, for the log.
    pub fn note_tenant(&self, tenant: &TenantId) {
        *self.tenant.borrow_mut() = Some(tenant.clone());
    }

    /// Whose journal tells of the request: the tenant of the credential; where an administrator of all tenants asks, the one that it is about.
    pub fn tenant_of_journal(&self) -> Option<TenantId> {
        let noted = self
            .journal
            .tenant()
            .or_else(|| self.tenant.borrow().clone());
        noted.or_else(|| {
            let in_path = TenantId::parse(self.param("tenant_id"));
            in_path.filter(|_| self.journal.has_actor())
        })
    }

    /// Whose request it is; where that was not found out, the tenant that its path names.
    pub fn tenant_seen(&self) -> Option<String> {
        let seen = self.tenant.borrow().as_ref().map(TenantId::to_string);
        seen.or_else(|| TenantId::parse(self.param("tenant_id")).map(|tenant| tenant.to_string()))
    }

    /// Notes what names the credential without being it, for the log.
    pub fn note_credential(&self, name: String) {
        *self.credential.borrow_mut() = Some(name);
    }

    pub fn credential_seen(&self) -> Option<String> {
        self.credential.borrow().clone()
    }

    /// Says where the reply is kept with what it tells of.
    pub fn keep_reply_in(&self, slot: Slot) -> &Slot {
        self.slot.get_or_init(|| slot)
    }

    /// Where the reply is kept; none where it is not.
    pub fn slot(&self) -> Option<&Slot> {
        self.slot.get()
    }

    /// Reads from the query whether the request is only tried. Its name is taken in any case: one that was meant to be tried must not be
    /// carried out.
    pub fn read_dry_run(&self) -> Result<()> {
        for (name, value) in self.query() {
            if !name.eq_ignore_ascii_case("dry_run") {
                continue;
            }
            match value.as_str() {
                "true" => self.dry.set(true),
                "false" => {}
                _ => {
                    let detail = "dry_run has to be true or false";
                    return Err(Error::scim(ScimType::InvalidValue, detail));
                }
            }
        }
        Ok(())
    }

    /// Whether the request is only tried: it is answered as it would be, and nothing is written.
    pub fn is_dry(&self) -> bool {
        self.dry.get()
    }

    /// How the audit trail names this request.
    pub fn origin_of(&self, actor: String) -> Origin {
        Origin {
            actor,
            request_id: self.request_id.clone(),
            at: self.now,
        }
    }
}

/// Tries again from the read where somebody else changed in between what was read.
pub async fn retrying<F>(work: F) -> Result<Reply>
where
    F: AsyncFn() -> Result<Reply>,
{
    let mut attempt = 1;
    loop {
        match work().await {
            Err(error) if error.kind == Kind::Raced && attempt < MAX_ATTEMPTS => attempt += 1,
            done => return done,
        }
    }
}

/// The character set that a content type's parameters name, where it is not UTF-8 (RFC 8259 §8.1) or a part of it.
fn foreign_charset(parameters: &str) -> Option<&str> {
    parameters
        .split(';')
        .filter_map(|parameter| parameter.split_once('='))
        .filter(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))
        .map(|(_, value)| value.trim().trim_matches('"'))
        .find(|charset| {
            let known = ["utf-8", "utf8", "us-ascii"];
            !known
                .iter()
                .any(|known| known.eq_ignore_ascii_case(charset))
        })
}
