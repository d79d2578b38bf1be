//! Distinguished names: which spellings are one name, and where one goes wrong.

use rollcall::ldap::dn::{normalise, parse};

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
