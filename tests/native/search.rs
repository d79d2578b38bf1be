//! Searches by body, over both types, and by cursor (RFC 7644 §3.4.3, RFC 9865).

use serde_json::{Value, json};

use crate::support::{Answer, Tenant, World};

const SEARCH: &str = "urn:ietf:params:scim:api:messages:2.0:SearchRequest";

fn search(tenant: &Tenant<'_>, path: &str, mut body: Value) -> Answer {
    body["schemas"] = json!([SEARCH]);
    tenant.send("POST", path, body)
}

fn names(answer: &Answer) -> Vec<&str> {
    answer.expect(200);
    let resources = answer.body["Resources"].as_array().expect("Resources");
    resources
        .iter()
        .map(|resource| {
            let name = resource.get("userName").or(resource.get("displayName"));
            name.and_then(Value::as_str).expect("a name")
        })
        .collect()
}

#[test]
fn a_search_by_body_finds_what_a_list_finds() {
    let world = World::new();
    let tenant = world.tenant("strict");
    for name in ["ada", "bob", "cyd"] {
        tenant.user(name);
    }
    let body = json!({"filter": "userName sw \"b\"", "attributes": ["userName"], "count": 10});
    let answer = search(&tenant, "/Users/.search", body);
    answer.expect(200);
    assert_eq!(names(&answer), ["bob"]);
    let user = answer.body["Resources"][0].as_object().unwrap();
    assert_eq!(
        user.keys().collect::<Vec<_>>(),
        ["id", "schemas", "userName"]
    );
}

#[test]
fn both_types_are_searched_at_once_by_post_and_by_get() {
    let world = World::new();
    let tenant = world.tenant("strict");
    tenant.user("ada");
    tenant.group("Admins", &[]);
    tenant.user("bob");
    for answer in [tenant.get("/"), search(&tenant, "/.search", json!({}))] {
        answer.expect(200);
        assert_eq!(answer.body["totalResults"], 3);
        assert_eq!(names(&answer).len(), 3);
    }
    let filter = json!({"filter": "userName eq \"ada\" or displayName eq \"admins\""});
    let answer = search(&tenant, "/.search", filter);
    answer.expect(200);
    let mut found = names(&answer);
    found.sort_unstable();
    assert_eq!(found, ["Admins", "ada"]);
    // An attribute that the other type lacks is not equal there, and not present.
    let answer = search(
        &tenant,
        "/.search",
        json!({"filter": "userName ne \"ada\""}),
    );
    let mut found = names(&answer);
    found.sort_unstable();
    assert_eq!(found, ["Admins", "bob"]);
    let answer = search(&tenant, "/.search", json!({"filter": "nothing eq \"ada\""}));
    answer.expect_scim_error(400, "invalidFilter", "nothing");
}

#[test]
fn both_types_are_sorted_and_paged_together() {
    let world = World::new();
    let tenant = world.tenant("compat");
    for index in 0..5 {
        let body =
            json!({"userName": format!("u{index}"), "displayName": format!("n{}", index * 2)});
        tenant.send("POST", "/Users", body).expect(201);
        tenant.group(&format!("n{}", index * 2 + 1), &[]);
    }
    let mut seen = Vec::new();
    for start in [1, 4, 7, 10] {
        let body = json!({"sortBy": "displayName", "startIndex": start, "count": 3});
        let answer = search(&tenant, "/.search", body);
        answer.expect(200);
        assert_eq!(answer.body["totalResults"], 10);
        for resource in answer.body["Resources"].as_array().unwrap() {
            seen.push(resource["displayName"].as_str().unwrap().to_owned());
        }
    }
    let wanted: Vec<String> = (0..10).map(|index| format!("n{index}")).collect();
    assert_eq!(seen, wanted);
}

/// Follows cursors from the first page to the last, and gives all names and the number of pages.
fn walk(tenant: &Tenant<'_>, query: &str, count: usize) -> (Vec<String>, usize) {
    let mut cursor = String::new();
    let mut seen = Vec::new();
    for page in 1.. {
        let answer = tenant.get(&format!("/Users?{query}&count={count}&cursor={cursor}"));
        answer.expect(200);
        assert_eq!(answer.trips(), 1);
        assert!(answer.body.get("startIndex").is_none());
        let on_page = names(&answer);
        assert!(on_page.len() <= count);
        assert_eq!(answer.body["itemsPerPage"], on_page.len());
        seen.extend(on_page.into_iter().map(str::to_owned));
        match answer.body["nextCursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => return (seen, page),
        }
    }
    unreachable!()
}

#[test]
fn cursors_lead_through_every_order_without_gaps_or_repeats() {
    let world = World::new();
    let tenant = world.tenant("compat");
    for index in 0..23 {
        let mut body = json!({"userName": format!("user{index:02}")});
        if index % 3 != 0 {
            body["title"] = json!(format!("title{}", index % 5));
            body["emails"] = json!([{"value": format!("m{}@example.com", index % 7)}]);
        }
        tenant.send("POST", "/Users", body).expect(201);
    }
    for sort in [
        "",
        "sortBy=userName",
        "sortBy=title",
        "sortBy=emails",
        "sortBy=meta.created",
        "sortBy=active",
    ] {
        for order in ["", "&sortOrder=descending"] {
            let query = format!("{sort}{order}");
            let whole = tenant.get(&format!("/Users?{query}&count=100"));
            let whole: Vec<String> = names(&whole).into_iter().map(str::to_owned).collect();
            let (walked, pages) = walk(&tenant, &query, 4);
            assert_eq!(walked, whole, "{query}");
            assert_eq!(pages, 6);
        }
    }
    let filter = "filter=title%20pr&sortBy=title&sortOrder=descending";
    let (walked, pages) = walk(&tenant, filter, 5);
    assert_eq!((walked.len(), pages), (15, 3));
}

#[test]
fn a_page_by_cursor_sees_what_was_added_behind_it_and_not_what_is_gone() {
    let world = World::new();
    let tenant = world.tenant("compat");
    for name in ["a", "b", "d"] {
        tenant.user(name);
    }
    let first = tenant.get("/Users?sortBy=userName&count=2&cursor");
    let next = first.body["nextCursor"].as_str().unwrap();
    tenant.user("c");
    let gone =
        tenant.get("/Users?filter=userName%20eq%20%22a%22").body["Resources"][0]["id"].clone();
    tenant
        .send(
            "DELETE",
            &format!("/Users/{}", gone.as_str().unwrap()),
            Value::Null,
        )
        .expect(204);
    let second = tenant.get(&format!("/Users?sortBy=userName&count=2&cursor={next}"));
    assert_eq!(names(&second), ["c", "d"]);
}

#[test]
fn a_cursor_is_good_for_its_own_query_and_tenant_and_hour_alone() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let other = world.tenant("compat");
    for index in 0..4 {
        tenant.user(&format!("u{index}"));
        other.user(&format!("u{index}"));
    }
    let first = tenant.get("/Users?sortBy=userName&count=2&cursor=");
    let next = first.body["nextCursor"].as_str().unwrap();
    let again = format!("/Users?sortBy=userName&count=2&cursor={next}");
    assert_eq!(names(&tenant.get(&again)), ["u2", "u3"]);
    other
        .get(&again)
        .expect_scim_error(400, "invalidCursor", "cursor");
    for query in [
        format!("/Users?count=2&cursor={next}"),
        format!("/Users?sortBy=displayName&count=2&cursor={next}"),
        format!("/Users?sortBy=userName&sortOrder=descending&count=2&cursor={next}"),
        format!("/Users?sortBy=userName&filter=userName%20pr&count=2&cursor={next}"),
        format!("/Groups?count=2&cursor={next}"),
        format!("/?sortBy=userName&count=2&cursor={next}"),
        "/Users?cursor=made-up".to_owned(),
        format!("/Users?sortBy=userName&count=2&cursor={}", &next[1..]),
        format!("/Users?sortBy=userName&count=2&cursor=A{}", &next[1..]),
    ] {
        tenant
            .get(&query)
            .expect_scim_error(400, "invalidCursor", "cursor");
    }
    tenant
        .get(&format!("/Users?sortBy=userName&count=3&cursor={next}"))
        .expect_scim_error(400, "invalidCount", "count");
    tenant
        .get("/Users?count=many&cursor=")
        .expect_scim_error(400, "invalidCount", "count");
    tenant
        .get("/Users?startIndex=2&cursor=")
        .expect_scim_error(400, "invalidValue", "startIndex");
    world.clock.advance_seconds(3_600);
    tenant.get(&again).expect(200);
    world.clock.advance_seconds(1);
    tenant
        .get(&again)
        .expect_scim_error(400, "expiredCursor", "3600");
}

#[test]
fn a_cursor_shows_nothing_of_what_it_holds() {
    use base64::Engine;
    let world = World::new();
    let tenant = world.tenant("compat");
    for name in ["somebody@example.com", "somebody.else@example.com"] {
        tenant.user(name);
    }
    let first = tenant.get("/Users?sortBy=userName&count=1&cursor=");
    let next = first.body["nextCursor"].as_str().unwrap();
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD
        .decode(next)
        .unwrap();
    assert!(!String::from_utf8_lossy(&bytes).contains("somebody"));
}

#[test]
fn a_malformed_search_names_what_is_wrong() {
    let world = World::new();
    let tenant = world.tenant("strict");
    let wrong = [
        (
            json!({"schemas": [SEARCH], "count": true}),
            "invalidValue",
            "count",
        ),
        (
            json!({"schemas": [SEARCH], "attributes": "userName"}),
            "invalidValue",
            "attributes",
        ),
        (
            json!({"schemas": [SEARCH], "attributes": [1]}),
            "invalidValue",
            "attributes",
        ),
        (
            json!({"schemas": [SEARCH], "filter": 1}),
            "invalidFilter",
            "position",
        ),
        (
            json!({"schemas": [SEARCH], "sortBy": "nothing"}),
            "invalidPath",
            "nothing",
        ),
        (
            json!({"schemas": [SEARCH], "sortOrder": "up"}),
            "invalidValue",
            "sortOrder",
        ),
        (
            json!({"schemas": [SEARCH], "more": 1}),
            "invalidSyntax",
            "more",
        ),
        (json!({"schemas": []}), "invalidSyntax", "SearchRequest"),
        (json!([]), "invalidSyntax", "object"),
    ];
    for (body, scim_type, names) in wrong {
        let answer = tenant.send("POST", "/Users/.search", body);
        answer.expect_scim_error(400, scim_type, names);
    }
}

#[test]
fn me_is_the_user_whose_id_is_the_subject_of_the_token() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let id = tenant.user("ada");
    let other = tenant.user("bob");
    tenant.get("/Me").expect_scim_error(501, "", "/Me");
    let mut claims = world.claims();
    claims.insert("sub".to_owned(), json!(id));
    claims.insert("tenant_id".to_owned(), json!(tenant.id));
    claims.insert("scope".to_owned(), json!("scim:read scim:write"));
    let mine = Tenant {
        world: &world,
        id: tenant.id.clone(),
        token: world.jwt(&claims),
        token_id: String::new(),
    };
    let me = mine.get("/Me");
    me.expect(200);
    assert_eq!(me.body["userName"], "ada");
    assert!(
        me.body["meta"]["location"]
            .as_str()
            .unwrap()
            .ends_with(&format!("/Users/{id}"))
    );
    let patched = mine.patch(
        "/Me",
        json!([{"op": "add", "path": "title", "value": "Countess"}]),
    );
    assert_eq!(patched.expect(200).body["title"], "Countess");
    let body = json!({"userName": "ada.l"});
    assert_eq!(
        mine.send("PUT", "/Me", body).expect(200).body["userName"],
        "ada.l"
    );
    mine.send("DELETE", "/Me", Value::Null).expect(204);
    mine.get("/Me").expect(404);
    tenant.get(&format!("/Users/{other}")).expect(200);
}

#[test]
fn an_empty_parameter_is_as_good_as_none() {
    let world = World::new();
    let tenant = world.tenant("strict");
    let user = tenant.user("ada");
    for query in [
        "attributes=",
        "excludedAttributes=",
        "filter=",
        "sortBy=",
        "startIndex=&count=",
        "cursor=&startIndex=",
    ] {
        let answer = tenant.get(&format!("/Users?{query}"));
        assert_eq!(
            answer.expect(200).body["Resources"][0]["userName"],
            "ada",
            "{query}"
        );
    }
    let answer = tenant.get(&format!(
        "/Users/{user}?attributes=userName&excludedAttributes="
    ));
    assert_eq!(answer.expect(200).body["userName"], "ada");
}
