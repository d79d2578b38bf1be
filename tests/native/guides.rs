//! The pages for people: README.md and docs/, whose links lead somewhere, and whose guides name what the service says.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::support::{ORIGIN, World};

fn pages() -> Vec<(PathBuf, String)> {
    fn walk(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy();
            if path.is_dir() && name != "node_modules" {
                walk(&path, found);
            } else if name.ends_with(".md") {
                let text = std::fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    let mut found: Vec<_> = ["README.md", "CHANGELOG.md", "SECURITY.md"]
        .map(|name| (PathBuf::from(name), std::fs::read_to_string(name).unwrap()))
        .into();
    walk(Path::new("docs"), &mut found);
    walk(Path::new("examples"), &mut found);
    found
}

/// The anchor of a heading, as GitHub makes it.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().to_lowercase();
    let kept = kept
        .chars()
        .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

fn anchors(text: &str) -> Vec<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    headings
        .map(|line| anchor(line.trim_start_matches('#')))
        .collect()
}

#[test]
fn every_link_of_a_page_leads_somewhere() {
    let mut links = 0;
    for (path, text) in pages() {
        for rest in text.split("](").skip(1) {
            let target = rest.split(')').next().unwrap();
            if target.starts_with("http") || target.contains(char::is_whitespace) {
                continue;
            }
            links += 1;
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            let place = path.parent().unwrap().join(file);
            let here = path.display();
            let read = match file {
                "" => text.clone(),
                _ => {
                    assert!(place.exists(), "{here}: nothing is at {target}");
                    std::fs::read_to_string(&place).unwrap_or_default()
                }
            };
            let found = heading.is_empty() || anchors(&read).iter().any(|one| one == heading);
            assert!(found, "{here}: no heading is at {target}");
        }
    }
    assert!(links > 40, "it finds what it looks for: {links}");
}

#[test]
fn every_page_of_the_documentation_is_on_the_map() {
    let readme = std::fs::read_to_string("README.md").unwrap();
    for (path, _) in pages() {
        let name = path.display().to_string();
        if name.starts_with("docs/") {
            assert!(readme.contains(&format!("]({name})")), "{name}");
        }
    }
}

#[test]
fn the_page_of_operating_knows_every_line_of_the_status() {
    let page = std::fs::read_to_string("docs/operating.md").unwrap();
    let table = page
        .split("## What each line of the status means")
        .nth(1)
        .unwrap();
    let code = std::fs::read_to_string("src/api/admin/status.rs").unwrap();
    let codes: Vec<&str> = code
        .split("code: \"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
        .collect();
    assert!(codes.len() > 10, "{codes:?}");
    for code in codes {
        assert!(table.contains(&format!("`{code}`")), "{code}");
    }
}

/// The rows of a table whose cells are a name and a value, in backticks where it is one to copy.
fn rows(section: &str) -> Vec<(String, String)> {
    let rows = section.lines().filter(|line| line.starts_with("| "));
    let cells = rows.map(|line| line.trim_matches('|').split_once('|').unwrap());
    cells
        .skip(1)
        .map(|(name, value)| {
            let value = value.trim().trim_matches('`');
            (name.trim().to_owned(), value.to_owned())
        })
        .collect()
}

#[test]
fn the_guide_of_each_provider_has_the_fields_that_the_service_names() {
    let world = World::new();
    let tenant = world.tenant("compat");
    let path = format!(
        "/api/v1/admin/scim-tokens/endpoint-info?tenant_id={}",
        tenant.id
    );
    let answer = world.admin("GET", &path, Value::Null);
    answer.expect(200);
    let base = format!("{ORIGIN}/api/v1/tenants/{}/scim/v2", tenant.id);
    let instructions = answer.body["data"]["instructions"].as_object().unwrap();
    for (provider, form) in instructions {
        let page = std::fs::read_to_string(format!("docs/providers/{provider}.md")).unwrap();
        let sections: Vec<&str> = page.split("\n## ").collect();
        let headings: Vec<&str> = sections
            .iter()
            .map(|text| text.lines().next().unwrap())
            .collect();
        assert_eq!(
            headings[1..],
            [
                "Open the form",
                "Enter",
                "Switch it on",
                "Good to know",
                "When it is refused"
            ],
            "{provider}"
        );
        let said: Vec<(String, String)> = rows(sections[2])
            .into_iter()
            .map(|(name, value)| (name, value.replace("<SCIM base URL>", &base)))
            .collect();
        let form = form.as_object().unwrap();
        assert_eq!(said.len(), form.len(), "{provider}");
        for (name, value) in said {
            assert_eq!(
                form.get(&name),
                Some(&Value::from(value)),
                "{provider}: {name}"
            );
        }
        for (index, section) in sections.iter().enumerate().skip(1) {
            let lines = section.lines().skip(1).filter(|line| !line.is_empty());
            for line in lines {
                let is_item = match index {
                    1 | 3 => line
                        .split_once(". ")
                        .is_some_and(|(number, _)| number.parse::<u8>().is_ok()),
                    2 => line.starts_with('|'),
                    _ => line.starts_with("- "),
                };
                assert!(
                    is_item,
                    "{provider}: the set-up page would not show: {line}"
                );
            }
        }
    }
    let files = std::fs::read_dir("docs/providers").unwrap().count();
    assert_eq!(files, instructions.len());
}
