//! Administrators' JWTs (API.md §1): whose signature counts, which claims hold, what a refusal tells. Every refusal is the
//! same 401, so that it helps nobody to find out what is wrong with a forged token.

mod claims;
mod forgeries;
mod keys;
mod rotation;
mod scopes;

use http::Request;
use serde_json::{Value, json};

use crate::support::{Answer, ORIGIN, World};

const TENANTS: &str = "/api/v1/admin/tenants";

/// A list that needs the scope `tenants:read` and nothing else.
fn list(world: &World, token: &str) -> Answer {
    world.admin_as(token, "GET", TENANTS, Value::Null)
}

#[track_caller]
fn expect_accepted(world: &World, token: &str) {
    list(world, token).expect(200);
}

/// The one refusal there is.
#[track_caller]
fn expect_refused(world: &World, token: &str) {
    let answer = list(world, token);
    answer.expect(401);
    assert_eq!(
        answer.header("www-authenticate"),
        "Bearer error=\"invalid_token\""
    );
    assert_eq!(
        answer.body,
        json!({"detail": "the credential is not valid, or not valid any more"})
    );
    assert_eq!(
        answer.trips(),
        0,
        "a refused token costs nothing at the database"
    );
}

/// A request with that `Authorization` header, or without one.
fn with_header(world: &World, header: Option<&str>) -> Answer {
    let mut request = Request::builder().uri(format!("{ORIGIN}{TENANTS}"));
    if let Some(header) = header {
        request = request.header("authorization", header);
    }
    world.send(request.body(Vec::new()).expect("a request"))
}

#[test]
fn a_request_without_a_header_is_asked_for_a_bearer_token() {
    let world = World::new();
    let answer = with_header(&world, None);
    answer.expect(401);
    assert_eq!(answer.header("www-authenticate"), "Bearer");
    assert!(
        answer.body["detail"]
            .as_str()
            .expect("a detail")
            .contains("Authorization")
    );
}

#[test]
fn other_schemes_and_bare_tokens_are_refused_on_admin_routes() {
    let world = World::new();
    let token = world.jwt(&world.claims());
    for header in [
        format!("Basic {token}"),
        format!("Token {token}"),
        token.clone(),
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        String::new(),
    ] {
        with_header(&world, Some(&header)).expect(401);
    }
    with_header(&world, Some(&format!("bearer {token}"))).expect(200);
}

#[test]
fn garbage_is_refused() {
    let world = World::new();
    let good = world.jwt(&world.claims());
    let (signed, signature) = good.rsplit_once('.').expect("a signature");
    let (header, claims) = signed.split_once('.').expect("claims");
    for token in [
        "x",
        ".",
        "..",
        "...",
        "a.b.c",
        "null",
        "{}",
        header,
        signed,
        &format!("{signed}."),
        &format!("{header}..{signature}"),
        &format!(".{claims}.{signature}"),
        &format!("{good}.{signature}"),
        &format!("{good}="),
        &format!("{signed}.{}", signature.to_uppercase()),
        &format!("{signed}.{}", &signature[..signature.len() - 2]),
        &format!("{header}.{header}.{signature}"),
        &good.replace('.', "%2E"),
    ] {
        expect_refused(&world, token);
    }
}

#[test]
fn a_token_of_more_than_8_kib_is_refused_and_a_shorter_one_is_read() {
    let world = World::new();
    let padded = |length: usize| {
        let mut claims = world.claims();
        claims.insert("padding".to_owned(), "x".repeat(length).into());
        world.jwt(&claims)
    };
    let (short, long) = (padded(5_500), padded(6_500));
    assert!(
        short.len() < 8_192 && long.len() > 8_192,
        "{} {}",
        short.len(),
        long.len()
    );
    expect_accepted(&world, &short);
    expect_refused(&world, &long);
}

#[test]
fn a_scim_token_opens_no_admin_route() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let answer = list(&world, &tenant.token);
    let detail = answer.expect(401).body["detail"]
        .as_str()
        .expect("a detail");
    assert!(detail.contains("SCIM token"), "{detail}");
    assert_eq!(answer.trips(), 0);
}

#[test]
fn without_a_key_every_token_is_refused() {
    let world = World::configured(&[]);
    expect_refused(&world, &world.jwt(&world.claims()));
}
