//! The OpenAPI document and the page that shows it. (Whether the document knows what routes answer, `support::described` asks
//! with every reply of every test.)

use std::collections::{BTreeMap, BTreeSet};

use rollcall::api::http::routes;
use rollcall::scim::BULK_REQUEST;
use serde_json::{Value, json};

use crate::support::described::{document, operation, path_of, resolved, sent, succeeds};
use crate::support::keys::Signer;
use crate::support::{Answer, ORIGIN, World, access};

const FILE: &str = "src/assets/openapi.json";
const SAML: &str = "https://login.example.com/metadata";
const UNDO: &str = "01a1fa81-2beb-7527-84ae-1e76ffcebd7a";

/// All operations: method, path and what the document says.
fn operations() -> Vec<(String, String, &'static Value)> {
    let paths = document()["paths"].as_object().unwrap();
    let operations = paths.iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().unwrap();
        methods
            .iter()
            .map(|(method, operation)| (method.to_ascii_uppercase(), path.clone(), operation))
    });
    operations.collect()
}

/// SCIM's routes once: the second base is said in a sentence.
#[test]
fn it_names_every_route_and_no_other() {
    let all = routes::all();
    let routes: BTreeSet<(String, String)> = all
        .iter()
        .map(|route| (route.method.to_string(), path_of(&route.pattern)))
        .collect();
    let named: BTreeSet<(String, String)> = operations()
        .into_iter()
        .map(|(method, path, _)| (method, path))
        .collect();
    assert_eq!(named, routes);
    let is_second = |route: &&routes::Route| route.pattern.starts_with("/scim/v2");
    assert_eq!(
        named.len(),
        all.len() - all.iter().filter(is_second).count()
    );
    let description = document()["info"]["description"].as_str().unwrap();
    assert!(description.contains("under `/scim/v2` with the tenant taken from the credential"));
}

/// Generators of clients take each `$ref` for a reference wherever it stands, and require whatever has a default.
#[test]
fn it_has_nothing_that_generators_of_clients_stumble_over() {
    fn walk(value: &Value, at: &str) {
        match value {
            Value::Array(values) => values.iter().for_each(|value| walk(value, at)),
            Value::Object(object) => {
                for (name, value) in object {
                    let at = format!("{at}/{name}");
                    if let ("$ref", Value::String(reference)) = (name.as_str(), value) {
                        assert!(reference.starts_with("#/components/"), "{at}: {reference}");
                    }
                    walk(value, &at);
                }
            }
            _ => {}
        }
    }
    walk(document(), "");
    for (name, schema) in document()["components"]["schemas"].as_object().unwrap() {
        for (field, schema) in schema["properties"].as_object().into_iter().flatten() {
            assert!(schema["default"].is_null(), "{name}.{field} has a default");
            // A choice of words is one type, not one for each word.
            assert!(schema["oneOf"].is_null(), "{name}.{field}: {schema}");
        }
        assert!(schema["oneOf"].is_null(), "{name}: {schema}");
    }
    // What defaults there are is said in words.
    let enabled = &document()["components"]["schemas"]["IdPCreate"]["properties"]["enabled"];
    assert_eq!(enabled["description"], "`true` where it is left out.");
}

/// `npm run openapi` is this test with the variable set.
#[test]
fn the_file_is_the_one_that_the_code_makes() {
    let wanted = serde_json::to_string_pretty(document()).unwrap() + "\n";
    if std::env::var_os("ROLLCALL_WRITE_OPENAPI").is_some() {
        std::fs::write(FILE, &wanted).unwrap();
    }
    let there = std::fs::read_to_string(FILE).unwrap_or_default();
    // Not `assert_eq`: both texts would fill the screen.
    assert!(there == wanted, "{FILE} is old. Run: npm run openapi");
}

#[test]
fn it_holds_together() {
    fn walk(value: &'static Value, seen: &mut BTreeSet<String>) {
        if let Some(reference) = value["$ref"].as_str() {
            resolved(value);
            seen.insert(reference.to_owned());
        }
        match value {
            Value::Array(values) => values.iter().for_each(|value| walk(value, seen)),
            Value::Object(object) => object.values().for_each(|value| walk(value, seen)),
            _ => {}
        }
    }
    let mut seen = BTreeSet::new();
    walk(document(), &mut seen);
    for name in document()["components"]["schemas"]
        .as_object()
        .unwrap()
        .keys()
    {
        let reference = format!("#/components/schemas/{name}");
        assert!(seen.contains(&reference), "nothing refers to {name}");
    }
    let tags: Vec<&Value> = document()["tags"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tag| &tag["name"])
        .collect();
    let mut ids = BTreeSet::new();
    for (method, path, operation) in operations() {
        let id = operation["operationId"].as_str().unwrap();
        assert!(ids.insert(id), "{id} is twice");
        assert!(operation["summary"].as_str().unwrap().len() > 5, "{id}");
        let description = operation["description"].as_str();
        assert!(
            description.is_some_and(|text| text.len() > 10),
            "{id} is not described"
        );
        assert!(tags.contains(&&operation["tags"][0]), "{id}");
        let replies = operation["responses"].as_object().unwrap();
        let good = replies.keys().filter(|status| status.starts_with('2'));
        assert!(good.count() >= 1, "{id} never succeeds");
        assert_eq!(
            operation["security"].as_array().unwrap().is_empty(),
            !replies.contains_key("401"),
            "{id}"
        );
        let named = operation["parameters"].as_array().into_iter().flatten();
        let named: Vec<&str> = named
            .filter(|parameter| parameter["in"] == "path")
            .map(|parameter| parameter["name"].as_str().unwrap())
            .collect();
        let wanted: Vec<&str> = path
            .split('{')
            .skip(1)
            .map(|part| part.split('}').next().unwrap())
            .collect();
        assert_eq!(named, wanted, "{method} {path}");
    }
}

/// The names in a value at every depth; of an array, those of its first element. Without the `$ref` of members, which examples leave out.
fn names(value: &Value) -> Value {
    match value {
        Value::Object(object) => object
            .iter()
            .filter(|(name, _)| *name != "$ref")
            .map(|(name, value)| (name.clone(), names(value)))
            .collect(),
        Value::Array(values) => values.first().map(names).into_iter().collect(),
        _ => Value::Null,
    }
}

/// Every request that the document shows succeeds, and is answered as it shows.
#[test]
fn its_examples_are_true() {
    let (world, _) = access::with_settings(access::SCOPES, &[("DATABASES", "eu")]);
    let mut tried = 0;
    for route in routes::all() {
        let described = operation(&route.method, &route.pattern);
        let id = described["operationId"].as_str().unwrap();
        // Files are no examples, and a SCIM token is nobody's own.
        let is_file = ["Docs", "OpenApi", "ConsoleFile", "PageFile"]
            .iter()
            .any(|part| id.contains(part))
            || id == "readConsole";
        if is_file || id.contains("Me") {
            continue;
        }
        let fresh = Fresh::new(&world, id);
        let path = fresh.fill(&route.pattern);
        world.web.publish_metadata(SAML);
        let (status, example) = succeeds(described);
        if let Some(tenant) = path.strip_suffix("/restore") {
            world.admin("DELETE", tenant, Value::Null).expect(204);
        }
        if ["readMove", "cancelMove"].contains(&id) {
            world
                .admin("POST", &path, json!({"database": "eu"}))
                .expect(202);
        }
        let answer = fresh.send(route.method.as_str(), &path, sent(described));
        assert_eq!(answer.status, status, "{id}: {}", answer.body);
        match id {
            // Tokens are named by the tenant's own events.
            "pollEventStream" => assert_eq!(answer.body["sets"].as_object().unwrap().len(), 1),
            _ => assert_eq!(names(&answer.body), names(example), "{id}"),
        }
        tried += 1;
    }
    assert!(tried > 50, "{tried}");
}

/// A tenant with its token, made for one example. What the document shows is there already, unless it is to be made.
struct Fresh<'w> {
    world: &'w World,
    token: String,
    /// A set-up link's secret.
    link: String,
    /// By the parameter that each is for; and `user` and `group`, which bodies name.
    ids: BTreeMap<&'static str, String>,
}

impl<'w> Fresh<'w> {
    fn new(world: &'w World, operation_id: &str) -> Self {
        let about = |what: &str| operation_id.contains(what);
        let tenant = world.tenant("strict");
        let mut fresh = Fresh {
            world,
            token: tenant.token.clone(),
            link: String::new(),
            ids: BTreeMap::from([
                (":tenant_id", tenant.id.clone()),
                (":token_id", tenant.token_id.clone()),
                ("user", "nobody".to_owned()),
                ("group", "nobody".to_owned()),
            ]),
        };
        let base = "/api/v1/tenants/:tenant_id/scim/v2";
        let mut make = |path: &str| {
            let pattern = format!("{base}{path}");
            let example = sent(operation(&http::Method::POST, &pattern));
            let path = fresh.fill(&pattern);
            let made = fresh.send("POST", &path, example);
            let id = made.expect(201).id();
            let request_id = made.header("x-request-id").to_owned();
            fresh.ids.insert(":request_id", request_id);
            if path.ends_with("/Users") {
                fresh.ids.insert("user", id.clone());
            }
            fresh.ids.insert(":id", id);
        };
        if !about("createUser") {
            make("/Users");
        }
        if about("Group") && operation_id != "createGroup" {
            make("/Groups");
        }
        if about("IdentityProvider") || about("GroupMapping") {
            let pattern = match about("OfTenant") {
                true => "/api/v1/tenants/:tenant_id/identity-providers",
                false => "/api/v1/admin/identity-providers",
            };
            fresh.make_of_admin(":idp_id", pattern, about("createIdentityProvider"));
            let group = fresh.ids.get(":id").cloned().unwrap_or_default();
            fresh.ids.insert("group", group);
            let pattern = "/api/v1/tenants/:tenant_id/identity-providers/:idp_id/group-mappings";
            let wanted = about("GroupMapping") && !about("create");
            fresh.make_of_admin(":mapping_id", pattern, !wanted);
        }
        if about("Role") || about("Entitlement") {
            let values = json!([{"value": "admin", "display": "Administrator"}]);
            let assignable = json!({"roles": values, "entitlements": values});
            let path = fresh.fill("/api/v1/admin/tenants/:tenant_id");
            fresh.send("PATCH", &path, assignable).expect(200);
            fresh.ids.insert(":id", "admin".to_owned());
        }
        if about("EventStream") || about("Deliveries") {
            let pattern = "/api/v1/tenants/:tenant_id/event-streams";
            fresh.make_of_admin(":stream_id", pattern, about("create"));
        }
        if about("PublicKeys") || about("poll") {
            let pattern = "/api/v1/tenants/:tenant_id/event-streams";
            let fetched = json!({"name": "x", "kind": "set_poll", "after": 0});
            let made = fresh.send("POST", &fresh.fill(pattern), fetched);
            let id = made.expect(201).body["data"]["id"].as_str().unwrap();
            fresh.ids.insert(":stream_id", id.to_owned());
        }
        if about("Setup") {
            let pattern = "/api/v1/admin/setup-links";
            fresh.make_of_admin(":link_id", pattern, operation_id == "createSetupLink");
            fresh.set_up(operation_id);
        }
        if about("Deliveries") {
            let (tenant, stream) = (&fresh.ids[":tenant_id"], &fresh.ids[":stream_id"]);
            world.database.execute(&format!(
                "insert into deliveries values ('{tenant}', '{UNDO}', '{stream}', 'x', 1, 1, 1, 1, 200, null, 1, 'ok', 0)"
            ));
        }
        if about("Sync") {
            let pattern = "/api/v1/admin/identity-providers";
            fresh.make_of_admin(":idp_id", pattern, false);
            let path = fresh.fill(&format!("{pattern}/:idp_id/sync"));
            let ran = fresh.send("POST", &path, Value::Null);
            let log = ran.expect(200).body["data"]["id"].as_str().unwrap();
            fresh.ids.insert(":log_id", log.to_owned());
        }
        if operation_id == "readAsyncRequest" {
            let path = fresh.fill("/api/v1/tenants/:tenant_id/scim/v2/Bulk");
            let (_, shown) = succeeds(operation(&http::Method::POST, "/scim/v2/Bulk"));
            let made = fresh.send(
                "POST",
                &path,
                json!({"schemas": [BULK_REQUEST], "Operations": []}),
            );
            let txn = made.expect(200).header("x-request-id").to_owned();
            for (number, one) in shown["Operations"].as_array().unwrap().iter().enumerate() {
                world.database.execute(&format!(
                    "insert into async_results select id, '{txn}', {number}, '{one}' from tenants where id = '{}'",
                    fresh.ids[":tenant_id"]
                ));
            }
            world.database.execute(&format!(
                "insert into async_requests select id, '{txn}', 'jwt:root', 'POST', '/scim/v2/Bulk', null, 'x', 'done', null, 2, 2, 0, 1, 1, 0, 0, 0, 0 \
                 from tenants where id = '{}'", fresh.ids[":tenant_id"]
            ));
            fresh.ids.insert(":txn", txn);
        }
        if operation_id == "readUndo" {
            let (_, shown) = succeeds(operation(&http::Method::GET, "/api/v1/admin/undo/:undo_id"));
            world.database.execute(&format!(
                "insert into undos select id, '{UNDO}', 'jwt:root', 'running', 1, 25, 1, '{}', 0, 0, null, 0 from tenants \
                 where id = '{}'", shown["data"], fresh.ids[":tenant_id"]
            ));
            fresh.ids.insert(":undo_id", UNDO.to_owned());
        }
        if about("OwnSchema") {
            let pattern = "/api/v1/admin/tenants/:tenant_id/schemas";
            fresh.make_of_admin(":urn", pattern, about("create"));
        }
        if about("ResourceType") {
            fresh.ids.insert(":id", "User".to_owned());
        } else if about("Schema") {
            let urn = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
            fresh.ids.insert(":id", urn.to_owned());
        }
        fresh
    }

    /// Makes what the document shows at an administrator's route, unless it is to be made by the example itself.
    fn make_of_admin(&mut self, parameter: &'static str, pattern: &str, is_left_out: bool) {
        if !is_left_out {
            let example = sent(operation(&http::Method::POST, pattern));
            let made = self.send("POST", &self.fill(pattern), example);
            let id = made.expect(201).body["data"]["id"]
                .as_str()
                .unwrap()
                .to_owned();
            self.ids.insert(parameter, id);
        }
    }

    /// Takes a set-up link of its own, and lets a token of that link refuse and bring somebody, so that there is something to be seen.
    fn set_up(&mut self, operation_id: &str) {
        if !operation_id.contains("OfSetup") && operation_id != "readSetup" {
            return;
        }
        let allows =
            json!({"tenant_id": self.ids[":tenant_id"], "allows": ["scim", "sso", "directory"]});
        let made = self
            .world
            .admin("POST", "/api/v1/admin/setup-links", allows);
        let url = made.expect(201).body["data"]["url"].as_str().unwrap();
        self.link = url.rsplit_once('/').unwrap().1.to_owned();
        let setup = self.fill("/api/v1/tenants/:tenant_id/setup");
        let token = self.send(
            "POST",
            &format!("{setup}/scim-tokens"),
            json!({"name": "x"}),
        );
        let token = token.expect(201).body["data"]["token"].as_str().unwrap();
        self.token = token.to_owned();
        let users = self.fill("/api/v1/tenants/:tenant_id/scim/v2/Users");
        let refused = self.send("POST", &users, json!({}));
        assert_eq!(refused.status, 400, "{}", refused.body);
        let provider = "/api/v1/admin/identity-providers";
        self.make_of_admin(":other", provider, operation_id != "readSetup");
    }

    fn fill(&self, pattern: &str) -> String {
        let part = |part: &str| {
            let id = self.ids.get(part).cloned();
            id.unwrap_or_else(|| part.replace(":type", "User"))
        };
        let path = pattern.split('/').map(part).collect::<Vec<_>>().join("/");
        let of_one = "endpoint-info audit-events history requests :request_id :undo_id :link_id status activity";
        match of_one.split(' ').any(|end| pattern.ends_with(end)) {
            false => path,
            true => format!("{path}?tenant_id={}", self.ids[":tenant_id"]),
        }
    }

    /// Sends an example with the ids of what is there in place of the example's own.
    fn send(&self, method: &str, path: &str, body: Value) -> Answer {
        let text = body
            .to_string()
            .replace(
                "01a1fa81-2bee-7973-bd05-ace427df7346",
                &self.ids[":tenant_id"],
            )
            .replace("01a1fa81-2c91-7f90-9f26-4fa48cc17938", &self.ids["user"])
            .replace("01a1fa81-2d07-7c51-8a3b-0d5c9f3be2a4", &self.ids["group"]);
        let body: Value = serde_json::from_str(&text).unwrap();
        if path == "/console/session" {
            let claims = access::claims(self.world, "ada@example.com");
            return access::exchange(self.world, &Signer::rsa(2048).token("one", &claims));
        }
        let is_of_link = path.contains("/setup") && !path.contains("/admin/");
        if !path.contains("/scim/v2") && !is_of_link {
            return match body.as_str() {
                Some(lines) => self.world.post_lines(path, lines),
                None => self.world.admin(method, path, body),
            };
        }
        let (credential, content_type) = match is_of_link {
            true => (&self.link, "application/json"),
            false => (&self.token, "application/scim+json"),
        };
        let request = http::Request::builder()
            .method(method)
            .uri(format!("{ORIGIN}{path}"))
            .header("authorization", format!("Bearer {credential}"))
            .header("content-type", content_type);
        let body = match body {
            Value::Null => Vec::new(),
            body => body.to_string().into_bytes(),
        };
        self.world.send(request.body(body).unwrap())
    }
}

#[test]
fn every_route_is_described_under_its_name() {
    for route in routes::all() {
        if route.pattern.starts_with(routes::TOKEN_BASE) {
            continue;
        }
        let described = operation(&route.method, &route.pattern);
        assert_eq!(described["operationId"], route.name);
        let summary = described["summary"].as_str().unwrap_or_default();
        assert!(!summary.is_empty(), "{}", route.name);
    }
}
