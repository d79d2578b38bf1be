// What each operation costs at D1, by D1's own count (the Server-Timing header), against what the design allows. The table of all
// figures is printed at the end. scale.mjs says how large the directory is.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { cursorAfter } from "./support/cursors.mjs";
import { populatedWorld } from "./support/populated_world.mjs";
import { facts, groupId, padded, userId } from "./support/population.mjs";
import { ENTERPRISE, addMembers, group, patch, removeMembers, user } from "./support/resources.mjs";
import { ALONE, EMPTY_GROUPS, MEMBERS, SIZES, USERS } from "./support/scale.mjs";

/** Checking the credential and the tenant's settings is on top of every operation's own rows. */
const AUTHENTICATION = 2;

let world, scim, end;
const table = [];
const ids = (from, count) => Array.from({ length: count }, (_, index) => userId(from + index));

before(async () => {
  ({ world, scim, end } = await populatedWorld());
  assert.equal((await scim.request("GET", "/Users?count=0")).status, 200);
});
after(async () => {
  await end?.();
  print();
});

/** Sends a request and holds its cost; what is allowed may depend on the reply. The design limits rows written for members alone. */
function costs(name, [method, path, body, headers], { status = 200, trips = 1, check = () => {}, ...allowed }) {
  test(name, async () => {
    const sent = { body: typeof body === "function" ? body() : body, headers };
    const started = performance.now();
    const reply = await scim.request(method, typeof path === "function" ? path() : path, sent);
    const took = Math.round(performance.now() - started);
    const limit = (value) => (typeof value === "function" ? value(reply) : value);
    assert.equal(reply.status, status, reply.text.slice(0, 500));
    check(reply);
    // Each batch checks the credential, so that one that dies in between writes nothing.
    const read = limit(allowed.read) + AUTHENTICATION * reply.cost.trips;
    const written = limit(allowed.written ?? (method === "GET" ? 0 : Infinity));
    table.push([name, reply.cost.trips, trips, reply.cost.read, read, reply.cost.written, written, took]);
    assert.ok(reply.cost.read > 0, "D1 counted nothing: the credential alone is read");
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
  costs("GET a user in 3 groups", ["GET", `/Users/${userId(3)}`], { read: 6 + 2 * 3, check: ({ body }) => assert.equal(body.groups.length, 3) });
  costs("GET a user in 3 groups, without them", ["GET", `/Users/${userId(3)}?excludedAttributes=groups`], { read: 6 });
  costs("GET a user who is not there", ["GET", `/Users/${userId(USERS)}`], { status: 404, read: 6 });
  for (const [number, size] of SIZES.entries()) {
    costs(`GET a group of ${size} without members`, ["GET", `/Groups/${groupId(number)}?excludedAttributes=members`], { read: 6 });
    // A row for each member and one for the name. Those of a large group come in parts, in a round trip of their own, and are sorted into them.
    const large = size > 5_000;
    costs(`GET a group of ${size}`, ["GET", `/Groups/${groupId(number)}`], { trips: large ? 2 : 1, read: 6 + size * (large ? 3 : 2), check: ({ body }) => assert.equal(body.members.length, size) });
  }
});

describe("lists by an index", () => {
  const someone = facts(ALONE);
  const member = facts(2_000);
  const manager = Math.floor(ALONE / 10);
  // A hundred who are in no group.
  const hundred = padded(Math.floor(ALONE / 100)).slice(2);
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
    [`${ENTERPRISE}:manager eq "${userId(manager)}"`, 10],
    [`${ENTERPRISE}:manager.value eq "${userId(manager)}"`, 10],
    [`groups.value eq "${groupId(0)}"`, 10],
    [`userName sw "user-${hundred}"`, 100],
    [`displayName sw "Person ${hundred}"`, 100],
    [`active eq true and userName eq "${facts(ALONE + 1).userName}"`, 1],
    [`id eq "${userId(3)}" and groups.value eq "${groupId(2)}"`, 1],
  ]) {
    costs(`Users by ${text.replaceAll(`${ENTERPRISE}:`, "…:").replaceAll(/-[0-9a-f]{4}-7000-8000-/g, "…")}`, ["GET", filter("Users", text)], { read: (reply) => perMatch(reply) + Math.max(0, 2 * memberships(reply) - reply.body.Resources.length), check: found(count) });
  }
  // More than a page: they are counted in a round trip of its own.
  costs(`Users by groups.value, the group of ${MEMBERS}`, ["GET", filter("Users", `groups.value eq "${groupId(2)}"`)], { trips: 2, read: (reply) => 6 * MEMBERS + 2 * memberships(reply), check: found(MEMBERS) });
  // `active` is no index: what the other condition finds is looked at.
  costs("Users by active eq false and userName sw, 10 of 100", ["GET", filter("Users", `active eq false and userName sw "user-${hundred}"`)], { read: 6 * 100, check: found(10) });
  costs("Users by meta.lastModified gt, the latest 50", ["GET", () => filter("Users", `meta.lastModified gt "${lastModified}"`)], { read: perMatch, check: found(50) });
  costs("Users by meta.lastModified gt together with active eq true", ["GET", () => filter("Users", `meta.lastModified gt "${lastModified}" and active eq true`)], { read: 6 * 50, check: found(45) });
  costs("Groups by displayName", ["GET", filter("Groups", `displayName eq "group of ${MEMBERS}"`, "&excludedAttributes=members")], { read: perMatch, check: found(1) });
  costs("Groups by displayName sw", ["GET", filter("Groups", `displayName sw "group of ${String(MEMBERS).slice(0, -1)}"`, "&excludedAttributes=members")], { read: perMatch });
  costs("Groups by members.value", ["GET", filter("Groups", `members.value eq "${userId(2_000)}"`, "&excludedAttributes=members")], { read: perMatch, check: found(1) });
  costs("Groups by members eq", ["GET", filter("Groups", `members eq "${userId(3)}"`, "&excludedAttributes=members")], { read: perMatch, check: found(3) });
  costs("Groups by id and members.value, as Entra asks", ["GET", filter("Groups", `id eq "${groupId(2)}" and members.value eq "${userId(MEMBERS - 1)}"`, "&excludedAttributes=members")], { read: perMatch, check: found(1) });

  let lastModified;
  before(async () => {
    const row = await world.row("select modified_at from users where tenant_id = ?1 and id = ?2", scim.id, userId(USERS - 51));
    lastModified = new Date(row.modified_at).toISOString();
  });
});

describe("pages, totals and scans", () => {
  // Two for each row, one for each membership and one for its name, and the tenant's counter.
  const page = (reply) => 2 * Math.max(1, reply.body.Resources.length) + 2 * memberships(reply) + 1;
  const search = (more) => ({ schemas: ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], ...more });
  const [middle, late] = [USERS / 2, USERS - 200].map(Math.floor);
  // Names and ids are in the same order, so the place of a page is a number.
  const cursor = (at, sortBy) => cursorAfter(scim, { id: userId(at - 1), sortBy, sortKey: sortBy && facts(at - 1).userName, count: 100, total: USERS });
  let second;
  before(async () => (second = (await scim.request("GET", "/Users?count=100&sortBy=userName&cursor=")).body.nextCursor));
  const pageAt = (at) => ({ body }) => {
    assert.deepEqual(body.Resources.map(({ id }) => id), ids(at, 100));
    assert.equal(body.totalResults, USERS);
  };
  const full = (reply) => assert.deepEqual([reply.body.totalResults, reply.body.Resources.length], [USERS, 100]);
  costs("page of 100 at the start", ["GET", "/Users?startIndex=1&count=100"], { read: page, check: full });
  costs("page of 100 at the start, without groups", ["GET", "/Users?count=100&excludedAttributes=groups"], { read: page, check: full });
  for (const [where, at] of [["in the middle", middle], ["near the end, in no group", late]]) {
    costs(`page of 100 ${where}`, ["GET", `/Users?startIndex=${at + 1}&count=100`], { read: (reply) => page(reply) + at, check: pageAt(at) });
  }
  costs("page of 100 beyond the end", ["GET", `/Users?startIndex=${USERS + 1}&count=100`], { read: (reply) => page(reply) + USERS });
  costs("page of 100 by userName, at the start", ["GET", "/Users?count=100&sortBy=userName"], { read: page, check: full });
  // By cursor a page costs the same wherever it lies. One user more, who is in 3 groups at most, tells whether there is a next page.
  const lookahead = (reply) => page(reply) + 2 + 2 * 3;
  costs("page of 100 by cursor, the first", ["GET", "/Users?count=100&cursor="], { read: lookahead, check: pageAt(0) });
  costs("page of 100 by cursor and userName, the second", ["GET", () => `/Users?count=100&sortBy=userName&cursor=${second}`], { read: lookahead, check: pageAt(100) });
  for (const [where, at] of [["in the middle", middle], ["near the end", late]]) {
    costs(`page of 100 by cursor, ${where}`, ["GET", () => `/Users?count=100&cursor=${cursor(at)}`], { read: lookahead, check: pageAt(at) });
    costs(`page of 100 by cursor and userName, ${where}`, ["GET", () => `/Users?count=100&sortBy=userName&cursor=${cursor(at, "userName")}`], { read: lookahead, check: pageAt(at) });
  }
  costs("POST /Users/.search by cursor, near the end", ["POST", "/Users/.search", () => search({ count: 100, cursor: cursor(late) })], { read: lookahead, written: 0, check: pageAt(late) });
  costs("POST /Users/.search by userName", ["POST", "/Users/.search", search({ filter: `userName eq "${facts(ALONE).userName}"` })], { read: perMatch, written: 0, check: found(1) });
  costs("POST /.search of both types by id", ["POST", "/.search", search({ filter: `id eq "${userId(ALONE)}"` })], { read: (reply) => 2 * perMatch(reply), written: 0, check: found(1) });
  costs("totals of users", ["GET", "/Users?count=0"], { read: 1, check: ({ body }) => assert.equal(body.totalResults, USERS) });
  costs("totals of groups", ["GET", "/Groups?count=0"], { read: 1, check: ({ body }) => assert.equal(body.totalResults, SIZES.length + EMPTY_GROUPS) });
  costs("page of 100 by displayName, which may be missing", ["GET", "/Users?count=100&sortBy=displayName"], { read: (reply) => page(reply) + 2 * USERS, check: full });
  // No index: this tenant's users are read, for the total and for the page, and nobody else's; and the name of the one user's group.
  costs("Users by nickName, which no index has", ["GET", filter("Users", 'nickName eq "nick-77"')], { read: 2 * USERS + 6 + 1, check: found(1) });
});

describe("a group too large for one value of the database", () => {
  const size = 5_001;
  let large;
  costs(`create a group of ${size}`, ["POST", "/Groups?excludedAttributes=members", () => group("Large", ids(0, size))], { status: 201, read: 12 + 4 * size, written: 12 + 4 * size, check: ({ body }) => (large = body.id) });
  // It is sent in parts, each once it is made.
  costs(`GET a group of ${size}`, ["GET", () => `/Groups/${large}`], { trips: 2, read: 6 + 3 * size, check: ({ body }) => assert.deepEqual(body.members.map(({ value }) => value).sort(), ids(0, size)) });
  costs(`list a group of ${size}`, ["GET", filter("Groups", 'displayName eq "Large"')], { trips: 2, read: 6 + 3 * size, check: ({ body }) => assert.equal(body.Resources[0].members.length, size) });
  costs(`PATCH a group of ${size}, shown`, ["PATCH", () => `/Groups/${large}`, patch({ op: "replace", path: "displayName", value: "Larger" }), { prefer: "return=representation" }], { trips: 2, read: 12 + 3 * size, written: 12, check: ({ body }) => assert.equal(body.members.length, size) });
  costs(`DELETE a group of ${size}`, ["DELETE", () => `/Groups/${large}`], { status: 204, read: 12 + 2 * size });
});

describe("changing a user", () => {
  let changed;
  costs("create", ["POST", "/Users", user("new@example.com", { ...facts(USERS), userName: "new@example.com" })], { status: 201, read: 12, check: ({ body }) => (changed = body.id) });
  costs("create with a name that is taken", ["POST", "/Users", user(facts(1).userName)], { status: 409, trips: 2, read: 12 });
  costs("create without anything but a name", ["POST", "/Users", user("bare@example.com")], { status: 201, read: 12 });
  const active = (value) => patch({ op: "replace", path: "active", value });
  const moved = (number, to) => user(facts(number).userName, { emails: [{ value: `moved-${number}@example.com`, type: to }] });
  // In one round trip those whom the instance has shown or written lately, by a look-up too; anybody else in two.
  for (const [what, number, named] of [["in no group", ALONE + 111, 0], ["in one group", MEMBERS - 999, 1]]) {
    const [path, another] = [`/Users/${userId(number)}`, `/Users/${userId(number + 1)}`];
    const [known, unknown] = [{ read: 12 + named }, { trips: 2, read: 12 + named }];
    costs(`PATCH active, ${what}`, ["PATCH", path, active(false)], unknown);
    costs(`PATCH active, ${what}, written before`, ["PATCH", path, active(true)], known);
    costs(`PUT, e-mails changed, ${what}`, ["PUT", another, moved(number + 1, "work")], unknown);
    costs(`PUT, e-mails changed, ${what}, written before`, ["PUT", another, moved(number + 1, "home")], known);
    for (const [at, attribute] of ["userName", "externalId"].entries()) {
      const [patched, replaced] = [number + 2 + 2 * at, number + 3 + 2 * at];
      const lookUp = (wanted) => ["GET", filter("Users", `${attribute} eq "${facts(wanted)[attribute]}"`)];
      const seen = { read: (reply) => perMatch(reply) + named, check: found(1) };
      costs(`look-up by ${attribute}, ${what}`, lookUp(patched), seen);
      costs(`PATCH active, ${what}, looked up by ${attribute}`, ["PATCH", `/Users/${userId(patched)}`, active(false)], known);
      costs(`another look-up by ${attribute}, ${what}`, lookUp(replaced), seen);
      costs(`PUT, e-mails changed, ${what}, looked up by ${attribute}`, ["PUT", `/Users/${userId(replaced)}`, moved(replaced, "work")], known);
    }
    const shown = `/Users/${userId(number + 6)}`;
    costs(`GET a user ${what}, to be changed`, ["GET", shown], { read: 6 + 2 * named });
    costs(`PATCH active, ${what}, shown before`, ["PATCH", shown, active(false)], known);
  }
  costs("PATCH a user made just now", ["PATCH", () => `/Users/${changed}`, patch({ op: "replace", path: "displayName", value: "Newer" })], { read: 12 });
  costs("PATCH that changes nothing", ["PATCH", `/Users/${userId(1)}`, active(true)], { read: 12 + 2 * 3 });
  costs("PATCH a user who is not there", ["PATCH", `/Users/${userId(USERS)}`, active(true)], { status: 404, read: 12 });
  // In which groups they were is kept for their history: that is read once more, to the end of it. The name that they were shown under goes too.
  const history = (groups) => groups + 2 + 1;
  costs("DELETE a user in no group", ["DELETE", () => `/Users/${changed}`], { status: 204, read: 12 });
  costs("DELETE a user in 3 groups", ["DELETE", `/Users/${userId(9)}`], { status: 204, read: 12 + 2 * 3 + history(3) });
  costs(`DELETE a user in the group of ${MEMBERS}`, ["DELETE", `/Users/${userId(MEMBERS - 500)}`], { status: 204, read: 12 + 2 + history(1) });
  const made = (number) => ({ method: "POST", bulkId: `made-${number}`, path: "/Users", data: user(`made-${number}@example.com`, { emails: [{ value: `made-${number}@example.com` }] }) });
  const bulk = { schemas: ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], Operations: Array.from({ length: 1_000 }, (_, number) => made(number)) };
  costs("POST /Bulk of 1,000 new users", ["POST", "/Bulk", bulk], { read: 12 * 1_000, check: ({ body }) => assert.ok(body.Operations.every(({ status }) => status === "201")) });
});

describe("changing a group's members", () => {
  // Those in no group join; those in the middle of the group leave.
  for (const [number, size] of SIZES.entries()) {
    // Of a small group the reply shows the members: a row for each, and one for the name.
    const shown = ({ body }) => 2 * (body?.members.length ?? 0);
    const status = size <= 500 ? 200 : 204;
    for (const count of [1, 25]) {
      const most = { status, read: (reply) => 12 + 4 * count + shown(reply), written: 12 + 4 * count };
      // Where somebody is what they are to be already, or is none who could go, that is found out first.
      const idle = { ...most, trips: 2, written: 0 };
      const those = ids(ALONE + 100 + count, count);
      costs(`+${count} in a group of ${size}`, ["PATCH", `/Groups/${groupId(number)}`, addMembers(those)], most);
      costs(`+${count} again, who are members`, ["PATCH", `/Groups/${groupId(number)}`, addMembers(those)], idle);
      costs(`−${count} by filters, group of ${size}`, ["PATCH", `/Groups/${groupId(number)}`, removeMembers(those)], most);
      costs(`−${count} by filters, who are none`, ["PATCH", `/Groups/${groupId(number)}`, removeMembers(those)], idle);
    }
    const most = { status, read: (reply) => 12 + 4 * 5 + shown(reply), written: 12 + 4 * 5 };
    costs(`−5 by values, group of ${size}`, ["PATCH", `/Groups/${groupId(number)}`, patch({ op: "Remove", path: "members", value: ids(3, 5).map((value) => ({ value, $ref: null })) })], most);
    costs(`rename a group of ${size}`, ["PATCH", `/Groups/${groupId(number)}?excludedAttributes=members`, patch({ op: "replace", path: "displayName", value: `Renamed ${size}` })], { read: 12, written: 12 });
  }
  const empty = SIZES.length + 3;
  costs("look-up of a group by displayName", ["GET", filter("Groups", `displayName eq "Empty ${empty}"`, "&excludedAttributes=members")], { read: perMatch, check: found(1) });
  costs("rename a group, looked up", ["PATCH", `/Groups/${groupId(empty)}?excludedAttributes=members`, patch({ op: "replace", path: "displayName", value: "Renamed" })], { read: 12, written: 12 });
  costs("rename a group, neither shown nor written before", ["PATCH", `/Groups/${groupId(empty + 1)}?excludedAttributes=members`, patch({ op: "replace", path: "displayName", value: "Other" })], { trips: 2, read: 12, written: 12 });
  costs("create a group with 25 members", ["POST", "/Groups", group("Twenty-five", ids(ALONE + 200, 25))], { status: 201, read: 12 + 4 * 25, written: 12 + 4 * 25 });
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
    read: ({ body }) => 6 + nested(body.groups) + body.groups.length,
    check: ({ body }) => assert.deepEqual(body.groups.map(({ type }) => type).sort(), ["direct", "direct", "indirect"]),
  });
  costs("page of 100, nested tenant", ["GET", "/Users?startIndex=101&count=100"], {
    read: ({ body }) => 2 * 100 + body.Resources.reduce((sum, { groups = [] }) => sum + nested(groups) + groups.length, 0) + 1 + 1 + 100, // the total, whether there are any, and the offset
  });
  costs("Users by groups.value, nested", ["GET", filter("Users", `groups.value eq "${groupId(0)}"`, "&excludedAttributes=groups")], { read: perMatch });
  costs(`DELETE the group of ${MEMBERS}`, ["DELETE", `/Groups/${groupId(2)}`], { status: 204, read: 12 + 2 * MEMBERS });
});

describe("where no history is kept", () => {
  before(async () => {
    const reply = await world.admin("PATCH", `/tenants/${scim.id}`, { history_days: 0 });
    assert.equal(reply.status, 200, reply.text);
  });
  costs("DELETE a user in 3 groups, no history", ["DELETE", `/Users/${userId(8)}`], { status: 204, read: 12 + 2 * 3 });
  costs("PATCH displayName, no history", ["PATCH", `/Users/${userId(ALONE + 130)}`, patch({ op: "replace", path: "displayName", value: "Other" })], { trips: 2, read: 12 });
});

describe("where the fuse has to know of how many", () => {
  let some;
  before(async () => {
    some = (await scim.request("POST", "/Groups", { body: group("Some", ids(ALONE + 300, 25)) })).body.id;
    const reply = await world.admin("PATCH", `/tenants/${scim.id}`, { removal_fuse: { percent: 100, at_least: 0, minutes: 60 } });
    assert.equal(reply.status, 200, reply.text);
  });
  // Memberships are a sum over all groups, taken once in the while that the fuse counts.
  const groups = SIZES.length + EMPTY_GROUPS + 10;
  costs("−5 of a group, the first", ["PATCH", () => `/Groups/${some}?excludedAttributes=members`, removeMembers(ids(ALONE + 300, 5))], { read: 12 + 4 * 5 + groups });
  costs("−3 of a group, more", ["PATCH", () => `/Groups/${some}?excludedAttributes=members`, removeMembers(ids(ALONE + 305, 3))], { read: 12 + 4 * 3 });
});

function print() {
  const widths = [62, 11, 18, 12, 6];
  const line = (cells) => `| ${cells.map((cell, index) => String(cell).padEnd(widths[index])).join(" | ")} |`;
  const rows = table.map(([name, trips, mayTrips, read, mayRead, written, mayWritten, took]) => {
    const over = trips > mayTrips || read > mayRead || written > mayWritten ? "OVER: " : "";
    return line([`${over}${name}`, `${trips} of ${mayTrips}`, `${read} of ${mayRead}`, mayWritten === Infinity ? written : `${written} of ${mayWritten}`, took]);
  });
  console.log([line(["operation", "round trips", "rows read", "rows written", "ms"]), line(widths.map((width) => "-".repeat(width))), ...rows].join("\n"));
}
