//! Names that look alike are one name (RFC 7644 §5, RFC 7613), and what makes them look alike unseen is refused.

use proptest::prelude::*;
use rollcall::scim::fold::{fold, former, name_key};
use serde_json::{Value, json};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::decompose_compatible;

use crate::support::{Tenant, World};
use crate::users::{create, in_both, user_body, user_with};

/// The same name, written in other ways, with white space around it left to `compat`.
const ALIKE: [(&str, &[&str]); 8] = [
    (
        "jos\u{e9}@example.com",
        &[
            "jose\u{301}@example.com",
            "JOS\u{c9}@EXAMPLE.COM",
            "JOSE\u{301}@example.com",
        ],
    ),
    ("anna", &["\u{ff41}\u{ff4e}\u{ff4e}\u{ff41}", "\u{ff21}NNA"]),
    ("a@x", &["\u{ff41}\u{ff20}\u{ff58}", "A\u{ff20}X"]),
    (
        "\u{30d0}\u{30eb}",
        &["\u{ff8a}\u{ff9e}\u{ff99}", "\u{30cf}\u{3099}\u{30eb}"],
    ),
    ("\u{ac00}", &["\u{1100}\u{1161}"]),
    ("john doe", &["john\u{3000}doe", "JOHN DOE"]),
    ("stra\u{df}e", &["STRASSE", "stra\u{1e9e}e"]),
    (
        "\u{3ac}\u{3b9}",
        &[
            "\u{386}\u{399}",
            "\u{3b1}\u{301}\u{3b9}",
            "\u{391}\u{301}\u{345}",
        ],
    ),
];

const AROUND: [&str; 4] = [" {}", "{} ", "  {}\u{a0}", "\u{3000}{}"];

fn find(tenant: &Tenant<'_>, path: &str, name: &str) -> Vec<Value> {
    let filter = match path {
        "/Users" => format!("userName eq {}", Value::from(name)),
        _ => format!("displayName eq {}", Value::from(name)),
    };
    let query: String = form_urlencoded::byte_serialize(filter.as_bytes()).collect();
    let found = tenant.get(&format!("{path}?filter={query}"));
    found.expect(200).body["Resources"]
        .as_array()
        .cloned()
        .unwrap_or_default()
}

#[test]
fn a_name_written_in_another_way_is_the_same_name() {
    in_both(|tenant| {
        for (name, others) in ALIKE {
            let id = create(tenant, name, json!({})).id();
            let other = create(tenant, &format!("not {name}"), json!({})).id();
            for same in others {
                tenant
                    .send("POST", "/Users", user_body(same))
                    .expect_scim_error(409, "uniqueness", "userName");
                tenant
                    .send("PUT", &format!("/Users/{other}"), user_body(same))
                    .expect_scim_error(409, "uniqueness", "userName");
                let bulk = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
                    "Operations": [{"method": "POST", "path": "/Users", "bulkId": "a", "data": user_body(same)}]});
                let answer = tenant.send("POST", "/Bulk", bulk);
                assert_eq!(
                    answer.expect(200).body["Operations"][0]["status"],
                    "409",
                    "{same}"
                );
                let found = find(tenant, "/Users", same);
                assert_eq!(found.len(), 1, "{same}");
                assert_eq!(found[0]["id"], *id, "{same}");
            }
            // What is stored and shown is what was sent.
            let sent = others.last().expect("one");
            let put = tenant.send("PUT", &format!("/Users/{id}"), user_body(sent));
            assert_eq!(put.expect(200).body["userName"], *sent);
        }
    });
}

#[test]
fn groups_and_addresses_are_compared_so_too() {
    let world = World::new();
    let tenant = &world.tenant("compat");
    for (number, (name, others)) in ALIKE.into_iter().enumerate() {
        let group = tenant.group(name, &[]);
        let address = json!({"emails": [{"value": name, "type": "work"}]});
        create(tenant, &format!("user{number}"), address);
        for same in others {
            let body = json!({"displayName": same});
            tenant.send("POST", "/Groups", body).expect_scim_error(
                409,
                "uniqueness",
                "displayName",
            );
            assert_eq!(find(tenant, "/Groups", same)[0]["id"], *group, "{same}");
            for filter in [
                "emails.value eq",
                "emails eq",
                "emails[type eq \"work\"].value eq",
            ] {
                let filter = format!("{filter} {}", Value::from(*same));
                assert_eq!(tenant.find(&filter), [format!("user{number}")], "{filter}");
            }
        }
    }
}

#[test]
fn white_space_around_a_name_is_cut_in_compat_and_refused_in_strict() {
    let world = World::new();
    let (compat, strict) = (&world.tenant("compat"), &world.tenant("strict"));
    let ada = create(compat, "ada", json!({})).id();
    let team = compat.group("team", &[]);
    for around in AROUND {
        let user = around.replace("{}", "ada");
        let group = around.replace("{}", "team");
        compat
            .send("POST", "/Users", user_body(&user))
            .expect_scim_error(409, "uniqueness", "userName");
        compat
            .send("POST", "/Groups", json!({"displayName": group}))
            .expect_scim_error(409, "uniqueness", "displayName");
        assert_eq!(find(compat, "/Users", &user)[0]["id"], *ada, "{user:?}");
        assert_eq!(find(compat, "/Groups", &group)[0]["id"], *team, "{group:?}");
        let path = format!("/Users/{ada}");
        let operations = json!([
            {"op": "replace", "path": "userName", "value": user},
            {"op": "replace", "path": "emails[type eq \"work\"].value", "value": around.replace("{}", "a@x")},
        ]);
        let patched = compat.patch(&path, operations);
        assert_eq!(patched.expect(200).body["userName"], "ada");
        assert_eq!(patched.body["emails"][0]["value"], "a@x");
        strict
            .send("POST", "/Users", user_body(&user))
            .expect_scim_error(400, "invalidValue", "userName has white space");
        let email = user_with("x", json!({"emails": [{"value": user}]}));
        strict.send("POST", "/Users", email).expect_scim_error(
            400,
            "invalidValue",
            "emails[0].value has white space",
        );
    }
    // Names with spaces inside, and signs, are names; so is what is written with joiners.
    for name in [
        "John Doe",
        "o'neil+x#1@x",
        "\u{646}\u{200c}\u{627}",
        "\u{1F468}\u{200D}\u{1F469}",
    ] {
        in_both(|tenant| assert_eq!(create(tenant, name, json!({})).body["userName"], name));
    }
    // Only a name's.
    let titled = create(compat, "titled", json!({"title": " x\ty "}));
    assert_eq!(titled.body["title"], " x\ty ");
    compat
        .send("POST", "/Users", user_body(" \u{3000}"))
        .expect_scim_error(400, "invalidValue", "userName");
}

#[test]
fn what_cannot_be_seen_is_no_part_of_a_name() {
    in_both(|tenant| {
        let ada = tenant.user("ada");
        let team = tenant.group("team", &[]);
        let before = tenant.world.database.dump();
        for (c, named) in [
            ('\u{0}', "U+0000"),
            ('\u{7}', "U+0007"),
            ('\t', "U+0009"),
            ('\n', "U+000A"),
            ('\u{7f}', "U+007F"),
            ('\u{85}', "U+0085"),
            ('\u{ad}', "U+00AD"),
            ('\u{34f}', "U+034F"),
            ('\u{61c}', "U+061C"),
            ('\u{1160}', "U+1160"),
            ('\u{200b}', "U+200B"),
            ('\u{200e}', "U+200E"),
            ('\u{200f}', "U+200F"),
            ('\u{2028}', "U+2028"),
            ('\u{202a}', "U+202A"),
            ('\u{202e}', "U+202E"),
            ('\u{2060}', "U+2060"),
            ('\u{2066}', "U+2066"),
            ('\u{2069}', "U+2069"),
            ('\u{3164}', "U+3164"),
            ('\u{feff}', "U+FEFF"),
            ('\u{ffa0}', "U+FFA0"),
            ('\u{fffb}', "U+FFFB"),
            ('\u{1d173}', "U+1D173"),
            ('\u{e0061}', "U+E0061"),
        ] {
            for (text, place) in [
                (format!("\u{e9}x{c}y"), 3),
                (format!("xy{c}"), 3),
                (format!("{c}xy"), 1),
            ] {
                let says = format!("{named}, in place {place}");
                let user = |name: &str| user_body(name);
                let operation =
                    |path: &str| json!([{"op": "replace", "path": path, "value": text}]);
                let group = json!({"schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"], "displayName": text});
                let email = user_with("new", json!({"emails": [{"value": text}]}));
                for answer in [
                    tenant.send("POST", "/Users", user(&text)),
                    tenant.send("PUT", &format!("/Users/{ada}"), user(&text)),
                    tenant.patch(&format!("/Users/{ada}"), operation("userName")),
                    tenant.send("POST", "/Users", email),
                    tenant.send("POST", "/Groups", group),
                    tenant.patch(&format!("/Groups/{team}"), operation("displayName")),
                ] {
                    answer.expect_scim_error(400, "invalidValue", &says);
                }
            }
        }
        assert_eq!(tenant.world.database.dump(), before);
    });
}

/// Every character by itself and before marks: folded twice is folded once, and no more than three times as long.
#[test]
fn every_character_folds_once_and_for_all() {
    // Beyond are planes without characters, and those of private use.
    for c in '\u{0}'..='\u{323af}' {
        let alone = c.to_string();
        let is_plain = fold(&alone) == alone && alone.nfd().eq(alone.chars());
        let with_marks = [format!("a{c}\u{301}"), format!("{c}\u{345}\u{323}")];
        for text in std::iter::once(&alone).chain(with_marks.iter().filter(|_| !is_plain)) {
            let folded = fold(text);
            assert_eq!(fold(&folded), folded, "{text:?}");
            assert!(folded.len() <= 3 * text.len(), "{text:?}");
            assert_eq!(fold(&text.nfd().collect::<String>()), folded, "{text:?}");
            assert_eq!(fold(&text.nfc().collect::<String>()), folded, "{text:?}");
        }
        // The table of widths is Unicode's.
        let is_wide = matches!(u32::from(c), 0xFF00..=0xFFEF | 0x3000);
        if is_wide {
            let mut plain = String::new();
            decompose_compatible(c, |part| plain.push(part));
            let hangul = matches!(u32::from(c), 0xFFA0..=0xFFDC);
            // Jamo of halfwidth Hangul have compatibility forms of their own in between.
            if !hangul && u32::from(c) != 0xFFE3 {
                assert_eq!(fold(&c.to_string()), fold(&plain), "{c:?}");
            }
        }
    }
}

proptest! {
    #[test]
    fn variants_of_a_text_fold_alike(text in "[a-z@. \u{e0}-\u{ff}\u{100}-\u{17f}\u{370}-\u{3ff}\u{1e00}-\u{1fff}\u{300}-\u{345}\u{3041}-\u{30ff}\u{ac00}-\u{d7a3}\u{ff01}-\u{ffdc}\u{1F600}]{0,12}") {
        let folded = fold(&text);
        prop_assert_eq!(&fold(&folded), &folded);
        let wide: String = text.chars().map(|c| match c {
            '!'..='~' => char::from_u32(u32::from(c) - 0x21 + 0xFF01).expect("a character"),
            ' ' => '\u{3000}',
            other => other,
        }).collect();
        let variants = [
            text.nfc().collect::<String>(), text.nfd().collect(), text.to_lowercase(), wide.clone(), wide.nfd().collect(),
        ];
        for variant in variants {
            prop_assert_eq!(&fold(&variant), &folded, "{:?}", variant);
        }
        prop_assert_eq!(name_key(&format!(" {text}\u{3000}")), name_key(&text));
        if let Some(former) = former(&folded) {
            prop_assert_eq!(fold(&former), folded);
        }
    }
}
