// `npm run bench:move -- --users 100000`: a tenant of that size moves to another database while sixteen clients write (tests/edge/move.test.mjs). It prints how
// long that took, how long writes were paused, and what both sides were compared by.
import { spawn } from "node:child_process";
import { parseArgs } from "node:util";
import { build } from "./build.mjs";
import { setUp } from "./setup.mjs";
import { wranglerEnv } from "./setup/node_modules.mjs";
import { inRoot, root } from "./setup/paths.mjs";
import { endWithUs, main, say, SetupError } from "./setup/progress.mjs";

await main(async () => {
  const users = size();
  await build(await setUp());
  say(`• The move of ${users.toLocaleString("en")} users (about a minute for each 10,000, with what it takes to make them)`);
  const child = spawn(process.execPath, ["--test", "--test-reporter=spec", inRoot("tests", "edge", "move.test.mjs")], {
    cwd: root,
    env: { ...wranglerEnv(), ROLLCALL_MOVE_USERS: users, ...(process.stdout.isTTY && { FORCE_COLOR: "1" }) },
    stdio: ["ignore", "inherit", "inherit"],
  });
  endWithUs(child);
  process.exitCode = await new Promise((resolve) => child.on("close", (code) => resolve(code ?? 1)));
});

function size() {
  try {
    const { values } = parseArgs({ options: { users: { type: "string", default: "100000" } } });
    const users = Number(values.users.replaceAll(/[_,]/g, ""));
    if (Number.isInteger(users) && users >= 100) return users;
  } catch (error) {
    throw new SetupError(`${error.message}\nnpm run bench:move -- --users 100000`);
  }
  throw new SetupError("--users takes a whole number, 100 or more.");
}
