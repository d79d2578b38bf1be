//! How a request comes: encoded, with a mark of its byte order, by a path that is nearly right, without TLS, for another host.

use http::Request;
use miniz_oxide::deflate::{compress_to_vec, compress_to_vec_zlib};
use serde_json::{Value, json};

use crate::support::{Answer, ORIGIN, Tenant, World};

fn gzip(body: &[u8], flags: u8) -> Vec<u8> {
    let mut packed = vec![0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 255];
    if flags & 4 != 0 {
        packed.extend([3, 0, b'a', b'b', b'c']);
    }
    if flags & 8 != 0 {
        packed.extend(b"body.json\0");
    }
    if flags & 16 != 0 {
        packed.extend(b"a comment\0");
    }
    if flags & 2 != 0 {
        packed.extend([1, 2]);
    }
    packed.extend(compress_to_vec(body, 6));
    packed.extend([0; 4]);
    packed.extend(u32::try_from(body.len()).expect("a length").to_le_bytes());
    packed
}

fn zlib(body: &[u8]) -> Vec<u8> {
    compress_to_vec_zlib(body, 6)
}

fn raw(body: &[u8]) -> Vec<u8> {
    compress_to_vec(body, 6)
}

fn named(name: &str) -> Vec<u8> {
    let schemas = ["urn:ietf:params:scim:schemas:core:2.0:User"];
    json!({"schemas": schemas, "userName": name})
        .to_string()
        .into_bytes()
}

fn post(tenant: &Tenant<'_>, coding: &str, body: Vec<u8>) -> Answer {
    let request = tenant
        .request("POST", "/Users")
        .header("content-type", "application/scim+json")
        .header("content-encoding", coding);
    tenant.world.send(request.body(body).expect("a request"))
}

#[test]
fn an_encoded_body_is_read_as_what_was_encoded() {
    for profile in ["compat", "strict"] {
        let world = World::new();
        let tenant = world.tenant(profile);
        let body = |number: usize| named(&format!("u{number}"));
        let cases = [
            ("gzip", gzip(&body(0), 0)),
            ("GZIP", gzip(&body(1), 0)),
            ("x-gzip", gzip(&body(2), 8)),
            ("gzip", gzip(&body(3), 2 | 4 | 8 | 16)),
            ("deflate", zlib(&body(4))),
            ("deflate", raw(&body(5))),
            ("identity", body(6)),
            ("", body(7)),
            ("identity, gzip", gzip(&body(8), 0)),
            ("deflate, gzip", gzip(&zlib(&body(9)), 0)),
            ("gzip , deflate", zlib(&gzip(&body(10), 0))),
        ];
        for (number, (coding, body)) in cases.into_iter().enumerate() {
            let answer = post(&tenant, coding, body);
            assert_eq!(
                answer.expect(201).body["userName"],
                format!("u{number}"),
                "{coding}"
            );
        }
    }
}

#[test]
fn another_coding_is_415_and_says_which_are_taken() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let before = world.database.dump();
    for coding in [
        "br",
        "zstd",
        "compress",
        "gzip, br",
        "aes128gcm",
        "gzip,gzip,gzip,gzip",
        "*",
    ] {
        let answer = post(&tenant, coding, named("a"));
        answer.expect_scim_error(415, "", "gzip, deflate");
        assert_eq!(answer.header("accept-encoding"), "gzip, deflate, identity");
    }
    assert_eq!(world.database.dump(), before);
}

#[test]
fn what_is_not_what_its_coding_says_is_400() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let whole = gzip(&named("a"), 0);
    let mut other_length = whole.clone();
    *other_length.last_mut().expect("a byte") = 1;
    let cut = |length: usize| whole[..length].to_vec();
    for (coding, body) in [
        ("gzip", named("a")),
        ("gzip", b"\x1f\x8b".to_vec()),
        ("gzip", zlib(&named("a"))),
        ("gzip", cut(9)),
        ("gzip", cut(whole.len() - 9)),
        ("gzip", other_length.clone()),
        ("gzip", gzip(b"", 4)[..11].to_vec()),
        ("deflate", named("a")),
        ("deflate", whole.clone()),
        ("deflate", zlib(&named("a"))[..20].to_vec()),
        ("deflate, gzip", whole.clone()),
    ] {
        post(&tenant, coding, body).expect_scim_error(400, "invalidSyntax", "Content-Encoding");
    }
    post(&tenant, "gzip", gzip(b"{", 0)).expect_scim_error(400, "invalidSyntax", "JSON");
    let request = Request::post(format!("{ORIGIN}/api/v1/admin/tenants/"))
        .header(
            "authorization",
            format!("Bearer {}", world.jwt(&world.claims())),
        )
        .header("content-type", "application/json")
        .header("content-encoding", "gzip");
    world
        .send(request.body(named("a")).expect("a request"))
        .expect(422);
}

#[test]
fn a_body_is_as_long_as_what_comes_out_of_it() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let long = |length: usize| {
        let mut body = named("long");
        body.resize(length, b' ');
        body
    };
    let most = rollcall::api::MAX_BODY_BYTES;
    for (coding, pack) in [
        (
            "gzip",
            &(|body: &[u8]| gzip(body, 0)) as &dyn Fn(&[u8]) -> Vec<u8>,
        ),
        ("deflate", &zlib),
        ("deflate", &raw),
        ("deflate, gzip", &|body: &[u8]| gzip(&zlib(body), 0)),
    ] {
        post(&tenant, coding, pack(&long(most + 1))).expect_scim_error(413, "", "decoded");
        // A bomb: 64 MiB out of 64 KiB, and that packed again.
        post(&tenant, coding, pack(&long(most * 64))).expect_scim_error(413, "", "decoded");
    }
    post(&tenant, "gzip", gzip(&long(most), 0)).expect(201);
}

#[test]
fn a_byte_order_mark_is_passed_over() {
    let world = World::new();
    let tenant = world.tenant("strict");
    let marked = [b"\xef\xbb\xbf".as_slice(), &named("marked")].concat();
    post(&tenant, "identity", marked.clone()).expect(201);
    post(&tenant, "gzip", gzip(b"\xef\xbb\xbf", 0)).expect_scim_error(
        400,
        "invalidSyntax",
        "empty",
    );
    let twice = [b"\xef\xbb\xbf".as_slice(), &marked].concat();
    post(&tenant, "identity", twice).expect_scim_error(400, "invalidSyntax", "JSON");
}

fn get(world: &World, uri: &str, token: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::get(uri).header("authorization", format!("Bearer {token}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    world.send(request.body(Vec::new()).expect("a request"))
}

#[test]
fn slashes_that_follow_each_other_are_one() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let user = tenant.user("ada");
    let base = tenant.base();
    for path in [
        format!("{base}//Users/{user}"),
        format!("{base}/Users//{user}"),
        format!("/{base}/Users/{user}//"),
        format!("//scim/v2///Users/{user}"),
        format!("/scim/v2//Users/{user}/"),
    ] {
        let answer = get(&world, &format!("{ORIGIN}{path}"), &tenant.token, &[]);
        let location = answer.expect(200).body["meta"]["location"]
            .as_str()
            .expect("a location");
        let known = [&*base, "/scim/v2"].map(|base| format!("{ORIGIN}{base}/Users/{user}"));
        assert!(
            known.iter().any(|known| known == location),
            "{path}: {location}"
        );
    }
    let listed = get(
        &world,
        &format!("{ORIGIN}{base}//Users"),
        &tenant.token,
        &[],
    );
    assert_eq!(listed.expect(200).body["totalResults"], 1);
    world
        .admin("GET", "/api/v1//admin/tenants//", Value::Null)
        .expect(200);
}

#[test]
fn a_path_that_is_nearly_right_is_404_and_names_the_right_one() {
    let world = World::new();
    let tenant = "/api/v1/tenants/{tenant_id}/scim/v2";
    for (path, right) in [
        ("/", tenant.to_owned()),
        ("/scim/v2/users", "/scim/v2/Users".to_owned()),
        ("/SCIM/V2/Users/x", "/scim/v2/Users/{id}".to_owned()),
        ("/scim/v2/bulk", "/scim/v2/Bulk".to_owned()),
        (
            "/scim/v2/serviceproviderconfig/",
            "/scim/v2/ServiceProviderConfig".to_owned(),
        ),
        (
            "/api/v1/tenants/acme/scim/v2/groups",
            format!("{tenant}/Groups"),
        ),
        (
            "/api/v1/tenants/acme/scim/v2//USERS/1",
            format!("{tenant}/Users/{{id}}"),
        ),
        ("/API/v1/admin/tenants", "/api/v1/admin/tenants".to_owned()),
        ("/Docs", "/docs".to_owned()),
        ("/healthZ", "/healthz".to_owned()),
        (
            "/api/v1/tenants//scim/v2/Users",
            "the tenant's id is missing, /api/v1/tenants/{tenant_id}/…".to_owned(),
        ),
        (
            "/api/v1/tenants//scim/v2",
            "the tenant's id is missing".to_owned(),
        ),
        (
            "/api/v1/tenants//identity-providers/",
            "the tenant's id is missing".to_owned(),
        ),
        ("/nothing", "/docs".to_owned()),
        ("/scim/v2/User", "/docs".to_owned()),
    ] {
        let answer = get(&world, &format!("{ORIGIN}{path}"), "x", &[]);
        let detail = answer.expect(404).body["detail"]
            .as_str()
            .expect("a detail");
        assert!(
            detail.contains(&right) && detail.contains("/docs"),
            "{path}: {detail}"
        );
    }
    // Written as it should be, with an id that is no text.
    let answer = get(&world, &format!("{ORIGIN}/scim/v2/Users/%ff"), "x", &[]);
    let detail = answer.expect(404).body["detail"].to_string();
    assert!(!detail.contains("like this"), "{detail}");
}

#[test]
fn a_plus_sign_in_a_time_is_one_where_the_address_has_it_as_it_stands() {
    let world = World::new();
    let (compat, strict) = (world.tenant("compat"), world.tenant("strict"));
    compat.user("ada");
    let path = |time: &str| format!("/Users?filter=meta.lastModified%20gt%20%22{time}%22");
    for (time, found) in [
        ("2020-01-01T00:00:00+02:00", 1),
        ("2020-01-01T00:00:00.123+02:00", 1),
        ("2020-01-01T00:00:00%2B02:00", 1),
        // The test's time is 03:04:05 of 2 January.
        ("2026-01-02T05:04:04+02:00", 1),
        ("2026-01-02T05:04:06+02:00", 0),
    ] {
        let answer = compat.get(&path(time));
        assert_eq!(answer.expect(200).body["totalResults"], found, "{time}");
    }
    for time in ["2020-01-01T00:00:00+", "+02:00", "2020-01-01+x", "a+b"] {
        compat
            .get(&path(time))
            .expect_scim_error(400, "invalidFilter", "a time");
    }
    strict
        .get(&path("2020-01-01T00:00:00+02:00"))
        .expect_scim_error(400, "invalidFilter", "a time");
    // Elsewhere it is a space.
    compat.user("a b");
    assert_eq!(compat.find("userName eq \"a b\""), ["a b"]);
    let answer = compat.get("/Users?filter=userName+eq+%22a+b%22");
    assert_eq!(answer.expect(200).body["totalResults"], 1);
}

const HSTS: &str = "strict-transport-security";

#[test]
fn plain_http_is_403_where_the_worker_is_deployed() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let users = format!("{}/Users", tenant.base());
    let before = world.database.dump();
    for (origin, headers) in [
        ("http://scim.example.com", &[][..]),
        ("http://scim.example.com:8080", &[]),
        ("http://localhost.example.com", &[]),
        ("http://127.0.0.2", &[]),
        ("https://scim.example.com", &[("x-forwarded-proto", "http")]),
    ] {
        let answer = get(&world, &format!("{origin}{users}"), &tenant.token, headers);
        answer.expect_scim_error(403, "", "https");
        assert_eq!((answer.header(HSTS), answer.trips()), ("", 0), "{origin}");
    }
    assert_eq!(world.database.dump(), before);
    for origin in [
        "http://localhost:8787",
        "http://127.0.0.1",
        "http://[::1]:1",
    ] {
        let answer = get(&world, &format!("{origin}{users}"), &tenant.token, &[]);
        assert_eq!(answer.expect(200).header(HSTS), "", "{origin}");
    }
    for (path, status) in [(users.as_str(), 200), ("/healthz", 200), ("/nothing", 404)] {
        let answer = get(&world, &format!("{ORIGIN}{path}"), &tenant.token, &[]);
        assert_eq!(
            answer.expect(status).header(HSTS),
            "max-age=31536000",
            "{path}"
        );
    }
    let world = World::configured(&[("LOCAL_DEVELOPMENT", "on")]);
    let answer = get(&world, "http://scim.example.com/healthz", "x", &[]);
    assert_eq!(answer.expect(200).header(HSTS), "");
}

#[test]
fn a_host_that_is_not_ours_is_421_where_ours_are_named() {
    let secret = ("JWT_LOCAL_SECRET", crate::support::SECRET);
    let hosts = " scim.example.com, rollcall.example.com:8443 ,";
    let world = World::configured(&[secret, ("PUBLIC_HOSTS", hosts)]);
    let tenant = world.tenant("compat");
    let user = tenant.user("ada");
    let path = format!("{}/Users/{user}", tenant.base());
    for (host, status) in [
        ("scim.example.com", 200),
        ("SCIM.example.com", 200),
        ("rollcall.example.com:8443", 200),
        ("rollcall.example.com", 421),
        ("scim.example.com:8443", 421),
        ("rollcall.acme.workers.dev", 421),
        ("scim.example.com.evil.example", 421),
        ("localhost", 421),
    ] {
        let answer = get(&world, &format!("https://{host}{path}"), &tenant.token, &[]);
        answer.expect(status);
        if status == 200 {
            let location = answer.body["meta"]["location"]
                .as_str()
                .expect("a location");
            assert_eq!(location, format!("https://{host}{path}"));
        } else {
            assert!(!answer.body.to_string().contains(host), "{}", answer.body);
        }
    }
    for wrong in [
        "https://scim.example.com",
        "a b",
        "scim.example.com/x",
        "me@scim.example.com",
    ] {
        let read = rollcall::config::Config::read(|name| match name {
            "PUBLIC_HOSTS" => Some(wrong.to_owned()),
            "CURSOR_KEY" | "ENCRYPTION_KEY" => Some(crate::support::ENCRYPTION_KEY.to_owned()),
            _ => None,
        });
        assert!(
            read.err()
                .is_some_and(|reason| reason.contains("PUBLIC_HOSTS")),
            "{wrong}"
        );
    }
}
