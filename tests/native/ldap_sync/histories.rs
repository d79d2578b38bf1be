//! Whatever has happened in a directory, a sync of changes takes nobody out of a group whom a reading of the whole directory finds in it,
//! and brings nobody in whom that does not find there.

use std::collections::BTreeSet;
use std::rc::Rc;

use proptest::prelude::*;
use proptest::test_runner::TestError;
use serde_json::json;

use super::{Directory, counts};
use crate::filter_equivalence::runner;
use crate::support::ldap_tree::{Reached, Tree};
use crate::support::{SECRET, World};

const BASE: &str = "dc=example,dc=com";
const PEOPLE: u32 = 7;
const GROUPS: u32 = 3;
/// Places for people and groups, one below another.
const PLACES: [&str; 4] = ["ou=a", "ou=b", "ou=c,ou=a", "ou=d"];
/// Few names, so that one place's are another's too.
const NAMES: [&str; 4] = ["kim", "lou", "sam", "ty"];
const HISTORIES: u32 = 150;

/// What happens in the directory.
#[derive(Debug, Clone)]
enum Event {
    /// Somebody, or a group, gets another name in another place.
    Move(usize, usize, usize),
    /// A place, with all that is in it, gets another name.
    Rename(usize, usize),
    /// Two places, with all that is in them, change names.
    Swap(usize, usize),
    /// A group gets these members.
    Members(usize, Vec<usize>),
    Joins(usize, usize),
    Leaves(usize, usize),
    /// Somebody is not, or again, whom the filter finds.
    Filtered(usize, bool),
    Deleted(usize),
    /// Whether the directory changes the names of members.
    Keeps(bool),
    Sync,
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let object = 0..usize::try_from(PEOPLE + GROUPS).expect("a number");
    let group = || 0..usize::try_from(GROUPS).expect("a number");
    let place = || 0..PLACES.len();
    let event = prop_oneof![
        3 => (object.clone(), place(), 0..NAMES.len()).prop_map(|(it, place, name)| Event::Move(it, place, name)),
        3 => (place(), place()).prop_map(|(from, to)| Event::Rename(from, to)),
        3 => (place(), place()).prop_map(|(one, other)| Event::Swap(one, other)),
        2 => (group(), prop::collection::vec(object.clone(), 1..6)).prop_map(|(group, who)| Event::Members(group, who)),
        3 => (group(), object.clone()).prop_map(|(group, who)| Event::Joins(group, who)),
        3 => (group(), object.clone()).prop_map(|(group, who)| Event::Leaves(group, who)),
        1 => (object.clone(), any::<bool>()).prop_map(|(it, left)| Event::Filtered(it, left)),
        1 => object.prop_map(Event::Deleted),
        1 => any::<bool>().prop_map(Event::Keeps),
        2 => Just(Event::Sync),
    ];
    prop::collection::vec(event, 1..25)
}

/// People come first, then groups.
fn id(object: usize) -> String {
    let kind = if object < PEOPLE as usize { 1 } else { 2 };
    format!("{kind}0000000-0000-4000-8000-{object:012}")
}

fn group_at(group: usize) -> usize {
    group + PEOPLE as usize
}

/// The name of an object now; none where it is gone.
fn name_of(tree: &Tree, object: usize) -> Option<String> {
    let id = id(object);
    let found = tree.names(|_, entry| entry.get("entryuuid").is_some_and(|ids| ids[0] == id));
    found.into_iter().next()
}

fn place(index: usize) -> String {
    format!("{},{BASE}", PLACES[index])
}

fn planted() -> Rc<Tree> {
    let tree = Tree::default();
    tree.keeps_references.set(true);
    let texts = |values: &[&str]| values.iter().map(|&value| value.to_owned()).collect();
    tree.put(BASE, &[("objectClass", texts(&["organization"]))]);
    for place in PLACES {
        let attributes = [("objectClass", texts(&["organizationalUnit"]))];
        tree.put(&format!("{place},{BASE}"), &attributes);
    }
    let all = PEOPLE as usize + GROUPS as usize;
    for object in 0..all {
        let class = if object < PEOPLE as usize {
            "inetOrgPerson"
        } else {
            "groupOfNames"
        };
        let dn = format!("uid={},{}", NAMES[object / 3], place(object % 3));
        let attributes = [
            ("objectClass", texts(&[class])),
            ("entryUUID", vec![id(object)]),
            ("uid", vec![format!("name-{object}")]),
            ("cn", vec![format!("name-{object}")]),
            ("employeeType", texts(&["staff"])),
        ];
        tree.put(&dn, &attributes);
    }
    for group in 0..GROUPS as usize {
        let members = (0..4).filter_map(|step| name_of(&tree, (group * 3 + step) % all));
        let members = members.collect();
        tree.set_members(&name_of(&tree, group_at(group)).expect("a group"), members);
    }
    Rc::new(tree)
}

fn happen(tree: &Tree, event: &Event) {
    let with_members = |group: usize, change: &dyn Fn(&mut Vec<String>)| {
        if let Some(dn) = name_of(tree, group_at(group)) {
            let mut members = tree.members(&dn);
            change(&mut members);
            tree.set_members(&dn, members);
        }
    };
    match event {
        Event::Move(object, to, name) => {
            if let Some(from) = name_of(tree, *object) {
                tree.rename(&from, &format!("uid={},{}", NAMES[*name], place(*to)));
            }
        }
        Event::Rename(from, to) => move_place(tree, &place(*from), &place(*to)),
        Event::Swap(one, other) => {
            let between = format!("ou=between,{BASE}");
            move_place(tree, &place(*one), &between);
            move_place(tree, &place(*other), &place(*one));
            move_place(tree, &between, &place(*other));
        }
        Event::Members(group, who) => with_members(*group, &|members| {
            *members = who.iter().filter_map(|it| name_of(tree, *it)).collect();
        }),
        Event::Joins(group, who) => with_members(*group, &|members| {
            // Another spelling of the name.
            members.extend(name_of(tree, *who).map(|dn| dn.replace(",ou=", " , OU = ")));
        }),
        Event::Leaves(group, who) => with_members(*group, &|members| {
            let dn = name_of(tree, *who);
            members.retain(|member| Some(member) != dn.as_ref());
        }),
        Event::Filtered(object, left) => {
            if let Some(dn) = name_of(tree, *object) {
                tree.set(&dn, "employeeType", if *left { "left" } else { "staff" });
            }
        }
        Event::Deleted(object) => {
            if let Some(dn) = name_of(tree, *object) {
                tree.delete(&dn);
            }
        }
        Event::Keeps(keeps) => tree.keeps_references.set(*keeps),
        Event::Sync => {}
    }
}

/// Not into itself, and not where something is.
fn move_place(tree: &Tree, from: &str, to: &str) {
    if !to.ends_with(&format!(",{from}")) {
        tree.rename(from, to);
    }
}

type Memberships = BTreeSet<(String, String)>;

fn memberships(world: &World) -> Memberships {
    // Of the directory's own groups: what a mapping gives follows from them.
    let rows = world.database.texts(
        "select g.external_id || ' ' || coalesce(u.external_id, h.external_id) from group_members m \
         join groups g on g.tenant_id = m.tenant_id and g.id = m.group_id and g.managed_by is not null \
         left join users u on u.tenant_id = m.tenant_id and u.id = m.member_id \
         left join groups h on h.tenant_id = m.tenant_id and h.id = m.member_id",
    );
    let pairs = rows.iter().filter_map(|row| row.split_once(' '));
    pairs
        .map(|(group, member)| (group.to_owned(), member.to_owned()))
        .collect()
}

/// A sync that a dry run before it has told rightly; its mode.
fn sync(directory: &Directory<'_>, query: &str) -> Result<String, TestCaseError> {
    let planned = directory.sync(&format!("{query}&dry_run=true"));
    let log = directory.sync(query);
    prop_assert_eq!(&log["status"], "succeeded", "{}", log);
    prop_assert_eq!(&planned["mode"], &log["mode"]);
    prop_assert_eq!(counts(&planned), counts(&log));
    Ok(log["mode"].as_str().unwrap_or_default().to_owned())
}

fn check(history: &[Event]) -> Result<bool, TestCaseError> {
    let tree = planted();
    let mut world = World::configured(&[("JWT_LOCAL_SECRET", SECRET), ("LOCAL_DEVELOPMENT", "on")]);
    world.connect(Rc::new(Reached(Rc::clone(&tree))));
    let config = json!({
        "user_filter": "(&(objectClass=inetOrgPerson)(!(employeeType=left)))", "max_removal_percent": 100,
        "attribute_mapping": {"user_name": "cn"},
    });
    let directory = Directory::at(world.tenant("compat"), "ldap://127.0.0.1", config);
    let ours = directory.tenant.group("Ours", &[]);
    let path = format!(
        "/api/v1/tenants/{}/identity-providers/{}/group-mappings",
        directory.tenant.id, directory.idp
    );
    let body = json!({"external_group_id": id(group_at(2)), "internal_group_id": ours});
    world.admin("POST", &path, body).expect(201);
    sync(&directory, "?allow_removals=true")?;
    for event in history {
        happen(&tree, event);
        if matches!(event, Event::Sync) {
            sync(&directory, "?allow_removals=true")?;
        }
    }
    let before = memberships(&world);
    let mode = sync(&directory, "?allow_removals=true")?;
    let after = memberships(&world);
    sync(&directory, "?allow_removals=true&full=true")?;
    let all = memberships(&world);
    let lost: Vec<_> = before
        .intersection(&all)
        .filter(|it| !after.contains(*it))
        .collect();
    prop_assert!(lost.is_empty(), "taken out, and in it: {lost:?}");
    let wrong: Vec<_> = after
        .difference(&before)
        .filter(|it| !all.contains(*it))
        .collect();
    prop_assert!(wrong.is_empty(), "brought in, and not in it: {wrong:?}");
    directory.assert_consistent();
    Ok(mode == "changes" && before != after)
}

#[test]
fn no_history_makes_a_sync_of_changes_take_out_who_is_in() {
    let telling = std::cell::Cell::new(0);
    let outcome = runner(HISTORIES).run(&events(), |history| {
        telling.set(telling.get() + u32::from(check(&history)?));
        Ok(())
    });
    match outcome {
        Ok(()) => {}
        Err(TestError::Fail(reason, history)) => panic!("{history:?}\n{reason}"),
        Err(error) => panic!("{error}"),
    }
    // Those in which a sync of changes has changed memberships.
    assert!(telling.get() > HISTORIES / 4, "{}", telling.get());
}
