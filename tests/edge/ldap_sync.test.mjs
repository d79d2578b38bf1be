// Directory sync in workerd against a real LDAP server: the whole life, the clock, progress while it runs, and what it costs, within what the platform
// gives. `npm run bench:sync` runs the same at 50,000 users and 1,000 groups; the ratios hold at any size.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { memory as memoryOf, workerds } from "../../benches/load/workerd.mjs";
import { assertConsistent } from "./support/consistency.mjs";
import { population, userDn } from "./support/directory_population.mjs";
import { SLOW, onFaultyD1 } from "./support/faulty_d1.mjs";
import { watchMemory } from "./support/isolate_memory.mjs";
import { replaceEach } from "./support/ldap_writer.mjs";
import { BASE, READER, missing, startSlapd } from "./support/slapd.mjs";
import { bothWorkers, JOBS, settings, startWorld } from "./support/world.mjs";

const skip = missing && `there is no LDAP server: ${missing}`;
const number = (name, usual) => Number(process.env[name] ?? usual);
const USERS = number("ROLLCALL_SYNC_USERS", 2_000);
const GROUPS = number("ROLLCALL_SYNC_GROUPS", 50);
/** Members of one of the groups, and of each of the others. */
const LARGE = Math.min(5_000, USERS);
const MEMBERS = 50;
/** What the fixture has beside them. */
const OTHERS = { users: 13, groups: 7 };
const OBJECTS = USERS + GROUPS + OTHERS.users + OTHERS.groups;

/** What the platform gives an invocation. */
const MOST = { memory: 128 * 1024 * 1024, statements: 1_000 };

let slapd, world, memory, scim, idp;
const table = [];

function* ldif() {
  yield* population({ users: USERS, groups: GROUPS - 1, members: MEMBERS });
  const members = Array.from({ length: LARGE }, (_, index) => `member: ${userDn(index)}\n`);
  yield `dn: cn=large,ou=groups,${BASE}\nobjectClass: groupOfNames\ncn: large\nentryUUID: 00000003-0000-4000-8000-000000000001\n${members.join("")}`;
}

const bindings = { ...settings, LOCAL_DEVELOPMENT: "on" };

/** A provider for the directory. */
async function provider(world, tenant) {
  const created = await world.admin("POST", "/identity-providers/", {
    tenant_id: tenant.id,
    name: "The directory",
    provider_type: "LDAP",
    ldap_config: { ...READER, url: `ldap://127.0.0.1:${slapd.port}`, base_dn: BASE, user_filter: "(objectClass=inetOrgPerson)", group_filter: "(objectClass=groupOfNames)", sync_interval_minutes: 5 },
  });
  assert.equal(created.status, 201, created.text);
  return created.body.data.id;
}

before(async () => {
  if (skip) return;
  slapd = await startSlapd({ ldif: ldif() });
  world = await startWorld({ workers: bothWorkers({ d1Databases: ["DB"], bindings }), inspector: true });
  memory = await watchMemory(world, JOBS);
  scim = await world.tenant();
  idp = await provider(world, scim);
});
after(async () => {
  memory?.close();
  await world?.stop();
  await slapd?.stop();
  for (const row of table) console.log(row);
});

/** A sync, within what the platform gives: its log, and what it has cost. */
async function sync(what, query = "") {
  const started = performance.now();
  const { result: reply, wasm, heap, buffers } = await memory.during(() => world.admin("POST", `/identity-providers/${idp}/sync${query}`));
  const ms = Math.round(performance.now() - started);
  assert.equal(reply.status, 200, reply.text);
  const { trips, statements, read, written } = reply.cost;
  const mb = (bytes) => (bytes / 1024 / 1024).toFixed(1);
  const whole = workerds().map((pid) => memoryOf(pid).most ?? 0);
  table.push(
    `${what}: ${ms} ms, ${trips} round trips, ${statements} statements, ${read} rows read, ${written} written; ` +
      `the isolate held ${mb(wasm)} MB of wasm so far, ${mb(heap)} of JavaScript, ${mb(buffers)} in buffers; ` +
      `workerd's peak so far, the database in it, ${whole.length ? mb(Math.max(...whole)) : "unknown"} MB`,
  );
  assert.ok(wasm + heap + buffers < MOST.memory, table.at(-1));
  assert.ok(statements <= MOST.statements, table.at(-1));
  return { log: reply.body.data, cost: reply.cost };
}

test("a dry run, which writes nothing", { skip }, async () => {
  const { log, cost } = await sync("dry run", "?dry_run=true");
  assert.equal(log.status, "planned", JSON.stringify(log));
  assert.equal(cost.written, 0);
  assert.equal(log.counts.users.created, USERS + OTHERS.users - 1);
});

test("the first sync, in few round trips", { skip }, async () => {
  const { log, cost } = await sync("first sync");
  assert.equal(log.status, "succeeded", JSON.stringify(log));
  assert.equal(log.counts.users.created, USERS + OTHERS.users - 1);
  assert.equal(log.counts.groups.created, GROUPS + OTHERS.groups);
  assert.ok(cost.trips <= OBJECTS / 200, `${cost.trips} round trips for ${OBJECTS} objects`);
  if (USERS <= 10_000) await assertConsistent(world, scim);
});

test("a second one, which changes nothing", { skip }, async () => {
  const version = () => world.row("select audit_seq from tenants where id = ?1", scim.id);
  const before = await version();
  const { log, cost } = await sync("second sync, of everything", "?full=true");
  assert.equal(log.counts.users.unchanged, USERS + OTHERS.users - 1);
  assert.ok(cost.trips <= OBJECTS / 200);
  const changes = await sync("third sync, of changes");
  assert.equal(changes.log.mode, "changes");
  assert.deepEqual(await version(), before);
});

test("one per cent has changed in the directory", { skip }, async () => {
  for (const [what, query] of [
    ["sync of changes, 1 % changed", ""],
    ["sync of everything, 1 % changed", "?full=true"],
  ]) {
    const everyHundredth = Array.from({ length: USERS / 100 }, (_, index) => [userDn(index * 100), what]);
    await replaceEach(slapd.port, "cn", everyHundredth);
    const { log, cost } = await sync(what, query);
    assert.equal(log.counts.users.updated, USERS / 100);
    assert.ok(cost.trips <= OBJECTS / 200, `${cost.trips} round trips for ${OBJECTS} objects`);
  }
  if (USERS <= 10_000) await assertConsistent(world, scim);
});

test("everybody has changed, because the mapping has", { skip }, async () => {
  const changed = await world.admin("PATCH", `/identity-providers/${idp}`, { ldap_config: { attribute_mapping: { display_name: "uid" } } });
  assert.equal(changed.status, 200, changed.text);
  const { log, cost } = await sync("sync, everybody changed");
  assert.ok(log.counts.users.updated >= USERS, JSON.stringify(log));
  assert.ok(cost.trips <= OBJECTS / 200, `${cost.trips} round trips for ${OBJECTS} objects`);
  if (USERS <= 10_000) await assertConsistent(world, scim);
});

test("a user of the directory cannot be changed by a client", { skip }, async () => {
  const { id } = await world.row("select id from users where tenant_id = ?1 limit 1", scim.id);
  const reply = await scim.request("DELETE", `/Users/${id}`);
  assert.equal(reply.status, 409, reply.text);
  assert.match(reply.body.detail, new RegExp(idp));
});

test("the clock starts what is due", { skip }, async () => {
  await world.db.prepare("update directory_syncs set started_at = 0").run();
  assert.equal(await world.tick(), "ok");
  const logs = await world.admin("GET", `/identity-providers/${idp}/sync-logs`);
  const [log] = logs.body.data;
  assert.deepEqual([log.trigger, log.status], ["scheduled", "succeeded"]);
});

// A worker and its local database share a thread, which hears nobody while the two talk to each other; so this database takes a moment for some batches,
// as one across a network does for each.
test("its numbers grow while it runs, for all to see", { skip: skip || (USERS < 2_000 && "so few users are written at once") }, async () => {
  await replaceEach(slapd.port, "cn", [[userDn(500), SLOW], [userDn(1_500), SLOW]]);
  const world = await startWorld(onFaultyD1({ bindings }));
  try {
    const path = `/identity-providers/${await provider(world, await world.createTenant())}`;
    let over = false;
    const running = world.admin("POST", `${path}/sync`).finally(() => (over = true));
    const seen = [];
    while (!over) {
      const [newest] = (await world.admin("GET", `${path}/sync-logs`)).body.data;
      const log = newest && (await world.admin("GET", `${path}/sync-logs/${newest.id}`)).body.data;
      if (log?.status === "running") seen.push(log.counts.users.created);
      await sleep(20);
    }
    const { status, counts } = (await running).body.data;
    assert.equal(status, "succeeded");
    assert.deepEqual(seen, seen.toSorted((one, other) => one - other));
    assert.equal(seen[0], 0);
    assert.ok(seen.some((created) => created > 0 && created < counts.users.created), String(seen));
  } finally {
    await world.stop();
  }
});
