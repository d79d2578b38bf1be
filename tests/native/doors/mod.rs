//! The same data through different doors: a POST, a PUT and the operations of a PATCH, by themselves and in Bulk, with a path, without one,
//! and with names that are paths. What is unknown or read-only has one outcome in each profile, and what is known has the same one.

mod known;
mod unknown;

use serde_json::{Value, json};

use crate::support::Tenant;

pub const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
pub const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
pub const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";
const BULK: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";

/// Where a name stands in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A key of a resource that is sent whole.
    Body,
    /// The path of an operation.
    Path,
    /// A key of a value without a path.
    Key,
    /// The same, in the object of the core schema's URN.
    Within,
}

/// A way to send a value under a name.
#[derive(Debug, Clone, Copy)]
pub struct Door {
    pub method: &'static str,
    pub op: &'static str,
    pub place: Place,
    pub in_bulk: bool,
}

/// All of them.
pub fn doors() -> Vec<Door> {
    let mut doors = Vec::new();
    for in_bulk in [false, true] {
        let mut door = |method, op, place| {
            doors.push(Door {
                method,
                op,
                place,
                in_bulk,
            })
        };
        door("POST", "", Place::Body);
        door("PUT", "", Place::Body);
        for op in ["add", "replace"] {
            for place in [Place::Path, Place::Key, Place::Within] {
                door("PATCH", op, place);
            }
        }
        door("PATCH", "remove", Place::Path);
    }
    doors
}

/// What a door is tried on: users or groups.
pub struct Kind {
    pub endpoint: &'static str,
    pub schema: &'static str,
    /// The attribute that is required.
    pub name: &'static str,
}

pub const USERS: Kind = Kind {
    endpoint: "/Users",
    schema: USER,
    name: "userName",
};
pub const GROUPS: Kind = Kind {
    endpoint: "/Groups",
    schema: GROUP,
    name: "displayName",
};

impl Kind {
    /// A resource that is sent whole, with what every request here sets besides.
    fn whole(&self, name: &str) -> Value {
        json!({"schemas": [self.schema], self.name: name, "externalId": format!("done-{name}")})
    }
}

/// What came of it: the reply's status and scimType, and the resource afterwards less `id` and `meta`; null where there is none.
pub struct Outcome {
    pub status: u64,
    pub scim_type: String,
    pub resource: Value,
}

impl Door {
    /// Sends a value under a name, along with another attribute.
    pub fn send(&self, tenant: &Tenant<'_>, kind: &Kind, key: &str, value: &Value) -> Outcome {
        let name = format!(
            "n{}",
            tenant.world.database.number("select count(*) from users")
                + tenant.world.database.number("select count(*) from groups")
        );
        let mut path = kind.endpoint.to_owned();
        if self.method != "POST" {
            let body = json!({"schemas": [kind.schema], kind.name: name});
            let made = tenant.send("POST", &path, body);
            path = format!("{path}/{}", made.expect(201).id());
        }
        let done = format!("done-{name}");
        let good = json!({"op": "replace", "path": "externalId", "value": done});
        let data = match self.place {
            Place::Body => {
                let mut body = kind.whole(&name);
                body[key] = value.clone();
                body
            }
            Place::Path => {
                let mut odd = json!({"op": self.op, "path": key, "value": value});
                if self.op == "remove" {
                    odd.as_object_mut().expect("an object").remove("value");
                }
                json!({"schemas": [PATCH], "Operations": [odd, good]})
            }
            Place::Key => {
                let value = json!({key: value, "externalId": done});
                json!({"schemas": [PATCH], "Operations": [{"op": self.op, "value": value}]})
            }
            Place::Within => {
                let value = json!({kind.schema: {key: value, "externalId": done}});
                json!({"schemas": [PATCH], "Operations": [{"op": self.op, "value": value}]})
            }
        };
        let (status, scim_type, location) = match self.in_bulk {
            false => {
                let answer = tenant.send(self.method, &path, data);
                let scim_type = answer.body["scimType"].clone();
                (
                    u64::from(answer.status),
                    scim_type,
                    answer.body["meta"]["location"].clone(),
                )
            }
            true => {
                let operation =
                    json!({"method": self.method, "path": path, "bulkId": "1", "data": data});
                let bulk = json!({"schemas": [BULK], "Operations": [operation]});
                let answer = tenant.send("POST", "/Bulk", bulk);
                let outcome = &answer.expect(200).body["Operations"][0];
                let status = outcome["status"].as_str().expect("a status").parse();
                let scim_type = outcome["response"]["scimType"].clone();
                (
                    status.expect("a number"),
                    scim_type,
                    outcome["location"].clone(),
                )
            }
        };
        if self.method == "POST"
            && let Some(location) = location.as_str()
        {
            let (_, id) = location.rsplit_once('/').expect("an id");
            path = format!("{path}/{id}");
        }
        let mut resource = tenant.get(&path).body;
        let object = resource.as_object_mut().expect("an object");
        for gone in ["id", "meta"] {
            object.remove(gone);
        }
        let shown = object.remove(kind.name);
        assert!(shown.is_none_or(|shown| shown == name.as_str()));
        // Says whether the rest of the request was done.
        if object.remove("externalId") == Some(done.into()) {
            object.insert("done".to_owned(), true.into());
        }
        Outcome {
            status,
            scim_type: scim_type.as_str().unwrap_or_default().to_owned(),
            resource,
        }
    }

    /// The status of a request that is taken.
    pub fn taken(&self) -> u64 {
        match self.method {
            "POST" => 201,
            _ => 200,
        }
    }
}
