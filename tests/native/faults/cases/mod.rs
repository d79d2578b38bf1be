//! The requests that are tried: every route there is, and every kind of write.

mod carried;
mod happened;
mod identity_providers;
mod keyed;
mod own_schemas;
mod scim_tokens;
mod setup;
mod tenants;

use http::Request;
use rollcall::api::http::routes;
use serde_json::{Value, json};

use crate::bulk::{GROUP, USER, patch as bulk_patch, post_group, post_user};
use crate::support::keys::Signer;
use crate::support::{ORIGIN, Tenant, World, access};

/// Stands in every value that a log or a failure must not show.
pub const MARK: &str = "mark3d";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
const SEARCH: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";
const BULK: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";

/// One request, and what it is answered.
pub struct Case {
    pub name: String,
    pub request: Request<Vec<u8>>,
    pub status: u16,
    /// The answer when it is sent once more.
    pub again: u16,
    /// Whether sending it once more writes once more.
    pub more: bool,
}

impl Case {
    /// The answer to the same request after it.
    fn again(mut self, status: u16) -> Self {
        self.again = status;
        self
    }

    /// Each time it is sent, it writes.
    fn writes_more(mut self) -> Self {
        self.more = true;
        self
    }

    fn with(mut self, name: &'static str, value: &str) -> Self {
        let value = value.parse().expect("a header's value");
        self.request.headers_mut().insert(name, value);
        self.name = format!("{} with {name}", self.name);
        self
    }

    /// The pattern of its route.
    pub fn pattern(&self) -> &'static str {
        routes::find(self.request.method(), self.request.uri().path()).pattern
    }
}

/// Who there is: people and groups of a tenant, and what opens it.
pub struct Scene {
    pub strict: bool,
    base: String,
    token: String,
    token_id: String,
    tenant: String,
    ada: String,
    bob: String,
    carol: String,
    team: String,
    outer: String,
    idp: String,
    directory: String,
    mapping: String,
    stream: String,
    polled: String,
    /// A set-up link's id, and its secret.
    link: (String, String),
    /// The request that made one of them.
    request: String,
    admin: String,
    me: String,
    /// What Cloudflare Access says of an administrator.
    assertion: String,
}

fn user(name: &str) -> Value {
    json!({
        "schemas": [USER, ENTERPRISE],
        "userName": format!("{name}-{MARK}@example.com"),
        "externalId": format!("{name}-{MARK}"),
        "name": {"givenName": name, "familyName": MARK},
        "emails": [{"value": format!("{name}-{MARK}@example.com"), "type": "work", "primary": true}],
        "phoneNumbers": [{"value": format!("+49 30 {MARK}"), "type": "work"}],
        ENTERPRISE: {"employeeNumber": format!("{MARK}-{name}")},
    })
}

fn group(name: &str, members: &[&str]) -> Value {
    let members: Vec<Value> = members.iter().map(|id| json!({"value": id})).collect();
    json!({"schemas": [GROUP], "displayName": format!("{name} {MARK}"), "members": members})
}

/// A provider whose test ends before it asks anybody.
fn provider(name: &str) -> Value {
    json!({
        "name": format!("{name} {MARK}"), "protocol": "OIDC",
        "oidc_config": {
            "issuer": "https://idp.localhost", "client_id": MARK, "client_secret": MARK.repeat(20),
        },
    })
}

/// A directory that is never asked.
fn directory(tenant: &str) -> Value {
    json!({
        "tenant_id": tenant, "name": format!("Directory {MARK}"), "protocol": "LDAP",
        "ldap_config": {
            "url": "ldaps://directory.localhost", "bind_dn": format!("cn={MARK}"), "bind_password": MARK.repeat(20),
            "base_dn": format!("dc={MARK}"),
        },
    })
}

fn patch(operations: Value) -> Value {
    json!({"schemas": [PATCH], "Operations": operations})
}

impl Scene {
    pub fn set(world: &World, profile: &str) -> Self {
        let tenant = world.tenant(profile);
        let mut inactive = user("bob");
        inactive["active"] = false.into();
        let made = |path: &str, body: Value| tenant.send("POST", path, body).expect(201).id();
        let first = tenant.send("POST", "/Users", user("ada"));
        let request = first.header("x-request-id").to_owned();
        let ada = first.expect(201).id();
        let bob = made("/Users", inactive);
        let carol = made("/Users", user("carol"));
        let team = made("/Groups", group("Team", &[&ada, &carol]));
        let outer = made("/Groups", group("Outer", &[&team, &ada]));
        let providers = format!("/api/v1/tenants/{}/identity-providers", tenant.id);
        let added = |path: &str, body: Value| {
            let answer = world.admin("POST", path, body);
            let id = answer.expect(201).body["data"]["id"].as_str();
            id.expect("an id").to_owned()
        };
        let idp = added(&providers, provider("Login"));
        let directory = added("/api/v1/admin/identity-providers", directory(&tenant.id));
        let mapping = json!({"external_group_id": MARK, "internal_group_id": team});
        let mapping = added(&format!("{providers}/{directory}/group-mappings"), mapping);
        let stream = json!({"name": MARK, "url": format!("https://{MARK}.example.com/"), "is_active": false});
        let streams = format!("/api/v1/tenants/{}/event-streams", tenant.id);
        let stream = added(&streams, stream);
        let polled = json!({"name": MARK, "kind": "set_poll", "after": 0});
        let polled = added(&streams, polled);
        own_schemas::declared(world, &tenant.id);
        // What is remembered of the token is of now.
        tenant.get("/Users?count=0").expect(200);
        let link = setup::link(world, &tenant.id);
        world.web.publish_metadata(setup::METADATA);
        let mut claims = world.claims();
        let admin = world.jwt(&claims);
        claims.insert("tenant_id".to_owned(), tenant.id.clone().into());
        claims.insert("sub".to_owned(), ada.clone().into());
        let me = world.jwt(&claims);
        let key = Signer::rsa(2048);
        access::publish(world, &[key.jwk("one")]);
        let assertion = key.token("one", &access::claims(world, "ada@example.com"));
        let base = tenant.base();
        let Tenant {
            id,
            token,
            token_id,
            ..
        } = tenant;
        Scene {
            strict: profile == "strict",
            base,
            token,
            token_id,
            tenant: id,
            ada,
            bob,
            carol,
            team,
            outer,
            idp,
            directory,
            mapping,
            stream,
            polled,
            link,
            request,
            admin,
            me,
            assertion,
        }
    }

    /// With another token of the administrator's.
    pub fn with_admin(self, admin: String) -> Self {
        Scene { admin, ..self }
    }

    pub fn tenant(&self) -> &str {
        &self.tenant
    }

    /// Its SCIM token.
    pub fn token(&self) -> &str {
        &self.token
    }

    fn case(&self, token: &str, method: &str, path: &str, body: Value, status: u16) -> Case {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{ORIGIN}{path}"))
            .header("authorization", format!("Bearer {token}"));
        let bytes = match &body {
            Value::Null => Vec::new(),
            body => {
                request = request.header("content-type", "application/json");
                body.to_string().into_bytes()
            }
        };
        Case {
            name: format!("{method} {path}"),
            request: request.body(bytes).expect("a request"),
            status,
            again: status,
            more: false,
        }
    }

    /// A request with the SCIM token, on the tenant's base.
    fn scim(&self, method: &str, path: &str, body: Value, status: u16) -> Case {
        let path = format!("{}{path}", self.base);
        self.case(&self.token, method, &path, body, status)
    }

    /// An administrator's request.
    pub fn admin(&self, method: &str, path: &str, body: Value, status: u16) -> Case {
        self.case(&self.admin, method, &format!("/api/v1{path}"), body, status)
    }

    fn me(&self, method: &str, path: &str, body: Value, status: u16) -> Case {
        let path = format!("{}{path}", self.base);
        self.case(&self.me, method, &path, body, status)
    }

    pub fn users(&self) -> Vec<Case> {
        let path = format!("/Users/{}", self.ada);
        let mut replaced = user("ada");
        replaced["title"] = MARK.into();
        let changes = patch(json!([
            {"op": "add", "path": "emails", "value": [{"value": format!("home-{MARK}@example.com"), "type": "home"}]},
            {"op": "replace", "path": "name.givenName", "value": format!("Augusta {MARK}")},
            {"op": "remove", "path": "phoneNumbers"},
        ]));
        let rename =
            patch(json!([{"op": "replace", "path": "userName", "value": format!("new-{MARK}")}]));
        let by_token = format!("/scim/v2{path}");
        vec![
            self.scim("POST", "/Users", user("dan"), 201).again(409),
            self.scim("POST", "/Users", user("bob"), 409),
            self.scim("PUT", &path, replaced.clone(), 200),
            self.scim("PUT", &path, replaced.clone(), 200)
                .again(412)
                .with("if-match", "W/\"1\""),
            self.scim("PATCH", &path, changes.clone(), 200),
            self.scim("PATCH", &path, changes.clone(), 200)
                .again(412)
                .with("if-match", "W/\"1\""),
            self.scim("PATCH", &path, rename, 200),
            self.scim("DELETE", &path, Value::Null, 204).again(404),
            self.scim("DELETE", &path, Value::Null, 204)
                .again(404)
                .with("if-match", "W/\"1\""),
            self.case(&self.token, "PATCH", &by_token, changes, 200),
            self.me("POST", "/Users", user("eve"), 201).again(409),
            self.me("PUT", "/Me", replaced, 200),
            self.me(
                "PATCH",
                "/Me",
                patch(json!([{"op": "add", "path": "title", "value": MARK}])),
                200,
            ),
            self.me("DELETE", "/Me", Value::Null, 204).again(404),
        ]
    }

    /// A password takes random numbers of its own.
    pub fn passwords(&self) -> Vec<Case> {
        let mut new = user("dan");
        new["password"] = MARK.into();
        vec![self.scim("POST", "/Users", new, 201).again(409)]
    }

    pub fn groups(&self) -> Vec<Case> {
        let path = format!("/Groups/{}", self.team);
        let outer = format!("/Groups/{}", self.outer);
        let create = self.scim(
            "POST",
            "/Groups",
            group("New", &[&self.ada, &self.team]),
            201,
        );
        let create = match self.strict {
            true => create.writes_more(),
            false => create.again(409),
        };
        let change = |operations: Value| self.scim("PATCH", &path, patch(operations), 200);
        let bob = json!([{"value": self.bob}]);
        let without_ada = format!("members[value eq \"{}\"]", self.ada);
        let renamed = format!("Renamed {MARK}");
        vec![
            create,
            self.scim("PUT", &path, group("Team", &[&self.bob, &self.carol]), 200),
            self.scim("PUT", &path, group("Moved", &[]), 200)
                .again(412)
                .with("if-match", "W/\"1\""),
            change(json!([{"op": "add", "path": "members", "value": bob}])),
            change(json!([{"op": "replace", "path": "members", "value": bob}])),
            change(json!([
                {"op": "add", "path": "members", "value": bob},
                {"op": "remove", "path": without_ada},
                {"op": "replace", "path": "displayName", "value": renamed},
            ])),
            change(json!([{"op": "add", "path": "externalId", "value": MARK}]))
                .again(412)
                .with("if-match", "W/\"1\""),
            self.scim("DELETE", &path, Value::Null, 204).again(404),
            self.scim("DELETE", &outer, Value::Null, 204)
                .again(404)
                .with("if-match", "W/\"1\""),
        ]
    }

    pub fn bulk(&self) -> Vec<Case> {
        let operations = json!([
            post_user("u", &format!("first-{MARK}")),
            post_user("v", &format!("second-{MARK}")),
            post_group("g", &format!("Made {MARK}"), json!([{"value": "bulkId:u"}, {"value": self.ada}])),
            bulk_patch(&format!("/Groups/{}", self.team), json!([{"op": "add", "path": "members", "value": [{"value": self.bob}]}])),
            {"method": "PUT", "path": format!("/Users/{}", self.carol), "data": user("caroline")},
            {"method": "DELETE", "path": format!("/Users/{}", self.ada)},
            {"method": "DELETE", "path": format!("/Groups/{}", self.outer)},
        ]);
        let body = json!({"schemas": [BULK], "Operations": operations});
        let mut failing = body.clone();
        failing["failOnErrors"] = 1.into();
        failing["Operations"][1]["data"]["userName"] = format!("first-{MARK}").into();
        vec![
            self.scim("POST", "/Bulk", body, 200),
            self.scim("POST", "/Bulk", failing, 200),
        ]
    }

    pub fn reads(&self) -> Vec<Case> {
        let (user, group) = (
            format!("/Users/{}", self.ada),
            format!("/Groups/{}", self.team),
        );
        let filter = format!("/Users?filter=userName%20eq%20%22ada-{MARK}%40example.com%22");
        let search =
            json!({"schemas": [SEARCH], "filter": format!("externalId eq \"ada-{MARK}\"")});
        let get = |path: &str| self.scim("GET", path, Value::Null, 200);
        let mut cases: Vec<Case> = [
            "",
            "/Users",
            &filter,
            "/Groups",
            "/Groups?count=1&cursor",
            &user,
            &group,
        ]
        .into_iter()
        .chain([
            "/ServiceProviderConfig",
            "/ResourceTypes",
            "/ResourceTypes/User",
            "/Schemas",
        ])
        .map(get)
        .collect();
        cases.push(get(&format!("/Schemas/{USER}")));
        for path in ["/.search", "/Users/.search", "/Groups/.search"] {
            cases.push(self.scim("POST", path, search.clone(), 200));
        }
        cases.push(self.me("GET", "/Me", Value::Null, 200));
        cases
    }

    pub fn all(&self) -> Vec<Case> {
        let parts = [
            self.users(),
            self.groups(),
            self.bulk(),
            self.reads(),
            self.tenants(),
            self.scim_tokens(),
            self.identity_providers(),
            self.happened(),
            self.setup(),
            self.own_schemas(),
        ];
        parts.into_iter().flatten().collect()
    }
}
