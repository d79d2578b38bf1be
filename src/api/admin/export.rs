//! `/api/v1/admin/tenants/{tenant_id}/export`: all users, groups and memberships of a tenant, as lines of JSON (NDJSON).
//!
//! The body is read from the database while it is sent, a page at a time: it takes the same memory for ten users and for a million. So it
//! is no picture of one moment. What is there all the while is in it once; what comes, goes or changes meanwhile may be in it or not, as
//! it was or as it is. The first line says after which number of the audit trail that can be.

use std::rc::Rc;

use futures_util::StreamExt;
use futures_util::stream;
use serde_json::json;

use crate::api::http::call::Call;
use crate::api::http::limits;
use crate::api::http::query_parameters::tenant_in_path;
use crate::api::http::reply::Reply;
use crate::auth::admin::{Admin, AdminScope};
use crate::auth::memory::Memory;
use crate::error::{Error, Result};
use crate::ids::TenantId;
use crate::platform::Platform;
use crate::scim::date_time;
use crate::scim::projection::Projection;
use crate::scim::schema::{GROUPS, OwnSchemas, ResourceType, USERS};
use crate::store::export::{self, After};
use crate::store::{self, Rows, Statement, resources, rows_at, tenants};

/// The version of the lines, and the only one that an import takes.
pub const VERSION: u64 = 1;
/// The media type of lines of JSON.
pub const NDJSON: &str = "application/x-ndjson";

/// What is to be sent next.
#[derive(Clone)]
enum Place {
    Head(String),
    /// Resources of that type, after that id.
    Resources(&'static ResourceType, String),
    Members(After),
    End,
}

/// An export under way.
struct Export {
    platform: Platform,
    memory: Rc<Memory>,
    rows_per_minute: f64,
    tenant: TenantId,
    /// The tenant's SCIM base, an absolute URL.
    base: String,
    own: OwnSchemas,
    place: Place,
}

/// `GET …/tenants/{tenant_id}/export`.
///
/// Whoever takes everybody out of a tenant has to be allowed to read them.
pub async fn answer(call: &Call<'_>, admin: &Admin) -> Result<Reply> {
    admin.require(AdminScope::ScimRead)?;
    let tenant = tenant_in_path(call, admin)?;
    limits::check_rows(call, &tenant)?;
    let results = call
        .run(Some(&tenant), vec![export::select_head(&tenant)])
        .await?;
    let head = rows_at(&results, 0)?.first();
    let head = head.ok_or_else(|| Error::not_found("the tenant"))?;
    let line = json!({
        "rollcall_export": VERSION,
        "tenant": tenant,
        "profile": head.text("scim_profile")?,
        "exported_at": date_time::format(call.now),
        "seq": head.integer("audit_seq")?,
        "users": head.integer("user_total")?,
        "groups": head.integer("group_total")?,
    });
    call.note_tenant(&tenant);
    let export = Export {
        platform: call.app.platform.clone(),
        memory: Rc::clone(&call.app.memory),
        rows_per_minute: call.app.config.rows_per_minute,
        base: call.tenant_base(&tenant),
        tenant,
        own: tenants::own_schemas(head)?,
        place: Place::Head(format!("{line}\n")),
    };
    let pages = stream::try_unfold(export, |mut export| async move {
        let page = export.page().await.inspect_err(|error| {
            let line = json!({"export": export.tenant, "error": error.to_string()});
            export.platform.log.line(&line.to_string());
        });
        let page = page.map_err(|error| error.to_string())?;
        Ok(page.map(|page| (page.into_bytes(), export)))
    });
    Ok(Reply::pages(NDJSON, pages.boxed_local()))
}

impl Export {
    /// The next lines; none where there are no more.
    async fn page(&mut self) -> store::Result<Option<String>> {
        loop {
            let (text, next) = match self.place.clone() {
                Place::Head(line) => (line, Place::Resources(&USERS, String::new())),
                Place::Resources(resource_type, after) => {
                    self.resources(resource_type, after).await?
                }
                Place::Members(after) => self.members(after).await?,
                Place::End => return Ok(None),
            };
            self.place = next;
            if !text.is_empty() {
                return Ok(Some(text));
            }
        }
    }

    async fn read(&self, statement: Statement) -> store::Result<Rows> {
        let database = self.platform.database_of(Some(&self.tenant));
        let mut results = database.run(vec![statement]).await?;
        let rows = results.pop().unwrap_or_default();
        let now = self.platform.clock.now();
        let tenant = self.tenant.as_str();
        self.memory
            .add_rows(tenant, rows.read, now, self.rows_per_minute);
        Ok(rows)
    }

    async fn resources(
        &self,
        resource_type: &'static ResourceType,
        after: String,
    ) -> store::Result<(String, Place)> {
        let rows = self
            .read(export::select_resources(
                &self.tenant,
                resource_type,
                &after,
            ))
            .await?;
        let stored = rows
            .rows
            .iter()
            .map(|row| resources::stored(resource_type, row))
            .collect::<store::Result<Vec<_>>>()?;
        let projection = Projection::default_set(self.own.shape(resource_type));
        let mut text = String::new();
        for resource in &stored {
            text.push_str(&resource.to_json(&self.base, &projection));
            text.push('\n');
        }
        let next = match stored.last() {
            Some(last)
                if !export::is_last(stored.iter().map(|resource| resource.resource.len())) =>
            {
                Place::Resources(resource_type, last.id.clone())
            }
            _ if resource_type.name == USERS.name => Place::Resources(&GROUPS, String::new()),
            _ => Place::Members(After::default()),
        };
        Ok((text, next))
    }

    async fn members(&self, after: After) -> store::Result<(String, Place)> {
        let rows = self
            .read(export::select_members(&self.tenant, &after))
            .await?;
        let parts = rows
            .rows
            .iter()
            .map(export::members)
            .collect::<store::Result<Vec<_>>>()?;
        let mut text = String::new();
        for part in &parts {
            // An id has nothing to escape.
            let (group, members) = (&part.group, &part.members);
            text.push_str(&format!(
                "{{\"group\":\"{group}\",\"members\":{members}}}\n"
            ));
        }
        let held: usize = parts.iter().map(|part| part.held).sum();
        let next = match parts.into_iter().next_back() {
            Some(last) if held >= export::MAX_MEMBERS => Place::Members(After {
                group: last.group,
                member: last.last,
            }),
            _ => Place::End,
        };
        Ok((text, next))
    }
}
