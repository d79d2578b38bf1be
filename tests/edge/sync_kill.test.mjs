// The runtime killed (kill -9) at random moments of a directory sync, its messages lost with it, and started again on the same data: the clock
// goes on with the run that fell silent, and it ends as one that nobody disturbed. `npm run bench:sync -- --kills 20` does it so
// often, `npm test` three times.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { assertConsistent } from "./support/consistency.mjs";
import { population } from "./support/directory_population.mjs";
import { runtime } from "./support/runtime_process.mjs";
import { BASE, READER, missing, startSlapd } from "./support/slapd.mjs";
import { bothWorkers, settings, startWorld } from "./support/world.mjs";

const skip = missing && `there is no LDAP server: ${missing}`;
const KILLS = Number(process.env.ROLLCALL_KILLS ?? 3);
const [USERS, GROUPS, MEMBERS] = [2_000, 40, 100];
const persist = mkdtempSync(join(tmpdir(), "rollcall-sync-kill-"));
const workers = bothWorkers({ d1Databases: ["DB"], bindings: { ...settings, LOCAL_DEVELOPMENT: "on" } });
const at = [];
let slapd, world;

before(async () => {
  if (skip) return;
  slapd = await startSlapd({ ldif: population({ users: USERS, groups: GROUPS, members: MEMBERS }) });
  world = await startWorld({ workers, persist });
});
after(async () => {
  await world?.stop();
  await slapd?.stop();
  rmSync(persist, { recursive: true, force: true, maxRetries: 5 });
  for (const line of at) console.log(line);
});

/** A new tenant with a provider for the directory. */
async function directory() {
  const tenant = await world.tenant();
  const created = await world.admin("POST", "/identity-providers/", {
    tenant_id: tenant.id,
    name: "The directory",
    provider_type: "LDAP",
    ldap_config: { ...READER, url: `ldap://127.0.0.1:${slapd.port}`, base_dn: BASE, user_filter: "(objectClass=inetOrgPerson)", group_filter: "(objectClass=groupOfNames)" },
  });
  assert.equal(created.status, 201, created.text);
  return { tenant, idp: created.body.data.id };
}

/** Waits for the end of a provider's latest run, and gives its log. */
async function ended({ idp }) {
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; await sleep(50)) {
    const [log] = (await world.admin("GET", `/identity-providers/${idp}/sync-logs/`)).body.data;
    if (log && log.status !== "running") return log;
  }
  assert.fail("the run does not end");
}

/** All that a sync has written of a tenant, without ids, versions and times. */
async function state({ tenant, idp }) {
  const users = await world.rows("select user_name_key, external_id, replace(resource, ?2, 'the provider') as resource from users where tenant_id = ?1 order by 1", tenant.id, idp);
  const groups = await world.rows(
    `select g.display_name_key, g.external_id, g.member_count, (select json_group_array(n) from (select u.user_name_key as n from group_members m
     join users u on u.tenant_id = m.tenant_id and u.id = m.member_id where m.tenant_id = g.tenant_id and m.group_id = g.id order by 1)) as members
     from groups g where g.tenant_id = ?1 order by 1`,
    tenant.id,
  );
  const left = await world.rows("select (select count(*) from sync_chunks where tenant_id = ?1) as chunks, (select count(*) from directory_syncs where tenant_id = ?1 and log_id is not null) as leases", tenant.id);
  return { users, groups, left };
}

test(`killed at ${KILLS} random moments, a sync ends as an undisturbed one`, { skip, timeout: 60_000 + 30_000 * KILLS }, async () => {
  const calm = await directory();
  const started = Date.now();
  await world.admin("POST", `/identity-providers/${calm.idp}/sync`);
  assert.equal((await ended(calm)).status, "succeeded");
  const takes = Date.now() - started;
  const expected = await state(calm);
  assert.equal(expected.groups.filter(({ member_count }) => member_count === MEMBERS).length, GROUPS);
  for (let kill = 0; kill < KILLS; kill += 1) {
    const killed = await directory();
    const asked = world.admin("POST", `/identity-providers/${killed.idp}/sync`).catch(() => {});
    // One in each part of the time that it takes.
    const moment = Math.round(((kill + Math.random()) / KILLS) * takes);
    await sleep(moment);
    const dead = runtime();
    process.kill(dead, "SIGKILL");
    await asked;
    await world.stop().catch(() => {});
    world = await startWorld({ workers, persist });
    const [found] = await world.rows("select status, json_extract(counts, '$.users.created') as created from sync_logs where tenant_id = ?1 order by id desc limit 1", killed.tenant.id);
    at.push(`killed after ${moment} of ${takes} ms: ${found ? `${found.status}, ${found.created ?? 0} users made` : "nothing was begun"}`);
    if (found?.status === "running") {
      // Ten minutes on, for the clock.
      await world.rows("update directory_syncs set expires_at = 0 where tenant_id = ?1", killed.tenant.id);
      await world.tick();
    } else if (!found) {
      await world.admin("POST", `/identity-providers/${killed.idp}/sync`);
    }
    const log = await ended(killed);
    assert.equal(log.status, "succeeded", JSON.stringify(log));
    assert.deepEqual(await state(killed), expected, at.at(-1));
    await assertConsistent(world, killed.tenant);
  }
});
