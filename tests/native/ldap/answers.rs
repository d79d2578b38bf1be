//! What real servers other than OpenLDAP answer: their codes, and their ways with pages and large groups.

use rollcall::ldap::{Connection, Entry};
use rollcall::secret::Secret;

use super::scripted::{
    BIND, Client, DONE, EXTENDED, INTERMEDIATE, REFERENCE, done, element, entry, fields, message,
    octets, result, server,
};
use super::{everything, failure, platform, read};

fn refusing_bind(code: u8, words: &'static str) -> String {
    let settings = server(move |client| {
        client.request();
        client.send(&result(1, BIND, code, words));
        client.wait();
    });
    failure(&settings, &everything("(uid=*)"))
}

#[test]
fn a_code_becomes_what_to_do_about_it() {
    for (code, words, wanted) in [
        (
            8,
            "",
            "the server wants a protected connection; use ldaps:// or StartTLS (8 strongerAuthRequired)",
        ),
        (
            13,
            "",
            "the server wants a protected connection; use ldaps:// or StartTLS (13 confidentialityRequired)",
        ),
        (
            34,
            "",
            "the server takes the DN for malformed (34 invalidDNSyntax)",
        ),
        (
            49,
            "80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, data 533, v1db1",
            "the bind account is disabled (49 invalidCredentials: 80090308: LdapErr: DSID-0C0903A9, comment: AcceptSecurityContext error, data 533, v1db1)",
        ),
        (
            49,
            "AcceptSecurityContext error, data 775, v1",
            "the bind account is locked (49 invalidCredentials: AcceptSecurityContext error, data 775, v1)",
        ),
        (
            49,
            "AcceptSecurityContext error, data 52e, v1",
            "the bind DN or the password is wrong (49 invalidCredentials: AcceptSecurityContext error, data 52e, v1)",
        ),
        (
            50,
            "no",
            "the bind DN may not do this; give it the right to read (50 insufficientAccessRights: no)",
        ),
        (51, "", "the server is busy; try again later (51 busy)"),
        (
            52,
            "",
            "the server is not available now, or does not offer this (52 unavailable)",
        ),
        (
            53,
            "",
            "the server will not do this for the bind DN, or not on this connection (53 unwillingToPerform)",
        ),
        (99, "", "the server reports an error (99)"),
    ] {
        assert_eq!(
            refusing_bind(code, words),
            format!("the bind failed: {wanted}")
        );
    }
}

/// Answers the bind, then every search by the script.
fn searching(
    mut script: impl FnMut(&mut Client, u8, &str) + Send + 'static,
) -> rollcall::ldap::Settings {
    server(move |client| {
        client.bind();
        while let Some((id, request)) = client.request() {
            script(client, id, &String::from_utf8_lossy(&request));
        }
    })
}

#[test]
fn entries_before_a_code_are_not_taken_for_an_answer() {
    for (code, wanted) in [
        (
            4,
            "the server gives this bind DN fewer entries than there are",
        ),
        (3, "the server's time limit was reached"),
        (11, "an administrative limit of the server was reached"),
        (1, "the server reports an error (1 operationsError)"),
    ] {
        let settings = searching(move |client, id, _| {
            client.send(&entry(id, "cn=a", &[]));
            client.send(&result(id, DONE, code, ""));
        });
        let reason = failure(&settings, &everything("(uid=*)"));
        assert!(
            reason.starts_with(&format!("the search failed: {wanted}")),
            "{reason}"
        );
    }
}

#[test]
fn a_failure_stays_a_failure() {
    let settings = searching(|client, id, _| {
        client.send(&result(id, DONE, 51, ""));
    });
    pollster::block_on(async {
        let mut connection = Connection::open(&platform(), &settings).await.unwrap();
        let mut pages = connection.search(&everything("(uid=*)"));
        let first = pages.next().await.unwrap_err();
        assert_eq!(pages.next().await.unwrap_err(), first);
    });
}

#[test]
fn a_server_that_knows_no_pages_is_read_in_parts_all_the_same() {
    let settings = searching(|client, id, _| {
        for number in 0..14 {
            client.send(&entry(id, &format!("cn={number}"), &[]));
        }
        client.send(&result(id, DONE, 0, ""));
    });
    let (pages, _) = read(&settings, &everything("(uid=*)")).unwrap();
    let lengths: Vec<usize> = pages.iter().map(Vec::len).collect();
    assert_eq!(lengths, [6, 6, 2]);
}

#[test]
fn pages_may_be_empty_in_between_and_other_messages_come_along() {
    let mut round = 0;
    let settings = searching(move |client, id, _| {
        round += 1;
        client.send(&message(0, &[element(EXTENDED, &fields(0, "hello"))]));
        client.send(&message(
            id,
            &[element(INTERMEDIATE, &element(0x80, b"1.2.3"))],
        ));
        client.send(&message(
            id,
            &[element(REFERENCE, &octets("ldap://elsewhere"))],
        ));
        client.send(&result(1, BIND, 0, "an answer once more"));
        if round != 2 {
            client.send(&entry(id, &format!("cn={round}"), &[("CN", &["x"])]));
        }
        client.send(&done(id, if round < 3 { "more" } else { "" }));
    });
    let (pages, referrals) = read(&settings, &everything("(uid=*)")).unwrap();
    let dns: Vec<&str> = pages
        .iter()
        .flatten()
        .map(|entry| entry.dn.as_str())
        .collect();
    assert_eq!(dns, ["cn=1", "cn=3"]);
    assert_eq!(referrals, 3);
}

#[test]
fn a_group_of_active_directory_that_comes_in_parts_is_put_together() {
    let settings = searching(|client, id, request| {
        let members = |from: usize, to: usize| {
            (from..to)
                .map(|n| format!("cn=user-{n}"))
                .collect::<Vec<_>>()
        };
        let (name, members) = match request {
            request if request.contains("member;range=1500-*") => {
                ("member;range=1500-2999", members(1_500, 3_000))
            }
            request if request.contains("member;range=3000-*") => {
                ("member;range=3000-*", members(3_000, 3_100))
            }
            _ => ("member;range=0-1499", members(0, 1_500)),
        };
        let members: Vec<&str> = members.iter().map(String::as_str).collect();
        client.send(&entry(
            id,
            "cn=all",
            &[("cn", &["all"]), ("member", &[]), (name, &members)],
        ));
        client.send(&done(id, ""));
    });
    let (pages, _) = read(&settings, &everything("(member=*)")).unwrap();
    let all: &Entry = &pages[0][0];
    let members: Vec<&str> = all.texts("member").collect();
    assert_eq!(members.len(), 3_100);
    assert_eq!((members[0], members[3_099]), ("cn=user-0", "cn=user-3099"));
    assert_eq!(all.text("cn"), Some("all"));
    assert_eq!(all.names().collect::<Vec<_>>(), ["cn", "member"]);
}

#[test]
fn a_group_whose_rest_does_not_come_is_an_error() {
    for (rest, wanted) in [
        (
            Some(&[][..]),
            "it sent no more values of an attribute that has more",
        ),
        (None, "cn=all went away while it was read"),
    ] {
        let settings = searching(move |client, id, request| {
            if !request.contains("range=2-*") {
                client.send(&entry(
                    id,
                    "cn=all",
                    &[("member;range=0-1", &["cn=a", "cn=b"])],
                ));
            } else if let Some(rest) = rest {
                client.send(&entry(id, "cn=all", &[("member;range=2-*", rest)]));
            }
            client.send(&done(id, ""));
        });
        let reason = failure(&settings, &everything("(member=*)"));
        assert!(reason.ends_with(wanted), "{reason}");
    }
}

#[test]
fn a_bind_with_neither_name_nor_password_is_anonymous() {
    let mut settings = searching(|client, id, _| {
        client.send(&entry(id, "", &[]));
        client.send(&done(id, ""));
    });
    settings.bind_dn = String::new();
    settings.bind_password = Secret::new(b"".as_slice());
    let (pages, _) = read(&settings, &everything("(objectClass=*)")).unwrap();
    assert_eq!(pages.concat().len(), 1);
}
