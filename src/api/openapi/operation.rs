//! One operation of the document: what a route takes, what it answers, and how it fails.

use std::collections::BTreeMap;

use http::Method;
use serde_json::{Map, Value, json};

use crate::api::http::idempotency::{MAX_KEY_BYTES, NAME};
use crate::api::http::preference::MAX_WAIT;
use crate::api::http::reply::Dialect;
use crate::api::http::routes::row::IdempotencyKey;
use crate::api::http::routes::{For, Route};
use crate::auth::admin::AdminScope;
use crate::auth::scope::{Scope, Scopes};
use crate::scim;

/// Names of the security schemes.
pub const ADMINISTRATOR: &str = "administrator";
pub const SETUP_LINK: &str = "setupLink";
pub const CLOUDFLARE_ACCESS: &str = "cloudflareAccess";
pub const SCIM_TOKEN: &str = "scimToken";

/// A route as the document describes it.
pub struct Operation {
    dialect: Dialect,
    /// `operationId`: one word for what it does.
    id: &'static str,
    tag: &'static str,
    summary: String,
    description: String,
    access: For,
    /// For administrators alone: nobody's SCIM token is anybody's own.
    without_tokens: bool,
    /// Path parameters that are more than an id.
    path: Vec<(&'static str, Value)>,
    parameters: Vec<Value>,
    body: Option<Value>,
    replies: BTreeMap<u16, Value>,
}

impl Operation {
    /// The operation of a route: whom it is for says the route. 422 is of parameters in the query, on which every route of administrators has
    /// an eye.
    pub fn new(route: &Route, tag: &'static str, summary: &str) -> Self {
        let operation = Operation {
            dialect: route.dialect,
            id: route.name,
            tag,
            summary: summary.to_owned(),
            description: String::new(),
            access: route.access,
            without_tokens: false,
            path: Vec::new(),
            parameters: Vec::new(),
            body: None,
            replies: BTreeMap::new(),
        };
        let own: &[u16] = match route.access {
            For::Public(_) => &[],
            For::Admin(..) | For::SetupLink(..) => &[401, 403, 422, 429, 503],
            For::Access(_) => &[401, 403, 404, 422, 429, 503],
            For::Scim(..) => &[401, 403, 404, 429, 503],
        };
        let failures = own.iter().chain(&[414, 500]);
        let operation = failures.fold(operation, |operation, status| operation.fails(*status));
        // A full database refuses what would be written; a client of SCIM knows no more of that than 503.
        let operation = match route.access {
            For::Admin(..) | For::SetupLink(..) if route.method != Method::GET => {
                operation.fails(507)
            }
            _ => operation,
        };
        match route.access {
            For::Admin(_, IdempotencyKey::Taken, _)
            | For::SetupLink(_, IdempotencyKey::Taken, _) => {
                operation.parameters([idempotency_key()]).fails(409)
            }
            // That it is accepted is told with `prefer`: among the replies it would make those of every client something unknown.
            For::Scim(..) if route.writes() => {
                operation.parameters([dry_run(), prefer()]).fails(400)
            }
            _ => operation,
        }
    }

    /// For administrators alone: nobody's SCIM token is anybody's own.
    pub fn without_tokens(mut self) -> Self {
        self.without_tokens = true;
        self
    }

    pub fn titled(mut self, summary: &str) -> Self {
        self.summary = summary.to_owned();
        self
    }

    pub fn describe(mut self, description: &str) -> Self {
        self.description = description.to_owned();
        self
    }

    /// The schema of a path parameter, where it is no UUID.
    pub fn path(mut self, name: &'static str, schema: Value) -> Self {
        self.path.push((name, schema));
        self
    }

    pub fn parameters(mut self, parameters: impl IntoIterator<Item = Value>) -> Self {
        self.parameters.extend(parameters);
        self
    }

    /// A JSON body, with an example that the tests send.
    pub fn body(mut self, required: bool, schema: Value, example: Value) -> Self {
        let content = json!({media_type(self.dialect): {"schema": schema, "example": example}});
        self.body = Some(json!({"required": required, "content": content}));
        let malformed = match self.dialect {
            Dialect::Scim => 400,
            Dialect::Admin => 422,
        };
        self.fails(413).fails(415).fails(malformed)
    }

    /// A body of another kind.
    pub fn body_of(mut self, content: Value) -> Self {
        self.body = Some(json!({"required": true, "content": content}));
        self.fails(400).fails(413).fails(415).fails(422)
    }

    /// A reply of JSON.
    pub fn answers(self, status: u16, description: &str, schema: &Value, example: &Value) -> Self {
        let mut content = Map::new();
        content.insert(
            media_type(self.dialect).to_owned(),
            json!({"schema": schema, "example": example}),
        );
        self.reply(status, description, Value::Object(content), &[])
    }

    /// A reply of another kind, or of none, with the headers that it has besides `X-Request-Id`.
    pub fn reply(
        mut self,
        status: u16,
        description: &str,
        content: Value,
        headers: &[&str],
    ) -> Self {
        let mut named = Map::new();
        for name in std::iter::once(&"X-Request-Id").chain(headers) {
            named.insert(
                (*name).to_owned(),
                json!({"$ref": format!("#/components/headers/{name}")}),
            );
        }
        let mut reply = json!({"description": description, "headers": named});
        if !content.is_null()
            && let Some(reply) = reply.as_object_mut()
        {
            reply.insert("content".to_owned(), content);
        }
        self.replies.insert(status, reply);
        self
    }

    /// Adds headers to a reply that is there.
    pub fn with_headers(mut self, status: u16, headers: &[&str]) -> Self {
        let named = self
            .replies
            .get_mut(&status)
            .and_then(|reply| reply.get_mut("headers"))
            .and_then(Value::as_object_mut);
        if let Some(named) = named {
            for name in headers {
                named.insert(
                    (*name).to_owned(),
                    json!({"$ref": format!("#/components/headers/{name}")}),
                );
            }
        }
        self
    }

    /// One of the failures that are the same everywhere.
    pub fn fails(mut self, status: u16) -> Self {
        let name = failure_name(self.dialect, status);
        let reference = json!({"$ref": format!("#/components/responses/{name}")});
        self.replies.insert(status, reference);
        self
    }

    /// The operation in the document, at a path with these parameters.
    pub fn finish(mut self, path_parameters: &[&str]) -> Value {
        let mut parameters: Vec<Value> = path_parameters
            .iter()
            .map(|name| self.path_parameter(name))
            .collect();
        if !parameters.is_empty() && !matches!(self.access, For::Public(_)) {
            self = self.fails(404);
        }
        parameters.append(&mut self.parameters);
        let replies: Map<String, Value> = self
            .replies
            .into_iter()
            .map(|(status, reply)| (status.to_string(), reply))
            .collect();
        let mut operation = json!({
            "operationId": self.id,
            "tags": [self.tag],
            "summary": self.summary,
            "security": security(self.access, self.without_tokens),
            "responses": replies,
        });
        let mut set = |name: &str, value: Value| {
            if let Some(operation) = operation.as_object_mut() {
                operation.insert(name.to_owned(), value);
            }
        };
        if !self.description.is_empty() {
            set("description", self.description.into());
        }
        if !parameters.is_empty() {
            set("parameters", parameters.into());
        }
        if let Some(body) = self.body {
            set("requestBody", body);
        }
        operation
    }

    fn path_parameter(&self, name: &str) -> Value {
        let special = self.path.iter().find(|(special, _)| *special == name);
        let schema = match (special, name) {
            (Some((_, schema)), _) => schema.clone(),
            (None, "tenant_id") => json!({"$ref": "#/components/schemas/TenantId"}),
            (None, _) => json!({"type": "string", "format": "uuid"}),
        };
        json!({"name": name, "in": "path", "required": true, "schema": schema})
    }
}

fn idempotency_key() -> Value {
    let description = "A request that is sent again with the same key within a day, by the same caller, gets the reply of the first one that \
        succeeded, and nothing is made twice. A UUID is a good key. 422 where the key came with another request, 409 where the reply was \
        sealed with a key that is gone.";
    let schema = json!({
        "type": "string", "minLength": 1, "maxLength": MAX_KEY_BYTES, "pattern": "^[!-~]([ -~]*[!-~])?$",
    });
    json!({"name": NAME, "in": "header", "description": description, "schema": schema})
}

fn prefer() -> Value {
    let description = format!(
        "`respond-async` (RFC 9967 §2.5.1): the request is checked and kept, and answered before it is carried out: 202 without a body, with \
         `Set-Txn`, `Preference-Applied`, `Retry-After`, and a `Location` where its result is. With `wait` it is answered as usual where it is done within so many seconds, {MAX_WAIT} at most. Other preferences \
         are passed over."
    );
    let schema = json!({"type": "string", "examples": ["respond-async, wait=10"]});
    json!({"name": "Prefer", "in": "header", "description": description, "schema": schema})
}

fn dry_run() -> Value {
    let description = "The request is answered as it would be, with `X-Dry-Run: true`, and nothing is written. An id in the reply is nobody's.";
    query(
        "dry_run",
        description,
        &json!({"type": "boolean", "default": false}),
    )
}

/// A parameter of the query.
pub fn query(name: &str, description: &str, schema: &Value) -> Value {
    json!({"name": name, "in": "query", "description": description, "schema": schema})
}

pub const fn media_type(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Scim => "application/scim+json",
        Dialect::Admin => "application/json",
    }
}

fn security(access: For, without_tokens: bool) -> Value {
    match access {
        For::Public(_) => json!([]),
        For::Admin(scope, ..) => json!([{ADMINISTRATOR: [scope.name()]}]),
        For::SetupLink(..) => json!([{SETUP_LINK: []}]),
        For::Access(_) => json!([{CLOUDFLARE_ACCESS: []}]),
        For::Scim(scopes, _) => {
            let is_read = |scope: &Scope| Scopes::of_jwt(true, false).contains(*scope);
            let of_jwt = match scopes.iter().all(is_read) {
                true => AdminScope::ScimRead,
                false => AdminScope::ScimWrite,
            };
            let names: Vec<&str> = scopes.iter().map(|scope| scope.name()).collect();
            let mut ways = vec![json!({ADMINISTRATOR: [of_jwt.name()]})];
            if !without_tokens {
                ways.insert(0, json!({SCIM_TOKEN: names}));
            }
            ways.into()
        }
    }
}

/// Statuses of failures, and what they mean in general.
const FAILURES: [(u16, &str, &str); 17] = [
    (400, "BadRequest", "The request is not what it should be"),
    (
        401,
        "Unauthorized",
        "There is no credential, or none that holds",
    ),
    (403, "Forbidden", "The credential does not reach that far"),
    (
        404,
        "NotFound",
        "There is no such thing, or it is not yours",
    ),
    (405, "MethodNotAllowed", "The path does not take the method"),
    (409, "Conflict", "Something else is in the way"),
    (410, "Gone", "It was there, and is kept no longer"),
    (
        412,
        "PreconditionFailed",
        "The resource is at another version than If-Match names",
    ),
    (
        413,
        "PayloadTooLarge",
        "The body, or what it asks for, is too large",
    ),
    (414, "UriTooLong", "The address is longer than can be read"),
    (
        415,
        "UnsupportedMediaType",
        "The body has another content type",
    ),
    (
        422,
        "UnprocessableContent",
        "A field of the body or of the query does not hold",
    ),
    (
        429,
        "TooManyRequests",
        "There are too many requests; try again",
    ),
    (
        500,
        "InternalServerError",
        "The request failed here; its id helps to find out why",
    ),
    (501, "NotImplemented", "The credential is nobody's own"),
    (
        503,
        "ServiceUnavailable",
        "It cannot be answered now; try again",
    ),
    (
        507,
        "InsufficientStorage",
        "The tenant's database is full, or none takes new tenants",
    ),
];

fn failure_name(dialect: Dialect, status: u16) -> String {
    let name = FAILURES
        .iter()
        .find(|(known, _, _)| *known == status)
        .map_or("Failure", |(_, name, _)| name);
    match dialect {
        Dialect::Scim => format!("Scim{name}"),
        Dialect::Admin => name.to_owned(),
    }
}

/// The replies of both dialects for all failures.
pub fn failures() -> Map<String, Value> {
    let mut replies = Map::new();
    for dialect in [Dialect::Admin, Dialect::Scim] {
        for (status, _, description) in FAILURES {
            let schema = match (dialect, status) {
                (Dialect::Scim, 422 | 507) => continue,
                (Dialect::Scim, _) => "ScimErrorResponse",
                (Dialect::Admin, 422) => "ValidationErrorResponse",
                (Dialect::Admin, _) => "ErrorResponse",
            };
            let headers = match status {
                401 => vec!["X-Request-Id", "WWW-Authenticate"],
                405 => vec!["X-Request-Id", "Allow"],
                429 | 503 | 507 => vec!["X-Request-Id", "Retry-After"],
                _ => vec!["X-Request-Id"],
            };
            let headers: Map<String, Value> = headers
                .into_iter()
                .map(|name| {
                    let reference = format!("#/components/headers/{name}");
                    (name.to_owned(), json!({"$ref": reference}))
                })
                .collect();
            let example = match (dialect, status) {
                (Dialect::Scim, _) => {
                    json!({"schemas": [scim::ERROR], "status": status.to_string(), "detail": description})
                }
                (Dialect::Admin, 422) => {
                    json!({"detail": [{"loc": ["body", "name"], "msg": "it is required", "type": "missing"}]})
                }
                (Dialect::Admin, _) => json!({"detail": description}),
            };
            let mut content = Map::new();
            let schema = json!({"$ref": format!("#/components/schemas/{schema}")});
            content.insert(
                media_type(dialect).to_owned(),
                json!({"schema": schema, "example": example}),
            );
            let reply = json!({"description": description, "headers": headers, "content": content});
            replies.insert(failure_name(dialect, status), reply);
        }
    }
    replies
}

/// The headers of replies.
pub fn headers() -> Value {
    let text = json!({"type": "string"});
    let header = |description: &str, schema: &Value| json!({"description": description, "required": true, "schema": schema});
    json!({
        "X-Request-Id": header("The request's id, a UUIDv7: its line in the log has it too.", &json!({"type": "string", "format": "uuid"})),
        "WWW-Authenticate": header("`Bearer`, with `error=\"invalid_token\"` where a credential came along.", &text),
        "Allow": header("The methods that the path takes.", &text),
        "Retry-After": header("When to try again, in seconds.", &json!({"type": "integer", "minimum": 1})),
        "ETag": header("Entity tag of what is shown, for `If-Match` and `If-None-Match`.", &text),
        "X-Event-Seq": header("The number of the tenant's last event when this was read: the events after it are what has changed since.", &json!({"type": "integer"})),
        "Location": header("The address of the resource, or of the request's result.", &json!({"type": "string", "format": "uri"})),
    })
}
