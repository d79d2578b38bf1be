//! How SQLite goes about what filters compile to: each by the index that is there for it, and none beyond its tenant.

use std::cell::Cell;

use proptest::prelude::*;
use rollcall::scim::schema::{GROUPS, USERS};
use rollcall::store::Statement;

use crate::filter_equivalence::{encoded, runner};
use crate::support::filter_text::Vocabulary;
use crate::support::population::Population;
use crate::support::{Tenant, World};

/// Filters on users, and the searches that answer each, whichever else there are.
const ON_USERS: [(&str, &[&str]); 18] = [
    (
        r#"id eq "x""#,
        &["SEARCH r USING PRIMARY KEY (tenant_id=? AND id=?)"],
    ),
    (
        r#"userName eq "x""#,
        &["SEARCH r USING INDEX users_user_name_unique (tenant_id=? AND user_name_key=?)"],
    ),
    (
        r#"externalId eq "x""#,
        &["SEARCH r USING INDEX users_external_id_idx (tenant_id=? AND external_id=?)"],
    ),
    (
        r#"displayName eq "x""#,
        &["SEARCH r USING INDEX users_display_name_idx (tenant_id=? AND display_name_key=?)"],
    ),
    (r#"emails.value eq "x""#, BY_EMAIL),
    (r#"emails eq "x""#, BY_EMAIL),
    (r#"emails[type eq "work"].value eq "x""#, BY_EMAIL),
    (r#"emails[type eq "work" and value eq "x"]"#, BY_EMAIL),
    (r#"emails[value eq "x"]"#, BY_EMAIL),
    (r#"emails[value eq "x" and primary eq true]"#, BY_EMAIL),
    (
        r#"employeeNumber eq "x""#,
        &["SEARCH r USING INDEX users_employee_number_idx (tenant_id=? AND employee_number_key=?)"],
    ),
    (
        r#"manager eq "x""#,
        &["SEARCH r USING INDEX users_manager_idx (tenant_id=? AND manager_id=?)"],
    ),
    (
        r#"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.value eq "x""#,
        &["SEARCH r USING INDEX users_manager_idx (tenant_id=? AND manager_id=?)"],
    ),
    (r#"groups.value eq "x""#, BY_GROUP),
    (r#"groups eq "x""#, BY_GROUP),
    (
        r#"userName sw "x""#,
        &[
            "SEARCH r USING INDEX users_user_name_unique (tenant_id=? AND user_name_key>? AND user_name_key<?)",
        ],
    ),
    (
        r#"displayName sw "x""#,
        &[
            "SEARCH r USING INDEX users_display_name_idx (tenant_id=? AND display_name_key>? AND display_name_key<?)",
        ],
    ),
    (
        r#"meta.lastModified gt "2026-01-02T03:04:05Z""#,
        &["SEARCH r USING INDEX users_modified_idx (tenant_id=? AND modified_at>?)"],
    ),
];

const ON_GROUPS: [(&str, &[&str]); 8] = [
    (
        r#"id eq "x""#,
        &["SEARCH r USING PRIMARY KEY (tenant_id=? AND id=?)"],
    ),
    (
        r#"displayName eq "x""#,
        &["SEARCH r USING INDEX groups_display_name_idx (tenant_id=? AND display_name_key=?)"],
    ),
    (
        r#"externalId eq "x""#,
        &["SEARCH r USING INDEX groups_external_id_idx (tenant_id=? AND external_id=?)"],
    ),
    (r#"members.value eq "x""#, BY_MEMBER),
    (r#"members eq "x""#, BY_MEMBER),
    (r#"members[value eq "x"]"#, BY_MEMBER),
    (
        r#"displayName sw "x""#,
        &[
            "SEARCH r USING INDEX groups_display_name_idx (tenant_id=? AND display_name_key>? AND display_name_key<?)",
        ],
    ),
    (
        r#"meta.lastModified gt "2026-01-02T03:04:05Z""#,
        &["SEARCH r USING INDEX groups_modified_idx (tenant_id=? AND modified_at>?)"],
    ),
];

const BY_EMAIL: &[&str] = &[
    "SEARCH m USING PRIMARY KEY (tenant_id=? AND value_key=?)",
    "SEARCH r USING PRIMARY KEY (tenant_id=? AND id=?)",
];
const BY_GROUP: &[&str] = &[
    "SEARCH m USING PRIMARY KEY (tenant_id=? AND group_id=?)",
    "SEARCH r USING PRIMARY KEY (tenant_id=? AND id=?)",
];
const BY_MEMBER: &[&str] = &[
    "SEARCH m USING INDEX group_members_member_idx (tenant_id=? AND member_id=?)",
    "SEARCH r USING PRIMARY KEY (tenant_id=? AND id=?)",
];

/// A worker deployed before `externalId` ceased to be unique names the index that it knew, and is answered.
#[test]
fn an_older_workers_searches_by_external_id_are_answered() {
    let world = World::new();
    for table in ["users", "groups"] {
        let sql = format!(
            "select r.id from {table} r indexed by {table}_external_id_unique where r.tenant_id = 't' and (r.external_id = 'x')"
        );
        assert_eq!(world.database.texts(&sql), [""; 0]);
    }
}

#[test]
fn each_lookup_of_users_goes_by_its_index() {
    let strays: Vec<String> = ON_USERS
        .iter()
        .filter_map(|(filter, searches)| strays("/Users", filter, searches))
        .collect();
    assert!(strays.is_empty(), "{}", strays.join("\n"));
}

#[test]
fn each_lookup_of_groups_goes_by_its_index() {
    let strays: Vec<String> = ON_GROUPS
        .iter()
        .filter_map(|(filter, searches)| strays("/Groups", filter, searches))
        .collect();
    assert!(strays.is_empty(), "{}", strays.join("\n"));
}

#[test]
fn asking_for_active_users_beside_a_lookup_keeps_its_index() {
    for (filter, searches) in ON_USERS {
        for filter in [
            format!("{filter} and active eq true"),
            format!("active eq true and {filter}"),
            format!("(active eq true) and (title pr and ({filter}))"),
        ] {
            assert_eq!(strays("/Users", &filter, searches), None);
        }
    }
}

/// A filter that no index serves scans its tenant, and no statement of any filter scans more.
#[test]
fn no_filter_leaves_its_tenant() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let population = Population::create(&world, &tenant, "compat", 9_865);
    let lists = Cell::new(0);
    for types in [&[&USERS][..], &[&GROUPS], &[&USERS, &GROUPS]] {
        let endpoint = match types {
            [one] => one.endpoint,
            _ => "/",
        };
        let vocabulary = Vocabulary::new(types, &population, "compat");
        let empty = world.tenant("compat");
        let checked = runner(200).run(&vocabulary.filters(), |filter| {
            for statement in listing(&empty, endpoint, &filter) {
                // Whose a credential is, the directory knows, which is no tenant's.
                if statement.sql.contains("from directory") {
                    continue;
                }
                lists.set(lists.get() + usize::from(is_list(&statement)));
                prop_assert_eq!(strays_of(&world, &statement), None);
            }
            Ok(())
        });
        checked.unwrap_or_else(|error| panic!("{error}"));
    }
    assert!(
        lists.get() > 1_000,
        "only {} statements were looked at",
        lists.get()
    );
}

#[test]
fn of_two_lookups_the_one_that_leaves_fewer_users_is_taken() {
    let number =
        "SEARCH r USING INDEX users_employee_number_idx (tenant_id=? AND employee_number_key=?)";
    for (filter, search) in [
        (r#"groups eq "x" and employeeNumber eq "y""#, number),
        (r#"displayName sw "x" and employeeNumber eq "y""#, number),
        (
            r#"meta.lastModified gt "2026-01-02T03:04:05Z" and groups.value eq "x""#,
            BY_GROUP[1],
        ),
        (
            r#"emails eq "x" and meta.lastModified gt "2026-01-02T03:04:05Z""#,
            BY_EMAIL[1],
        ),
        (r#"userName sw "x" and emails eq "y""#, BY_EMAIL[1]),
        (r#"manager eq "x" and emails[value eq "y"]"#, BY_EMAIL[1]),
    ] {
        assert_eq!(strays("/Users", filter, &[search]), None);
    }
}

#[test]
fn several_terms_on_memberships_are_looked_up_and_not_gone_through_for_each_user() {
    for (endpoint, filter, searches) in [
        (
            "/Users",
            r#"groups.display co "x" and groups.display co "y""#,
            &["SEARCH h USING AUTOMATIC "][..],
        ),
        (
            "/Users",
            r#"employeeNumber eq "x" and groups.display co "x" and groups.display co "y""#,
            &[
                "SEARCH r USING INDEX users_employee_number_idx (tenant_id=? AND employee_number_key=?)",
                "SEARCH o USING PRIMARY KEY (tenant_id=? AND id=?)",
                "SEARCH k USING AUTOMATIC ",
            ],
        ),
        (
            "/Groups",
            r#"members.display co "x" and members.display co "y""#,
            &["SEARCH h USING AUTOMATIC "],
        ),
    ] {
        let world = World::new();
        let tenant = world.tenant("compat");
        for statement in listing(&tenant, endpoint, filter)
            .iter()
            .filter(|one| is_list(one))
        {
            let plan = world.database.plan(statement);
            for search in searches {
                let goes_by = plan.iter().any(|line| line.starts_with(search));
                assert!(goes_by, "{search}\n  {}", plan.join("\n  "));
            }
        }
    }
}

#[test]
fn no_sorting_leaves_its_tenant() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let sorts = [
        ("/Users", "userName"),
        ("/Users", "emails"),
        ("/Users", "groups"),
        ("/Groups", "displayName"),
        ("/Groups", "members.display"),
        ("/", "meta.lastModified"),
        ("/", "externalId"),
    ];
    for (endpoint, by) in sorts {
        for rest in ["filter=id+pr", "startIndex=2", "cursor"] {
            let path = format!("{endpoint}?sortBy={by}&{rest}");
            let statements = world.database.recording(|| {
                tenant.get(&path).expect(200);
            });
            assert!(statements.iter().any(is_list), "{path}");
            for statement in statements {
                assert_eq!(strays_of(&world, &statement), None, "{path}");
            }
        }
    }
}

/// Whether a statement reads resources, and not what authenticates the request.
fn is_list(statement: &Statement) -> bool {
    statement.sql.contains(" r.tenant_id = ?1")
}

/// The statements that a list runs for a filter; none where the filter is refused.
fn listing(tenant: &Tenant<'_>, endpoint: &str, filter: &str) -> Vec<Statement> {
    let path = format!("{endpoint}?filter={}", encoded(filter));
    tenant.world.database.recording(|| {
        tenant.get(&path);
    })
}

/// Whether a line of a plan reads rows of a table only of one tenant: of our tables, by a key that begins with the tenant's id;
/// of the tenants, by their own.
fn stays(line: &str) -> bool {
    /// What a statement makes itself: a recursion over memberships, the elements of a value, the rows of both.
    const ITS_OWN: [&str; 14] = [
        "found",
        "their_groups",
        "above",
        "memberships",
        "reached",
        "own",
        "spread",
        "wanted",
        "nearest",
        "h",
        "k",
        "b",
        "e",
        "CONSTANT",
    ];
    let Some((how, rest)) = line
        .split_once(' ')
        .filter(|(how, _)| ["SEARCH", "SCAN"].contains(how))
    else {
        return true;
    };
    let name = rest.split(' ').next().unwrap_or_default();
    if ITS_OWN.contains(&name) || name.starts_with('(') {
        return true;
    }
    how == "SEARCH" && (rest.contains("(tenant_id=?") || ["tenants", "t"].contains(&name))
}

/// The lines of a statement's plan that leave the tenant.
fn strays_of(world: &World, statement: &Statement) -> Option<String> {
    let stray = world
        .database
        .plan(statement)
        .into_iter()
        .find(|line| !stays(line))?;
    Some(format!("{stray}\n  {}", statement.sql))
}

/// Where a filter's count or its page is not found by the searches wanted, or any resource by its tenant alone.
fn strays(endpoint: &str, filter: &str, searches: &[&str]) -> Option<String> {
    let world = World::new();
    let tenant = world.tenant("compat");
    let statements = listing(&tenant, endpoint, filter);
    let lists: Vec<&Statement> = statements
        .iter()
        .filter(|statement| is_list(statement))
        .collect();
    // A look-up that finds less than a page is not counted.
    assert!((1..=2).contains(&lists.len()), "{filter}");
    lists.into_iter().find_map(|statement| {
        let plan = world.database.plan(statement);
        let goes_by = |search: &&str| {
            let covering = search.replace("USING INDEX", "USING COVERING INDEX");
            // Ids alone are an index of their own.
            let by_id = *search == "SEARCH r USING PRIMARY KEY (tenant_id=? AND id=?)";
            plan.iter().any(|line| {
                line == search
                    || *line == covering
                    || (by_id && line.ends_with("s_id_idx (tenant_id=? AND id=?)"))
            })
        };
        let reads_the_tenant =
            |line: &String| line.contains(" r ") && line.ends_with("(tenant_id=?)");
        let well = searches.iter().all(goes_by)
            && !plan.iter().any(reads_the_tenant)
            && plan.iter().all(|line| stays(line));
        (!well).then(|| format!("{filter}\n  {}\n  {}", plan.join("\n  "), statement.sql))
    })
}
