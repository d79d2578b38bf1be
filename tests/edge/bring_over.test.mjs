// examples/bring-over: what other services say of users and groups becomes lines of an import, which make them here, once however often they are sent.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createServer } from "node:http";
import { after, before, describe, test } from "node:test";
import { inRoot } from "../../scripts/setup/paths.mjs";
import { adminToken, startWorld } from "./support/world.mjs";

const USER = "urn:ietf:params:scim:schemas:core:2.0:User";
const ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
let world, services;

// 120 people, so that each service has several pages; the last has left.
const PEOPLE = Array.from({ length: 120 }, (_, number) => ({ old: `old_${number}`, email: `person${number}@acme.example`, given: `Given${number}`, family: `Family${number}`, active: number < 119 }));
const sent = ({ email, given, family, active }, index) => ({ schemas: [USER, ENTERPRISE], userName: email, externalId: `idp-${index}`, name: { givenName: given, familyName: family }, emails: [{ value: email, type: "work", primary: true }], active, title: "Engineer" });
const MEMBERS = PEOPLE.slice(0, 110).map(({ old }) => old);

/** The services, as far as the program asks them. */
function answer(url, authorization) {
  const of = (name, fallback) => url.searchParams.get(name) ?? fallback;
  const window = (list, from, count) => list.slice(from, from + count);
  const path = url.pathname;
  if (path.startsWith("/workos/")) {
    if (authorization !== "Bearer key") return null;
    const users = PEOPLE.map((person, index) => ({ id: person.old, idp_id: `idp-${index}`, email: person.email, first_name: person.given, last_name: person.family, state: person.active ? "active" : "inactive", raw_attributes: index % 2 ? sent(person, index) : {} }));
    const list = { "/workos/directory_users": of("group") ? users.filter(({ id }) => MEMBERS.includes(id)) : users, "/workos/directory_groups": [{ id: "g1", idp_id: "idp-g1", name: "Engineering" }] }[path];
    const from = of("after") ? list.findIndex(({ id }) => id === of("after")) + 1 : 0;
    const data = window(list, from, Number(of("limit", 10)));
    return { data, list_metadata: { before: null, after: from + data.length < list.length ? data.at(-1).id : null } };
  }
  if (path.startsWith("/polis/api/v1/dsync/")) {
    if (authorization !== "Api-Key key" || of("directoryId") !== "dir") return null;
    const users = PEOPLE.map((person, index) => ({ id: person.old, email: person.email, first_name: person.given, last_name: person.family, active: person.active, raw: sent(person, index) }));
    const list = { users, groups: [{ id: "g1", name: "Engineering", raw: {} }], "groups/g1/members": MEMBERS.map((user_id) => ({ user_id })) }[path.slice("/polis/api/v1/dsync/".length)];
    return { data: window(list, Number(of("pageOffset", 0)), Number(of("pageLimit", 50))) };
  }
  if (authorization !== "Bearer key") return null;
  const users = PEOPLE.map((person, index) => ({ ...sent(person, index), id: person.old, groups: [{ value: "g1" }], meta: { resourceType: "User" }, [ENTERPRISE]: index ? { department: "R&D", manager: { value: "old_0" } } : { department: "R&D" } }));
  const list = { "/scim/Users": users, "/scim/Groups": [{ schemas: [], id: "g1", displayName: "Engineering", members: MEMBERS.map((value) => ({ value, type: "User" })) }] }[path];
  const Resources = window(list, Number(of("startIndex", 1)) - 1, Math.min(Number(of("count", 10)), 50));
  return { schemas: [], totalResults: list.length, Resources };
}

before(async () => {
  world = await startWorld();
  services = createServer((request, response) => {
    const body = answer(new URL(request.url, "http://localhost"), request.headers.authorization);
    response.writeHead(body ? 200 : 401, { "content-type": "application/json" }).end(JSON.stringify(body));
  });
  await new Promise((ready) => services.listen(0, "127.0.0.1", ready));
});
after(async () => {
  services?.close();
  await world?.stop();
});

async function lines(source, { token = "key", input = "" } = {}) {
  const env = { ...process.env, SOURCE_URL: `http://127.0.0.1:${services.address().port}/${source}`, SOURCE_TOKEN: token, DIRECTORY: "dir" };
  const program = spawn(process.execPath, [inRoot("examples", "bring-over", "lines.mjs"), source], { env });
  let out = "";
  let complaint = "";
  program.stdout.on("data", (chunk) => (out += chunk));
  program.stderr.on("data", (chunk) => (complaint += chunk));
  program.stdin.end(input);
  const code = await new Promise((done) => program.on("close", done));
  return { code, out, complaint };
}

const bring = (tenant, raw) => world.request("POST", `/api/v1/admin/tenants/${tenant.id}/import`, { auth: `Bearer ${adminToken()}`, raw, contentType: "application/x-ndjson" });
const EXPORTED = PEOPLE.map(({ old, email, given, family, active }, index) => JSON.stringify({ user_id: old, external_id: `idp-${index}`, email, given_name: given, family_name: family, blocked: !active })).join("\n");

describe("users and groups of another service", () => {
  for (const [source, input] of [["workos"], ["polis"], ["scim"], ["auth0", EXPORTED]]) {
    test(`are brought over from ${source}, once`, { timeout: 120_000 }, async () => {
      const tenant = await world.createTenant();
      const { code, out, complaint } = await lines(source, { input });
      assert.equal(code, 0, complaint);
      const reply = await bring(tenant, out);
      assert.deepEqual([reply.status, reply.body.data.failures, reply.body.data.users.created], [200, [], 120], reply.text.slice(0, 500));
      const again = await bring(tenant, (await lines(source, { input })).out);
      assert.deepEqual([again.body.data.failures, again.body.data.users.created, again.body.data.groups.created], [[], 0, 0]);

      const scim = world.scim(tenant, (await world.mintToken(tenant)).token);
      const one = async (path, filter) => (await scim.request("GET", `${path}?filter=${encodeURIComponent(filter)}`)).body.Resources[0];
      // As an identity provider looks for them.
      const user = await one("/Users", 'userName eq "PERSON5@acme.example"');
      assert.deepEqual([user.externalId, user.active, user.name.givenName, user.emails[0].value], ["idp-5", true, "Given5", "person5@acme.example"]);
      assert.equal((await one("/Users", 'userName eq "person119@acme.example"')).active, false);
      if (source === "scim") {
        const manager = await one("/Users", 'userName eq "person0@acme.example"');
        assert.equal(user[ENTERPRISE].manager.value, manager.id);
      }
      if (source === "auth0") return;
      const group = await one("/Groups", 'displayName eq "Engineering"');
      assert.equal(group.members.length, 110);
      assert.ok(group.members.some(({ value }) => value === user.id));
    });
  }

  test("are not written where the service refuses, and no other source is known", async () => {
    const refused = await lines("workos", { token: "another" });
    assert.ok(refused.code && refused.out === "" && /401/.test(refused.complaint), refused.complaint);
    assert.equal((await lines("nobody")).code, 2);
  });
});
