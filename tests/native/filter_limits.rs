//! The largest filters that are allowed fit into D1's limits, whatever they ask for; one size more is refused.

use rollcall::scim::filter::{MAX_DEPTH, MAX_LENGTH, MAX_TERMS};

use crate::filter_equivalence::encoded;
use crate::support::{Answer, Tenant, World};

/// Terms of which each compiles to something else: a column, a range, the elements of a value, another table, both, a recursion.
const USER_TERMS: [&str; 14] = [
    r#"userName sw "a""#,
    r#"displayName eq "a""#,
    r#"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager.$ref ew "a""#,
    r#"phoneNumbers.value co "a""#,
    r#"emails.value eq "a""#,
    r#"emails.value sw "a""#,
    r#"groups.value eq "a""#,
    r#"groups.value ne "a""#,
    r#"groups.display sw "a""#,
    r#"groups.type eq "direct""#,
    r#"groups.$ref ew "a""#,
    "groups pr",
    r#"meta.location eq "a""#,
    r#"meta.created ge "2026-01-01T00:00:00Z""#,
];
const GROUP_TERMS: [&str; 6] = [
    r#"displayName sw "a""#,
    r#"members.value eq "a""#,
    r#"members.display sw "a""#,
    r#"members.type ne "User""#,
    r#"members.$ref co "a""#,
    "members pr",
];

fn list(tenant: &Tenant<'_>, endpoint: &str, filter: &str) -> Answer {
    tenant.get(&format!("{endpoint}?filter={}", encoded(filter)))
}

#[track_caller]
fn runs(tenant: &Tenant<'_>, endpoint: &str, filter: &str) {
    for rest in ["", "&sortBy=displayName", "&sortBy=meta.created&cursor"] {
        let answer = tenant.get(&format!("{endpoint}?filter={}{rest}", encoded(filter)));
        let log = tenant.world.log.0.borrow();
        let why: String = log
            .last()
            .map_or("", String::as_str)
            .chars()
            .rev()
            .take(300)
            .collect();
        let why: String = why.chars().rev().collect();
        assert_eq!(
            answer.status, 200,
            "{endpoint}{rest} {filter}\n{}\n{why}",
            answer.body
        );
    }
}

#[track_caller]
fn is_refused(tenant: &Tenant<'_>, endpoint: &str, filter: &str, names: &str) {
    list(tenant, endpoint, filter).expect_scim_error(400, "invalidFilter", names);
}

/// So many terms in turn, each with operands of its own: equal ones would share a parameter.
fn many(terms: &[&str], count: usize) -> Vec<String> {
    (0..count)
        .map(|index| numbered(terms[index % terms.len()], index))
        .collect()
}

fn numbered(term: &str, index: usize) -> String {
    ["a", "b", "c"]
        .iter()
        .fold(term.to_owned(), |term, letter| {
            term.replace(&format!("\"{letter}\""), &format!("\"{letter}{index}z\""))
        })
}

/// A term inside so many `not (…)`.
fn nested(term: &str, depth: usize) -> String {
    format!("{}{term}{}", "not (".repeat(depth), ")".repeat(depth))
}

/// As deep as it gets: at each depth a conjunction or a disjunction goes on around the next.
fn staircase(term: &str, terms: usize, depth: usize) -> String {
    let mut filter = many(&[term], terms - depth).join(" and ");
    for level in 0..depth {
        let word = ["or", "and"][level % 2];
        let term = numbered(term, terms + level);
        filter = format!("{term} {word} not ({filter})");
    }
    filter
}

#[test]
fn the_most_comparisons_run_and_one_more_is_refused() {
    let world = World::new();
    let tenant = world.tenant("compat");
    tenant.group("a", &[&tenant.user("a")]);
    for (endpoint, terms) in [("/Users", &USER_TERMS[..]), ("/Groups", &GROUP_TERMS)] {
        for word in [" and ", " or "] {
            for term in terms {
                runs(&tenant, endpoint, &many(&[term], MAX_TERMS).join(word));
            }
            let mixed = many(terms, MAX_TERMS);
            runs(&tenant, endpoint, &mixed.join(word));
            let mixed = many(terms, MAX_TERMS + 1);
            is_refused(&tenant, endpoint, &mixed.join(word), "40 comparisons");
        }
    }
}

#[test]
fn the_most_value_paths_run_and_their_terms_count() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let paths = [
        (
            "/Users",
            r#"emails[value eq "a" and primary eq true and display sw "b"]"#,
        ),
        (
            "/Users",
            r#"groups[value eq "a" and display sw "b" and not (type eq "direct")]"#,
        ),
        (
            "/Users",
            r#"addresses[locality sw "a" and region co "b" and not (country eq "c")]"#,
        ),
        (
            "/Groups",
            r#"members[value eq "a" and display sw "b" and not (type eq "User")]"#,
        ),
    ];
    for (endpoint, path) in paths {
        for word in [" and ", " or "] {
            runs(&tenant, endpoint, &many(&[path], MAX_TERMS / 4).join(word));
            is_refused(
                &tenant,
                endpoint,
                &many(&[path], MAX_TERMS / 4 + 1).join(word),
                "40 comparisons",
            );
        }
    }
    // After a value path, one comparison more, which the path itself was counted for.
    let entra = r#"emails[type eq "work"].value eq "a""#;
    runs(
        &tenant,
        "/Users",
        &many(&[entra], MAX_TERMS / 2).join(" or "),
    );
    is_refused(
        &tenant,
        "/Users",
        &many(&[entra], MAX_TERMS / 2 + 1).join(" or "),
        "40 comparisons",
    );
}

#[test]
fn the_deepest_nesting_runs_and_one_deeper_is_refused() {
    let world = World::new();
    let tenant = world.tenant("compat");
    for (endpoint, terms) in [("/Users", &USER_TERMS[..]), ("/Groups", &GROUP_TERMS)] {
        for term in terms {
            runs(&tenant, endpoint, &nested(term, MAX_DEPTH));
            runs(&tenant, endpoint, &staircase(term, MAX_TERMS, MAX_DEPTH));
            is_refused(&tenant, endpoint, &nested(term, MAX_DEPTH + 1), "16 deep");
            is_refused(
                &tenant,
                endpoint,
                &staircase(term, MAX_TERMS, MAX_DEPTH + 1),
                "16 deep",
            );
        }
    }
    let path = format!("ims[{}]", nested(r#"value sw "a""#, MAX_DEPTH - 1));
    runs(&tenant, "/Users", &path);
    let path = format!("ims[{}]", nested(r#"value sw "a""#, MAX_DEPTH));
    is_refused(&tenant, "/Users", &path, "16 deep");
    // Parentheses that close again are not deep.
    runs(
        &tenant,
        "/Users",
        &["(((active eq true)))"; MAX_TERMS].join(" or "),
    );
}

#[test]
fn the_largest_search_of_both_types_runs() {
    let world = World::new();
    let tenant = world.tenant("compat");
    for term in [
        r#"displayName sw "a""#,
        r#"emails.value eq "a""#,
        r#"members.display sw "a""#,
        "groups pr",
    ] {
        runs(&tenant, "/", &staircase(term, MAX_TERMS, MAX_DEPTH));
        runs(&tenant, "/", &many(&[term], MAX_TERMS).join(" or "));
    }
}

#[test]
fn the_longest_filter_runs_and_one_byte_more_is_refused() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let around = r#"displayName sw """#.len();
    for (letter, width) in [("a", 1), ("%", 1), ("ä", 2), ("\u{10FFFF}", 4)] {
        let room = MAX_LENGTH - around;
        let text = letter.repeat(room / width) + &"x".repeat(room % width);
        for operator in ["sw", "co", "eq", "gt"] {
            let filter = format!(r#"displayName {operator} "{text}""#);
            assert_eq!(filter.len(), MAX_LENGTH);
            runs(&tenant, "/Users", &filter);
            is_refused(
                &tenant,
                "/Users",
                &filter.replacen("sw", "SW ", 1).replacen(' ', "  ", 1),
                "8192",
            );
        }
    }
    // Folding makes three letters of one.
    let text = "ΐ".repeat((MAX_LENGTH - around) / 2);
    runs(&tenant, "/Users", &format!(r#"displayName sw "{text}""#));
}
