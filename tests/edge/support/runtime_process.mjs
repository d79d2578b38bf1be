// The runtime as a process, for tests that end it in the middle of its work.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";

/** The id of the runtime that this process has started: its one child of that name. */
export function runtime() {
  const lines = execFileSync("ps", ["-A", "-o", "pid=,ppid=,command="], { encoding: "utf8" }).trim().split("\n");
  const processes = lines.map((line) => line.trim().split(/\s+/));
  const own = processes.filter(([, parent, command]) => Number(parent) === process.pid && /workerd/.test(command));
  assert.equal(own.length, 1, "there is one runtime");
  return Number(own[0][0]);
}
