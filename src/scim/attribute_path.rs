//! Attribute notation (RFC 7644 §3.10): `userName`, `name.givenName`, `urn:…:User:department`.

use super::forgiven::{Forgiven, note};
use super::profile::Profile;
use super::schema::{Attribute, AttributeRef, Schema, Shape, Shared};

/// What an attribute path names.
#[derive(Debug, Clone)]
pub enum Target {
    /// A schema's URN alone: everything the extension holds.
    Extension(Shared<Schema>),
    /// The core schema's URN alone: the resource itself.
    Resource,
    Attribute(AttributeRef),
}

/// What a path names that is in none of the schemas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unknown {
    /// An attribute of a schema that is known, or of none.
    Attribute,
    /// A schema that is not known, or something in it.
    Schema,
}

/// Finds what a path names in the schemas of a resource type.
///
/// In `compat`, an extension's attribute is found without its URN (Entra's `manager`), and its URN may be followed
/// by a dot instead of a colon (`…:2.0:User.manager`), or be one that the extension had once.
pub fn resolve(shape: Shape<'_>, path: &str, profile: Profile) -> Result<Target, Unknown> {
    let unknown = match path.contains(':') && !is_below_known(shape, path, profile) {
        true => Unknown::Schema,
        false => Unknown::Attribute,
    };
    find(shape, path, profile).ok_or(unknown)
}

/// Whether a path begins with the URN of a schema that the resource type has.
fn is_below_known(shape: Shape<'_>, path: &str, profile: Profile) -> bool {
    let is_below = |schema: &Schema| {
        let mut names = schema.names(profile);
        names.any(|urn| strip_urn(path, urn).is_some())
    };
    is_below(shape.schema) || shape.extensions().any(|extension| is_below(&extension))
}

fn find(shape: Shape<'_>, path: &str, profile: Profile) -> Option<Target> {
    if let Some(rest) = strip_urn(path, shape.schema.id()) {
        if rest.is_empty() {
            return Some(Target::Resource);
        }
        let name = after_urn(rest, profile)?;
        return within(name, |name| shape.core_attribute(name), None);
    }
    for extension in shape.extensions() {
        let rest = extension
            .names(profile)
            .find_map(|urn| strip_urn(path, urn));
        if let Some(rest) = rest {
            if rest.is_empty() {
                return Some(Target::Extension(extension));
            }
            let name = after_urn(rest, profile)?;
            // Polis asks for core attributes below the extension's URN.
            let core = || within(name, |name| shape.core_attribute(name), None);
            return match profile {
                Profile::Strict => within_extension(name, &extension),
                Profile::Compat => within_extension(name, &extension).or_else(core),
            };
        }
    }
    within(path, |name| shape.core_attribute(name), None).or_else(|| match profile {
        Profile::Strict => None,
        Profile::Compat => {
            let mut extensions = shape.extensions();
            let found = extensions.find_map(|extension| within_extension(path, &extension));
            if found.is_some() {
                note(Forgiven::UrnSpelling);
            }
            found
        }
    })
}

fn within_extension(name: &str, extension: &Shared<Schema>) -> Option<Target> {
    within(
        name,
        |name| extension.attribute(name),
        Some(extension.clone()),
    )
}

fn within(
    path: &str,
    find: impl Fn(&str) -> Option<Shared<Attribute>>,
    extension: Option<Shared<Schema>>,
) -> Option<Target> {
    let (name, sub) = match path.split_once('.') {
        Some((name, sub)) => (name, Some(sub)),
        None => (path, None),
    };
    let attribute = find(name)?;
    let sub = match sub {
        Some(sub) => Some(attribute.sub(sub)?),
        None => None,
    };
    Some(Target::Attribute(AttributeRef {
        extension,
        attribute,
        sub,
    }))
}

fn strip_urn<'a>(path: &'a str, urn: &str) -> Option<&'a str> {
    let head = path.get(..urn.len())?;
    let rest = path.get(urn.len()..)?;
    let ends = rest.is_empty() || rest.starts_with([':', '.']);
    (head.eq_ignore_ascii_case(urn) && ends).then_some(rest)
}

fn after_urn(rest: &str, profile: Profile) -> Option<&str> {
    match profile {
        Profile::Strict => rest.strip_prefix(':'),
        Profile::Compat => {
            if rest.starts_with('.') {
                note(Forgiven::UrnSpelling);
            }
            rest.strip_prefix([':', '.'])
        }
    }
}
