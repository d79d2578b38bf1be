// `npm run dev`: set-up, build, local database, a running endpoint, and what to do with it. PORT chooses the port (8787 by default).
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { build } from "./build.mjs";
import { configured, localConfig } from "./deploy/config.mjs";
import { bindingOf, databaseNameOf, MAIN, placeText, readDatabases, writeDatabases } from "./deploy/databases.mjs";
import { guide } from "./guide.mjs";
import { setUp } from "./setup.mjs";
import { localSecrets } from "./setup/local_secrets.mjs";
import { wrangler, wranglerEnv } from "./setup/node_modules.mjs";
import { inRoot, root } from "./setup/paths.mjs";
import { endWithUs, main, say, SetupError, step } from "./setup/progress.mjs";
import { adminToken } from "./token.mjs";

const port = Number(process.env.PORT || 8787);
const url = `http://127.0.0.1:${port}`;
/** Both workers in one process; requests come to the first. Each has its configuration for local runs, made of the one that is deployed. */
const configs = { "wrangler.toml": "wrangler.dev.toml", "wrangler.jobs.toml": "wrangler.dev.jobs.toml" };
const configArguments = Object.values(configs).flatMap((name) => ["--config", name]);
/** What tenants can live in beside the first database, where DATABASES in .dev.vars says nothing else. */
const DATABASES = "eu:jurisdiction=eu";
const READY_SECONDS = 60;
// The local database can be another one, so that a test does not touch the real one.
const persist = process.env.ROLLCALL_STATE ? ["--persist-to", process.env.ROLLCALL_STATE] : [];
/** The endpoints that run in this folder: a file for each, named after its process. */
const running = inRoot(".wrangler", "running");

await main(async () => {
  if (!Number.isInteger(port) || port < 1 || port > 65535) throw new SetupError(`PORT=${process.env.PORT} is no port number.`);
  await portIsFree();
  sayWhoElseRuns();
  await build(await setUp());
  const databases = localDatabases();
  for (const { binding, databaseName } of databases) await migrate(binding, databaseName);
  say("• Starting the endpoint");
  const server = spawn(process.execPath, [wrangler(), "dev", ...configArguments, "--ip", "127.0.0.1", "--port", String(port), "--show-interactive-dev-session=false", ...persist], {
    cwd: root,
    env: { ...wranglerEnv(), ...(process.stdout.isTTY && { FORCE_COLOR: "1" }) },
    stdio: ["ignore", "pipe", "pipe"],
  });
  endWithUs(server);
  const show = holdBack(server);
  const ended = new Promise((resolve) => server.on("close", resolve));
  try {
    await Promise.race([
      healthy(),
      ended.then((code) => {
        throw new SetupError(`wrangler dev ended with code ${code} before the endpoint answered. What it said stands above.`);
      }),
    ]);
  } catch (error) {
    show({ held: true });
    server.kill("SIGTERM");
    throw error;
  }
  leaveWord();
  console.log(welcome());
  show({ held: false });
  process.exitCode = (await ended) ?? 0;
});

/** The local databases, the first one first; the workers' configurations name them. */
function localDatabases() {
  const named = readDatabases((localSecrets().DATABASES ?? DATABASES).split(/\s+/).filter(Boolean));
  const databases = [...new Set([MAIN, ...named.keys()])].map((name) => {
    const databaseName = databaseNameOf(name, configured("database_name"));
    return { name, binding: bindingOf(name), databaseName, id: name === MAIN ? undefined : `local-${databaseName}` };
  });
  for (const [source, target] of Object.entries(configs)) {
    const text = localConfig(source, databases, writeDatabases(named));
    // An endpoint that runs already looks at these files, and would start anew.
    if (!existsSync(inRoot(target)) || readFileSync(inRoot(target), "utf8") !== text) writeFileSync(inRoot(target), text);
  }
  if (named.size) say(`• Databases: ${databases.map(({ name, binding }) => `${binding} (${[name, named.has(name) && placeText(named.get(name))].filter(Boolean).join(", ")})`).join(" and ")}`);
  return databases;
}

function migrate(binding, databaseName) {
  return step(`Migrating the local database ${databaseName}`, "a second or two", process.execPath, [wrangler(), "d1", "migrations", "apply", binding, "--local", "--config", configs["wrangler.toml"], ...persist], {
    cwd: root,
    env: wranglerEnv(),
    hint: "The local databases are under .wrangler/state. To start from empty ones: rm -rf .wrangler/state",
  });
}

/** All endpoints of one folder have one local database, whatever their ports: what one writes the other shows. */
function sayWhoElseRuns() {
  for (const { at, pid } of others()) {
    say(`• An endpoint of this folder runs already, at ${at} (process ${pid}). This one shares its local database.`);
    say("  For a database of its own, run it in another clone.");
  }
}

/** The endpoints of this folder that run: where, and by which process. */
function others() {
  const found = [];
  for (const pid of existsSync(running) ? readdirSync(running) : []) {
    const file = join(running, pid);
    if (isAlive(Number(pid))) found.push({ at: readFileSync(file, "utf8"), pid });
    else rmSync(file, { force: true }); // left behind by a process that was killed
  }
  return found;
}

function leaveWord() {
  mkdirSync(running, { recursive: true });
  const file = join(running, String(process.pid));
  writeFileSync(file, url);
  process.once("exit", () => rmSync(file, { force: true }));
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM"; // there, and another user's
  }
}

/** Asked before the long steps, so that nobody waits for a build to hear of it. */
function portIsFree() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", ({ code }) => {
      const own = others().find(({ at }) => at === url);
      const taken = own ? `is taken by an endpoint of this folder, which runs already (process ${own.pid}): use it at ${url}, or end it` : "is taken by another program";
      const why = code === "EACCES" ? "may not be opened without more rights" : taken;
      reject(new SetupError(`Port ${port} ${why}. To choose another one: PORT=${port < 1024 ? 8787 : port + 1} npm run dev`));
    });
    probe.listen(port, "127.0.0.1", () => probe.close(resolve));
  });
}

/** wrangler's words at the start are of interest only where it fails; from then on they are the log of requests. */
function holdBack(server) {
  let held = [];
  for (const stream of [server.stdout, server.stderr]) {
    stream.on("data", (chunk) => (held ? held.push(chunk) : process.stdout.write(chunk)));
  }
  return (what) => {
    if (what.held) for (const chunk of held) process.stdout.write(chunk);
    held = undefined;
  };
}

async function healthy() {
  const deadline = Date.now() + READY_SECONDS * 1000;
  let last = "no answer";
  while (Date.now() < deadline) {
    try {
      const reply = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(5_000) });
      if (reply.status === 200) return;
      last = `status ${reply.status}: ${(await reply.text()).slice(0, 200)}`;
    } catch (error) {
      last = error.cause?.code ?? error.message;
    }
    await sleep(200);
  }
  throw new SetupError(`${url}/healthz did not answer 200 within ${READY_SECONDS} s (${last}).`);
}

function welcome() {
  const token = adminToken();
  const steps = guide(url).map(({ what, command }) => `  ${what}:\n\n${command}\n`);
  return `
Rollcall runs at ${url}    Ctrl-C stops it. The API for people to read: ${url}/docs

The console, signed in for 24 hours: ${url}/console#token=${token}

An administrator's token, valid for 24 hours (npm run -s token prints a new one):

${token}

Paste these into another terminal, in this folder, one after the other.

${steps.join("\n")}
What is next: docs/api.md has what is served, and docs/operating.md is for when something is wrong.
`;
}
