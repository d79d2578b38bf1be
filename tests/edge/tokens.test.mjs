// The life of a SCIM token, end to end: made, used, told apart from what is no token, limited to its scopes and its tenant.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { eventually } from "./support/eventually.mjs";
import { GROUP, rename, user } from "./support/resources.mjs";
import { cacheKey, checksum, hashOf, tokenInUse, wellFormedToken } from "./support/scim_token.mjs";
import { adminToken, startWorld } from "./support/world.mjs";

const INVALID = 'Bearer error="invalid_token"';

let world;
before(async () => (world = await startWorld()));
after(() => world?.stop());
const inUse = (more) => tokenInUse(world, more);

describe("a token that was just made", () => {
  test("works at once, on both bases", async () => {
    const tenant = await world.createTenant();
    const { token } = await world.mintToken(tenant);
    const scim = world.scim(tenant, token);
    assert.equal((await scim.request("GET", "/Users")).status, 200);
    assert.equal((await scim.request("GET", "/Users", { base: "token" })).status, 200);
    assert.equal((await scim.request("POST", "/Users", { body: user("a@example.com") })).status, 201);
  });

  test("has the published form, and is shown this once only", async () => {
    const tenant = await world.createTenant();
    const minted = await world.mintToken(tenant);
    assert.match(minted.token, /^rcs_[0-9A-Za-z]{49}$/);
    assert.equal(minted.token.slice(-6), checksum(minted.token.slice(0, -6)));
    for (const path of [`/scim-tokens/${minted.id}`, `/scim-tokens/?tenant_id=${tenant.id}`]) {
      const reply = await world.admin("GET", path);
      assert.equal(reply.status, 200, reply.text);
      assert.ok(!reply.text.includes(minted.token.slice(0, 12)), `${path} shows more of the token than its hint`);
    }
  });

  test("works where KV is empty or holds nonsense, and is in KV again after", async () => {
    const { minted, scim } = await inUse();
    for (const nonsense of [null, "", "{}", "[]", "not json", '{"tenant":"x"}', "null"]) {
      if (nonsense === null) await world.kv.delete(cacheKey(minted.token));
      else await world.kv.put(cacheKey(minted.token), nonsense);
      const reply = await scim.request("GET", "/Users");
      assert.equal(reply.status, 200, `KV holds ${nonsense}: ${reply.text}`);
      assert.equal(reply.cost.trips, 2, `KV holds ${nonsense}`);
      await eventually(async () => (await scim.request("GET", "/Users")).cost.trips === 1, "KV to save the round trip again");
    }
  });

  test("is stored as its SHA-256 and nowhere in the clear: not in D1, not in KV, not in the log", async () => {
    const { minted } = await inUse();
    const rotated = await world.admin("POST", `/scim-tokens/${minted.id}/rotate`);
    assert.equal(rotated.status, 201, rotated.text);
    const tokens = [minted.token, rotated.body.data.token];
    // Twelve characters are more than the hint shows.
    const traces = tokens.flatMap((token) => [token.slice(0, 12), token.slice(12, 24), token.slice(-12)]);
    const tables = (await world.rows("select name from sqlite_master where type = 'table'")).map(({ name }) => name);
    const stored = [];
    for (const name of tables.filter((name) => !name.startsWith("_cf_"))) stored.push(JSON.stringify(await world.rows(`select * from "${name}"`)));
    const { keys } = await world.kv.list();
    for (const { name, metadata } of keys) stored.push(name, JSON.stringify(metadata ?? null), await world.kv.get(name));
    for (const trace of traces) {
      assert.ok(!stored.join("\n").includes(trace), "a token is stored in the clear");
      assert.ok(!world.output.includes(trace), "a token is in the log");
    }
    // The search itself finds what is there.
    for (const token of tokens) assert.ok(stored.join("\n").includes(hashOf(token)), "the hash of a token is nowhere");
  });
});

describe("a token that is asked for twice with one Idempotency-Key", () => {
  const POST = "/api/v1/admin/scim-tokens/";
  const post = (path, body, key) => world.request("POST", path, { body, auth: `Bearer ${adminToken()}`, headers: { "content-type": "application/json", "idempotency-key": key } });

  test("is made once, shown twice, and kept sealed", async () => {
    const tenant = await world.createTenant();
    const body = { tenant_id: tenant.id, name: "Entra" };
    const first = await post(POST, body, "make it");
    assert.equal(first.status, 201, first.text);
    const again = await post(POST, body, "make it");
    assert.deepEqual([again.status, again.body, again.cost.trips, again.cost.written], [201, first.body, 1, 0]);
    const { token, id } = first.body.data;
    assert.equal((await world.scim(tenant, token).request("GET", "/Users")).status, 200);
    const rotated = await post(`${POST}${id}/rotate`, undefined, "rotate it");
    assert.equal(rotated.status, 201, rotated.text);
    assert.deepEqual((await post(`${POST}${id}/rotate`, undefined, "rotate it")).body, rotated.body);
    assert.equal((await world.row("select count(*) as total from scim_tokens where tenant_id = ?1", tenant.id)).total, 2);
    const other = await post(POST, { ...body, name: "Okta" }, "make it");
    assert.equal(other.status, 422, other.text);
    assert.deepEqual(other.body.detail[0].loc, ["header", "Idempotency-Key"]);
    const kept = JSON.stringify(await world.rows("select * from kept_replies where made_for = ?1", tenant.id));
    for (const secret of [token, rotated.body.data.token]) {
      assert.ok(!kept.includes(secret.slice(12, 24)), "a token is kept in the clear");
      assert.ok(!kept.includes(btoa(secret).slice(4, 28)), "a token is kept in base64");
    }
    assert.equal(JSON.parse(kept).length, 2);
    assert.equal((await world.admin("DELETE", `/tenants/${tenant.id}`)).status, 204);
    assert.deepEqual(await world.rows("select * from kept_replies where made_for = ?1", tenant.id), []);
  });

  test("by ten requests at once is made once", async () => {
    const tenant = await world.createTenant();
    const body = { tenant_id: tenant.id, name: "Entra" };
    const replies = await Promise.all(Array.from({ length: 10 }, () => post(POST, body, "at once")));
    for (const reply of replies) assert.deepEqual([reply.status, reply.body], [201, replies[0].body], reply.text);
    assert.equal((await world.row("select count(*) as total from scim_tokens where tenant_id = ?1", tenant.id)).total, 1);
  });
});

describe("a credential that is no token", () => {
  test("with a wrong checksum is refused without any question to the database", async () => {
    const { minted, scim } = await inUse();
    const { token } = minted;
    const other = (character) => (character === "0" ? "1" : "0");
    const wrong = [
      token.slice(0, -1) + other(token.at(-1)),
      token.slice(0, 10) + other(token[10]) + token.slice(11),
      token.slice(0, -1),
      `${token}0`,
      "rcs_",
      `rcs_${"é".repeat(24)}x`,
    ];
    for (const text of wrong) {
      for (const base of ["tenant", "token"]) {
        const auth = `Bearer ${Buffer.from(text).toString("latin1")}`;
        const reply = await scim.request("GET", "/Users", { base, auth });
        assert.equal(reply.status, 401, `${text}: ${reply.text}`);
        assert.equal(reply.cost.trips, 0, text);
        assert.equal(reply.headers["www-authenticate"], INVALID);
      }
    }
  });

  test("but is well formed is refused after asking, and leaves nothing in KV", async () => {
    const { scim } = await inUse();
    const token = wellFormedToken();
    const reply = await scim.request("GET", "/Users", { auth: `Bearer ${token}` });
    assert.equal(reply.status, 401, reply.text);
    assert.deepEqual([reply.cost.trips, reply.cost.written], [1, 0]);
    assert.equal(reply.headers["www-authenticate"], INVALID);
    assert.equal(await world.kv.get(cacheKey(token)), null);
  });

  test("is told apart from no credential at all", async () => {
    const { scim } = await inUse();
    const reply = await scim.request("GET", "/Users", { auth: null });
    assert.deepEqual([reply.status, reply.headers["www-authenticate"], reply.cost.trips], [401, "Bearer", 0]);
  });

  test("is no key to the administrator's routes either", async () => {
    const { minted } = await inUse();
    const reply = await world.request("GET", "/api/v1/admin/scim-tokens/", { auth: `Bearer ${minted.token}` });
    assert.deepEqual([reply.status, reply.cost.trips], [401, 0]);
  });
});

describe("what a token may do", () => {
  const group = { schemas: [GROUP], displayName: "A group" };
  const nobody = "019a0000-0000-7000-8000-000000000000";
  const operations = [
    ["users:read", "GET", "/Users", undefined, 200],
    ["users:read", "GET", `/Users/${nobody}`, undefined, 404],
    ["users:write", "POST", "/Users", user("scoped@example.com"), 201],
    ["users:write", "PUT", `/Users/${nobody}`, user("scoped@example.com"), 404],
    ["users:write", "PATCH", `/Users/${nobody}`, rename("x"), 404],
    ["users:write", "DELETE", `/Users/${nobody}`, undefined, 404],
    ["groups:read", "GET", "/Groups", undefined, 200],
    ["groups:read", "GET", `/Groups/${nobody}`, undefined, 404],
    ["groups:write", "POST", "/Groups", group, 201],
    ["groups:write", "PUT", `/Groups/${nobody}`, group, 404],
    ["groups:write", "PATCH", `/Groups/${nobody}`, rename("x"), 404],
    ["groups:write", "DELETE", `/Groups/${nobody}`, undefined, 404],
  ];
  for (const scope of ["users:read", "users:write", "groups:read", "groups:write", "bulk"]) {
    test(`with ${scope} alone is that, and everything else is 403`, async () => {
      const tenant = await world.createTenant();
      const { token } = await world.mintToken(tenant, { scopes: [scope] });
      for (const [needed, method, path, body, status] of operations) {
        const reply = await world.scim(tenant, token).request(method, path, { body });
        assert.equal(reply.status, needed === scope ? status : 403, `${method} ${path}: ${reply.text}`);
      }
    });
  }

  test("ends at its tenant: another tenant's base is 404, the same as one that does not exist", async () => {
    const [used, other] = [await inUse(), await inUse()];
    const answers = [];
    for (const base of [other.scim.base, "/api/v1/tenants/no-such-tenant/scim/v2", "/api/v1/tenants/No_Tenant_Id/scim/v2"]) {
      for (const [method, path] of [["GET", "/Users"], ["GET", `/Users/${other.id}`], ["DELETE", `/Users/${other.id}`]]) {
        const reply = await world.request(method, base + path, { auth: `Bearer ${used.minted.token}` });
        answers.push([reply.status, reply.body]);
      }
    }
    for (const answer of answers) assert.deepEqual(answer, answers[0]);
    assert.equal(answers[0][0], 404);
    assert.equal((await other.scim.request("GET", `/Users/${other.id}`)).status, 200);
    // Its own base does not lead to others' resources either.
    for (const method of ["GET", "DELETE"]) assert.equal((await used.scim.request(method, `/Users/${other.id}`)).status, 404);
  });

  test("is also what a JWT may do with a scim scope, in its own tenant alone", async () => {
    const [used, other] = [await inUse(), await inUse()];
    const as = (scim, method, body, claims) => scim.request(method, "/Users", { body, auth: `Bearer ${adminToken({ tenant_id: used.tenant.id, ...claims })}` });
    assert.equal((await as(used.scim, "GET", undefined, { scope: "scim:read" })).status, 200);
    assert.equal((await as(used.scim, "POST", user("jwt@example.com"), { scope: "scim:read" })).status, 403);
    assert.equal((await as(used.scim, "POST", user("jwt@example.com"), { scope: ["scim:write"] })).status, 201);
    assert.equal((await as(other.scim, "GET", undefined, { scope: "scim:read" })).status, 404);
    for (const wrong of [{ secret: "another secret, as long as the first one" }, { exp: 1 }, { iss: "x" }, { aud: "x" }, { header: { alg: "none" } }, { header: { alg: "RS256" } }]) {
      const reply = await as(used.scim, "GET", undefined, { scope: "scim:read", ...wrong });
      assert.deepEqual([reply.status, reply.headers["www-authenticate"]], [401, INVALID], JSON.stringify(wrong));
    }
  });
});

describe("the last use of a token", () => {
  const lastUsed = async (minted) => (await world.row("select last_used_at from scim_tokens where id = ?1", minted.id)).last_used_at;
  const MINUTES = 60_000;

  /** A token that was last used so long ago, used now for the first time by this instance of the worker. */
  async function usedAgo(milliseconds) {
    const tenant = await world.createTenant();
    const minted = await world.mintToken(tenant);
    const before = milliseconds === null ? null : Date.now() - milliseconds;
    await world.db.prepare("update scim_tokens set last_used_at = ?1 where id = ?2").bind(before, minted.id).run();
    const scim = world.scim(tenant, minted.token);
    assert.equal((await scim.request("GET", "/Users")).status, 200);
    return { minted, scim, before };
  }

  test("is noted after the reply, and then for five minutes no more", async () => {
    const started = Date.now();
    const { minted, scim } = await usedAgo(null);
    const noted = await eventually(() => lastUsed(minted), "last_used_at");
    assert.ok(noted >= started && noted <= Date.now(), String(noted));
    for (let use = 0; use < 10; use += 1) assert.equal((await scim.request("GET", "/Users")).status, 200);
    await sleep(300);
    assert.equal(await lastUsed(minted), noted);
    const shown = await world.admin("GET", `/scim-tokens/${minted.id}`);
    assert.equal(Date.parse(shown.body.data.last_used_at), noted);
  });

  test("noted four minutes ago by another instance is left alone", async () => {
    const { minted, before } = await usedAgo(4 * MINUTES);
    await sleep(300);
    assert.equal(await lastUsed(minted), before);
  });

  test("noted six minutes ago is noted anew", async () => {
    const { minted, before } = await usedAgo(6 * MINUTES);
    await eventually(async () => (await lastUsed(minted)) > before, "last_used_at to move");
  });
});
