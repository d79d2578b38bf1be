// What the forms of the three kinds of provider ask for, and how it becomes a body. A field's key is where it stands in the body, with dots.
import type { Schemas } from "../api";

export type Protocol = "OIDC" | "SAML" | "LDAP";
export type Values = Record<string, string | boolean>;

export interface FieldSpec {
  key: string;
  label: string;
  hint?: string;
  kind?: "text" | "url" | "secret" | "area" | "tick" | "number" | "list" | "choice" | "map";
  options?: [string, string][];
  isRequired?: boolean;
  /** What a new provider's form begins with. */
  initial?: string | boolean;
  /** Among those that few need. */
  isFurther?: boolean;
}

const NAMES: FieldSpec[] = [
  { key: "name", label: "Name", isRequired: true, hint: "Unique in the tenant, as in “login” or “directory”." },
  { key: "display_name", label: "Name for people" },
  { key: "enabled", label: "Enabled", kind: "tick", initial: true },
];

const LOGIN: FieldSpec[] = [
  { key: "auto_create_users", label: "A login may make a person who is not there", kind: "tick", initial: true },
  { key: "update_user_on_login", label: "A login updates the person", kind: "tick", initial: true },
  { key: "allowed_domains", label: "E-mail domains", kind: "list", hint: "With commas between them. Any where you leave it out." },
  ...["email", "first_name", "last_name", "display_name", "groups"].map((name): FieldSpec => ({ key: `attribute_mapping.${name}`, label: `Claim of the ${name.replace("_", " ")}`, isFurther: true })),
  extensions("attribute_mapping.extensions", "claim"),
];

function extensions(key: string, from: string): FieldSpec {
  const hint = `A line for each, as in urn:…:User:costCenter = ${from === "claim" ? "cost_center" : "departmentNumber"}`;
  return { key, label: `Further attributes, each with its ${from}`, kind: "map", hint, isFurther: true };
}

export const FIELDS: Record<Protocol, FieldSpec[]> = {
  OIDC: [
    ...NAMES,
    { key: "oidc_config.issuer", label: "Issuer", kind: "url", isRequired: true, hint: "As in https://login.example.com" },
    { key: "oidc_config.client_id", label: "Client id", isRequired: true },
    { key: "oidc_config.client_secret", label: "Client secret", kind: "secret" },
    { key: "oidc_config.scopes", label: "Scopes", kind: "list", hint: "openid, profile and email where you leave it out.", isFurther: true },
    { key: "oidc_config.authorization_endpoint", label: "Authorization endpoint", kind: "url", isFurther: true },
    { key: "oidc_config.token_endpoint", label: "Token endpoint", kind: "url", isFurther: true },
    { key: "oidc_config.userinfo_endpoint", label: "Userinfo endpoint", kind: "url", isFurther: true },
    { key: "oidc_config.jwks_uri", label: "Key set", kind: "url", isFurther: true },
    ...LOGIN,
  ],
  SAML: [
    ...NAMES,
    { key: "saml_config.entity_id", label: "Entity id", isRequired: true },
    { key: "saml_config.sso_url", label: "Sign-on address", kind: "url", isRequired: true },
    { key: "saml_config.certificate", label: "Certificate", kind: "area", isRequired: true, hint: "PEM, or the base64 text of the metadata. Several, one after the other, while they change." },
    { key: "saml_config.slo_url", label: "Sign-out address", kind: "url", isFurther: true },
    { key: "saml_config.name_id_format", label: "Format of the name id", isFurther: true },
    { key: "saml_config.sign_requests", label: "Requests are signed", kind: "tick", initial: true, isFurther: true },
    { key: "saml_config.want_assertions_signed", label: "Assertions have to be signed", kind: "tick", initial: true, isFurther: true },
    ...LOGIN,
  ],
  LDAP: [
    ...NAMES,
    { key: "ldap_config.url", label: "Address", isRequired: true, hint: "As in ldaps://ldap.example.com" },
    { key: "ldap_config.start_tls", label: "StartTLS, for an address with ldap://", kind: "tick", initial: false },
    { key: "ldap_config.bind_dn", label: "Signs in as", isRequired: true, hint: "A DN; for Active Directory also svc@corp.example.com." },
    { key: "ldap_config.bind_password", label: "Password", kind: "secret" },
    { key: "ldap_config.base_dn", label: "Base DN", isRequired: true, hint: "As in dc=example,dc=com" },
    { key: "ldap_config.user_filter", label: "Filter of people", hint: "Follows from the unique id where you leave it out." },
    { key: "ldap_config.group_filter", label: "Filter of groups", hint: "As in (objectClass=groupOfNames). Groups are left alone where you leave it out." },
    { key: "ldap_config.sync_interval_minutes", label: "Minutes from one sync to the next", kind: "number", hint: "Never by itself where you leave it out." },
    {
      key: "ldap_config.missing_user_action",
      label: "Who is gone from the directory",
      kind: "choice",
      initial: "deactivate",
      options: [
        ["deactivate", "is switched off"],
        ["delete", "is deleted"],
        ["keep", "stays as they are"],
      ],
    },
    { key: "ldap_config.max_removal_percent", label: "Most that one sync may remove, in per cent", kind: "number" },
    { key: "ldap_config.unique_id_attribute", label: "Attribute of the unique id", hint: "entryUUID; objectGUID for Active Directory.", isFurther: true },
    { key: "ldap_config.group_base_dn", label: "Base DN of groups", isFurther: true },
    { key: "ldap_config.member_attribute", label: "Attribute of members", isFurther: true },
    { key: "ldap_config.page_size", label: "Entries at once", kind: "number", isFurther: true },
    ...["user_name", "email", "first_name", "last_name", "display_name", "active", "group_name"].map((name): FieldSpec => ({ key: `ldap_config.attribute_mapping.${name}`, label: `Attribute of the ${name.replace("_", " ")}`, isFurther: true })),
    extensions("ldap_config.attribute_mapping.extensions", "attribute"),
  ],
};

/** What Active Directory wants beside what is typed. */
export const ACTIVE_DIRECTORY: Values = {
  "ldap_config.unique_id_attribute": "objectGUID",
  "ldap_config.group_filter": "(objectClass=group)",
  "ldap_config.attribute_mapping.user_name": "userPrincipalName",
  "ldap_config.attribute_mapping.active": "userAccountControl",
};

const at = (value: unknown, key: string) => key.split(".").reduce<unknown>((part, name) => (part as Record<string, unknown> | null | undefined)?.[name], value);

/** What a form begins with: of a provider that is there, or of a new one. */
export function valuesOf(protocol: Protocol, provider: Schemas["AdminIdPResponse"] | null): Values {
  const entries = FIELDS[protocol].map(({ key, kind, initial }): [string, string | boolean] => {
    const given = provider ? at(provider, key) : initial;
    if (kind === "tick") return [key, given === true];
    if (kind === "map") return [key, Object.entries((given ?? {}) as Record<string, string>).map(([path, from]) => `${path} = ${from}`).join("\n")];
    return [key, Array.isArray(given) ? given.join(", ") : given === null || given === undefined ? "" : String(given)];
  });
  return Object.fromEntries(entries);
}

/**
 * The body that says what a form has. Of a new provider, what is empty is left out; of one that is there, only what was changed is said, null for what
 * was emptied; a secret that is empty stays as it is.
 */
export function bodyOf(protocol: Protocol, values: Values, before: Values | null): Record<string, unknown> {
  const body: Record<string, unknown> = {};
  for (const { key, kind } of FIELDS[protocol]) {
    const value = values[key];
    if (before ? before[key] === value || (kind === "secret" && !value) : value === "") continue;
    put(body, key, kind === "map" ? { ...cleared(before?.[key]), ...lines(value) } : typed(value, kind));
  }
  return body;
}

/** Lines of `path = from`. */
function lines(value: string | boolean | undefined): Record<string, string> {
  const all = String(value ?? "").split("\n").filter((line) => line.trim());
  return Object.fromEntries(all.map((line) => line.split(/=(.*)/s).slice(0, 2).map((part) => part.trim())));
}

/** What takes out what was there. */
const cleared = (value: string | boolean | undefined) => Object.fromEntries(Object.keys(lines(value)).map((path) => [path, null]));

function typed(value: string | boolean | undefined, kind: FieldSpec["kind"]): unknown {
  if (typeof value !== "string") return value;
  if (kind === "list") return value.split(/[,\s]+/).filter(Boolean);
  if (value === "") return null;
  return kind === "number" ? Number(value) : value;
}

function put(body: Record<string, unknown>, key: string, value: unknown) {
  const names = key.split(".");
  const last = names.pop()!;
  let part = body;
  for (const name of names) part = (part[name] ??= {}) as Record<string, unknown>;
  part[last] = value;
}

const METADATA = "urn:oasis:names:tc:SAML:2.0:metadata";
const SIGNATURE = "http://www.w3.org/2000/09/xmldsig#";

/** The fields of a SAML provider that its metadata says. Throws where it is none. */
export function readMetadata(xml: string): Values {
  const document = new DOMParser().parseFromString(xml, "application/xml");
  const entity = document.getElementsByTagNameNS(METADATA, "EntityDescriptor")[0];
  const role = entity?.getElementsByTagNameNS(METADATA, "IDPSSODescriptor")[0];
  if (document.querySelector("parsererror") || !entity || !role) throw new Error("This is no metadata of a SAML identity provider.");
  const location = (name: string) => {
    const services = [...role.getElementsByTagNameNS(METADATA, name)];
    const redirect = services.find((service) => service.getAttribute("Binding")?.endsWith(":HTTP-Redirect"));
    return (redirect ?? services[0])?.getAttribute("Location") ?? "";
  };
  const keys = [...role.getElementsByTagNameNS(METADATA, "KeyDescriptor")].filter((key) => key.getAttribute("use") !== "encryption");
  const certificates = keys.flatMap((key) => [...key.getElementsByTagNameNS(SIGNATURE, "X509Certificate")].map(({ textContent }) => textContent!.replace(/\s+/g, "")));
  const pem = (base64: string) => `-----BEGIN CERTIFICATE-----\n${base64.replace(/.{64}(?=.)/g, "$&\n")}\n-----END CERTIFICATE-----`;
  return {
    "saml_config.entity_id": entity.getAttribute("entityID") ?? "",
    "saml_config.sso_url": location("SingleSignOnService"),
    "saml_config.slo_url": location("SingleLogoutService"),
    "saml_config.certificate": [...new Set(certificates)].map(pem).join("\n"),
  };
}
