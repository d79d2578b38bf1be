//! A SAML provider's metadata (SAML 2.0 metadata §2), as far as it can be compared with a configuration. It comes from outside: a DOCTYPE
//! is refused, so there is no entity to expand, and nothing in it is fetched.

use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::name::{Namespace, ResolveResult};
use quick_xml::{NsReader, XmlVersion};

const METADATA: &str = "urn:oasis:names:tc:SAML:2.0:metadata";
const SIGNATURE: &str = "http://www.w3.org/2000/09/xmldsig#";
/// Deepest nesting.
const MAX_DEPTH: usize = 64;

/// What a provider says of itself.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    /// Certificates that it signs with, in base64 as they stand.
    pub certificates: Vec<String>,
    /// Where logins may be sent to.
    pub sso_urls: Vec<String>,
}

/// Whether a text is SAML metadata, by its first element: of one entity, or of several.
pub fn is_some(text: &str) -> bool {
    let mut reader = NsReader::from_str(text.trim_start_matches('\u{feff}'));
    loop {
        match reader.read_resolved_event() {
            Ok((namespace, Event::Start(element))) => {
                let name = element.local_name();
                return namespace == ResolveResult::Bound(Namespace(METADATA))
                    && ["EntityDescriptor", "EntitiesDescriptor"].contains(&name.as_ref());
            }
            Ok((_, Event::Decl(_) | Event::Comment(_) | Event::Text(_) | Event::PI(_))) => {}
            _ => return false,
        }
    }
}

/// Reads the metadata of that entity; none where the document is no SAML metadata at all.
pub fn read(document: &[u8], entity_id: &str) -> Result<Option<Metadata>, String> {
    let Ok(text) = std::str::from_utf8(document) else {
        return Ok(None);
    };
    let text = text.trim_start_matches('\u{feff}');
    let mut reader = NsReader::from_str(text);
    let mut found: Option<Metadata> = None;
    let mut others = Vec::new();
    // Names of the elements that are open, and whether they belong to the entity that is looked for.
    let mut open: Vec<String> = Vec::new();
    let mut is_ours = false;
    let mut signs = false;
    let mut certificate = String::new();
    let mut begun = false;
    loop {
        let at = reader.buffer_position();
        let broken = |_| format!("its XML is broken in line {}", line(text, at));
        let attribute = |element: &_, name: &str| attribute(element, name).map_err(broken);
        let (namespace, event) = match reader.read_resolved_event() {
            Ok(read) => read,
            Err(_) if !begun => return Ok(None),
            Err(_) => return Err(broken(Broken)),
        };
        let is_in = |wanted: &str| namespace == ResolveResult::Bound(Namespace(wanted));
        match event {
            Event::DocType(_) => {
                // A web page has one too.
                return match text.contains(METADATA) {
                    true => Err(
                        "it has a DOCTYPE, which SAML metadata has not; it was not read".to_owned(),
                    ),
                    false => Ok(None),
                };
            }
            Event::Start(ref element) | Event::Empty(ref element) => {
                let name = element.local_name().as_ref().to_owned();
                if !begun {
                    begun = is_in(METADATA) && name.starts_with("Entit");
                    if !begun {
                        return Ok(None);
                    }
                }
                match name.as_str() {
                    "EntityDescriptor" if is_in(METADATA) => {
                        let id = attribute(element, "entityID")?.unwrap_or_default();
                        is_ours = id == entity_id;
                        if is_ours {
                            found.get_or_insert_default();
                        } else {
                            others.push(id);
                        }
                    }
                    "KeyDescriptor" if is_in(METADATA) => {
                        signs = attribute(element, "use")?.is_none_or(|usage| usage == "signing");
                    }
                    "SingleSignOnService" if is_in(METADATA) && is_ours => {
                        let location = attribute(element, "Location")?;
                        if let (Some(found), Some(location)) = (&mut found, location) {
                            found.sso_urls.push(location);
                        }
                    }
                    "X509Certificate" if is_in(SIGNATURE) => certificate.clear(),
                    _ => {}
                }
                if matches!(event, Event::Start(_)) {
                    open.push(name);
                    if open.len() > MAX_DEPTH {
                        return Err(format!("it is nested more than {MAX_DEPTH} deep"));
                    }
                }
            }
            Event::Text(ref part) if reads(&open) => certificate.push_str(part),
            Event::CData(ref part) if reads(&open) => certificate.push_str(part),
            Event::GeneralRef(ref name) if reads(&open) => {
                certificate.push(referred(name).map_err(broken)?)
            }
            Event::End(ref element) => {
                open.pop();
                let is_certificate = element.local_name().as_ref() == "X509Certificate";
                let of_provider = open.iter().any(|name| name == "IDPSSODescriptor");
                if is_certificate
                    && is_in(SIGNATURE)
                    && is_ours
                    && signs
                    && of_provider
                    && let Some(found) = &mut found
                {
                    found.certificates.push(std::mem::take(&mut certificate));
                }
            }
            Event::Eof if !begun => return Ok(None),
            Event::Eof if !open.is_empty() => return Err("its XML breaks off".to_owned()),
            Event::Eof => break,
            _ => {}
        }
    }
    match (found, others.as_slice()) {
        (Some(found), _) => Ok(Some(found)),
        (None, []) => Err("it describes no entity".to_owned()),
        (None, [other, ..]) => Err(format!(
            "it is the metadata of {other}, the configuration says {entity_id}; they have to be the same, letter by letter"
        )),
    }
}

/// Whether the innermost open element is one whose text counts.
fn reads(open: &[String]) -> bool {
    open.last().is_some_and(|name| name == "X509Certificate")
}

/// XML that does not hold.
struct Broken;

/// The line of a place in bytes, from 1.
fn line(text: &str, at: u64) -> usize {
    let at = usize::try_from(at).unwrap_or(usize::MAX);
    let before = text.bytes().take(at);
    before.filter(|byte| *byte == b'\n').count() + 1
}

/// What a reference stands for: a character (XML 1.0 §4.1), or one of the entities that XML itself has (§4.6).
fn referred(reference: &BytesRef<'_>) -> Result<char, Broken> {
    match reference.resolve_char_ref() {
        Ok(Some(c)) => Ok(c),
        Ok(None) => resolve_predefined_entity(reference)
            .and_then(|text| text.chars().next())
            .ok_or(Broken),
        Err(_) => Err(Broken),
    }
}

/// An attribute of an element, its entities resolved: only those that XML itself has.
fn attribute(element: &BytesStart<'_>, name: &str) -> Result<Option<String>, Broken> {
    for attribute in element.attributes() {
        let attribute = attribute.map_err(|_| Broken)?;
        if attribute.key.as_ref() == name {
            let value = attribute.normalized_value(XmlVersion::Implicit1_0);
            return Ok(Some(value.map_err(|_| Broken)?.into_owned()));
        }
    }
    Ok(None)
}
