//! Distinguished names: which spellings are one name, and where one goes wrong.

use proptest::prelude::*;
use rollcall::ldap::dn::{is_within, normalise, parse, without_uid};

#[test]
fn spellings_of_one_name_are_equal() {
    for spellings in [
        &[
            "cn=Anna,dc=example,dc=com",
            "CN = ANNA , DC=Example,dc=com",
            "2.5.4.3=anna,0.9.2342.19200300.100.1.25=example,dc=com",
        ][..],
        &[
            r"cn=Smith\, Anna,dc=x",
            r"cn=Smith\2c Anna,dc=x",
            r"cn=smith\,  anna,dc=x",
            "cn=#0c0b536d6974682c20416e6e61,dc=x",
        ],
        &[r"cn=\ Anna\ ,dc=x", "cn=Anna,dc=x", r"cn=\20Anna\20,dc=x"],
        &["cn=Straße,dc=x", r"cn=Stra\C3\9Fe,dc=x", "cn=STRASSE,dc=x"],
        &["uid=a+cn=b,dc=x", "CN=B + UID=A,dc=x"],
        &[r"cn=\#1 \+ \22x\22,dc=x", r#"cn=\#1 \+ \"x\",dc=x"#],
        &["cn=a=b", r"cn=a\=b"],
        &["", " "],
        &["cn=", "cn= "],
    ] {
        let first = normalise(spellings[0]);
        assert!(first.is_some(), "{}", spellings[0]);
        for other in spellings {
            assert_eq!(normalise(other), first, "{other}");
        }
    }
}

#[test]
fn different_names_stay_different() {
    let names = [
        "cn=a,dc=x",
        "cn=a+dc=x",
        r"cn=a\,dc=x",
        "cn=a b,dc=x",
        "cn=ab,dc=x",
        "uid=a,dc=x",
        "cn=a",
        "dc=x,cn=a",
        "cn=#020101,dc=x",
        r"cn=\#020101,dc=x",
        r"cn=\ff,dc=x",
        r"cn=\fe,dc=x",
        r"cn=\#ff,dc=x",
        "cn=ä,dc=x",
    ];
    for (index, one) in names.iter().enumerate() {
        for other in &names[index + 1..] {
            assert_ne!(normalise(one), normalise(other), "{one} and {other}");
        }
    }
}

#[test]
fn what_is_no_name_is_refused_where_it_goes_wrong() {
    for (text, at, reason) in [
        ("Anna", 4, "an = is missing"),
        ("=x", 0, "an attribute's name"),
        ("cn=a,", 5, "an attribute's name"),
        ("cn=ä,,dc=x", 5, "an attribute's name"),
        ("cn=a;dc=x", 4, "escaped"),
        (r#"cn="a",dc=x"#, 3, "escaped"),
        (r"cn=a\", 5, "follow a \\"),
        (r"cn=a\xz", 5, "follow a \\"),
        ("cn=#", 4, "hexadecimal"),
        ("cn=#0g", 4, "hexadecimal"),
        ("cn=#04zz", 6, "hexadecimal"),
        ("1.=x", 0, "an attribute's name"),
        ("cn;lang-de=x", 2, "an = is missing"),
        ("cn=a\0", 4, "escaped"),
    ] {
        let error = parse(text).unwrap_err();
        assert_eq!((error.at, text), (at, text));
        assert!(error.expected.contains(reason), "{text}: {error}");
        assert_eq!(normalise(text), None);
    }
}

#[test]
fn what_lies_below_a_base() {
    for (name, base, within) in [
        ("uid=a,ou=b,dc=x", "ou=b,dc=x", true),
        ("UID=a, OU=B ,dc=X", "ou=b,DC=x", true),
        ("ou=b,dc=x", "ou=b,dc=x", true),
        ("uid=a,ou=b,dc=x", "", true),
        ("dc=x", "ou=b,dc=x", false),
        ("uid=a,ou=c,dc=x", "ou=b,dc=x", false),
        ("uid=a,xou=b,dc=x", "ou=b,dc=x", false),
        (r"uid=a\,ou=b,dc=x", "ou=b,dc=x", false),
        (r"uid=a\\,ou=b,dc=x", "ou=b,dc=x", true),
        ("uid=a+ou=b,dc=x", "ou=b,dc=x", false),
        ("anna", "dc=x", false),
        ("uid=a,dc=x", "x", false),
    ] {
        assert_eq!(is_within(name, base), within, "{name} below {base}");
    }
}

#[test]
fn a_bit_string_behind_a_name() {
    for (value, name) in [
        ("uid=a,dc=x#'0101'B", "uid=a,dc=x"),
        ("uid=a,dc=x#''B", "uid=a,dc=x"),
        ("uid=a,dc=x#'1'B ", "uid=a,dc=x"),
        (r"uid=a,dc=x\\#'1'B", r"uid=a,dc=x\\"),
        (r"uid=a,dc=x\#'1'B", r"uid=a,dc=x\#'1'B"),
        ("uid=a,dc=x#'012'B", "uid=a,dc=x#'012'B"),
        ("uid=a,dc=x#'01'b", "uid=a,dc=x#'01'b"),
        ("uid=a,dc=x'01'B", "uid=a,dc=x'01'B"),
        ("uid=a,dc=x", "uid=a,dc=x"),
        ("#'1'B", ""),
        ("", ""),
    ] {
        assert_eq!(without_uid(value), name, "{value}");
    }
}

proptest! {
    #[test]
    fn a_name_is_below_its_own_end_and_keeps_its_bits_apart(
        steps in prop::collection::vec(r"[a-z]{1,3}=([a-zA-Z #'B01]|\\,|\\\\){0,6}", 1..5),
        cut in 0_usize..5,
        bits in "[01]{0,8}",
    ) {
        let text = steps.join(",");
        let base = steps.get(cut..).unwrap_or_default().join(",");
        if normalise(&text).is_some() && normalise(&base).is_some() {
            prop_assert!(is_within(&text, &base), "{text} below {base}");
            prop_assert!(text == base || base.is_empty() || normalise(&text) == normalise(&base) || !is_within(&base, &text));
        }
        let (with, without) = (format!("{text}#'{bits}'B"), without_uid(&text));
        if without == text && !text.ends_with('\\') {
            prop_assert_eq!(without_uid(&with), &*text);
        }
        prop_assert!(text.starts_with(without));
    }
}
