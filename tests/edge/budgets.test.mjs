// What each operation costs at D1, by D1's own count (the Server-Timing header), against what the design allows. The table of all
// figures is printed at the end.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { facts, groupId, populate, userId } from "./support/population.mjs";
import { ENTERPRISE, addMembers, group, patch, removeMembers, user } from "./support/resources.mjs";
import { startWorld } from "./support/world.mjs";

const USERS = 6_000;
/** Members of the first groups; the others are there so that finding one by a scan shows. */
const SIZES = [10, 1_000, 5_000];
const GROUPS = [...SIZES, ...Array.from({ length: 300 }, () => 0)];
/** In no group: the first user that the largest group does not have. */
const ALONE = 5_500;
/** Checking the credential and the tenant's settings is on top of every operation's own rows. */
const AUTHENTICATION = 2;

let world, scim;
const table = [];
const ids = (from, count) => Array.from({ length: count }, (_, index) => userId(from + index));

before(async () => {
  world = await startWorld();
  scim = await world.tenant();
  await populate(world, scim, USERS, GROUPS);
  // Somebody else's directory, which nobody pays for.
  const other = await world.tenant();
  await populate(world, other, 1_000, [10]);
  assert.equal((await scim.request("GET", "/Users?count=0")).status, 200);
});
after(async () => {
  await world?.stop();
  print();
});

/** Sends a request and holds its cost; what is allowed may depend on the reply. The design limits rows written for members alone. */
function costs(name, [method, path, body, headers], { status = 200, trips = 1, check = () => {}, ...allowed }) {
  test(name, async () => {
    const reply = await scim.request(method, typeof path === "function" ? path() : path, { body: typeof body === "function" ? body() : body, headers });
    const limit = (value) => (typeof value === "function" ? value(reply) : value);
    assert.equal(reply.status, status, reply.text.slice(0, 500));
    check(reply);
    // Each batch checks the credential, so that one that dies in between writes nothing.
    const read = limit(allowed.read) + AUTHENTICATION * reply.cost.trips;
    const written = limit(allowed.written ?? (method === "GET" ? 0 : Infinity));
    table.push([name, reply.cost.trips, trips, reply.cost.read, read, reply.cost.written, written]);
    assert.ok(reply.cost.trips <= trips, `${reply.cost.trips} round trips, allowed ${trips}`);
    assert.ok(reply.cost.read <= read, `${reply.cost.read} rows read, allowed ${read}`);
    assert.ok(reply.cost.written <= written, `${reply.cost.written} rows written, allowed ${written}`);
  });
}

const found = (count) => (reply) => {
  assert.equal(reply.body.totalResults, count);
  assert.equal(reply.body.Resources.length, Math.min(count, 100));
};
const filter = (type, text, more = "") => `/${type}?filter=${encodeURIComponent(text)}${more}`;
const memberships = (reply) => reply.body.Resources.reduce((sum, { groups = [] }) => sum + groups.length, 0);
/** At least one match is paid for: to find nothing has to be looked for too. */
const perMatch = (reply) => 6 * Math.max(1, reply.body.Resources.length);

describe("reading one", () => {
  costs("GET a user in no group", ["GET", `/Users/${userId(ALONE)}`], { read: 6 });
  costs("GET a user in 3 groups", ["GET", `/Users/${userId(3)}`], { read: 6 + 3, check: ({ body }) => assert.equal(body.groups.length, 3) });
  costs("GET a user in 3 groups, without them", ["GET", `/Users/${userId(3)}?excludedAttributes=groups`], { read: 6 });
  costs("GET a user who is not there", ["GET", `/Users/${userId(USERS)}`], { status: 404, read: 6 });
  for (const [number, size] of SIZES.entries()) {
    costs(`GET a group of ${size} without members`, ["GET", `/Groups/${groupId(number)}?excludedAttributes=members`], { read: 6 });
    costs(`GET a group of ${size}`, ["GET", `/Groups/${groupId(number)}`], { read: 6 + size, check: ({ body }) => assert.equal(body.members.length, size) });
  }
});

describe("lists by an index", () => {
  const someone = facts(ALONE);
  const member = facts(2_000);
  for (const [text, count] of [
    [`id eq "${userId(ALONE)}"`, 1],
    [`userName eq "${someone.userName.toUpperCase()}"`, 1],
    [`userName eq "${member.userName}"`, 1],
    ['userName eq "nobody@example.com"', 0],
    [`externalId eq "${someone.externalId}"`, 1],
    [`displayName eq "${someone.displayName}"`, 1],
    [`emails.value eq "${someone.emails[0].value}"`, 1],
    [`emails[type eq "work"].value eq "${someone.emails[0].value}"`, 1],
    [`emails[type eq "work" and value eq "${someone.emails[0].value}"]`, 1],
    [`${ENTERPRISE}:employeeNumber eq "${someone[ENTERPRISE].employeeNumber}"`, 1],
    [`${ENTERPRISE}:manager eq "${userId(550)}"`, 10],
    [`${ENTERPRISE}:manager.value eq "${userId(550)}"`, 10],
    [`groups.value eq "${groupId(0)}"`, 10],
    ['userName sw "user-055"', 100],
    ['displayName sw "Person 055"', 100],
    [`active eq true and userName eq "${facts(ALONE + 1).userName}"`, 1],
    [`id eq "${userId(3)}" and groups.value eq "${groupId(2)}"`, 1],
  ]) {
    costs(`Users by ${text.replaceAll(`${ENTERPRISE}:`, "…:").replaceAll(/-[0-9a-f]{4}-7000-8000-/g, "…")}`, ["GET", filter("Users", text)], { read: (reply) => perMatch(reply) + Math.max(0, memberships(reply) - reply.body.Resources.length), check: found(count) });
  }
  // `active` is no index: what the other condition finds is looked at.
  costs("Users by active eq false and userName sw, 10 of 100", ["GET", filter("Users", 'active eq false and userName sw "user-055"')], { read: 6 * 100, check: found(10) });
  costs("Users by meta.lastModified gt, the latest 50", ["GET", () => filter("Users", `meta.lastModified gt "${lastModified(USERS - 51)}"`)], { read: perMatch, check: found(50) });
  costs("Users by meta.lastModified gt together with active eq true", ["GET", () => filter("Users", `meta.lastModified gt "${lastModified(USERS - 51)}" and active eq true`)], { read: 6 * 50, check: found(45) });
  costs("Groups by displayName", ["GET", filter("Groups", 'displayName eq "group of 5000"', "&excludedAttributes=members")], { read: perMatch, check: found(1) });
  costs("Groups by displayName sw", ["GET", filter("Groups", 'displayName sw "group of 5"', "&excludedAttributes=members")], { read: perMatch, check: found(1) });
  costs("Groups by members.value", ["GET", filter("Groups", `members.value eq "${userId(2_000)}"`, "&excludedAttributes=members")], { read: perMatch, check: found(1) });
  costs("Groups by members eq", ["GET", filter("Groups", `members eq "${userId(3)}"`, "&excludedAttributes=members")], { read: perMatch, check: found(3) });
  costs("Groups by id and members.value, as Entra asks", ["GET", filter("Groups", `id eq "${groupId(2)}" and members.value eq "${userId(4_999)}"`, "&excludedAttributes=members")], { read: perMatch, check: found(1) });

  let times;
  before(async () => (times = (await world.rows("select modified_at from users where tenant_id = ?1 order by id", scim.id)).map(({ modified_at }) => modified_at)));
  const lastModified = (number) => new Date(times[number]).toISOString();
});

describe("pages, totals and scans", () => {
  // Two for each row, one for each membership, and the tenant's counter.
  const page = (reply) => 2 * Math.max(1, reply.body.Resources.length) + memberships(reply) + 1;
  const search = (more) => ({ schemas: ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], ...more });
  const cursors = new Map();
  before(async () => {
    for (const sort of ["id", "userName"]) {
      // The first user on a page of the walk, by number, is the page's place: names and ids are in the same order.
      let cursor = "";
      for (let at = 0; cursor !== undefined; at += 100) {
        cursors.set(`${sort} ${at}`, cursor);
        const reply = await scim.request("GET", `/Users?count=100&attributes=id${sort === "id" ? "" : `&sortBy=${sort}`}&cursor=${cursor}`);
        assert.equal(reply.status, 200, reply.text);
        cursor = reply.body.nextCursor;
      }
    }
  });
  const pageAt = (at) => ({ body }) => {
    assert.deepEqual(body.Resources.map(({ id }) => id), ids(at, 100));
    assert.equal(body.totalResults, USERS);
  };
  const full = (reply) => assert.deepEqual([reply.body.totalResults, reply.body.Resources.length], [USERS, 100]);
  costs("page of 100 at the start", ["GET", "/Users?startIndex=1&count=100"], { read: page, check: full });
  costs("page of 100 at the start, without groups", ["GET", "/Users?count=100&excludedAttributes=groups"], { read: page, check: full });
  costs("page of 100 at 3,001", ["GET", "/Users?startIndex=3001&count=100"], { read: (reply) => page(reply) + 3_000, check: full });
  costs("page of 100 at 5,801, in no group", ["GET", "/Users?startIndex=5801&count=100"], { read: (reply) => page(reply) + 5_800, check: full });
  costs("page of 100 beyond the end", ["GET", "/Users?startIndex=6001&count=100"], { read: (reply) => page(reply) + USERS });
  costs("page of 100 by userName, at the start", ["GET", "/Users?count=100&sortBy=userName"], { read: page, check: full });
  // By cursor a page costs the same wherever it lies. One user more, who is in 3 groups at most, tells whether there is a next page.
  const lookahead = (reply) => page(reply) + 2 + 3;
  for (const [where, at] of [["at the start", 0], ["at 3,001", 3_000], ["at 5,801", 5_800]]) {
    costs(`page of 100 by cursor, ${where}`, ["GET", () => `/Users?count=100&cursor=${cursors.get(`id ${at}`)}`], { read: lookahead, check: pageAt(at) });
    costs(`page of 100 by cursor and userName, ${where}`, ["GET", () => `/Users?count=100&sortBy=userName&cursor=${cursors.get(`userName ${at}`)}`], { read: lookahead, check: pageAt(at) });
  }
  costs("POST /Users/.search by userName", ["POST", "/Users/.search", search({ filter: `userName eq "${facts(ALONE).userName}"` })], { read: perMatch, written: 0, check: found(1) });
  costs("POST /.search of both types by id", ["POST", "/.search", search({ filter: `id eq "${userId(ALONE)}"` })], { read: (reply) => 2 * perMatch(reply), written: 0, check: found(1) });
  costs("totals of users", ["GET", "/Users?count=0"], { read: 1, check: ({ body }) => assert.equal(body.totalResults, USERS) });
  costs("totals of groups", ["GET", "/Groups?count=0"], { read: 1, check: ({ body }) => assert.equal(body.totalResults, GROUPS.length) });
  // No index: this tenant's users are read, for the total and for the page, and nobody else's.
  costs("Users by nickName, which no index has", ["GET", filter("Users", 'nickName eq "nick-77"')], { read: 2 * USERS + 6, check: found(1) });
});

describe("changing a user", () => {
  let changed;
  costs("create", ["POST", "/Users", user("new@example.com", { ...facts(USERS), userName: "new@example.com" })], { status: 201, read: 12, check: ({ body }) => (changed = body.id) });
  costs("create with a name that is taken", ["POST", "/Users", user(facts(1).userName)], { status: 409, trips: 2, read: 12 });
  costs("create without anything but a name", ["POST", "/Users", user("bare@example.com")], { status: 201, read: 12 });
  for (const [what, number] of [["in no group", ALONE + 1], ["in one group", 4_001]]) {
    costs(`PATCH active, ${what}`, ["PATCH", `/Users/${userId(number)}`, patch({ op: "replace", path: "active", value: false })], { trips: 2, read: 12 });
    costs(`PUT, e-mails changed, ${what}`, ["PUT", `/Users/${userId(number)}`, user(facts(number).userName, { emails: [{ value: `moved-${number}@example.com`, type: "work" }] })], { trips: 2, read: 12 });
  }
  costs("PATCH that changes nothing", ["PATCH", `/Users/${userId(1)}`, patch({ op: "replace", path: "active", value: true })], { trips: 2, read: 12 + 3 });
  costs("PATCH a user who is not there", ["PATCH", `/Users/${userId(USERS)}`, patch({ op: "replace", path: "active", value: true })], { status: 404, trips: 2, read: 12 });
  costs("DELETE a user in no group", ["DELETE", () => `/Users/${changed}`], { status: 204, read: 12 });
  costs("DELETE a user in 3 groups", ["DELETE", `/Users/${userId(9)}`], { status: 204, read: 12 + 2 * 3 });
});

describe("changing a group's members", () => {
  // Those in no group join; those in the middle of the group leave.
  for (const [number, size] of SIZES.entries()) {
    const shown = size <= 500 ? size + 26 : 0;
    const status = size <= 500 ? 200 : 204;
    for (const count of [1, 25]) {
      const most = { status, trips: 2, read: 12 + 4 * count + shown, written: 12 + 4 * count };
      const those = ids(5_600 + count, count);
      costs(`+${count} in a group of ${size}`, ["PATCH", `/Groups/${groupId(number)}`, addMembers(those)], most);
      costs(`+${count} again, who are members`, ["PATCH", `/Groups/${groupId(number)}`, addMembers(those)], most);
      costs(`−${count} by filters, group of ${size}`, ["PATCH", `/Groups/${groupId(number)}`, removeMembers(those)], most);
      costs(`−${count} by filters, who are none`, ["PATCH", `/Groups/${groupId(number)}`, removeMembers(those)], most);
    }
    const most = { status, trips: 2, read: 12 + 4 * 5 + shown, written: 12 + 4 * 5 };
    costs(`−5 by values, group of ${size}`, ["PATCH", `/Groups/${groupId(number)}`, patch({ op: "Remove", path: "members", value: ids(3, 5).map((value) => ({ value, $ref: null })) })], most);
    costs(`rename a group of ${size}`, ["PATCH", `/Groups/${groupId(number)}?excludedAttributes=members`, patch({ op: "replace", path: "displayName", value: `Renamed ${size}` })], { trips: 2, read: 12, written: 12 });
  }
  costs("create a group with 25 members", ["POST", "/Groups", group("Twenty-five", ids(5_700, 25))], { status: 201, read: 12 + 4 * 25, written: 12 + 4 * 25 });
  costs("create a group without members", ["POST", "/Groups", group("Nobody")], { status: 201, read: 12, written: 12 });
  costs("DELETE a group of about 1,000", ["DELETE", `/Groups/${groupId(1)}`], { status: 204, read: 12 + 2 * 1_000 });
});

/** Where a tenant has groups in groups, a user's own groups are read twice, to look above them, and each group above costs a look on. */
const nested = (groups) => groups.reduce((sum, { type }) => sum + (type === "direct" ? 2 : 4), 2);

describe("where groups are in groups", () => {
  before(async () => {
    const reply = await scim.request("POST", "/Groups?excludedAttributes=members", { body: group("Outer", [groupId(0)]) });
    assert.equal(reply.status, 201, reply.text);
  });
  costs("GET a user, nested tenant, 1 group above", ["GET", `/Users/${userId(1)}`], {
    read: ({ body }) => 6 + nested(body.groups),
    check: ({ body }) => assert.deepEqual(body.groups.map(({ type }) => type).sort(), ["direct", "direct", "indirect"]),
  });
  costs("page of 100, nested tenant", ["GET", "/Users?startIndex=101&count=100"], {
    read: ({ body }) => 2 * 100 + body.Resources.reduce((sum, { groups = [] }) => sum + nested(groups), 0) + 1 + 1 + 100, // the total, whether there are any, and the offset
  });
  costs("Users by groups.value, nested", ["GET", filter("Users", `groups.value eq "${groupId(0)}"`, "&excludedAttributes=groups")], { read: perMatch });
});

function print() {
  const widths = [62, 11, 14, 12];
  const line = (cells) => `| ${cells.map((cell, index) => String(cell).padEnd(widths[index])).join(" | ")} |`;
  const rows = table.map(([name, trips, mayTrips, read, mayRead, written, mayWritten]) => {
    const over = trips > mayTrips || read > mayRead || written > mayWritten ? "OVER: " : "";
    return line([`${over}${name}`, `${trips} of ${mayTrips}`, `${read} of ${mayRead}`, mayWritten === Infinity ? written : `${written} of ${mayWritten}`]);
  });
  console.log([line(["operation", "round trips", "rows read", "rows written"]), line(widths.map((width) => "-".repeat(width))), ...rows].join("\n"));
}
