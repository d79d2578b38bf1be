//! From when on a sync of changes reads: never so late that something is missed, and not so early for ever that the whole directory is read
//! each time.

use std::cell::RefCell;
use std::rc::Rc;

use async_trait::async_trait;
use rollcall::platform::{Tcp, TcpError, TcpSecurity, TcpStream};
use serde_json::json;

use super::{Directory, deployed};
use crate::support::World;
use crate::support::ldap_tree::{Reached, Tree};
use crate::support::outside::TestClock;

const BASE: &str = "dc=example,dc=com";
const PEOPLE: usize = 10;
/// How long a search takes, in milliseconds: longer than it took to make the directory, of which the tree takes a minute for each change.
const SEARCH_MS: i64 = 3_600_000;

/// What happens while a search is under way, behind the place that it has come to.
type Meanwhile = Rc<RefCell<Vec<Box<dyn FnOnce(&Tree)>>>>;

/// A directory that takes its time.
struct Slow {
    tree: Rc<Tree>,
    clock: Rc<TestClock>,
    meanwhile: Meanwhile,
}

struct SlowStream {
    stream: Box<dyn TcpStream>,
    tree: Rc<Tree>,
    clock: Rc<TestClock>,
    meanwhile: Meanwhile,
}

#[async_trait(?Send)]
impl Tcp for Slow {
    async fn connect(
        &self,
        host: &str,
        port: u16,
        security: TcpSecurity,
        timeout_ms: u32,
    ) -> Result<Box<dyn TcpStream>, TcpError> {
        let directory = Reached(Rc::clone(&self.tree));
        Ok(Box::new(SlowStream {
            stream: directory.connect(host, port, security, timeout_ms).await?,
            tree: Rc::clone(&self.tree),
            clock: Rc::clone(&self.clock),
            meanwhile: Rc::clone(&self.meanwhile),
        }))
    }
}

#[async_trait(?Send)]
impl TcpStream for SlowStream {
    async fn write_all(&mut self, bytes: &[u8], timeout_ms: u32) -> Result<(), TcpError> {
        let before = self.tree.searches.get();
        self.stream.write_all(bytes, timeout_ms).await?;
        if self.tree.searches.get() > before {
            let next = self.meanwhile.borrow_mut().pop();
            next.into_iter().for_each(|happens| happens(&self.tree));
        }
        Ok(())
    }

    async fn read(&mut self, timeout_ms: u32) -> Result<Vec<u8>, TcpError> {
        self.stream.read(timeout_ms).await
    }

    async fn start_tls(self: Box<Self>, _timeout_ms: u32) -> Result<Box<dyn TcpStream>, TcpError> {
        Ok(self)
    }

    async fn close(self: Box<Self>) {
        self.clock.0.set(self.clock.0.get() + SEARCH_MS);
    }
}

fn dn(number: usize) -> String {
    format!("uid=user-{number},{BASE}")
}

fn one(value: &str) -> Vec<String> {
    vec![value.to_owned()]
}

/// People, and a group of all.
fn put_all(tree: &Tree) {
    tree.put(BASE, &[("objectClass", one("domain"))]);
    for number in 0..PEOPLE {
        let attributes = [
            ("objectClass", one("inetOrgPerson")),
            (
                "entryUUID",
                one(&format!("10000000-0000-4000-8000-{number:012}")),
            ),
            ("uid", one(&format!("user-{number}"))),
            ("cn", one("Somebody")),
            ("sn", one("Somebody")),
        ];
        tree.put(&dn(number), &attributes);
    }
    let attributes = [
        ("objectClass", one("groupOfNames")),
        ("entryUUID", one("20000000-0000-4000-8000-000000000000")),
        ("cn", one("all")),
        ("member", (0..PEOPLE).map(dn).collect()),
    ];
    tree.put(&format!("cn=all,{BASE}"), &attributes);
}

fn scene() -> (World, Rc<Tree>, Meanwhile) {
    let tree = Rc::new(Tree::default());
    put_all(&tree);
    let meanwhile = Meanwhile::default();
    let mut world = deployed();
    world.connect(Rc::new(Slow {
        tree: Rc::clone(&tree),
        clock: Rc::clone(&world.clock),
        meanwhile: Rc::clone(&meanwhile),
    }));
    (world, tree, meanwhile)
}

/// Syncs of changes, one after the other, and how many users each has read.
fn read(directory: &Directory<'_>, syncs: usize) -> Vec<u64> {
    let read = (0..syncs).map(|_| {
        let log = directory.sync("");
        assert_eq!(
            (&log["status"], &log["mode"]),
            (&json!("succeeded"), &json!("changes")),
            "{log}"
        );
        log["counts"]["users"]["read"].as_u64().expect("a number")
    });
    read.collect()
}

#[test]
fn what_has_changed_all_at_once_is_not_read_for_ever() {
    let (world, tree, _) = scene();
    let directory = Directory::at(world.tenant("compat"), "ldap://127.0.0.1", json!({}));
    assert_eq!(directory.sync("")["mode"], "full");
    // What the first reading saw last may have been changed while it went on; the second one began when all of that was there.
    let everybody = PEOPLE as u64;
    assert_eq!(read(&directory, 3), [everybody, 0, 0]);
    // All change at once, and nobody then.
    (0..PEOPLE).for_each(|number| tree.set(&dn(number), "cn", "Somebody else"));
    assert_eq!(read(&directory, 4), [everybody, everybody, 1, 1]);
    tree.set(&dn(3), "cn", "One more");
    assert_eq!(directory.sync("")["counts"]["users"]["updated"], 1);
}

#[test]
fn after_a_reading_of_everything_too() {
    let (world, _, _) = scene();
    let directory = Directory::at(world.tenant("compat"), "ldap://127.0.0.1", json!({}));
    for _ in 0..2 {
        assert_eq!(directory.sync("?full=true")["status"], "succeeded");
    }
    assert_eq!(read(&directory, 2), [0, 0]);
}

/// Another configuration may be another server, whose clock is behind.
#[test]
fn what_was_seen_by_another_configuration_counts_for_nothing() {
    let (world, tree, meanwhile) = scene();
    let directory = Directory::at(world.tenant("compat"), "ldap://127.0.0.1", json!({}));
    for _ in 0..2 {
        directory.sync("");
    }
    let behind = Rc::new(Tree::default());
    put_all(&behind);
    drop((tree, meanwhile));
    directory.configure(json!({"page_size": 7}));
    assert_eq!(directory.sync("")["mode"], "full");
    assert_eq!(read(&directory, 2), [PEOPLE as u64, 0]);
}

/// Somebody changes behind the place that a reading has come to, and somebody before it, whom it sees.
#[test]
fn what_changes_while_it_is_read_is_not_missed() {
    for quiet in 0..3 {
        let (world, _, meanwhile) = scene();
        let directory = Directory::at(world.tenant("compat"), "ldap://127.0.0.1", json!({}));
        directory.sync("");
        read(&directory, quiet);
        for full in ["", "?full=true", ""] {
            let name = format!("changed after {quiet}{full}");
            let changed = name.clone();
            meanwhile.borrow_mut().push(Box::new(move |tree| {
                tree.set(&dn(1), "cn", &changed);
                tree.set(&format!("cn=all,{BASE}"), "description", &changed);
            }));
            assert_eq!(directory.sync(full)["status"], "succeeded");
            assert_eq!(directory.sync("")["mode"], "changes");
            assert_eq!(directory.user("user-1")["displayName"], *name);
        }
    }
}
