//! Limits of how often who may ask. The platform counts; here it counts exactly, and never forgets.

use http::Request;
use rollcall::auth::scim_token::ScimToken;
use rollcall::platform::Limit;
use serde_json::{Value, json};

use crate::support::outside::TestEntropy;
use crate::support::{Answer, ORIGIN, Tenant, World};

pub const ADDRESS: &str = "203.0.113.7";

fn limited(limits: &[(Limit, usize)]) -> World {
    let world = World::new();
    world.limiter.limits.borrow_mut().extend(limits.to_vec());
    world
}

/// Counts from nothing again.
pub fn forget(world: &World) {
    world.limiter.counts.borrow_mut().clear();
}

/// A GET with a credential, from an address.
pub fn ask(world: &World, path: &str, credential: &str, address: &str) -> Answer {
    let request = Request::builder()
        .uri(format!("{ORIGIN}{path}"))
        .header("authorization", format!("Bearer {credential}"))
        .header("cf-connecting-ip", address);
    world.send(request.body(Vec::new()).expect("a request"))
}

pub fn users_of(tenant: &Tenant<'_>) -> String {
    format!("{}/Users", tenant.base())
}

/// Tokens that look right and are nobody's.
fn guesses() -> impl Iterator<Item = String> {
    let entropy = TestEntropy::default();
    std::iter::repeat_with(move || {
        let token = ScimToken::generate(&entropy).expect("a token");
        token.reveal().to_owned()
    })
    // The tests' own tokens come from the same numbers.
    .skip(1_000)
}

#[track_caller]
fn expect_too_many(answer: &Answer, retry_after: &str) {
    answer.expect(429);
    assert_eq!(answer.header("retry-after"), retry_after);
    assert!(
        answer.body["detail"]
            .as_str()
            .is_some_and(|detail| detail.contains("too many"))
    );
    assert_eq!(answer.trips(), 0, "it cost a round trip");
}

#[test]
fn a_tenant_that_asks_too_often_is_429_and_others_are_not() {
    let world = World::new();
    let (busy, other) = (world.tenant("compat"), world.tenant("compat"));
    forget(&world);
    world.limiter.limits.borrow_mut().insert(Limit::Tenant, 3);
    for _ in 0..3 {
        busy.get("/Users").expect(200);
    }
    let answer = busy.get("/Users");
    expect_too_many(&answer, "10");
    assert_eq!(
        answer.body["schemas"][0],
        "urn:ietf:params:scim:api:messages:2.0:Error"
    );
    assert_eq!(answer.body["status"], "429");
    let before = world.database.dump();
    expect_too_many(&busy.send("POST", "/Users", json!({"userName": "a"})), "10");
    assert_eq!(world.database.dump(), before);
    let mut claims = world.claims();
    claims.insert("tenant_id".to_owned(), busy.id.clone().into());
    let bound = world.jwt(&claims);
    let answer = world.admin_as(&bound, "GET", "/api/v1/admin/scim-tokens/", Value::Null);
    expect_too_many(&answer, "10");
    assert_eq!(answer.body.as_object().map(serde_json::Map::len), Some(1));
    other.get("/Users").expect(200);
    world
        .admin("GET", "/api/v1/admin/scim-tokens/", Value::Null)
        .expect(200);
}

#[test]
fn a_credential_that_asks_too_often_is_429_and_others_of_its_tenant_are_not() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let body = json!({"tenant_id": tenant.id, "name": "second"});
    let minted = world.admin("POST", "/api/v1/admin/scim-tokens/", body);
    let second = minted.body["data"]["token"]
        .as_str()
        .expect("a token")
        .to_owned();
    forget(&world);
    world
        .limiter
        .limits
        .borrow_mut()
        .insert(Limit::Credential, 2);
    for _ in 0..2 {
        tenant.get("/Users").expect(200);
        world
            .admin("GET", "/api/v1/admin/tenants/", Value::Null)
            .expect(200);
    }
    expect_too_many(&tenant.get("/Users"), "10");
    expect_too_many(
        &world.admin("GET", "/api/v1/admin/tenants/", Value::Null),
        "10",
    );
    ask(&world, &users_of(&tenant), &second, ADDRESS).expect(200);
}

#[test]
fn guessed_tokens_soon_cost_nothing_and_stop_nobody_else() {
    let world = limited(&[(Limit::Failures, 20), (Limit::Address, 200)]);
    let (attacked, neighbour) = (world.tenant("compat"), world.tenant("compat"));
    let mut guesses = guesses();
    let mut guess = |tenant: &Tenant<'_>, address: &str| {
        let token = guesses.next().expect("a token");
        ask(&world, &users_of(tenant), &token, address)
    };
    for _ in 0..20 {
        guess(&attacked, ADDRESS).expect(401);
    }
    guess(&attacked, ADDRESS).expect(429);
    for _ in 0..5 {
        let answer = guess(&attacked, ADDRESS);
        expect_too_many(&answer, "60");
        assert_eq!(answer.body["status"], "429");
    }
    // The tenant's own token goes on from there, and so does a neighbour's, whether the cache knows it or not.
    ask(&world, &users_of(&attacked), &attacked.token, ADDRESS).expect(200);
    ask(&world, &users_of(&neighbour), &neighbour.token, ADDRESS).expect(200);
    world.cache.entries.borrow_mut().clear();
    ask(&world, &users_of(&neighbour), &neighbour.token, ADDRESS).expect(200);
    guess(&attacked, "198.51.100.9").expect(401);
    world.clock.advance_seconds(60);
    forget(&world);
    ask(&world, &users_of(&attacked), &attacked.token, ADDRESS).expect(200);
    guess(&attacked, ADDRESS).expect(401);
}

#[test]
fn guesses_that_change_the_tenant_are_counted_all_the_same() {
    let world = limited(&[(Limit::Failures, 20), (Limit::Address, 50)]);
    for (number, token) in guesses().take(60).enumerate() {
        let path = format!("/api/v1/tenants/t{number}/scim/v2/Users");
        let answer = ask(&world, &path, &token, ADDRESS);
        match number {
            0..50 => assert_eq!(answer.status, 401),
            50 => assert_eq!(answer.status, 429),
            _ => expect_too_many(&answer, "60"),
        }
    }
}

#[test]
fn other_bad_credentials_are_counted_too_and_good_ones_of_the_same_kind_hold() {
    let world = limited(&[(Limit::Failures, 5), (Limit::Address, 200)]);
    let tenant = world.tenant("compat");
    let mut claims = world.claims();
    claims.insert("aud".to_owned(), "somebody else".into());
    let foreign = world.jwt(&claims);
    let paths = [users_of(&tenant), "/api/v1/admin/tenants/".to_owned()];
    for path in paths {
        for bad in [foreign.as_str(), "rcs_short", "nonsense", "a.b.c"] {
            forget(&world);
            for _ in 0..5 {
                ask(&world, &path, bad, ADDRESS).expect(401);
            }
            expect_too_many(&ask(&world, &path, bad, ADDRESS), "60");
        }
        let good = world.jwt(&world.claims());
        ask(&world, &path, &good, ADDRESS).expect(200);
    }
}

#[test]
fn good_tokens_are_never_counted_as_bad_even_where_the_cache_is_down() {
    let world = limited(&[(Limit::Failures, 0), (Limit::Address, 0)]);
    let tenant = world.tenant("compat");
    world.cache.down.set(true);
    for _ in 0..30 {
        ask(&world, &users_of(&tenant), &tenant.token, ADDRESS).expect(200);
    }
}

/// One customer has all of a /64.
#[test]
fn bad_credentials_from_one_network_count_as_one() {
    for (addresses, together) in [
        (
            [
                "2001:db8:1:2::1",
                "2001:db8:1:2:ffff::9",
                "2001:0DB8:0001:0002:0:0:0:7",
            ],
            true,
        ),
        (
            ["2001:db8:1:2::1", "2001:db8:1:3::1", "2001:db8:1:4::1"],
            false,
        ),
        (["203.0.113.7", "::ffff:203.0.113.7", " 203.0.113.7 "], true),
        (["203.0.113.7", "203.0.113.8", "203.0.113.9"], false),
    ] {
        let world = limited(&[(Limit::Address, 2)]);
        let statuses: Vec<u16> = addresses
            .iter()
            .zip(guesses())
            .map(|(address, guess)| ask(&world, "/scim/v2/Users", &guess, address).status)
            .collect();
        let last = if together { 429 } else { 401 };
        assert_eq!(statuses, [401, 401, last], "{addresses:?}");
    }
}

#[test]
fn what_requests_are_counted_by_tells_nothing() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let jwt = world.jwt(&world.claims());
    let guess = guesses().next().expect("a token");
    for credential in [&tenant.token, &jwt, &guess, &"root.a.b".to_owned()] {
        ask(&world, &users_of(&tenant), credential, ADDRESS);
    }
    let counts = world.limiter.counts.borrow();
    let kinds: std::collections::BTreeSet<Limit> = counts.keys().map(|(limit, _)| *limit).collect();
    assert_eq!(kinds.len(), 4);
    for (_, key) in counts.keys() {
        let hash = key.len() == 64 && key.bytes().all(|byte| byte.is_ascii_hexdigit());
        assert!(hash || *key == tenant.id, "{key}");
    }
}

#[test]
fn a_tenant_that_reads_too_many_rows_may_not_scan_and_others_may() {
    let world = World::configured(&[
        ("JWT_LOCAL_SECRET", crate::support::SECRET),
        ("ROWS_PER_MINUTE", "60000"),
    ]);
    let (busy, other) = (world.tenant("compat"), world.tenant("compat"));
    let id = busy.user("ada");
    let group = busy.group("Staff", &[&id]);
    let scans = [
        "/Users?filter=title%20co%20%22x%22",
        "/Users?filter=userName%20ew%20%22a%22&cursor",
        "/Users?filter=userName%20sw%20%22a%22",
        "/Users?sortBy=title",
        "/Groups?filter=members.display%20co%20%22x%22",
        "/?filter=meta.version%20pr",
        "/Users?startIndex=100001",
    ];
    let others = [
        "/Users".to_owned(),
        "/Users?cursor".to_owned(),
        "/Users?startIndex=100000".to_owned(),
        "/Users?sortBy=userName".to_owned(),
        "/Users?filter=userName%20eq%20%22ada%22".to_owned(),
        "/Users?filter=title%20pr%20and%20userName%20eq%20%22ada%22".to_owned(),
        format!("/Users?filter=groups.value%20eq%20%22{group}%22"),
        format!("/Groups?filter=members.value%20eq%20%22{id}%22"),
        format!("/Users/{id}"),
    ];
    for path in scans {
        busy.get(path).expect(200);
    }
    // One statement reads more than a minute's rows.
    world.database.rows_read.set(90_000);
    busy.get(&format!("/Groups/{group}")).expect(200);
    world.database.rows_read.set(0);
    for path in scans {
        let answer = busy.get(path);
        answer.expect_scim_error(429, "", "60000 rows");
        assert_eq!(answer.header("retry-after"), "120", "{path}");
        other.get(path).expect(200);
    }
    let body = json!({"filter": "title pr"});
    busy.send("POST", "/Users/.search", body).expect(429);
    for path in others {
        busy.get(&path).expect(200);
    }
    let title = json!([{"op": "replace", "path": "title", "value": "Lady"}]);
    busy.patch(&format!("/Users/{id}"), title).expect(200);
    world.clock.advance_seconds(60);
    let answer = busy.get(scans[0]);
    assert_eq!(answer.expect(429).header("retry-after"), "60");
    world.clock.advance_seconds(60);
    for path in scans {
        busy.get(path).expect(200);
    }
}

#[test]
fn a_page_far_behind_names_the_same_list_by_cursor() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let id = tenant.user("ada");
    for (path, link) in [
        ("/Users?startIndex=100001", "?cursor="),
        ("/Users?count=5&startIndex=100001", "?count=5&cursor="),
        (
            "/Users?startIndex=200000&filter=userName%20eq%20%22ada%26%3E%22&sortBy=title",
            "?filter=userName+eq+%22ada%26%3E%22&sortBy=title&cursor=",
        ),
        ("/Groups?startIndex=100001&startIndex=7", ""),
        ("/Groups?startIndex=99999999999999", "?cursor="),
        (
            "/?startIndex=100001&attributes=id,displayName",
            "?attributes=id%2CdisplayName&cursor=",
        ),
        ("/Users?startIndex=100000", ""),
        ("/Users?startIndex=1", ""),
        ("/Users", ""),
        ("/Users?cursor", ""),
        ("/Users?startIndex=-100001", ""),
    ] {
        let answer = tenant.get(path);
        let expected = match link {
            "" => String::new(),
            link => format!("<{link}>; rel=\"alternate\""),
        };
        assert_eq!(answer.expect(200).header("link"), expected, "{path}");
        if !link.is_empty() {
            let list = path.split('?').next().expect("a path");
            tenant.get(&format!("{list}{link}")).expect(200);
        }
    }
    let first = tenant.get("/Users?count=5&cursor=");
    assert_eq!(first.body["Resources"][0]["id"], id.as_str());
    // A search has its parameters in its body.
    let body = json!({"startIndex": 100_001});
    let answer = tenant.send("POST", "/Users/.search", body);
    assert_eq!(answer.expect(200).header("link"), "");
}

#[test]
fn as_many_rows_as_the_setting_says_are_no_reason_to_refuse() {
    for (rows, status) in [(19_999, 200), (20_001, 429)] {
        let world = World::configured(&[
            ("JWT_LOCAL_SECRET", crate::support::SECRET),
            ("ROWS_PER_MINUTE", "60000"),
        ]);
        let tenant = world.tenant("compat");
        world.database.rows_read.set(rows);
        // Three statements: the credential, the total and the page.
        let path = "/Users?filter=title%20pr";
        tenant.get(path).expect(200);
        world.database.rows_read.set(0);
        tenant.get(path).expect(status);
    }
}

#[test]
fn the_rows_of_a_minute_are_a_number() {
    use rollcall::config::Config;
    let read = |rows: &str| {
        let rows = rows.to_owned();
        Config::read(move |name| match name {
            "ROWS_PER_MINUTE" => Some(rows.clone()),
            "CURSOR_KEY" | "ENCRYPTION_KEY" => Some(crate::support::ENCRYPTION_KEY.to_owned()),
            _ => None,
        })
        .map(|config| config.rows_per_minute)
    };
    assert_eq!(read(""), Ok(50_000_000.0));
    assert_eq!(read("1"), Ok(1.0));
    for wrong in ["0", "-1", "many", "1.5", "1e6", "99999999999"] {
        assert!(
            read(wrong).is_err_and(|error| error.contains("ROWS_PER_MINUTE")),
            "{wrong}"
        );
    }
}
