// What is measured: the worker with a directory of a size, and the floor, each in a workerd of its own, answering on a port of loopback that
// the system chose. Requests reach the worker itself, without the proxy that Miniflare puts before it.
import { FLOOR } from "../../scripts/build.mjs";
import { populatedWorld } from "../../tests/edge/support/populated_world.mjs";
import { facts } from "../../tests/edge/support/population.mjs";
import { ENTERPRISE, USER, user } from "../../tests/edge/support/resources.mjs";
import { scaleOf } from "../../tests/edge/support/scale.mjs";
import { bothWorkers, deployedWorker, startWorld } from "../../tests/edge/support/world.mjs";
import { startedBy } from "./workerd.mjs";

const direct = { unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }] };
const url = (world) => world.mf.unsafeGetDirectURL("worker-0");
/** Users whom nobody else touches, for joining groups: each world has so many. */
const NEWCOMERS = 400;

/** The workers, with a tenant of so many users; with V8's inspector where it is to be looked into. */
export async function directoryOf(users, members, progress, inspector = false) {
  const scale = scaleOf(users, Math.min(users, members));
  const [first, jobs] = bothWorkers({ d1Databases: ["DB"] });
  const workers = [{ ...first, ...direct }, jobs];
  const { result, pid } = await startedBy(() => populatedWorld({ scale, workers, progress, inspector }));
  const { world, scim, end } = result;
  const headers = { authorization: `Bearer ${scim.token}`, "content-type": "application/scim+json" };
  const target = { name: `${users.toLocaleString("en")} users`, scale, world, scim, pid, end, headers, url: await url(world), made: 0 };
  target.newcomers = await newUsers(target, NEWCOMERS);
  return target;
}

/** Ids of users that are made for a purpose, by Bulk. */
export async function newUsers(target, count) {
  const ids = [];
  while (ids.length < count) {
    const reply = await target.scim.request("POST", "/Bulk", { body: bulk(target, Math.min(1_000, count - ids.length)) });
    if (reply.status !== 200) throw new Error(`POST /Bulk: ${reply.status} ${reply.text}`);
    ids.push(...reply.body.Operations.map(({ location }) => location.split("/").at(-1)));
  }
  return ids;
}

/** A user whom there was not before. */
export function newUser(target) {
  const number = 100_000_000 + (target.made += 1);
  return { ...user(""), schemas: [USER, ENTERPRISE], ...facts(number), [ENTERPRISE]: { employeeNumber: `E${number}` } };
}

export const bulk = (target, count) => ({
  schemas: ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
  Operations: Array.from({ length: count }, (_, number) => ({ method: "POST", bulkId: `b${number}`, path: "/Users", data: newUser(target) })),
});

/** The worker of benches/floor, with rows as long as a user. */
export async function floor() {
  const { result: world, pid } = await startedBy(() => startWorld({ workers: [floorWorker()] }));
  await prepareFloor(world);
  return { name: "floor", world, pid, headers: {}, url: await url(world), end: () => world.stop() };
}

export const floorWorker = () => ({ ...deployedWorker({ d1Databases: ["DB"], ...direct }), rootPath: `${FLOOR.folder}/build`, modulesRoot: `${FLOOR.folder}/build` });

export async function prepareFloor(world) {
  await world.db.prepare("create table items (id integer primary key, resource text not null) strict").run();
  await world.db.prepare("create table written (id integer primary key, resource text not null) strict").run();
  const text = JSON.stringify({ ...user(""), schemas: [USER, ENTERPRISE], ...facts(1) });
  await world.db.prepare("insert into items (resource) select ?1 from (with recursive n (i) as (select 1 union all select i + 1 from n where i < 100) select i from n)").bind(text).run();
  await world.kv.put("key", text.slice(0, 250));
}
