// A tenant moves to another database while sixteen writers use it: no write that was answered is lost, none is there twice, and all that was there is there.
// `npm run bench:move` does the same with as many users as one likes.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { assertConsistent } from "./support/consistency.mjs";
import { populatedWorld } from "./support/populated_world.mjs";
import { groupId } from "./support/population.mjs";
import { addMembers, patch, removeMembers, user } from "./support/resources.mjs";
import { scaleOf } from "./support/scale.mjs";

const USERS = Number(process.env.ROLLCALL_MOVE_USERS || 2_000);
const WRITERS = 16;
const LIMIT_MS = 120_000 + USERS * 30;
const MOVING = ["copying", "catching_up", "checking", "switching"];

let world, scim, end;
before(async () => {
  const scale = { ...scaleOf(USERS, Math.min(USERS, 1_000)), others: { each: 1, users: 20, sizes: [10] } };
  ({ world, scim, end } = await populatedWorld({ scale, databases: ["eu:jurisdiction=eu"] }));
});
after(() => end?.());

/** A client that writes until it is told to stop, and knows what it was answered. What is answered 503 is sent again. */
class Writer {
  /** By the id: what its nickname is by the last answer, and whether it is deleted. */
  known = new Map();
  writes = 0;
  again = 0;
  longest = 0;

  constructor(number) {
    this.number = number;
  }

  async send(method, path, body, statuses) {
    const started = performance.now();
    for (;;) {
      const reply = await scim.request(method, path, { body });
      if (reply.status === 503) {
        assert.ok(Number(reply.headers["retry-after"]) > 0);
        this.again += 1;
        await sleep(100 + Math.random() * 100);
        continue;
      }
      assert.ok(statuses.includes(reply.status), `${method} ${path}: ${reply.status} ${reply.text}`);
      this.longest = Math.max(this.longest, performance.now() - started);
      this.writes += 1;
      return reply;
    }
  }

  async run(isOver) {
    for (let round = 0; !isOver(); round += 1) {
      const name = `writer-${this.number}-${round}@example.com`;
      // A create whose answer was lost and that is sent again is refused, because it is there.
      const made = await this.send("POST", "/Users", user(name), [201, 409]);
      const id = made.body.id ?? (await scim.request("GET", `/Users?filter=${encodeURIComponent(`userName eq "${name}"`)}`)).body.Resources[0].id;
      const one = { name, nick: undefined, deleted: false };
      this.known.set(id, one);
      for (const nick of ["first", "second"]) {
        await this.send("PATCH", `/Users/${id}`, patch({ op: "replace", path: "nickName", value: `${nick} ${round}` }), [200]);
        one.nick = `${nick} ${round}`;
        const { status, body } = await scim.request("GET", `/Users/${id}`);
        if (status !== 503) assert.equal(body.nickName, one.nick, "what was written is not read");
      }
      await this.send("PATCH", `/Groups/${groupId(0)}`, addMembers([id]), [200, 204]);
      if (round % 3 === 1) await this.send("PATCH", `/Groups/${groupId(0)}`, removeMembers([id]), [200, 204]);
      one.member = round % 3 !== 1;
      if (round % 3 === 2) {
        await this.send("DELETE", `/Users/${id}`, undefined, [204, 404]);
        one.deleted = true;
      }
    }
  }
}

const of = (name) => ({ rows: (...query) => world.rowsIn(name, ...query), row: async (...query) => (await world.rowsIn(name, ...query))[0] });

/** One digest of everybody who was there before, by their rows as they stand. */
async function digest(name) {
  const hash = createHash("sha256");
  let count = 0;
  for (let last = ""; ; ) {
    const rows = await world.rowsIn(name, "select * from users where tenant_id = ?1 and id > ?2 and id < '01900000-2' order by id limit 2000", scim.id, last);
    if (rows.length === 0) return { count, digest: hash.digest("hex") };
    for (const row of rows) hash.update(JSON.stringify(row));
    count += rows.length;
    last = rows.at(-1).id;
  }
}

const tables = async () => (await world.rows("select name from sqlite_master where type = 'table' and instr(sql, 'tenant_id text') > 0")).map(({ name }) => name);

async function move(database, watch = () => {}) {
  const begun = await world.admin("POST", `/tenants/${scim.id}/move`, { database });
  assert.equal(begun.status, 202, begun.text);
  const started = Date.now();
  for (;;) {
    const { status, body, text } = await world.admin("GET", `/tenants/${scim.id}/move`);
    assert.equal(status, 200, text);
    watch(body.data);
    if (!MOVING.includes(body.data.status) && body.data.status !== "purging") return body.data;
    assert.ok(Date.now() - started < LIMIT_MS, `it is ${text} after ${Date.now() - started} ms`);
    await sleep(100);
  }
}

test(`${USERS} users move while ${WRITERS} clients write`, { timeout: LIMIT_MS + 120_000 }, async (context) => {
  const before = await digest("main");
  assert.equal(before.count, USERS);
  const writers = Array.from({ length: WRITERS }, (_, number) => new Writer(number));
  let isOver = false;
  const all = Promise.all(writers.map((writer) => writer.run(() => isOver)));
  await Promise.race([all, sleep(1_000)]);
  const started = performance.now();
  let switched;
  const seen = new Set();
  const moved = await Promise.race([
    move("eu", ({ status }) => {
      seen.add(status);
      if (!MOVING.includes(status)) switched ??= performance.now();
    }),
    all.then(() => assert.fail("the writers have ended")),
  ]).finally(() => (isOver = true));
  const took = performance.now() - started;
  await all;
  assert.equal(moved.status, "done", JSON.stringify(moved));
  const sum = (of) => writers.reduce((total, writer) => total + of(writer), 0);
  const longest = Math.max(...writers.map((writer) => writer.longest));
  context.diagnostic(`moved in ${Math.round(switched - started)} ms, cleared up after ${Math.round(took)} ms; writes paused for ${moved.pause_ms} ms, the longest write took ${Math.round(longest)} ms`);
  context.diagnostic(`${sum((writer) => writer.writes)} writes meanwhile, ${sum((writer) => writer.again)} answers of 503; ${moved.rows_copied} rows copied, ${moved.rows_caught_up} caught up with; digest ${moved.digest}`);
  assert.ok(moved.pause_ms <= 5_000, `writes were paused for ${moved.pause_ms} ms`);
  assert.match(moved.digest, /^[0-9a-f]{64}$/);

  // Everything that was answered is there, once.
  const eu = of("eu");
  const members = new Set((await eu.rows("select member_id from group_members where tenant_id = ?1 and group_id = ?2", scim.id, groupId(0))).map(({ member_id }) => member_id));
  const rows = await eu.rows("select id, resource from users where tenant_id = ?1 and id > '01900000-2'", scim.id);
  const there = new Map(rows.map(({ id, resource }) => [id, JSON.parse(resource)]));
  let count = 0;
  for (const { known } of writers) {
    for (const [id, { name, nick, deleted, member }] of known) {
      assert.equal(there.has(id), !deleted, `${name} is ${deleted ? "there though it was deleted" : "lost"}`);
      if (deleted) continue;
      count += 1;
      assert.equal(there.get(id).userName, name);
      assert.equal(there.get(id).nickName, nick, name);
      assert.equal(members.has(id), member, `${name} as a member`);
    }
  }
  assert.equal(rows.length, count, "there are more than were made");
  assert.deepEqual(await digest("eu"), before);
  await assertConsistent(eu, scim);
  for (const table of await tables()) {
    if (["directory", "moves", "placements", "move_fences"].includes(table)) continue;
    assert.deepEqual(await world.rows(`select count(*) as n from ${table} where tenant_id = ?1`, scim.id), [{ n: 0 }], `${table} is not cleared`);
  }
  for (const name of ["main", "eu"]) assert.deepEqual(await world.rowsIn(name, "select name from sqlite_master where type = 'trigger' and instr(name, ?)", scim.id), [], `triggers are left in ${name}`);
  assert.deepEqual(await world.rows("select id from tenants where id = ?", scim.id), []);

  // It goes on there, by its token alone too.
  assert.equal((await scim.request("POST", "/Users", { body: user("after@example.com"), base: "token" })).status, 201);
  assert.equal((await world.admin("GET", `/tenants/${scim.id}`)).body.data.database, "eu");
});

test("it moves back, and a move is cancelled while it copies", { timeout: LIMIT_MS }, async () => {
  assert.equal((await move("main")).status, "done");
  assert.deepEqual(await world.rowsIn("eu", "select id from users where tenant_id = ? limit 1", scim.id), []);
  await assertConsistent(world, scim);
  assert.equal((await world.admin("POST", `/tenants/${scim.id}/move`, { database: "eu" })).status, 202);
  const cancelled = await world.admin("DELETE", `/tenants/${scim.id}/move`);
  assert.ok([202, 204].includes(cancelled.status), cancelled.text);
  for (let status = "cancelling", tries = 0; status !== "cancelled"; tries += 1) {
    assert.ok(tries < 300, `it is ${status}`);
    await sleep(100);
    ({ status } = (await world.admin("GET", `/tenants/${scim.id}/move`)).body.data);
  }
  assert.deepEqual(await world.rowsIn("eu", "select id from users where tenant_id = ? limit 1", scim.id), []);
  assert.equal((await scim.request("POST", "/Users", { body: user("stays@example.com") })).status, 201);
});
