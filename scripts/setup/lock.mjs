// A lock between processes, so that two checkouts (or `npm run dev` beside `npm test`) do not install or build the same thing at once.
// The holder touches its file every two seconds; a file that nobody has touched for fifteen was left behind by a
// process that is gone. No process id is asked about: containers may share a cache folder and not their process table.
import { linkSync, mkdirSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { say } from "./progress.mjs";

const TOUCH_MS = 2_000;
const ABANDONED_MS = 15_000;

export async function withLock(path, what, work) {
  mkdirSync(dirname(path), { recursive: true });
  const mine = `${path}.${process.pid}`;
  writeFileSync(mine, "");
  for (let told = false; !take(mine, path); told = true) {
    if (!told) say(`• Waiting for another process that is at work on ${what}`);
    await sleep(500);
  }
  const release = () => rmSync(path, { force: true });
  const touching = setInterval(() => touch(path), TOUCH_MS);
  process.once("exit", release);
  try {
    return await work();
  } finally {
    clearInterval(touching);
    process.removeListener("exit", release);
    release();
  }
}

function take(mine, path) {
  try {
    touch(mine);
    linkSync(mine, path); // fails where the path exists: the one step that must be atomic
    rmSync(mine, { force: true });
    return true;
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
  }
  try {
    if (Date.now() - statSync(path).mtimeMs > ABANDONED_MS) {
      const aside = `${mine}.stale`;
      renameSync(path, aside);
      rmSync(aside, { force: true });
    }
  } catch {
    // Released, or cleared by another waiter, in this very moment: the next round sees.
  }
  return false;
}

function touch(path) {
  const now = new Date();
  try {
    utimesSync(path, now, now);
  } catch {
    // The cache folder was deleted under us: there is nothing left to guard.
  }
}
