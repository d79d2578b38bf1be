// Requests made to cost much read each row a few times at most, by D1's own count: users under groups that lie deep in each other, and a group of everybody.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { patch } from "./support/resources.mjs";
import { startWorld } from "./support/world.mjs";

const USERS = 2_000;
const GROUPS = 1_000;
/** Each user is in one group, each group but the first in the one before, and everybody in the last. */
const MEMBERSHIPS = USERS + GROUPS - 1 + USERS;
const ROWS = USERS + GROUPS + 1 + MEMBERSHIPS;
const EVERYBODY = "019b0000-0000-7000-a000-000000000000";

let world, scim;
before(async () => {
  world = await startWorld();
  scim = await world.tenant();
  const numbers = `with recursive n (i) as (select 0 union all select i + 1 from n where i + 1 < ${USERS})`;
  const userId = "printf('019b0000-0000-7000-8000-%012x', i)";
  const groupId = (i) => `printf('019b0000-0000-7000-9000-%012x', ${i})`;
  const group = (id, name, members) =>
    `select ?1, ${id}, '', 1, 0, 0, ${members}, 1, json_object('displayName', ${name}), json_object('displayname', ${name})`;
  const groups = "insert into groups (tenant_id, id, provider_id, version, created_at, modified_at, member_count, unique_name, resource, keys)";
  const members = "insert into group_members (tenant_id, group_id, member_id, member_type)";
  for (const sql of [
    `insert into users (tenant_id, id, provider_id, version, created_at, modified_at, resource, keys) ${numbers} select ?1, ${userId}, '', 1, 0, 0,
     json_object('userName', 'u' || i, 'active', json('true')), json_object('username', 'u' || i, 'active', json('true')) from n`,
    `${groups} ${numbers} ${group(groupId("i"), "'group' || i", 3)} from n where i < ${GROUPS}`,
    `${groups} ${group(`'${EVERYBODY}'`, "'everybody'", USERS)}`,
    `${members} ${numbers} select ?1, ${groupId(`i % ${GROUPS}`)}, ${userId}, 'User' from n`,
    `${members} ${numbers} select ?1, ${groupId("i")}, ${groupId("i + 1")}, 'Group' from n where i + 1 < ${GROUPS}`,
    `${members} ${numbers} select ?1, '${EVERYBODY}', ${userId}, 'User' from n`,
  ]) {
    await world.db.prepare(sql).bind(scim.id).run();
  }
});
after(() => world?.stop());

const terms = (count, word, term) => Array.from({ length: count }, (_, index) => term(index)).join(word);
const list = (filter) => scim.request("GET", `/Users?count=1&attributes=userName&filter=${encodeURIComponent(filter)}`);

describe("filters on the groups of users", () => {
  const alike = (index) => `groups.display sw "group${index}"`;
  for (const [name, filter, most] of [
    ["a name that no group has", 'groups.display co "zzz"', USERS + MEMBERSHIPS],
    ["a name that all groups have", 'groups.display co "group"', 4 * ROWS],
    ["40 names, any of them", terms(40, " or ", alike), 4 * ROWS],
    ["40 names, none of them", terms(40, " and ", (index) => `not (${alike(index)})`), 4 * ROWS],
    ["40 groups, any of them", terms(40, " or ", (index) => `groups.value eq "019b0000-0000-7000-9000-${String(index).padStart(12, "0")}"`), 4 * ROWS],
    // What a group meets, those in it meet: each term goes down once.
    ["40 names, all of them", terms(40, " and ", alike), 6 * ROWS + 40 * GROUPS * 12],
    ["groups above those that they are in", 'groups.type eq "indirect"', 8 * ROWS],
  ]) {
    test(name, async () => {
      const reply = await list(filter);
      assert.equal(reply.status, 200, reply.text);
      assert.ok(reply.cost.read <= most, `${reply.cost.read} rows read, allowed ${most}`);
    });
  }
});

describe("operations on a user of 735 kB", () => {
  let path;
  before(async () => {
    const phoneNumbers = Array.from({ length: 480 }, (_, index) => ({ type: `t${index}`, value: String(index).padStart(4, "0") + "A".repeat(1_500) }));
    const made = await scim.request("POST", "/Users", { body: { userName: "large", phoneNumbers } });
    assert.equal(made.status, 201, made.text.slice(0, 500));
    path = `/Users/${made.body.id}`;
  });
  const removal = (index) => ({ op: "remove", path: `phoneNumbers[${terms(40, " or ", (term) => `value co "${index}x${term}"`)}]` });
  for (const count of [100, 700]) {
    test(`${count} of 40 comparisons with each value are refused`, async () => {
      const { status, body } = await scim.request("PATCH", path, { body: patch(...Array.from({ length: count }, (_, index) => removal(index))) });
      assert.deepEqual([status, body.scimType], [400, "tooMany"], body.detail);
    });
  }
  test("1,000 in a Bulk request are done where they leave the values alone, and refused once they have copied them too often", async () => {
    const bulk = async (operation) => {
      const Operations = Array.from({ length: 1_000 }, (_, index) => ({ method: "PATCH", path, data: patch(operation(index)) }));
      const { body } = await scim.request("POST", "/Bulk", { body: { schemas: ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], Operations } });
      return body.Operations.filter((one) => one.status === "200").length;
    };
    assert.equal(await bulk((index) => ({ op: "replace", path: "title", value: `t${index}` })), 1_000);
    const done = await bulk((index) => ({ op: "replace", path: 'phoneNumbers[type eq "t7"].display', value: `d${index}` }));
    assert.ok(done >= 20 && done < 200, `${done} done`);
  });
});

describe("filters on the members of a group", () => {
  const removal = (filter) => ({ op: "remove", path: `members[${filter}]` });
  test("1,000 by type read each member once", async () => {
    const operations = Array.from({ length: 1_000 }, (_, index) => removal(`type eq "User" and value sw "x${index}"`));
    const { status, text, cost } = await scim.request("PATCH", `/Groups/${EVERYBODY}`, { body: patch(...operations) });
    assert.equal(status, 204, text);
    assert.ok(cost.read <= USERS + 100, `${cost.read} rows read`);
  });
  test("10 in each of 100 operations of a Bulk request are few statements", async () => {
    const Operations = Array.from({ length: 100 }, (_, index) => ({
      method: "PATCH",
      path: `/Groups/019b0000-0000-7000-9000-${index.toString(16).padStart(12, "0")}`,
      data: patch(...Array.from({ length: 10 }, (_, number) => removal(`display eq "x${number}" or type eq "y${index}"`))),
    }));
    const { status, text, body, cost } = await scim.request("POST", "/Bulk", { body: { schemas: ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], Operations } });
    assert.equal(status, 200, text);
    assert.deepEqual(new Set(body.Operations.map((operation) => operation.status)), new Set(["200"]));
    assert.ok(cost.statements < 200, `${cost.statements} statements`);
  });
});
