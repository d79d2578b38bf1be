// `npm run fuzz -- --seconds 60 [target …]`: the targets of tests/fuzz under libFuzzer, one after the other, for so many seconds each; all of them
// where none is named. What makes one fail is kept in tests/fuzz/artifacts/ and can be given to it again. It takes cargo-fuzz and the nightly
// compiler of the wasm build; `npm test` tries the seeds and mutations of them with neither.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { inRoot, root } from "./setup/paths.mjs";
import { ask, endWithUs, main, say, SetupError, step } from "./setup/progress.mjs";
import { wasmToolchain } from "./setup/toolchain.mjs";
import { cargoFuzz } from "./setup/worker_build.mjs";

const LONGEST = 8_192; // bytes of an input
const SLOW_SECONDS = 10; // an input that takes longer has failed
const MEMORY_MB = 2_048;

await main(async () => {
  const { seconds, targets } = wanted();
  const toolchain = await wasmToolchain();
  const tool = await cargoFuzz().catch((error) => {
    throw error instanceof SetupError ? new SetupError(`cargo-fuzz cannot be had on this machine.\n${error.message}`) : error;
  });
  const path = [dirname(tool), toolchain.env.PATH ?? process.env.PATH].join(delimiter);
  const env = { ...process.env, ...toolchain.env, PATH: path };
  // No sanitizer: the crate forbids unsafe code, and without one inputs run twice as fast.
  await step("Building the targets with cargo-fuzz", "the first time 3 to 5 minutes", "cargo", ["fuzz", "build", "--fuzz-dir", "tests/fuzz", "--sanitizer", "none", "targets"], {
    cwd: root,
    env,
    hint: "libFuzzer is C++: a C++ compiler has to be there (Debian: build-essential; macOS: xcode-select --install).",
  });
  const host = (await ask("rustc", ["-vV"], { env }))?.match(/^host: (.+)$/m)?.[1];
  const program = inRoot("tests", "fuzz", "target", host, "release", "targets");
  let failed = 0;
  for (const target of targets) failed += (await fuzz(program, target, seconds)) ? 0 : 1;
  if (failed) throw new SetupError(`${failed} of ${targets.length} targets failed; what did it is in tests/fuzz/artifacts/.`);
});

function wanted() {
  const all = readdirSync(inRoot("tests", "fuzz", "seeds")).map((name) => name.replace(/\.txt$/, "")).sort();
  let parsed;
  try {
    parsed = parseArgs({ options: { seconds: { type: "string", default: "60" } }, allowPositionals: true });
  } catch (error) {
    throw new SetupError(`${error.message}\nnpm run fuzz -- --seconds 60 filter patch`);
  }
  const seconds = Number(parsed.values.seconds);
  if (!Number.isInteger(seconds) || seconds < 1) throw new SetupError("--seconds takes a whole number, 1 or more.");
  const unknown = parsed.positionals.filter((name) => !all.includes(name));
  if (unknown.length) throw new SetupError(`No such target: ${unknown.join(", ")}. Targets: ${all.join(", ")}`);
  return { seconds, targets: parsed.positionals.length ? parsed.positionals : all };
}

/** Runs a target and tells in a line what came of it. */
async function fuzz(program, target, seconds) {
  const corpus = seeded(target);
  const artifacts = inRoot("tests", "fuzz", "artifacts", target);
  mkdirSync(artifacts, { recursive: true });
  say(`• ${target}, ${seconds} s`);
  const args = [corpus, `-max_total_time=${seconds}`, `-max_len=${LONGEST}`, `-timeout=${SLOW_SECONDS}`, `-rss_limit_mb=${MEMORY_MB}`, `-artifact_prefix=${artifacts}/`, "-print_final_stats=1"];
  const child = spawn(program, args, { cwd: root, env: { ...process.env, TARGET: target }, stdio: ["ignore", "ignore", "pipe"] });
  endWithUs(child);
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text) => (said = (said + text).slice(-200_000)));
  const code = await new Promise((resolve) => child.on("close", resolve));
  const runs = Number(said.match(/^stat::number_of_executed_units: (\d+)$/m)?.[1] ?? 0);
  const covered = [...said.matchAll(/ cov: (\d+) /g)].at(-1)?.[1] ?? "0";
  say(`  ${runs.toLocaleString("en")} executions, ${covered} places in the code reached, ${code === 0 ? "nothing found" : "FAILED"}`);
  if (code !== 0) say(said.split("\n").filter((line) => /panicked|^==|SUMMARY|Test unit|assertion|left:|right:/.test(line)).map((line) => `  | ${line.slice(0, 300)}`).join("\n"));
  return code === 0;
}

/** The folder with a target's inputs: its seeds (a line each; what is no text in hexadecimal), and what the fuzzer has found since. */
function seeded(target) {
  const folder = inRoot("tests", "fuzz", "corpus", target);
  mkdirSync(folder, { recursive: true });
  for (const line of readFileSync(inRoot("tests", "fuzz", "seeds", `${target}.txt`), "utf8").replace(/\n$/, "").split("\n")) {
    const input = line.startsWith("hex:") ? Buffer.from(line.slice(4), "hex") : Buffer.from(line.replaceAll("\\n", "\n"));
    const file = join(folder, createHash("sha256").update(input).digest("hex").slice(0, 16));
    if (!existsSync(file)) writeFileSync(file, input);
  }
  return folder;
}
