// `npm run dev` while another one runs in the same folder: both have one local database, and the second one says so before it builds.
// The first one is played by this test, which leaves the word that a running endpoint leaves.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { after, test } from "node:test";
import { inRoot, root } from "../../scripts/setup/paths.mjs";

const running = inRoot(".wrangler", "running");
const left = [];

after(() => left.forEach((file) => rmSync(file, { force: true })));

test("a second npm run dev names the one whose database it shares, and nobody who has ended", { timeout: 30_000 }, async () => {
  const url = "http://127.0.0.1:18787";
  const mine = word(process.pid, url);
  const gone = word(await ended(), "http://127.0.0.1:18788");
  const said = await start();
  assert.ok(said.includes(`An endpoint of this folder runs already, at ${url} (process ${process.pid}). This one shares its local database.`), said);
  assert.match(said, /For a database of its own, run it in another clone\./);
  assert.ok(!said.includes("18788"), said);
  assert.deepEqual([existsSync(mine), existsSync(gone)], [true, false]);
});

test("the first npm run dev names nobody", { timeout: 30_000 }, async () => {
  left.forEach((file) => rmSync(file, { force: true }));
  const said = await start();
  assert.match(said, /^• \w/, "it comes to its first step");
  assert.ok(!said.includes("18787") && !said.includes("18788"), said);
});

test("a port that is taken is told before anything else", { timeout: 30_000 }, async () => {
  word(process.pid, "http://127.0.0.1:18787");
  const server = await listening(0);
  const { port } = server.address();
  const said = await start(port);
  server.close();
  assert.match(said, new RegExp(`Port ${port} is taken by another program\\. .*PORT=${port + 1} npm run dev`));
  assert.ok(!said.includes("shares"), said);
});

test("a port that an endpoint of this folder has is told as that", { timeout: 30_000 }, async () => {
  const server = await listening(0);
  const { port } = server.address();
  word(process.pid, `http://127.0.0.1:${port}`);
  const said = await start(port);
  server.close();
  assert.match(said, new RegExp(`Port ${port} is taken by an endpoint of this folder, which runs already \\(process ${process.pid}\\): use it at http://127\\.0\\.0\\.1:${port}, or end it\\.`));
  assert.match(said, new RegExp(`PORT=${port + 1} npm run dev`));
});

/** What a running endpoint leaves. */
function word(pid, url) {
  mkdirSync(running, { recursive: true });
  const file = join(running, String(pid));
  writeFileSync(file, url);
  left.push(file);
  return file;
}

/** The id of a process that has ended. */
function ended() {
  const child = spawn(process.execPath, ["-e", ""], { stdio: "ignore" });
  return new Promise((resolve) => child.once("exit", () => resolve(child.pid)));
}

/** What `npm run dev` says up to its first step, the building or the migrating, where it is ended: these are for other tests. */
async function start(port) {
  const child = spawn(process.execPath, ["scripts/dev.mjs"], {
    cwd: root,
    env: { ...process.env, PORT: String(port ?? (await freePort())) },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text) => {
    said += text;
    if (/^• (?!An endpoint)/m.test(said)) child.kill("SIGTERM");
  });
  await new Promise((resolve) => child.once("close", resolve));
  return said;
}

async function freePort() {
  const server = await listening(0);
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function listening(port) {
  const server = createServer();
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => resolve(server));
  });
}
