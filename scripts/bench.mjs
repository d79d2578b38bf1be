// `npm run bench`: what each operation costs in workerd, beside the least that as many round trips can cost (benches/floor). Nothing
// but loopback is talked to, and all that it starts ends with it.
import { readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { build, buildWasm, FLOOR, JOBS_WORKER, wasmSize } from "./build.mjs";
import { setUp } from "./setup.mjs";
import { inRoot } from "./setup/paths.mjs";
import { bar, main, say, SetupError } from "./setup/progress.mjs";

const USAGE = `npm run bench -- [--users 1000,100000,1000000] [--members 100000] [--seconds 2] [--only "get a user"] [--json FILE] [--compare benches/reference.json]`;

await main(async () => {
  const options = read();
  const reference = options.compare && JSON.parse(readFileSync(options.compare, "utf8"));
  const tools = await setUp();
  await build(tools);
  await buildWasm(tools, FLOOR);
  // They read what was built.
  const { coldStarts } = await import("../benches/load/cold.mjs");
  const { directoryOf, floor } = await import("../benches/load/targets.mjs");
  const { memory } = await import("../benches/load/workerd.mjs");
  const { compare, operationsTable, workerTable } = await import("../benches/load/report.mjs");

  say("• Starting cold workers");
  const cold = await coldStarts((done, of) => bar("starts", done, of));
  const targets = [];
  try {
    targets.push(await floor());
    for (const users of options.users) {
      say(`• Filling a directory of ${users.toLocaleString("en")} users`);
      targets.push(await directoryOf(users, options.members, bar));
    }
    say("• Measuring");
    const operations = await measureAll(targets, options);
    const [ground, ...directories] = targets.map(({ name, pid }) => ({ target: name, ...memory(pid) }));
    const results = {
      machine: { cpu: cpus()[0]?.model, cpus: cpus().length, node: process.version, workerd: version("workerd"), miniflare: version("miniflare") },
      options: { users: options.users, members: options.members, seconds: options.seconds },
      wasm: { worker: wasmSize(), jobs: wasmSize(JOBS_WORKER), floor: wasmSize(FLOOR) },
      cold,
      memory: directories.map((directory, index) => ({ ...directory, ...(index === 0 && { floor: ground }) })),
      operations,
    };
    console.log(`\n${operationsTable(operations)}\n\n${workerTable(results)}`);
    if (options.json) writeFileSync(options.json, `${JSON.stringify(results, rounded, 1)}\n`);
    if (reference) {
      const { text, worse } = compare(reference, results);
      console.log(`\n${text}`);
      if (worse) throw new SetupError(`${worse} of these are worse than noise explains.`);
    }
  } finally {
    for (const { end } of targets) await end();
  }
});

async function measureAll([floor, ...directories], { seconds, only }) {
  const { operations } = await import("../benches/load/operations.mjs");
  const { cost, floorRun, measure } = await import("../benches/load/measure.mjs");
  const all = operations().filter(({ name }) => !only || name.includes(only));
  const rows = [];
  for (const [index, operation] of all.entries()) {
    // What concerns a group is measured in the largest directory that has it; all else in each.
    const having = directories.filter((target) => operation.has?.(target) ?? true);
    const targets = operation.size ? having.slice(-1) : having;
    if (targets.length === 0) continue;
    const costs = [];
    for (const target of targets) costs.push(await cost(operation, target));
    const sample = () => operation.next(targets[0]);
    const floors = [1, operation.rows].filter(Boolean).map((count) => floorRun(floor, operation, sample, costs[0].trips, count));
    const measured = {};
    for (const count of operation.alone ? [1] : [1, 16]) {
      bar(`${operation.name}${operation.size ? ` of ${operation.size.toLocaleString("en")}` : ""}, ${count} at once`, index, all.length);
      measured[count] = await measure([...floors, ...targets.map((target) => ({ target, operation }))], count, seconds);
      for (const target of [floor, ...directories]) target.world.output = "";
    }
    rows.push(
      ...targets.map((target, place) => {
        const of = operation.size ? `${operation.size.toLocaleString("en")} members` : target.name;
        const figures = (count) => {
          if (!measured[count]) return undefined;
          const [least, withRows] = [measured[count][0], operation.rows && measured[count][1]];
          const own = measured[count][floors.length + place];
          return { ...own, toFloor: own.p50 / least.p50, toRows: withRows ? own.p50 / withRows.p50 : undefined, cpuToFloor: own.cpu && least.cpu && own.cpu / least.cpu, floor: least };
        };
        return { operation: operation.name, of, ...costs[place], one: figures(1), sixteen: figures(16) };
      }),
    );
  }
  for (const row of rows) row.one.toLeast = row.one.p50 / rows.find(({ operation }) => operation === row.operation).one.p50;
  return rows;
}

function read() {
  let values;
  try {
    const text = { type: "string" };
    ({ values } = parseArgs({ options: { users: text, members: text, seconds: text, only: text, json: text, compare: text } }));
  } catch (error) {
    throw new SetupError(`${error.message}\n${USAGE}`);
  }
  const numbers = (name, usual, least) => {
    const list = values[name] === undefined ? usual : values[name].split(",").map((part) => Number(part.replaceAll("_", "")));
    if (list.some((value) => !Number.isFinite(value) || value < least)) throw new SetupError(`--${name} takes numbers of ${least} or more.\n${USAGE}`);
    return list;
  };
  return {
    users: numbers("users", [1_000, 100_000], 1_000).sort((a, b) => a - b),
    members: numbers("members", [100_000], 1_000)[0],
    seconds: numbers("seconds", [2], 0.1)[0],
    only: values.only,
    json: values.json,
    compare: values.compare,
  };
}

function version(name) {
  return JSON.parse(readFileSync(inRoot("node_modules", name, "package.json"), "utf8")).version;
}

function rounded(_, value) {
  return typeof value === "number" && !Number.isInteger(value) ? Number(value.toPrecision(4)) : value;
}
