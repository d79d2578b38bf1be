//! An entry of a directory: its DN and its attributes. Attribute names are compared without case; values are bytes.
//!
//! An attribute's options (RFC 4512 §2.5) are part of its name: `cn;lang-de` is another attribute than `cn`, whatever the order of
//! the options. `;binary` is none of them, because it says how values were sent, not which.

use std::collections::BTreeMap;

use super::values;

/// An entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// As the server writes it.
    pub dn: String,
    attributes: BTreeMap<String, Vec<Vec<u8>>>,
    /// Attributes whose values are not all there, and where the rest begins.
    more: Vec<(String, u64)>,
}

impl Entry {
    /// An entry with these attributes.
    pub fn new<'a>(
        dn: impl Into<String>,
        attributes: impl IntoIterator<Item = (&'a str, Vec<Vec<u8>>)>,
    ) -> Self {
        let mut entry = Entry {
            dn: dn.into(),
            attributes: BTreeMap::new(),
            more: Vec::new(),
        };
        for (name, values) in attributes {
            entry.add(name, values);
        }
        entry
    }

    /// An entry as it came. The error is in the words that follow "it sent".
    pub(super) fn read(
        dn: Vec<u8>,
        attributes: Vec<(Vec<u8>, Vec<Vec<u8>>)>,
    ) -> Result<Self, String> {
        let dn = String::from_utf8(dn).map_err(|_| "a DN that is no UTF-8".to_owned())?;
        let mut entry = Entry::new(dn, []);
        for (name, values) in attributes {
            let name = String::from_utf8(name)
                .map_err(|_| "an attribute's name that is no UTF-8".to_owned())?;
            entry.add(&name, values);
        }
        Ok(entry)
    }

    /// All values of an attribute, in the server's order; none where the entry does not have it.
    pub fn values(&self, name: &str) -> &[Vec<u8>] {
        self.attributes.get(&key(name)).map_or(&[], Vec::as_slice)
    }

    /// The first value of an attribute that is text and not empty.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.texts(name).next()
    }

    /// The values of an attribute that are text and not empty.
    pub fn texts(&self, name: &str) -> impl Iterator<Item = &str> {
        self.values(name)
            .iter()
            .filter_map(|value| std::str::from_utf8(value).ok())
            .filter(|text| !text.is_empty())
    }

    /// What identifies the entry for good: the text of the only value of that attribute (see [`values::unique_id`]).
    pub fn unique_id(&self, name: &str) -> Option<String> {
        match self.values(name) {
            [value] => values::unique_id(name, value),
            _ => None,
        }
    }

    /// The names of its attributes in lower case, with their options.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.attributes.keys().map(String::as_str)
    }

    /// Bytes of its texts and values: what it holds of memory, about.
    pub fn size(&self) -> usize {
        let attributes = self.attributes.iter().map(|(name, values)| {
            let values = values
                .iter()
                .map(|value| value.len() + size_of::<Vec<u8>>());
            name.len() + values.sum::<usize>()
        });
        size_of::<Self>() + self.dn.len() + attributes.sum::<usize>()
    }

    pub(super) fn has_more(&self) -> bool {
        !self.more.is_empty()
    }

    pub(super) fn take_more(&mut self) -> Option<(String, u64)> {
        self.more.pop()
    }

    /// Takes an attribute's further values over from a later reading of the entry; false where it has none.
    pub(super) fn append(&mut self, name: &str, mut part: Entry) -> bool {
        self.more.append(&mut part.more);
        let values = part.attributes.remove(name).unwrap_or_default();
        let any = !values.is_empty();
        self.attributes
            .entry(name.to_owned())
            .or_default()
            .extend(values);
        any
    }

    fn add(&mut self, name: &str, values: Vec<Vec<u8>>) {
        let key = key(name);
        let rest = name
            .split(';')
            .skip(1)
            .find_map(|option| rest(&option.to_ascii_lowercase()));
        if let Some(Some(from)) = rest {
            self.more.push((key.clone(), from));
        }
        self.attributes.entry(key).or_default().extend(values);
    }
}

/// The form in which attributes' names are compared.
fn key(name: &str) -> String {
    let name = name.trim().to_ascii_lowercase();
    if !name.contains(';') {
        return name;
    }
    let mut parts = name.split(';');
    let attribute = parts.next().unwrap_or_default();
    let mut options: Vec<&str> = parts
        .filter(|option| *option != "binary" && rest(option).is_none())
        .collect();
    options.sort_unstable();
    options.insert(0, attribute);
    options.join(";")
}

/// Where the rest of an attribute's values begins; none when these were the last. The option is `range=0-1499`, `range=1500-*`.
fn rest(option: &str) -> Option<Option<u64>> {
    let (_, end) = option.strip_prefix("range=")?.split_once('-')?;
    match end {
        "*" => Some(None),
        end => Some(Some(end.parse::<u64>().ok()?.saturating_add(1))),
    }
}
