//! Filters: what is none is refused with its place.

use proptest::prelude::*;
use rollcall::ldap::filter::{Comparison, Filter};

#[test]
fn what_is_no_filter_is_refused_where_it_goes_wrong() {
    for (text, at, reason) in [
        ("", 0, "opening parenthesis"),
        ("uid=anna", 0, "opening parenthesis"),
        ("(uid=anna", 9, "closing parenthesis is missing"),
        ("(uid=anna))", 10, "ends with its closing"),
        ("(&)", 2, "opening parenthesis"),
        ("(&(uid=ä)(cn=b)", 15, "closing parenthesis is missing"),
        ("(!(uid=a)(uid=b))", 9, "closing parenthesis is missing"),
        ("(=anna)", 1, "attribute's name"),
        ("(uid)", 4, "one of ="),
        ("(uid>5)", 5, "an = is missing"),
        ("(u id=a)", 2, "one of ="),
        ("(1.x=a)", 1, "no attribute's name"),
        ("(cn;=a)", 1, "no attribute's name"),
        (r"(cn=a\zz)", 5, "hexadecimal"),
        (r"(cn=ä\*)", 5, "hexadecimal"),
        (r"(cn=\2)", 4, "hexadecimal"),
        ("(cn=a(b)", 5, r"\28"),
        ("(cn=a\0b)", 5, "NUL"),
        ("(cn>=a*)", 6, r"\2a"),
        ("(cn:=a*)", 6, r"\2a"),
        ("(:=a)", 3, "a matching rule is missing"),
        ("(:dn:=a)", 6, "a matching rule is missing"),
        ("(cn:x y:=a)", 5, "a : is missing"),
        ("(cn:rule=a)", 8, "a : is missing"),
    ] {
        let error = Filter::parse(text).unwrap_err();
        assert_eq!((error.at, text), (at, text), "{error}");
        assert!(error.expected.contains(reason), "{text}: {error}");
    }
    let deep = format!("{}(uid=a){}", "(!".repeat(17), ")".repeat(17));
    assert!(
        Filter::parse(&deep)
            .unwrap_err()
            .expected
            .contains("16 deep")
    );
    let deep = "(".repeat(8_000);
    assert!(Filter::parse(&deep).is_err());
    let long = format!("(uid={})", "x".repeat(8_192));
    assert!(Filter::parse(&long).unwrap_err().expected.contains("8192"));
}

proptest! {
    #[test]
    fn any_value_can_be_asked_for(value in ".{0,40}", special in "[*()\\\\\u{0}a-f0-9]{0,10}") {
        let value = format!("{value}{special}");
        let parsed = Filter::parse(&Filter::equal_to("uid", &value));
        let wanted = Filter::Compare(Comparison::Equal, "uid".to_owned(), value.into_bytes());
        prop_assert_eq!(parsed, Ok(wanted));
    }
}
