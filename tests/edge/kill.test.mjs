// The runtime killed in the middle of many writes (kill -9), and started again on the same data: what was answered is there, what was not is
// there whole or not at all, and everything that is counted is right.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { assertConsistent } from "./support/consistency.mjs";
import { addMembers, group, patch, user } from "./support/resources.mjs";
import { runtime } from "./support/runtime_process.mjs";
import { startWorld } from "./support/world.mjs";

const ROUNDS = 4;
const persist = mkdtempSync(join(tmpdir(), "rollcall-kill-"));
let world;
after(async () => {
  await world?.stop();
  rmSync(persist, { recursive: true, force: true, maxRetries: 5 });
});

async function start() {
  world = await startWorld({ persist });
  return runtime();
}

test("kill -9 in the middle of many writes loses nothing that was answered, and leaves nothing half done", async () => {
  let pid = await start();
  let scim = await world.tenant();
  const post = async (path, body) => (await scim.request("POST", path, { body })).body.id;
  const [busy, team] = [await post("/Users", user("busy@example.com")), await post("/Groups", group("Team"))];
  const answered = []; // [request id, what has to be there]
  let newest = busy;
  let sent = 3; // with the tenant's own event, and the token's, and these two
  for (let round = 0; round < ROUNDS; round += 1) {
    const before = answered.length;
    let killed = false;
    const writer = async (lane) => {
      for (let index = 0; !killed; index += 1) {
        const name = `${round}-${lane}-${index}`;
        const [method, path, body, check] = [
          ["POST", "/Users", user(`${name}@example.com`, { emails: [{ value: `${name}@example.com` }] }), (reply) => ({ user: (newest = reply.body.id), name })],
          ["PATCH", `/Users/${busy}`, patch({ op: "add", path: "phoneNumbers", value: [{ value: name, type: `t-${name}` }] }), () => ({ phone: name })],
          ["PATCH", `/Groups/${team}`, addMembers([newest]), () => ({})],
          ["POST", "/Groups", group(name, [busy]), (reply) => ({ group: reply.body.id, name })],
        ][(lane + index) % 4];
        sent += 1;
        try {
          const reply = await scim.request(method, path, { body });
          if (reply.status < 300) answered.push([reply.headers["x-request-id"], check(reply)]);
          else assert.ok([503].includes(reply.status), `${method} ${path}: ${reply.text}`);
        } catch (error) {
          if (!killed) throw error;
        }
      }
    };
    const writing = Promise.allSettled(Array.from({ length: 12 }, (_, lane) => writer(lane)));
    const enough = before + 30 + 20 * round;
    const deadline = Date.now() + 60_000;
    while (answered.length < enough && Date.now() < deadline) await sleep(1);
    killed = true;
    process.kill(pid, "SIGKILL");
    const failed = (await writing).filter(({ status }) => status === "rejected");
    assert.deepEqual(failed.map(({ reason }) => reason.message), []);
    assert.ok(answered.length >= enough, `only ${answered.length - before} writes were answered before the end`);
    await world.stop().catch(() => {});

    pid = await start();
    scim = world.scim(scim, scim.token);
    await assertConsistent(world, scim);
    const events = new Map((await world.rows("select request_id, count(*) as n from audit_events where tenant_id = ?1 group by request_id", scim.id)).map(({ request_id, n }) => [request_id, n]));
    const users = new Map((await world.rows("select id, resource from users where tenant_id = ?1", scim.id)).map(({ id, resource }) => [id, JSON.parse(resource)]));
    const groups = new Map((await world.rows("select id, member_count from groups where tenant_id = ?1", scim.id)).map(({ id, member_count }) => [id, member_count]));
    const phones = new Set((users.get(busy).phoneNumbers ?? []).map(({ value }) => value));
    for (const [request, { user, phone, group, name }] of answered) {
      if (user) assert.equal(users.get(user)?.userName, `${name}@example.com`);
      if (phone) assert.ok(phones.has(phone), `the answered PATCH ${phone} is lost`);
      if (group) assert.equal(groups.get(group), 1);
      if (user || phone || group) assert.equal(events.get(request), 1, "an answered write without its event");
    }
    const total = async (table) => (await world.row(`select count(*) as n from ${table} where tenant_id = ?1`, scim.id)).n;
    const created = await world.row("select count(*) as n from audit_events where tenant_id = ?1 and action = 'create' and resource_type in ('User', 'Group')", scim.id);
    assert.equal(created.n, (await total("users")) + (await total("groups")), "a resource without the event of its creation, or the other way round");
    assert.ok((await total("audit_events")) <= sent + 2);
    assert.equal((await scim.request("GET", "/Users?count=1")).status, 200);
  }
  console.log(`${answered.length} of ${sent} writes were answered in ${ROUNDS} rounds`);
});
