// The one test that goes the way of `npm run dev`, by scripts/dev.mjs itself: wrangler reads wrangler.toml and wrangler.jobs.toml, applies the migrations and
// serves the workers that are built already, and the requests go over real HTTP. What the endpoint answers in detail is for the other suites; here it is that
// the command works and the configuration is true.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { guide } from "../../scripts/guide.mjs";
import { wrangler, wranglerEnv } from "../../scripts/setup/node_modules.mjs";
import { inRoot, root } from "../../scripts/setup/paths.mjs";
import { adminToken } from "../../scripts/token.mjs";
import { user } from "./support/resources.mjs";

const READY_MS = 120_000;
const windows = process.platform === "win32";
const state = mkdtempSync(join(tmpdir(), "rollcall-dev-"));
const env = { ...wranglerEnv(), ROLLCALL_STATE: state, WRANGLER_LOG_PATH: join(state, "logs"), WRANGLER_REGISTRY_PATH: join(state, "registry") };
const d1 = async (command, binding, ...more) =>
  (await promisify(execFile)(process.execPath, [wrangler(), "d1", ...command, binding, "--local", "--persist-to", state, ...more, "--config", inRoot("wrangler.dev.toml")], { cwd: root, env, timeout: 60_000 })).stdout;

let server, url;
let output = "";

before(async () => {
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  // A process group of its own, so that workerd ends with it.
  server = spawn(process.execPath, ["scripts/dev.mjs"], {
    cwd: root,
    env: { ...env, PORT: String(port) },
    stdio: ["ignore", "pipe", "pipe"],
    detached: !windows,
  });
  for (const stream of [server.stdout, server.stderr]) stream.on("data", (chunk) => (output += chunk));
  await healthy();
}, { timeout: READY_MS + 90_000 });

after(async () => {
  if (server) await end();
  rmSync(state, { recursive: true, force: true, maxRetries: 5 });
}, { timeout: 30_000 });

test("it says where it runs, and prints what to paste", { timeout: 30_000 }, async () => {
  for (const { command } of guide(url)) {
    while (!output.includes(command)) await sleep(100);
  }
  assert.ok(output.includes(`Rollcall runs at ${url} `), output);
  assert.match(output, /\/console#token=[\w.-]+\n/);
  assert.ok(!output.includes("Building"), "the worker was built a second time: where src changed, npm run build comes before this test");
});

test("it has two databases, and a second migration finds nothing left to apply in either", { timeout: 140_000 }, async () => {
  assert.match(output, /Databases: DB \(main\) and DB_EU \(eu, jurisdiction eu\)/);
  for (const binding of ["DB", "DB_EU"]) assert.match(await d1(["migrations", "apply"], binding), /No migrations to apply/, binding);
});

test("both workers have both databases, and are told of them", () => {
  for (const name of ["wrangler.dev.toml", "wrangler.dev.jobs.toml"]) {
    const text = readFileSync(inRoot(name), "utf8");
    const values = (key) => [...text.matchAll(new RegExp(`^${key} = "(.*)"$`, "gm"))].map(([, value]) => value);
    assert.deepEqual(values("database_name"), ["rollcall", "rollcall-eu"], name);
    assert.equal(new Set(values("database_id")).size, 2, name);
    assert.deepEqual([values("DATABASES"), values("migrations_dir")], [["eu:jurisdiction=eu"], ["migrations", "migrations"]], name);
  }
});

test("over HTTP: a tenant, a token, a user, a list", { timeout: 30_000 }, async () => {
  const admin = { authorization: `Bearer ${adminToken()}` };
  const health = await send("GET", "/healthz");
  assert.deepEqual([health.status, health.body.status], [200, "ok"]);

  const tenant = await send("POST", "/api/v1/admin/tenants/", admin, { name: "Example" });
  assert.equal(tenant.status, 201, tenant.text);
  const minted = await send("POST", "/api/v1/admin/scim-tokens/", admin, { tenant_id: tenant.body.data.id, name: "first token" });
  assert.equal(minted.status, 201, minted.text);

  const scim = { authorization: `Bearer ${minted.body.data.token}` };
  const base = `/api/v1/tenants/${tenant.body.data.id}/scim/v2`;
  const made = await send("POST", `${base}/Users`, scim, user("ada@example.com", { name: { givenName: "Ada", familyName: "Lovelace" } }));
  assert.equal(made.status, 201, made.text);
  assert.equal(made.headers.get("location"), `${url}${base}/Users/${made.body.id}`, "the address is the one that the client used");

  for (const path of [`${base}/Users`, "/scim/v2/Users?filter=userName+eq+%22ADA%40example.com%22"]) {
    const list = await send("GET", path, scim);
    assert.equal(list.status, 200, list.text);
    assert.deepEqual([list.body.totalResults, list.body.Resources[0].id], [1, made.body.id]);
    // Local settings ask for it; a deployed worker has it off.
    assert.match(list.headers.get("server-timing"), /^d1;desc="trips=1 /);
  }
  assert.equal((await send("GET", `${base}/Users`)).status, 401);
  // What the other worker answers, over the same address.
  const providers = await send("GET", `/api/v1/admin/identity-providers?tenant_id=${tenant.body.data.id}`, admin);
  assert.deepEqual([providers.status, providers.body.data], [200, []], providers.text);
  assert.ok(!output.includes(minted.body.data.token.slice(0, 12)), "the token is in the log");
});

test("the commands that npm run dev prints, pasted one after the other, end with a user who is listed", { skip: windows && "for bash and zsh", timeout: 60_000 }, async () => {
  const page = readFileSync(inRoot("docs", "first-steps.md"), "utf8");
  for (const { command } of guide("http://127.0.0.1:8787")) assert.ok(page.includes(`\n${command}\n`), `docs/first-steps.md does not have:\n${command}`);
  const script = guide(url).map(({ command }) => `${command}\necho "= $?"`);
  const { stdout, stderr } = await promisify(execFile)("bash", ["-c", script.join("\n")], { cwd: root, env: { ...env, NO_PROXY: "127.0.0.1", no_proxy: "127.0.0.1" }, timeout: 50_000 });
  assert.equal(stderr, "");
  const [tenant, token, created, listed, info] = stdout.split("= 0\n").map((part) => part.trim());
  assert.match(token, /^rcs_/);
  assert.match(created, /^HTTP\/1\.1 201 /);
  const { totalResults, Resources } = JSON.parse(listed);
  assert.deepEqual([totalResults, Resources[0].userName], [1, "ada@example.com"]);
  assert.equal(JSON.parse(info).data.scim_base_url, `${url}/api/v1/tenants/${tenant}/scim/v2`);
});

test("a command whose request is refused shows the reply", { skip: windows && "for bash and zsh", timeout: 30_000 }, async () => {
  const [, token] = guide(url).map(({ command }) => command);
  for (const [ADMIN, said] of [["", "no token follows the word Bearer"], ["x", "the credential is not valid"]]) {
    const shell = promisify(execFile)("bash", ["-c", token], { cwd: root, env: { ...env, URL: url, ADMIN, TENANT: "acme", NO_PROXY: "127.0.0.1", no_proxy: "127.0.0.1" }, timeout: 20_000 });
    const { stdout, stderr } = await shell;
    assert.equal(stdout.trim(), "");
    assert.ok(stderr.includes(said) && !stderr.includes("TypeError"), stderr);
  }
});

test("a body that is too long is refused, and the connection serves the next request", { timeout: 60_000 }, async () => {
  const admin = { authorization: `Bearer ${adminToken()}` };
  for (let round = 0; round < 3; round += 1) {
    const long = await send("POST", "/api/v1/admin/tenants/", admin, { name: "x".repeat(1_100_000) });
    assert.equal(long.status, 413);
    assert.equal((await send("POST", "/api/v1/admin/tenants/", admin, { name: `After ${round}` })).status, 201);
    assert.equal((await send("GET", "/api/v1/admin/tenants/", admin)).status, 200);
  }
});

test("the endpoint ends with its process group, and its port is free again", { timeout: 30_000 }, async () => {
  await end();
  await assert.rejects(fetch(`${url}/healthz`, { signal: AbortSignal.timeout(2_000) }));
});

async function send(method, path, headers = {}, body) {
  const reply = await fetch(url + path, {
    method,
    headers: { ...headers, ...(body && { "content-type": path.includes("/scim/") ? "application/scim+json" : "application/json" }) },
    body: body && JSON.stringify(body),
    signal: AbortSignal.timeout(10_000),
  });
  const text = await reply.text();
  return { status: reply.status, headers: reply.headers, text, body: text ? JSON.parse(text) : null };
}

async function healthy() {
  const deadline = Date.now() + READY_MS;
  while (Date.now() < deadline) {
    if (server.exitCode !== null) break;
    const ready = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(5_000) }).then(({ status }) => status === 200, () => false);
    if (ready) return;
    await sleep(200);
  }
  throw new Error(`wrangler dev did not serve ${url}/healthz:\n${output}`);
}

async function end() {
  const ended = new Promise((resolve) => (server.exitCode !== null || server.signalCode !== null ? resolve() : server.once("close", resolve)));
  for (const signal of ["SIGTERM", "SIGKILL"]) {
    if (!signalled(signal)) break;
    await Promise.race([ended, sleep(8_000, undefined, { ref: false })]);
  }
  await ended;
}

/** Whether there was anybody left to take the signal. */
function signalled(signal) {
  try {
    return windows ? server.kill(signal) : process.kill(-server.pid, signal);
  } catch (error) {
    if (error.code === "ESRCH") return false;
    throw error;
  }
}

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}
