//! Requests made to cost much cost no more than what they are about: each row is gone through once, whatever is asked of it.
//!
//! What is counted are the steps of SQLite's virtual machine, which are the same on every machine. A list runs two statements,
//! its page and its total.

use serde_json::{Value, json};

use crate::filter_equivalence::encoded;
use crate::support::{Tenant, World};

/// Steps for each user, group and membership: to be found, kept and found again.
const FOR_A_ROW: u64 = 60;
/// Steps for each of these and each comparison.
const FOR_A_COMPARISON: u64 = 12;
/// Steps for each group in a group and each comparison: what a group meets, those in it meet.
const FOR_A_NESTED_GROUP: u64 = 400;

const USERS: usize = 2_000;
const GROUPS: usize = 1_000;

/// How groups lie in groups.
#[derive(Clone, Copy, Debug)]
enum Nesting {
    Flat,
    /// Each group in the one before.
    Chain,
    /// As the chain, and the first in the last.
    Circle,
    /// Ten layers of a hundred groups, each group in ten of the layer above.
    Layers,
}

impl Nesting {
    /// The groups with the group in each.
    fn pairs(self) -> Vec<(usize, usize)> {
        match self {
            Nesting::Flat => Vec::new(),
            Nesting::Chain => (1..GROUPS).map(|inner| (inner - 1, inner)).collect(),
            Nesting::Circle => (0..GROUPS)
                .map(|outer| (outer, (outer + 1) % GROUPS))
                .collect(),
            Nesting::Layers => (0..GROUPS - 100)
                .flat_map(|outer| {
                    let below = (outer / 100 + 1) * 100;
                    (0..10).map(move |number| (outer, below + (outer + number * 10) % 100))
                })
                .collect(),
        }
    }
}

fn user_id(number: usize) -> String {
    format!("019b0000-0000-7000-8000-{number:012x}")
}

fn group_id(number: usize) -> String {
    format!("019b0000-0000-7000-9000-{number:012x}")
}

/// Users `u<i>`, all of one employee number, and groups `group<j>`, straight in the database: the user `i` is in the groups `i % GROUPS` and `i * 7 % GROUPS`.
fn fill(tenant: &Tenant<'_>, nesting: Nesting) {
    let tenant_id = &tenant.id;
    let database = &tenant.world.database;
    database.execute("begin");
    for number in 0..GROUPS {
        let id = group_id(number);
        database.execute(&format!(
            r#"insert into groups (tenant_id, id, provider_id, version, created_at, modified_at, member_count, unique_name, resource, keys)
             values ('{tenant_id}', '{id}', '', 1, 0, 0, 0, 1, '{{"displayName":"group{number}"}}', '{{"displayname":"group{number}"}}')"#
        ));
    }
    for number in 0..USERS {
        let id = user_id(number);
        database.execute(&format!(
            r#"insert into users (tenant_id, id, provider_id, version, created_at, modified_at, resource, keys)
             values ('{tenant_id}', '{id}', '', 1, 0, 0, '{{"userName":"u{number}","active":true}}', '{{"username":"u{number}","active":true,"enterprise":{{"employeenumber":"7"}}}}')"#
        ));
        for group in [number % GROUPS, number * 7 % GROUPS] {
            let group = group_id(group);
            database.execute(&format!(
                "insert or ignore into group_members (tenant_id, group_id, member_id, member_type) \
             values ('{tenant_id}', '{group}', '{id}', 'User')"
            ));
        }
    }
    for (outer, inner) in nesting.pairs() {
        let (outer, inner) = (group_id(outer), group_id(inner));
        database.execute(&format!(
            "insert into group_members (tenant_id, group_id, member_id, member_type) \
             values ('{tenant_id}', '{outer}', '{inner}', 'Group')"
        ));
    }
    database.execute("commit");
}

/// Lists what a filter finds, and holds the steps that it takes.
#[track_caller]
fn check(tenant: &Tenant<'_>, nesting: Nesting, endpoint: &str, filter: &str) {
    let number = |sql: &str| u64::try_from(tenant.world.database.number(sql)).unwrap();
    let memberships = number("select count(*) from group_members");
    let nested = number("select count(*) from group_members where member_type = 'Group'");
    let rows = u64::try_from(USERS + GROUPS).unwrap() + memberships;
    let comparisons = filter.matches('"').count() / 2;
    let comparisons = u64::try_from(comparisons).unwrap().max(1);
    let most =
        FOR_A_ROW * rows + comparisons * (FOR_A_COMPARISON * rows + FOR_A_NESTED_GROUP * nested);
    let path = format!(
        "{endpoint}?filter={}&count=1&attributes=userName",
        encoded(filter)
    );
    let steps = tenant.world.database.steps(|| {
        tenant.get(&path).expect(200);
    });
    assert!(
        steps <= most,
        "{nesting:?}: {steps} steps, allowed {most}, for {filter}"
    );
}

fn several(count: usize, word: &str, term: impl Fn(usize) -> String) -> String {
    (0..count).map(term).collect::<Vec<_>>().join(word)
}

#[test]
fn what_is_asked_of_groups_above_users_reads_each_row_once() {
    let filters = [
        r#"groups.display co "zzz""#.to_owned(),
        r#"groups.display co "group""#.to_owned(),
        r#"not (groups.display co "group9")"#.to_owned(),
        r#"groups.$ref ew "1" or title pr"#.to_owned(),
        "groups pr".to_owned(),
        r#"groups.type eq "indirect""#.to_owned(),
        r#"groups.type eq "direct""#.to_owned(),
        r#"groups[type eq "indirect" and display co "group5"]"#.to_owned(),
        r#"groups[type ne "direct" or display eq "group7"]"#.to_owned(),
        several(40, " or ", |j| {
            format!(r#"groups.value eq "{}""#, group_id(j * 3))
        }),
        several(40, " or ", |j| format!(r#"groups.display co "p{j}""#)),
        several(40, " and ", |j| {
            format!(r#"not (groups.display co "p{j}9")"#)
        }),
        several(40, " and ", |j| {
            format!(r#"groups.display co "{}""#, &"group"[..1 + j % 5])
        }),
        several(40, " and ", |j| {
            format!(r#"groups.value eq "{}""#, group_id(j))
        }),
        several(40, " and ", |j| format!(r#"groups.display sw "group{j}""#)),
        several(20, " or ", |j| {
            format!(r#"(groups.display sw "group{j}" and active eq true)"#)
        }),
        several(20, " and ", |j| {
            format!(r#"(groups.display sw "group{j}" or userName sw "x{j}")"#)
        }),
        several(13, " and ", |j| {
            format!(r#"groups[type eq "direct" and display co "{j}"]"#)
        }),
        several(13, " and ", |j| {
            format!(r#"groups[type eq "indirect" and display co "{j}"]"#)
        }),
        r#"userName sw "u1" and groups.display co "p9""#.to_owned(),
        r#"meta.lastModified gt "1969-01-01T00:00:00Z" and groups.display co "group""#.to_owned(),
        format!(r#"groups.value eq "{}""#, group_id(5)),
        format!(
            r#"id eq "{}" and groups.value eq "{}""#,
            user_id(7),
            group_id(7)
        ),
        format!(
            r#"active eq true and groups[value eq "{}" and type eq "direct"]"#,
            group_id(5)
        ),
        r#"userName eq "u7" and groups.display co "group""#.to_owned(),
        r#"employeeNumber eq "7" and groups.display co "zzz""#.to_owned(),
        r#"employeeNumber eq "7" and groups.display co "group""#.to_owned(),
        r#"employeeNumber eq "7" and groups[type eq "indirect" and display co "p1"]"#.to_owned(),
        r#"employeeNumber eq "7" and groups.display co "1" and groups.display co "2""#.to_owned(),
    ];
    for nesting in [
        Nesting::Flat,
        Nesting::Chain,
        Nesting::Circle,
        Nesting::Layers,
    ] {
        let world = World::new();
        let tenant = world.tenant("compat");
        fill(&tenant, nesting);
        for filter in &filters {
            check(&tenant, nesting, "/Users", filter);
        }
    }
}

#[test]
fn what_is_asked_of_members_reads_each_row_once() {
    let filters = [
        r#"members.display co "zzz""#.to_owned(),
        r#"members.display co "u""#.to_owned(),
        "members pr".to_owned(),
        r#"members.type eq "Group""#.to_owned(),
        r#"members[type eq "User" and display co "u5"]"#.to_owned(),
        several(40, " or ", |j| {
            format!(r#"members.value eq "{}""#, user_id(j * 3))
        }),
        several(40, " or ", |j| format!(r#"members.display co "u{j}""#)),
        several(40, " and ", |j| {
            format!(r#"not (members.display co "u{j}9")"#)
        }),
        several(40, " and ", |j| {
            format!(r#"members.value eq "{}""#, user_id(j))
        }),
        several(40, " and ", |j| format!(r#"members.display sw "u{j}""#)),
        several(20, " or ", |j| {
            format!(r#"(members.display sw "u{j}" and externalId pr)"#)
        }),
        several(20, " and ", |j| {
            format!(r#"(members.display sw "u{j}" or displayName sw "group{j}")"#)
        }),
        several(13, " and ", |j| {
            format!(r#"members[type eq "User" and display co "{j}"]"#)
        }),
        r#"displayName sw "group1" and members.display co "u9""#.to_owned(),
    ];
    for nesting in [Nesting::Flat, Nesting::Chain] {
        let world = World::new();
        let tenant = world.tenant("compat");
        fill(&tenant, nesting);
        for filter in &filters {
            check(&tenant, nesting, "/Groups", filter);
        }
    }
}

/// A group of all users, who are those of [`fill`].
fn everybody(tenant: &Tenant<'_>) -> String {
    fill(tenant, Nesting::Flat);
    let ids: Vec<String> = (0..USERS).map(user_id).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    tenant.group("Everybody", &ids)
}

fn removal(filter: &str) -> Value {
    json!({"op": "remove", "path": format!("members[{filter}]")})
}

/// Sends a PATCH to a group, and gives the statements and the steps that it took.
fn patch(tenant: &Tenant<'_>, group: &str, operations: &[Value], status: u16) -> (usize, u64) {
    let mut statements = Vec::new();
    let database = &tenant.world.database;
    let steps = database.steps(|| {
        statements = database.recording(|| {
            tenant
                .patch(&format!("/Groups/{group}"), json!(operations))
                .expect(status);
        });
    });
    (statements.len(), steps)
}

fn held(tenant: &Tenant<'_>, group: &str) -> i64 {
    tenant.world.database.number(&format!(
        "select count(*) from group_members where group_id = '{group}'"
    ))
}

#[test]
fn a_thousand_filters_on_members_read_each_member_once() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let group = everybody(&tenant);
    let types: Vec<Value> = (0..1_000)
        .map(|number| removal(&format!(r#"type eq "{number}""#)))
        .collect();
    // Names and addresses are searched one by one, so fewer of these are allowed.
    let names: Vec<Value> = (0..80)
        .map(|number| {
            removal(&format!(
                r#"display ew "x{number}" or $ref co "/{number}/""#
            ))
        })
        .collect();
    let rows = u64::try_from(USERS).unwrap() + 100;
    let (_, alone) = patch(&tenant, &group, &[removal(r#"type eq "Robot""#)], 204);
    for (operations, most) in [(types, 5 * rows), (names, FOR_A_ROW * rows)] {
        let (statements, steps) = patch(&tenant, &group, &operations, 204);
        assert!(statements <= 4, "{statements} statements");
        assert!(
            steps <= alone + most,
            "{steps} steps, allowed {alone} and {most}"
        );
    }
    assert_eq!(held(&tenant, &group), i64::try_from(USERS).unwrap());
    let (_, _) = patch(
        &tenant,
        &group,
        &[
            removal(r#"display eq "U5""#),
            removal(r#"type eq "group" or display sw "u199""#),
        ],
        204,
    );
    // u5, u199, u1990 to u1999.
    assert_eq!(held(&tenant, &group), i64::try_from(USERS - 12).unwrap());
}

#[test]
fn members_added_are_compared_once_for_all_rounds() {
    let world = World::new();
    let tenant = world.tenant("compat").unfused();
    fill(&tenant, Nesting::Flat);
    // One that this instance has not seen.
    let group = group_id(7);
    let members: Vec<Value> = (0..USERS)
        .map(|number| json!({"value": user_id(number)}))
        .collect();
    let mut operations = vec![json!({"op": "add", "path": "members", "value": members})];
    operations.extend((0..990).map(|number| removal(&format!(r#"display co "x{number}""#))));
    let answer = tenant.patch(&format!("/Groups/{group}"), json!(operations));
    answer.expect_scim_error(400, "tooMany", "comparisons");
    // Had they been compared before their names were read, the first filter would be the one that is too much.
    let detail = answer.body["detail"].as_str().unwrap();
    let operation = detail.strip_prefix("Operations[").unwrap();
    let operation: usize = operation.split(']').next().unwrap().parse().unwrap();
    assert!(operation > 300, "{detail}");
}

#[test]
fn members_added_before_a_thousand_filters_are_compared_within_a_few_statements() {
    let world = World::new();
    let tenant = world.tenant("compat").unfused();
    fill(&tenant, Nesting::Flat);
    let group = tenant.group("Some", &[]);
    let members: Vec<Value> = (0..USERS)
        .map(|number| json!({"value": user_id(number)}))
        .collect();
    let mut operations = vec![json!({"op": "add", "path": "members", "value": members})];
    let (plain, _) = patch(&tenant, &group, &operations, 204);
    patch(
        &tenant,
        &group,
        &[json!({"op": "remove", "path": "members"})],
        200,
    );
    operations.extend((0..999).map(|number| removal(&format!(r#"display eq "U{}""#, number * 2))));
    let (filtered, _) = patch(&tenant, &group, &operations, 204);
    // Who meets the filters, and what those are called who are added.
    assert!(
        filtered <= plain + 2 + USERS / 90,
        "{filtered} statements, without filters {plain}"
    );
    assert_eq!(held(&tenant, &group), i64::try_from(USERS - 999).unwrap());
}

#[test]
fn filters_on_members_of_a_bulk_request_are_a_statement_for_all() {
    let world = World::new();
    let tenant = world.tenant("compat").unfused();
    fill(&tenant, Nesting::Flat);
    let operations: Vec<Value> = (0..100)
        .map(|number| {
            let filters: Vec<Value> = (0..10)
                .map(|filter| match filter {
                    0 => removal(&format!(r#"display eq "u{number}""#)),
                    _ => removal(&format!(r#"display eq "x{filter}" or type eq "y{number}""#)),
                })
                .collect();
            json!({"method": "PATCH", "path": format!("/Groups/{}", group_id(number)), "data": {"Operations": filters}})
        })
        .collect();
    let before = world.database.number("select count(*) from group_members");
    let statements = world.database.recording(|| {
        let answer = tenant.send("POST", "/Bulk", json!({"Operations": operations}));
        for operation in answer.expect(200).body["Operations"].as_array().unwrap() {
            assert_eq!(operation["status"], "200", "{operation}");
        }
    });
    assert!(statements.len() < 40, "{} statements", statements.len());
    let after = world.database.number("select count(*) from group_members");
    assert_eq!(before - after, 100);
}

#[test]
fn more_comparisons_with_members_than_a_request_may_take_are_refused() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let group = everybody(&tenant);
    let filter = |number: usize| {
        several(10, " or ", |term| {
            format!(r#"display co "x{number}y{term}""#)
        })
    };
    let enough: Vec<Value> = (0..50).map(|number| removal(&filter(number))).collect();
    patch(&tenant, &group, &enough, 204);
    let more: Vec<Value> = (0..1_000).map(|number| removal(&filter(number))).collect();
    let path = format!("/Groups/{group}");
    tenant
        .patch(&path, json!(more))
        .expect_scim_error(400, "tooMany", "comparisons");
    // In a Bulk request it is the failure of the operation that goes beyond, and of those that come to more after it.
    let patch = |operations: &Value| json!({"method": "PATCH", "path": path, "data": {"Operations": operations}});
    let bulk =
        json!({"Operations": [patch(&json!(more)), patch(&json!([removal("display co \"u1\"")]))]});
    let answer = tenant.send("POST", "/Bulk", bulk);
    for refused in answer.expect(200).body["Operations"].as_array().unwrap() {
        assert_eq!(refused["status"], "400", "{refused}");
        assert_eq!(refused["response"]["scimType"], "tooMany", "{refused}");
        let detail = refused["response"]["detail"].as_str().unwrap();
        assert!(detail.starts_with("Operations["), "{detail}");
    }
    assert_eq!(held(&tenant, &group), i64::try_from(USERS).unwrap());
}
