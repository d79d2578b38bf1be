//! LDAP servers that do what a test tells them, message by message. They write lengths as Active Directory does, always in four bytes.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::{sleep, spawn};
use std::time::Duration;

use rollcall::ldap::{Security, Settings};
use rollcall::secret::Secret;

/// The password that no error may show.
pub const PASSWORD: &str = "a-very-secret-password";

/// A client's connection, from the server's side.
pub struct Client(TcpStream);

impl Client {
    /// The next request, whole, and its number; none where the client has closed.
    pub fn request(&mut self) -> Option<(u8, Vec<u8>)> {
        let mut header = [0; 2];
        self.0.read_exact(&mut header).ok()?;
        let mut length = usize::from(header[1]);
        if length >= 0x80 {
            let mut digits = vec![0; length - 0x80];
            self.0.read_exact(&mut digits).ok()?;
            length = digits
                .iter()
                .fold(0, |length, digit| length << 8 | usize::from(*digit));
        }
        let mut message = vec![0; length];
        self.0.read_exact(&mut message).ok()?;
        Some((message[2], message))
    }

    /// Sends bytes; whether the client still listens is its own affair.
    pub fn send(&mut self, bytes: &[u8]) -> bool {
        self.0.write_all(bytes).is_ok()
    }

    /// Takes the bind as it comes.
    pub fn bind(&mut self) {
        let (id, _) = self.request().expect("a bind");
        self.send(&result(id, BIND, 0, ""));
    }

    /// Waits until the client is gone.
    pub fn wait(&mut self) {
        while self.request().is_some() {}
    }

    pub fn pause(&self, milliseconds: u64) {
        sleep(Duration::from_millis(milliseconds));
    }
}

/// A server that does that with its first client, and the settings that lead to it: waits of 300 ms, pages of five.
pub fn server(script: impl FnOnce(&mut Client) + Send + 'static) -> Settings {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let port = listener.local_addr().expect("an address").port();
    spawn(move || {
        let (socket, _) = listener.accept().expect("a client");
        socket.set_nodelay(true).expect("an option");
        script(&mut Client(socket));
    });
    settings(port)
}

pub fn settings(port: u16) -> Settings {
    Settings {
        host: "127.0.0.1".to_owned(),
        port,
        security: Security::Plain,
        bind_dn: "cn=reader".to_owned(),
        bind_password: Secret::new(PASSWORD.as_bytes()),
        page_size: 5,
        timeout_ms: 300,
        local_development: true,
    }
}

pub const BIND: u8 = 0x61;
pub const ENTRY: u8 = 0x64;
pub const DONE: u8 = 0x65;
pub const REFERENCE: u8 = 0x73;
pub const EXTENDED: u8 = 0x78;
pub const INTERMEDIATE: u8 = 0x79;

/// A tag, a length in four bytes, and what is inside.
pub fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len())
        .expect("a length")
        .to_be_bytes();
    [&[tag, 0x84][..], &length, content].concat()
}

pub fn octets(text: &str) -> Vec<u8> {
    element(0x04, text.as_bytes())
}

pub fn message(id: u8, parts: &[Vec<u8>]) -> Vec<u8> {
    element(0x30, &[vec![0x02, 0x01, id], parts.concat()].concat())
}

/// A response that is a result and nothing else.
pub fn result(id: u8, tag: u8, code: u8, words: &str) -> Vec<u8> {
    message(id, &[element(tag, &fields(code, words))])
}

pub fn fields(code: u8, words: &str) -> Vec<u8> {
    [vec![0x0a, 0x01, code], octets(""), octets(words)].concat()
}

pub fn entry(id: u8, dn: &str, attributes: &[(&str, &[&str])]) -> Vec<u8> {
    let attributes: Vec<u8> = attributes
        .iter()
        .flat_map(|(name, values)| {
            let values: Vec<u8> = values.iter().flat_map(|value| octets(value)).collect();
            element(0x30, &[octets(name), element(0x31, &values)].concat())
        })
        .collect();
    message(
        id,
        &[element(
            ENTRY,
            &[octets(dn), element(0x30, &attributes)].concat(),
        )],
    )
}

/// The end of a page, with the cookie for the next; the empty one is that of the last.
pub fn done(id: u8, cookie: &str) -> Vec<u8> {
    let value = element(0x30, &[vec![0x02, 0x01, 0x00], octets(cookie)].concat());
    let control = [
        octets("1.2.840.113556.1.4.319"),
        vec![0x01, 0x01, 0xff],
        element(0x04, &value),
    ];
    let controls = element(0xa0, &element(0x30, &control.concat()));
    message(id, &[element(DONE, &fields(0, "")), controls])
}
