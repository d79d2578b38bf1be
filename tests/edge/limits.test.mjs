// The platform's rate limits, as wrangler.toml sets them up, counted by the runtime.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { inRoot } from "../../scripts/setup/paths.mjs";
import { wellFormedToken } from "./support/scim_token.mjs";
import { bothWorkers, startWorld } from "./support/world.mjs";

/** The bindings of wrangler.toml; `limit` makes each of them as low as that. */
function ratelimits(limit) {
  const text = readFileSync(inRoot("wrangler.toml"), "utf8");
  const entries = [...text.matchAll(/^name = "(\w+_LIMIT)"\nnamespace_id = "\d+"\nsimple = \{ limit = (\d+), period = (\d+) \}$/gm)];
  return Object.fromEntries(entries.map(([, name, most, period]) => [name, { simple: { limit: limit ?? Number(most), period: Number(period) } }]));
}

const worlds = {};
before(async () => {
  for (const [name, limit] of [["real", undefined], ["low", 5]]) {
    worlds[name] = await startWorld({ workers: bothWorkers({ d1Databases: ["DB"], ratelimits: ratelimits(limit) }) });
  }
});
after(() => Promise.all(Object.values(worlds).map((world) => world.stop())));

/** The runtime counts by the clock: a test that would be cut in two by the turn of a period waits for it. */
async function early(seconds) {
  const into = Date.now() % (seconds * 1000);
  if (into > seconds * 1000 - 5_000) await new Promise((resolve) => setTimeout(resolve, seconds * 1000 - into + 50));
}

test("there are four of them, with the periods that the worker names", () => {
  const limits = ratelimits();
  assert.deepEqual(Object.keys(limits).sort(), ["ADDRESS_LIMIT", "CREDENTIAL_LIMIT", "FAILURES_LIMIT", "TENANT_LIMIT"]);
  assert.ok(limits.TENANT_LIMIT.simple.limit / limits.TENANT_LIMIT.simple.period >= 25, "Entra ID asks for 25 requests a second");
  assert.deepEqual(Object.values(limits).map(({ simple }) => simple.period).sort(), [10, 10, 60, 60]);
});

test("a hundred requests at once are below all of them", async () => {
  const scim = await worlds.real.tenant();
  const replies = await Promise.all(Array.from({ length: 100 }, () => scim.request("GET", "/Users")));
  assert.deepEqual([...new Set(replies.map(({ status }) => status))], [200]);
});

test("a tenant above its limit is answered 429, and another is not", async () => {
  const world = worlds.low;
  await early(10);
  const [busy, other] = [await world.tenant(), await world.tenant()];
  await early(10);
  const replies = [];
  for (let index = 0; index < 8; index += 1) replies.push(await busy.request("GET", "/Users"));
  const refused = replies.filter(({ status }) => status === 429);
  assert.ok(refused.length >= 1 && refused.length < 8, replies.map(({ status }) => status).join());
  for (const { headers, cost } of refused) assert.deepEqual([headers["retry-after"], cost.trips], ["10", 0]);
  assert.equal((await other.request("GET", "/Users")).status, 200);
});

test("guessed tokens are refused without a look into the database, and good ones from the same address are not", async () => {
  const world = worlds.real;
  const [attacked, neighbour] = [await world.tenant(), await world.tenant()];
  const headers = { "cf-connecting-ip": "203.0.113.7" };
  await early(60);
  const replies = [];
  for (let index = 0; index < 25; index += 1) replies.push(await world.scim(attacked, wellFormedToken()).request("GET", "/Users", { headers }));
  assert.deepEqual(replies.slice(0, 20).map(({ status }) => status), Array(20).fill(401));
  assert.deepEqual(replies.slice(20).map(({ status }) => status), Array(5).fill(429));
  for (const { cost, headers } of replies.slice(21)) assert.deepEqual([cost.trips, headers["retry-after"]], [0, "60"]);
  for (const scim of [attacked, neighbour]) assert.equal((await scim.request("GET", "/Users", { headers })).status, 200);
});
