// `Prefer: respond-async` over the runtime's own queue and both workers: Bulk requests of ten thousand operations, requests that wait, and a runtime
// that is killed meanwhile.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { assertConsistent } from "./support/consistency.mjs";
import { addMembers, group, user } from "./support/resources.mjs";
import { runtime } from "./support/runtime_process.mjs";
import { bothWorkers, startWorld } from "./support/world.mjs";

const BULK = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
const KILLS = Number(process.env.ROLLCALL_KILLS ?? 2);
const persist = mkdtempSync(join(tmpdir(), "rollcall-respond-async-"));
const workers = bothWorkers({ d1Databases: ["DB"] });
const told = [];
let world;

before(async () => (world = await startWorld({ workers, persist })));
after(async () => {
  await world?.stop();
  rmSync(persist, { recursive: true, force: true, maxRetries: 5 });
  for (const line of told) console.log(line);
});

const later = (tenant, method, path, body, prefer = "respond-async") => tenant.request(method, path, { body, headers: { prefer } });

/** Waits for the result of an accepted request; what it was on the way goes to `seen`. */
async function result(tenant, txn, seen = []) {
  for (const deadline = Date.now() + 120_000; Date.now() < deadline; await sleep(100)) {
    const reply = await tenant.request("GET", `/AsyncRequests/${txn}`);
    if (reply.status === 200) return reply.body;
    assert.equal(reply.status, 202, reply.text);
    seen.push(reply.body.done);
  }
  assert.fail("it does not end");
}

/** Groups first, whose members come after them; every hundredth name is taken. */
function operations(count) {
  const groups = Math.floor(count / 1_000);
  const made = [];
  for (let number = 0; number < groups; number += 1) {
    made.push({ method: "POST", path: "/Groups", bulkId: `g${number}`, data: group(`Group ${number}`, [`bulkId:u${number}`, `bulkId:u${count - groups - 1 - number}`]) });
  }
  for (let number = 0; made.length < count; number += 1) {
    const name = number % 100 === 99 ? `person-${number - 1}` : `person-${number}`;
    made.push({ method: "POST", path: "/Users", bulkId: `u${number}`, data: user(name, { name: { givenName: "A", familyName: `Person ${number}` }, emails: [{ value: `${name}@example.com`, type: "work" }] }) });
  }
  return { schemas: [BULK], Operations: made };
}

test("a Bulk request of 10,000 operations is carried out in messages", { timeout: 180_000 }, async () => {
  const tenant = await world.tenant();
  const body = operations(10_000);
  assert.equal((await tenant.request("POST", "/Bulk", { body })).status, 413);
  const started = Date.now();
  const accepted = await later(tenant, "POST", "/Bulk", body);
  assert.equal(accepted.status, 202, accepted.text);
  const within = Date.now() - started;
  assert.equal(accepted.headers["preference-applied"], "respond-async");
  assert.ok(accepted.headers.location.endsWith(`${tenant.base}/AsyncRequests/${accepted.headers["set-txn"]}`));
  const seen = [];
  const { Operations } = await result(tenant, accepted.headers["set-txn"], seen);
  const took = Date.now() - started;
  const count = (status) => Operations.filter((operation) => operation.status === status).length;
  assert.equal(Operations.length, 10_000);
  assert.deepEqual([count("201"), count("409"), count("400")], [9_901, 99, 0], JSON.stringify(Operations.find(({ status }) => status === "400")));
  assert.deepEqual(seen, [...seen].sort((one, two) => one - two));
  assert.ok(seen.some((done) => done > 0 && done < 10_000), `progress is seen: ${seen}`);
  const totals = await world.row("select user_total, group_total from tenants where id = ?1", tenant.id);
  assert.deepEqual(totals, { user_total: 9_891, group_total: 10 });
  await assertConsistent(world, tenant);
  const messages = world.logged(`"async_request":"${accepted.headers["set-txn"]}"`);
  const most = Math.max(...messages.map((line) => line.d1_statements));
  assert.ok(most < 1_000, `${most} statements of one message`);
  const left = await world.row("select (select count(*) from async_parts) as parts, (select count(*) from async_requests where head is not null) as heads");
  assert.deepEqual(left, { parts: 0, heads: 0 });
  told.push(`10,000 operations, ${(JSON.stringify(body).length / 1e6).toFixed(1)} MB: accepted in ${within} ms, done in ${took} ms, ${messages.length} messages, ${most} statements at most`);
});

test("a request that waits is answered as usual", async () => {
  const tenant = await world.tenant();
  const made = await later(tenant, "POST", "/Users", user("ada"), "respond-async, wait=10");
  assert.equal(made.status, 201, made.text);
  assert.equal(made.headers["preference-applied"], "respond-async, wait=10");
  assert.equal(made.body.userName, "ada");
  const taken = await later(tenant, "POST", "/Users", user("ada"), "respond-async, wait=10");
  assert.equal(taken.status, 409);
  const bulk = await later(tenant, "POST", "/Bulk", operations(1_200), "respond-async, wait=25");
  assert.equal(bulk.status, 200, bulk.text);
  assert.equal(bulk.body.Operations.length, 1_200);
});

test("one that does not wait long enough is answered 202, and done later", async () => {
  const tenant = await world.tenant();
  const started = Date.now();
  const accepted = await later(tenant, "POST", "/Bulk", operations(9_000), "respond-async, wait=1");
  assert.equal(accepted.status, 202, accepted.text);
  assert.ok(Date.now() - started < 10_000);
  assert.equal((await result(tenant, accepted.headers["set-txn"])).Operations.length, 9_000);
});

test("each kind of write goes through the queue", async () => {
  const tenant = await world.tenant();
  const { body: ada } = await tenant.request("POST", "/Users", { body: user("ada") });
  const { body: team } = await tenant.request("POST", "/Groups", { body: group("Team") });
  for (const [method, path, body, status] of [
    ["POST", "/Users", user("ben"), "201"],
    ["PUT", `/Users/${ada.id}`, user("ada", { title: "Dr" }), "200"],
    ["PATCH", `/Groups/${team.id}`, addMembers([ada.id]), "200"],
    ["PATCH", `/Groups/${ada.id}`, addMembers([ada.id]), "404"],
    ["DELETE", `/Users/${ada.id}`, undefined, "204"],
  ]) {
    const accepted = await later(tenant, method, path, body);
    assert.equal(accepted.status, 202, accepted.text);
    const done = await result(tenant, accepted.headers["set-txn"]);
    assert.deepEqual([done.method, done.status], [method, status], JSON.stringify(done));
  }
  await assertConsistent(world, tenant);
});

test("a body that is too long, or no JSON, is refused at once", async () => {
  const tenant = await world.tenant();
  const prefer = { prefer: "respond-async" };
  assert.equal((await tenant.request("POST", "/Bulk", { raw: " ".repeat(8 * 1024 * 1024 + 1), headers: prefer })).status, 413);
  assert.equal((await tenant.request("POST", "/Users", { raw: " ".repeat(1024 * 1024 + 1), headers: prefer })).status, 413);
  assert.equal((await tenant.request("POST", "/Bulk", { raw: `${" ".repeat(2 * 1024 * 1024)}{`, headers: prefer })).status, 400);
});

test(`killed ${KILLS} times while it is carried out, it ends as an undisturbed one`, { timeout: 60_000 + 60_000 * KILLS }, async () => {
  const told_ = ({ Operations }) => Operations.map(({ method, bulkId, status, version }) => [method, bulkId, status, version]);
  const calm = await world.tenant();
  const body = operations(4_000);
  const started = Date.now();
  const expected = told_(await result(calm, (await later(calm, "POST", "/Bulk", body)).headers["set-txn"]));
  const takes = Date.now() - started;
  for (let kill = 0; kill < KILLS; kill += 1) {
    const before = await world.tenant();
    const accepted = await later(before, "POST", "/Bulk", body);
    const moment = Math.round(((kill + Math.random()) / KILLS) * takes * 0.8);
    await sleep(moment);
    process.kill(runtime(), "SIGKILL");
    await world.stop().catch(() => {});
    world = await startWorld({ workers, persist });
    const tenant = world.scim(before, before.token);
    const { done } = await world.row("select done from async_requests where id = ?1", accepted.headers["set-txn"]);
    told.push(`killed after ${moment} of ${takes} ms: ${done} of 4,000 were done`);
    // Five minutes on, for the clock.
    await world.rows("update async_requests set updated_at = 0 where status = 'running'");
    await world.tick();
    assert.deepEqual(told_(await result(tenant, accepted.headers["set-txn"])), expected, told.at(-1));
    await assertConsistent(world, tenant);
  }
});
