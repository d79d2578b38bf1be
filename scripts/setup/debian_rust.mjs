// The fallback compiler: Debian's rustc-web (the Rust that Debian keeps for building browsers), unpacked into the cache. worker-build
// calls `cargo +nightly`, `rustc +nightly` and `rustup component list`, so three small programs stand before it on the PATH that
// answer as a nightly toolchain with rust-src would. Neither the system nor ~/.rustup is touched.
import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { canUnpack, listsWith, newest, unpack } from "./debian_packages.mjs";
import { inCache } from "./paths.mjs";
import { ask, SetupError } from "./progress.mjs";

const home = inCache("debian-rust");
const usr = join(home, "usr");
const shims = join(home, "shims");
const multiarch = process.arch === "arm64" ? "aarch64-linux-gnu" : "x86_64-linux-gnu";
const byHand =
  "What to do: install rustup (https://rustup.rs) and let it reach https://static.rust-lang.org (RUSTUP_DIST_SERVER names a mirror), then run:\n" +
  "  rustup toolchain install nightly --profile minimal --component rust-src --target wasm32-unknown-unknown";

/** The toolchain where it was set up before, else undefined. */
export async function debianRustReady() {
  if (!existsSync(join(shims, "cargo"))) return undefined;
  const version = await ask(join(shims, "rustc"), ["--version"]);
  return version ? { name: "Debian", version, env: { PATH: `${shims}${delimiter}${process.env.PATH}` } } : undefined;
}

export async function debianRust(why) {
  if (!(await canUnpack())) {
    throw new SetupError(`No compiler for WebAssembly: ${why}, and this is no Debian whose packages could stand in.\n${byHand}`);
  }
  try {
    const lists = await listsWith(["rustc-web"]);
    const linker = await newest("lld", lists);
    await unpack(["rustc-web", "cargo-web", "rust-web-src", linker], home, "Debian's Rust compiler");
  } catch (error) {
    throw error instanceof SetupError ? new SetupError(`${error.message}\n${byHand}`) : error;
  }
  completeSysroot();
  writeShims();
  const ready = await debianRustReady();
  if (!ready) throw new SetupError(`Debian's compiler in ${home} does not run. Delete that folder and try again.\n${byHand}`);
  return ready;
}

/** What Debian's packages leave to their place in the file system: the sources, the target's folder and the linker. */
function completeSysroot() {
  const rustlib = join(usr, "lib/rustlib");
  mkdirSync(join(rustlib, "wasm32-unknown-unknown/lib"), { recursive: true });
  const version = readdirSync(join(usr, "src")).find((name) => name.startsWith("rustc-"));
  link(join(usr, "src", version), join(rustlib, "src/rust"));
  const llvm = readdirSync(join(usr, "lib")).filter((name) => existsSync(join(usr, "lib", name, "bin/wasm-ld"))).at(-1);
  const host = process.arch === "arm64" ? "aarch64-unknown-linux-gnu" : "x86_64-unknown-linux-gnu";
  link(join(usr, "lib", llvm, "bin/wasm-ld"), join(rustlib, host, "bin/rust-lld"));
}

function link(to, from) {
  mkdirSync(join(from, ".."), { recursive: true });
  rmSync(from, { recursive: true, force: true });
  symlinkSync(to, from);
}

function writeShims() {
  const staging = `${shims}.${process.pid}`;
  mkdirSync(staging, { recursive: true });
  const libraries = `${usr}/lib:${usr}/lib/${multiarch}`;
  const tool = (name) => `#!/bin/sh
# Debian's ${name} in the place of a nightly one.
[ "$1" = +nightly ] && shift
LD_LIBRARY_PATH="${libraries}\${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}" RUSTC_BOOTSTRAP=1 exec "${usr}/bin/${name}" "$@"
`;
  const rustup = `#!/bin/sh
# Answers the one question that worker-build asks rustup.
[ "$1 $2" = "component list" ] && echo "rust-src (installed)" && exit 0
echo "rustup is not used with Debian's compiler" >&2
exit 1
`;
  for (const [name, text] of [["cargo", tool("cargo")], ["rustc", tool("rustc")], ["rustup", rustup]]) {
    writeFileSync(join(staging, name), text);
    chmodSync(join(staging, name), 0o755);
  }
  rmSync(shims, { recursive: true, force: true });
  renameSync(staging, shims);
}
