//! Numbers: what is a whole one, and what is none.

use crate::support::{ORIGIN, World};

/// JSON has one kind of number (RFC 8259 §6), and JSON Schema takes 60.0 for a whole one.
#[test]
fn a_whole_number_is_one_however_it_is_written() {
    let world = World::new();
    let tenant = world.tenant("strict");
    let rotate = |seconds: &str| {
        let request = http::Request::post(format!(
            "{ORIGIN}/api/v1/admin/scim-tokens/{}/rotate",
            world.tenant("compat").token_id
        ))
        .header(
            "authorization",
            format!("Bearer {}", world.jwt(&world.claims())),
        )
        .header("content-type", "application/json");
        let body = format!("{{\"overlap_seconds\":{seconds}}}");
        world.send(request.body(body.into_bytes()).unwrap())
    };
    for seconds in ["60", "60.0", "6e1", "600E-1", "-0.0"] {
        rotate(seconds).expect(201);
    }
    for seconds in [
        "0.5",
        "60.000001",
        "-1.0",
        "1e400",
        "2592001.0",
        "9007199254740993.5",
    ] {
        rotate(seconds).expect(422);
    }
    let scim = |path: &str, body: &str| {
        let request = tenant
            .request("POST", path)
            .header("content-type", "application/scim+json");
        world.send(request.body(body.as_bytes().to_vec()).unwrap())
    };
    let search = "{\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:SearchRequest\"],\"startIndex\":1.0,\"count\":1e1}";
    scim("/Users/.search", search).expect(200);
    let bulk = "{\"schemas\":[\"urn:ietf:params:scim:api:messages:2.0:BulkRequest\"],\"failOnErrors\":1.0,\"Operations\":[]}";
    scim("/Bulk", bulk).expect(200);
}
