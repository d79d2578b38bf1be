//! Entity tags and the preconditions made of them (RFC 7644 §3.14, RFC 9110 §13.1).

/// Version of a resource: 1 when created, one more with each change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version(pub i64);

impl Version {
    /// The weak entity tag. Weak, because the same resource has as many representations as there are projections.
    pub fn etag(self) -> String {
        format!("W/\"{}\"", self.0)
    }
}

/// The value of an `If-Match` or `If-None-Match` header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// `*`: any version.
    Any,
    /// One of these versions. A tag that we never gave out is none, and matches nothing.
    OneOf(Vec<Version>),
}

impl Condition {
    /// Reads a header's value: `*`, or entity tags between commas, weak or strong, quoted or (as some clients send
    /// them back) bare.
    pub fn parse(header: &str) -> Self {
        if header.trim() == "*" {
            return Condition::Any;
        }
        let versions = header
            .split(',')
            .filter_map(|tag| Self::version(tag.trim()))
            .collect();
        Condition::OneOf(versions)
    }

    /// The version of a tag that we gave out.
    fn version(tag: &str) -> Option<Version> {
        let tag = tag.strip_prefix("W/").unwrap_or(tag);
        let text = match tag.strip_prefix('"') {
            Some(quoted) => quoted.strip_suffix('"')?,
            None => tag,
        };
        let version: i64 = text.parse().ok()?;
        (version.to_string() == text).then_some(Version(version))
    }

    /// Whether the resource at that version meets the condition. The comparison is weak.
    pub fn holds(&self, version: Version) -> bool {
        match self {
            Condition::Any => true,
            Condition::OneOf(versions) => versions.contains(&version),
        }
    }
}
