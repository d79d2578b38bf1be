// What a deploy would upload is what the other suites here run: the files in build/, byte for byte, and no others.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { gzipSync } from "node:zlib";
import { wrangler, wranglerEnv } from "../../scripts/setup/node_modules.mjs";
import { inRoot, root } from "../../scripts/setup/paths.mjs";

const upload = mkdtempSync(join(tmpdir(), "rollcall-bundle-"));
after(() => rmSync(upload, { recursive: true, force: true }));

test("a deploy uploads exactly the bundle that the tests run", () => {
  const before = modules(inRoot("build"));
  execFileSync(process.execPath, [wrangler(), "deploy", "--dry-run", "--outdir", upload], { cwd: root, env: wranglerEnv(), stdio: "pipe" });

  assert.deepEqual(Object.keys(modules(upload)), ["index.js", "index_bg.wasm"]);
  const built = modules(inRoot("build"));
  for (const [name, bytes] of Object.entries(modules(upload))) {
    assert.ok(bytes.equals(built[name]), `${name} differs from the one in build/`);
    assert.ok(bytes.equals(before[name]), `${name} was built anew by the deploy: the tests ran another one`);
  }
});

test("the bundle fits the free plan: less than 3 MB compressed", () => {
  const size = Object.values(modules(inRoot("build"))).reduce((sum, bytes) => sum + gzipSync(bytes).length, 0);
  assert.ok(size < 3_000_000, `${size} bytes`);
});

function modules(folder) {
  const names = readdirSync(folder).filter((name) => /\.(js|mjs|wasm)$/.test(name)).sort();
  return Object.fromEntries(names.map((name) => [name, readFileSync(join(folder, name))]));
}
