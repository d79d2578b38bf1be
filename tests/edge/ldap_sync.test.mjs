// Directory sync in workerd against a real LDAP server: the whole life, the clock, progress while it runs, and what it costs. `npm run bench:sync`
// runs the same at 50,000 users and 1,000 groups; the ratios hold at any size.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { assertConsistent } from "./support/consistency.mjs";
import { population, userDn } from "./support/directory_population.mjs";
import { BASE, READER, missing, startSlapd } from "./support/slapd.mjs";
import { deployedWorker, settings, startWorld } from "./support/world.mjs";

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

let slapd, world, scim, idp;
const table = [];

function* ldif() {
  yield* population({ users: USERS, groups: GROUPS - 1, members: MEMBERS });
  const members = Array.from({ length: LARGE }, (_, index) => `member: ${userDn(index)}\n`);
  yield `dn: cn=large,ou=groups,${BASE}\nobjectClass: groupOfNames\ncn: large\nentryUUID: 00000003-0000-4000-8000-000000000001\n${members.join("")}`;
}

before(async () => {
  if (skip) return;
  slapd = await startSlapd({ ldif: ldif() });
  world = await startWorld({ workers: [deployedWorker({ d1Databases: ["DB"], bindings: { ...settings, LOCAL_DEVELOPMENT: "on" } })] });
  scim = await world.tenant();
  const created = await world.admin("POST", "/identity-providers/", {
    tenant_id: scim.id,
    name: "The directory",
    provider_type: "LDAP",
    ldap_config: { ...READER, url: `ldap://127.0.0.1:${slapd.port}`, base_dn: BASE, user_filter: "(objectClass=inetOrgPerson)", group_filter: "(objectClass=groupOfNames)", sync_interval_minutes: 5 },
  });
  assert.equal(created.status, 201, created.text);
  idp = created.body.data.id;
});
after(async () => {
  await world?.stop();
  await slapd?.stop();
  for (const row of table) console.log(row);
});

/** Peak memory of workerd so far, of all its processes, in MB; none where the system does not tell. */
function peakMemory() {
  try {
    const statuses = readdirSync("/proc").filter((name) => /^\d+$/.test(name)).flatMap((pid) => {
      try {
        return [readFileSync(`/proc/${pid}/status`, "utf8")];
      } catch {
        return [];
      }
    });
    const ours = statuses.filter((text) => /^Name:\s+workerd/m.test(text) && text.match(/^PPid:\s+(\d+)/m)[1] === String(process.pid));
    return Math.max(...ours.map((text) => Math.round(Number(text.match(/^VmHWM:\s+(\d+)/m)[1]) / 1024)));
  } catch {
    return undefined;
  }
}

async function sync(what, query = "") {
  const started = performance.now();
  const reply = await world.admin("POST", `/identity-providers/${idp}/sync${query}`);
  assert.equal(reply.status, 200, reply.text);
  const log = reply.body.data;
  const { trips, read, written } = reply.cost;
  table.push(`${what}: ${Math.round(performance.now() - started)} ms, ${trips} round trips, ${read} rows read, ${written} written; workerd's peak so far ${peakMemory()} MB`);
  return { log, cost: reply.cost };
}

test("a dry run, which writes nothing", { skip }, async () => {
  const { log, cost } = await sync("dry run", "?dry_run=true");
  assert.equal(log.status, "planned", JSON.stringify(log));
  assert.equal(cost.written, 0);
  assert.equal(log.counts.users.created, USERS + OTHERS.users - 1);
});

// Its numbers grow with each batch, which this one thread for worker and database shows to nobody; the native tests look at them.
test("the first sync, in few round trips, seen while it runs", { skip }, async () => {
  let over = false;
  const running = sync("first sync").finally(() => (over = true));
  const seen = [];
  while (!over) {
    const [log] = (await world.admin("GET", `/identity-providers/${idp}/sync-logs`)).body.data;
    if (log?.status === "running") seen.push(log.id);
    await sleep(50);
  }
  const { log, cost } = await running;
  assert.equal(log.status, "succeeded", JSON.stringify(log));
  assert.equal(log.counts.users.created, USERS + OTHERS.users - 1);
  assert.equal(log.counts.groups.created, GROUPS + OTHERS.groups);
  assert.ok(cost.trips <= OBJECTS / 200, `${cost.trips} round trips for ${OBJECTS} objects`);
  assert.ok(seen.length > 0, "nobody saw it run");
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

test("one per cent has changed", { skip }, async () => {
  // As if the directory had: what is known of every hundredth entry is something else.
  await world.db
    .prepare("update directory_entries set digest = 'other' where tenant_id = ?1 and idp_id = ?2 and unique_id like '00000001-%00'")
    .bind(scim.id, idp)
    .run();
  await world.db
    .prepare(`update users set resource = json_set(resource, '$.displayName', 'Other') where tenant_id = ?1 and json_extract(keys, '$.externalid') like '00000001-%00'`)
    .bind(scim.id)
    .run();
  const { log, cost } = await sync("sync of everything, 1 % changed", "?full=true");
  assert.equal(log.counts.users.updated, USERS / 100);
  assert.ok(cost.trips <= OBJECTS / 200);
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
  const worker = await world.mf.getWorker();
  const { outcome } = await worker.scheduled({ cron: "*/5 * * * *" });
  assert.equal(outcome, "ok");
  const logs = await world.admin("GET", `/identity-providers/${idp}/sync-logs`);
  const [log] = logs.body.data;
  assert.deepEqual([log.trigger, log.status], ["scheduled", "succeeded"]);
});
