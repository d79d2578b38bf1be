// Builds the worker into build/: index.js and index_bg.wasm, the very files that wrangler serves, the tests run and a deploy
// uploads. Skips when no input changed since the last build. wrangler calls this too (see [build] in wrangler.toml).
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { setUp } from "./setup.mjs";
import { withLock } from "./setup/lock.mjs";
import { esbuild, wasmOpt } from "./setup/node_modules.mjs";
import { bundle, inRoot, root, wasmTarget } from "./setup/paths.mjs";
import { main, say, SetupError, step } from "./setup/progress.mjs";
import { installWasmBindgen, workerBuildHasWasmBindgen } from "./setup/worker_build.mjs";

const stampFile = join(bundle, ".inputs");
const outputs = ["index.js", "index_bg.wasm"].map((name) => join(bundle, name));

/** `tools` is what setUp() answers. */
export async function build(tools) {
  if (upToDate(tools)) return;
  await withLock(join(wasmTarget, "..", "wasm-build.lock"), "the wasm build", async () => {
    if (upToDate(tools)) return; // whoever held the lock has built it
    rmSync(stampFile, { force: true });
    const started = Date.now();
    await runWorkerBuild(tools);
    // A file that was saved while the compiler ran may or may not be in: no stamp then, so the next run builds again.
    if (inputs().every((file) => mtime(file) < started)) writeFileSync(stampFile, stamp(tools));
    say(`  build/index_bg.wasm has ${Math.round(statSync(outputs[1]).size / 1000)} kB`);
  });
}

async function runWorkerBuild({ toolchain, workerBuild, wasmBindgen }) {
  const first = !existsSync(join(wasmTarget, "wasm32-unknown-unknown"));
  const usual = first ? "the first time 1 to 4 minutes: the standard library is built too" : "usually half a minute to a minute";
  const run = (bindgen) =>
    step(`Building the worker with ${toolchain.version.replace(/ \(.*/, "")} (${toolchain.name})`, usual, workerBuild, ["--release", "--panic-unwind"], {
      cwd: root,
      env: {
        ...process.env,
        ...toolchain.env,
        CARGO_TARGET_DIR: wasmTarget,
        ESBUILD_BIN: process.env.ESBUILD_BIN || esbuild(),
        ...(process.platform !== "win32" && { WASM_OPT_BIN: process.env.WASM_OPT_BIN || wasmOpt() }),
        ...(bindgen && { WASM_BINDGEN_BIN: bindgen }),
      },
      hint: "What the compiler said stands above. If that is no fault of the code: rm -rf target/wasm build, then run the command again.",
    });
  try {
    await run(wasmBindgen);
  } catch (error) {
    // The download of wasm-bindgen was left to worker-build and broke off: the other way to it, once.
    if (!(error instanceof SetupError) || wasmBindgen || workerBuildHasWasmBindgen()) throw error;
    await run(await installWasmBindgen());
  }
}

function upToDate(tools) {
  return existsSync(stampFile) && outputs.every(existsSync) && readFileSync(stampFile, "utf8") === stamp(tools);
}

/** One hash over every input and over what was made of it. */
function stamp({ toolchain }) {
  const hash = createHash("sha256").update(`${toolchain.version}\n${process.env.RUSTFLAGS ?? ""}\n`);
  for (const file of [...inputs(), ...outputs]) hash.update(`${file}\n`).update(existsSync(file) ? readFileSync(file) : "gone").update("\n");
  return hash.digest("hex");
}

/** src/, the manifests, this script, wasm-opt, and whatever else the compiler says it read (files that the code includes). */
function inputs() {
  const files = new Set(readdirSync(inRoot("src"), { recursive: true }).map((name) => inRoot("src", name)).filter((file) => statSync(file).isFile()));
  for (const name of ["Cargo.toml", "Cargo.lock", "build.rs", ".cargo/config.toml", "scripts/build.mjs"]) files.add(inRoot(name));
  files.add(inRoot("node_modules", "binaryen", "package.json"));
  const read = join(wasmTarget, "wasm32-unknown-unknown", "release", "rollcall.d");
  if (existsSync(read)) {
    for (const line of readFileSync(read, "utf8").split("\n")) {
      const [, list = ""] = line.split(/: /);
      for (const file of list.match(/(?:\\ |\S)+/g) ?? []) files.add(file.replaceAll("\\ ", " "));
    }
  }
  return [...files].sort();
}

const mtime = (file) => (existsSync(file) ? statSync(file).mtimeMs : 0);

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(async () => build(await setUp()));
