//! Every route there is, by those who belong to one tenant, with every id of another tenant in every place: the answer is the same, to the
//! letter, as for ids that nobody has, and the other tenant's rows are untouched.
//!
//! A route that is new needs an entry in [`variants`](super::variants).

use http::Request;
use rollcall::api::http::routes::{self, Route};
use rollcall::store::Value as Stored;
use serde_json::{Value, json};

use super::variants::variants;
use crate::faults::state::Mask;
use crate::support::{Answer, ORIGIN, Tenant, World};

/// What somebody has: ids, each of another kind, and words that are nobody else's.
pub struct Things {
    pub tenant: String,
    pub user: String,
    pub group: String,
    pub token: String,
    pub provider: String,
    pub mapping: String,
    /// An LDAP provider, and the log of a sync of it.
    pub directory: String,
    pub log: String,
    pub stream: String,
    /// A set-up link's id, and its secret.
    pub link: String,
    secret: String,
    /// The URN of a schema of its own.
    pub urn: String,
    /// A request that was refused.
    pub request: String,
    pub cursor: String,
    pub name: String,
}

impl Things {
    pub fn made(tenant: &Tenant<'_>, name: &str) -> Self {
        let world = tenant.world;
        let user = tenant.user(&format!("{name}@example.com"));
        let group = tenant.group(name, &[&user]);
        tenant.group(&format!("Second {name}"), &[]);
        let path = format!("/api/v1/tenants/{}/identity-providers", tenant.id);
        let config = json!({"issuer": format!("https://{name}.example.com"), "client_id": name});
        let provider = json!({"name": name, "protocol": "OIDC", "oidc_config": config});
        let provider = id_in(world.admin("POST", &path, provider).expect(201));
        let directories = "/api/v1/admin/identity-providers";
        let directory = json!({
            "tenant_id": tenant.id,
            "name": format!("Directory of {name}"),
            "provider_type": "LDAP",
            "ldap_config": {
                "url": "ldaps://127.0.0.1",
                "bind_dn": format!("cn={name}"),
                "bind_password": format!("the password of {name}"),
                "base_dn": format!("dc={name}"),
                "user_filter": "(uid=*)",
            },
        });
        let directory = id_in(world.admin("POST", directories, directory).expect(201));
        let mapping = json!({"external_group_id": name, "internal_group_id": group});
        let mappings = format!("{path}/{directory}/group-mappings");
        let mapping = id_in(world.admin("POST", &mappings, mapping).expect(201));
        // It fails, which is a log as well.
        let path = format!("{directories}/{directory}/sync");
        let log = id_in(world.admin("POST", &path, Value::Null).expect(200));
        let path = format!("/api/v1/tenants/{}/event-streams", tenant.id);
        let stream = json!({"name": name, "url": format!("https://{name}.example.com/"), "is_active": false});
        let stream = id_in(world.admin("POST", &path, stream).expect(201));
        let link = json!({"tenant_id": tenant.id, "allows": ["scim", "sso", "directory"]});
        let link = world.admin("POST", "/api/v1/admin/setup-links", link);
        let url = link.expect(201).body["data"]["url"].as_str();
        let (_, secret) = url.and_then(|url| url.rsplit_once('/')).expect("a secret");
        let urn = format!("urn:example:{name}:2.0:User");
        let schemas = format!("/api/v1/admin/tenants/{}/schemas", tenant.id);
        let attributes = json!([{"name": "badge"}]);
        let schema =
            json!({"id": urn, "resource_type": "User", "name": name, "attributes": attributes});
        world.admin("POST", &schemas, schema).expect(201);
        let values = json!([{"value": name}]);
        let assignable = json!({"roles": values, "entitlements": values});
        let path = format!("/api/v1/admin/tenants/{}", tenant.id);
        world.admin("PATCH", &path, assignable).expect(200);
        // It is refused when it is carried out.
        let later = [("prefer", "respond-async, wait=5")];
        let refused = tenant.send_with(
            "POST",
            "/Users",
            &later,
            json!({"userName": name, "password": 1}),
        );
        let page = tenant.get("/Groups?count=1&cursor");
        Things {
            tenant: tenant.id.clone(),
            user,
            group,
            token: tenant.token_id.clone(),
            provider,
            mapping,
            directory,
            log,
            stream,
            link: id_in(&link),
            secret: secret.to_owned(),
            urn,
            request: refused.header("x-request-id").to_owned(),
            cursor: page.body["nextCursor"]
                .as_str()
                .expect("a cursor")
                .to_owned(),
            name: name.to_owned(),
        }
    }

    /// The same of nobody, in the same order.
    pub fn of_nobody(&self) -> Self {
        let id = |id: &str| format!("{}000000000000", &id[..24]);
        Things {
            tenant: id(&self.tenant),
            user: id(&self.user),
            group: id(&self.group),
            token: id(&self.token),
            provider: id(&self.provider),
            mapping: id(&self.mapping),
            directory: id(&self.directory),
            log: id(&self.log),
            stream: id(&self.stream),
            link: id(&self.link),
            secret: String::new(),
            urn: "urn:example:nob0dy:2.0:User".to_owned(),
            request: id(&self.request),
            cursor: "bm9ib2R5".to_owned(),
            name: "nob0dy".to_owned(),
        }
    }

    fn ids(&self) -> [&str; 12] {
        [
            &self.tenant,
            &self.user,
            &self.group,
            &self.token,
            &self.provider,
            &self.mapping,
            &self.directory,
            &self.log,
            &self.stream,
            &self.link,
            &self.urn,
            &self.request,
        ]
    }

    fn all(&self) -> impl Iterator<Item = &str> {
        self.ids()
            .into_iter()
            .chain([self.cursor.as_str(), &self.name])
    }

    /// The right one for a parameter of a path.
    fn named(&self, param: &str, pattern: &str) -> &str {
        match param {
            "tenant_id" => &self.tenant,
            "token_id" => &self.token,
            "idp_id" if pattern.contains("/sync") || pattern.contains("/group-mappings") => {
                &self.directory
            }
            "idp_id" => &self.provider,
            "mapping_id" => &self.mapping,
            "log_id" => &self.log,
            "stream_id" => &self.stream,
            "link_id" => &self.link,
            "urn" => &self.urn,
            // An undo has the id of the request that asked for it, and a request that was accepted its own.
            "request_id" | "undo_id" | "txn" => &self.request,
            "id" if pattern.contains("/Groups/") => &self.group,
            "id" if pattern.contains("/Users/") || pattern.contains("/:type/") => &self.user,
            "id" if pattern.contains("/Roles/") || pattern.contains("/Entitlements/") => &self.name,
            "type" => "User",
            "id" => "User",
            // A file is nobody's.
            "file" => "index.html",
            other => panic!("say here what `:{other}` is the id of"),
        }
    }
}

fn id_in(answer: &Answer) -> String {
    answer.body["data"]["id"]
        .as_str()
        .expect("an id")
        .to_owned()
}

/// A route's path with every mixture of one's own things and what `its` are in it, one's own alone first.
fn paths(pattern: &str, own: &Things, its: &Things) -> Vec<String> {
    // What directories have is asked for where they are, and what others have everywhere.
    let of_directories = [&its.directory, &its.log];
    let others = its
        .ids()
        .into_iter()
        .filter(|id| pattern.contains("/sync") || of_directories.iter().all(|of| of != id));
    let others: Vec<&str> = others.collect();
    let mut paths = vec![String::new()];
    for part in pattern.split('/').skip(1) {
        let choices: Vec<&str> = match part.strip_prefix(':') {
            None => vec![part],
            Some("tenant_id") => vec![&own.tenant, &its.tenant],
            Some(param) => std::iter::once(own.named(param, pattern))
                .chain(others.iter().copied())
                .collect(),
        };
        paths = paths
            .iter()
            .flat_map(|path| choices.iter().map(move |choice| format!("{path}/{choice}")))
            .collect();
    }
    paths
}

/// The rows that belong to a tenant, and all others.
fn parted(world: &World, tenant: &str) -> (Vec<String>, Vec<String>) {
    // How many requests were refused grows with each attempt, whatever it was.
    let tables = world.database.dump_all().into_iter();
    let tables = tables.filter(|(table, _)| table != "request_counts");
    let rows = tables.flat_map(|(table, rows)| {
        rows.into_iter().map(move |mut row| {
            if table == "requests" {
                // What it cost depends on what the instance remembers.
                row.drain(15..19);
            }
            let is_its = |value: &Stored| matches!(value, Stored::Text(text) if text == tenant);
            // A tenant's journal says what its own clients asked for, whosever that is.
            let told = if table == "requests" {
                &row[..1]
            } else {
                &row[..]
            };
            (told.iter().any(is_its), format!("{table}: {row:?}"))
        })
    });
    let (theirs, others): (Vec<_>, Vec<_>) = rows.partition(|(is_its, _)| *is_its);
    let texts = |rows: Vec<(bool, String)>| rows.into_iter().map(|(_, row)| row).collect();
    (texts(theirs), texts(others))
}

/// Texts without whose things they name, and without what is new with each request; their order does not count.
fn anonymous(texts: &[String], things: &Things) -> Vec<String> {
    let mask = Mask::new(Default::default());
    let mut texts: Vec<String> = texts
        .iter()
        .map(|text| {
            let text = things
                .all()
                .zip(0..)
                .fold(text.clone(), |text, (thing, number)| {
                    text.replace(thing, &format!("<thing {number}>"))
                });
            mask.masked(&text)
        })
        .collect();
    texts.sort();
    texts
}

struct Attempt<'r> {
    route: &'r Route,
    path: String,
    query: String,
    body: Value,
}

impl Attempt<'_> {
    fn send(&self, world: &World, token: &str) -> Answer {
        let content_type = match self.path.ends_with("/import") {
            true => "application/x-ndjson",
            false => "application/json",
        };
        let request = Request::builder()
            .method(&self.route.method)
            .uri(format!("{ORIGIN}{}?{}", self.path, self.query))
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", content_type);
        let body = match &self.body {
            Value::Null => Vec::new(),
            body => body.to_string().into_bytes(),
        };
        world.send(request.body(body).expect("a request"))
    }

    fn text(&self) -> String {
        format!(
            "{} {}?{} {}",
            self.route.method, self.path, self.query, self.body
        )
    }
}

/// All attempts on a route with the things of somebody else.
fn attempts<'r>(route: &'r Route, own: &Things, its: &Things) -> Vec<Attempt<'r>> {
    let variants = variants(&route.method, &route.pattern, own, its).unwrap_or_else(|| {
        let (method, pattern) = (&route.method, &route.pattern);
        panic!("{method} {pattern} has no entry in `variants`: say what another tenant's ids may stand in")
    });
    let mut attempts = Vec::new();
    for path in paths(&route.pattern, own, its) {
        for (query, body) in &variants {
            attempts.push(Attempt {
                route,
                path: path.clone(),
                query: query.clone(),
                body: body.clone(),
            });
        }
    }
    attempts
}

#[test]
fn no_route_reaches_another_tenant() {
    let world = World::new();
    let (own, other) = (world.tenant("compat"), world.tenant("compat"));
    let (own_things, theirs) = (Things::made(&own, "0wn"), Things::made(&other, "th3irs"));
    let nobodys = theirs.of_nobody();
    let mut claims = world.claims();
    claims.insert("tenant_id".to_owned(), own.id.clone().into());
    claims.insert("sub".to_owned(), own_things.user.clone().into());
    let admin = world.jwt(&claims);
    other.get("/Users").expect(200);
    own.get("/Users").expect(200);
    let now = world.clock.0.get();
    world.databases.save();
    let (their_rows, _) = parted(&world, &other.id);
    let mut pairs = 0;
    for route in routes::all() {
        let tried = attempts(&route, &own_things, &theirs);
        let on_nobodys = attempts(&route, &own_things, &nobodys);
        let is_of_links = route.pattern.contains("/:tenant_id/setup");
        let token = match is_of_links {
            true => &own_things.secret,
            false => &own.token,
        };
        for token in [token, &admin] {
            for (attempt, on_nobodys) in tried.iter().zip(&on_nobodys) {
                let at = attempt.text();
                let missing = on_nobodys.send(&world, token);
                let (_, rows_without) = parted(&world, &other.id);
                world.databases.restore();
                world.clock.0.set(now);
                let answer = attempt.send(&world, token);
                let (its_rows, rows) = parted(&world, &other.id);
                world.databases.restore();
                world.clock.0.set(now);
                assert_eq!(its_rows, their_rows, "{at}: changed the other's rows");
                let shown = answer.body.to_string();
                for thing in theirs.all() {
                    assert!(
                        at.contains(thing) || !shown.contains(thing),
                        "{at}: {shown}"
                    );
                }
                assert!(answer.status < 500 || answer.status == 501, "{at}: {shown}");
                assert_eq!(
                    answer.status, missing.status,
                    "{at}: {shown}\n{}",
                    missing.body
                );
                let said = missing.body.to_string();
                assert_eq!(
                    anonymous(&[shown], &theirs),
                    anonymous(&[said], &nobodys),
                    "{at}"
                );
                let (with, without) = (
                    anonymous(&rows, &theirs),
                    anonymous(&rows_without, &nobodys),
                );
                let only = |one: &[String], other: &[String]| -> Vec<String> {
                    let rows = one.iter().filter(|row| !other.contains(row));
                    rows.cloned().collect()
                };
                let differing = (only(&with, &without), only(&without, &with));
                assert_eq!(differing.0, differing.1, "{at}: left something else behind");
                assert_eq!(with.len(), without.len(), "{at}");
                let reaches = theirs.ids().iter().any(|id| attempt.path.contains(id));
                let is_public = attempt.path.contains("ResourceType")
                    || attempt.path.contains("Schemas")
                    || attempt.path.contains("ServiceProvider");
                if reaches && !is_public {
                    assert!(
                        [401, 403, 404, 501].contains(&answer.status),
                        "{at}: {}",
                        answer.status
                    );
                }
                pairs += 1;
            }
        }
    }
    println!("{pairs} pairs of a request and somebody else's ids");
}
