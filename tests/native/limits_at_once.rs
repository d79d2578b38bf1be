//! Limits that are asked while the cache is asked whose a token is.

use std::cell::Cell;
use std::rc::Rc;
use std::task::Poll;

use async_trait::async_trait;
use rollcall::platform::{Limit, RateLimiter, TokenCache};
use serde_json::Value;

use crate::limits::{ADDRESS, ask, forget, users_of};
use crate::support::World;
use crate::support::outside::TestCache;

/// Waits, in each look-up and each count, until a number of them have begun.
struct Together {
    cache: Rc<TestCache>,
    wanted: usize,
    begun: Cell<usize>,
    /// Whether one waited in vain.
    is_alone: Cell<bool>,
}

impl Together {
    async fn meet(&self) {
        self.begun.set(self.begun.get() + 1);
        let mut looks = 0;
        std::future::poll_fn(|context| {
            looks += 1;
            if self.begun.get() >= self.wanted {
                return Poll::Ready(());
            }
            if looks > 100 {
                self.is_alone.set(true);
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }
}

#[async_trait(?Send)]
impl RateLimiter for Together {
    async fn allows(&self, _limit: Limit, _key: &str) -> bool {
        self.meet().await;
        true
    }
}

#[async_trait(?Send)]
impl TokenCache for Together {
    async fn get(&self, key: &str) -> Option<String> {
        self.meet().await;
        self.cache.get(key).await
    }

    async fn put(&self, key: &str, value: &str, seconds: u64) {
        self.cache.put(key, value, seconds).await;
    }

    async fn delete(&self, key: &str) {
        self.cache.delete(key).await;
    }
}

#[test]
fn the_cache_and_the_limits_are_asked_at_once() {
    let mut world = World::new();
    let (path, token) = {
        let tenant = world.tenant("compat");
        // From then on the instance knows whose the token is.
        tenant.get("/Users").expect(200);
        (users_of(&tenant), tenant.token.clone())
    };
    let mut claims = world.claims();
    claims.insert("tenant_id".to_owned(), "t1".into());
    let bound = world.jwt(&claims);
    let tenants = "/api/v1/admin/tenants/".to_owned();
    // A token is looked up and counted twice; a JWT needs no look-up.
    for (path, credential, wanted) in [(path, token, 3), (tenants, bound, 2)] {
        let together = Rc::new(Together {
            cache: world.cache.clone(),
            wanted,
            begun: Cell::default(),
            is_alone: Cell::default(),
        });
        world.app.platform.limiter = together.clone();
        world.app.platform.token_cache = together.clone();
        ask(&world, &path, &credential, ADDRESS).expect(200);
        assert_eq!(together.begun.get(), wanted, "{path}");
        assert!(!together.is_alone.get(), "{path}: one after the other");
    }
}

#[test]
fn a_token_that_is_known_is_counted_once_and_against_its_own_tenant() {
    let world = World::new();
    let (one, other) = (world.tenant("compat"), world.tenant("compat"));
    let path_of_other = users_of(&other);
    for _ in 0..2 {
        forget(&world);
        one.get("/Users").expect(200);
        let counts = world.limiter.counts.borrow().clone();
        assert_eq!(counts.len(), 2, "{counts:?}");
        assert!(counts.values().all(|count| *count == 1), "{counts:?}");
        assert_eq!(counts.get(&(Limit::Tenant, one.id.clone())), Some(&1));
    }
    // In the path stands whom it is not for.
    forget(&world);
    ask(&world, &path_of_other, &one.token, ADDRESS).expect(404);
    let counts = world.limiter.counts.borrow();
    assert_eq!(counts.get(&(Limit::Tenant, other.id.clone())), None);
}

#[test]
fn a_token_that_is_dead_counts_against_no_tenant_any_more() {
    let world = World::new();
    let tenant = world.tenant("compat");
    tenant.get("/Users").expect(200);
    let listed = world.admin("GET", "/api/v1/admin/scim-tokens/", Value::Null);
    let id = listed.body["data"][0]["id"].as_str().expect("an id");
    let path = format!("/api/v1/admin/scim-tokens/{id}");
    world.admin("DELETE", &path, Value::Null).expect(204);
    tenant.get("/Users").expect(401);
    forget(&world);
    for _ in 0..3 {
        tenant.get("/Users").expect(401);
    }
    let counts = world.limiter.counts.borrow();
    assert_eq!(counts.get(&(Limit::Tenant, tenant.id.clone())), None);
}
