//! A directory in memory, for tests that speak with it a thousand times: it takes any bind, and answers a search with the entries of the
//! object class that the filter names, all on one page; a search that names none finds the first entry.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use async_trait::async_trait;
use rollcall::platform::{Tcp, TcpError, TcpSecurity, TcpStream};

/// An entry: its name, and its attributes with their values, `objectClass` among them.
pub type DirectoryEntry = (&'static str, Vec<(&'static str, Vec<&'static str>)>);

/// The directory.
#[derive(Default)]
pub struct TestDirectory {
    pub entries: RefCell<Vec<DirectoryEntry>>,
}

#[async_trait(?Send)]
impl Tcp for TestDirectory {
    async fn connect(
        &self,
        _host: &str,
        _port: u16,
        _security: TcpSecurity,
        _timeout_ms: u32,
    ) -> Result<Box<dyn TcpStream>, TcpError> {
        Ok(Box::new(Dialogue {
            entries: self.entries.borrow().clone(),
            answers: Rc::default(),
        }))
    }
}

struct Dialogue {
    entries: Vec<DirectoryEntry>,
    answers: Rc<RefCell<VecDeque<Vec<u8>>>>,
}

#[async_trait(?Send)]
impl TcpStream for Dialogue {
    async fn write_all(&mut self, bytes: &[u8], _timeout_ms: u32) -> Result<(), TcpError> {
        let (id, operation) = opened(bytes);
        let mut answers = self.answers.borrow_mut();
        match operation.first() {
            Some(0x60) => answers.push_back(message(id, &done(0x61), &[])),
            Some(0x63) => {
                let text = String::from_utf8_lossy(operation);
                let wanted = self.entries.iter().filter(|entry| is_wanted(entry, &text));
                let mut wanted: Vec<&DirectoryEntry> = wanted.collect();
                if wanted.is_empty() {
                    wanted.extend(self.entries.first());
                }
                for entry in wanted {
                    answers.push_back(message(id, &shown(entry), &[]));
                }
                answers.push_back(message(id, &done(0x65), &last_page()));
            }
            _ => {}
        }
        Ok(())
    }

    async fn read(&mut self, _timeout_ms: u32) -> Result<Vec<u8>, TcpError> {
        Ok(self.answers.borrow_mut().pop_front().unwrap_or_default())
    }

    async fn start_tls(self: Box<Self>, _timeout_ms: u32) -> Result<Box<dyn TcpStream>, TcpError> {
        Ok(self)
    }

    async fn close(self: Box<Self>) {}
}

fn is_wanted((_, attributes): &DirectoryEntry, request: &str) -> bool {
    let classes = attributes.iter().filter(|(name, _)| *name == "objectClass");
    let mut classes = classes.flat_map(|(_, values)| values);
    classes.any(|class| request.contains(class))
}

/// The id of a message, as it is encoded, and its operation.
pub(super) fn opened(bytes: &[u8]) -> (&[u8], &[u8]) {
    let (_, inside) = value(bytes);
    let (id, _) = value(inside);
    let length = inside.len() - id.len();
    let encoded = &inside[..2 + id.len()];
    (encoded, &inside[inside.len() - length + 2..])
}

/// What is in an element, and what is in it to the end of the bytes.
pub(super) fn value(bytes: &[u8]) -> (&[u8], &[u8]) {
    let first = usize::from(bytes[1]);
    let header = match first {
        0..0x80 => 2,
        long => 2 + (long & 0x7f),
    };
    let length = match first {
        0..0x80 => first,
        _ => bytes[2..header]
            .iter()
            .fold(0, |length, byte| length << 8 | usize::from(*byte)),
    };
    (&bytes[header..header + length], &bytes[header..])
}

pub(super) fn element(tag: u8, inside: &[u8]) -> Vec<u8> {
    let length = u16::try_from(inside.len())
        .expect("a short message")
        .to_be_bytes();
    [&[tag, 0x82], length.as_slice(), inside].concat()
}

pub(super) fn octets(text: &str) -> Vec<u8> {
    element(0x04, text.as_bytes())
}

pub(super) fn message(id: &[u8], operation: &[u8], controls: &[u8]) -> Vec<u8> {
    element(0x30, &[id, operation, controls].concat())
}

/// A result that is a success.
pub(super) fn done(tag: u8) -> Vec<u8> {
    element(
        tag,
        &[vec![0x0a, 0x01, 0x00], octets(""), octets("")].concat(),
    )
}

pub(super) fn last_page() -> Vec<u8> {
    let page = element(0x30, &[vec![0x02, 0x01, 0x00], octets("")].concat());
    let control = [octets("1.2.840.113556.1.4.319"), element(0x04, &page)].concat();
    element(0xa0, &element(0x30, &control))
}

fn shown((dn, attributes): &DirectoryEntry) -> Vec<u8> {
    let attributes: Vec<u8> = attributes
        .iter()
        .flat_map(|(name, values)| {
            let values: Vec<u8> = values.iter().flat_map(|value| octets(value)).collect();
            element(0x30, &[octets(name), element(0x31, &values)].concat())
        })
        .collect();
    element(0x64, &[octets(dn), element(0x30, &attributes)].concat())
}
