//! The application with a world that the test holds in its hands.

pub mod access;
mod answer;
pub mod behind;
pub mod d1_twin;
pub mod databases;
pub mod described;
pub mod directory;
pub mod faults;
pub mod filter_operands;
pub mod filter_text;
pub mod fixtures;
pub mod histories;
pub mod jobs;
pub mod keys;
pub mod ldap_tree;
pub mod ldap_writer;
pub mod network;
pub mod outside;
pub mod own_schemas;
pub mod plain_words;
pub mod population;
pub mod slapd;
pub mod turns;

use std::cell::Cell;
use std::rc::Rc;

use futures_util::{FutureExt, StreamExt};
use http::response::Parts;
use http::{HeaderMap, Method, Request};
use jwt_compact::alg::{Hs256, Hs256Key};
use jwt_compact::{AlgorithmExt, Claims, Header};
use rollcall::api::{App, Response};
use rollcall::auth::memory::Memory;
use rollcall::change::Recent;
use rollcall::config::Config;
use rollcall::databases::homes::{Homes, MAX_BYTES};
use rollcall::databases::place::MAIN;
use rollcall::platform::{Others, Platform};
use serde_json::{Map, Value, json};

pub use answer::Answer;
use d1_twin::D1Twin;
use databases::Twins;
use jobs::TestQueue;
use network::Loopback;
use outside::{
    PublicFolder, TestBackground, TestCache, TestClock, TestEntropy, TestLimiter, TestLog,
    TestTimer, TestWeb,
};

/// Where the tests' requests go.
pub const ORIGIN: &str = "https://scim.example.com";
pub const ISSUER: &str = "https://issuer.example.com";
pub const AUDIENCE: &str = "rollcall-test";
pub const SECRET: &str = "a-local-secret-of-more-than-32-bytes";
pub const ENCRYPTION_KEY: &str = "Hx4dHBsaGRgXFhUUExIREA8ODQwLCgkIBwYFBAMCAQA=";
/// 2026-01-02T03:04:05Z, when every test begins.
pub const START: i64 = 1_767_323_045_000;

pub struct World {
    pub app: App,
    /// The database that tenants live in: the first one, or the one that the environment names (`TENANTS_IN`).
    pub database: Rc<D1Twin>,
    /// All databases by their names, the first one first.
    pub databases: Rc<Twins>,
    pub cache: Rc<TestCache>,
    pub clock: Rc<TestClock>,
    pub web: Rc<TestWeb>,
    pub limiter: Rc<TestLimiter>,
    pub background: Rc<TestBackground>,
    pub queue: Rc<TestQueue>,
    pub log: Rc<TestLog>,
    /// Whether no request finds a resource that one before it has seen, as if each came to another instance.
    pub forgetful: Cell<bool>,
}

impl World {
    /// A world whose administrators' tokens are signed with a local secret.
    pub fn new() -> Self {
        World::configured(&[("JWT_LOCAL_SECRET", SECRET)])
    }

    /// A world with further variables set.
    pub fn configured(variables: &[(&str, &str)]) -> Self {
        let cache = Rc::new(TestCache::default());
        let clock = Rc::new(TestClock(START.into()));
        let web = Rc::new(TestWeb::default());
        let limiter = Rc::new(TestLimiter::default());
        let background = Rc::new(TestBackground::default());
        let log = Rc::new(TestLog::default());
        let entropy = Rc::new(TestEntropy::default());
        let tenants_in = std::env::var("TENANTS_IN")
            .ok()
            .filter(|_| !variables.iter().any(|(name, _)| *name == "DATABASES"));
        let is_given = |name| variables.iter().any(|(variable, _)| *variable == name);
        let config = Config::read(|name| match name {
            "JWT_ISSUER" if !is_given("JWT_ISSUER") => Some(ISSUER.to_owned()),
            "JWT_AUDIENCE" => Some(AUDIENCE.to_owned()),
            "CURSOR_KEY" => Some("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=".to_owned()),
            "SERVER_TIMING" => Some("on".to_owned()),
            "ENCRYPTION_KEY" if !is_given("ENCRYPTION_KEY") => Some(ENCRYPTION_KEY.to_owned()),
            "DATABASES" if !is_given("DATABASES") => tenants_in.clone(),
            _ => variables
                .iter()
                .find(|(variable, _)| *variable == name)
                .map(|(_, value)| (*value).to_owned()),
        })
        .expect("a configuration");
        let homes = Homes::new(config.databases.clone(), config.database_max_bytes);
        let databases = Rc::new(Twins::new(homes.places()));
        let database = match &tenants_in {
            Some(name) => {
                // The first one takes no tenants, so they come to the other one.
                databases.main().bytes.set(Some(MAX_BYTES));
                databases.named(name)
            }
            None => databases.main(),
        };
        let queue = Rc::new(TestQueue::new(clock.clone(), databases.clone()));
        databases.announce(&queue, &background, &clock, &entropy);
        let app = App {
            config,
            platform: Platform {
                database: databases.open(MAIN).expect("the first database"),
                others: databases.clone(),
                homes: Rc::new(homes),
                token_cache: cache.clone(),
                clock: clock.clone(),
                entropy,
                http: web.clone(),
                signatures: Rc::new(keys::Native),
                signer: Rc::new(keys::OwnKeys::default()),
                tcp: Rc::new(Loopback),
                limiter: limiter.clone(),
                assets: Rc::new(PublicFolder),
                background: background.clone(),
                queue: queue.clone(),
                jobs_worker: None,
                timer: Rc::new(TestTimer(clock.clone(), queue.clone())),
                log: log.clone(),
            },
            memory: Rc::new(Memory::default()),
            recent: Rc::new(Recent::default()),
        };
        let world = World {
            app,
            database,
            databases,
            cache,
            clock,
            web,
            limiter,
            background,
            queue,
            log,
            forgetful: Cell::new(false),
        };
        world.employ();
        world
    }

    /// Makes the other worker anew, by the first one's platform as it is now: it shares nothing with that but the world outside.
    pub fn employ(&self) {
        self.queue.employ(Rc::new(App {
            config: self.app.config.clone(),
            platform: Platform {
                homes: self.no_memory_of_homes(),
                ..self.app.platform.clone()
            },
            memory: Rc::new(Memory::default()),
            recent: Rc::new(Recent::default()),
        }));
    }

    /// Puts another network in the place of the world's, for both workers.
    pub fn connect(&mut self, tcp: Rc<dyn rollcall::platform::Tcp>) {
        self.app.platform.tcp = tcp;
        self.employ();
    }

    /// Forgets what an instance remembers between requests, as a new one would.
    pub fn restart(&mut self) {
        self.app.platform.homes = self.no_memory_of_homes();
        self.app.memory = Rc::new(Memory::default());
        self.app.recent = Rc::new(Recent::default());
    }

    pub fn send(&self, request: Request<Vec<u8>>) -> Answer {
        let path = request.uri().path().to_owned();
        let method = request.method().clone();
        if self.forgetful.get() {
            self.app.recent.clear();
        }
        self.databases.begin_invocation();
        let response = pollster::block_on(self.app.handle(request));
        self.background.finish();
        self.read_answer(&method, &path, response)
    }

    /// The answer to a request of that method on that path, checked for what holds of every answer.
    pub fn read_answer(&self, method: &Method, path: &str, response: Response) -> Answer {
        let (parts, body) = response.into_parts();
        let chunks = body.into_chunks().collect::<Vec<_>>().now_or_never();
        let chunks = chunks.expect("a body that ends");
        // Of one that breaks off, what came.
        let came = chunks.into_iter().map_while(Result::ok).collect::<Vec<_>>();
        self.shown(method, path, parts, came.concat())
    }

    /// The same; none where the body breaks off, or never ends.
    pub fn read_whole(&self, method: &Method, path: &str, response: Response) -> Option<Answer> {
        let (parts, body) = response.into_parts();
        let chunks = body.into_chunks().collect::<Vec<_>>().now_or_never()?;
        let body = chunks.into_iter().collect::<Result<Vec<_>, _>>().ok()?;
        Some(self.shown(method, path, parts, body.concat()))
    }

    fn shown(&self, method: &Method, path: &str, parts: Parts, body: Vec<u8>) -> Answer {
        let answer = Answer {
            status: parts.status.as_u16(),
            log: self.log.0.borrow().last().cloned().unwrap_or_default(),
            body: match body.is_empty() {
                true => Value::Null,
                false if is_text(&parts.headers) => String::from_utf8(body).expect("text").into(),
                false => serde_json::from_slice(&body).expect("a JSON body"),
            },
            headers: parts.headers,
        };
        answer.check_headers(path);
        described::check(method, path, &answer);
        answer
    }

    /// The claims of a platform administrator's token that is good for an hour.
    pub fn claims(&self) -> Map<String, Value> {
        let now = self.clock.0.get() / 1_000;
        let claims = json!({
            "iss": ISSUER, "aud": AUDIENCE, "sub": "root", "iat": now, "exp": now + 3_600, "scope": "admin",
        });
        claims.as_object().expect("an object").clone()
    }

    /// A token with these claims, signed with the local secret.
    pub fn jwt(&self, claims: &Map<String, Value>) -> String {
        sign_local(claims)
    }

    /// A request to an admin route as a platform administrator.
    pub fn admin(&self, method: &str, path: &str, body: Value) -> Answer {
        let token = self.jwt(&self.claims());
        self.admin_as(&token, method, path, body)
    }

    /// A request to an admin route with that token.
    pub fn admin_as(&self, token: &str, method: &str, path: &str, body: Value) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(format!("{ORIGIN}{path}"))
            .header("authorization", format!("Bearer {token}"));
        let request = match body {
            Value::Null => request.body(Vec::new()),
            body => request
                .header("content-type", "application/json")
                .body(body.to_string().into_bytes()),
        };
        self.send(request.expect("a request"))
    }

    /// Lines of JSON to an admin route, as a platform administrator.
    pub fn post_lines(&self, path: &str, lines: &str) -> Answer {
        let token = self.jwt(&self.claims());
        self.post_as(&token, path, lines, "application/x-ndjson")
    }

    /// A body of that type to an admin route, with that token.
    pub fn post_as(&self, token: &str, path: &str, lines: &str, content_type: &str) -> Answer {
        let request = Request::post(format!("{ORIGIN}{path}"))
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", content_type)
            .body(lines.as_bytes().to_vec());
        self.send(request.expect("a request"))
    }

    /// A new tenant with a SCIM token of all scopes.
    pub fn tenant(&self, profile: &str) -> Tenant<'_> {
        let created = self.admin(
            "POST",
            "/api/v1/admin/tenants/",
            json!({"name": "Acme", "scim_profile": profile}),
        );
        created.expect(201);
        let id = created.body["data"]["id"]
            .as_str()
            .expect("an id")
            .to_owned();
        let minted = self.admin(
            "POST",
            "/api/v1/admin/scim-tokens/",
            json!({"tenant_id": id, "name": "test"}),
        );
        minted.expect(201);
        Tenant {
            world: self,
            id,
            token: minted.body["data"]["token"]
                .as_str()
                .expect("a token")
                .to_owned(),
            token_id: minted.body["data"]["id"]
                .as_str()
                .expect("an id")
                .to_owned(),
        }
    }
}

/// Signs claims with the local secret.
pub fn sign_local(claims: &Map<String, Value>) -> String {
    let header: Header = Header::empty();
    let claims: Claims<Map<String, Value>> = Claims::new(claims.clone());
    Hs256
        .token(&header, &claims, &Hs256Key::new(SECRET))
        .expect("a token")
}

/// A tenant as an identity provider sees it.
pub struct Tenant<'w> {
    pub world: &'w World,
    pub id: String,
    pub token: String,
    pub token_id: String,
}

impl Tenant<'_> {
    /// The tenant without a fuse: whoever tests something else may remove as much as they like.
    pub fn unfused(self) -> Self {
        let path = format!("/api/v1/admin/tenants/{}", self.id);
        let answer = self
            .world
            .admin("PATCH", &path, json!({"removal_fuse": null}));
        answer.expect(200);
        self
    }

    pub fn base(&self) -> String {
        format!("/api/v1/tenants/{}/scim/v2", self.id)
    }

    pub fn request(&self, method: &str, path: &str) -> http::request::Builder {
        Request::builder()
            .method(method)
            .uri(format!("{ORIGIN}{}{path}", self.base()))
            .header("authorization", format!("Bearer {}", self.token))
    }

    pub fn send(&self, method: &str, path: &str, body: Value) -> Answer {
        self.send_with(method, path, &[], body)
    }

    pub fn send_with(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Value,
    ) -> Answer {
        let mut request = self.request(method, path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = match body {
            Value::Null => request.body(Vec::new()),
            body => request
                .header("content-type", "application/scim+json")
                .body(body.to_string().into_bytes()),
        };
        self.world.send(request.expect("a request"))
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, Value::Null)
    }

    /// Creates a user with that name, and gives its id.
    pub fn user(&self, user_name: &str) -> String {
        let body = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "userName": user_name,
        });
        self.send("POST", "/Users", body).expect(201).id()
    }

    /// Creates a group with these members, and gives its id.
    pub fn group(&self, display_name: &str, members: &[&str]) -> String {
        let members: Vec<Value> = members.iter().map(|id| json!({"value": id})).collect();
        let body = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
            "displayName": display_name,
            "members": members,
        });
        self.send("POST", "/Groups", body).expect(201).id()
    }

    pub fn patch(&self, path: &str, operations: Value) -> Answer {
        let body = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": operations,
        });
        self.send("PATCH", path, body)
    }

    /// The ids of a group's members, sorted.
    pub fn members(&self, group: &str) -> Vec<String> {
        let answer = self.get(&format!("/Groups/{group}"));
        answer.expect(200);
        let members = answer.body["members"].as_array().expect("members");
        let mut ids: Vec<String> = members
            .iter()
            .map(|member| member["value"].as_str().expect("an id").to_owned())
            .collect();
        ids.sort();
        ids
    }

    /// The userNames that a filter selects, sorted.
    pub fn find(&self, filter: &str) -> Vec<String> {
        let query: String = form_urlencoded::byte_serialize(filter.as_bytes()).collect();
        let answer = self.get(&format!("/Users?filter={query}"));
        answer.expect(200);
        let resources = answer.body["Resources"].as_array().expect("Resources");
        let mut names: Vec<String> = resources
            .iter()
            .map(|user| user["userName"].as_str().expect("a userName").to_owned())
            .collect();
        names.sort();
        names
    }
}

/// Whether a body is no JSON: the documentation's page and its files, and lines of JSON.
fn is_text(headers: &HeaderMap) -> bool {
    let content_type = headers.get("content-type").map(|value| value.as_bytes());
    content_type.is_some_and(|content_type| {
        content_type.starts_with(b"text/") || content_type == b"application/x-ndjson"
    })
}
