//! Reading what happened.

use serde_json::{Value, json};

use super::{Case, MARK, Scene};

impl Scene {
    pub fn happened(&self) -> Vec<Case> {
        let events = format!("/admin/audit-events/?tenant_id={}", self.tenant);
        let of_ada = format!("{events}&resource_id={}", self.ada);
        let history = format!(
            "/admin/resources/User/{}/history?tenant_id={}",
            self.ada, self.tenant
        );
        let tried = json!({
            "tenant_id": self.tenant, "resource": {"type": "User", "id": self.ada}, "dry_run": true,
        });
        let requests = format!("/admin/requests/?tenant_id={}", self.tenant);
        let about_ada = format!("{requests}&user_name=ada-{MARK}@example.com");
        let failed = format!("{requests}&status=failed");
        let status = format!("/admin/status/?tenant_id={}", self.tenant);
        let activity = format!("/admin/activity/?tenant_id={}", self.tenant);
        let one = format!("/admin/requests/{}?tenant_id={}", self.request, self.tenant);
        let replay = format!("/admin/requests/{}/replay", self.request);
        let again = json!({"tenant_id": self.tenant});
        let done = json!({"tenant_id": self.tenant, "dry_run": false});
        let erased =
            json!({"tenant_id": self.tenant, "resource_type": "User", "resource_id": self.bob});
        let undo = format!("/admin/undo/{}?tenant_id={}", self.request, self.tenant);
        let feed = format!("/tenants/{}/events?limit=1000", self.tenant);
        let streams = format!("/tenants/{}/event-streams", self.tenant);
        let stream = format!("{streams}/{}", self.stream);
        let later = format!("/AsyncRequests/{}", self.ada);
        let made = json!({"name": MARK, "url": format!("https://{MARK}.example.com/new")});
        let pushed = json!({
            "name": MARK, "kind": "set_push", "url": format!("https://{MARK}.example.com/new"), "authorization": MARK,
        });
        let first = format!("{}.1.user.created", self.tenant);
        let poll = json!({"returnImmediately": true, "ack": [first]});
        vec![
            self.scim("GET", &later, Value::Null, 404),
            self.admin("GET", "/admin/databases/", Value::Null, 200),
            self.admin("GET", &feed, Value::Null, 200),
            self.admin("GET", &streams, Value::Null, 200),
            self.admin("POST", &streams, made, 201).writes_more(),
            self.admin("GET", &stream, Value::Null, 200),
            self.admin("GET", &format!("{stream}/deliveries"), Value::Null, 200),
            self.admin("PATCH", &stream, json!({"batch": 7}), 200)
                .writes_more(),
            self.admin("POST", &format!("{stream}/rotate-secret"), Value::Null, 200)
                .writes_more(),
            self.admin("POST", &format!("{stream}/test"), Value::Null, 200),
            self.admin("POST", &format!("{stream}/resume"), Value::Null, 200)
                .writes_more(),
            self.admin(
                "POST",
                &format!("{stream}/replay"),
                json!({"after": 0}),
                200,
            )
            .writes_more(),
            self.admin("DELETE", &stream, Value::Null, 204).again(404),
            self.case("", "GET", "/.well-known/jwks.json", Value::Null, 200),
            self.admin("POST", &streams, pushed, 201).writes_more(),
            self.admin(
                "POST",
                &format!("{streams}/{}/poll", self.polled),
                poll,
                200,
            ),
            self.admin("GET", &undo, Value::Null, 404),
            self.admin("POST", "/admin/erasures/", erased, 200),
            self.admin("POST", &replay, again, 200),
            self.admin("POST", &replay, done, 200),
            self.admin("GET", &requests, Value::Null, 200),
            self.admin("GET", &about_ada, Value::Null, 200),
            self.admin("GET", &failed, Value::Null, 200),
            self.admin("GET", &one, Value::Null, 200),
            self.admin("GET", &status, Value::Null, 200),
            self.admin("GET", &activity, Value::Null, 200),
            self.admin("GET", &events, Value::Null, 200),
            self.admin("GET", &of_ada, Value::Null, 200),
            self.admin("GET", &history, Value::Null, 200),
            self.admin("POST", "/admin/undo/", tried, 200),
        ]
    }
}
