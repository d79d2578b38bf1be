//! Which file imports which: never in a circle, and downwards alone.
//!
//! A file is a module, `mod.rs` too. An import is a `use`, or a path in an expression, that leads into another file; what a `pub use`
//! hands on is imported from where it stands. The declaration of a module is no import.

use std::collections::{BTreeMap, BTreeSet};

use crate::tidy::sources;

type Module = Vec<String>;

/// The layers, from the lowest: a file imports from its own folder and from folders of lower layers. Folders that are not named are for all.
const LAYERS: [&[&str]; 7] = [
    &["scim"],
    &["store"],
    &["change"],
    &["sync"],
    &["api"],
    &["jobs"],
    &["edge"],
];

struct File {
    path: String,
    text: String,
    children: BTreeSet<String>,
    /// What it hands on by `pub use`: the name and the path.
    handed_on: BTreeMap<String, String>,
}

struct Sources(BTreeMap<Module, File>);

impl Sources {
    fn read(files: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut modules = BTreeMap::new();
        for (path, text) in files {
            let name = path.trim_start_matches("src/").trim_end_matches(".rs");
            let mut module: Module = name.split('/').map(str::to_owned).collect();
            if matches!(module.last().map(String::as_str), Some("mod" | "lib")) {
                module.pop();
            }
            // Tests at the end of a file are a module within it: their `super` is the file.
            let text = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
            let text = code(text);
            let words: Vec<&str> = text.split_whitespace().collect();
            let children = words
                .windows(2)
                .filter(|pair| pair[0] == "mod")
                .filter_map(|pair| pair[1].strip_suffix(';'));
            let children = children.map(str::to_owned).collect();
            let mut handed_on = BTreeMap::new();
            for (is_public, paths) in uses(&text) {
                for path in paths.iter().filter(|_| is_public) {
                    let (path, name) = match path.split_once(" as ") {
                        Some((path, name)) => (path.trim(), name.trim()),
                        None => (path.as_str(), path.rsplit("::").next().unwrap_or(path)),
                    };
                    handed_on.insert(name.to_owned(), path.to_owned());
                }
            }
            let file = File {
                path,
                text,
                children,
                handed_on,
            };
            modules.insert(module, file);
        }
        Sources(modules)
    }

    /// The file that a path leads into, seen from a module; none for a path out of the crate.
    fn target(&self, from: &Module, path: &str, depth: usize) -> Option<Module> {
        let mut segments = path
            .split("::")
            .map(|part| part.split(" as ").next().unwrap_or(part).trim())
            .peekable();
        let mut module = match *segments.peek()? {
            "crate" => {
                segments.next();
                Module::new()
            }
            "self" | "super" => {
                let mut module = from.clone();
                while let Some(word) = segments.next_if(|word| ["self", "super"].contains(word)) {
                    if word == "super" {
                        module.pop()?;
                    }
                }
                module
            }
            first if self.0.get(from)?.children.contains(first) => from.clone(),
            _ => return None,
        };
        for segment in segments {
            let mut below = module.clone();
            below.push(segment.to_owned());
            if self.0.contains_key(&below) {
                module = below;
                continue;
            }
            let handed_on = self.0.get(&module)?.handed_on.get(segment);
            return match handed_on.filter(|_| depth < 8) {
                Some(path) => self.target(&module, path, depth + 1).or(Some(module)),
                None => Some(module),
            };
        }
        Some(module)
    }

    fn imports(&self) -> BTreeMap<&Module, BTreeSet<Module>> {
        let of = |(module, file): (&'_ Module, &'_ File)| {
            let (used, left) = parted(&file.text);
            let used = used.into_iter().flat_map(|(_, paths)| paths);
            let targets = used
                .chain(paths_in(&left))
                .filter_map(|path| self.target(module, &path, 0));
            targets
                .filter(|target| target != module)
                .collect::<BTreeSet<_>>()
        };
        self.0.iter().map(|both| (both.0, of(both))).collect()
    }

    fn path(&self, module: &Module) -> &str {
        &self.0[module].path
    }
}

/// Without comments and texts.
fn code(text: &str) -> String {
    let mut code = String::new();
    for line in text.lines() {
        let mut rest = line.split("//").next().unwrap_or_default();
        // A text that holds `//` is cut off with it: what follows on the line is no path.
        while let Some((before, after)) = rest.split_once('"') {
            code += before;
            rest = after.split_once('"').map_or("", |(_, rest)| rest);
        }
        code += rest;
        code.push('\n');
    }
    code
}

/// The `use` declarations, each as its paths, and whether it hands them on.
fn uses(code: &str) -> Vec<(bool, Vec<String>)> {
    parted(code).0
}

/// The `use` declarations, and the code without them.
fn parted(code: &str) -> (Vec<(bool, Vec<String>)>, String) {
    let mut found = Vec::new();
    let mut left = String::new();
    let mut rest = code;
    while let Some(at) = rest.find("use ") {
        let before = &rest[..at];
        let line = before.rsplit('\n').next().unwrap_or_default().trim();
        let after = &rest[at + 4..];
        let is_use = line.is_empty() || line.starts_with("pub");
        let Some((tree, following)) = after.split_once(';').filter(|_| is_use) else {
            left += &rest[..at + 4];
            rest = after;
            continue;
        };
        left += before;
        found.push((line.starts_with("pub"), paths_of(tree)));
        rest = following;
    }
    left += rest;
    (found, left)
}

/// The paths of a tree of a `use`.
fn paths_of(tree: &str) -> Vec<String> {
    let tree = tree.trim();
    let Some((prefix, rest)) = tree.split_once('{') else {
        return vec![tree.to_owned()];
    };
    let inner = rest.trim_end().trim_end_matches('}');
    let inner = match rest.matches('{').count() {
        0 => inner,
        _ => &rest[..rest.rfind('}').unwrap_or(rest.len())],
    };
    let mut parts = vec![String::new()];
    let mut depth = 0;
    for c in inner.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        match (c, depth) {
            (',', 0) => parts.push(String::new()),
            _ => parts.last_mut().unwrap().push(c),
        }
    }
    let parts = parts.iter().map(|part| part.trim());
    parts
        .filter(|part| !part.is_empty())
        .flat_map(paths_of)
        .map(|path| format!("{}{path}", prefix.trim()))
        .collect()
}

/// The paths in expressions and types: runs of names between `::`.
fn paths_in(code: &str) -> Vec<String> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    code.split(|c| !is_part(c))
        .map(|path| path.trim_end_matches(':'))
        .filter(|path| path.contains("::"))
        .map(str::to_owned)
        .collect()
}

/// A shortest way from a module back to itself.
fn circle(imports: &BTreeMap<&Module, BTreeSet<Module>>, start: &Module) -> Option<Vec<Module>> {
    let mut came_from: BTreeMap<Module, Module> = BTreeMap::new();
    let mut queue = std::collections::VecDeque::from([start.clone()]);
    while let Some(module) = queue.pop_front() {
        for next in imports.get(&module).into_iter().flatten() {
            if next == start {
                let mut way = vec![start.clone(), module.clone()];
                while way.last() != Some(start) {
                    way.push(came_from[way.last().unwrap()].clone());
                }
                way.reverse();
                return Some(way);
            }
            if !came_from.contains_key(next) {
                came_from.insert(next.clone(), module.clone());
                queue.push_back(next.clone());
            }
        }
    }
    None
}

fn all() -> Sources {
    let files = sources("src").into_iter();
    Sources::read(files.map(|(path, text)| (path.to_str().unwrap().to_owned(), text)))
}

fn circles(sources: &Sources) -> Vec<String> {
    let imports = sources.imports();
    let ways = imports
        .keys()
        .filter_map(|module| circle(&imports, module))
        .map(|way| {
            let names: Vec<&str> = way.iter().map(|module| sources.path(module)).collect();
            names.join(" -> ")
        });
    ways.collect()
}

#[test]
fn no_two_files_import_each_other_in_a_circle() {
    let found = circles(&all());
    assert!(
        found.is_empty(),
        "{} files are in circles:\n{}",
        found.len(),
        found.join("\n")
    );
}

#[test]
fn imports_run_downwards() {
    let layer = |module: &Module| {
        let folder = module.first()?;
        let found = LAYERS
            .iter()
            .position(|layer| layer.contains(&folder.as_str()))?;
        Some((found, folder.clone()))
    };
    let sources = all();
    for (module, targets) in sources.imports() {
        for target in targets {
            let (Some(from), Some(to)) = (layer(module), layer(&target)) else {
                continue;
            };
            assert!(
                from.1 == to.1 || from.0 > to.0,
                "{} imports {}",
                sources.path(module),
                sources.path(&target)
            );
        }
    }
}

#[test]
fn a_circle_is_found_however_it_is_written() {
    for (one, other, expected) in [
        ("use super::b::B;", "use crate::a::A;", true),
        (
            "use crate::{\n    b::{self, B},\n    c,\n};",
            "use super::{c, a};",
            true,
        ),
        ("fn f() { crate::b::f() }", "fn g() -> super::a::A {}", true),
        ("pub use crate::b::B;", "use super::a;", true),
        ("use crate::c::B;", "use crate::a::A;", true),
        (
            "use super::b::B;",
            "// use crate::a::A;\nuse b::a::A;",
            false,
        ),
        ("use super::b::B;", "fn f() { \"crate::a::A\"; }", false),
        ("use super::b::B;", "use http::a;", false),
        ("mod b;", "use std::fmt;", false),
    ] {
        let files = [
            ("src/lib.rs", "mod a;\nmod b;\nmod c;"),
            ("src/a.rs", one),
            ("src/b.rs", other),
            // It hands on what is another's.
            ("src/c.rs", "pub use super::b::B;"),
        ];
        let sources = files.map(|(path, text)| (path.to_owned(), text.to_owned()));
        let found = circles(&Sources::read(sources));
        assert_eq!(!found.is_empty(), expected, "{one} / {other}: {found:?}");
    }
}
