//! Ids of nobody among the members that a request names: refused in `strict`, left out in `compat`.

use serde_json::{Value, json};

use super::members::{NOBODY, sorted, two_of_three};
use super::{etag, expect_count, group_body, path};
use crate::support::{Answer, Tenant, World};

#[test]
fn an_unknown_member_is_an_invalid_value_and_named_in_strict() {
    let world = World::new();
    let tenant = &world.tenant("strict");
    {
        let (group, users) = two_of_three(tenant);
        let before = tenant.world.database.query("select * from group_members");
        for id in [NOBODY, "not-an-id"] {
            let value = json!([{"value": users[2]}, {"value": id}]);
            for operation in [
                json!({"op": "add", "path": "members", "value": value}),
                json!({"op": "replace", "path": "members", "value": value}),
            ] {
                tenant
                    .patch(&path(&group), json!([operation]))
                    .expect_scim_error(400, "invalidValue", id);
            }
            let body = group_body("New", &[&users[2], id]);
            tenant
                .send("POST", "/Groups", body.clone())
                .expect_scim_error(400, "invalidValue", id);
            tenant
                .send("PUT", &path(&group), body)
                .expect_scim_error(400, "invalidValue", id);
        }
        assert_eq!(
            tenant.world.database.query("select * from group_members"),
            before
        );
        assert_eq!(
            tenant.world.database.number("select count(*) from groups"),
            1
        );
        assert_eq!(etag(tenant, &group), "W/\"1\"");
    }
}

/// What has that id elsewhere looks as if nobody had it: another tenant's user and group, ids that are none, deleted ones.
fn nobodies(tenant: &Tenant<'_>) -> Vec<String> {
    let other = tenant.world.tenant("compat");
    let theirs = [other.user("theirs"), other.group("Theirs", &[])];
    let deleted = tenant.user("deleted");
    let path = format!("/Users/{deleted}");
    tenant.send("DELETE", &path, Value::Null).expect(204);
    let mut ids: Vec<String> = [
        NOBODY,
        "not-an-id",
        "fake-member-id",
        "\u{1F600}",
        &tenant.id,
    ]
    .map(str::to_owned)
    .to_vec();
    ids.extend(theirs);
    ids.push(deleted);
    ids
}

/// Members of nobody are left out, whatever the request, and the reply shows who is in.
#[test]
fn unknown_members_are_left_out_in_compat_and_the_rest_is_done() {
    let world = World::new();
    let tenant = &world.tenant("compat");
    let unknown = nobodies(tenant);
    let users = ["a", "b", "c"].map(|name| tenant.user(name));
    let [a, b, c] = &users;
    let make = |name: &str| tenant.group(name, &[a, b]);
    let with = |ids: &[&String]| -> Value {
        let all = ids.iter().copied().chain(&unknown);
        all.map(|id| json!({"value": id})).collect()
    };
    let put = |group: &str, name: &str, members: Value| {
        let mut body = group_body(name, &[]);
        body["members"] = members;
        tenant.send("PUT", &path(group), body)
    };
    let patch = |group: &str, op: &str, members: Value| {
        let operation = json!({"op": op, "path": "members", "value": members});
        tenant.patch(&path(group), json!([operation]))
    };
    // What is done, and who is in then.
    type Case<'c> = (&'c str, &'c dyn Fn(&str) -> Answer, Vec<&'c String>, bool);
    let cases: [Case<'_>; 13] = [
        ("add", &|g| patch(g, "add", with(&[c])), vec![a, b, c], true),
        (
            "add, a member too",
            &|g| patch(g, "add", with(&[a])),
            vec![a, b],
            false,
        ),
        (
            "add nobody",
            &|g| patch(g, "add", with(&[])),
            vec![a, b],
            false,
        ),
        (
            "replace",
            &|g| patch(g, "replace", with(&[c])),
            vec![c],
            true,
        ),
        (
            "replace by those who are in",
            &|g| patch(g, "replace", with(&[a, b])),
            vec![a, b],
            false,
        ),
        (
            "replace by nobody",
            &|g| patch(g, "replace", with(&[])),
            vec![a, b],
            false,
        ),
        (
            "replace by an empty list",
            &|g| patch(g, "replace", json!([])),
            vec![],
            true,
        ),
        (
            "all of them out, and nobody in",
            &|g| {
                tenant.patch(
                    &path(g),
                    json!([{"op": "remove", "path": "members"}, {"op": "add", "path": "members", "value": with(&[])}]),
                )
            },
            vec![],
            true,
        ),
        (
            "an empty list, and one of nobody",
            &|g| {
                tenant.patch(
                    &path(g),
                    json!([{"op": "replace", "path": "members", "value": []}, {"op": "replace", "path": "members", "value": with(&[])}]),
                )
            },
            vec![],
            true,
        ),
        ("remove", &|g| patch(g, "remove", with(&[a])), vec![b], true),
        ("PUT", &|g| put(g, "put", with(&[b, c])), vec![b, c], true),
        (
            "PUT of nobody",
            &|g| put(g, "PUT of nobody", with(&[])),
            vec![a, b],
            false,
        ),
        (
            "PUT of a name and nobody",
            &|g| put(g, "Renamed", with(&[])),
            vec![a, b],
            true,
        ),
    ];
    for (what, send, wanted, changes) in cases {
        let group = make(what);
        let answer = send(&group);
        answer.expect(200);
        assert_eq!(tenant.members(&group), sorted(&wanted), "{what}");
        expect_count(tenant, &group, i64::try_from(wanted.len()).expect("few"));
        let version = if changes { "W/\"2\"" } else { "W/\"1\"" };
        assert_eq!(answer.header("etag"), version, "{what}");
        assert_eq!(answer.body, tenant.get(&path(&group)).body, "{what}");
        assert!(answer.trips() <= 3, "{what}: {}", answer.trips());
    }
    // A new group is made without them.
    for (name, ids, wanted) in [("New", vec![a, c], vec![a, c]), ("Empty", vec![], vec![])] {
        let mut body = group_body(name, &[]);
        body["members"] = with(&ids);
        let made = tenant.send("POST", "/Groups", body);
        let group = made.expect(201).id();
        assert_eq!(tenant.members(&group), sorted(&wanted), "{name}");
        expect_count(tenant, &group, i64::try_from(wanted.len()).expect("few"));
        assert_eq!(made.body, tenant.get(&path(&group)).body);
        assert!(made.trips() <= 3, "{}", made.trips());
    }
    let known = "select count(*) from group_members m where not exists (select 1 from users u where u.tenant_id = m.tenant_id and u.id = m.member_id)";
    assert_eq!(tenant.world.database.number(known), 0);
}
