// A real PostgreSQL for a test: a server with an empty database of its own, on a socket in a temporary folder, gone when it stops. Where no
// server is to be had, `missing` says why, and what needs one is skipped by that reason.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { identity, postgres } from "../../../scripts/setup/postgres.mjs";

const { bin, env, missing: reason } = await postgres();

export const missing = reason;

/** Starts a server. Answers { url, stop }. */
export async function startPostgres() {
  const home = mkdtempSync(join(tmpdir(), "rollcall-pg-"));
  try {
    if (identity.uid) chownSync(home, identity.uid, identity.gid);
    const data = join(home, "data");
    const initdb = start("initdb", ["-D", data, "-U", "postgres", "--auth=trust", "--no-sync", "--encoding=UTF8", "--no-locale"], home);
    const [code] = await once(initdb, "close");
    if (code !== 0) throw new Error(`initdb: ${initdb.said}`);
    // Nobody needs it after the test, so nothing is forced to the disk; and a socket wants no free port.
    const server = start("postgres", ["-D", data, "-k", home, "-c", "listen_addresses=", "-c", "fsync=off"], home);
    const end = () => server.kill("SIGQUIT");
    process.once("exit", end);
    server.once("exit", () => process.removeListener("exit", end));
    const stop = async () => {
      end();
      if (server.exitCode === null && server.signalCode === null) await once(server, "exit");
      rmSync(home, { recursive: true, force: true, maxRetries: 5 });
    };
    const isReady = () => /ready to accept connections/.test(server.said) && existsSync(join(home, ".s.PGSQL.5432"));
    for (let waited = 0; !isReady(); waited += 20) {
      if (waited > 20_000 || server.exitCode !== null) {
        await stop();
        throw new Error(`PostgreSQL does not start: ${server.said}`);
      }
      await sleep(20);
    }
    return { url: `postgres://postgres@localhost/postgres?host=${encodeURIComponent(home)}`, stop };
  } catch (error) {
    rmSync(home, { recursive: true, force: true });
    throw error;
  }
}

function start(program, args, cwd) {
  const child = spawn(join(bin, program), args, { env: { ...env, LC_ALL: "C" }, cwd, ...identity, stdio: ["ignore", "ignore", "pipe"] });
  child.said = "";
  child.stderr.setEncoding("utf8").on("data", (text) => (child.said = (child.said + text).slice(-10_000)));
  return child;
}
