//! An id is the same in upper and in lower case, wherever a request has it: in a path, among members, in a value path, in a filter. Whatever
//! door it comes in by, what comes of it is what comes of the id as it is shown.

use serde_json::{Value, json};

use super::{GROUP, expect_count, group_body, patch_body, path};
use crate::support::{Tenant, World};

const BULK: &str = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";

/// A way to write an id, with its name.
type Case = (&'static str, fn(&str) -> String);

const CASES: [Case; 4] = [
    ("lower", |id| id.to_owned()),
    ("upper", |id| id.to_ascii_uppercase()),
    ("mixed", |id| {
        let turned = id.char_indices().map(|(index, c)| match index % 2 {
            0 => c.to_ascii_uppercase(),
            _ => c,
        });
        turned.collect()
    }),
    ("without hyphens", |id| {
        id.replace('-', "").to_ascii_uppercase()
    }),
];

/// A request about a member `x`, to a group of `a`, `b` and, where it is a member already, `x`. `here` is whether `x` is in it then.
struct Door {
    what: &'static str,
    method: &'static str,
    /// Whether `x` is a member before.
    there: bool,
    here: bool,
    /// Whether `strict` takes it.
    strict: bool,
    body: fn(x: &str, a: &str, b: &str) -> Value,
}

fn one(operation: Value) -> Value {
    patch_body(json!([operation]))
}

fn door(
    what: &'static str,
    method: &'static str,
    (there, here): (bool, bool),
    body: fn(&str, &str, &str) -> Value,
) -> Door {
    Door {
        what,
        method,
        there,
        here,
        strict: true,
        body,
    }
}

fn doors() -> Vec<Door> {
    let comes = (false, true);
    let stays = (true, true);
    let goes = (true, false);
    let compat = |door: Door| Door {
        strict: false,
        ..door
    };
    vec![
        door("POST", "POST", comes, |x, a, b| {
            group_body("new", &[a, b, x])
        }),
        door("PUT", "PUT", comes, |x, a, b| group_body("put", &[a, b, x])),
        door("PUT, there", "PUT", stays, |x, a, b| {
            group_body("put", &[x, a, b])
        }),
        door("PUT, twice", "PUT", comes, |x, a, b| {
            group_body("put", &[a, b, x, &x.to_ascii_lowercase()])
        }),
        door("add", "PATCH", comes, |x, _, _| {
            one(json!({"op": "add", "path": "members", "value": [{"value": x}]}))
        }),
        door("add, there", "PATCH", stays, |x, _, _| {
            one(json!({"op": "add", "path": "members", "value": [{"value": x}]}))
        }),
        door("add with its type", "PATCH", comes, |x, _, _| {
            one(json!({"op": "add", "path": "members", "value": [{"value": x, "type": "User"}]}))
        }),
        door("add under the URN", "PATCH", comes, |x, _, _| {
            one(json!({"op": "add", "path": format!("{GROUP}:members"), "value": [{"value": x}]}))
        }),
        compat(door("add a text", "PATCH", comes, |x, _, _| {
            one(json!({"op": "add", "path": "members", "value": [x]}))
        })),
        compat(door("add one", "PATCH", comes, |x, _, _| {
            one(json!({"op": "add", "path": "members", "value": {"value": x}}))
        })),
        door("add without a path", "PATCH", comes, |x, _, _| {
            one(json!({"op": "add", "value": {"members": [{"value": x}]}}))
        }),
        door("replace", "PATCH", comes, |x, a, b| {
            let all = json!([{"value": a}, {"value": x}, {"value": b}]);
            one(json!({"op": "replace", "path": "members", "value": all}))
        }),
        door("replace, there", "PATCH", stays, |x, a, b| {
            let all = json!([{"value": a}, {"value": x}, {"value": b}]);
            one(json!({"op": "replace", "path": "members", "value": all}))
        }),
        door("replace without a path", "PATCH", comes, |x, a, b| {
            let all = json!([{"value": a}, {"value": x}, {"value": b}]);
            one(json!({"op": "replace", "value": {"members": all}}))
        }),
        door("remove by a value path", "PATCH", goes, |x, _, _| {
            one(json!({"op": "remove", "path": format!("members[value eq \"{x}\"]")}))
        }),
        door("remove by two ids", "PATCH", goes, |x, a, _| {
            let path = format!(
                "members[value eq \"{x}\" or value eq \"{}\"]",
                a.replace('7', "8")
            );
            one(json!({"op": "remove", "path": path}))
        }),
        door("remove by a filter", "PATCH", goes, |x, _, _| {
            let path = format!("members[value eq \"{x}\" and type eq \"User\"]");
            one(json!({"op": "remove", "path": path}))
        }),
        door("remove all but two", "PATCH", goes, |_, a, b| {
            let (a, b) = (a.to_ascii_uppercase(), b.to_ascii_uppercase());
            let path = format!("members[value ne \"{a}\" and not (value eq \"{b}\")]");
            one(json!({"op": "remove", "path": path}))
        }),
        compat(door("remove by values", "PATCH", goes, |x, _, _| {
            one(json!({"op": "remove", "path": "members", "value": [{"value": x}]}))
        })),
        door(
            "add, then remove in lower case",
            "PATCH",
            (false, false),
            |x, _, _| {
                let add = json!({"op": "add", "path": "members", "value": [{"value": x}]});
                let path = format!("members[value eq \"{}\"]", x.to_ascii_lowercase());
                patch_body(json!([add, {"op": "remove", "path": path}]))
            },
        ),
        door(
            "remove, then add in lower case",
            "PATCH",
            stays,
            |x, _, _| {
                let path = format!("members[value eq \"{x}\"]");
                let value = json!([{"value": x.to_ascii_lowercase()}]);
                let add = json!({"op": "add", "path": "members", "value": value});
                patch_body(json!([{"op": "remove", "path": path}, add]))
            },
        ),
    ]
}

#[test]
fn a_member_is_meant_by_its_id_in_any_case_through_each_door() {
    let mut tried = 0;
    for profile in ["compat", "strict"] {
        let world = World::new();
        let tenant = &world.tenant(profile);
        let [a, b] = ["a", "b"].map(|name| tenant.user(name));
        // A user and a group.
        for x in [tenant.user("x"), tenant.group("x", &[])] {
            let is_user = tenant.get(&format!("/Users/{x}")).status == 200;
            for door in doors() {
                if (profile == "strict" && !door.strict)
                    || (!is_user
                        && ["add with its type", "remove by a filter"].contains(&door.what))
                {
                    continue;
                }
                for in_bulk in [false, true] {
                    for (case, written) in CASES {
                        let what = format!("{profile}, {}, bulk {in_bulk}, {case}", door.what);
                        let before: &[&str] = match door.there {
                            true => &[&a, &b, &x],
                            false => &[&a, &b],
                        };
                        let made = tenant.group(&format!("group {tried}"), before);
                        let target = match door.method {
                            "POST" => "/Groups".to_owned(),
                            _ => path(&written(&made)),
                        };
                        let mut body = (door.body)(&written(&x), &a, &b);
                        if door.method != "PATCH" {
                            body["displayName"] = format!("whole {tried}").into();
                        }
                        let group = send(tenant, door.method, &target, body, in_bulk, &what);
                        let mut wanted = vec![a.clone(), b.clone()];
                        wanted.extend(door.here.then(|| x.clone()));
                        wanted.sort();
                        assert_eq!(tenant.members(&group), wanted, "{what}");
                        expect_count(tenant, &group, i64::try_from(wanted.len()).expect("few"));
                        tried += 1;
                    }
                }
            }
        }
    }
    println!("{tried} requests");
}

/// Sends a request, by itself or in Bulk, and gives the id of the group that it was about.
fn send(
    tenant: &Tenant<'_>,
    method: &str,
    target: &str,
    body: Value,
    in_bulk: bool,
    what: &str,
) -> String {
    let last = |address: &Value| {
        let address = address.as_str().expect("an address");
        address.rsplit('/').next().expect("an id").to_owned()
    };
    if !in_bulk {
        let answer = tenant.send(method, target, body);
        assert!(
            matches!(answer.status, 200 | 201),
            "{what}: {}",
            answer.body
        );
        return last(&answer.body["meta"]["location"]);
    }
    let operation = json!({"method": method, "path": target, "bulkId": "1", "data": body});
    let bulk = json!({"schemas": [BULK], "Operations": [operation]});
    let answer = tenant.send("POST", "/Bulk", bulk);
    let outcome = &answer.expect(200).body["Operations"][0];
    let status = outcome["status"].as_str().expect("a status");
    assert!(matches!(status, "200" | "201"), "{what}: {outcome}");
    last(&outcome["location"])
}

/// Filters by ids, where `x` stands for the user's and `g` for the group's, and the names that they find.
const FILTERS: [(&str, &str, &[&str]); 16] = [
    ("/Users", "id eq \"x\"", &["x"]),
    ("/Users", "id ne \"x\"", &["other"]),
    ("/Users", "not (id eq \"x\")", &["other"]),
    (
        "/Users",
        "id eq \"x\" or userName eq \"other\"",
        &["other", "x"],
    ),
    ("/Users", "id ge \"x\" and id le \"x\"", &["x"]),
    ("/Users", "id sw \"x\"", &["x"]),
    ("/Users", "groups.value eq \"g\"", &["x"]),
    ("/Users", "groups eq \"g\"", &["x"]),
    ("/Users", "groups[value eq \"g\"]", &["x"]),
    (
        "/Users",
        "groups[value eq \"g\" and type eq \"direct\"]",
        &["x"],
    ),
    ("/Users", "not (groups.value eq \"g\")", &["other"]),
    ("/Groups", "id eq \"g\"", &["g"]),
    ("/Groups", "members.value eq \"x\"", &["g"]),
    ("/Groups", "members eq \"x\"", &["g"]),
    (
        "/Groups",
        "members[value eq \"x\" and type eq \"User\"]",
        &["g"],
    ),
    ("/Groups", "not (members.value eq \"x\")", &["empty"]),
];

#[test]
fn a_filter_finds_by_an_id_in_any_case() {
    for profile in ["compat", "strict"] {
        let world = World::new();
        let tenant = &world.tenant(profile);
        tenant.user("other");
        let x = tenant.user("x");
        let g = tenant.group("g", &[&x]);
        tenant.group("empty", &[]);
        for (endpoint, filter, wanted) in FILTERS {
            for (case, written) in CASES {
                let filter = filter
                    .replace("\"x\"", &format!("\"{}\"", written(&x)))
                    .replace("\"g\"", &format!("\"{}\"", written(&g)));
                let query: String = form_urlencoded::byte_serialize(filter.as_bytes()).collect();
                let listed = tenant.get(&format!("{endpoint}?filter={query}"));
                let searched = tenant.send(
                    "POST",
                    &format!("{endpoint}/.search"),
                    json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "filter": filter}),
                );
                for answer in [listed, searched] {
                    let resources = answer.expect(200).body["Resources"].clone();
                    let mut names: Vec<&str> = resources
                        .as_array()
                        .into_iter()
                        .flatten()
                        .filter_map(|found| {
                            found["userName"].as_str().or(found["displayName"].as_str())
                        })
                        .collect();
                    names.sort_unstable();
                    assert_eq!(names, wanted, "{profile}, {case}: {filter}");
                }
            }
        }
    }
}
