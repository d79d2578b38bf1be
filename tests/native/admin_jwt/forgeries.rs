//! Tokens that were made to be taken for others.

use serde_json::{Value, json};

use super::{expect_accepted, expect_refused};
use crate::support::World;
use crate::support::keys::{Signer, jwks};

struct Issuer {
    world: World,
    key: Signer,
}

fn issuers() -> Vec<Issuer> {
    [Signer::ed25519(1), Signer::es256(2), Signer::rsa(2048)]
        .into_iter()
        .map(|key| Issuer {
            world: World::configured(&[("JWT_JWKS", &jwks(&[key.jwk("key")]))]),
            key,
        })
        .collect()
}

#[test]
fn a_token_without_a_signature_is_refused_whatever_its_algorithm_says() {
    for Issuer { world, key } in issuers() {
        for algorithm in [
            "none", "None", "NONE", "", "EdDSA", "ES256", "RS256", "HS256",
        ] {
            let header = json!({"alg": algorithm, "kid": "key"});
            let token = key.token_with(&header, &json!(world.claims()));
            let (signed, _) = token.rsplit_once('.').expect("a signature");
            expect_refused(&world, &format!("{signed}."));
            expect_refused(&world, signed);
        }
    }
}

#[test]
fn a_public_key_is_no_shared_secret() {
    for Issuer { world, key } in issuers() {
        let jwk = key.jwk("key");
        let texts = [
            key.public_bytes(),
            jwk.to_string().into_bytes(),
            jwk["x"]
                .as_str()
                .or(jwk["n"].as_str())
                .expect("a public part")
                .as_bytes()
                .to_vec(),
            jwks(std::slice::from_ref(&jwk)).into_bytes(),
        ];
        for secret in texts {
            let forger = Signer::hs256(secret);
            expect_refused(&world, &forger.token("key", &world.claims()));
            for algorithm in ["EdDSA", "ES256", "RS256", "HS384", "HS512"] {
                let header = json!({"alg": algorithm, "kid": "key"});
                expect_refused(&world, &forger.token_with(&header, &json!(world.claims())));
            }
        }
    }
}

#[test]
fn the_header_has_to_name_the_algorithm_of_the_key() {
    for Issuer { world, key } in issuers() {
        for algorithm in [
            "EdDSA", "Ed25519", "ES256", "ES384", "ES256K", "RS256", "RS384", "RS512", "PS256",
            "HS256",
        ] {
            let header = json!({"alg": algorithm, "kid": "key"});
            let token = key.token_with(&header, &json!(world.claims()));
            match algorithm == key.algorithm() {
                true => expect_accepted(&world, &token),
                false => expect_refused(&world, &token),
            }
        }
    }
}

#[test]
fn a_signature_of_another_kind_of_key_is_refused_for_the_kid() {
    let keys = [Signer::ed25519(1), Signer::es256(2), Signer::rsa(2048)];
    let names = ["a", "b", "c"];
    let set: Vec<Value> = keys
        .iter()
        .zip(names)
        .map(|(key, name)| key.jwk(name))
        .collect();
    let world = World::configured(&[("JWT_JWKS", &jwks(&set))]);
    for (index, key) in keys.iter().enumerate() {
        for (other, kid) in names.iter().enumerate() {
            for claimed in &keys {
                let header = json!({"alg": claimed.algorithm(), "kid": kid});
                let token = key.token_with(&header, &json!(world.claims()));
                match index == other && claimed.algorithm() == key.algorithm() {
                    true => expect_accepted(&world, &token),
                    false => expect_refused(&world, &token),
                }
            }
        }
    }
}

#[test]
fn changing_any_part_of_a_token_breaks_it() {
    for Issuer { world, key } in issuers() {
        let mut claims = world.claims();
        claims.insert("scope".to_owned(), "scim:read".into());
        let token = key.token("key", &claims);
        claims.insert("scope".to_owned(), "admin".into());
        let wished = key.token("key", &claims);
        let parts: Vec<&str> = token.split('.').collect();
        let wished: Vec<&str> = wished.split('.').collect();
        expect_refused(&world, &format!("{}.{}.{}", parts[0], wished[1], parts[2]));
        let mut flipped = parts[2].as_bytes().to_vec();
        flipped[0] = if flipped[0] == b'A' { b'B' } else { b'A' };
        let flipped = String::from_utf8(flipped).expect("base64");
        expect_refused(&world, &format!("{}.{}.{flipped}", parts[0], parts[1]));
    }
}

#[test]
fn a_key_brought_along_in_the_header_is_not_used() {
    let Issuer { world, .. } = issuers().remove(0);
    let stranger = Signer::ed25519(66);
    for header in [
        json!({"alg": "EdDSA", "kid": "key", "jwk": stranger.jwk("key")}),
        json!({"alg": "EdDSA", "kid": "key", "jku": "https://evil.example.com/jwks"}),
        json!({"alg": "EdDSA", "kid": "key", "x5u": "https://evil.example.com/cert"}),
        json!({"alg": "EdDSA", "kid": "../../key"}),
        json!({"alg": "EdDSA", "kid": "key' or '1'='1"}),
    ] {
        expect_refused(
            &world,
            &stranger.token_with(&header, &json!(world.claims())),
        );
        assert_eq!(world.web.fetches.get(), 0);
    }
}

#[test]
fn an_extension_that_has_to_be_understood_is_refused() {
    for Issuer { world, key } in issuers() {
        for critical in [
            json!(["exp"]),
            json!(["b64"]),
            json!([]),
            json!("exp"),
            json!({}),
            Value::Null,
        ] {
            let header = json!({"alg": key.algorithm(), "kid": "key", "crit": critical});
            expect_refused(&world, &key.token_with(&header, &json!(world.claims())));
        }
    }
}

#[test]
fn headers_and_claims_that_are_no_objects_are_refused() {
    let Issuer { world, key } = issuers().remove(0);
    let header = json!({"alg": "EdDSA", "kid": "key"}).to_string();
    let claims = json!(world.claims()).to_string();
    expect_accepted(&world, &key.token_of_text(&header, &claims));
    for text in [
        "",
        "null",
        "[]",
        "1",
        "\"\"",
        "{",
        "{}",
        "\u{FEFF}{}",
        "{\"alg\":1}",
        "{\"alg\":null}",
    ] {
        expect_refused(&world, &key.token_of_text(text, &claims));
        expect_refused(&world, &key.token_of_text(&header, text));
    }
    let twice = header.replacen('{', "{\"alg\":\"none\",", 1);
    expect_refused(&world, &key.token_of_text(&twice, &claims));
}
