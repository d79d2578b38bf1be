// What a tenant's own schemas cost at D1, by D1's own count, beside a tenant that has none; and what is found by an attribute that resources are
// looked up by. The table is printed at the end.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { patch, user } from "./support/resources.mjs";
import { startWorld } from "./support/world.mjs";

const urn = (number) => `urn:ietf:params:scim:schemas:extension:Own${number}:2.0:User`;
const ACME = urn(0);
const PEOPLE = 300;
const schema = (number) => ({
  id: urn(number),
  name: `Own ${number}`,
  resource_type: "User",
  attributes: [
    { name: "badge", caseExact: true, lookup: number === 0 },
    ...Array.from({ length: 9 }, (_, index) => ({ name: `text${index}` })),
    { name: "level", type: "integer" },
    { name: "desks", type: "complex", multiValued: true, subAttributes: [{ name: "value" }, { name: "type" }] },
  ],
});

let world;
const tenants = {};
const table = [];

before(async () => {
  world = await startWorld();
  for (const [name, count] of [["none", 0], ["ten", 10]]) {
    const scim = await world.tenant();
    for (let number = 0; number < count; number++) assert.equal((await world.admin("POST", `/tenants/${scim.id}/schemas`, schema(number))).status, 201);
    const Operations = Array.from({ length: PEOPLE }, (_, index) => ({ method: "POST", path: "/Users", bulkId: `${index}`, data: { ...user(`person${index}@example.com`), ...(count ? { [ACME]: { badge: `B${index}` } } : {}) } }));
    const made = await scim.request("POST", "/Bulk", { body: { schemas: ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], Operations } });
    assert.ok(made.body.Operations.every(({ status }) => status === "201"), made.text.slice(0, 300));
    tenants[name] = { scim, ids: made.body.Operations.map(({ location }) => location.split("/").at(-1)) };
  }
});
after(async () => {
  await world?.stop();
  console.log(table.map((row) => row.join(" | ")).join("\n"));
});

/** What an operation costs in both, as `{ trips, read, written }`: the same, where nothing of the tenant's own is in it. */
async function inBoth(name, request) {
  const costs = [];
  for (const { scim, ids } of [tenants.none, tenants.ten]) {
    const [method, path, body, status] = request(ids);
    const reply = await scim.request(method, path, { body });
    assert.equal(reply.status, status, reply.text.slice(0, 300));
    costs.push(reply.cost);
  }
  const [none, ten] = costs;
  table.push([name, ...costs.map(({ trips, read, written }) => `${trips} trips, ${read} read, ${written} written`)]);
  assert.ok(ten.read > 0);
  assert.deepEqual([ten.trips, ten.written], [none.trips, none.written], name);
  // The end of what an index has for a tenant is seen at the next one's row, where there is one.
  assert.ok(Math.abs(ten.read - none.read) <= 1, `${name}: ${none.read} and ${ten.read} rows`);
}

describe("a tenant's own schemas", () => {
  test("cost nothing where nothing of them is asked for", async () => {
    await inBoth("create", () => ["POST", "/Users", user("new@example.com"), 201]);
    await inBoth("GET a user", (ids) => ["GET", `/Users/${ids[7]}`, undefined, 200]);
    await inBoth("PATCH active", (ids) => ["PATCH", `/Users/${ids[8]}`, patch({ op: "replace", path: "active", value: false }), 200]);
    await inBoth("list by userName", () => ["GET", "/Users?filter=userName%20eq%20%22person9@example.com%22", undefined, 200]);
    await inBoth("a page of 100", () => ["GET", "/Users?count=100", undefined, 200]);
  });

  test("are written in the round trip that writes the resource, and a value to look up by takes a row", async () => {
    const { scim, ids } = tenants.ten;
    const values = Object.fromEntries(Array.from({ length: 10 }, (_, number) => [urn(number), { text0: "x", level: number, desks: [{ value: "1", type: "work" }] }]));
    const plain = await scim.request("POST", "/Users", { body: user("plain@example.com") });
    const made = await scim.request("POST", "/Users", { body: { ...user("own@example.com"), ...values } });
    assert.equal(made.status, 201);
    assert.deepEqual(made.cost, plain.cost);
    const looked = await scim.request("POST", "/Users", { body: { ...user("looked@example.com"), [ACME]: { badge: "looked" } } });
    table.push(["create, with a value to look up by", "", `${looked.cost.trips} trips, ${looked.cost.read} read, ${looked.cost.written} written`]);
    assert.equal(looked.cost.trips, 1);
    assert.ok(looked.cost.read <= 12 + 2, `${looked.cost.read} rows`);
    const level = await scim.request("PATCH", `/Users/${ids[20]}`, { body: patch({ op: "add", path: `${ACME}:level`, value: 3 }) });
    table.push(["PATCH an own attribute", "", `${level.cost.trips} trips, ${level.cost.read} read, ${level.cost.written} written`]);
    assert.ok(level.cost.trips <= 2 && level.cost.read <= 14 + 4, JSON.stringify(level.cost));
  });

  test("are learned by many requests at once, and every one of them is kept", async (t) => {
    const scim = await world.tenant();
    const at = (number) => `urn:ietf:params:scim:schemas:extension:Learned${number % 3}:2.0:User`;
    const started = performance.now();
    const made = await Promise.all(Array.from({ length: 16 }, (_, number) => scim.request("POST", "/Users", { body: { ...user(`learner${number}@example.com`), [at(number)]: { [`attribute${number}`]: number } } })));
    assert.deepEqual(made.map(({ status }) => status), made.map(() => 201), made.map(({ text }) => text).join("\n").slice(0, 500));
    t.diagnostic(`16 requests that learn at once: ${Math.round(performance.now() - started)} ms`);
    for (const [number, { body }] of made.entries()) {
      const read = await scim.request("GET", `/Users/${body.id}`);
      assert.equal(read.body[at(number)][`attribute${number}`], number);
    }
  });

  test("what resources are looked up by finds them in six rows a match", async () => {
    const { scim } = tenants.ten;
    const of = (text) => scim.request("GET", `/Users?filter=${encodeURIComponent(text)}`);
    for (const [text, count] of [
      [`${ACME}:badge eq "B17"`, 1],
      [`${ACME}:badge eq "b17"`, 0],
      [`${ACME}:badge eq "B17" and active eq true`, 1],
    ]) {
      const found = await of(text);
      assert.equal(found.body.totalResults, count, `${text}: ${found.text.slice(0, 300)}`);
      table.push([text, "", `${found.cost.trips} trips, ${found.cost.read} read, ${found.cost.written} written`]);
      assert.equal(found.cost.trips, 1);
      assert.ok(found.cost.read <= 6 * Math.max(1, count) + 2, `${text}: ${found.cost.read} rows`);
    }
    // What nobody declared so looks through the tenant, and through nobody else.
    const scan = await of(`${ACME}:text3 eq "nothing"`);
    assert.equal(scan.body.totalResults, 0);
    assert.ok(scan.cost.read >= PEOPLE && scan.cost.read <= 4 * PEOPLE, `${scan.cost.read} rows`);
  });
});
