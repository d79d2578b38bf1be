// A panic is the failure of one request and of nobody else: the bundle that is deployed unwinds. The worker has no panic of its own to
// trigger, so the database makes its D1 library panic (see support/faulty_d1.mjs).
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { eventually } from "./support/eventually.mjs";
import { PANIC, PANIC_TWICE, SLOW, faultyD1 } from "./support/faulty_d1.mjs";
import { user } from "./support/resources.mjs";
import { startWorld } from "./support/world.mjs";

let world, scim;
before(async () => {
  world = await startWorld(faultyD1);
  scim = await world.tenant();
});
after(() => world?.stop());

const create = (userName) => scim.request("POST", "/Users", { body: user(userName) });

/** The panic was one, and not an error that the worker had thought of. */
function assertPanicked(reply, panics) {
  assert.equal(reply.status, 500, reply.text);
  assert.equal(reply.body.status, "500");
  assert.equal(panicsLogged(), panics, `the log does not tell of ${panics} panics:\n${world.output}`);
}
const panicsLogged = () => world.output.match(/Rust panic: /g)?.length ?? 0;

test("one request that panics is answered 500 in SCIM's form, and ten others at the same time are answered as ever", async () => {
  const names = Array.from({ length: 10 }, (_, index) => `${SLOW}-${index}@example.com`);
  const finished = [];
  const noting = async (name) => {
    const reply = await create(name);
    finished.push(name);
    return reply;
  };
  const [first, second] = [names.slice(0, 5), names.slice(5)];
  const panicking = [...first, PANIC, ...second].map(noting);
  const replies = await Promise.all(panicking);
  const [panicked] = replies.splice(5, 1);

  assert.equal(finished[0], PANIC, "the panic was not while the others ran");
  assertPanicked(panicked, 1);
  assert.deepEqual(replies.map(({ status }) => status), names.map(() => 201), replies.map(({ text }) => text).join("\n"));
  const stored = await world.rows("select json_extract(resource, '$.userName') as name from users where tenant_id = ?1 order by 1", scim.id);
  assert.deepEqual(stored.map(({ name }) => name), names);
});

test("the instance goes on serving, panic after panic", async () => {
  for (let round = 0; round < 5; round += 1) {
    const [panicked, other] = await Promise.all([create(`${PANIC}-${round}`), create(`${SLOW}-round-${round}@example.com`)]);
    assertPanicked(panicked, 2 + round);
    assert.equal(other.status, 201, other.text);
    const list = await scim.request("GET", "/Users?count=0");
    assert.deepEqual([list.status, list.body.totalResults], [200, 11 + round]);
  }
});

test("a panic on an administrator's route is answered in that route's form", async () => {
  const before = panicsLogged();
  const reply = await world.admin("POST", "/tenants/", { name: `${PANIC}-tenant` });
  assert.equal(reply.status, 500);
  assert.equal(panicsLogged(), before + 1);
});

test("the journal has the request that panicked, and a panic while it is written there, after the reply, is told and breaks nothing", async () => {
  const failed = () => world.rows("select user_name, status from requests where tenant_id = ?1 and status = 500 order by user_name", scim.id);
  const expected = [PANIC, ...Array.from({ length: 5 }, (_, round) => `${PANIC}-${round}`)].map((user_name) => ({ user_name, status: 500 }));
  assert.deepEqual(await eventually(async () => ((rows) => rows.length >= expected.length && rows)(await failed()), "the rows of the journal"), expected);

  const before = panicsLogged();
  assert.equal((await create(PANIC_TWICE)).status, 500);
  await eventually(() => panicsLogged() === before + 2, "the second panic in the log");
  const other = await create("after-all@example.com");
  assert.equal(other.status, 201, other.text);
  assert.equal((await scim.request("GET", `/Users/${other.body.id}`)).status, 200);
  assert.deepEqual(await failed(), expected);
});
