//! The OpenAPI document and the page that shows it, as they are served.

use serde_json::json;

use crate::support::described::document;
use crate::support::{Answer, ORIGIN, World};

fn get(world: &World, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = http::Request::builder()
        .method(method)
        .uri(format!("{ORIGIN}{path}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    world.send(request.body(Vec::new()).unwrap())
}

#[test]
fn it_is_served_to_everybody() {
    let world = World::new();
    for path in ["/openapi.json", "/openapi.json/"] {
        let answer = get(&world, "GET", path, &[]);
        assert!(&answer.expect(200).body == document(), "{path}");
    }
    let etag = get(&world, "GET", "/openapi.json", &[])
        .header("etag")
        .to_owned();
    let weak = format!("\"x\", W/{etag}");
    for (tag, status) in [
        (etag.as_str(), 304),
        (&weak, 304),
        ("*", 304),
        ("\"x\"", 200),
    ] {
        let answer = get(&world, "GET", "/openapi.json", &[("if-none-match", tag)]);
        assert_eq!(answer.expect(status).header("etag"), etag);
    }
    let refused = get(&world, "POST", "/openapi.json", &[]);
    assert_eq!(refused.expect(405).header("allow"), "GET");
    assert_eq!(refused.body, json!({"detail": "this path takes GET"}));
}

#[test]
fn its_page_loads_nothing_from_elsewhere_and_is_in_no_frame() {
    let world = World::new();
    for path in ["/docs", "/docs/", "/docs/index.html", "/docs/docs.js"] {
        let answer = get(&world, "GET", path, &[]);
        let policy = answer.expect(200).header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; "), "{policy}");
        for directive in [
            "script-src 'self'",
            "style-src 'self'",
            "connect-src 'self'",
            "frame-ancestors 'none'",
        ] {
            assert!(
                policy.split("; ").any(|part| part == directive),
                "{directive}"
            );
        }
        assert!(!policy.contains("unsafe") && !policy.contains("http"));
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
    }
    let page = get(&world, "GET", "/docs", &[]).body;
    let page = page.as_str().unwrap();
    assert!(
        !page.contains("http:") && !page.contains("https:"),
        "{page}"
    );
    assert!(
        !page.contains("<style") && !page.contains(" style="),
        "{page}"
    );
}

#[test]
fn its_folder_is_all_that_is_served() {
    let world = World::new();
    for name in [
        "nothing.js",
        "..%2fopenapi.json",
        "%2e%2e%2fopenapi.json",
        "..",
        ".hidden.js",
        "index",
        "a%00.js",
        "%2fetc%2fpasswd.js",
        "docs.js%2f",
    ] {
        let answer = get(&world, "GET", &format!("/docs/{name}"), &[]);
        assert_eq!(answer.status, 404, "{name}: {}", answer.body);
    }
}
