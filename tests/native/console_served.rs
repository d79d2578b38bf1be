//! The administrator's page, as it is served: its headers, and what it is told of the issuer.

use serde_json::{Value, json};

use crate::support::{AUDIENCE, Answer, ORIGIN, SECRET, World};

fn get(world: &World, path: &str) -> Answer {
    let request = http::Request::get(format!("{ORIGIN}{path}"));
    world.send(request.body(Vec::new()).unwrap())
}

fn connects(answer: &Answer) -> String {
    let policy = answer.header("content-security-policy");
    let of = |part: &str| part.trim().strip_prefix("connect-src ").map(str::to_owned);
    policy.split(';').find_map(of).expect("connect-src")
}

#[test]
fn it_may_ask_this_service_and_the_issuer_and_loads_nothing_from_elsewhere() {
    let table = [
        // issuer, client, what it may ask
        (
            "https://login.example.com/realms/ops",
            Some("console"),
            "'self' https://login.example.com",
        ),
        (
            "https://login.example.com:8443",
            Some("console"),
            "'self' https://login.example.com:8443",
        ),
        (
            "http://127.0.0.1:9000/",
            Some("console"),
            "'self' http://127.0.0.1:9000",
        ),
        ("https://login.example.com/realms/ops", None, "'self'"),
        ("https://login.example.com/realms/ops", Some(""), "'self'"),
        ("rollcall", Some("console"), "'self'"),
        ("https://x;script-src *", Some("console"), "'self'"),
        ("https://x;y", Some("console"), "'self'"),
        ("https://a@b.example", Some("console"), "'self'"),
    ];
    for (issuer, client, asks) in table {
        let mut variables = vec![("JWT_LOCAL_SECRET", SECRET), ("JWT_ISSUER", issuer)];
        variables.extend(client.map(|client| ("CONSOLE_CLIENT_ID", client)));
        let world = World::configured(&variables);
        for path in ["/console", "/console/", "/console/index.html"] {
            let answer = get(&world, path);
            assert_eq!(connects(answer.expect(200)), asks, "{issuer} {path}");
            let policy = answer.header("content-security-policy");
            for part in [
                "default-src 'none'",
                "script-src 'self'",
                "style-src 'self'",
                "img-src 'self' data:",
                "frame-ancestors 'none'",
                "base-uri 'none'",
                "form-action 'none'",
            ] {
                assert!(
                    policy.split("; ").any(|own| own == part),
                    "{part}: {policy}"
                );
            }
            assert!(!policy.contains("unsafe"), "{policy}");
            assert_eq!(answer.header("x-content-type-options"), "nosniff");
            assert_eq!(answer.header("referrer-policy"), "no-referrer");
        }
    }
}

#[test]
fn it_is_told_where_people_sign_in() {
    let of = |variables: &[(&str, &str)]| {
        let all = [&[("JWT_LOCAL_SECRET", SECRET)], variables].concat();
        get(&World::configured(&all), "/console/settings.json")
            .expect(200)
            .body
            .clone()
    };
    let plain = of(&[]);
    assert_eq!(plain["client_id"], Value::Null);
    assert_eq!(plain["local_development"], json!(false));
    let told = of(&[
        ("JWT_ISSUER", "https://login.example.com/realms/ops"),
        ("CONSOLE_CLIENT_ID", "console"),
        ("CONSOLE_SCOPE", "openid tenants:read platform"),
        ("LOCAL_DEVELOPMENT", "on"),
    ]);
    let expected = json!({
        "issuer": "https://login.example.com/realms/ops", "client_id": "console", "scope": "openid tenants:read platform",
        "audience": AUDIENCE, "access": false, "local_development": true,
    });
    assert_eq!(told, expected);
    assert_eq!(
        of(&[("CONSOLE_CLIENT_ID", "console")])["scope"],
        "openid admin"
    );
}

#[test]
fn its_folder_is_all_that_is_served() {
    let world = World::new();
    for name in [
        "nothing.js",
        "..%2fopenapi.json",
        "..",
        ".hidden.js",
        "index",
        "a%00.js",
        "settings.json%2f",
        "console.css%2f..",
    ] {
        assert_eq!(
            get(&world, &format!("/console/{name}")).status,
            404,
            "{name}"
        );
    }
}
