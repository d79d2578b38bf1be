//! Groups whose members are too many for one value of the database, on pages of lists.

use serde_json::{Value, json};

use super::large::{crowd, distinct};
use crate::support::{Tenant, World};

/// Groups of these sizes in a row, of the users that are there.
fn groups_of(tenant: &Tenant<'_>, sizes: &[usize]) -> Vec<String> {
    let groups: Vec<String> = (0..sizes.len())
        .map(|number| {
            // Ids are in the order of their making.
            tenant.world.clock.advance_seconds(1);
            tenant.group(&format!("{}-{number}", sizes.len()), &[])
        })
        .collect();
    for (group, size) in groups.iter().zip(sizes) {
        tenant.world.database.execute(&format!(
            "insert into group_members (tenant_id, group_id, member_id, member_type) select '{0}', '{group}', id, 'User' from users where tenant_id = '{0}' limit {size}; \
             update groups set member_count = {size} where id = '{group}'",
            tenant.id
        ));
    }
    groups
}

fn sizes(list: &Value) -> Vec<usize> {
    let groups = list["Resources"].as_array().expect("Resources");
    assert_eq!(list["itemsPerPage"], groups.len());
    let sizes = groups.iter().map(|group| distinct(&group["members"]));
    sizes.collect()
}

#[test]
fn a_page_of_large_groups_ends_early_and_the_next_goes_on_from_there() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let everybody = crowd(&tenant, 7_000);
    tenant
        .send("DELETE", &format!("/Groups/{everybody}"), json!(null))
        .expect(204);
    let wanted = [3, 600, 6_000, 700, 0, 5_500, 20];
    groups_of(&tenant, &wanted);
    let pages: [&[usize]; 5] = [&[3, 600], &[6_000], &[700, 0], &[5_500], &[20]];
    let mut start = 1;
    let mut cursor = String::new();
    for page in pages {
        let by_index = tenant.get(&format!("/Groups?startIndex={start}"));
        assert_eq!(sizes(&by_index.expect(200).body), page);
        assert_eq!(by_index.body["totalResults"], wanted.len());
        start += page.len();
        let by_cursor = tenant.get(&format!("/Groups?cursor={cursor}"));
        assert_eq!(sizes(&by_cursor.expect(200).body), page);
        cursor = by_cursor.body["nextCursor"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
    }
    assert_eq!((start, cursor.as_str()), (wanted.len() + 1, ""));
    // Without members, and with few of them, a page is whole.
    let without = tenant.get("/Groups?excludedAttributes=members");
    assert_eq!(without.expect(200).body["itemsPerPage"], wanted.len());
    assert_eq!(without.trips(), 1);
    let large = groups_of(&tenant, &[600; 60]);
    let first = tenant.get(&format!(
        "/Groups?filter=id%20ge%20%22{}%22&count=60",
        large[0]
    ));
    assert_eq!(sizes(&first.expect(200).body), [600; 60]);
    let first = tenant.get(&format!(
        "/Groups?filter=id%20ge%20%22{}%22&count=1000",
        large[0]
    ));
    assert_eq!(sizes(&first.expect(200).body), [600; 50]);
    assert_eq!(first.body["totalResults"], 60);
}

/// Names of the resources on a page, each with how many memberships are shown; and the cursor of the next page.
fn shown(list: &Value) -> (Vec<(String, Option<usize>)>, String) {
    let resources = list["Resources"].as_array().expect("Resources");
    assert_eq!(list["itemsPerPage"], resources.len());
    let shown = resources.iter().map(|resource| {
        let members = resource.get("members").or(resource.get("groups"));
        let name = resource["displayName"].as_str().expect("a name");
        (name.to_owned(), members.map(distinct))
    });
    let next = list["nextCursor"].as_str().unwrap_or_default();
    (shown.collect(), next.to_owned())
}

#[test]
fn a_list_of_users_and_groups_shows_the_memberships_of_each_however_many_these_are() {
    let world = World::new();
    let tenant = world.tenant("compat");
    crowd(&tenant, 6_000);
    for name in ["a", "g", "m"] {
        let user = json!({"userName": name, "displayName": name});
        tenant.send("POST", "/Users", user).expect(201);
    }
    let wanted = [("b", 600), ("d", 6_000), ("k", 2), ("l", 0)];
    let groups = groups_of(&tenant, &wanted.map(|(_, size)| size));
    for (id, (name, _)) in groups.iter().zip(wanted) {
        let rename = json!([{"op": "replace", "path": "displayName", "value": name}]);
        let path = format!("/Groups/{id}?excludedAttributes=members");
        tenant.patch(&path, rename).expect(200);
    }
    tenant.group("e", &[&groups[2]]);
    // In the order of their names; a group of more than 5,000 members is alone.
    let pages: [&[(&str, Option<usize>)]; 3] = [
        &[("a", None), ("b", Some(600))],
        &[("d", Some(6_000))],
        &[
            ("e", Some(1)),
            ("g", None),
            ("k", Some(2)),
            ("l", Some(0)),
            ("m", None),
        ],
    ];
    let filter = "displayName lt \"n\" and not (displayName sw \"everybody\")";
    for descending in [false, true] {
        let mut pages = pages.map(<[_]>::to_vec);
        let order = if descending {
            "descending"
        } else {
            "ascending"
        };
        if descending {
            pages.reverse();
            pages.iter_mut().for_each(|page| page.reverse());
        }
        let search = |more: Value| {
            let mut body = json!({
                "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
                "filter": filter, "sortBy": "displayName", "sortOrder": order,
            });
            body.as_object_mut()
                .unwrap()
                .extend(more.as_object().unwrap().clone());
            tenant.send("POST", "/.search", body)
        };
        let (mut start, mut cursor) = (1, String::new());
        for page in pages {
            let page: Vec<_> = page
                .iter()
                .map(|(name, held)| ((*name).to_owned(), *held))
                .collect();
            let by_index = search(json!({"startIndex": start}));
            assert_eq!(shown(&by_index.expect(200).body).0, page, "{order} {start}");
            assert_eq!(by_index.body["totalResults"], 8);
            start += page.len();
            let by_cursor = search(json!({"cursor": cursor}));
            let (found, next) = shown(&by_cursor.expect(200).body);
            assert_eq!(found, page, "{order} by cursor");
            cursor = next;
        }
        assert_eq!((start, cursor.as_str()), (9, ""));
        let whole = search(json!({"excludedAttributes": ["members", "groups"]}));
        assert!(
            shown(&whole.expect(200).body)
                .0
                .iter()
                .all(|(_, held)| held.is_none())
        );
        assert_eq!((&whole.body["itemsPerPage"], whole.trips()), (&json!(8), 1));
    }
}
