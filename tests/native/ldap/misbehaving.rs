//! Servers that misbehave: with every one of them it ends in bounded time, with the reason.

use std::net::TcpListener;

use rollcall::ldap::{Security, Settings};
use rollcall::platform::Clock;

use super::scripted::{
    BIND, Client, DONE, ENTRY, EXTENDED, PASSWORD, done, element, entry, fields, message, octets,
    result, server, settings,
};
use super::{everything, failure, read};
use crate::support::network::SystemClock;

/// Why that server cannot be read, with the port left out; in less than two seconds.
#[track_caller]
fn reason(settings: &Settings) -> String {
    let start = SystemClock.now();
    let reason = failure(settings, &everything("(objectClass=*)"));
    let took = SystemClock.now() - start;
    assert!(took < 2_000, "{took} ms: {reason}");
    assert!(!reason.contains(PASSWORD), "{reason}");
    reason.replace(&format!("127.0.0.1:{}", settings.port), "HOST")
}

/// Answers the bind, then the search with these bytes.
fn answering(answer: impl FnOnce(u8) -> Vec<u8> + Send + 'static) -> Settings {
    server(move |client| {
        client.bind();
        let (id, _) = client.request().expect("a search");
        client.send(&answer(id));
        client.wait();
    })
}

#[test]
fn nobody_listens() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let reason = reason(&settings(port));
    assert!(
        reason.starts_with("HOST cannot be reached: Connection refused"),
        "{reason}"
    );
}

#[test]
fn it_accepts_and_never_answers() {
    let settings = server(Client::wait);
    assert_eq!(
        reason(&settings),
        "HOST did not answer the bind within 300 ms"
    );
}

#[test]
fn it_binds_and_never_answers_again() {
    let settings = server(|client| {
        client.bind();
        client.wait();
    });
    assert_eq!(
        reason(&settings),
        "HOST did not answer the search within 300 ms"
    );
}

#[test]
fn it_sends_a_byte_at_a_time_for_ever() {
    let settings = server(|client| {
        client.request();
        let answer = result(1, BIND, 0, &"x".repeat(500));
        for byte in answer {
            client.send(&[byte]);
            client.pause(50);
        }
    });
    assert_eq!(
        reason(&settings),
        "HOST did not answer the bind within 300 ms"
    );
}

#[test]
fn it_sends_an_entry_at_a_time_for_ever() {
    let mut settings = server(|client| {
        client.bind();
        let (id, _) = client.request().expect("a search");
        while client.send(&entry(id, "cn=a", &[])) {
            client.pause(60);
        }
    });
    settings.page_size = 1_000;
    settings.timeout_ms = 100;
    assert_eq!(
        reason(&settings),
        "HOST did not answer the search within 100 ms"
    );
}

#[test]
fn it_says_without_end_what_nobody_asked_for() {
    let settings = server(|client| {
        client.request();
        let unsolicited = message(0, &[element(EXTENDED, &fields(0, ""))]);
        while client.send(&unsolicited) {
            client.pause(1);
        }
    });
    assert_eq!(
        reason(&settings),
        "HOST did not answer the bind within 300 ms"
    );
}

#[test]
fn it_closes_at_once_in_the_middle_of_a_message_and_of_an_answer() {
    let settings = server(|client| {
        client.request();
    });
    assert_eq!(
        reason(&settings),
        "HOST closed the connection before it answered the bind"
    );

    let settings = server(|client| {
        client.request();
        let answer = result(1, BIND, 0, "");
        client.send(&answer[..answer.len() - 3]);
    });
    assert_eq!(
        reason(&settings),
        "HOST closed the connection before it answered the bind"
    );

    let settings = server(|client| {
        client.bind();
        let (id, _) = client.request().expect("a search");
        client.send(&entry(id, "cn=a", &[]));
    });
    assert_eq!(
        reason(&settings),
        "HOST closed the connection before it answered the search"
    );
}

#[test]
fn it_gives_notice_of_disconnection() {
    let settings = server(|client| {
        client.request();
        let name = element(0x8a, b"1.3.6.1.4.1.1466.20036");
        let notice = [fields(52, "going down for repairs"), name].concat();
        client.send(&message(0, &[element(EXTENDED, &notice)]));
    });
    assert_eq!(
        reason(&settings),
        "HOST closed the connection before it answered the bind: it gave notice with code 52, going down for repairs"
    );
}

#[test]
fn what_it_sends_is_no_message() {
    for (bytes, sent) in [
        (
            b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(),
            "the byte 0x48 where a message begins, which is always 0x30",
        ),
        // The beginning of a TLS alert: the port wants TLS.
        (
            vec![0x15, 3, 1, 0, 2, 2, 70],
            "the byte 0x15 where a message begins, which is always 0x30",
        ),
        (
            vec![0x30, 0x84, 0xff, 0xff, 0xff, 0xff],
            "a message of 4294967301 bytes; 8388608 are allowed",
        ),
        (
            vec![0x30, 0x83, 0x80, 0, 0],
            "a message of 8388613 bytes; 8388608 are allowed",
        ),
        (
            vec![0x30, 0x80, 2, 1, 1],
            "a message's length in 0 bytes; 1 to 4 are allowed",
        ),
        (
            vec![0x30, 0x88, 0, 0, 0, 0, 0, 0, 0, 1, 0],
            "a message's length in 8 bytes; 1 to 4 are allowed",
        ),
        (vec![0x30, 0], "a message that ends too early"),
        (vec![0x30, 3, 2, 1, 1], "a message that ends too early"),
        (
            message(1, &[element(BIND, &fields(0, "")), octets("more")]),
            "a message with something left over",
        ),
        (
            message(
                1,
                &[element(BIND, &[fields(0, ""), octets("more")].concat())],
            ),
            "a message with something left over",
        ),
        (
            message(1, &[element(BIND, &[0x0a, 0x01])]),
            "a message that ends too early",
        ),
        (
            message(
                1,
                &[element(BIND, &[0x0a, 0x84, 0xff, 0xff, 0xff, 0xff, 0])],
            ),
            "a message that ends too early",
        ),
        (
            message(1, &[element(0x60, &fields(0, ""))]),
            "a message that is no LDAP response",
        ),
        (
            message(1, &[octets("text")]),
            "a message that is no LDAP response",
        ),
        (
            element(
                0x30,
                &[
                    &[0x02, 0x09, 1, 1, 1, 1, 1, 1, 1, 1, 1][..],
                    &element(BIND, &fields(0, "")),
                ]
                .concat(),
            ),
            "a message with a number that is too large",
        ),
        (
            result(7, BIND, 0, ""),
            "an answer to message 7, which was never sent",
        ),
        (
            result(0, BIND, 0, ""),
            "an answer to message 0, which was never sent",
        ),
        (
            result(1, DONE, 0, ""),
            "the answer to something else than the bind",
        ),
    ] {
        let answer = bytes.clone();
        let settings = server(move |client| {
            client.request();
            client.send(&answer);
            client.wait();
        });
        let wanted = format!("HOST does not speak LDAP as it should: it sent {sent}");
        assert_eq!(reason(&settings), wanted, "{bytes:02x?}");
    }
}

#[test]
fn its_entries_do_not_hold() {
    let deep = (0..200).fold(Vec::new(), |inner, _| element(0x24, &inner));
    let in_entry = |content: Vec<u8>| move |id| message(id, &[element(ENTRY, &content)]);
    for (content, sent) in [
        (
            [element(0x04, &[0xff]), element(0x30, b"")].concat(),
            "a DN that is no UTF-8",
        ),
        (
            [
                octets("cn=a"),
                element(
                    0x30,
                    &element(0x30, &[element(0x04, &[0xff]), element(0x31, b"")].concat()),
                ),
            ]
            .concat(),
            "an attribute's name that is no UTF-8",
        ),
        // A value that claims to be longer than the list that it is in: the list must not come out one shorter.
        (
            [
                octets("cn=a"),
                element(
                    0x30,
                    &element(
                        0x30,
                        &[
                            octets("member"),
                            element(0x31, &[octets("b"), vec![0x04, 9, 1]].concat()),
                        ]
                        .concat(),
                    ),
                ),
            ]
            .concat(),
            "a message that ends too early",
        ),
        (deep, "a message with something left over"),
    ] {
        let settings = answering(in_entry(content));
        assert_eq!(
            reason(&settings),
            format!("HOST does not speak LDAP as it should: it sent {sent}")
        );
    }
}

#[test]
fn its_pages_never_end() {
    let settings = server(|client| {
        client.bind();
        while let Some((id, _)) = client.request() {
            client.send(&done(id, "again"));
        }
    });
    assert_eq!(
        reason(&settings),
        "HOST does not speak LDAP as it should: it sent 100 empty pages in a row"
    );
}

#[test]
fn what_follows_the_answer_to_starttls_is_not_believed() {
    let mut settings = server(|client| {
        client.request();
        let answer = result(1, EXTENDED, 0, "");
        client.send(&[answer, result(2, BIND, 0, "")].concat());
        client.wait();
    });
    settings.security = Security::StartTls;
    assert_eq!(
        reason(&settings),
        "HOST does not speak LDAP as it should: it sent more than the answer to StartTLS before TLS was there"
    );
}

#[test]
fn its_words_are_passed_on_short_and_without_the_password() {
    let words = format!("no {PASSWORD}\r\n{}", "x".repeat(1_000));
    let settings = server(move |client| {
        client.request();
        client.send(&result(1, BIND, 49, &words));
        client.wait();
    });
    let reason = reason(&settings);
    assert!(
        reason.starts_with("the bind failed: the bind DN or the password is wrong (49 invalidCredentials: no …  xxx"),
        "{reason}"
    );
    assert!(reason.len() < 400);
}

#[test]
fn the_password_is_not_in_what_is_printed_for_developers() {
    let settings = server(|client| {
        client.request();
        client.send(&result(1, BIND, 49, PASSWORD));
    });
    let error = read(&settings, &everything("(uid=*)")).unwrap_err();
    assert!(!format!("{error:?} {error}").contains(PASSWORD));
}
