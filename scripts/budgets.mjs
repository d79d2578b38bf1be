// `npm run budgets -- --users 1000000 --members 100000`: the cost table of tests/edge/budgets.test.mjs at any size. The directory is put
// straight into a local D1 and kept in the cache folder, so that the second run only copies it.
import { spawn } from "node:child_process";
import { parseArgs } from "node:util";
import { LEAST, SMALL } from "../tests/edge/support/scale.mjs";
import { build } from "./build.mjs";
import { setUp } from "./setup.mjs";
import { wranglerEnv } from "./setup/node_modules.mjs";
import { inRoot, root } from "./setup/paths.mjs";
import { endWithUs, main, say, SetupError } from "./setup/progress.mjs";

await main(async () => {
  const { users, members } = sizes();
  await build(await setUp());
  say(`• The cost table at ${users.toLocaleString("en")} users, the largest group of ${members.toLocaleString("en")} members`);
  const child = spawn(process.execPath, ["--test-reporter=spec", inRoot("tests", "edge", "budgets.test.mjs")], {
    cwd: root,
    env: { ...wranglerEnv(), ROLLCALL_BUDGET_USERS: users, ROLLCALL_BUDGET_MEMBERS: members, ...(process.stdout.isTTY && { FORCE_COLOR: "1" }) },
    stdio: ["ignore", "inherit", "inherit"],
  });
  endWithUs(child);
  process.exitCode = await new Promise((resolve) => child.on("close", (code) => resolve(code ?? 1)));
});

/** What was asked for, where the tests can find everybody that they ask for in it. */
function sizes() {
  let values;
  try {
    ({ values } = parseArgs({ options: { users: { type: "string" }, members: { type: "string" } } }));
  } catch (error) {
    throw new SetupError(`${error.message}\nnpm run budgets -- --users 1000000 --members 100000`);
  }
  const number = (name, usual) => {
    const value = values[name] === undefined ? usual : Number(values[name].replaceAll(/[_,]/g, ""));
    if (!Number.isInteger(value)) throw new SetupError(`--${name} takes a whole number.`);
    return value;
  };
  const members = number("members", SMALL.members);
  const users = number("users", Math.max(SMALL.users, members + LEAST.beside));
  if (members < LEAST.members) throw new SetupError(`--members has to be ${LEAST.members} or more.`);
  if (users < members + LEAST.beside) throw new SetupError(`--users has to be ${LEAST.beside} more than --members, or greater.`);
  return { users, members };
}
