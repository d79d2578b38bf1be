//! Which of a provider's groups stand for which groups of the tenant.

use serde_json::{Value, json};

use super::{BASE, admin_body, base, id_of, provider, with};
use crate::support::{Answer, Tenant, World};
use crate::tenants::expect_field;

fn path(tenant: &Tenant<'_>, idp: &str) -> String {
    format!("{}/{idp}/group-mappings", base(tenant))
}

/// What a directory calls a group.
const GROUP: &str = "cn=grp-1,ou=people,dc=example,dc=com";

/// A directory with groups; its id.
fn directory(tenant: &Tenant<'_>, name: &str) -> String {
    let mut body = with(admin_body(tenant, "LDAP"), "name", name.into());
    body["ldap_config"]["group_filter"] = "(objectClass=groupOfNames)".into();
    id_of(tenant.world.admin("POST", BASE, body).expect(201))
}

fn map(tenant: &Tenant<'_>, idp: &str, external: &str, internal: &str) -> Answer {
    let body = json!({
        "external_group_id": external, "external_group_name": format!("Their {external}"), "internal_group_id": internal,
    });
    tenant.world.admin("POST", &path(tenant, idp), body)
}

/// The mappings of a provider as `(external id, internal name)`.
fn mapped(tenant: &Tenant<'_>, idp: &str) -> Vec<(String, String)> {
    let answer = tenant.world.admin("GET", &path(tenant, idp), Value::Null);
    answer.expect(200);
    let data = answer.body["data"].as_array().expect("data");
    let text = |one: &Value, name: &str| one[name].as_str().expect("a text").to_owned();
    data.iter()
        .map(|one| {
            (
                text(one, "external_group_id"),
                text(one, "internal_group_name"),
            )
        })
        .collect()
}

#[test]
fn a_mapping_is_made_with_the_groups_name_and_deleted() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let idp = directory(&tenant, "Directory");
    let group = tenant.group("Sales", &[]);
    let created = map(&tenant, &idp, GROUP, &group);
    created.expect(201);
    let id = id_of(&created);
    assert_eq!(
        created.body["data"],
        json!({
            "id": id, "idp_id": idp, "external_group_id": GROUP, "external_group_name": format!("Their {GROUP}"),
            "internal_group_id": group, "internal_group_name": "Sales", "created_at": "2026-01-02T03:04:05.000Z",
        })
    );
    let list = world.admin("GET", &path(&tenant, &idp), Value::Null);
    assert_eq!(list.expect(200).body["data"], json!([created.body["data"]]));
    assert_eq!(list.body["pagination"]["total_items"], 1);
    let one = format!("{}/{id}", path(&tenant, &idp));
    world.admin("DELETE", &one, Value::Null).expect(204);
    world.admin("DELETE", &one, Value::Null).expect(404);
    assert_eq!(mapped(&tenant, &idp), []);
    let events = world.database.texts(&format!(
        "select action || ' ' || attributes from audit_events where resource_type = 'GroupMapping' and resource_id = '{id}' order by seq"
    ));
    assert_eq!(
        events,
        [
            r#"create ["external_group_id","external_group_name","internal_group_id"]"#,
            "delete []"
        ]
    );
}

#[test]
fn the_name_is_the_groups_name_of_now() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let idp = directory(&tenant, "Directory");
    let group = tenant.group("Sales", &[]);
    map(&tenant, &idp, "grp-1", &group).expect(201);
    let rename = json!([{"op": "replace", "path": "displayName", "value": "Vertrieb"}]);
    tenant.patch(&format!("/Groups/{group}"), rename);
    assert_eq!(
        mapped(&tenant, &idp),
        [("grp-1".to_owned(), "Vertrieb".to_owned())]
    );
}

#[test]
fn a_mapping_goes_with_its_group_and_with_its_provider() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let (first, second) = (directory(&tenant, "First"), directory(&tenant, "Second"));
    let (gone, stays) = (tenant.group("Gone", &[]), tenant.group("Stays", &[]));
    for idp in [&first, &second] {
        map(&tenant, idp, "a", &gone).expect(201);
        map(&tenant, idp, "a", &stays).expect(201);
    }
    tenant
        .send("DELETE", &format!("/Groups/{gone}"), Value::Null)
        .expect(204);
    for idp in [&first, &second] {
        assert_eq!(mapped(&tenant, idp), [("a".to_owned(), "Stays".to_owned())]);
    }
    world
        .admin("DELETE", &format!("{BASE}/{first}"), Value::Null)
        .expect(204);
    world
        .admin("GET", &path(&tenant, &first), Value::Null)
        .expect(404);
    assert_eq!(
        world.database.number("select count(*) from group_mappings"),
        1
    );
    assert_eq!(mapped(&tenant, &second).len(), 1);
    // Bulk deletes groups by another statement.
    let bulk = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
        "Operations": [{"method": "DELETE", "path": format!("/Groups/{stays}")}],
    });
    tenant.send("POST", "/Bulk", bulk).expect(200);
    assert_eq!(mapped(&tenant, &second), []);
}

#[test]
fn the_same_pair_twice_is_409() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let (first, second) = (directory(&tenant, "First"), directory(&tenant, "Second"));
    let (sales, people) = (tenant.group("Sales", &[]), tenant.group("People", &[]));
    map(&tenant, &first, "a", &sales).expect(201);
    let again = map(&tenant, &first, "a", &sales);
    again.expect(409);
    assert_eq!(
        again.body,
        json!({"detail": "these two groups are mapped to each other already"})
    );
    map(&tenant, &first, "a", &people).expect(201);
    map(&tenant, &first, "b", &sales).expect(201);
    map(&tenant, &second, "a", &sales).expect(201);
    assert_eq!(mapped(&tenant, &first).len(), 3);
}

#[test]
fn fields_that_do_not_hold_are_named() {
    let world = World::new();
    let (tenant, other) = (world.tenant("compat"), world.tenant("compat"));
    let idp = directory(&tenant, "Directory");
    let (own, foreign) = (tenant.group("Own", &[]), other.group("Foreign", &[]));
    let user = tenant.user("somebody");
    let nobody = "0197b1a2-0000-7000-8000-000000000000";
    let cases = [
        (
            json!({"external_group_id": "a"}),
            "internal_group_id",
            "missing",
        ),
        (
            json!({"internal_group_id": own}),
            "external_group_id",
            "missing",
        ),
        (
            json!({"external_group_id": "", "internal_group_id": own}),
            "external_group_id",
            "value_error",
        ),
        (
            json!({"external_group_id": 1, "internal_group_id": own}),
            "external_group_id",
            "type_error",
        ),
        (
            json!({"external_group_id": "x".repeat(1_001), "internal_group_id": own}),
            "external_group_id",
            "value_error",
        ),
        (
            json!({"external_group_id": "a", "internal_group_id": own, "external_group_name": ""}),
            "external_group_name",
            "value_error",
        ),
        (
            json!({"external_group_id": "a", "internal_group_id": own, "more": 1}),
            "more",
            "extra_forbidden",
        ),
        (
            json!({"external_group_id": "a", "internal_group_id": foreign}),
            "internal_group_id",
            "value_error",
        ),
        (
            json!({"external_group_id": "a", "internal_group_id": user}),
            "internal_group_id",
            "value_error",
        ),
        (
            json!({"external_group_id": "a", "internal_group_id": nobody}),
            "internal_group_id",
            "value_error",
        ),
        (
            json!({"external_group_id": "a", "internal_group_id": "Sales"}),
            "internal_group_id",
            "value_error",
        ),
    ];
    for (body, field, kind) in cases {
        let answer = world.admin("POST", &path(&tenant, &idp), body);
        expect_field(&answer, &["body", field], kind);
    }
    assert_eq!(
        world.database.number("select count(*) from group_mappings"),
        0
    );
    // Of a foreign group nothing is told: it is like none.
    let answers = [&foreign, nobody].map(|group| map(&tenant, &idp, "a", group).body);
    assert_eq!(answers[0], answers[1]);
}

#[test]
fn mappings_are_paged_in_the_order_of_their_making() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let idp = directory(&tenant, "Directory");
    let group = tenant.group("All", &[]);
    for index in 0..5 {
        world.clock.advance_seconds(1);
        map(&tenant, &idp, &format!("g{index}"), &group).expect(201);
    }
    let list = world.admin(
        "GET",
        &format!("{}?per_page=2&page=2", path(&tenant, &idp)),
        Value::Null,
    );
    list.expect(200);
    let externals: Vec<&Value> = list.body["data"]
        .as_array()
        .expect("data")
        .iter()
        .map(|one| &one["external_group_id"])
        .collect();
    assert_eq!(externals, ["g2", "g3"]);
    assert_eq!(
        list.body["pagination"],
        json!({"page": 2, "per_page": 2, "total_items": 5, "total_pages": 3})
    );
    assert_eq!(list.trips(), 1);
}

#[test]
fn a_group_deleted_meanwhile_gets_no_mapping() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let idp = directory(&tenant, "Directory");
    let group = tenant.group("Sales", &[]);
    world.database.interference.replace(Some((
        0,
        vec![format!("delete from groups where id = '{group}'")],
    )));
    expect_field(
        &map(&tenant, &idp, "a", &group),
        &["body", "internal_group_id"],
        "value_error",
    );
    let group = tenant.group("People", &[]);
    world.database.interference.replace(Some((
        0,
        vec![format!(
            "update identity_providers set deleted_at = 1 where id = '{idp}'"
        )],
    )));
    map(&tenant, &idp, "a", &group).expect(404);
    assert_eq!(
        world.database.number("select count(*) from group_mappings"),
        0
    );
}

/// Nothing but a sync of a directory reads mappings.
#[test]
fn only_a_directory_has_mappings() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let group = tenant.group("Sales", &[]);
    let directory = directory(&tenant, "Directory");
    for protocol in ["OIDC", "SAML"] {
        let idp = provider(&tenant, protocol);
        let answer = map(&tenant, &idp, GROUP, &group);
        answer.expect(409);
        let detail = answer.body["detail"].as_str().expect("a detail");
        assert!(
            detail.contains("no LDAP directory") && detail.contains("SCIM"),
            "{detail}"
        );
        assert_eq!(answer.trips(), 1);
        let nobody = map(&tenant, &idp, GROUP, "0197b1a2-0000-7000-8000-000000000000");
        nobody.expect(409);
        // What an older version took can be seen and deleted.
        let mapping = id_of(map(&tenant, &directory, GROUP, &group).expect(201));
        world.database.execute(&format!(
            "update group_mappings set idp_id = '{idp}' where id = '{mapping}'"
        ));
        assert_eq!(
            mapped(&tenant, &idp),
            [(GROUP.to_owned(), "Sales".to_owned())]
        );
        let one = format!("{}/{mapping}", path(&tenant, &idp));
        world.admin("DELETE", &one, Value::Null).expect(204);
    }
    map(&tenant, &directory, GROUP, &group).expect(201);
    assert_eq!(
        world.database.number("select count(*) from group_mappings"),
        1
    );
}
