// What a deploy would upload is what the other suites here run: the files in build/, byte for byte, and no others.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { gzipSync } from "node:zlib";
import { wrangler, wranglerEnv } from "../../scripts/setup/node_modules.mjs";
import { inRoot, root } from "../../scripts/setup/paths.mjs";

const upload = mkdtempSync(join(tmpdir(), "rollcall-bundle-"));
after(() => rmSync(upload, { recursive: true, force: true }));

/** Words that the code of the jobs worker says: of LDAP's results, of a filter, of a certificate, of SAML's metadata, of a sync. */
const TELLING = ["adminLimitExceeded", "insufficientAccessRights", "a filter begins with an opening parenthesis", "it is PEM, but no certificate", "SingleSignOnService", "http://www.w3.org/2000/09/xmldsig#", "another entry has the same "];

const WORKERS = [
  { config: "wrangler.toml", folder: "build" },
  { config: "wrangler.jobs.toml", folder: "build-jobs" },
];

for (const { config, folder } of WORKERS) {
  test(`a deploy of ${config} uploads exactly the bundle that the tests run`, () => {
    const before = modules(inRoot(folder));
    const outdir = join(upload, folder);
    execFileSync(process.execPath, [wrangler(), "deploy", "--dry-run", "--config", inRoot(config), "--outdir", outdir], { cwd: root, env: wranglerEnv(), stdio: "pipe" });

    assert.deepEqual(Object.keys(modules(outdir)), ["index.js", "index_bg.wasm"]);
    const built = modules(inRoot(folder));
    for (const [name, bytes] of Object.entries(modules(outdir))) {
      assert.ok(bytes.equals(built[name]), `${name} differs from the one in ${folder}/`);
      assert.ok(bytes.equals(before[name]), `${name} was built anew by the deploy: the tests ran another one`);
    }
  });

  test(`the bundle in ${folder}/ fits the free plan: less than 3 MB compressed`, () => {
    const size = Object.values(modules(inRoot(folder))).reduce((sum, bytes) => sum + gzipSync(bytes).length, 0);
    assert.ok(size < 3_000_000, `${size} bytes`);
  });
}

test("the first worker is small: 600 kB of wasm, compressed", () => {
  const size = gzipSync(readFileSync(inRoot("build", "index_bg.wasm")), { level: 9 }).length;
  assert.ok(size <= 600_000, `${size} bytes`);
});

test("the console's program is small: 150 kB of JavaScript, compressed, in all", () => {
  const folder = inRoot("build-assets", "console");
  const programs = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith(".js"));
  const size = programs.reduce((sum, name) => sum + gzipSync(readFileSync(join(folder, name)), { level: 9 }).length, 0);
  assert.ok(size > 10_000 && size <= 150_000, `${size} bytes`);
  // Whose code is in it is said.
  const licences = readFileSync(join(folder, "LICENSES.txt"), "utf8");
  for (const library of ["preact", "oauth4webapi", "openapi-fetch"]) assert.match(licences, new RegExp(`^${library}$`, "m"));
});

test("neither worker tells where it was built", () => {
  for (const { folder } of WORKERS) {
    const wasm = readFileSync(inRoot(folder, "index_bg.wasm"));
    for (const place of [homedir(), root, "registry/src/"]) assert.ok(!wasm.includes(place), `${place} stands in ${folder}/`);
  }
});

test("LDAP, certificates, XML and syncs are in the jobs worker alone", () => {
  const [first, jobs] = WORKERS.map(({ folder }) => readFileSync(inRoot(folder, "index_bg.wasm")));
  for (const word of TELLING) {
    assert.ok(jobs.includes(word), `${word} is not in the jobs worker: it tells nothing any more`);
    assert.ok(!first.includes(word), `${word} is in the first worker`);
  }
});

test("messages and the clock are the jobs worker's, requests are both's", () => {
  const [first, jobs] = WORKERS.map(({ folder }) => readFileSync(inRoot(folder, "index.js"), "utf8"));
  for (const handler of ["scheduled", "queue"]) {
    const exported = new RegExp(`\\b${handler}\\b`);
    assert.match(jobs, exported);
    assert.doesNotMatch(first, exported);
  }
});

function modules(folder) {
  const names = readdirSync(folder).filter((name) => /\.(js|mjs|wasm)$/.test(name)).sort();
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(folder, name))]));
}
