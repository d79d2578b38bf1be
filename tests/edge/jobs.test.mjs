// Both workers at once: messages of the runtime's own queue, and requests that the first hands on to the second.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { eventually } from "./support/eventually.mjs";
import { bothWorkers, deployedWorker, startWorld } from "./support/world.mjs";

const RETRIES = 1;

let world;
before(async () => (world = await startWorld({ workers: bothWorkers({ d1Databases: ["DB"] }, { retries: RETRIES }) })));
after(() => world?.stop());

const performed = (kind) => world.logged(`"message":{"kind":"${kind}"`);
const dead = () => world.rows("select tenant_id, kind, body, at from dead_messages order by id");

test("a message is delivered and performed", async () => {
  await world.sendMessage('{"v":1,"kind":"renew_keys"}');
  const [line] = await eventually(() => performed("renew_keys").length && performed("renew_keys"), "a message", 20_000);
  assert.equal(line.error, null);
});

test("a tick of the clock sends what is to be done, and does nothing itself", async () => {
  const before = performed("forget_replies").length;
  assert.equal(await world.tick(), "ok");
  await eventually(() => performed("forget_replies").length > before);
});

test("what nobody here knows is told in the log and done with: another version, another kind, what is broken", async () => {
  const texts = ['{"v":2,"kind":"renew_keys"}', '{"v":1,"kind":"conquer","tenant":"00000000-0000-7000-8000-000000000000"}', "{", "", "\u{0}\u{1F41D}", "[]", "x".repeat(100_000)];
  const before = world.logged("a message is passed over").length;
  for (const text of texts) await world.sendMessage(text);
  await eventually(() => world.logged("a message is passed over").length === before + texts.length);
  // None of them is tried again, or stands in the way of what comes after it.
  const done = performed("renew_keys").length;
  await world.sendMessage('{"v":1,"kind":"renew_keys"}');
  await eventually(() => performed("renew_keys").length === done + 1);
  assert.equal(world.logged("a message is passed over").length, before + texts.length);
  assert.deepEqual(await dead(), []);
});

test("a message that is no text at all is passed over too", async () => {
  const before = world.logged("a message is passed over").length;
  const queue = await world.mf.getQueueProducer("JOBS", "worker-0");
  await queue.send({ v: 1, kind: "renew_keys" }, { contentType: "json" });
  await eventually(() => world.logged("a message is passed over").length === before + 1);
});

test("one that fails is tried again after a while, and written down where it goes on failing", async () => {
  const own = await startWorld({ workers: bothWorkers({ d1Databases: ["DB"] }, { retries: RETRIES }) });
  try {
    // The keys of users cannot be read without their table.
    await own.db.prepare("alter table users rename to users_gone").run();
    const started = Date.now();
    await own.sendMessage('{"v":1,"kind":"renew_keys","tenant":"00000000-0000-7000-8000-00000000abcd"}');
    const rows = () => own.rows("select tenant_id, kind, body, at from dead_messages");
    const [row] = await eventually(async () => ((await rows()).length ? rows() : undefined), "a dead message", 60_000);
    const failed = own.logged('"message":{"kind":"renew_keys"}');
    assert.equal(failed.length, RETRIES + 1, own.output);
    for (const { error } of failed) assert.match(error, /users/);
    assert.ok(Date.now() - started >= RETRIES * 4_000, "it was tried again at once");
    assert.deepEqual([row.tenant_id, row.kind], ["00000000-0000-7000-8000-00000000abcd", "renew_keys"]);
    assert.match(row.body, /^\{"v":1,"kind":"renew_keys"/);
    assert.ok(row.at >= started && row.at <= Date.now());
    const [told] = own.logged('"dead_message":"renew_keys"');
    assert.deepEqual([told.tenant, told.error], [row.tenant_id, null]);
  } finally {
    await own.stop();
  }
});

const PROVIDER = {
  provider_type: "LDAP",
  ldap_config: { url: "ldaps://ldap.example.com", bind_dn: "cn=reader,dc=example,dc=com", bind_password: "secret", base_dn: "dc=example,dc=com", user_filter: "(objectClass=person)", group_filter: "(objectClass=group)" },
};

test("a request that the jobs worker answers arrives there as it was sent, and its reply comes back as it is", async () => {
  const tenant = await world.createTenant();
  const made = await world.admin("POST", "/identity-providers/", { tenant_id: tenant.id, name: "Directory — Zürich 🐝", ...PROVIDER });
  assert.equal(made.status, 201, made.text);
  assert.equal(made.body.data.name, "Directory — Zürich 🐝");
  assert.match(made.headers["content-type"], /^application\/json/);
  assert.match(made.headers["server-timing"], /^d1;desc="trips=\d+ /);
  // One line for one request: that of the worker that answered it.
  const lines = await eventually(() => {
    const lines = world.logged(made.headers["x-request-id"]);
    return lines.length && lines;
  });
  assert.equal(lines.length, 1);
  assert.deepEqual([lines[0].route, lines[0].status, lines[0].tenant], ["/api/v1/admin/identity-providers", 201, tenant.id]);

  const path = `/identity-providers/${made.body.data.id}`;
  const changed = await world.admin("PATCH", path, { name: "Directory" });
  assert.deepEqual([changed.status, changed.body.data.name], [200, "Directory"]);
  const list = await world.admin("GET", `/identity-providers?search=directory&tenant_id=${tenant.id}&per_page=1`);
  assert.deepEqual([list.status, list.body.data.length, list.body.data[0].id], [200, 1, made.body.data.id]);
  assert.equal((await world.admin("GET", "/identity-providers?wrong=1")).status, 422);
  assert.equal((await world.admin("GET", path, undefined, { scope: "" })).status, 403);
  assert.equal((await world.request("GET", `/api/v1/admin${path}`)).status, 401);
  const gone = await world.admin("DELETE", path);
  assert.deepEqual([gone.status, gone.text], [204, ""]);
  const none = await world.admin("GET", path);
  assert.equal(none.status, 404);
});

test("a body that is too long and a method that is none are told here as everywhere", async () => {
  const long = await world.admin("POST", "/identity-providers/", { name: "x".repeat(1_100_000) });
  assert.equal(long.status, 413, long.text);
  const method = await world.admin("PUT", "/identity-providers/");
  assert.deepEqual([method.status, method.headers["allow"]], [405, "GET, POST"]);
});

test("where the jobs worker does not run, its routes are 503 and everything else is answered", async (t) => {
  const persist = mkdtempSync(join(tmpdir(), "rollcall-jobs-"));
  t.after(() => rmSync(persist, { recursive: true, force: true }));
  const made = await startWorld({ persist });
  const { token, ...tenant } = await made.tenant();
  await made.stop();
  const [first] = bothWorkers({ d1Databases: ["DB"] });
  const fails = { name: "rollcall-jobs", modules: true, script: "export default { fetch() { throw new Error('down'); } }" };
  for (const [number, workers] of [[first, fails], [deployedWorker({ d1Databases: ["DB"] })]].entries()) {
    const own = await startWorld({ workers, persist });
    try {
      const scim = own.scim(tenant, token);
      for (const [method, path, body] of [["GET", "/identity-providers"], ["POST", "/identity-providers/", { tenant_id: scim.id, name: "A", ...PROVIDER }], ["POST", `/identity-providers/${scim.id}/sync`]]) {
        const reply = await own.admin(method, path, body);
        assert.equal(reply.status, 503, reply.text);
        assert.ok(Number(reply.headers["retry-after"]) > 0);
        assert.equal(typeof reply.body.detail, "string");
        assert.ok(!reply.text.includes("down"), reply.text);
      }
      assert.equal((await own.request("GET", "/healthz")).status, 200);
      const user = { schemas: ["urn:ietf:params:scim:schemas:core:2.0:User"], userName: `ada-${number}` };
      assert.equal((await scim.request("POST", "/Users", { body: user })).status, 201);
      assert.equal((await scim.request("GET", "/Users")).body.totalResults, 1 + number);
      const line = own.logged('"status":503')[0];
      assert.match(line.error, /^rollcall-jobs: /);
    } finally {
      await own.stop();
    }
  }
});

test("whoever tries credentials on a route of the jobs worker is counted by their address", async () => {
  const limits = { FAILURES_LIMIT: { simple: { limit: 1_000, period: 60 } }, ADDRESS_LIMIT: { simple: { limit: 3, period: 60 } } };
  const own = await startWorld({ workers: bothWorkers({ d1Databases: ["DB"], ratelimits: limits }) });
  try {
    const statuses = async (address) => {
      const seen = [];
      for (let time = 0; time < 5; time += 1) {
        const reply = await own.request("GET", "/api/v1/admin/identity-providers", { auth: "Bearer x.y.z", headers: { "cf-connecting-ip": address } });
        seen.push(reply.status);
      }
      return seen;
    };
    assert.deepEqual(await statuses("192.0.2.1"), [401, 401, 401, 429, 429]);
    assert.deepEqual(await statuses("192.0.2.2"), [401, 401, 401, 429, 429]);
  } finally {
    await own.stop();
  }
});
