//! Writes to a directory as LDAP clients do: LDIF change records (RFC 2849) without base64, one after the other. Adding is for the server's
//! own tool, which alone takes an `entryUUID`.

use std::io::{Read, Write};
use std::net::TcpStream;

/// Who may write everything (see `tests/fixtures/ldap/slapd.conf`).
const ADMIN: &str = "cn=admin,dc=example,dc=com";
const ADMIN_PASSWORD: &str = "admin-password";

/// A connection that may write everything.
pub struct Writer {
    stream: TcpStream,
    id: u8,
}

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len())
        .expect("a short message")
        .to_be_bytes();
    [&[tag, 0x82, length[0], length[1]], content].concat()
}

fn octets(text: &str) -> Vec<u8> {
    tlv(0x04, text.as_bytes())
}

impl Writer {
    pub fn open(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).expect("the server");
        let mut writer = Writer { stream, id: 0 };
        let version = [0x02, 0x01, 0x03].to_vec();
        let password = tlv(0x80, ADMIN_PASSWORD.as_bytes());
        writer.ask(
            "bind",
            tlv(0x60, &[version, octets(ADMIN), password].concat()),
        );
        writer
    }

    /// Sends a request, and expects success.
    fn ask(&mut self, what: &str, operation: Vec<u8>) {
        self.id = self.id % 127 + 1;
        let message = tlv(0x30, &[vec![0x02, 0x01, self.id], operation].concat());
        self.stream.write_all(&message).expect("a connection");
        let mut answer = [0; 4096];
        let length = self.stream.read(&mut answer).expect("an answer");
        let answer = &answer[..length];
        let code = answer.windows(3).find(|bytes| bytes[..2] == [0x0a, 0x01]);
        let said = String::from_utf8_lossy(answer);
        assert_eq!(code.map(|code| code[2]), Some(0), "{what}: {said}");
    }

    pub fn delete(&mut self, dn: &str) {
        self.ask(dn, tlv(0x4a, dn.as_bytes()));
    }

    /// The body of a modify record: `replace: cn`, `cn: …`, and `-` between changes.
    pub fn modify(&mut self, dn: &str, changes: &str) {
        let changes: Vec<u8> = changes
            .split("\n-\n")
            .flat_map(|change| {
                let mut lines = change.lines().filter(|line| !line.is_empty());
                let (how, attribute) = lines
                    .next()
                    .and_then(|line| line.split_once(": "))
                    .expect("a change");
                let how = match how {
                    "add" => 0,
                    "delete" => 1,
                    _ => 2,
                };
                let values: Vec<u8> = lines
                    .flat_map(|line| octets(line.split_once(": ").expect("a value").1))
                    .collect();
                let changed = tlv(0x30, &[octets(attribute), tlv(0x31, &values)].concat());
                tlv(0x30, &[vec![0x0a, 0x01, how], changed].concat())
            })
            .collect();
        self.ask(dn, tlv(0x66, &[octets(dn), tlv(0x30, &changes)].concat()));
    }

    /// Gives an entry another place and name; the value of the one before goes.
    pub fn rename(&mut self, dn: &str, rdn: &str, parent: &str) {
        let delete_old = vec![0x01, 0x01, 0xff];
        let parent = tlv(0x80, parent.as_bytes());
        self.ask(
            dn,
            tlv(
                0x6c,
                &[octets(dn), octets(rdn), delete_old, parent].concat(),
            ),
        );
    }
}
