// An export as it comes through both workers: in pieces, as fast as it is read, and never in memory at once.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { eventually } from "./support/eventually.mjs";
import { watchMemory } from "./support/isolate_memory.mjs";
import { user } from "./support/resources.mjs";
import { ADMIN, adminToken, JOBS, ORIGIN, startWorld } from "./support/world.mjs";

const USERS = 100_000;
const MB = 1024 * 1024;
/** The least that so many users have as lines. */
const BYTES = USERS * 700;

let world;
before(async () => (world = await startWorld({ inspector: true })));
after(() => world?.stop());

/** Users of some 700 bytes, ten to a group, behind the workers' back. */
async function fill({ id }) {
  const rows = (insert) => world.db.prepare(`with recursive n (i) as (select 0 union all select i + 1 from n where i + 1 < ${USERS}) ${insert}`).bind(id).run();
  await rows(
    `insert into users (tenant_id, id, provider_id, version, created_at, modified_at, resource, keys)
     select ?1, printf('00000000-0000-7000-8000-%012d', i), '', 1, 0, 0,
     json_object('schemas', json_array('urn:ietf:params:scim:schemas:core:2.0:User'), 'userName', 'u' || i, 'title', '${"x".repeat(600)}'), json_object('username', 'u' || i) from n`,
  );
  await rows(
    `insert into group_members (tenant_id, group_id, member_id, member_type)
     select ?1, printf('00000000-0000-7000-9000-%012d', i / 10), printf('00000000-0000-7000-8000-%012d', i), 'User' from n`,
  );
}

const exported = ({ id }, method = "GET") => world.mf.dispatchFetch(`${ORIGIN}${ADMIN}/tenants/${id}/export`, { method, headers: { authorization: `Bearer ${adminToken()}` } });

/** The lines of a body, one after the other. */
async function* lines(body) {
  let rest = "";
  for await (const piece of body.pipeThrough(new TextDecoderStream())) {
    const whole = (rest + piece).split("\n");
    rest = whole.pop();
    yield* whole;
  }
  assert.equal(rest, "", "the last line has an end");
}

/** Reads an export, line by line: how much there was of what. */
async function readThrough(tenant) {
  const reply = await exported(tenant);
  assert.deepEqual([reply.status, reply.headers.get("content-type")], [200, "application/x-ndjson"]);
  assert.match(reply.headers.get("x-request-id"), /^[0-9a-f-]{36}$/);
  const counts = { heads: 0, users: 0, members: 0, bytes: 0 };
  let last = "";
  for await (const line of lines(reply.body)) {
    const { rollcall_export, id, members } = JSON.parse(line);
    counts.bytes += line.length + 1;
    counts.heads += rollcall_export === 1 ? 1 : 0;
    counts.members += members?.length ?? 0;
    if (!id) continue;
    assert.ok(id > last, "in the order of their ids");
    last = id;
    counts.users += 1;
  }
  return counts;
}

test("a hundred thousand users come as lines, each once, and neither worker holds them all", async () => {
  const tenant = await world.createTenant();
  await fill(tenant);
  const [first, jobs] = [await watchMemory(world), await watchMemory(world, JOBS)];
  const before = [await first.wasm(), await jobs.wasm()];
  const whole = await first.during(() => jobs.during(() => readThrough(tenant)));
  const { result, ...ofJobs } = whole.result;
  assert.deepEqual({ ...result, bytes: result.bytes > BYTES }, { heads: 1, users: USERS, members: USERS, bytes: true });
  for (const [index, { wasm, heap, buffers }] of [whole, ofJobs].entries()) {
    const figures = [wasm, before[index], heap, buffers].map((bytes) => (bytes / MB).toFixed(1));
    const told = `${["the first", "the jobs worker"][index]}: ${figures[0]} MB of wasm (${figures[1]} before), at most ${figures[2]} of JavaScript and ${figures[3]} in buffers`;
    console.log(told);
    // The lines have a hundred.
    assert.ok(wasm - before[index] + heap + buffers < 48 * MB, told);
  }
  first.close();
  jobs.close();
});

test("HEAD has its headers and no body, and a tenant without anybody is one line", async () => {
  const tenant = await world.createTenant();
  const head = await exported(tenant, "HEAD");
  assert.deepEqual([head.status, head.headers.get("content-type"), await head.text()], [200, "application/x-ndjson", ""]);
  const text = await (await exported(tenant)).text();
  assert.deepEqual([text.split("\n").length, JSON.parse(text).users], [2, 0]);
});

// workerd on this machine ends such a body as one that is whole: whoever reads it counts, by what the first line says.
test("a database that fails on the way breaks the reply off, the log says so, and the next request is answered", async () => {
  const scim = await world.tenant();
  await fill(scim);
  const reply = await exported(scim);
  assert.equal(reply.status, 200);
  const came = [];
  for await (const line of lines(reply.body)) {
    if (came.length === 0) await world.db.prepare("alter table users rename to gone").run();
    came.push(JSON.parse(line));
  }
  await world.db.prepare("alter table gone rename to users").run();
  const [head, ...rest] = came;
  assert.ok(rest.length > 0 && rest.length < USERS, `${rest.length} lines came`);
  assert.ok(rest.every(({ userName }) => userName), "users, and nothing in the place of those that are missing");
  assert.deepEqual([head.rollcall_export, head.tenant], [1, scim.id]);
  const [line] = await eventually(() => ((told) => told.length && told)(world.logged('"export":')), "the line in the log");
  assert.equal(line.export, scim.id);
  assert.match(line.error, /users/);
  assert.equal((await scim.request("POST", "/Users", { body: user("later@example.com") })).status, 201);
});
