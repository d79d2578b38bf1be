//! Credentials that are no whole token say so, by their form alone.

use http::Request;
use http::header::HeaderValue;

use serde_json::{Value, json};

use super::mint;
use crate::support::{Answer, ORIGIN, World};

fn ask(world: &World, path: &str, header: &[u8]) -> Answer {
    let value = HeaderValue::from_bytes(header).expect("a header");
    let request = Request::get(format!("{ORIGIN}{path}")).header("authorization", value);
    world.send(request.body(Vec::new()).expect("a request"))
}

#[test]
fn a_credential_that_is_no_whole_token_says_why() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let token = tenant.token.as_str();
    let hint = &token[..8];
    let wrong = format!(
        "{}{}",
        &token[..52],
        if token.ends_with('x') { 'y' } else { 'x' }
    );
    let gets = world.cache.gets.get();
    for (header, names) in [
        (format!("Bearer {}", &token[..52]), "missing"),
        (format!("Bearer {}", &token[..20]), "missing"),
        (format!("Bearer {token}x"), "more than"),
        (format!("Bearer {token}{token}"), "more than"),
        (format!("Bearer {wrong}"), "checksum"),
        (wrong, "checksum"),
        (format!("Bearer \"{token}\""), "quotes"),
        (format!("Bearer '{token}'"), "quotes"),
        (format!("Bearer {token}\""), "quotes"),
        (format!("\"{token}\""), "quotes"),
        (format!("\"Bearer {token}\""), "quotes"),
        (format!("Bearer “{token}”"), "quotes"),
        (format!("‘{token}’"), "quotes"),
        (format!("Bearer {hint}…"), "hint"),
        (format!("{hint}…"), "hint"),
        (format!("Bearer {hint}..."), "hint"),
        (format!("Bearer {hint}"), "hint"),
        (format!("Bearer Bearer {token}"), "twice"),
        (format!("bearer  BEARER {token}"), "twice"),
        ("Bearer".to_owned(), "no token follows"),
        ("Bearer ".to_owned(), "is empty, perhaps"),
        ("bearer  ".to_owned(), "no token follows"),
        ("Bearer <token>".to_owned(), "placeholder"),
        ("Bearer <your token>".to_owned(), "placeholder"),
        ("<token>".to_owned(), "placeholder"),
        (format!("Bearer <{token}>"), "placeholder"),
        ("Bearer $TOKEN".to_owned(), "variable"),
        ("Bearer ${TOKEN}".to_owned(), "variable"),
        (format!("Basic {token}"), "Bearer"),
        (format!("Token {token}"), "Bearer"),
        ("Basic dXNlcjpwYXNzd29yZA==".to_owned(), "Bearer"),
    ] {
        for path in ["/scim/v2/Users", &format!("{}/Users", tenant.base())] {
            let answer = ask(&world, path, header.as_bytes());
            answer.expect_scim_error(401, "", "not valid: ");
            let detail = answer.body["detail"].as_str().expect("a detail");
            assert!(detail.contains(names), "{header}: {detail}");
            assert!(!detail.contains(&token[4..12]), "{detail}");
            assert_eq!(
                answer.header("www-authenticate"),
                "Bearer error=\"invalid_token\""
            );
            assert_eq!(
                (answer.trips(), world.cache.gets.get()),
                (0, gets),
                "{header}"
            );
        }
    }
    for header in [
        format!("Bearer {token}"),
        format!("Bearer {}", &token[..30]),
    ] {
        let answer = ask(&world, "/api/v1/admin/tenants", header.as_bytes());
        let detail = answer.expect(401).body["detail"]
            .as_str()
            .expect("a detail");
        assert!(detail.contains("SCIM token"), "{detail}");
        assert_eq!(answer.trips(), 0);
    }
    let jwt = world.jwt(&world.claims());
    for (header, names) in [
        ("Bearer".to_owned(), "no token follows"),
        ("Bearer ".to_owned(), "is empty, perhaps"),
        ("Bearer <token>".to_owned(), "placeholder"),
        (
            "Bearer <an administrator's token>".to_owned(),
            "placeholder",
        ),
        ("Bearer $ADMIN".to_owned(), "variable"),
        (format!("\"{jwt}\""), "quotes"),
        (format!("\"Bearer {jwt}\""), "quotes"),
        (format!("Bearer “{jwt}”"), "quotes"),
    ] {
        let answer = ask(&world, "/api/v1/admin/tenants", header.as_bytes());
        let detail = answer.expect(401).body["detail"].to_string();
        assert!(detail.contains(names), "{detail}");
    }
}

/// What a line of the log says of a refusal.
fn line(answer: &Answer) -> Value {
    serde_json::from_str(&answer.log).expect("a line")
}

#[test]
fn the_log_says_whose_request_was_refused_and_why() {
    let world = World::new();
    let (tenant, other) = (world.tenant("compat"), world.tenant("compat"));
    let hint = format!("{}…", &tenant.token[..8]);
    let id = format!("scim-token:{}", tenant.token_id);
    // Whose it is was found out.
    let answer = tenant.get("/Users?filter=private%20eq%201");
    let refused = line(&answer);
    assert_eq!(
        (
            &refused["tenant"],
            &refused["credential"],
            &refused["scim_type"]
        ),
        (&json!(tenant.id), &json!(id), &answer.body["scimType"])
    );
    let reason = refused["reason"].as_str().expect("a reason");
    assert!(reason.contains(".rs:"), "{reason}");
    // Another value is the same reason, another sentence is another one.
    let again = line(&tenant.get("/Users?filter=another%20eq%202"));
    assert_eq!(again["reason"], reason);
    let missing = line(&tenant.get("/Users/0197b1a2-0000-7000-8000-000000000000"));
    assert_ne!(missing["reason"], reason);
    assert_eq!(missing["scim_type"], Value::Null);
    // Another tenant's URL is what the line names, and the credential that tried it.
    let path = format!("{}/Users", other.base());
    let foreign = line(&ask(
        &world,
        &path,
        format!("Bearer {}", tenant.token).as_bytes(),
    ));
    assert_eq!(
        (&foreign["tenant"], &foreign["credential"]),
        (&json!(other.id), &json!(id))
    );
    // Nothing is known but the first characters.
    let cut = format!("Bearer {}", &tenant.token[..40]);
    let cut = line(&ask(&world, &path, cut.as_bytes()));
    assert_eq!(
        (&cut["tenant"], &cut["credential"]),
        (&json!(other.id), &json!(hint))
    );
    // Of a JWT's subject the line has a pseudonym, the same each time.
    let denied = |sub: &str| {
        let mut claims = world.claims();
        claims.insert("sub".to_owned(), sub.into());
        claims.insert("scope".to_owned(), "audit:read".into());
        line(&world.admin_as(
            &world.jwt(&claims),
            "GET",
            "/api/v1/admin/tenants",
            Value::Null,
        ))
    };
    let (first, second) = (denied("ada@example.com"), denied("bob@example.com"));
    assert_eq!(first["credential"], denied("ada@example.com")["credential"]);
    assert_ne!(first["credential"], second["credential"]);
    assert!(
        first["credential"]
            .as_str()
            .is_some_and(|name| name.starts_with("jwt:"))
    );
    // What was done has no reason.
    let done = line(&tenant.get("/Users"));
    assert_eq!(
        (&done["reason"], &done["credential"]),
        (&Value::Null, &json!(id))
    );
}

#[test]
fn rotating_a_paused_token_gives_a_live_one() {
    let world = World::new();
    let tenant = world.tenant("compat");
    for overlap in [0, 60] {
        let mut paused = mint(&tenant, json!({}));
        super::update(&paused, json!({"is_active": false})).expect(200);
        paused.get("/Users").expect(401);
        let path = format!("{}/rotate", super::path_of(&paused));
        let rotated = world.admin("POST", &path, json!({"overlap_seconds": overlap}));
        assert_eq!(rotated.expect(201).body["data"]["is_active"], true);
        paused.get("/Users").expect(401);
        paused.token = rotated.body["data"]["token"]
            .as_str()
            .expect("a token")
            .to_owned();
        paused.get("/Users").expect(200);
    }
}
