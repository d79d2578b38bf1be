//! The log: one line for a request, and in none of them a credential, a secret or anything about a person, whatever was sent and whatever
//! went wrong.

use http::Request;
use rollcall::api::http::reply::Dialect;
use rollcall::api::http::routes::{self, Route};
use serde_json::{Map, Value, json};

use crate::faults::cases::{MARK, Scene};
use crate::support::faults::{BROKEN, Fault, Faults, LOST, Part};
use crate::support::{Answer, ORIGIN, World};

/// What a line says, and nothing else.
const FIELDS: [&str; 14] = [
    "request_id",
    "method",
    "route",
    "tenant",
    "credential",
    "status",
    "scim_type",
    "reason",
    "d1_trips",
    "d1_statements",
    "d1_rows_read",
    "d1_rows_written",
    "duration_ms",
    "error",
];

/// Names that bodies have, in any route; each is given a marked value.
const NAMES: [&str; 34] = [
    "userName",
    "name",
    "displayName",
    "nickName",
    "externalId",
    "title",
    "password",
    "emails",
    "phoneNumbers",
    "addresses",
    "photos",
    "members",
    "schemas",
    "Operations",
    "filter",
    "sortBy",
    "attributes",
    "cursor",
    "tenant_id",
    "id",
    "description",
    "scopes",
    "expires_at",
    "idp_id",
    "overlap_seconds",
    "scim_profile",
    "protocol",
    "oidc_config",
    "saml_config",
    "ldap_config",
    "allowed_domains",
    "attribute_mapping",
    "external_group_id",
    "internal_group_id",
];

/// Every line is a request's own, and tells nothing.
fn check(world: &World, answer: &Answer, route: Option<&Route>, secrets: &[&str]) {
    let lines = world.log.0.take();
    // A body that is read while it is sent, and breaks off, has one more.
    let is_broken_off = lines
        .get(1)
        .is_some_and(|more| more.starts_with("{\"export\":"));
    assert_eq!(lines.len(), 1 + usize::from(is_broken_off), "{lines:?}");
    let line = lines.first().expect("a line");
    for secret in secrets.iter().chain([&MARK]) {
        assert!(lines.iter().all(|line| !line.contains(secret)), "{lines:?}");
    }
    let fields: Map<String, Value> = serde_json::from_str(line).expect("a JSON object");
    assert!(fields.keys().eq(FIELDS), "{line}");
    assert_eq!(fields["request_id"], answer.header("x-request-id"));
    assert_eq!(fields["status"], answer.status);
    if let Some(route) = route {
        assert_eq!(fields["route"], route.pattern);
    }
}

/// Bodies with marks in every place: of the right form, of the wrong one, and no JSON at all.
fn bodies() -> Vec<Vec<u8>> {
    let text = |value: &dyn Fn(&str) -> Value| {
        let object: Map<String, Value> = NAMES
            .iter()
            .map(|name| ((*name).to_owned(), value(name)))
            .collect();
        Value::Object(object).to_string().into_bytes()
    };
    let long = format!("{{\"userName\":\"{}\"}}", MARK.repeat(200_000));
    let mut bodies = vec![
        text(&|_| MARK.into()),
        text(&|_| json!([MARK])),
        text(&|_| json!({MARK: MARK, "value": MARK})),
        text(&|name| json!({name: [{"value": MARK, MARK: {MARK: [MARK]}}]})),
        text(
            &|_| json!([{"op": "replace", "path": format!("emails[value eq \"{MARK}\"]"), "value": {MARK: MARK}}]),
        ),
        text(
            &|_| json!([{"method": "POST", "path": format!("/Users/{MARK}"), "bulkId": MARK, "data": {"userName": MARK}}]),
        ),
        format!("{{\"{MARK}\": \"{MARK}\", \"{MARK}\": 1}}").into_bytes(),
        format!("{{\"userName\": {MARK}").into_bytes(),
        format!("\"{MARK}\"").into_bytes(),
        MARK.as_bytes().to_vec(),
        long.into_bytes(),
        Vec::new(),
    ];
    bodies.push([MARK.as_bytes(), b"\xff\xfe"].concat());
    bodies
}

fn path_of(route: &Route, param: impl Fn(&str) -> String) -> String {
    let parts = route.pattern.split('/').map(|part| {
        let name = part.strip_prefix(':');
        name.map_or(part.to_owned(), &param)
    });
    parts.collect::<Vec<_>>().join("/")
}

/// Marked parameters of every kind; of an administrator's route those that it takes, and others where it is to refuse them.
fn query(route: &Route, refused: bool) -> String {
    let mark = format!("userName%20eq%20%22{MARK}%22");
    let mut names = vec![
        "filter",
        "sortBy",
        "sortOrder",
        "attributes",
        "excludedAttributes",
        "startIndex",
        "count",
        "cursor",
        "page",
        "per_page",
        "search",
        "tenant_id",
        MARK,
    ];
    if !refused && route.dialect == Dialect::Admin {
        names = route.parameters.to_vec();
    }
    let pairs: Vec<String> = names.iter().map(|name| format!("{name}={mark}")).collect();
    pairs.join("&")
}

#[test]
fn no_request_leaves_a_trace_of_what_it_says() {
    let mut world = World::new();
    let scene = Scene::set(&world, "compat");
    let jwt = world.jwt(&world.claims());
    let (head, signature) = jwt.rsplit_once('.').expect("a signature");
    let forged = format!("{head}.{}{MARK}", &signature[..20]);
    let token = scene.token().to_owned();
    let nobodys = format!("rcs_{MARK}{}", "a".repeat(40));
    let faults = Faults::install(&mut world);
    world.log.0.borrow_mut().clear();
    let credentials = [
        format!("Bearer {token}"),
        format!("Bearer {jwt}"),
        format!("Bearer {forged}"),
        format!("Bearer {nobodys}"),
        format!("Basic {MARK}"),
        MARK.to_owned(),
        format!("Bearer {MARK}.{MARK}.{MARK}"),
    ];
    let secrets = [token.as_str(), jwt.as_str(), signature];
    let mut sent = 0;
    for route in routes::all() {
        for credential in &credentials {
            for body in bodies() {
                for marked_path in [true, false] {
                    let path = path_of(&route, |name| match (name, marked_path) {
                        ("tenant_id", false) => scene.tenant().to_owned(),
                        (_, false) => "0197b1a2-0000-7000-8000-000000000000".to_owned(),
                        _ => format!("{MARK}%20{MARK}"),
                    });
                    let request = Request::builder()
                        .method(&route.method)
                        .uri(format!("{ORIGIN}{path}?{}", query(&route, marked_path)))
                        .header("authorization", credential)
                        .header("content-type", "application/json")
                        .header("if-match", format!("W/\"{MARK}\""))
                        .header("cookie", MARK)
                        .header("x-request-id", MARK)
                        .header("user-agent", MARK);
                    let answer = world.send(request.body(body.clone()).expect("a request"));
                    assert!(
                        answer.status < 500,
                        "{} {path}: {}",
                        route.method,
                        answer.body
                    );
                    check(&world, &answer, Some(&route), &secrets);
                    sent += 1;
                }
            }
        }
    }
    // Nor has the journal a credential, whatever it keeps of requests.
    let kept = world.database.dump_text();
    assert!(kept.contains(MARK) && !secrets.iter().any(|secret| kept.contains(secret)));
    // What works, and what fails at the database.
    world.databases.save();
    for case in scene.all() {
        faults.arm(None);
        let answer = world.send(case.request.clone());
        check(&world, &answer, None, &secrets);
        for (number, part) in faults.calls().into_iter().enumerate() {
            if part != Part::Database {
                continue;
            }
            for fault in [Fault::Says(BROKEN), Fault::Says(LOST)] {
                world.databases.restore();
                faults.arm(Some((number, fault)));
                let answer = world.send(case.request.clone());
                check(&world, &answer, None, &secrets);
                sent += 1;
            }
        }
        world.databases.restore();
    }
    for path in [
        format!("/{MARK}"),
        format!("/scim/v2/{MARK}"),
        format!("/scim/v2/Users/{MARK}/{MARK}"),
    ] {
        let request = Request::builder().uri(format!("{ORIGIN}{path}"));
        let answer = world.send(request.body(Vec::new()).expect("a request"));
        answer.expect(404);
        check(&world, &answer, None, &secrets);
    }
    println!("{sent} requests");
}
