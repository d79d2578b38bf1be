// examples/mirror-to-postgres, the program that a product copies, against both workers and a real PostgreSQL: it fills its tables, follows, takes
// webhooks that come twice, late, forged or not at all, and is the same as SCIM's lists at the end of each test.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { eventually } from "./support/eventually.mjs";
import { assertMirrors, deliveries, Mirror, newDatabase, readingToken, startRelay } from "./support/mirror.mjs";
import { missing, startPostgres } from "./support/postgres.mjs";
import { addMembers, group, patch, removeMembers, rename, user } from "./support/resources.mjs";
import { startWorld } from "./support/world.mjs";

const skip = missing && `there is no PostgreSQL: ${missing}`;
const BULK = "urn:ietf:params:scim:api:messages:2.0:BulkRequest";
let postgres, world, relay;
before(async () => {
  if (skip) return;
  [postgres, world, relay] = await Promise.all([startPostgres(), startWorld(), startRelay()]);
  await relay.leadTo(world);
});
after(async () => {
  relay?.stop();
  await world?.stop();
  await postgres?.stop();
});

/** A tenant, its mirror that is not started yet, and what asks for what the test is about. */
async function mirrored(t, env) {
  const scim = await world.tenant({ removal_fuse: null });
  const database = await newDatabase(postgres);
  const mirror = new Mirror({ relay, database, tenant: scim, env });
  t.after(async () => {
    await mirror.kill();
    await database.stop();
  });
  const ask = async (method, path, body) => {
    const reply = await scim.request(method, path, { body });
    assert.ok(reply.status < 300, `${method} ${path}: ${reply.text}`);
    return reply;
  };
  const make = async (path, body) => (await ask("POST", path, body)).body.id;
  /** The ids of so many users, made by Bulk. */
  const makeMany = async (count, name) => {
    const ids = [];
    for (let done = 0; done < count; done += 1_000) {
      const operation = (_, index) => ({ method: "POST", path: "/Users", bulkId: `b${index}`, data: user(`${name}-${done + index}@example.com`) });
      const { body } = await ask("POST", "/Bulk", { schemas: [BULK], Operations: Array.from({ length: Math.min(1_000, count - done) }, operation) });
      ids.push(...body.Operations.map(({ status, location }) => (assert.equal(String(status), "201"), location.split("/").at(-1))));
    }
    return ids;
  };
  const same = (milliseconds) => assertMirrors(world, scim, database, milliseconds);
  const filled = () => eventually(async () => (await database.number()) >= 0, "the mirror is filled", 30_000);
  return { scim, database, mirror, ask, make, makeMany, same, filled };
}

const any = (list) => list[Math.floor(Math.random() * list.length)];
const timesFilled = (mirror) => mirror.output.split("filled, up to change").length - 1;

describe("the mirror in a PostgreSQL", { skip, timeout: 120_000 }, () => {
  test("is filled, follows what happens, and goes on from its number after a day off", async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "rollcall-mirror-"));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const file = join(folder, "token");
    const { scim, database, mirror, ask, make, makeMany, same, filled } = await mirrored(t, { ROLLCALL_TOKEN: "", ROLLCALL_TOKEN_COMMAND: `cat '${file}'` });
    // One that ends in a few seconds, with the minute of leeway that there is; the command then has another.
    writeFileSync(file, `${readingToken(scim, { exp: Math.floor(Date.now() / 1000) - 56 })}\n`);
    const [ada, bob] = [await make("/Users", user("ada@example.com", { externalId: "a-1", active: false })), await make("/Users", user("bob@example.com", { displayName: "B\0b", title: "ß \\ 🦉" }))];
    const finance = await make("/Groups", group("Finance", [ada, bob]));
    await mirror.start();
    await filled();
    await same();
    writeFileSync(file, mirror.token);

    const many = await makeMany(3_000, "many");
    const everybody = await make("/Groups", group("Everybody"));
    await ask("PATCH", `/Groups/${everybody}`, addMembers(many));
    await ask("PATCH", `/Groups/${finance}`, addMembers([everybody, many[0]]));
    await ask("PATCH", `/Groups/${finance}`, rename("Finance and law"));
    await ask("PATCH", `/Groups/${everybody}`, removeMembers(many.slice(0, 5)));
    await ask("PATCH", `/Users/${ada}`, patch({ op: "replace", path: "active", value: true }, { op: "remove", path: "externalId" }));
    await ask("PATCH", `/Users/${bob}`, patch({ op: "replace", path: "active", value: false }));
    assert.deepEqual(await same(), { users: 3_002, groups: 2, memberships: 4 + 2_995 });

    const { headers } = await ask("DELETE", `/Users/${many[10]}`);
    await ask("DELETE", `/Users/${many[11]}`);
    assert.deepEqual(await same(), { users: 3_000, groups: 2, memberships: 4 + 2_993 });
    const undone = await world.admin("POST", "/undo/", { tenant_id: scim.id, request_ids: [headers["x-request-id"]], dry_run: false });
    assert.equal(undone.status, 200, undone.text);
    assert.deepEqual(await same(), { users: 3_001, groups: 2, memberships: 4 + 2_994 });

    await mirror.kill();
    await makeMany(500, "meanwhile");
    await ask("DELETE", `/Groups/${everybody}`);
    await ask("PUT", `/Groups/${finance}`, group("Finance", [bob], { externalId: "g-1" }));
    await ask("DELETE", `/Users/${ada}`);
    await mirror.start();
    assert.deepEqual(await same(), { users: 3_500, groups: 1, memberships: 1 });
    assert.equal(timesFilled(mirror), 1, mirror.output);
    assert.deepEqual(await database.rows("select active from users where user_name = 'bob@example.com'"), [{ active: false }]);

    // Filled anew from eight pages, while people on all of them change.
    await mirror.kill();
    await database.rows("update mirror set seq = null");
    await mirror.start();
    const writer = async (lane) => {
      for (let index = lane; timesFilled(mirror) < 2; index += 16) {
        const id = many[100 + ((index * 37) % 2_500)];
        const change = any(["off", "named", "member", "gone"]);
        const value = change === "off" ? [`/Users/${id}`, patch({ op: "replace", path: "active", value: false })] : [`/Users/${id}`, patch({ op: "add", path: "displayName", value: `${lane}` })];
        const [path, body] = change === "member" ? [`/Groups/${finance}`, addMembers([id])] : value;
        await scim.request(change === "gone" ? "DELETE" : "PATCH", path, { body: change === "gone" ? undefined : body });
      }
    };
    await Promise.all(Array.from({ length: 16 }, (_, lane) => writer(lane)));
    const { users } = await same();
    assert.ok(users < 3_500, "nobody changed meanwhile");
  });

  test("knows of a change within a second", async (t) => {
    const { database, mirror, make, same, filled } = await mirrored(t);
    await mirror.start();
    await filled();
    const took = [];
    for (let index = 0; index < 20; index += 1) {
      const id = await make("/Users", user(`user-${index}@example.com`));
      const started = performance.now();
      await eventually(async () => (await database.rows("select from users where id = $1", id)).length, "the row", 10_000);
      took.push(performance.now() - started);
    }
    took.sort((one, other) => one - other);
    t.diagnostic(`from a reply to its row in the mirror by the feed: p50 ${Math.round(took[10])} ms, at most ${Math.round(took[19])} ms`);
    assert.ok(took[10] < 1_000, `p50 ${took[10]} ms`);
    await same();
  });

  test("runs twice on the same tables, as while a new version takes over", async (t) => {
    const { scim, database, mirror, ask, make, makeMany, same } = await mirrored(t);
    const ids = await makeMany(50, "user");
    const twin = new Mirror({ relay, database, tenant: scim });
    t.after(() => twin.kill());
    await Promise.all([mirror.start(), twin.start()]);
    const team = await make("/Groups", group("Team"));
    for (const [index, id] of ids.entries()) {
      await ask("PATCH", `/Groups/${team}`, addMembers([id]));
      await ask("PATCH", `/Users/${id}`, patch({ op: "replace", path: "active", value: index % 2 === 0 }));
      if (index % 3 === 0) await ask("DELETE", `/Users/${id}`);
      if (index === 25) await mirror.kill();
    }
    assert.deepEqual(await same(), { users: 33, groups: 1, memberships: 33 });
  });

  test("is filled anew where the feed does not go on from its number, and what is there no more goes", async (t) => {
    const { scim, database, mirror, ask, make, makeMany, same, filled } = await mirrored(t);
    const [ada, bob] = await makeMany(2, "user");
    const team = await make("/Groups", group("Team", [ada, bob]));
    await mirror.start();
    await filled();
    await same();
    await mirror.kill();
    // As after a restore of Rollcall's database: the mirror is ahead of it, and has what is there no more.
    await database.rows("update mirror set seq = 1000000");
    await database.rows("insert into users values ('ghost', 'ghost@example.com', null, null, true, '{}', 1000000)");
    await database.rows("insert into groups values ('gone', 'Gone', null, '{}', 1000000)");
    await database.rows("insert into memberships values ('gone', 'ghost', 1000000), ($1, 'ghost', 1000000)", team);
    await database.rows("update users set seq = 1000000, user_name = 'as it was after'");
    await mirror.start();
    await eventually(() => timesFilled(mirror) === 2, "it is filled anew", 30_000);
    await ask("PATCH", `/Groups/${team}`, removeMembers([ada]));
    assert.deepEqual(await same(), { users: 2, groups: 1, memberships: 1 });

    // As after months: what came next is not kept any more.
    await mirror.kill();
    await ask("DELETE", `/Users/${ada}`);
    await ask("PATCH", `/Groups/${team}`, rename("The team"));
    await purge(scim);
    await mirror.start();
    await eventually(() => timesFilled(mirror) === 3, "it is filled once more", 30_000);
    assert.match(mirror.output, /\(422\): all is read anew[^]*\(410\): all is read anew/);
    assert.deepEqual(await same(), { users: 1, groups: 1, memberships: 1 });
  });

  test("takes webhooks that continue where it is, and for anything else asks the feed", async (t) => {
    const { scim, database, mirror, ask, make, makeMany, same, filled } = await mirrored(t, { FEED_SECONDS: "3600" });
    const [ada, bob, cy] = await makeMany(3, "user");
    await mirror.start({ webhooks: true });
    await filled();
    const feed = `/tenants/${scim.id}/events`;
    const began = await database.number();
    await eventually(() => relay.asked(feed), "its first look at the feed");
    const looks = relay.asked(feed);

    const team = await make("/Groups", group("Team", [ada, bob]));
    await ask("PATCH", `/Groups/${team}`, removeMembers([ada]));
    await ask("PATCH", `/Users/${cy}`, patch({ op: "replace", path: "active", value: false }));
    const first = await deliveries(world, scim, began);
    for (const delivery of first) assert.equal(await mirror.deliver(delivery), 204);
    await same(1_000);
    const own = () => relay.asked(feed) - looks;
    assert.equal(own(), 0, "the feed was asked, though nothing was missing");

    await ask("PATCH", `/Users/${cy}`, patch({ op: "replace", path: "active", value: true }));
    await ask("DELETE", `/Users/${bob}`);
    const [later, last, ...more] = await deliveries(world, scim, first.at(-1).through);
    assert.equal(more.length, 0);
    const state = async () => JSON.stringify(await database.rows("select (select json_agg(u order by id) from users u), (select json_agg(m) from memberships m), (select seq from mirror)"));
    const untouched = await state();
    for (const [what, options, body] of [
      ["signed with another secret", { secret: `whsec_${Buffer.alloc(32, 7).toString("base64")}` }],
      ["changed on the way", { tampered: (text) => text.replace('"active":true', '"active":false') }],
      ["six minutes old", { at: Date.now() - 6 * 60_000 }],
      ["from six minutes ahead", { at: Date.now() + 6 * 60_000 }],
      ["with another's id", { headers: { "webhook-id": "another" } }],
      ["without a signature", { headers: { "webhook-signature": "" } }],
      ["with a signature of another version", { headers: { "webhook-signature": "v2,AAAA" } }],
    ]) {
      assert.equal(await mirror.deliver(body ?? later, options), 401, what);
      assert.equal(await state(), untouched, what);
    }
    assert.equal(await mirror.deliver({ ...later, tenant_id: "another" }), 400);
    assert.equal(await state(), untouched, "of another tenant");
    for (const old of [...first].reverse()) assert.equal(await mirror.deliver(old), 204);
    assert.equal(await state(), untouched, "what came before, again and in another order");
    assert.equal(own(), 0);

    assert.equal(await mirror.deliver(last), 204, "one is missing before it");
    await same(1_000);
    assert.ok(own() > 0, "the feed has it");
    const complete = await state();
    assert.equal(await mirror.deliver(later), 204, "what was missing comes late");
    assert.equal(await state(), complete);

    // A stream without batches sends one event at a time, and may name what the mirror does not keep.
    await ask("PATCH", `/Users/${ada}`, patch({ op: "add", path: "displayName", value: "Ada" }));
    const [single] = await deliveries(world, scim, last.through);
    const event = { ...single.events[0], after: single.after, through: single.through };
    assert.equal(await mirror.deliver(event), 204);
    await same(1_000);
    assert.equal(await mirror.deliver({ ...event, id: "x", type: "sync.finished", seq: event.seq + 1, resource: null, data: null, after: event.seq, through: event.seq }), 204);
    await same(1_000);
  });
});

/** All events that there are become older than they are kept, and the clock's work lets go of them. */
async function purge({ id }) {
  await world.rows("update audit_events set at = 0 where tenant_id = ?1", id);
  await world.rows("update tenants set upkeep_at = 0 where id = ?1", id);
  await world.tick();
  await eventually(async () => (await world.row("select min(at) as first from audit_events where tenant_id = ?1", id)).first > 0, "they go");
}
