// The compiler for the wasm build: a nightly toolchain with rust-src and the wasm target, because panics that unwind need a
// standard library that is rebuilt for them. rustup fetches it where its server can be reached; else Debian's own
// compiler is unpacked into the cache (debian_rust.mjs). Answers { name, version, env }; env goes to worker-build.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { debianRust, debianRustReady } from "./debian_rust.mjs";
import { inRoot } from "./paths.mjs";
import { ask, say, SetupError, step } from "./progress.mjs";
import { reachable } from "./reach.mjs";

const TARGET = "wasm32-unknown-unknown";
// rustup must not start a download of its own when it is only asked what is there.
const quiet = { env: { ...process.env, RUSTUP_AUTO_INSTALL: "0" } };

export async function wasmToolchain() {
  const ready = (await rustupNightly()).ready ?? (await debianRustReady());
  if (ready) return ready;
  if (!(await ask("cargo", ["--version"]))) {
    throw new SetupError("Rust is missing: `cargo` is not on the PATH. Install it with rustup (https://rustup.rs), then run the command again.");
  }
  let why = "rustup is not installed";
  if (await ask("rustup", ["--version"])) {
    const server = process.env.RUSTUP_DIST_SERVER || "https://static.rust-lang.org";
    if (await reachable(`${server}/dist/channel-rust-nightly.toml.sha256`)) {
      try {
        return await byRustup();
      } catch (error) {
        if (!(error instanceof SetupError)) throw error;
        why = error.message;
      }
    } else {
      why = `${server} cannot be reached`;
    }
  }
  say(`• The ordinary way to the wasm compiler is closed (${why}): trying Debian's packages`);
  return debianRust(why);
}

async function rustupNightly() {
  const sysroot = await ask("rustc", ["+nightly", "--print", "sysroot"], quiet);
  const version = sysroot && existsSync(sysroot) ? await ask("rustc", ["+nightly", "--version"], quiet) : null;
  if (!version) return { installed: false };
  const recent = minor(version) >= minor(readFileSync(inRoot("Cargo.toml"), "utf8").match(/^rust-version = "([^"]+)"/m)?.[1] ?? "1.90");
  const complete =
    existsSync(join(sysroot, "lib/rustlib/src/rust/library/std")) && existsSync(join(sysroot, "lib/rustlib", TARGET, "lib"));
  // With RUSTUP_TOOLCHAIN, worker-build finds the target there and does not ask for it in the stable toolchain as well.
  const toolchain = { name: "rustup", version, env: { RUSTUP_TOOLCHAIN: "nightly" } };
  return { installed: true, recent, ready: recent && complete ? toolchain : undefined };
}

async function byRustup() {
  const { installed, recent } = await rustupNightly();
  const hint = "Try it by hand: rustup toolchain install nightly --profile minimal --component rust-src --target " + TARGET;
  if (installed && recent) {
    await step("Adding rust-src to the nightly Rust toolchain", "a few seconds", "rustup", ["component", "add", "rust-src", "--toolchain", "nightly"], { hint });
    await step(`Adding the ${TARGET} target to it`, "a few seconds", "rustup", ["target", "add", TARGET, "--toolchain", "nightly"], { hint });
  } else {
    const title = installed ? "Updating the nightly Rust toolchain, which is too old" : "Installing a nightly Rust toolchain";
    const parts = ["--profile", "minimal", "--component", "rust-src", "--target", TARGET, "--no-self-update"];
    await step(title, "usually a minute", "rustup", ["toolchain", "install", "nightly", ...parts], { hint });
  }
  const { ready } = await rustupNightly();
  if (!ready) throw new SetupError(`rustup installed nightly, but it has no rust-src or no ${TARGET}. ${hint}`);
  return ready;
}

const minor = (version) => Number(version.match(/1\.(\d+)/)?.[1] ?? 0);
