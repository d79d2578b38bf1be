// What the operating system says of the workerd processes that this one has started: CPU time and memory. From /proc, so on Linux alone;
// elsewhere both are unknown.
import { readdirSync, readFileSync } from "node:fs";

const read = (path) => {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // it ended, or there is no /proc
  }
};

/** Process ids of the workerds below this process, in the order in which they were started. */
export function workerds() {
  const parents = new Map();
  let ids = [];
  try {
    ids = readdirSync("/proc").filter((name) => /^\d+$/.test(name)).map(Number);
  } catch {
    return [];
  }
  for (const id of ids) {
    const [, name, parent] = /^\d+ \((.*)\) \S (\d+)/s.exec(read(`/proc/${id}/stat`)) ?? [];
    if (name !== undefined) parents.set(id, { name, parent: Number(parent) });
  }
  const isOurs = (id) => id === process.pid || (parents.has(id) && isOurs(parents.get(id).parent));
  return ids.filter((id) => parents.get(id)?.name === "workerd" && isOurs(id)).sort((a, b) => a - b);
}

/** Runs `start`, which starts one workerd, and answers its result and that process's id. */
export async function startedBy(start) {
  const before = new Set(workerds());
  const result = await start();
  return { result, pid: workerds().find((id) => !before.has(id)) };
}

/** CPU time that all threads of a process have used, in microseconds; none where nobody knows. */
export function cpuMicroseconds(pid) {
  let threads = [];
  try {
    threads = readdirSync(`/proc/${pid}/task`);
  } catch {
    return null;
  }
  return threads.reduce((sum, thread) => sum + Number(read(`/proc/${pid}/task/${thread}/schedstat`).split(" ")[0] || 0) / 1_000, 0);
}

/** Resident memory now and at most so far, in bytes. */
export function memory(pid) {
  const status = read(`/proc/${pid}/status`);
  const bytes = (name) => {
    const found = new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status);
    return found ? Number(found[1]) * 1_024 : null;
  };
  return { now: bytes("VmRSS"), most: bytes("VmHWM") };
}
