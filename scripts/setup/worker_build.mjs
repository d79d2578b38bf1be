// worker-build and wasm-bindgen, each of the version that Cargo.lock implies, in the cache for every checkout. worker-build comes by `cargo
// install`, the only way there is. wasm-bindgen is worker-build's own download where GitHub can be reached, else `cargo
// install` too. Both compile much faster with a lighter profile, and nobody notices it when they run.
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { opensslForBuild } from "./openssl.mjs";
import { withLock } from "./lock.mjs";
import { exe, inCache, lockedVersion } from "./paths.mjs";
import { step } from "./progress.mjs";
import { reachable } from "./reach.mjs";

const CARGO_FUZZ = "0.13.2";
// Shared, so that what both need is compiled once.
const scratch = inCache("tools-target");
const fast = {
  CARGO_PROFILE_RELEASE_OPT_LEVEL: "1",
  CARGO_PROFILE_RELEASE_LTO: "off",
  CARGO_PROFILE_RELEASE_CODEGEN_UNITS: "64",
};

/** { workerBuild, wasmBindgen }: paths. The version of worker-build is that of the `worker` crate: they are released together. */
export async function buildTools() {
  const workerBuild = await installed("worker-build", lockedVersion("worker"), "usually 2 minutes, once for this machine");
  const bindgen = await wasmBindgen();
  rmSync(scratch, { recursive: true, force: true });
  return { workerBuild, wasmBindgen: bindgen };
}

/** A path, or null where worker-build is to use (or fetch) its own. */
async function wasmBindgen() {
  const version = lockedVersion("wasm-bindgen");
  if (process.env.WASM_BINDGEN_BIN) return process.env.WASM_BINDGEN_BIN;
  const ours = toolPath("wasm-bindgen-cli", version);
  if (existsSync(ours)) return ours;
  if (workerBuildHasWasmBindgen() || (await reachable(releaseUrl(version)))) return null;
  return installWasmBindgen();
}

export function installWasmBindgen() {
  const usual = "GitHub cannot be reached; usually 1 minute, once for this machine";
  return installed("wasm-bindgen-cli", lockedVersion("wasm-bindgen"), usual);
}

/** The path of cargo-fuzz: for `npm run fuzz` alone. */
export const cargoFuzz = () => installed("cargo-fuzz", CARGO_FUZZ, "usually half a minute, once for this machine");

const binary = (crate) => crate.replace(/-cli$/, "");
const toolPath = (crate, version) => inCache("tools", `${crate}-${version}`, "bin", binary(crate) + exe);

async function installed(crate, version, usual) {
  const path = toolPath(crate, version);
  if (existsSync(path)) return path;
  await withLock(inCache("tools.lock"), "the build tools", async () => {
    if (existsSync(path)) return;
    const home = inCache("tools", `${crate}-${version}`);
    const staging = `${home}.new`;
    rmSync(staging, { recursive: true, force: true });
    mkdirSync(staging, { recursive: true });
    const args = ["install", crate, "--version", version, "--locked", "--bin", binary(crate), "--root", staging];
    const env = { ...process.env, ...fast, ...(await opensslForBuild(crate)), CARGO_TARGET_DIR: scratch };
    await step(`Installing ${crate} ${version}`, usual, "cargo", args, {
      env,
      hint: "Rust's crate registry must be reachable, and a C compiler present (Debian: build-essential; macOS: xcode-select --install).",
    });
    rmSync(home, { recursive: true, force: true });
    renameSync(staging, home);
  });
  return path;
}

/** worker-build keeps what it downloaded in the cache folder of the platform. */
export function workerBuildHasWasmBindgen() {
  const version = lockedVersion("wasm-bindgen");
  const caches =
    process.platform === "darwin" ? join(homedir(), "Library", "Caches") : process.env.XDG_CACHE_HOME || join(homedir(), ".cache");
  return existsSync(join(caches, "worker-build", `wasm-bindgen-${releaseTarget()}-${version}`, `wasm-bindgen${exe}`));
}

function releaseTarget() {
  const arch = process.arch === "arm64" ? "aarch64" : "x86_64";
  if (process.platform === "darwin") return `${arch}-apple-darwin`;
  return process.platform === "win32" ? "x86_64-pc-windows-msvc" : `${arch}-unknown-linux-musl`;
}

const releaseUrl = (version) =>
  `https://github.com/wasm-bindgen/wasm-bindgen/releases/download/${version}/wasm-bindgen-${version}-${releaseTarget()}.tar.gz`;
