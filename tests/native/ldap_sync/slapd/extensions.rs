//! What of an entry goes into attributes of extensions.

use serde_json::{Value, json};

use super::life::{TEN, dn, synced_town, town};
use crate::ldap_sync::{Directory, world};
use crate::own_schemas::{ACME, at_schemas, attributes, of_users};

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn mapping() -> Value {
    json!({"attribute_mapping": {"extensions": {
        format!("{ACME}:costCode"): "departmentNumber",
        format!("{ACME}:level"): "employeeNumber",
        format!("{ACME}:remote"): "employeeType",
        format!("{ACME}:since"): "createTimestamp",
        format!("{ACME}:skills"): "carLicense",
        format!("{ACME}:contract.kind"): "roomNumber",
        format!("{ACME}:contract.ends"): "modifyTimestamp",
        format!("{ACME}:desks.value"): "telephoneNumber",
        format!("{ACME}:seal"): "userPKCS12",
        format!("{ENTERPRISE}:department"): "departmentNumber",
    }}})
}

#[test]
fn entries_fill_attributes_of_every_kind() {
    let world = world();
    let slapd = town(&TEN);
    slapd.writer().modify(
        &dn("ada"),
        "add: departmentNumber\ndepartmentNumber: 12-b\n-\nadd: employeeNumber\nemployeeNumber: 7\n-\nadd: employeeType\nemployeeType: TRUE\n-\n\
         add: carLicense\ncarLicense: C\ncarLicense: Rust\n-\nadd: roomNumber\nroomNumber: open\n-\nadd: telephoneNumber\ntelephoneNumber: 11\n\
         telephoneNumber: 12\n-\nadd: userPKCS12\nuserPKCS12: ABC\n",
    );
    let tenant = world.tenant("compat");
    at_schemas(&tenant, "POST", "", of_users(ACME, attributes())).expect(201);
    let directory = Directory::of(tenant, &slapd, mapping());
    directory.synced("");
    let ada = directory.user("ada");
    let acme = &ada[ACME];
    for (name, wanted) in [
        ("costCode", json!("12-b")),
        ("level", json!(7)),
        ("remote", json!(true)),
        ("skills", json!(["C", "Rust"])),
        ("desks", json!([{"value": "11"}, {"value": "12"}])),
        ("seal", json!("QUJD")),
    ] {
        assert_eq!(acme[name], wanted, "{name}");
    }
    assert_eq!(acme["contract"]["kind"], "open");
    for time in [&acme["since"], &acme["contract"]["ends"]] {
        let time = time.as_str().expect("a time");
        assert!(time.len() == 24 && time.ends_with(".000Z"), "{time}");
    }
    assert_eq!(ada[ENTERPRISE]["department"], "12-b");
    let bob = directory.user("bob");
    assert!(bob[ACME].get("level").is_none(), "{bob}");
    assert!(bob.get(ENTERPRISE).is_none(), "{bob}");

    // What changes there changes here, and what is taken away goes.
    slapd.writer().modify(
        &dn("ada"),
        "replace: employeeNumber\nemployeeNumber: 8\n-\ndelete: carLicense",
    );
    directory.synced("");
    let ada = directory.user("ada");
    assert_eq!(ada[ACME]["level"], 8);
    assert!(ada[ACME].get("skills").is_none(), "{ada}");
    let query = format!("/Users?filter={ACME}:level%20eq%208");
    assert_eq!(
        directory.tenant.get(&query).expect(200).body["totalResults"],
        1
    );
}

#[test]
fn a_value_that_is_none_for_its_attribute_is_named_and_harms_nobody_else() {
    let world = world();
    let slapd = town(&TEN);
    slapd
        .writer()
        .modify(&dn("ada"), "add: employeeNumber\nemployeeNumber: seven");
    let tenant = world.tenant("compat");
    at_schemas(&tenant, "POST", "", of_users(ACME, attributes())).expect(201);
    let directory = Directory::of(tenant, &slapd, mapping());
    let log = directory.sync("");
    let entries = directory.entries(&log);
    let told = entries
        .iter()
        .find(|(_, _, reason)| reason.contains("level"));
    assert!(
        told.is_some_and(|(_, _, reason)| reason.contains("whole number, not \"seven\"")),
        "{entries:?}"
    );
    let query = "/Users?filter=userName%20eq%20%22ada%22";
    assert_eq!(
        directory.tenant.get(query).expect(200).body["totalResults"],
        0
    );
    assert_eq!(directory.user("bob")["active"], true);
}

#[test]
fn another_mapping_or_another_type_reads_everybody_anew() {
    let world = world();
    let (slapd, directory) = synced_town(&world, &TEN, json!({}));
    slapd
        .writer()
        .modify(&dn("ada"), "add: employeeNumber\nemployeeNumber: 7");
    directory.synced("");
    at_schemas(
        &directory.tenant,
        "POST",
        "",
        of_users(ACME, json!([{"name": "level", "type": "integer"}])),
    )
    .expect(201);
    let path = format!("{ACME}:level");
    directory
        .configure(json!({"attribute_mapping": {"extensions": {path.as_str(): "employeeNumber"}}}));
    directory.synced("");
    assert_eq!(directory.user("ada")[ACME]["level"], 7);
    // What has values becomes text.
    at_schemas(
        &directory.tenant,
        "PATCH",
        &format!("/{ACME}"),
        json!({"attributes": [{"name": "level", "type": "string"}]}),
    )
    .expect(200);
    directory.synced("");
    assert_eq!(directory.user("ada")[ACME]["level"], "7");
    // Null takes it out of the mapping.
    directory.configure(json!({"attribute_mapping": {"extensions": {path.as_str(): null}}}));
    directory.synced("");
    assert!(directory.user("ada").get(ACME).is_none());
}

#[test]
fn a_schema_that_is_taken_away_stops_no_sync() {
    let world = world();
    let slapd = town(&TEN);
    let tenant = world.tenant("strict");
    at_schemas(&tenant, "POST", "", of_users(ACME, attributes())).expect(201);
    slapd
        .writer()
        .modify(&dn("ada"), "add: employeeNumber\nemployeeNumber: 7");
    let directory = Directory::of(tenant, &slapd, mapping());
    directory.synced("");
    assert_eq!(directory.user("ada")[ACME]["level"], 7);
    at_schemas(
        &directory.tenant,
        "DELETE",
        &format!("/{ACME}?discard_values=true"),
        Value::Null,
    )
    .expect(204);
    directory.synced("?full=true");
    assert!(directory.user("ada").get(ACME).is_none());
}
