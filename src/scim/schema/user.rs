//! The core User schema (RFC 7643 §4.1).

use std::borrow::Cow;

use super::attribute::{Attribute, Kind, Mutability, Returned, Schema};
use super::shared::List;

const NAME: &[Attribute] = &[
    Attribute::string("formatted", "The whole name as it is written"),
    Attribute::string("familyName", "Family name or names"),
    Attribute::string("givenName", "Given name or names"),
    Attribute::string("middleName", "Middle name or names"),
    Attribute::string("honorificPrefix", "Title before the name"),
    Attribute::string("honorificSuffix", "Suffix after the name"),
];

const DISPLAY: Attribute = Attribute::string("display", "The value as people read it");
const PRIMARY: Attribute = Attribute::boolean("primary", "Whether this is the preferred value");

/// `type`, a label for what a value is used for.
const fn label(values: &'static [&'static str]) -> Attribute {
    Attribute::string("type", "What the value is used for").canonical(values)
}

const EMAILS: &[Attribute] = &[
    Attribute::string("value", "An e-mail address").as_name(),
    DISPLAY,
    label(&["work", "home", "other"]),
    PRIMARY,
];

const PHONE_NUMBERS: &[Attribute] = &[
    Attribute::string("value", "A telephone number"),
    DISPLAY,
    label(&["work", "home", "mobile", "fax", "pager", "other"]),
    PRIMARY,
];

const IMS: &[Attribute] = &[
    Attribute::string("value", "An instant messaging address"),
    DISPLAY,
    label(&["aim", "gtalk", "icq", "xmpp", "msn", "skype", "qq", "yahoo"]),
    PRIMARY,
];

const PHOTOS: &[Attribute] = &[
    Attribute::reference("value", &["external"], "Address of a picture of the user"),
    DISPLAY,
    label(&["photo", "thumbnail"]),
    PRIMARY,
];

const ADDRESSES: &[Attribute] = &[
    Attribute::string("formatted", "The whole address as it is written"),
    Attribute::string("streetAddress", "Street, house number and the like"),
    Attribute::string("locality", "City or place"),
    Attribute::string("region", "State or region"),
    Attribute::string("postalCode", "Postal code"),
    Attribute::string("country", "Country"),
    label(&["work", "home", "other"]),
    PRIMARY,
];

const GROUPS: &[Attribute] = &[
    Attribute::string("value", "Id of the group")
        .as_id()
        .read_only(),
    Attribute::reference("$ref", &["Group"], "Address of the group").read_only(),
    Attribute::string("display", "Name of the group").read_only(),
    Attribute::string(
        "type",
        "Whether the user is a member itself or through another group",
    )
    .canonical(&["direct", "indirect"])
    .read_only(),
];

const ENTITLEMENTS: &[Attribute] = &[
    Attribute::string("value", "An entitlement"),
    DISPLAY,
    label(&[]),
    PRIMARY,
];

const ROLES: &[Attribute] = &[
    Attribute::string("value", "A role"),
    DISPLAY,
    label(&[]),
    PRIMARY,
];

const CERTIFICATES: &[Attribute] = &[
    Attribute::new(
        "value",
        Kind::Binary,
        "A DER-encoded X.509 certificate in base64",
    ),
    DISPLAY,
    label(&[]),
    PRIMARY,
];

/// User: a person's account.
pub static USER: Schema = Schema {
    id: Cow::Borrowed("urn:ietf:params:scim:schemas:core:2.0:User"),
    former: &[],
    name: Cow::Borrowed("User"),
    description: Cow::Borrowed("User Account"),
    key: Cow::Borrowed(""),
    attributes: List::Constant(&[
        Attribute::string("userName", "Name that the user signs in with")
            .required()
            .as_name()
            .unique(),
        Attribute::complex("name", NAME, "The parts of the user's name"),
        Attribute::string("displayName", "Name of the user for people to read"),
        Attribute::string("nickName", "What the user is casually called"),
        Attribute::reference(
            "profileUrl",
            &["external"],
            "Address of a page about the user",
        ),
        Attribute::string("title", "The user's title, such as a job title"),
        Attribute::string("userType", "The user's relation to the organisation"),
        Attribute::string(
            "preferredLanguage",
            "Languages the user prefers, as in Accept-Language",
        ),
        Attribute::string("locale", "Locale for currency, dates and numbers"),
        Attribute::string("timezone", "Time zone, by its IANA name"),
        Attribute::boolean("active", "Whether the account may be used"),
        Attribute::string("password", "A password, taken and never shown")
            .case_exact()
            .mutability(Mutability::WriteOnly)
            .returned(Returned::Never),
        Attribute::complex("emails", EMAILS, "E-mail addresses").multi_valued(),
        Attribute::complex("phoneNumbers", PHONE_NUMBERS, "Telephone numbers").multi_valued(),
        Attribute::complex("ims", IMS, "Instant messaging addresses").multi_valued(),
        Attribute::complex("photos", PHOTOS, "Pictures of the user").multi_valued(),
        Attribute::complex("addresses", ADDRESSES, "Postal addresses").multi_valued(),
        Attribute::complex("groups", GROUPS, "Groups that the user belongs to")
            .multi_valued()
            .read_only(),
        Attribute::complex("entitlements", ENTITLEMENTS, "Entitlements of the user").multi_valued(),
        Attribute::complex("roles", ROLES, "Roles of the user").multi_valued(),
        Attribute::complex("x509Certificates", CERTIFICATES, "Certificates of the user")
            .multi_valued(),
    ]),
    is_learned: false,
};
