//! The way to the handlers of administrators' routes, and of those that a set-up link or Cloudflare Access opens: in the jobs worker alone.

use super::authenticate;
use super::call::Call;
use super::idempotency;
use super::limits;
use super::query_parameters;
use super::reply::Reply;
use super::routes::row::IdempotencyKey;
use super::routes::{For, Route};
use crate::error::{Error, Result};

pub(super) async fn pass(call: &Call<'_>, route: &Route) -> Result<Reply> {
    let (admin, scope, key, handler) = match route.access {
        For::Admin(scope, key, handler) => (authenticate::admin(call).await, scope, key, handler),
        For::SetupLink(scope, key, handler) => {
            (authenticate::setup_link(call).await, scope, key, handler)
        }
        For::Access(handler) => {
            let visitor = limits::counted(call, authenticate::visitor(call).await).await?;
            limits::check(call, visitor.grant.tenant.as_ref(), &visitor.email).await?;
            query_parameters::check(call, route.parameters)?;
            return handler.ok_or_else(no_handler)?(call, &visitor).await;
        }
        For::Public(_) | For::Scim(..) => return Err(Error::internal("no administrator's route")),
    };
    let admin = limits::counted(call, admin).await?;
    limits::check(call, admin.tenant.as_ref(), &admin.subject).await?;
    admin.require(scope)?;
    query_parameters::check(call, route.parameters)?;
    let handler = handler.ok_or_else(no_handler)?;
    let work = handler(call, &admin);
    match key {
        IdempotencyKey::Taken => idempotency::once(call, &admin, work).await,
        IdempotencyKey::Ignored => work.await,
    }
}

fn no_handler() -> Error {
    Error::internal("the route has no handler")
}
