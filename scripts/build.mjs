// Builds the two workers, the first into build/ and the jobs worker into build-jobs/: index.js and index_bg.wasm each, and the files beside the
// first into build-assets/; the very files that wrangler serves, the tests run and a deploy uploads. Skips what no input changed of since the
// last build. wrangler calls this too (see [build] in wrangler.toml). The benchmark's floor (benches/floor) is built here as well, by the same
// steps.
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { assets } from "./assets.mjs";
import { setUp } from "./setup.mjs";
import { withLock } from "./setup/lock.mjs";
import { esbuild, wasmOpt } from "./setup/node_modules.mjs";
import { inRoot, root, wasmTarget } from "./setup/paths.mjs";
import { main, say, SetupError, step } from "./setup/progress.mjs";
import { installWasmBindgen, workerBuildHasWasmBindgen } from "./setup/worker_build.mjs";

/** A crate that becomes a worker: `folder` has its manifest, the worker is put into `out` there; `features` are those that it is built with. */
export const WORKER = { folder: root, crate: "rollcall", out: "build", features: "requests", title: "the first worker" };
export const JOBS_WORKER = { folder: root, crate: "rollcall", out: "build-jobs", features: "jobs", title: "the jobs worker" };
export const FLOOR = { folder: inRoot("benches", "floor"), crate: "floor", out: "build", features: "", title: "the benchmark's floor" };

// Beyond what std has by default it is small, and without the reading of backtraces, which there are none of in wasm.
const STD_FEATURES = "panic-unwind,optimize_for_size";
// Of a place in the code the file and the line: the log names a refusal by them (src/at.rs). Without what `{:?}` writes: nothing that
// anybody reads is written so.
const RUSTFLAGS = ["-Zlocation-detail=file,line", "-Zfmt-debug=none"];
// What rustc has for this target, and the exceptions that unwinding is made of: nothing newer that the runtime might not know.
const WASM_FEATURES = ["mutable-globals", "sign-ext", "nontrapping-float-to-int", "bulk-memory", "multivalue", "reference-types", "exception-handling"];
// A function with one caller stays a function: put into each other they become one of a third of a megabyte, which is slow to compile and compresses
// badly. What has like names, one generic function for several types, compresses well side by side.
const SHRINKING = ["-Os", "--one-caller-inline-max-function-size=0", "--reorder-functions-by-name"];

const built = ({ folder, out }, name) => join(folder, out, name);
const outputs = (worker) => ["index.js", "index_bg.wasm"].map((name) => built(worker, name));

/** Both workers and their files. `tools` is what setUp() answers. */
export async function build(tools) {
  for (const worker of [WORKER, JOBS_WORKER]) await buildWasm(tools, worker);
  assets();
}

/** One worker. */
export async function buildWasm(tools, worker) {
  if (upToDate(tools, worker)) return;
  await withLock(join(wasmTarget, "..", "wasm-build.lock"), "the wasm build", async () => {
    if (upToDate(tools, worker)) return; // whoever held the lock has built it
    rmSync(built(worker, ".inputs"), { force: true });
    const started = Date.now();
    await runWorkerBuild(tools, worker);
    copyFileSync(compilerInputs(worker), built(worker, ".d")); // the next build of the crate writes its own there
    await shrink(worker);
    // A file that was saved while the compiler ran may or may not be in: no stamp then, so the next run builds again.
    if (inputs(worker).every((file) => mtime(file) < started)) writeFileSync(built(worker, ".inputs"), stamp(tools, worker));
    say(`  ${sizes(worker)}`);
  });
}

/** The size of the wasm, as it is and as it is uploaded. */
export function wasmSize(worker = WORKER) {
  const wasm = readFileSync(built(worker, "index_bg.wasm"));
  return { plain: wasm.length, gzipped: gzipSync(wasm, { level: 9 }).length };
}

function sizes(worker) {
  const { plain, gzipped } = wasmSize(worker);
  const kB = (bytes) => `${Math.round(bytes / 1000).toLocaleString("en")} kB`;
  return `${relative(root, built(worker, "index_bg.wasm"))} has ${kB(plain)}, ${kB(gzipped)} gzipped`;
}

/** Where this machine keeps the code of others is nobody's business: in the worker their files are named from their own folders on. */
function withoutPlaces() {
  const registries = join(process.env.CARGO_HOME || join(homedir(), ".cargo"), "registry", "src");
  const places = existsSync(registries) ? readdirSync(registries).map((name) => join(registries, name)) : [];
  places.push(join(process.env.RUSTUP_HOME || join(homedir(), ".rustup"), "toolchains"));
  return places.filter((place) => !/\s/.test(place)).map((place) => `--remap-path-prefix=${place}=`);
}

async function runWorkerBuild({ toolchain, workerBuild, wasmBindgen }, { folder, out, features, title }) {
  const first = !existsSync(join(wasmTarget, "wasm32-unknown-unknown"));
  const usual = first ? "the first time 1 to 4 minutes: the standard library is built too" : "usually half a minute to a minute";
  const run = (bindgen) =>
    step(`Building ${title} with ${toolchain.version.replace(/ \(.*/, "")} (${toolchain.name})`, usual, workerBuild, ["--release", "--panic-unwind", "--out-dir", out, ".", "--", "--no-default-features", "--features", features], {
      cwd: folder,
      env: {
        ...process.env,
        ...toolchain.env,
        CARGO_TARGET_DIR: wasmTarget,
        CARGO_UNSTABLE_BUILD_STD_FEATURES: STD_FEATURES,
        RUSTFLAGS: [process.env.RUSTFLAGS, ...RUSTFLAGS, ...withoutPlaces()].filter(Boolean).join(" "),
        ESBUILD_BIN: process.env.ESBUILD_BIN || esbuild(),
        ...(bindgen && { WASM_BINDGEN_BIN: bindgen }),
      },
      hint: "What the compiler said stands above. If that is no fault of the code: rm -rf target/wasm build build-jobs, then run the command again.",
    });
  try {
    await run(wasmBindgen);
  } catch (error) {
    // The download of wasm-bindgen was left to worker-build and broke off: the other way to it, once.
    if (!(error instanceof SetupError) || wasmBindgen || workerBuildHasWasmBindgen()) throw error;
    await run(await installWasmBindgen());
  }
}

/** wasm-opt. worker-build would run it too, and keep the names of all functions, a fifth of the file. */
async function shrink(worker) {
  const [, wasm] = outputs(worker);
  const [command, ...first] = process.env.WASM_OPT_BIN ? [process.env.WASM_OPT_BIN] : [process.execPath, wasmOpt()];
  await step("Making it smaller with wasm-opt", "usually a minute", command, [...first, wasm, "-o", `${wasm}.new`, ...SHRINKING, ...WASM_FEATURES.map((name) => `--enable-${name}`)], {
    hint: "WASM_OPT_BIN names a wasm-opt of your own; without it the one in node_modules is used.",
  });
  renameSync(`${wasm}.new`, wasm);
}

function upToDate(tools, worker) {
  const stampFile = built(worker, ".inputs");
  return existsSync(stampFile) && outputs(worker).every(existsSync) && readFileSync(stampFile, "utf8") === stamp(tools, worker);
}

/** One hash over every input and over what was made of it. */
function stamp({ toolchain }, worker) {
  const hash = createHash("sha256").update(`${toolchain.version}\n${process.env.RUSTFLAGS ?? ""}\n${worker.features}\n`);
  for (const file of [...inputs(worker), ...outputs(worker)]) hash.update(`${file}\n`).update(existsSync(file) ? readFileSync(file) : "gone").update("\n");
  return hash.digest("hex");
}

/**
 * The code in src/, the manifests, this script, wasm-opt, and whatever else the compiler says it read (files that the code includes), but for what build.rs
 * wrote for it, which follows from the others.
 */
function inputs(worker) {
  const { folder } = worker;
  const source = join(folder, "src");
  const files = new Set(readdirSync(source, { recursive: true }).map((name) => join(source, name)).filter((file) => file.endsWith(".rs")));
  for (const name of ["Cargo.toml", "Cargo.lock", "build.rs", ".cargo/config.toml"]) files.add(join(folder, name));
  files.add(inRoot("scripts", "build.mjs")).add(inRoot("node_modules", "binaryen", "package.json"));
  const read = built(worker, ".d");
  if (existsSync(read)) {
    for (const line of readFileSync(read, "utf8").split("\n")) {
      const [, list = ""] = line.split(/: /);
      for (const file of list.match(/(?:\\ |\S)+/g) ?? []) if (!file.startsWith(wasmTarget)) files.add(file.replaceAll("\\ ", " "));
    }
  }
  return [...files].sort();
}

/** Where the compiler says what it read for the last build of a crate. */
const compilerInputs = ({ crate }) => join(wasmTarget, "wasm32-unknown-unknown", "release", `${crate}.d`);

const mtime = (file) => (existsSync(file) ? statSync(file).mtimeMs : 0);

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(async () => build(await setUp()));
