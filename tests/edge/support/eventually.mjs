// Waiting for what the worker does after its reply (`waitUntil`).
import { setTimeout as sleep } from "node:timers/promises";

/** The first truthy value of `attempt`; fails after five seconds. */
export async function eventually(attempt, what) {
  const deadline = Date.now() + 5_000;
  for (;;) {
    const value = await attempt();
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`waited in vain for ${what}`);
    await sleep(20);
  }
}
