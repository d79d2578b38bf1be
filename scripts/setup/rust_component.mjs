// rustfmt and clippy for the machine's own toolchain: a minimal rustup profile comes without them.
import { ask, SetupError, step } from "./progress.mjs";
import { reachable } from "./reach.mjs";

const subcommand = { rustfmt: "fmt", clippy: "clippy" };

/** Null where the component is there (now), else why it is not and what to do. */
export async function rustComponent(name) {
  const present = () => ask("cargo", [subcommand[name], "--version"]);
  if (await present()) return null;
  const advice = `${name} is not installed; with rustup: rustup component add ${name}`;
  if (!(await ask("rustup", ["--version"]))) return advice;
  const server = process.env.RUSTUP_DIST_SERVER || "https://static.rust-lang.org";
  if (!(await reachable(`${server}/dist/channel-rust-stable.toml.sha256`))) return `${advice} (${server} cannot be reached now)`;
  try {
    await step(`Adding ${name} to the Rust toolchain`, "a few seconds", "rustup", ["component", "add", name]);
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    return advice;
  }
  return (await present()) ? null : advice;
}
