//! What the application answered.

use http::HeaderMap;
use serde_json::Value;

/// Headers that a reply may carry. Another one would be a leak or a whim.
const HEADERS: [&str; 17] = [
    "content-type",
    "cache-control",
    "link",
    "set-txn",
    "preference-applied",
    "etag",
    "location",
    "x-request-id",
    "x-dry-run",
    "x-event-seq",
    "server-timing",
    "www-authenticate",
    "allow",
    "retry-after",
    "content-length",
    "accept-encoding",
    "strict-transport-security",
];

/// What files have besides.
const FILE_HEADERS: [&str; 4] = [
    "content-security-policy",
    "cross-origin-opener-policy",
    "referrer-policy",
    "x-content-type-options",
];

/// A reply with its body parsed; null where there is none.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
    /// The request's line in the log.
    pub log: String,
}

impl Answer {
    pub(super) fn check_headers(&self, path: &str) {
        let folders = ["/docs", "/console", "/openapi.json", "/.well-known/"];
        let is_file =
            path.starts_with("/setup") || folders.iter().any(|folder| path.starts_with(folder));
        for name in self.headers.keys() {
            let known = HEADERS.contains(&name.as_str());
            let known = known || (is_file && FILE_HEADERS.contains(&name.as_str()));
            assert!(known, "unexpected header {name}");
        }
        assert!(self.headers.contains_key("x-request-id"), "no request id");
        // What an administrator is told may be a secret that no other reply shows, and is about people.
        let is_kept = is_file || path.contains("/scim/v2") || path.ends_with("/export");
        if !is_kept && (200..300).contains(&self.status) && !self.body.is_null() {
            assert_eq!(self.header("cache-control"), "no-store", "on {path}");
        }
        let wanted = match path.contains("/scim/v2") {
            true => "application/scim+json",
            false => "application/json",
        };
        match self.body {
            Value::Null => assert!(!self.headers.contains_key("content-type")),
            Value::String(_) if path.ends_with("/export") => {
                assert_eq!(self.header("content-type"), "application/x-ndjson");
            }
            Value::String(_) => assert!(is_file, "text on {path}"),
            _ => assert_eq!(self.header("content-type"), wanted, "on {path}"),
        }
    }

    #[track_caller]
    pub fn expect(&self, status: u16) -> &Self {
        assert_eq!(self.status, status, "{}\n{}", self.body, self.log);
        self
    }

    /// A SCIM error with that status and keyword, whose detail names something.
    #[track_caller]
    pub fn expect_scim_error(&self, status: u16, scim_type: &str, names: &str) -> &Self {
        self.expect(status);
        assert_eq!(
            self.body["schemas"][0],
            "urn:ietf:params:scim:api:messages:2.0:Error"
        );
        assert_eq!(self.body["status"], status.to_string());
        let wanted = match scim_type {
            "" => Value::Null,
            wanted => Value::from(wanted),
        };
        assert_eq!(self.body["scimType"], wanted, "{}", self.body);
        let detail = self.body["detail"].as_str().expect("a detail");
        assert!(detail.contains(names), "`{detail}` does not name `{names}`");
        self
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    pub fn id(&self) -> String {
        self.body["id"].as_str().expect("an id").to_owned()
    }

    /// Round trips to the database.
    pub fn trips(&self) -> usize {
        usize::try_from(self.cost("trips")).expect("a few")
    }

    /// What the request cost at the database: `trips`, `statements`, rows `read` or rows `written`.
    pub fn cost(&self, what: &str) -> u64 {
        let timing = self.header("server-timing");
        let (_, rest) = timing.split_once(&format!("{what}=")).expect("a count");
        let digits = rest.split([' ', '"']).next().unwrap_or_default();
        digits.parse().expect("a number")
    }
}
