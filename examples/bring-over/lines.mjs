// Writes the users, groups and memberships of another service as lines for `POST /api/v1/admin/tenants/{tenant_id}/import`.
// docs/migrating.md says when and how. Copy it, and change it where your service is another one.
//
//   node lines.mjs scim   > lines.ndjson    SOURCE_URL (the SCIM base URL), SOURCE_TOKEN
//   node lines.mjs workos > lines.ndjson    SOURCE_TOKEN (the API key), DIRECTORY
//   node lines.mjs polis  > lines.ndjson    SOURCE_URL, SOURCE_TOKEN (an API key), DIRECTORY
//   node lines.mjs auth0  < export.json > lines.ndjson    a users' export in JSON, one user a line
import { createHash } from "node:crypto";
import { createInterface } from "node:readline";

const USER = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group";
const { SOURCE_TOKEN, DIRECTORY = "" } = process.env;
const source = (process.env.SOURCE_URL ?? "https://api.workos.com").replace(/\/$/, "");

/** An id of the form that an import takes (UUIDv7), which follows from the old one: the same line is the same resource however often it is sent. */
function idOf(old) {
  const hash = createHash("sha256").update(String(old)).digest("hex");
  return `01941f29-7c00-7${hash.slice(0, 3)}-8${hash.slice(3, 6)}-${hash.slice(6, 18)}`;
}

const write = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
const writeUser = (id, user) => write({ ...user, schemas: user.schemas ?? [USER], id: idOf(id), meta: { resourceType: "User" } });
const writeGroup = (id, group) => write({ ...group, schemas: [GROUP], id: idOf(id), meta: { resourceType: "Group" } });
/** A thousand members a line: a line of an import is no longer than a request. */
function writeMembers(id, members) {
  for (let from = 0; from < members.length; from += 1_000) {
    write({ group: idOf(id), members: members.slice(from, from + 1_000).map((member) => ({ value: idOf(member), type: "User" })) });
  }
}

async function get(path, query, scheme = "Bearer") {
  const known = Object.entries(query).filter(([, value]) => value !== undefined);
  const reply = await fetch(`${source}${path}?${new URLSearchParams(known)}`, { headers: { authorization: `${scheme} ${SOURCE_TOKEN}`, accept: "application/json, application/scim+json" } });
  if (reply.status === 404) return null;
  if (!reply.ok) throw new Error(`${path}: ${reply.status} ${(await reply.text()).slice(0, 500)}`);
  return reply.json();
}

/** A user as the identity provider sent it, where the service keeps that (`raw`), with what the service says itself. */
function asSent(raw, { userName, externalId, givenName, familyName, email, active }) {
  const { groups, password, ...sent } = raw ?? {};
  return {
    ...sent,
    userName: sent.userName ?? userName ?? email,
    externalId: sent.externalId ?? externalId,
    name: sent.name ?? { givenName, familyName },
    emails: sent.emails ?? (email ? [{ value: email, type: "work", primary: true }] : undefined),
    active,
  };
}

const SOURCES = {
  async scim() {
    async function* all(path) {
      for (let startIndex = 1; ; ) {
        const page = await get(path, { startIndex, count: 100 });
        const resources = page?.Resources ?? [];
        yield* resources;
        startIndex += resources.length;
        if (!resources.length || startIndex > page.totalResults) return;
      }
    }
    for await (const { id, groups, password, ...user } of all("/Users")) {
      // A manager is one of these users, by the old id.
      const [urn, extension] = Object.entries(user).find(([name, value]) => name.endsWith("enterprise:2.0:User") && value?.manager?.value) ?? [];
      if (urn) extension.manager = { value: idOf(extension.manager.value) };
      writeUser(id, user);
    }
    for await (const { id, members = [], ...group } of all("/Groups")) {
      writeGroup(id, group);
      writeMembers(id, members.filter(({ type }) => type !== "Group").map(({ value }) => value));
    }
  },

  async workos() {
    async function* all(path, query) {
      for (let after; ; ) {
        const page = await get(path, { ...query, limit: 100, after });
        yield* page.data;
        after = page.list_metadata?.after;
        if (!after) return;
      }
    }
    for await (const user of all("/directory_users", { directory: DIRECTORY })) {
      const email = user.email ?? user.emails?.find(({ primary }) => primary)?.value;
      writeUser(user.id, asSent(user.raw_attributes, { userName: user.username, externalId: user.idp_id, givenName: user.first_name, familyName: user.last_name, email, active: user.state === "active" }));
    }
    for await (const group of all("/directory_groups", { directory: DIRECTORY })) {
      writeGroup(group.id, { displayName: group.name, externalId: group.idp_id });
      const members = [];
      for await (const { id } of all("/directory_users", { group: group.id })) members.push(id);
      writeMembers(group.id, members);
    }
  },

  async polis() {
    async function* all(path) {
      for (let pageOffset = 0; ; ) {
        const { data } = await get(`/api/v1/dsync${path}`, { directoryId: DIRECTORY, pageOffset, pageLimit: 50 }, "Api-Key");
        yield* data;
        pageOffset += data.length;
        if (data.length < 50) return;
      }
    }
    for await (const user of all("/users")) {
      writeUser(user.id, asSent(user.raw, { givenName: user.first_name, familyName: user.last_name, email: user.email, active: user.active }));
    }
    for await (const group of all("/groups")) {
      writeGroup(group.id, { displayName: group.name, externalId: group.raw?.externalId });
      const members = [];
      for await (const { user_id } of all(`/groups/${encodeURIComponent(group.id)}/members`)) members.push(user_id);
      writeMembers(group.id, members);
    }
  },

  async auth0() {
    for await (const line of createInterface({ input: process.stdin })) {
      if (!line.trim()) continue;
      const user = JSON.parse(line);
      writeUser(user.user_id, asSent(null, { userName: user.username, externalId: user.external_id, givenName: user.given_name, familyName: user.family_name, email: user.email, active: user.blocked !== true }));
    }
  },
};

const read = SOURCES[process.argv[2]];
if (!read) {
  console.error(`Wanted: one of ${Object.keys(SOURCES).join(", ")}`);
  process.exit(2);
}
await read();
