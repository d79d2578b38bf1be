// `npm run bench:sync -- --users 50000 --groups 1000`: what a directory sync costs at that size, by the test of the ordinary size: time, messages, round trips,
// statements, rows and memory of a dry run, the first sync, a second one, those after 1 % has changed and one after everybody has, from a real LDAP
// server into a real local D1. With `--kills 20` instead: the runtime is killed so often in the middle of a sync, and goes on.
import { spawn } from "node:child_process";
import { parseArgs } from "node:util";
import { build } from "./build.mjs";
import { setUp } from "./setup.mjs";
import { wranglerEnv } from "./setup/node_modules.mjs";
import { inRoot, root } from "./setup/paths.mjs";
import { endWithUs, main, SetupError } from "./setup/progress.mjs";

await main(async () => {
  let values;
  try {
    ({ values } = parseArgs({ options: { users: { type: "string", default: "50000" }, groups: { type: "string", default: "1000" }, kills: { type: "string" } } }));
  } catch (error) {
    throw new SetupError(`${error.message}\nnpm run bench:sync -- --users 50000 --groups 1000`);
  }
  const { kills, ...sizes } = values;
  for (const [name, value] of Object.entries(sizes)) {
    if (!/^\d+00$/.test(value)) throw new SetupError(`--${name} takes whole hundreds.`);
  }
  if (kills !== undefined && !/^[1-9]\d{0,2}$/.test(kills)) throw new SetupError("--kills takes a number from 1 to 999.");
  await build(await setUp());
  const [suite, env] = kills ? ["sync_kill", { ROLLCALL_KILLS: kills }] : ["ldap_sync", { ROLLCALL_SYNC_USERS: sizes.users, ROLLCALL_SYNC_GROUPS: sizes.groups }];
  const child = spawn(process.execPath, ["--test-reporter=spec", inRoot("tests", "edge", `${suite}.test.mjs`)], {
    cwd: root,
    env: { ...wranglerEnv(), ...env },
    stdio: ["ignore", "inherit", "inherit"],
  });
  endWithUs(child);
  process.exitCode = await new Promise((resolve) => child.on("close", (code) => resolve(code ?? 1)));
});
