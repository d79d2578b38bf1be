// The product's side of events, in workerd: what a page of the feed costs at D1, that it waits, and webhooks as two libraries of others take them, in time,
// through a queue of their own, with a receiver that is slow, wrong or gone.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Webhook } from "standardwebhooks";
import { judges, pythonEnv } from "../../scripts/setup/judges.mjs";
import { eventually } from "./support/eventually.mjs";
import { startReceiver } from "./support/receiver.mjs";
import { group, patch, user } from "./support/resources.mjs";
import { adminToken, bothWorkers, settings, startWorld } from "./support/world.mjs";

/** How many streams there are at once where that is measured: a hundred want `ROLLCALL_EVENT_STREAMS=100`. */
const STREAMS = Number(process.env.ROLLCALL_EVENT_STREAMS ?? 20);

const { bin, missing } = await judges();
let world;
before(async () => {
  world = await startWorld({ workers: bothWorkers({ d1Databases: ["DB"], bindings: { ...settings, LOCAL_DEVELOPMENT: "on" } }) });
});
after(() => world?.stop());

const auth = () => `Bearer ${adminToken()}`;
const ask = (scim, method, path, body) => world.request(method, `/api/v1/tenants/${scim.id}${path}`, { auth: auth(), body });
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

async function people(scim, count, from = 0) {
  const Operations = Array.from({ length: count }, (_, index) => ({ method: "POST", path: "/Users", bulkId: `b${index}`, data: user(`u${from + index}`) }));
  const reply = await scim.request("POST", "/Bulk", { body: { schemas: ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], Operations } });
  assert.equal(reply.status, 200);
  return reply.body.Operations.map(({ location }) => location.split("/").at(-1));
}

async function stream(scim, receiver, more = {}) {
  const reply = await ask(scim, "POST", "/event-streams", { name: "product", url: receiver.url, ...more });
  assert.equal(reply.status, 201, reply.text);
  return reply.body.data;
}

describe("the feed", () => {
  test("a page of 100 costs a trip, and five rows for a change, or eleven where it is to be found what came of it later", async (t) => {
    const scim = await world.tenant({ removal_fuse: null });
    const from = Number((await scim.request("GET", "/Users?count=0")).headers["x-event-seq"]);
    const ids = await people(scim, 100);
    const page = async (name, after) => {
      const reply = await ask(scim, "GET", `/events?after=${after}&limit=100`);
      assert.equal(reply.body.data.length, 100);
      assert.equal(reply.cost.trips, 1);
      assert.equal(reply.cost.written, 0);
      t.diagnostic(`${name}: ${reply.cost.read} rows read for 100`);
      return reply.cost.read / 100;
    };
    assert.ok((await page("created", from)) <= 5.1);
    for (const id of ids) await scim.request("PATCH", `/Users/${id}`, { body: patch({ op: "replace", path: "active", value: false }) });
    assert.ok((await page("switched off, the latest", from + 100)) <= 5.1);
    assert.ok((await page("created, changed since", from)) <= 11.1);
    for (const id of ids) await scim.request("DELETE", `/Users/${id}`);
    assert.ok((await page("deleted", from + 200)) <= 4.1);
  });

  test("a wait ends with what happens", async () => {
    const scim = await world.tenant();
    const { headers } = await scim.request("GET", "/Users?count=0");
    const waiting = ask(scim, "GET", `/events?after=${headers["x-event-seq"]}&wait=20`);
    await sleep(700);
    await people(scim, 1);
    const done = performance.now();
    const reply = await waiting;
    assert.equal(reply.body.data[0].type, "user.created");
    assert.ok(performance.now() - done < 1_500);
  });
});

describe("webhooks", () => {
  test("are verified by the npm package standardwebhooks, and by both secrets while one is rotated", async () => {
    const scim = await world.tenant();
    const receiver = await startReceiver();
    const { id, secret } = await stream(scim, receiver);
    await people(scim, 2);
    await eventually(() => receiver.got.length === 2, "two deliveries");
    for (const { body, headers } of receiver.got) assert.deepEqual(new Webhook(secret).verify(body, headers), JSON.parse(body));
    assert.throws(() => new Webhook(secret).verify(receiver.got[0].body.replace("user", "User"), receiver.got[0].headers));
    const rotated = await ask(scim, "POST", `/event-streams/${id}/rotate-secret`, { overlap_seconds: 600 });
    await people(scim, 1, 10);
    await eventually(() => receiver.got.length === 3, "a delivery");
    for (const one of [secret, rotated.body.data.secret]) new Webhook(one).verify(receiver.got[2].body, receiver.got[2].headers);
    receiver.stop();
  });

  test("are verified by the PyPI package standardwebhooks", { skip: missing }, async () => {
    const scim = await world.tenant();
    const receiver = await startReceiver();
    const { secret } = await stream(scim, receiver);
    await people(scim, 1);
    await eventually(() => receiver.got.length === 1, "a delivery");
    const { body, headers } = receiver.got[0];
    const program = `
import json, sys
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError
given = json.load(sys.stdin)
print(Webhook(given["secret"]).verify(given["body"], given["headers"])["type"])
try:
    Webhook(given["secret"]).verify(given["body"] + " ", given["headers"])
except WebhookVerificationError:
    print("refused")
`;
    const { stdout, stderr } = spawnSync(join(bin, "python"), ["-I", "-c", program], { input: JSON.stringify({ secret, body, headers }), env: pythonEnv(), encoding: "utf8" });
    assert.deepEqual(stdout.trim().split("\n"), ["user.created", "refused"], stderr);
    receiver.stop();
  });

  test("come soon after the write, in order, each once where all is well", async (t) => {
    const scim = await world.tenant();
    const receiver = await startReceiver();
    await stream(scim, receiver);
    const took = [];
    for (let number = 0; number < 40; number += 1) {
      const reply = await scim.request("POST", "/Users", { body: user(`soon-${number}`) });
      const written = performance.now();
      const one = await eventually(() => receiver.got.find(({ json }) => json.resource.id === reply.body.id), "its delivery");
      took.push(Math.max(0, one.at - written));
    }
    assert.equal(receiver.got.length, 40);
    const numbers = receiver.got.map(({ json }) => json.seq);
    assert.deepEqual(numbers, numbers.toSorted((a, b) => a - b));
    t.diagnostic(`from the reply to its delivery: p50 ${median(took).toFixed(0)} ms, at most ${Math.max(...took).toFixed(0)} ms`);
    receiver.stop();
  });

  test("in batches, and through many streams", async (t) => {
    const scim = await world.tenant();
    const one = await startReceiver();
    await stream(scim, one, { batch: 100 });
    const begun = performance.now();
    await people(scim, 1_000);
    const count = ({ got }) => got.reduce((sum, { json }) => sum + (json.events?.length ?? 1), 0);
    await eventually(() => count(one) === 1_000, "1,000 events", 20_000);
    t.diagnostic(`1,000 events in batches of 100: ${Math.round(1_000_000 / (performance.now() - begun))} a second, the Bulk request among it`);
    const single = await world.tenant();
    const each = await startReceiver();
    await stream(single, each);
    const from = performance.now();
    await people(single, 300);
    await eventually(() => each.got.length === 300, "300 deliveries", 20_000);
    t.diagnostic(`300 events one by one: ${Math.round(300_000 / (performance.now() - from))} a second`);
    for (const receiver of [one, each]) receiver.stop();
  });

  test("through many streams at once, each in its order", { timeout: 300_000 }, async (t) => {
    const tenants = await Promise.all(Array.from({ length: STREAMS / 10 }, () => world.tenant()));
    const receiver = await startReceiver();
    for (const scim of tenants) for (let number = 0; number < 10; number += 1) await stream(scim, { url: `${receiver.url}${scim.id}/${number}` });
    const begun = performance.now();
    await Promise.all(tenants.map((scim) => people(scim, 20)));
    await eventually(() => receiver.got.length >= STREAMS * 20, "all deliveries", 240_000);
    t.diagnostic(`20 events to each of ${STREAMS} streams, one by one: ${Math.round((STREAMS * 20_000) / (performance.now() - begun))} a second in all, the Bulk requests among it`);
    for (const path of new Set(receiver.got.map(({ path }) => path))) {
      const numbers = receiver.got.filter((one) => one.path === path).map(({ json }) => json.seq);
      assert.equal(new Set(numbers).size, 20);
      assert.deepEqual(numbers, numbers.toSorted((a, b) => a - b));
    }
    receiver.stop();
  });

  test("a receiver that is slow slows its own stream alone", async (t) => {
    const scim = await world.tenant();
    const slow = await startReceiver(() => ({ status: 200, wait: 6_000 }));
    const quick = await startReceiver();
    await stream(scim, slow, { name: "slow" });
    await stream(scim, quick, { name: "quick" });
    await people(scim, 1);
    await eventually(() => slow.got.length === 1 && quick.got.length === 1, "the first deliveries");
    const took = [];
    for (let number = 0; number < 8; number += 1) {
      const reply = await scim.request("POST", "/Users", { body: user(`slow-${number}`) });
      const written = performance.now();
      await eventually(() => quick.got.find(({ json }) => json.resource.id === reply.body.id), "its delivery");
      took.push(performance.now() - written);
    }
    t.diagnostic(`beside a receiver that takes 6 s: p50 ${median(took).toFixed(0)} ms, at most ${Math.max(...took).toFixed(0)} ms`);
    assert.ok(slow.got.length <= 2);
    for (const receiver of [slow, quick]) receiver.stop();
  });

  test("each kind of failure is a line of its own", async () => {
    const failures = [
      [{ status: 500, body: "x".repeat(10_000_000) }, 500, /the answer is 500/],
      [{ status: 302, headers: { location: "http://127.0.0.1:1/" } }, 302, /redirect/],
      [{ status: null }, null, /cannot be reached|broke off/],
      [{ status: 429, headers: { "retry-after": "7" } }, 429, /429/],
    ];
    for (const [answer, status, reason] of failures) {
      const scim = await world.tenant();
      const receiver = await startReceiver(() => answer);
      const { id } = await stream(scim, receiver);
      await people(scim, 1);
      const read = async () => (await ask(scim, "GET", `/event-streams/${id}/deliveries`)).body.data;
      const [line] = await eventually(async () => (await read()).length && read(), "a line");
      assert.equal(line.status, status);
      assert.match(line.reason, reason);
      assert.ok((line.reply ?? "").length <= 1_024);
      const shown = (await ask(scim, "GET", `/event-streams/${id}`)).body.data;
      assert.equal(shown.state, "waiting");
      const wait = Date.parse(shown.next_try_at) - Date.parse(line.at);
      assert.ok(wait >= (status === 429 ? 7_000 : 5_000) && wait < 20_000, `${wait}`);
      receiver.stop();
    }
  });

  test("a receiver that never answers is given up after 15 seconds, beside the queue's message", async () => {
    const scim = await world.tenant();
    const silent = await startReceiver(() => ({ status: 204, wait: 120_000 }));
    const { id } = await stream(scim, silent);
    await people(scim, 1);
    const read = async () => (await ask(scim, "GET", `/event-streams/${id}/deliveries`)).body.data;
    const [line] = await eventually(async () => (await read()).length && read(), "a line", 25_000);
    assert.equal(line.status, null);
    assert.match(line.reason, /15/);
    assert.ok(line.duration_ms >= 14_500 && line.duration_ms < 20_000, `${line.duration_ms}`);
    assert.equal((await ask(scim, "GET", `/event-streams/${id}`)).body.data.state, "waiting");
    silent.stop();
  });

  test("no delivery carries another tenant's event", async () => {
    const [ours, theirs] = [await world.tenant(), await world.tenant()];
    const receivers = [await startReceiver(), await startReceiver()];
    await stream(ours, receivers[0]);
    await stream(theirs, receivers[1]);
    await Promise.all([people(ours, 30), people(theirs, 30)]);
    await eventually(() => receivers.every(({ got }) => got.length === 30), "all deliveries", 15_000);
    for (const [index, tenant] of [ours, theirs].entries()) for (const { json } of receivers[index].got) assert.equal(json.tenant_id, tenant.id);
    const { id } = (await ask(ours, "GET", "/event-streams")).body.data[0];
    assert.equal((await ask(theirs, "GET", `/event-streams/${id}`)).status, 404);
    assert.equal((await ask(theirs, "GET", `/event-streams/${id}/deliveries`)).status, 404);
    for (const receiver of receivers) receiver.stop();
  });

  test("a group's roles: a rename carries the old name, and members their group's ids", async () => {
    const scim = await world.tenant();
    const receiver = await startReceiver();
    await stream(scim, receiver, { types: ["group.*"] });
    const [id] = await people(scim, 1);
    const made = await scim.request("POST", "/Groups", { body: { ...group("Admins", [id]), externalId: "role-1" } });
    await scim.request("PATCH", `/Groups/${made.body.id}`, { body: patch({ op: "replace", path: "displayName", value: "Owners" }) });
    await eventually(() => receiver.got.length === 3, "three deliveries");
    const [created, added, renamed] = receiver.got.map(({ json }) => json);
    assert.deepEqual([created.type, added.type, renamed.type], ["group.created", "group.member_added", "group.updated"]);
    assert.deepEqual([added.data.externalId, added.data.id, added.data.members], ["role-1", made.body.id, [{ value: id }]]);
    assert.deepEqual([renamed.previous.displayName, renamed.data.displayName, renamed.data.externalId], ["Admins", "Owners", "role-1"]);
    receiver.stop();
  });
});
