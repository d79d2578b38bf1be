// What several databases cost and change, by D1's own count: of the requests that identity providers send all day nothing, with one database or twenty.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { addMembers, group, patch, removeMembers, user } from "./support/resources.mjs";
import { startWorld } from "./support/world.mjs";

const MANY = Array.from({ length: 19 }, (_, index) => `d${index + 1}:location=${["weur", "enam", "apac"][index % 3]}`);

let one, twenty;
before(async () => ([one, twenty] = await Promise.all([startWorld(), startWorld({ databases: MANY })])));
after(() => Promise.all([one?.stop(), twenty?.stop()]));

/** What an identity provider does to a tenant, each with what it cost: the second time, when the instance knows where the tenant is. */
async function hotPath(world, options) {
  const scim = await world.tenant(options);
  const costs = {};
  const send = async (name, status, method, path, body) => {
    const reply = await scim.request(method, path, { body });
    assert.equal(reply.status, status, `${name}: ${reply.text}`);
    const { trips, read, written } = reply.cost;
    costs[name] = { trips, read, written };
    return reply.body;
  };
  for (const round of ["first", "second"]) {
    const { id } = await send("create a user", 201, "POST", "/Users", user(`${round}@example.com`));
    await send("GET a user", 200, "GET", `/Users/${id}`);
    await send("find by userName", 200, "GET", `/Users?filter=${encodeURIComponent(`userName eq "${round}@example.com"`)}`);
    await send("find nobody", 200, "GET", `/Users?filter=${encodeURIComponent('userName eq "nobody@example.com"')}`);
    await send("a page", 200, "GET", "/Users?count=10");
    await send("PATCH active", 200, "PATCH", `/Users/${id}`, patch({ op: "replace", path: "active", value: false }));
    await send("PUT", 200, "PUT", `/Users/${id}`, { ...user(`${round}@example.com`), nickName: round });
    const made = await send("create a group", 201, "POST", "/Groups", group(round));
    await send("add a member", 200, "PATCH", `/Groups/${made.id}`, addMembers([id]));
    await send("remove a member", 200, "PATCH", `/Groups/${made.id}`, removeMembers([id]));
    await send("delete a group", 204, "DELETE", `/Groups/${made.id}`);
    await send("delete a user", 204, "DELETE", `/Users/${id}`);
  }
  return costs;
}

describe("the hot path", () => {
  test("costs the same trips and rows with one database and with twenty, in the first one and in another", { timeout: 120_000 }, async (context) => {
    const alone = await hotPath(one, {});
    for (const database of ["main", "d1", "d19"]) assert.deepEqual(await hotPath(twenty, { database }), alone, database);
    for (const [name, { trips, read, written }] of Object.entries(alone)) context.diagnostic(`${name}: ${trips} trips, ${read} rows read, ${written} written`);
    for (const name of ["create a user", "GET a user", "find by userName", "a page", "add a member", "delete a user"]) assert.equal(alone[name].trips, 1, name);
  });
});

describe("a tenant in another database", () => {
  test("is found by its token alone, by its tokens' and providers' ids, and in the lists of all", { timeout: 60_000 }, async () => {
    const scim = await twenty.tenant({ location: "apac" });
    assert.equal((await scim.request("GET", "/Users", { base: "token" })).status, 200);
    const { data: tokens } = (await twenty.admin("GET", `/scim-tokens/?tenant_id=${scim.id}`)).body;
    assert.equal((await twenty.admin("GET", `/scim-tokens/${tokens[0].id}`)).body.data.tenant_id, scim.id);
    const { body } = await twenty.admin("GET", `/tenants/?search=${scim.id}`);
    assert.equal(body.data[0].database, scim.database);
    assert.equal(twenty.databases[scim.database] === undefined, false);
    assert.equal((await twenty.rowsIn(scim.database, "select id from tenants where id = ?", scim.id)).length, 1);
    const ids = [];
    for (let page = 1; ; page += 1) {
      const { data, pagination } = (await twenty.admin("GET", `/tenants/?per_page=2&page=${page}`)).body;
      ids.push(...data.map(({ id }) => id));
      if (page >= pagination.total_pages) {
        assert.equal(ids.length, pagination.total_items);
        break;
      }
    }
    assert.equal(new Set(ids).size, ids.length);
    assert.ok(ids.includes(scim.id));
  });

  test("has its due work done by the clock", { timeout: 60_000 }, async () => {
    const tenant = await twenty.createTenant({ database: "d5" });
    await twenty.databases.d5.prepare("update tenants set upkeep_at = 1 where id = ?").bind(tenant.id).run();
    assert.equal(await twenty.tick(), "ok");
    for (let attempt = 0; ; attempt += 1) {
      const [{ upkeep_at }] = await twenty.rowsIn("d5", "select upkeep_at from tenants where id = ?", tenant.id);
      if (upkeep_at > 1) break;
      assert.ok(attempt < 100, "the clock has not come there");
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  });
});

test("each database tells its size, by D1's own count, and how many tenants it has", { timeout: 60_000 }, async () => {
  const { data, pagination } = (await twenty.admin("GET", "/databases/?per_page=100")).body;
  assert.equal(pagination.total_items, 20);
  for (const database of data) {
    assert.equal(database.state, "open", database.name);
    assert.ok(database.bytes > 100_000, `${database.name} has ${database.bytes} bytes`);
    const [{ n }] = await twenty.rowsIn(database.name, "select count(*) as n from tenants where deleted_at is null");
    assert.equal(database.tenants, n, database.name);
  }
});

test("a database that lacks a migration is told of, and its tenants wait while others go on", { timeout: 60_000 }, async () => {
  const [here, there] = [await twenty.tenant({ database: "d2" }), await twenty.tenant({ database: "d3" })];
  const db = twenty.databases.d3;
  await db.prepare("create table d1_migrations (id integer primary key, name text, applied_at text)").run();
  await db.prepare("insert into d1_migrations (name) values ('0022_setup_links.sql')").run();
  await db.prepare("alter table users rename to users_elsewhere").run();
  const refused = await there.request("POST", "/Users", { body: user("late@example.com") });
  assert.equal(refused.status, 503, refused.text);
  assert.ok(Number(refused.headers["retry-after"]) > 0);
  assert.ok(twenty.output.includes("the database d3 is at the migration 0022_setup_links.sql"), "the log does not say which database");
  assert.equal((await here.request("POST", "/Users", { body: user("here@example.com") })).status, 201);
  await db.prepare("alter table users_elsewhere rename to users").run();
  assert.equal((await there.request("POST", "/Users", { body: user("late@example.com") })).status, 201);
});
