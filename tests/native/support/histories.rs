//! Random histories: what a client may do to a few users and groups.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::Tenant;

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
const BULK: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";

/// What a client does; resources are named by numbers, of those that there are or were.
#[derive(Debug, Clone)]
pub enum Step {
    CreateUser(usize),
    CreateGroup(usize, Vec<usize>),
    Rename(usize, usize),
    Switch(usize, bool),
    DeleteUser(usize),
    DeleteGroup(usize),
    Members(usize, &'static str, Vec<usize>),
    ReplaceGroup(usize, usize, Vec<usize>),
    Nest(usize, usize),
}

/// Any of them.
pub fn step() -> impl Strategy<Value = Step> {
    let some = || prop::collection::vec(0..6_usize, 0..4);
    let (user, group, name) = (0..6_usize, 0..4_usize, 0..5_usize);
    prop_oneof![
        name.clone().prop_map(Step::CreateUser),
        (name.clone(), some()).prop_map(|(name, users)| Step::CreateGroup(name, users)),
        (user.clone(), name.clone()).prop_map(|(user, name)| Step::Rename(user, name)),
        (user.clone(), any::<bool>()).prop_map(|(user, active)| Step::Switch(user, active)),
        user.prop_map(Step::DeleteUser),
        group.clone().prop_map(Step::DeleteGroup),
        (
            group.clone(),
            select(vec!["add", "remove", "replace"]),
            some()
        )
            .prop_map(|(group, op, users)| Step::Members(group, op, users)),
        (group.clone(), name, some())
            .prop_map(|(group, name, users)| Step::ReplaceGroup(group, name, users)),
        (group.clone(), group).prop_map(|(outer, inner)| Step::Nest(outer, inner)),
    ]
}

/// What there is or was.
pub struct Ids {
    pub users: Vec<String>,
    pub groups: Vec<String>,
}

impl Ids {
    fn user(&self, number: usize) -> &str {
        &self.users[number % self.users.len()]
    }

    fn group(&self, number: usize) -> &str {
        &self.groups[number % self.groups.len()]
    }

    fn request(&self, step: &Step) -> (&'static str, String, Value) {
        let members = |users: &[usize]| -> Value {
            users
                .iter()
                .map(|user| json!({"value": self.user(*user)}))
                .collect()
        };
        let patch = |operation: Value| json!({"schemas": [PATCH], "Operations": [operation]});
        match step {
            Step::CreateUser(name) => (
                "POST",
                "/Users".into(),
                json!({"schemas": [USER], "userName": format!("n{name}"), "externalId": format!("x{name}"),
                    "emails": [{"value": format!("n{name}@example.com")}]}),
            ),
            Step::CreateGroup(name, users) => (
                "POST",
                "/Groups".into(),
                json!({"schemas": [GROUP], "displayName": format!("g{name}"), "members": members(users)}),
            ),
            Step::Rename(user, name) => (
                "PUT",
                format!("/Users/{}", self.user(*user)),
                json!({"schemas": [USER], "userName": format!("n{name}"), "title": format!("t{user}")}),
            ),
            Step::Switch(user, active) => (
                "PATCH",
                format!("/Users/{}", self.user(*user)),
                patch(json!({"op": "replace", "path": "active", "value": active})),
            ),
            Step::DeleteUser(user) => (
                "DELETE",
                format!("/Users/{}", self.user(*user)),
                Value::Null,
            ),
            Step::DeleteGroup(group) => (
                "DELETE",
                format!("/Groups/{}", self.group(*group)),
                Value::Null,
            ),
            Step::Members(group, op, users) => (
                "PATCH",
                format!("/Groups/{}", self.group(*group)),
                patch(json!({"op": op, "path": "members", "value": members(users)})),
            ),
            Step::ReplaceGroup(group, name, users) => (
                "PUT",
                format!("/Groups/{}", self.group(*group)),
                json!({"schemas": [GROUP], "displayName": format!("g{name}"), "members": members(users)}),
            ),
            Step::Nest(outer, inner) => (
                "PATCH",
                format!("/Groups/{}", self.group(*outer)),
                patch(
                    json!({"op": "add", "path": "members", "value": [{"value": self.group(*inner), "type": "Group"}]}),
                ),
            ),
        }
    }

    /// Sends steps, each by itself or all in one Bulk request; gives the ids of the requests.
    pub fn send(&mut self, tenant: &Tenant<'_>, steps: &[Step], in_bulk: bool) -> Vec<String> {
        let mut requests = Vec::new();
        if in_bulk {
            let operations: Vec<Value> = steps
                .iter()
                .enumerate()
                .map(|(number, step)| {
                    let (method, path, data) = self.request(step);
                    json!({"method": method, "path": path, "bulkId": format!("b{number}"), "data": data})
                })
                .collect();
            let answer = tenant.send(
                "POST",
                "/Bulk",
                json!({"schemas": [BULK], "Operations": operations}),
            );
            answer.expect(200);
            for done in answer.body["Operations"].as_array().unwrap() {
                if done["status"] == "201" {
                    self.take(done["location"].as_str().unwrap());
                }
            }
            requests.push(answer.header("x-request-id").to_owned());
            return requests;
        }
        for step in steps {
            let (method, path, body) = self.request(step);
            let answer = tenant.send(method, &path, body);
            if answer.status == 201 {
                self.take(&format!("{path}/{}", answer.id()));
            }
            requests.push(answer.header("x-request-id").to_owned());
        }
        requests
    }

    fn take(&mut self, location: &str) {
        let id = location.rsplit('/').next().unwrap().to_owned();
        match location.contains("/Users/") {
            true => self.users.push(id),
            false => self.groups.push(id),
        }
    }
}
