// The worlds of these tests themselves: one with several databases has them bound to both workers and migrated, each by itself; one without has one.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { user } from "./support/resources.mjs";
import { JOBS, migrations, startWorld } from "./support/world.mjs";

const worlds = [];
const world = async (options) => {
  const started = await startWorld(options);
  worlds.push(started);
  return started;
};
after(() => Promise.all(worlds.map((started) => started.stop())));

test("a world with more databases has them in both workers, each with its own rows", { timeout: 60_000 }, async () => {
  const several = await world({ databases: ["eu:jurisdiction=eu", "apac:location=apac"] });
  assert.deepEqual(Object.keys(several.databases), ["main", "eu", "apac"]);
  for (const worker of ["worker-0", JOBS]) {
    const bindings = await several.mf.getBindings(worker);
    assert.equal(bindings.DATABASES, "eu:jurisdiction=eu apac:location=apac", worker);
    for (const name of ["DB", "DB_EU", "DB_APAC"]) assert.equal((await bindings[name].prepare("select count(*) as n from tenants").first()).n, 0, `${worker} ${name}`);
  }
  const tables = "select count(*) as n from sqlite_master where type = 'table' and name not like '\\_%' escape '\\'";
  const counts = await Promise.all(Object.keys(several.databases).map(async (name) => (await several.rowsIn(name, tables))[0].n));
  assert.ok(counts[0] > 20 && new Set(counts).size === 1, String(counts));

  const where = (tenant) => Promise.all(Object.keys(several.databases).map(async (name) => (await several.rowsIn(name, "select id from tenants where id = ?", tenant.id)).length));
  assert.deepEqual(await where(await several.createTenant()), [1, 0, 0], "a tenant of which nothing else is said is in the first one");
  const tenant = await several.tenant({ database: "eu" });
  assert.deepEqual(await where(tenant), [0, 1, 0]);
  assert.equal((await tenant.request("POST", "/Users", { body: user("ada@example.com") })).status, 201);
  // The other worker finds it there too.
  const made = await several.admin("POST", "/identity-providers/", { tenant_id: tenant.id, name: "login", provider_type: "OIDC", oidc_config: { issuer: "https://login.example.com", client_id: "product" } });
  assert.equal(made.status, 201, made.text);
  for (const table of ["users", "identity_providers"]) assert.equal((await several.rowsIn("eu", `select id from ${table} where tenant_id = ?`, tenant.id)).length, 1, table);
});

test("a world has one database where nothing is said", { timeout: 60_000 }, async () => {
  const one = await world();
  const bindings = await one.mf.getBindings("worker-0");
  assert.deepEqual(Object.keys(bindings).filter((name) => /^(DB|DATABASES)/.test(name)), ["DB"]);
  assert.deepEqual(Object.keys(one.databases), ["main"]);
  assert.ok(migrations().length > 20);
});
