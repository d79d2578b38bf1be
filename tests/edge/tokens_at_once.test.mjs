// What an administrator does to a token or to its tenant holds at once, whatever KV says: each test puts the entry from before back into KV
// by hand, which is what another location of KV would still answer.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { contents } from "./support/consistency.mjs";
import { eventually } from "./support/eventually.mjs";
import { GROUP, PATCH, rename, user } from "./support/resources.mjs";
import { cacheKey, tokenInUse } from "./support/scim_token.mjs";
import { startWorld } from "./support/world.mjs";

const INVALID = 'Bearer error="invalid_token"';

let world;
before(async () => (world = await startWorld()));
after(() => world?.stop());
const inUse = (more) => tokenInUse(world, more);

/** The token is dead for reads and for writes while KV says it lives, on both bases, and nothing is written. */
async function assertDead({ tenant, minted, scim, id }, entry) {
  const was = await contents(world, tenant);
  const requests = [
    ["GET", "/Users"],
    ["GET", `/Users/${id}`],
    ["POST", "/Users", user("new@example.com")],
    ["PUT", `/Users/${id}`, user("put@example.com")],
    ["PATCH", `/Users/${id}`, rename("patched")],
    ["POST", "/Groups", { schemas: [GROUP], displayName: "New" }],
    ["DELETE", `/Users/${id}`],
  ];
  for (const base of ["tenant", "token"]) {
    for (const [method, path, body] of requests) {
      await world.kv.put(cacheKey(minted.token), entry);
      const reply = await scim.request(method, path, { base, body });
      assert.equal(reply.status, 401, `${method} ${path}: ${reply.text}`);
      assert.equal(reply.headers["www-authenticate"], INVALID);
    }
  }
  assert.equal(await contents(world, tenant), was, "a refused request wrote something");
}

describe("whatever KV says, a token dies at once", () => {
  const change = (token, body) => world.admin("PATCH", `/scim-tokens/${token.id}`, body);

  test("when it is revoked; it stays so, leaves KV, and a second time it is not there", async () => {
    const used = await inUse();
    assert.equal((await world.admin("DELETE", `/scim-tokens/${used.minted.id}`)).status, 204);
    await assertDead(used, used.entry);
    await eventually(async () => (await world.kv.get(cacheKey(used.minted.token))) === null, "the dead token to leave KV");
    assert.equal((await world.admin("DELETE", `/scim-tokens/${used.minted.id}`)).status, 404);
    assert.equal((await change(used.minted, { is_active: true })).status, 404);
    await assertDead(used, used.entry);
  });

  test("when it is paused, and lives again when it is resumed", async () => {
    const used = await inUse();
    assert.equal((await change(used.minted, { is_active: false })).status, 200);
    await assertDead(used, used.entry);
    assert.equal((await change(used.minted, { is_active: true })).status, 200);
    await world.kv.put(cacheKey(used.minted.token), used.entry);
    assert.equal((await used.scim.request("GET", "/Users")).status, 200);
    assert.equal((await used.scim.request("POST", "/Users", { body: user("resumed@example.com") })).status, 201);
  });

  test("when it expires", async () => {
    const used = await inUse({ expires_at: new Date(Date.now() + 1_500).toISOString() });
    await sleep(1_600);
    await assertDead(used, used.entry);
  });

  test("when it expires, also where KV knows of no expiry: D1 decides", async () => {
    const used = await inUse({ expires_at: new Date(Date.now() + 1_500).toISOString() });
    await sleep(1_600);
    await assertDead(used, JSON.stringify({ ...JSON.parse(used.entry), expires_at: null }));
  });

  test("when its expiry is moved forward", async () => {
    const used = await inUse();
    assert.equal((await change(used.minted, { expires_at: new Date(Date.now() + 300).toISOString() })).status, 200);
    await sleep(400);
    await assertDead(used, used.entry);
  });

  test("when it is rotated, and the new one works at once", async () => {
    const used = await inUse();
    const rotated = await world.admin("POST", `/scim-tokens/${used.minted.id}/rotate`);
    assert.equal(rotated.status, 201, rotated.text);
    await assertDead(used, used.entry);
    const renewed = world.scim(used.tenant, rotated.body.data.token);
    assert.equal((await renewed.request("GET", `/Users/${used.id}`)).status, 200);
    assert.equal((await renewed.request("POST", "/Users", { body: user("rotated@example.com") })).status, 201);
  });

  test("when the overlap of its rotation is over, and not before", async () => {
    const used = await inUse();
    const rotated = await world.admin("POST", `/scim-tokens/${used.minted.id}/rotate`, { overlap_seconds: 2 });
    assert.equal(rotated.status, 201, rotated.text);
    await world.kv.put(cacheKey(used.minted.token), used.entry);
    assert.equal((await used.scim.request("GET", "/Users")).status, 200);
    await sleep(2_100);
    await assertDead(used, used.entry);
    assert.equal((await world.scim(used.tenant, rotated.body.data.token).request("GET", "/Users")).status, 200);
  });

  test("when its tenant is deleted", async () => {
    const used = await inUse();
    assert.equal((await world.admin("DELETE", `/tenants/${used.tenant.id}`)).status, 204);
    await assertDead(used, used.entry);
  });
});

describe("whatever KV says, settings hold at once", () => {
  test("scopes that were taken away are gone, for reads and for writes", async () => {
    const used = await inUse();
    const reply = await world.admin("PATCH", `/scim-tokens/${used.minted.id}`, { scopes: ["groups:read"] });
    assert.equal(reply.status, 200, reply.text);
    const was = await contents(world, used.tenant);
    for (const [method, path, body] of [["GET", "/Users"], ["POST", "/Users", user("x@example.com")], ["DELETE", `/Users/${used.id}`]]) {
      await world.kv.put(cacheKey(used.minted.token), used.entry);
      assert.equal((await used.scim.request(method, path, { body })).status, 403, `${method} ${path}`);
    }
    assert.equal(await contents(world, used.tenant), was);
    assert.equal((await used.scim.request("GET", "/Groups")).status, 200);
  });

  test("a tenant's profile", async () => {
    const used = await inUse();
    const oddity = { schemas: [PATCH], Operations: [{ op: "replace", path: "active", value: "False" }] };
    const attempt = async () => {
      await world.kv.put(cacheKey(used.minted.token), used.entry);
      return (await used.scim.request("PATCH", `/Users/${used.id}`, { body: oddity })).status;
    };
    assert.equal(await attempt(), 200, "compat takes a boolean in quotes");
    assert.equal((await world.admin("PATCH", `/tenants/${used.tenant.id}`, { scim_profile: "strict" })).status, 200);
    assert.equal(await attempt(), 400, "strict does not");
    assert.equal((await world.admin("PATCH", `/tenants/${used.tenant.id}`, { scim_profile: "compat" })).status, 200);
    assert.equal(await attempt(), 200, "compat again");
  });

  test("a tenant's wish to keep the hashes of passwords, and to keep them no longer", async () => {
    const used = await inUse();
    const kept = async (userName) => {
      await world.kv.put(cacheKey(used.minted.token), used.entry);
      const reply = await used.scim.request("POST", "/Users", { body: { ...user(userName), password: "correct horse battery" } });
      assert.equal(reply.status, 201, reply.text);
      assert.ok(!reply.text.includes("correct horse"));
      return (await world.row("select password_hash from users where tenant_id = ?1 and id = ?2", used.tenant.id, reply.body.id)).password_hash;
    };
    assert.equal(await kept("dropped@example.com"), null);
    assert.equal((await world.admin("PATCH", `/tenants/${used.tenant.id}`, { store_passwords: true })).status, 200);
    assert.match(await kept("kept@example.com"), /^\$argon2id\$/);
    assert.equal((await world.admin("PATCH", `/tenants/${used.tenant.id}`, { store_passwords: false })).status, 200);
    assert.equal(await kept("dropped-again@example.com"), null);
  });
});
