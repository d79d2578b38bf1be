// The mirror of examples/mirror-to-postgres and the runtime of both workers are killed (kill -9) at random moments, while several clients write;
// deliveries come twice, in another order, or not at all. At the end its tables are what SCIM's lists are. `ROLLCALL_KILLS=50` does it so often.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { assertConsistent } from "./support/consistency.mjs";
import { assertMirrors, deliveries, Mirror, newDatabase, startRelay } from "./support/mirror.mjs";
import { missing, startPostgres } from "./support/postgres.mjs";
import { addMembers, group, patch, removeMembers, rename, user } from "./support/resources.mjs";
import { runtime } from "./support/runtime_process.mjs";
import { startWorld } from "./support/world.mjs";

const skip = missing && `there is no PostgreSQL: ${missing}`;
const KILLS = Number(process.env.ROLLCALL_KILLS ?? 10);
const WRITERS = 6;
const persist = mkdtempSync(join(tmpdir(), "rollcall-mirror-kill-"));
let postgres, relay, world;
before(async () => {
  if (skip) return;
  [postgres, relay, world] = await Promise.all([startPostgres(), startRelay(), startWorld({ persist })]);
  await relay.leadTo(world);
});
after(async () => {
  relay?.stop();
  await world?.stop().catch(() => {});
  await postgres?.stop();
  rmSync(persist, { recursive: true, force: true, maxRetries: 5 });
});

const any = (list) => list[Math.floor(Math.random() * list.length)];

/** Writes whatever comes to its mind until it is told to end; a runtime that is away is waited for. */
async function write(scim, lane, until, written) {
  const [users, groups] = [[], []];
  for (let index = 0; !until.ended; index += 1) {
    const name = `${lane}-${index}`;
    const [who, where] = [any(users), any(groups)];
    const choices = [
      ["POST", "/Users", user(`${name}@example.com`, { displayName: name }), ({ id }) => users.push(id)],
      ["POST", "/Groups", group(name, who ? [who] : []), ({ id }) => groups.push(id)],
      who && ["PATCH", `/Users/${who}`, patch({ op: "replace", path: "active", value: index % 2 === 0 })],
      who && ["PATCH", `/Users/${who}`, patch({ op: "replace", path: "userName", value: `renamed-${name}@example.com` }, { op: "add", path: "externalId", value: name })],
      where && ["PATCH", `/Groups/${where}`, addMembers([who, any(users), any(users)].filter(Boolean))],
      where && ["PATCH", `/Groups/${where}`, removeMembers([who ?? "nobody"])],
      where && ["PATCH", `/Groups/${where}`, rename(`renamed ${name}`)],
      where && ["PUT", `/Groups/${where}`, group(`put ${name}`, users.slice(-20))],
      who && index % 3 === 0 && ["DELETE", `/Users/${who}`, undefined, () => users.splice(users.indexOf(who), 1)],
      where && index % 5 === 0 && ["DELETE", `/Groups/${where}`, undefined, () => groups.splice(groups.indexOf(where), 1)],
    ];
    const [method, path, body, then = () => {}] = any(choices.filter(Boolean));
    try {
      const reply = await scim.request(method, path, { body });
      // After a write whose reply was lost somebody may be gone, or a name be taken.
      assert.ok(reply.status < 300 || [400, 404, 409, 503].includes(reply.status), `${method} ${path}: ${reply.status} ${reply.text}`);
      if (reply.status < 300) written.count += 1;
      if (reply.status < 300) then(reply.body);
      else if (reply.status === 404) [users, groups].forEach((list) => [who, where].forEach((id) => list.includes(id) && list.splice(list.indexOf(id), 1)));
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error;
      await sleep(50);
    }
  }
}

/** Delivers what happens, as a stream does, only badly: some of it never, some twice, some long after. */
async function deliver(scim, mirror, until, sent) {
  const all = [];
  while (!until.ended) {
    try {
      all.push(...(await deliveries(world, scim, all.at(-1)?.through ?? 0)).map((delivery) => ({ delivery, at: Math.random() < 0.2 ? Infinity : all.length + Math.floor(Math.random() * 3) })));
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error;
    }
    const now = all.filter(({ at, done }) => !done && at !== Infinity).sort((one, other) => one.at - other.at);
    for (const one of now) one.done = true;
    const again = all.length ? [any(all), any(all), any(all)] : [];
    for (const { delivery } of [...now, ...again]) {
      const status = await mirror.deliver(delivery);
      assert.ok([204, 503, null].includes(status), `a delivery is answered ${status}`);
      if (status === 204) sent.count += 1;
    }
    await sleep(20);
  }
}

test(`killed ${KILLS} times, the mirror is what SCIM's lists are`, { skip, timeout: 60_000 + 5_000 * KILLS }, async (t) => {
  const scim = await world.tenant({ removal_fuse: null });
  // The world changes under it.
  const client = { ...scim, request: (method, path, options) => world.scim(scim, scim.token).request(method, path, options) };
  const database = await newDatabase(postgres);
  const mirror = new Mirror({ relay, database, tenant: scim, env: { FEED_SECONDS: "1" } });
  const [until, written, sent] = [{ ended: false }, { count: 0 }, { count: 0 }];
  await mirror.start({ webhooks: true });
  const work = [...Array.from({ length: WRITERS }, (_, lane) => write(client, lane, until, written)), deliver(scim, mirror, until, sent)];
  const failed = Promise.all(work);
  failed.catch(() => {});
  const calm = async () => {
    try {
      for (let kill = 0; kill < KILLS; kill += 1) {
        await Promise.race([failed, sleep(200 + Math.random() * 1_300)]);
        if (kill % 3 === 1) {
          await relay.leadTo(undefined);
          process.kill(runtime(), "SIGKILL");
          await world.stop().catch(() => {});
          world = await startWorld({ persist });
          await relay.leadTo(world);
        } else {
          await mirror.kill();
          if (kill % 3 === 2) await sleep(Math.random() * 1_000); // a while off
          if (kill % 6 === 3) await database.rows("update mirror set seq = null"); // filled anew, while others write
          await mirror.start({ webhooks: true });
        }
      }
      await Promise.race([failed, sleep(500)]);
    } finally {
      until.ended = true;
    }
    await failed;
  };
  try {
    await calm();
    await assertConsistent(world, scim);
    const counts = await assertMirrors(world, client, database);
    t.diagnostic(`${KILLS} kills, ${written.count} writes, ${sent.count} deliveries taken, at the end ${JSON.stringify(counts)}`);
    assert.ok(written.count > 100 && sent.count > 100, "little was done");
  } finally {
    await mirror.kill();
    await database.stop();
  }
});
