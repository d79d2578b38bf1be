// Waiting for what the worker does after its reply (`waitUntil`).
import { setTimeout as sleep } from "node:timers/promises";

/** The first truthy value of `attempt`; fails after five seconds, or so many milliseconds. */
export async function eventually(attempt, what, milliseconds = 5_000) {
  const deadline = Date.now() + milliseconds;
  for (;;) {
    const value = await attempt();
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await sleep(20);
  }
}
