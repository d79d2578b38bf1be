// Rollcall's own webhooks into examples/mirror-to-postgres: each in time; and through a postman who loses some, brings others twice, and finds old ones
// again, while the mirror is killed.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { eventually } from "./support/eventually.mjs";
import { assertMirrors, Mirror, newDatabase, startRelay } from "./support/mirror.mjs";
import { missing, startPostgres } from "./support/postgres.mjs";
import { addMembers, group, patch, removeMembers, rename, user } from "./support/resources.mjs";
import { adminToken, bothWorkers, settings, startWorld } from "./support/world.mjs";

const skip = missing && `there is no PostgreSQL: ${missing}`;
let postgres, relay, world;
before(async () => {
  if (skip) return;
  const workers = bothWorkers({ d1Databases: ["DB"], bindings: { ...settings, LOCAL_DEVELOPMENT: "on" } });
  [postgres, relay, world] = await Promise.all([startPostgres(), startRelay(), startWorld({ workers })]);
  await relay.leadTo(world);
});
after(async () => {
  relay?.stop();
  await world?.stop();
  await postgres?.stop();
});

const any = (list) => list[Math.floor(Math.random() * list.length)];

/** Where Rollcall delivers to. A bad postman is honest to nobody: what he loses, he says that it was taken. */
async function startPostman(mirror, { isBad }) {
  const kept = [];
  const counts = { brought: 0, lost: 0, again: 0 };
  const server = createServer(async (request, response) => {
    const headers = Object.fromEntries(Object.entries(request.headers).filter(([name]) => name.startsWith("webhook-")));
    const letter = [await text(request), headers];
    kept.push(letter);
    const chance = isBad ? Math.random() : 1;
    if (chance < 0.2) {
      counts.lost += 1;
      return response.writeHead(200).end();
    }
    const status = await mirror.hand(...letter);
    if (status === 204) counts.brought += 1;
    for (const again of chance < 0.5 ? [letter, any(kept), any(kept)] : []) {
      const taken = await mirror.hand(...again);
      assert.ok([204, 503, null].includes(taken), `an old delivery is answered ${taken}`);
      counts.again += 1;
    }
    return response.writeHead(status ?? 502).end();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return { counts, url: `http://127.0.0.1:${server.address().port}/`, stop: () => (server.close(), server.closeAllConnections()) };
}

async function mirrored(t, { isBad, batch, feed }) {
  const scim = await world.tenant({ removal_fuse: null });
  const database = await newDatabase(postgres);
  const mirror = new Mirror({ relay, database, tenant: scim, env: { FEED_SECONDS: feed } });
  const postman = await startPostman(mirror, { isBad });
  const made = await world.request("POST", `/api/v1/tenants/${scim.id}/event-streams/`, {
    auth: `Bearer ${adminToken({})}`,
    body: { name: "the mirror", kind: "webhook", url: postman.url, types: ["*"], batch },
  });
  assert.equal(made.status, 201, made.text);
  mirror.secret = made.body.data.secret;
  t.after(async () => {
    await mirror.kill();
    await database.stop();
    postman.stop();
  });
  const ask = async (method, path, body) => {
    const reply = await scim.request(method, path, { body });
    assert.ok(reply.status < 300, `${method} ${path}: ${reply.text}`);
    return reply.body?.id;
  };
  await mirror.start({ webhooks: true });
  await eventually(async () => (await database.number()) >= 0, "the mirror is filled", 30_000);
  return { scim, database, mirror, postman, ask };
}

describe("Rollcall's webhooks into the mirror", { skip, timeout: 120_000 }, () => {
  test("bring a change within a second, and the feed is not asked", async (t) => {
    const { scim, database, postman, ask } = await mirrored(t, { batch: 1, feed: "3600" });
    await ask("POST", "/Users", user("first@example.com"));
    await eventually(() => postman.counts.brought > 0, "the first delivery", 10_000);
    await assertMirrors(world, scim, database);
    const feed = `/tenants/${scim.id}/events`;
    const looks = relay.asked(feed);
    const took = [];
    for (let index = 0; index < 20; index += 1) {
      const id = await ask("POST", "/Users", user(`user-${index}@example.com`));
      const started = performance.now();
      await eventually(async () => (await database.rows("select from users where id = $1", id)).length, "the row", 10_000);
      took.push(performance.now() - started);
    }
    took.sort((one, other) => one - other);
    t.diagnostic(`from a reply to its row in the mirror by a webhook: p50 ${Math.round(took[10])} ms, at most ${Math.round(took[19])} ms`);
    assert.ok(took[10] < 1_000, `p50 ${took[10]} ms`);
    const team = await ask("POST", "/Groups", group("Team", [any([await ask("POST", "/Users", user("member@example.com"))])]));
    await ask("PATCH", `/Groups/${team}`, rename("The team"));
    await assertMirrors(world, scim, database);
    assert.equal(relay.asked(feed) - looks, 0, "nothing was missing");
  });

  for (const batch of [1, 100]) {
    test(`${batch} to a delivery: lost, brought twice and found again, the mirror is what SCIM's lists are`, async (t) => {
      const { scim, database, mirror, postman, ask } = await mirrored(t, { isBad: true, batch, feed: "1" });
      const [users, groups] = [[], []];
      for (let index = 0; index < 120; index += 1) {
        users.push(await ask("POST", "/Users", user(`user-${index}@example.com`)));
        if (index % 10 === 0) groups.push(await ask("POST", "/Groups", group(`group ${index}`, users.slice(-10))));
        await ask("PATCH", `/Groups/${any(groups)}`, any([addMembers([any(users)]), removeMembers([any(users)]), rename(`renamed ${index}`)]));
        await ask("PATCH", `/Users/${any(users)}`, patch({ op: "replace", path: "active", value: index % 2 === 0 }));
        if (index % 7 === 0) await ask("DELETE", `/Users/${users.splice(Math.floor(Math.random() * users.length), 1)[0]}`);
        if (index % 40 === 20) {
          await mirror.kill();
          await sleep(Math.random() * 500);
          await mirror.start({ webhooks: true });
        }
      }
      const counts = await assertMirrors(world, scim, database);
      t.diagnostic(`${JSON.stringify(postman.counts)}, at the end ${JSON.stringify(counts)}`);
      assert.ok(postman.counts.brought > 5 && postman.counts.lost > 0 && postman.counts.again > 0, JSON.stringify(postman.counts));
    });
  }
});
