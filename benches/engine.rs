//! How long the pure parts of a request take natively: `cargo bench`. What a request costs as a whole, in the runtime, `npm run bench`
//! tells; here is where its own share of that goes.

#![allow(clippy::expect_used, reason = "outside of the worker")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use rollcall::auth::scim_token::ScimToken;
use rollcall::platform::Entropy;
use rollcall::scim::body;
use rollcall::scim::budget::Budget;
use rollcall::scim::filter::parse::parse;
use rollcall::scim::filter::resolve::resolve;
use rollcall::scim::patch;
use rollcall::scim::profile::Profile;
use rollcall::scim::projection::Projection;
use rollcall::scim::render::Stored;
use rollcall::scim::resource::Resource;
use rollcall::scim::schema::USERS;
use rollcall::scim::version::Version;
use rollcall::store::Params;
use rollcall::store::filter;
use serde_json::{Value, json};

const PROFILE: Profile = Profile::Compat;
const BASE: &str =
    "https://scim.example.com/api/v1/tenants/01900000-0000-7000-8000-000000000000/scim/v2";

/// A user as identity providers send them.
fn body() -> Value {
    json!({
        "schemas": [
            "urn:ietf:params:scim:schemas:core:2.0:User",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
        ],
        "userName": "ada.lovelace@example.com",
        "externalId": "00u1a2b3c4d5e6f7g8h9",
        "name": {"givenName": "Ada", "familyName": "Lovelace", "formatted": "Ada Lovelace"},
        "displayName": "Ada Lovelace",
        "active": true,
        "title": "Engineer",
        "locale": "en-GB",
        "emails": [
            {"type": "work", "value": "ada.lovelace@example.com", "primary": true},
            {"type": "home", "value": "ada@example.org"},
        ],
        "phoneNumbers": [{"type": "work", "value": "tel:+44-20-5555-0100"}],
        "addresses": [{"type": "work", "streetAddress": "12 St James's Square", "locality": "London", "country": "GB"}],
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {
            "employeeNumber": "1815",
            "department": "Analytical Engines",
            "manager": {"value": "01900000-1000-7000-8000-000000000001"},
        },
    })
}

fn user() -> Resource {
    body::read(USERS.plain(), body(), PROFILE, &Budget::default()).expect("a user")
}

fn filters(c: &mut Criterion) {
    let texts = [
        ("a look-up", r#"userName eq "ada.lovelace@example.com""#),
        (
            "six terms",
            r#"active eq true and (emails[type eq "work" and value co "@example.com"] or displayName sw "Ada") and not (title pr and meta.lastModified gt "2026-01-01T00:00:00Z")"#,
        ),
    ];
    for (name, text) in texts {
        c.bench_function(&format!("filter, {name}: parse"), |b| {
            b.iter(|| parse(black_box(text), PROFILE).expect("a filter"));
        });
        c.bench_function(&format!("filter, {name}: parse and compile to SQL"), |b| {
            b.iter(|| {
                let parsed = parse(black_box(text), PROFILE).expect("a filter");
                let predicate = resolve(&parsed, USERS.plain(), &[], PROFILE).expect("a predicate");
                let mut params = Params::new(Vec::new());
                filter::select(&USERS, &predicate, &mut params)
            });
        });
    }
}

fn patches(c: &mut Criterion) {
    let operation = |path: &str, value: Value| {
        json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{"op": "Replace", "path": path, "value": value}],
        })
    };
    let bodies = [
        ("active", operation("active", json!("False"))),
        (
            "an e-mail by a filter",
            operation(
                r#"emails[type eq "work"].value"#,
                json!("lovelace@example.com"),
            ),
        ),
    ];
    let before = user();
    for (name, body) in bodies {
        c.bench_function(&format!("patch, {name}: parse and apply"), |b| {
            b.iter(|| {
                let operations =
                    patch::parse(body.clone(), USERS.plain(), "7", PROFILE).expect("a PATCH");
                let mut after = before.clone();
                patch::apply(
                    &operations,
                    USERS.plain(),
                    &mut after,
                    PROFILE,
                    &Budget::default(),
                )
                .expect("it applies");
                after
            });
        });
    }
}

fn resources(c: &mut Criterion) {
    let text = body().to_string();
    c.bench_function("user: read a body", |b| {
        b.iter(|| {
            let body = rollcall::json::parse(black_box(text.as_bytes())).expect("JSON");
            body::read(USERS.plain(), body, PROFILE, &Budget::default()).expect("a user")
        });
    });
    let resource = user();
    c.bench_function("user: write what is stored", |b| {
        b.iter(|| black_box(&resource).to_stored(&USERS));
    });
    c.bench_function("user: write what filters look at", |b| {
        b.iter(|| black_box(&resource).to_keys(USERS.plain()));
    });
    let stored = resource.to_stored(&USERS);
    c.bench_function("user: read what is stored", |b| {
        b.iter(|| Resource::from_stored(black_box(&stored)).expect("a user"));
    });
    let found = Stored {
        id: "01900000-1000-7000-8000-00000000000a".to_owned(),
        version: Version(7),
        created: 1_700_000_000_000,
        modified: 1_700_000_000_000,
        resource: stored,
        memberships: Some("[]".to_owned()),
        ..Stored::bare(&USERS)
    };
    let whole = Projection::default_set(USERS.plain());
    c.bench_function("user: reply", |b| {
        b.iter(|| black_box(&found).to_json(BASE, &whole));
    });
    let names = ["userName".to_owned(), "emails.value".to_owned()];
    let some = Projection::new(USERS.plain(), Some(&names), None, PROFILE).expect("a projection");
    c.bench_function("user: reply with two attributes", |b| {
        b.iter(|| black_box(&found).to_json(BASE, &some));
    });
}

struct Fixed;

impl Entropy for Fixed {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), String> {
        buffer.fill(0x5a);
        Ok(())
    }
}

fn tokens(c: &mut Criterion) {
    let token = ScimToken::generate(&Fixed).expect("a token");
    let text = token.reveal().to_owned();
    c.bench_function("token: check and hash", |b| {
        b.iter(|| ScimToken::parse(black_box(&text)).expect("a token").hash());
    });
}

criterion_group!(benches, filters, patches, resources, tokens);
criterion_main!(benches);
