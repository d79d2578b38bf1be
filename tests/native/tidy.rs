//! Rules of the repository that a compiler does not know.

use std::path::{Path, PathBuf};

pub fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    fn walk(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    let mut found = Vec::new();
    walk(Path::new(folder), &mut found);
    assert!(!found.is_empty());
    found
}

/// Whether a line of code, comments left out, uses the word.
fn names(text: &str, word: &str) -> bool {
    text.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .any(|line| {
            line.match_indices(word).any(|(at, _)| {
                let before = line[..at].chars().next_back();
                let after = line[at + word.len()..].chars().next();
                let part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
                !part(before) && !part(after)
            })
        })
}

#[test]
fn only_the_edge_names_the_platform() {
    for (path, text) in sources("src") {
        if path.starts_with("src/edge") {
            continue;
        }
        for word in ["worker", "wasm_bindgen", "js_sys", "web_sys", "getrandom"] {
            assert!(!names(&text, word), "{} names {word}", path.display());
        }
    }
}

#[test]
fn only_the_store_writes_sql() {
    for (path, text) in sources("src") {
        let has_statements = [
            "src/store",
            "src/change/rows",
            "src/change/audit.rs",
            "src/change/provider.rs",
            "src/api/http/caller.rs",
        ];
        if has_statements.iter().any(|place| path.starts_with(place)) {
            continue;
        }
        for word in ["select ", "insert into ", "update ", "delete from "] {
            let sql = format!("\"{word}");
            assert!(!text.contains(&sql), "{} has SQL", path.display());
        }
    }
}

/// Users, groups, memberships and what is recorded of them are written by `src/change` alone.
#[test]
fn there_is_one_writer() {
    let tables = [
        "users",
        "groups",
        "group_members",
        "user_emails",
        "tombstones",
        "audit_events",
        "revisions",
        // A table whose name is put in.
        "{",
    ];
    let mut written = 0;
    for (path, text) in sources("src") {
        let words: Vec<&str> = text
            .split(|c: char| c.is_whitespace() || "\"\\(".contains(c))
            .filter(|word| !word.is_empty())
            .collect();
        for (index, word) in words.iter().enumerate() {
            let table = match (*word, words.get(index + 1)) {
                ("insert", Some(&"into")) | ("delete", Some(&"from")) => words.get(index + 2),
                ("update", table) => table,
                _ => None,
            };
            let is_ours = |table: &&&str| {
                tables.contains(*table) || table.starts_with('{') && table.contains("table")
            };
            if let Some(table) = table.filter(is_ours) {
                written += 1;
                let place = path.display();
                assert!(path.starts_with("src/change"), "{place} writes {table}");
            }
        }
    }
    assert!(written > 20, "it finds what it looks for: {written}");
}

#[test]
fn only_database_adapters_read_error_messages() {
    for (path, text) in sources("src") {
        if path.starts_with("src/edge") || path.ends_with("store/error.rs") {
            continue;
        }
        assert!(!text.contains("from_message("), "{}", path.display());
    }
}

#[test]
fn files_stay_readable() {
    for (path, text) in sources("src").into_iter().chain(sources("tests")) {
        let lines = text.lines().count();
        assert!(
            lines <= 450,
            "{} has {lines} lines; split it",
            path.display()
        );
        assert!(
            text.starts_with("//!"),
            "{} does not say what it is for",
            path.display()
        );
    }
}

#[test]
fn every_key_and_every_index_begins_with_the_tenant() {
    let mut migrations = String::new();
    for file in std::fs::read_dir("migrations").unwrap() {
        migrations += &std::fs::read_to_string(file.unwrap().path()).unwrap();
    }
    let migrations: String = migrations
        .lines()
        .map(|line| line.split("--").next().unwrap_or_default().to_owned() + "\n")
        .collect();
    let tables = migrations.split("create table ").skip(1);
    for definition in tables.map(|rest| rest.split(';').next().unwrap()) {
        let table = definition.split(" (").next().unwrap();
        // The tenants themselves, what answers whose something is, and what belongs to no tenant.
        if ["tenants", "signing_keys"].contains(&table) || table.starts_with("directory") {
            continue;
        }
        let key = definition.split("primary key (").nth(1).unwrap();
        let begins = ["tenant_id, ", "tenant_id)"].map(|begin| key.starts_with(begin));
        assert!(begins.contains(&true), "{table}: {key}");
        // A text of a megabyte is no part of a key.
        let has_rowids = ["sync_chunks", "async_parts"].contains(&table);
        let is_without = definition.contains("strict, without rowid");
        assert!(is_without != has_rowids, "{table}");
    }
    let is_index = |statement: &&str| {
        let statement = statement.trim();
        statement.starts_with("create index") || statement.starts_with("create unique index")
    };
    for index in migrations.split(';').filter(is_index) {
        let columns = index.split(" (").nth(1).unwrap_or_default();
        let is_of_tenants = index.contains(" on tenants (");
        assert!(
            is_of_tenants || columns.starts_with("tenant_id, "),
            "index {index}"
        );
    }
}

#[test]
fn migrations_are_numbered_without_gaps_and_say_what_they_are_for() {
    let mut names: Vec<String> = std::fs::read_dir("migrations")
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    for (index, name) in names.iter().enumerate() {
        assert!(name.starts_with(&format!("{:04}_", index + 1)), "{name}");
        let text = std::fs::read_to_string(format!("migrations/{name}")).unwrap();
        assert!(text.starts_with("-- "), "{name}");
    }
}

#[test]
fn every_route_can_be_reached() {
    use rollcall::api::http::routes;
    for route in routes::all() {
        let path = route
            .pattern
            .split('/')
            .map(|part| match part.strip_prefix(':') {
                Some(_) => "x",
                None => part,
            })
            .collect::<Vec<_>>()
            .join("/");
        for path in [path.clone(), format!("{path}/")] {
            let found = routes::find(&route.method, &path);
            assert_eq!(found.pattern, route.pattern, "{path}");
            assert!(found.route.is_ok(), "{path}");
        }
    }
}

#[test]
fn what_a_newcomer_looks_for_is_there() {
    let read = |name: &str| std::fs::read_to_string(name).unwrap();
    let licence = read("LICENSE");
    assert!(licence.contains("Apache License\n"), "{licence}");
    assert!(licence.contains("END OF TERMS AND CONDITIONS"));
    assert!(read("Cargo.toml").contains("license = \"Apache-2.0\""));
    assert!(read("package.json").contains("\"license\": \"Apache-2.0\""));
    let version = format!("\n## {}\n", env!("CARGO_PKG_VERSION"));
    assert!(read("CHANGELOG.md").contains(&version), "{version}");
    assert!(read("SECURITY.md").contains("## Reporting a vulnerability\n"));
    let readme = read("README.md");
    for name in ["LICENSE", "CHANGELOG.md", "SECURITY.md"] {
        assert!(
            readme.contains(&format!("]({name})")),
            "README.md leads to no {name}"
        );
    }
}
