//! LDAP messages (RFC 4511 §4.1.1) as bytes: requests that are sent, responses that come.
//!
//! The encoding is that of the `yasna` crate. It reads with the definite lengths of any size that servers send, one element after the
//! other and without a tree of them, refuses what is left over, and stops at a depth of 100.

use yasna::{
    ASN1Error, ASN1ErrorKind, ASN1Result, BERReader, BERReaderSeq, DERWriter, Tag, TagClass,
};

use super::filter::{Filter, octets};

/// How far below its base a search looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The base alone.
    Base,
    /// What lies directly below the base.
    One,
    /// The base and everything below.
    Subtree,
}

/// Number of a message; answers carry that of their request, and 0 belongs to what was not asked for.
pub type MessageId = i64;

/// RFC 4511 §4.14: go on by TLS.
const START_TLS: &str = "1.3.6.1.4.1.1466.20037";
/// RFC 4511 §4.4.1: the server is about to close the connection.
const NOTICE_OF_DISCONNECTION: &[u8] = b"1.3.6.1.4.1.1466.20036";
/// RFC 2696: a search by pages.
const PAGED_RESULTS: &str = "1.2.840.113556.1.4.319";
const VERSION: i64 = 3;

/// What is asked of a server.
pub enum Request<'a> {
    Bind {
        dn: &'a str,
        password: &'a [u8],
    },
    Unbind,
    StartTls,
    Search {
        base_dn: &'a str,
        scope: Scope,
        filter: &'a Filter,
        attributes: &'a [String],
        /// How many entries a page has, and the cookie of the page before.
        page: Option<(u32, &'a [u8])>,
    },
}

/// What a server says.
#[derive(Debug)]
pub enum Response {
    Bind(LdapResult),
    Entry {
        dn: Vec<u8>,
        attributes: Vec<(Vec<u8>, Vec<Vec<u8>>)>,
    },
    /// Entries that another server has.
    Reference,
    /// The end of a search, with the cookie for the next page: empty after the last, none from a server that knows no pages.
    Done(LdapResult, Option<Vec<u8>>),
    Extended(LdapResult),
    /// Not asked for: the server closes the connection.
    Disconnection(LdapResult),
    /// Not asked for, or of no concern here.
    Other,
}

/// RFC 4511 §4.1.9, without where the server would send us instead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LdapResult {
    pub code: i64,
    /// The server's own words.
    pub diagnostic: Vec<u8>,
}

/// A request's bytes.
pub fn encode(id: MessageId, request: &Request<'_>) -> Vec<u8> {
    yasna::construct_der(|writer| {
        writer.write_sequence(|writer| {
            writer.next().write_i64(id);
            match request {
                Request::Bind { dn, password } => bind(writer.next(), dn, password),
                Request::Unbind => writer
                    .next()
                    .write_tagged_implicit(Tag::application(2), |writer| writer.write_null()),
                Request::StartTls => {
                    writer
                        .next()
                        .write_tagged_implicit(Tag::application(23), |writer| {
                            writer.write_sequence(|writer| {
                                octets(writer.next(), Tag::context(0), START_TLS.as_bytes());
                            });
                        });
                }
                Request::Search {
                    base_dn,
                    scope,
                    filter,
                    attributes,
                    page,
                } => {
                    search(writer.next(), base_dn, *scope, filter, attributes);
                    if let Some((size, cookie)) = page {
                        paged_results(writer.next(), *size, cookie);
                    }
                }
            }
        });
    })
}

fn bind(writer: DERWriter<'_>, dn: &str, password: &[u8]) {
    writer.write_tagged_implicit(Tag::application(0), |writer| {
        writer.write_sequence(|writer| {
            writer.next().write_i64(VERSION);
            writer.next().write_bytes(dn.as_bytes());
            octets(writer.next(), Tag::context(0), password);
        });
    });
}

fn search(
    writer: DERWriter<'_>,
    base_dn: &str,
    scope: Scope,
    filter: &Filter,
    attributes: &[String],
) {
    writer.write_tagged_implicit(Tag::application(3), |writer| {
        writer.write_sequence(|writer| {
            writer.next().write_bytes(base_dn.as_bytes());
            writer.next().write_enum(match scope {
                Scope::Base => 0,
                Scope::One => 1,
                Scope::Subtree => 2,
            });
            // Aliases are not followed, and no limit is asked for: a shortened answer would be an error anyway.
            writer.next().write_enum(0);
            writer.next().write_i64(0);
            writer.next().write_i64(0);
            writer.next().write_bool(false);
            filter.write(writer.next());
            writer.next().write_sequence(|writer| {
                for attribute in attributes {
                    writer.next().write_bytes(attribute.as_bytes());
                }
            });
        });
    });
}

// Not critical: a server that knows no pages sends everything at once, and that is as good.
fn paged_results(writer: DERWriter<'_>, size: u32, cookie: &[u8]) {
    let value = yasna::construct_der(|writer| {
        writer.write_sequence(|writer| {
            writer.next().write_u32(size);
            writer.next().write_bytes(cookie);
        });
    });
    writer.write_tagged_implicit(Tag::context(0), |writer| {
        writer.write_sequence(|writer| {
            writer.next().write_sequence(|writer| {
                writer.next().write_bytes(PAGED_RESULTS.as_bytes());
                writer.next().write_bytes(&value);
            });
        });
    });
}

/// Reads a message, framed. The error says what is wrong with it, in few words.
pub fn decode(bytes: &[u8]) -> Result<(MessageId, Response), String> {
    yasna::parse_ber(bytes, |reader| {
        reader.read_sequence(|reader| {
            let id = reader.next().read_i64()?;
            let tag = reader.next().lookahead_tag()?;
            let mut response = operation(reader.next(), tag, id)?;
            let cookie = reader
                .read_optional(|reader| reader.read_tagged_implicit(Tag::context(0), controls))?;
            if let Response::Done(_, found) = &mut response {
                *found = cookie.flatten();
            }
            Ok((id, response))
        })
    })
    .map_err(|error| {
        match error.kind() {
            ASN1ErrorKind::Eof => "a message that ends too early",
            ASN1ErrorKind::Extra => "a message with something left over",
            ASN1ErrorKind::IntegerOverflow => "a message with a number that is too large",
            ASN1ErrorKind::StackOverflow => "a message nested too deep",
            ASN1ErrorKind::Invalid => "a message that is no LDAP response",
        }
        .to_owned()
    })
}

/// The responses of RFC 4511 §4.2.2, §4.5.2, §4.12 and §4.13, by their numbers.
fn operation(reader: BERReader<'_, '_>, tag: Tag, id: MessageId) -> ASN1Result<Response> {
    let number = match tag.tag_class {
        TagClass::Application => tag.tag_number,
        _ => return Err(ASN1Error::new(ASN1ErrorKind::Invalid)),
    };
    reader.read_tagged_implicit(tag, |reader| match number {
        1 => reader.read_sequence(|reader| {
            let result = result(reader)?;
            optional_octets(reader, Tag::context(7))?;
            Ok(Response::Bind(result))
        }),
        4 => reader.read_sequence(|reader| {
            let dn = reader.next().read_bytes()?;
            let attributes = reader.next().collect_sequence_of(|reader| {
                reader.read_sequence(|reader| {
                    let name = reader.next().read_bytes()?;
                    let values = reader.next().collect_set_of(|reader| reader.read_bytes())?;
                    Ok((name, values))
                })
            })?;
            Ok(Response::Entry { dn, attributes })
        }),
        5 => reader.read_sequence(|reader| Ok(Response::Done(result(reader)?, None))),
        19 => {
            reader.read_sequence_of(|reader| reader.read_bytes().map(drop))?;
            Ok(Response::Reference)
        }
        24 => reader.read_sequence(|reader| {
            let result = result(reader)?;
            let name = optional_octets(reader, Tag::context(10))?;
            optional_octets(reader, Tag::context(11))?;
            Ok(match name.as_deref() {
                Some(NOTICE_OF_DISCONNECTION) if id == 0 => Response::Disconnection(result),
                _ if id == 0 => Response::Other,
                _ => Response::Extended(result),
            })
        }),
        25 => reader.read_sequence(|reader| {
            optional_octets(reader, Tag::context(0))?;
            optional_octets(reader, Tag::context(1))?;
            Ok(Response::Other)
        }),
        _ => Err(ASN1Error::new(ASN1ErrorKind::Invalid)),
    })
}

fn result(reader: &mut BERReaderSeq<'_, '_>) -> ASN1Result<LdapResult> {
    let code = reader.next().read_enum()?;
    reader.next().read_bytes()?;
    let diagnostic = reader.next().read_bytes()?;
    reader.read_optional(|reader| {
        reader.read_tagged_implicit(Tag::context(3), |reader| {
            reader.read_sequence_of(|reader| reader.read_bytes().map(drop))
        })
    })?;
    Ok(LdapResult { code, diagnostic })
}

fn optional_octets(reader: &mut BERReaderSeq<'_, '_>, tag: Tag) -> ASN1Result<Option<Vec<u8>>> {
    reader.read_optional(|reader| reader.read_tagged_implicit(tag, |reader| reader.read_bytes()))
}

/// The cookie of paged results, where a control of that name is there.
fn controls(reader: BERReader<'_, '_>) -> ASN1Result<Option<Vec<u8>>> {
    let mut cookie = None;
    reader.read_sequence_of(|reader| {
        reader.read_sequence(|reader| {
            let name = reader.next().read_bytes()?;
            reader.read_optional(|reader| reader.read_bool())?;
            let value = reader.read_optional(|reader| reader.read_bytes())?;
            if let Some(value) = value.filter(|_| name == PAGED_RESULTS.as_bytes()) {
                cookie = Some(yasna::parse_ber(&value, |reader| {
                    reader.read_sequence(|reader| {
                        reader.next().read_i64()?;
                        reader.next().read_bytes()
                    })
                })?);
            }
            Ok(())
        })
    })?;
    Ok(cookie)
}
