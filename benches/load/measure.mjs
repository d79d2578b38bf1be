// One operation over several targets, in turns: a machine is faster in one minute than in the next, and what is compared has to be so within
// the same one.
import { Client, load, percentile } from "./client.mjs";
import { floorRequest } from "./operations.mjs";
import { cpuMicroseconds } from "./workerd.mjs";

/** How long one turn is meant to take, in milliseconds. */
const TURN_MS = 120;

/** `{ trips, read, written, bytes }` of an operation, by its Server-Timing. */
export async function cost(operation, target) {
  const client = new Client(target.url, 1);
  await operation.prepare?.(target, 1);
  let reply;
  const request = operation.next(target);
  await load(client, 1, 1, () => request, (it) => (reply = it));
  await operation.clearUp?.(target);
  client.close();
  const [trips, read, written] = /trips=(\d+) statements=\d+ read=(\d+) written=(\d+)/.exec(reply.headers["server-timing"]).slice(1).map(Number);
  return { trips, read, written, bytes: reply.bytes.length };
}

/** The floor as something that is measured beside the targets. */
export function floorRun(floor, operation, sample, trips, rows) {
  return { target: floor, operation: { ...operation, prepare: undefined, clearUp: undefined, next: () => floorRequest(sample(), trips, rows) } };
}

/** Runs each of `runs` (`{ target, operation }`) for about so many seconds. Answers `{ p50, p99, perSecond, cpu, count }` for each: ms, ms, requests, µs. */
export async function measure(runs, connections, seconds) {
  const all = runs.map((run) => ({ ...run, client: new Client(run.target.url, connections), latencies: [], ms: 0, cpu: 0, turn: undefined }));
  for (const run of all) await warmUp(run, connections);
  // Each begins a round in its turn: whoever comes first may pay for what the one before left behind.
  for (let round = 0; all.some((run) => wants(run, connections, seconds)); round += 1) {
    for (let index = 0; index < all.length; index += 1) {
      const run = all[(index + round) % all.length];
      if (wants(run, connections, seconds)) await turn(run, connections);
    }
  }
  return all.map(({ client, latencies, ms, cpu }) => {
    client.close();
    return {
      p50: percentile(latencies, 0.5),
      p99: percentile(latencies, 0.99),
      perSecond: latencies.length / (ms / 1_000),
      cpu: Number.isNaN(cpu) ? null : cpu / latencies.length,
      count: latencies.length,
    };
  });
}

const most = ({ operation }, connections) => operation.most?.[connections] ?? Infinity;
const wants = (run, connections, seconds) => run.ms < seconds * 1_000 && run.latencies.length < most(run, connections);

/** Opens the connections, lets the code get warm, and finds how many requests a turn has. */
async function warmUp(run, connections) {
  const count = Math.min(connections * 4, run.operation.few ?? Infinity, most(run, connections));
  if (count < connections * 4 && run.operation.most) return (run.turn = connections);
  const { ms } = await some(run, connections, count);
  run.turn = Math.max(connections, Math.min(Math.ceil((TURN_MS / ms) * count), run.operation.few ?? 1_000));
}

async function turn(run, connections) {
  const before = cpuMicroseconds(run.target.pid);
  let after;
  const { latencies, ms } = await some(run, connections, run.turn, () => (after = cpuMicroseconds(run.target.pid)));
  run.latencies.push(...latencies);
  run.ms += ms;
  run.cpu += before === null ? NaN : after - before;
}

async function some({ client, target, operation }, connections, count, done = () => {}) {
  await operation.prepare?.(target, count);
  const result = await load(client, connections, count, () => operation.next(target));
  done();
  await operation.clearUp?.(target);
  return result;
}
