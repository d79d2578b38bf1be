//! Names of a directory's entries that somebody here has in another form.

use std::rc::Rc;

use serde_json::json;

use super::{BASE, Directory, world};
use crate::support::ldap_tree::{Reached, Tree};

const COMPOSED: &str = "jos\u{e9}";
const DECOMPOSED: &str = "jose\u{301}";

/// A client's own user, and group, have the name that the directory has: by the key that it has now, and by the one from before keys were
/// normalised.
#[test]
fn a_name_that_a_client_s_own_resource_has_is_a_conflict_in_either_form() {
    for key in [COMPOSED, DECOMPOSED] {
        let texts = |values: &[&str]| values.iter().map(|&value| value.to_owned()).collect();
        let tree = Tree::default();
        tree.put(BASE, &[("objectClass", texts(&["organization"]))]);
        for (rdn, class, id) in [
            ("uid=jose", "inetOrgPerson", "1"),
            ("cn=jose", "groupOfNames", "2"),
        ] {
            let attributes = [
                ("objectClass", texts(&[class])),
                ("entryUUID", texts(&[id])),
                ("uid", texts(&[COMPOSED])),
                ("cn", texts(&[COMPOSED])),
            ];
            tree.put(&format!("{rdn},{BASE}"), &attributes);
        }
        let mut world = world();
        world.connect(Rc::new(Reached(Rc::new(tree))));
        let directory = Directory::at(world.tenant("compat"), "ldap://127.0.0.1", json!({}));
        directory.tenant.user(DECOMPOSED);
        directory.tenant.group(DECOMPOSED, &[]);
        for (table, name) in [("users", "username"), ("groups", "displayname")] {
            world.database.execute(&format!(
                "update {table} set keys = json_remove(json_set(keys, '$.{name}', '{key}'), '$.form')"
            ));
        }
        let found = directory.synced("");
        assert_eq!(
            (&found["users.conflicts"], &found["groups.conflicts"]),
            (&json!(1), &json!(1)),
            "{key:?}: {found:?}"
        );
        for table in ["users", "groups"] {
            let count = format!("select count(*) from {table}");
            assert_eq!(world.database.number(&count), 1, "{key:?}");
        }
    }
}
