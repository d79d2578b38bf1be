//! A directory in memory that behaves as a real one where names are concerned: entries below one another, which get new names when
//! something above them is renamed and have not changed by that; searches by base, scope and filter.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use async_trait::async_trait;
use rollcall::ldap::dn::{is_within, normalise};
use rollcall::ldap::values::to_generalized_time;
use rollcall::platform::{Tcp, TcpError, TcpSecurity, TcpStream};

use super::directory::{done, element, last_page, message, octets, opened, value};

/// Names of attributes in lower case, and their values.
type Attributes = BTreeMap<String, Vec<String>>;

/// The directory. Its clock goes on by a minute with each change, so that what is old is not read again by chance.
#[derive(Default)]
pub struct Tree {
    /// By DNs, as they are written here.
    entries: RefCell<BTreeMap<String, Attributes>>,
    changes: Cell<i64>,
    /// Whether members' names in groups are changed when entries get other names.
    pub keeps_references: Cell<bool>,
    pub searches: Cell<usize>,
}

impl Tree {
    /// Adds an entry, or gives one other attributes.
    pub fn put(&self, dn: &str, attributes: &[(&str, Vec<String>)]) {
        let attributes = attributes.iter().cloned();
        let mut attributes: Attributes = attributes
            .map(|(name, values)| (name.to_ascii_lowercase(), values))
            .collect();
        attributes.insert("modifytimestamp".to_owned(), vec![self.now()]);
        self.entries.borrow_mut().insert(dn.to_owned(), attributes);
    }

    /// Changes the members of a group; that is a change of the group.
    pub fn set_members(&self, dn: &str, members: Vec<String>) {
        let now = self.now();
        let mut entries = self.entries.borrow_mut();
        if let Some(group) = entries.get_mut(dn) {
            group.insert("member".to_owned(), members);
            group.insert("modifytimestamp".to_owned(), vec![now]);
        }
    }

    pub fn members(&self, dn: &str) -> Vec<String> {
        let entries = self.entries.borrow();
        let members = entries.get(dn).and_then(|group| group.get("member"));
        members.cloned().unwrap_or_default()
    }

    /// Another value of an attribute, which is a change of the entry.
    pub fn set(&self, dn: &str, name: &str, value: &str) {
        let now = self.now();
        if let Some(entry) = self.entries.borrow_mut().get_mut(dn) {
            entry.insert(name.to_ascii_lowercase(), vec![value.to_owned()]);
            entry.insert("modifytimestamp".to_owned(), vec![now]);
        }
    }

    pub fn delete(&self, dn: &str) {
        self.entries.borrow_mut().remove(dn);
        self.refer(dn, None);
    }

    /// Gives an entry, and with it all below, another name. Only the entry itself has changed by that. Nothing happens where the
    /// new name is taken.
    pub fn rename(&self, from: &str, to: &str) {
        let below = format!(",{from}");
        let names: Vec<String> = self.names(|dn, _| dn == from || dn.ends_with(&below));
        if names.is_empty() || !self.names(|dn, _| dn == to).is_empty() {
            return;
        }
        let now = self.now();
        for name in names {
            let new = format!("{}{to}", &name[..name.len() - from.len()]);
            let mut entry = self.entries.borrow_mut().remove(&name).expect("an entry");
            if name == from {
                entry.insert("modifytimestamp".to_owned(), vec![now.clone()]);
            }
            self.entries.borrow_mut().insert(new.clone(), entry);
            self.refer(&name, Some(&new));
        }
    }

    /// The names of entries that are so.
    pub fn names(&self, wanted: impl Fn(&str, &Attributes) -> bool) -> Vec<String> {
        let entries = self.entries.borrow();
        let found = entries.iter().filter(|(dn, entry)| wanted(dn, entry));
        found.map(|(dn, _)| dn.clone()).collect()
    }

    /// Changes a member's name in all groups, as OpenLDAP does it: the groups' times stay.
    fn refer(&self, from: &str, to: Option<&str>) {
        if !self.keeps_references.get() {
            return;
        }
        for entry in self.entries.borrow_mut().values_mut() {
            if let Some(members) = entry.get_mut("member") {
                members.retain_mut(|member| {
                    if member != from {
                        return true;
                    }
                    to.is_some_and(|to| {
                        to.clone_into(member);
                        true
                    })
                });
            }
        }
    }

    fn now(&self) -> String {
        self.changes.set(self.changes.get() + 1);
        to_generalized_time(1_767_225_600_000 + self.changes.get() * 60_000)
    }

    fn search(&self, id: &[u8], request: &[u8]) -> Vec<Vec<u8>> {
        self.searches.set(self.searches.get() + 1);
        let mut rest = value(request).0;
        let mut next = || {
            let (inside, _) = value(rest);
            let (tag, length) = (rest[0], whole(rest));
            let element = (tag, inside);
            rest = &rest[length..];
            element
        };
        let base = text(next().1);
        let scope = next().1[0];
        for _ in 0..4 {
            next();
        }
        let filter = next();
        let key = normalise(&base);
        let entries = self.entries.borrow();
        let mut answers = Vec::new();
        let mut is_there = false;
        for (dn, attributes) in entries.iter() {
            let is_base = normalise(dn) == key;
            is_there |= is_base;
            let in_scope = match scope {
                0 => is_base,
                _ => is_within(dn, &base),
            };
            if in_scope && holds(filter, attributes) {
                answers.push(message(id, &shown(dn, attributes), &[]));
            }
        }
        answers.push(match is_there {
            true => message(id, &done(0x65), &last_page()),
            false => {
                let result = [vec![0x0a, 0x01, 32], octets(""), octets("")].concat();
                message(id, &element(0x65, &result), &[])
            }
        });
        answers
    }
}

/// How long an element is with its header.
fn whole(bytes: &[u8]) -> usize {
    let (inside, behind) = value(bytes);
    bytes.len() - behind.len() + inside.len()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("text")
}

/// The elements in the content of another one.
fn elements(mut content: &[u8]) -> Vec<(u8, &[u8])> {
    let mut found = Vec::new();
    while !content.is_empty() {
        found.push((content[0], value(content).0));
        content = &content[whole(content)..];
    }
    found
}

/// RFC 4511 §4.5.1.7, as far as syncs use it. Whatever is compared is compared without case.
fn holds((tag, content): (u8, &[u8]), entry: &Attributes) -> bool {
    let compared = |order: fn(&str, &str) -> bool| {
        let parts = elements(content);
        let wanted = text(parts[1].1).to_lowercase();
        let values = entry.get(&text(parts[0].1).to_lowercase());
        let mut values = values.into_iter().flatten();
        values.any(|value| order(&value.to_lowercase(), &wanted))
    };
    match tag {
        0xa0 => elements(content).into_iter().all(|one| holds(one, entry)),
        0xa1 => elements(content).into_iter().any(|one| holds(one, entry)),
        0xa2 => !holds(elements(content)[0], entry),
        0xa3 => compared(|value, wanted| value == wanted),
        0xa5 => compared(|value, wanted| value >= wanted),
        0x87 => entry.contains_key(&text(content).to_lowercase()),
        other => panic!("a filter {other:#x}"),
    }
}

fn shown(dn: &str, attributes: &Attributes) -> Vec<u8> {
    let attributes: Vec<u8> = attributes
        .iter()
        .flat_map(|(name, values)| {
            let values: Vec<u8> = values.iter().flat_map(|value| octets(value)).collect();
            element(0x30, &[octets(name), element(0x31, &values)].concat())
        })
        .collect();
    element(0x64, &[octets(dn), element(0x30, &attributes)].concat())
}

/// A network whose every address is the directory.
pub struct Reached(pub Rc<Tree>);

#[async_trait(?Send)]
impl Tcp for Reached {
    async fn connect(
        &self,
        _host: &str,
        _port: u16,
        _security: TcpSecurity,
        _timeout_ms: u32,
    ) -> Result<Box<dyn TcpStream>, TcpError> {
        Ok(Box::new(Dialogue {
            tree: Rc::clone(&self.0),
            answers: VecDeque::new(),
        }))
    }
}

struct Dialogue {
    tree: Rc<Tree>,
    answers: VecDeque<Vec<u8>>,
}

#[async_trait(?Send)]
impl TcpStream for Dialogue {
    async fn write_all(&mut self, bytes: &[u8], _timeout_ms: u32) -> Result<(), TcpError> {
        let (id, operation) = opened(bytes);
        match operation.first() {
            Some(0x60) => self.answers.push_back(message(id, &done(0x61), &[])),
            Some(0x63) => self.answers.extend(self.tree.search(id, operation)),
            _ => {}
        }
        Ok(())
    }

    async fn read(&mut self, _timeout_ms: u32) -> Result<Vec<u8>, TcpError> {
        Ok(self.answers.pop_front().unwrap_or_default())
    }

    async fn start_tls(self: Box<Self>, _timeout_ms: u32) -> Result<Box<dyn TcpStream>, TcpError> {
        Ok(self)
    }

    async fn close(self: Box<Self>) {}
}
