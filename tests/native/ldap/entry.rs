//! Entries, and the values in them whose form is their own.

use rollcall::ldap::Entry;
use rollcall::ldap::values::{generalized_time, unique_id};

fn entry(attributes: &[(&'static str, &[&str])]) -> Entry {
    let attributes = attributes.iter().map(|(name, values)| {
        let values = values.iter().map(|value| value.as_bytes().to_vec());
        (*name, values.collect())
    });
    Entry::new("cn=x", attributes)
}

#[test]
fn names_are_compared_without_case_and_with_their_options() {
    let entry = entry(&[
        ("CN", &["Anna"]),
        ("cn;lang-de;x-formal", &["Frau Anna"]),
        ("userCertificate;binary", &["…"]),
    ]);
    assert_eq!(entry.text("cn"), Some("Anna"));
    assert_eq!(entry.text("Cn;X-Formal;Lang-DE"), Some("Frau Anna"));
    assert_eq!(entry.text("cn;lang-de"), None);
    assert_eq!(entry.text("userCertificate"), Some("…"));
    assert_eq!(entry.values("mail"), &[] as &[Vec<u8>]);
}

#[test]
fn text_is_the_first_value_that_is_text() {
    let values = vec![b"".to_vec(), vec![0xff], b"a".to_vec(), b"b".to_vec()];
    let entry = Entry::new("cn=x", [("mail", values)]);
    assert_eq!(entry.text("mail"), Some("a"));
    assert_eq!(entry.texts("mail").collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(entry.values("mail").len(), 4);
}

#[test]
fn an_id_of_two_values_is_none() {
    assert_eq!(entry(&[("uid", &["a", "b"])]).unique_id("uid"), None);
}

#[test]
fn ids_of_every_directory_are_text() {
    let guid = [
        0x33, 0x22, 0x11, 0x00, 0x55, 0x44, 0x77, 0x66, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee,
        0xff,
    ];
    for (attribute, value, text) in [
        (
            "objectGUID",
            &guid[..],
            "00112233-4455-6677-8899-aabbccddeeff",
        ),
        (
            "OBJECTGUID",
            &guid[..],
            "00112233-4455-6677-8899-aabbccddeeff",
        ),
        (
            "GUID",
            &guid[..],
            "332211005544776688", /* eDirectory */
        ),
        (
            "entryUUID",
            b"597AE2F6-16A6-1027-98F4-ABCDEFabcdef",
            "597ae2f6-16a6-1027-98f4-abcdefabcdef",
        ),
        (
            "nsUniqueId",
            b"66446001-1dd211b2-66225011-2ee211db",
            "66446001-1dd211b2-66225011-2ee211db",
        ),
        ("uid", "Jürgen".as_bytes(), "Jürgen"),
        ("objectSid", &[1, 5, 0, 0xff], "010500ff"),
    ] {
        let id = unique_id(attribute, value).unwrap();
        assert!(id.starts_with(text), "{attribute}: {id}");
    }
    assert_eq!(unique_id("GUID", &guid).unwrap().len(), 32);
    assert_eq!(unique_id("uid", b""), None);
}

#[test]
fn times_are_read_in_every_form_they_are_written() {
    let at = 1_767_323_045_000;
    for (text, milliseconds) in [
        ("20260102030405Z", at),
        ("20260102030405.0Z", at),
        ("20260102030405.25Z", at + 250),
        ("20260102030405,5Z", at + 500),
        ("20260102040405+0100", at),
        ("20260101220405-05", at),
        ("202601020304Z", at - 5_000),
        ("202601020304.5Z", at + 25_000),
        ("2026010203.5Z", at - 245_000 + 1_800_000),
        ("20261231235960Z", 1_798_761_599_000),
    ] {
        assert_eq!(generalized_time(text), Some(milliseconds), "{text}");
    }
    for wrong in [
        "",
        "2026",
        "20260102030405",
        "20261302030405Z",
        "20260102250405Z",
        "20260102030405.Z",
        "20260102030405X",
        "20260102030405+1",
        "20260102030405+2500",
        "2026-01-02T03:04:05Z",
        "20260102030405Zx",
        "２０２６０１０２０３Z",
    ] {
        assert_eq!(generalized_time(wrong), None, "{wrong}");
    }
}
