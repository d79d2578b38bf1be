//! Schemas of the types whose rules serde's derives do not show.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::api::admin::endpoint_info::Form;
use crate::api::admin::identity_providers::certificates::{Certificates, MAX_CERTIFICATE};
use crate::api::admin::identity_providers::fields::{
    AttributeName, BindName, Dn, Domain, Domains, Filter, Issuer, LdapUrl, MAX_DOMAINS, MAX_SECRET,
    MAX_URL, Partial, WebUrl, WriteOnly,
};
use crate::api::http::input::{Text, Time, Whole};
use crate::auth::scope::{Scope, Scopes};
use crate::ids::TenantId;
use crate::store::identity_providers::Protocol;

/// No control character, and something besides white space.
const VISIBLE: &str = r"^[^\u0000-\u001f\u007f-\u009f]*[^\u0000-\u001f\u007f-\u009f\s][^\u0000-\u001f\u007f-\u009f]*$";
/// No control character.
const PLAIN: &str = r"^[^\u0000-\u001f\u007f-\u009f]*$";

impl<const MIN: usize, const MAX: usize> JsonSchema for Text<MIN, MAX> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Text".into()
    }

    fn schema_id() -> Cow<'static, str> {
        format!("Text<{MIN}, {MAX}>").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "minLength": MIN,
            "maxLength": MAX,
            "pattern": if MIN > 0 { VISIBLE } else { PLAIN },
        })
    }
}

impl JsonSchema for Time {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Time".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "format": "date-time"})
    }
}

impl JsonSchema for TenantId {
    fn schema_name() -> Cow<'static, str> {
        "TenantId".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A UUIDv7, or 1 to 63 lower-case letters, digits and hyphens that an administrator chose.",
            "maxLength": 63,
            "pattern": "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$",
        })
    }
}

impl JsonSchema for Scopes {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Scopes".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let scope = generator.subschema_for::<Scope>();
        match generator.contract().is_deserialize() {
            // A repetition says nothing new, and is no error.
            true => json_schema!({"type": "array", "items": scope, "minItems": 1}),
            false => json_schema!({"type": "array", "items": scope, "uniqueItems": true}),
        }
    }
}

impl<const FIELDS: usize> JsonSchema for Form<FIELDS> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Form".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        BTreeMap::<String, String>::json_schema(generator)
    }
}

impl<const MIN: i64, const MAX: i64> JsonSchema for Whole<MIN, MAX> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Whole".into()
    }

    fn schema_id() -> Cow<'static, str> {
        format!("Whole<{MIN}, {MAX}>").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "integer", "minimum": MIN, "maximum": MAX})
    }
}

/// A change has some fields of the whole, or all.
impl<T: JsonSchema> JsonSchema for Partial<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("{}Update", T::schema_name()).into()
    }

    fn schema_id() -> Cow<'static, str> {
        format!("Partial<{}>", T::schema_id()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = T::json_schema(generator);
        schema.remove("required");
        // What is left out stays, whatever a new one would begin with.
        let properties = schema.get_mut("properties");
        for property in properties
            .and_then(serde_json::Value::as_object_mut)
            .into_iter()
            .flat_map(|properties| properties.values_mut())
            .filter_map(serde_json::Value::as_object_mut)
        {
            property.remove("default");
        }
        schema
    }
}

/// A text with rules that a schema shows in part only.
macro_rules! text {
    ($name:ident, $($schema:tt)+) => {
        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($($schema)+)
            }
        }
    };
}

text!(WebUrl, {
    "description": "An https URL; http for a loopback address alone.",
    "type": "string", "maxLength": MAX_URL, "pattern": "^https?://",
});
text!(Issuer, {
    "description": "An https URL without query and fragment, the `iss` of the provider's tokens.",
    "type": "string", "maxLength": MAX_URL, "pattern": "^https?://",
});
text!(LdapUrl, {
    "description": "`ldaps://host` or `ldap://host`, with a port unless it is 636 or 389.",
    "type": "string", "maxLength": MAX_URL, "pattern": "^ldaps?://",
});
text!(Dn, {
    "description": "A distinguished name (RFC 4514).",
    "type": "string", "minLength": 1,
});
text!(BindName, {
    "description": "As whom a directory is read: a DN, or what else it takes for a name in a bind, as `svc@corp.example.com` and `CORP\\svc`; of at most 8,192 bytes and without control characters.",
    "type": "string", "minLength": 1, "maxLength": 8192,
});
text!(Filter, {
    "description": "A search filter (RFC 4515).",
    "type": "string", "minLength": 1,
});
text!(AttributeName, {
    "description": "The name of an LDAP attribute (RFC 4512 §2.5).",
    "type": "string", "minLength": 1, "maxLength": 100,
});
text!(Certificates, {
    "description": "An X.509 certificate, or several (8 at most) while the provider changes from one to the next: PEM, whatever stands around it, or the base64 of the DER of one. It is shown in PEM. A private key in it is 422.",
    "type": "string", "minLength": 1, "maxLength": MAX_CERTIFICATE,
});
text!(WriteOnly, {
    "description": "It is never shown.",
    "type": "string", "minLength": 1, "maxLength": MAX_SECRET, "writeOnly": true,
});
text!(Domain, {
    "description": "A domain as it stands in e-mail addresses, in ASCII.",
    "type": "string", "maxLength": 253, "pattern": r"^\s*([A-Za-z0-9-]{1,63}\.)+[A-Za-z0-9-]{1,63}\s*$", "examples": ["example.com"],
});
text!(Protocol, {
    "description": "What a provider speaks; in a request in any case.",
    "type": "string", "enum": Protocol::ALL.map(Protocol::name),
});

impl JsonSchema for Domains {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Domains".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let domain = generator.subschema_for::<Domain>();
        json_schema!({"type": "array", "items": domain, "maxItems": MAX_DOMAINS, "uniqueItems": true})
    }
}
