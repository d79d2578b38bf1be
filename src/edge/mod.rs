//! The platform: the only module that names Cloudflare's runtime. It turns the runtime's requests, bindings and clock
//! into the application's own terms, and decides nothing.
//!
//! What crosses to JavaScript is text, bytes and doubles; anything richer loses something on the way.

mod assets;
mod convert;
mod d1;
mod http_client;
#[cfg(feature = "jobs")]
mod jobs;
mod jobs_worker;
mod queue;
mod rate_limiter;
mod runtime;
mod signatures;
#[cfg(feature = "jobs")]
mod socket;
mod token_cache;

use std::cell::OnceCell;
use std::rc::Rc;

use worker::{Context, Env, Request, Response, Result, RouteContext, Router, event};

use crate::announcing::Announcing;
use crate::api::App;
use crate::auth::memory::Memory;
use crate::change::Recent;
use crate::config::Config;
use crate::databases::homes::Homes;
use crate::error::{Error, Kind};
use crate::platform::{Background, Database, OtherWorker, Others, Platform, Queue};

/// Binding of the database.
const DATABASE: &str = "DB";
/// Binding of the KV namespace that caches what is known of SCIM tokens.
const TOKENS: &str = "TOKENS";

thread_local! {
    /// What an isolate remembers: plain data only, never a request's or a binding's.
    static MEMORY: Rc<Memory> = Rc::default();
    static RECENT: Rc<Recent> = Rc::default();
    static HOMES: OnceCell<Rc<Homes>> = const { OnceCell::new() };
    static CONFIG: OnceCell<std::result::Result<Config, String>> = const { OnceCell::new() };
}

/// Every request, to either worker: nobody but the first asks the second. The table of routes is the application's (`api::http::routes`),
/// because the runtime's Router answers 404 and 405 in plain text and knows neither trailing slashes nor percent-encoding; so whatever comes is
/// handed on by one entry here.
#[event(fetch)]
async fn fetch(request: Request, env: Env, context: Context) -> Result<Response> {
    Router::with_data(Rc::new(context))
        .or_else_any_method_async("/*path", answer)
        .or_else_any_method_async("/", answer)
        .run(request, env)
        .await
}

async fn answer(request: Request, route: RouteContext<Rc<Context>>) -> Result<Response> {
    let background = Rc::new(runtime::AfterReply(Rc::clone(&route.data)));
    let app = match app(&route.env, background) {
        Ok(app) => app,
        Err(reason) => {
            worker::console_error!("configuration: {reason}");
            let error = Error::new(Kind::Internal, "the service is not configured");
            return convert::failure(request.path().as_str(), &error).await;
        }
    };
    let path = request.path();
    let request = match convert::request(request).await {
        Ok(request) => request,
        Err(error) => {
            let reason = error.internal.as_deref().unwrap_or(&error.detail);
            worker::console_error!("request: {reason}");
            return convert::failure(&path, &error).await;
        }
    };
    convert::response(app.handle(request).await).await
}

/// The databases that are bound to the worker.
struct Bound {
    env: Env,
    queue: Rc<dyn Queue>,
    background: Rc<dyn Background>,
}

impl Bound {
    fn database(&self, binding: &str) -> Result<Rc<dyn Database>> {
        Ok(Rc::new(Announcing {
            database: Rc::new(d1::D1(self.env.d1(binding)?)),
            queue: Rc::clone(&self.queue),
            background: Rc::clone(&self.background),
            clock: Rc::new(runtime::RuntimeClock),
            entropy: Rc::new(runtime::RuntimeEntropy),
        }))
    }
}

impl Others for Bound {
    /// Each has the binding `DB_` and its name.
    fn open(&self, name: &str) -> Option<Rc<dyn Database>> {
        let binding = format!("{DATABASE}_{}", name.to_ascii_uppercase());
        self.database(&binding).ok()
    }
}

fn app(env: &Env, background: Rc<dyn Background>) -> std::result::Result<App, String> {
    let config = CONFIG.with(|config| {
        config
            .get_or_init(|| Config::read(|name| env.var(name).ok().map(|value| value.to_string())))
            .clone()
    })?;
    let homes = HOMES.with(|homes| {
        let known = homes.get_or_init(|| {
            Rc::new(Homes::new(
                config.databases.clone(),
                config.database_max_bytes,
            ))
        });
        Rc::clone(known)
    });
    let tokens = env.kv(TOKENS).map_err(|error| error.to_string())?;
    let queue: Rc<dyn Queue> = Rc::new(queue::Queues(env.clone()));
    let bound = Bound {
        env: env.clone(),
        queue: Rc::clone(&queue),
        background: Rc::clone(&background),
    };
    let database = bound
        .database(DATABASE)
        .map_err(|error| error.to_string())?;
    Ok(App {
        config,
        platform: Platform {
            database,
            others: Rc::new(bound),
            homes,
            token_cache: Rc::new(token_cache::Kv(tokens)),
            clock: Rc::new(runtime::RuntimeClock),
            entropy: Rc::new(runtime::RuntimeEntropy),
            http: Rc::new(http_client::Fetcher),
            signatures: Rc::new(signatures::WebCrypto),
            #[cfg(feature = "jobs")]
            signer: Rc::new(signatures::WebCrypto),
            #[cfg(feature = "jobs")]
            tcp: Rc::new(socket::Sockets),
            limiter: Rc::new(rate_limiter::Bindings(env.clone())),
            assets: Rc::new(assets::Uploaded(env.clone())),
            background,
            queue,
            jobs_worker: jobs_worker::Bound::of(env)
                .map(|bound| Rc::new(bound) as Rc<dyn OtherWorker>),
            timer: Rc::new(runtime::RuntimeTimer),
            log: Rc::new(runtime::Console),
        },
        memory: MEMORY.with(Rc::clone),
        recent: RECENT.with(Rc::clone),
    })
}
