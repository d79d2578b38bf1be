// How long a worker takes that has not run yet: from the start of its workerd to the first reply, and that reply alone.
import { Client, percentile } from "./client.mjs";
import { floorRequest } from "./operations.mjs";
import { floorWorker, prepareFloor } from "./targets.mjs";
import { deployedWorker, startWorld } from "../../tests/edge/support/world.mjs";

/** Starts of each. */
const STARTS = 9;
const direct = { unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }] };

/** `{ worker, floor }`, each `{ start, first }` in milliseconds: medians of starts that take turns. */
export async function coldStarts(tell) {
  const both = [
    { name: "worker", worker: () => deployedWorker({ d1Databases: ["DB"], ...direct }), prepare: () => {}, request: { method: "GET", path: "/scim/v2/Users", status: 401, headers: {} } },
    { name: "floor", worker: floorWorker, prepare: prepareFloor, request: { ...floorRequest({ method: "GET" }, 1), status: 200 } },
  ].map((one) => ({ ...one, start: [], first: [] }));
  for (let turn = 0; turn < STARTS; turn += 1) {
    tell(turn, STARTS);
    for (const one of both) await start(one);
  }
  return Object.fromEntries(both.map(({ name, start, first }) => [name, { start: percentile(start, 0.5), first: percentile(first, 0.5) }]));
}

async function start(one) {
  const began = performance.now();
  const world = await startWorld({ workers: [one.worker()] });
  const started = performance.now() - began;
  try {
    const client = new Client(await world.mf.unsafeGetDirectURL("worker-0"), 1);
    await one.prepare(world);
    const { status, ms, bytes } = await client.send(one.request);
    client.close();
    if (status !== one.request.status) throw new Error(`the first reply is ${status}: ${bytes}`);
    one.first.push(ms);
    one.start.push(started + ms);
  } finally {
    await world.stop();
  }
}
