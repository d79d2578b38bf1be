// `npm run soak`: a mixed load on the built worker in workerd, for minutes: no reply may be a wrong one, memory has to come to a plateau,
// and the end has to be as fast as the beginning. Memory is that of the worker's own isolate, wasm and JavaScript: workerd around it, with its
// databases, grows under load whatever worker it runs. It talks to loopback alone and ends by itself.
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { build } from "./build.mjs";
import { setUp } from "./setup.mjs";
import { bar, main, say, SetupError } from "./setup/progress.mjs";

const USAGE = "npm run soak -- [--minutes 10] [--users 10000] [--connections 16]";
const MOST = { minutes: 240, users: 1_000_000, connections: 64 };
/** Parts of the whole that are looked at one by one. */
const PARTS = 10;
/** How much more memory, and how much slower, the last part may be than those before it: less is noise. */
const MEMORY_MARGIN = 1.1;
const LATENCY_MARGIN = 1.3;
/** Errors that are shown; the load ends early where there are more. */
const MOST_ERRORS = 20;

await main(async () => {
  const { minutes, users, connections } = read();
  await build(await setUp());
  const { Client, percentile } = await import("../benches/load/client.mjs");
  const { Mixture } = await import("../benches/load/mixture.mjs");
  const { table } = await import("../benches/load/report.mjs");
  const { directoryOf } = await import("../benches/load/targets.mjs");
  const { cpuMicroseconds, memory } = await import("../benches/load/workerd.mjs");
  const { watchMemory } = await import("../tests/edge/support/isolate_memory.mjs");

  say(`• Filling a directory of ${users.toLocaleString("en")} users`);
  const target = await directoryOf(users, 1_000, bar, true);
  const isolate = await watchMemory(target.world);
  const client = new Client(target.url, connections);
  const errors = [];
  const parts = [];
  try {
    const mixtures = await Promise.all(Array.from({ length: connections }, () => Mixture.start(target)));
    say(`• A mixed load over ${connections} connections for ${minutes} min`);
    const began = performance.now();
    const ends = began + minutes * 60_000;
    let latencies = [];
    const connection = async (mixture) => {
      while (performance.now() < ends && errors.length < MOST_ERRORS) {
        const { then, ...request } = mixture.next();
        try {
          const reply = await client.send(request);
          latencies.push(reply.ms);
          if (reply.status === request.status) then?.(reply);
          else errors.push(`${request.name}: ${reply.status} instead of ${request.status}: ${reply.bytes.toString().slice(0, 200)}`);
        } catch (error) {
          errors.push(`${request.name}: ${error.message}`);
          await sleep(100);
        }
      }
    };
    const watch = async () => {
      for (let part = 1; part <= PARTS && errors.length < MOST_ERRORS; part += 1) {
        const from = performance.now();
        const cpu = cpuMicroseconds(target.pid);
        const wrong = errors.length;
        let heap = Infinity; // the least that was seen: what garbage leaves
        while (performance.now() < began + (part / PARTS) * minutes * 60_000 && errors.length < MOST_ERRORS) {
          await sleep(Math.min(1_000, Math.max(1, began + (part / PARTS) * minutes * 60_000 - performance.now())));
          target.world.output = ""; // the log is not what is looked at
          heap = Math.min(heap, (await isolate.used()).heap);
          bar(`${((performance.now() - began) / 60_000).toFixed(1)} min, ${errors.length} errors`, performance.now() - began, minutes * 60_000);
        }
        heap = Math.min(heap, (await isolate.used()).heap);
        const seen = latencies;
        latencies = [];
        if (seen.length === 0) throw new SetupError("no reply came");
        const seconds = (performance.now() - from) / 1_000;
        const used = cpu === null ? null : (cpuMicroseconds(target.pid) - cpu) / seen.length;
        parts.push({ requests: seen.length, perSecond: seen.length / seconds, p50: percentile(seen, 0.5), p99: percentile(seen, 0.99), cpu: used, memory: (await isolate.wasm()) + heap, process: memory(target.pid).now, errors: errors.length - wrong });
      }
    };
    await Promise.all([watch(), ...mixtures.map(connection)]);
  } finally {
    client.close();
    isolate.close();
    await target.end();
  }
  const rows = parts.map((part, index) => [
    `${((index * minutes) / PARTS).toFixed(1)}–${(((index + 1) * minutes) / PARTS).toFixed(1)} min`,
    ...[part.requests.toLocaleString("en"), Math.round(part.perSecond), part.p50.toFixed(1), part.p99.toFixed(1)],
    ...[part.cpu === null ? "" : Math.round(part.cpu), Math.round(part.memory / 1e6), part.process === null ? "" : Math.round(part.process / 1e6), part.errors],
  ]);
  console.log(`\n${table(["time", "requests", "/s", "p50 ms", "p99 ms", "µs CPU", "isolate MB", "workerd MB", "errors"], rows)}\n`);
  judge(parts, errors);
});

/** What may not be: errors, memory that goes on growing, and an end that is slower than the beginning. */
function judge(parts, errors) {
  const found = errors.map((error) => `an error: ${error}`);
  // The first part is for caches and compilers to get warm.
  const [early, late] = [parts.slice(1, PARTS / 2), parts.at(-1)];
  const median = (key) => early.map((part) => part[key]).sort((a, b) => a - b)[Math.floor(early.length / 2)];
  const most = (key) => Math.max(...early.map((part) => part[key]));
  if (parts.length === PARTS) {
    if (late.memory > most("memory") * MEMORY_MARGIN) found.push(`memory grows: ${Math.round(late.memory / 1e6)} MB at the end, at most ${Math.round(most("memory") / 1e6)} MB in the first half`);
    if (late.p50 > median("p50") * LATENCY_MARGIN) found.push(`it gets slower: ${late.p50.toFixed(1)} ms at p50 at the end, ${median("p50").toFixed(1)} ms in the first half`);
  }
  if (found.length) throw new SetupError(found.join("\n"));
  console.log("No errors, memory at a plateau, the end as fast as the beginning.");
}

function read() {
  const usual = { minutes: 10, users: 10_000, connections: 16 };
  let values;
  try {
    ({ values } = parseArgs({ options: Object.fromEntries(Object.keys(usual).map((name) => [name, { type: "string" }])) }));
  } catch (error) {
    throw new SetupError(`${error.message}\n${USAGE}`);
  }
  const number = (name) => {
    const value = values[name] === undefined ? usual[name] : Number(values[name].replaceAll("_", ""));
    const least = name === "minutes" ? 0.1 : name === "users" ? 1_000 : 1;
    if (!(value >= least && value <= MOST[name])) throw new SetupError(`--${name} takes a number from ${least} to ${MOST[name].toLocaleString("en")}.\n${USAGE}`);
    return name === "minutes" ? value : Math.floor(value);
  };
  return { minutes: number("minutes"), users: number("users"), connections: number("connections") };
}
