// `npm test`: set-up, then every check there is, each announced by a line. The last line adds up what the test runners themselves
// counted. `npm test -- native edge` runs those stages alone; `npm run lint` is fmt, clippy and types.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { build } from "./build.mjs";
import { setUp } from "./setup.mjs";
import { chromium } from "./setup/chromium.mjs";
import { judges } from "./setup/judges.mjs";
import { postgres } from "./setup/postgres.mjs";
import { rustComponent } from "./setup/rust_component.mjs";
import { slapd } from "./setup/slapd.mjs";
import { nodeModules, wranglerEnv } from "./setup/node_modules.mjs";
import { inRoot, root } from "./setup/paths.mjs";
import { endWithUs, main, say, SetupError } from "./setup/progress.mjs";

const nothing = { passed: 0, failed: 0 };
/** The suites of tests/edge that run wrangler. */
const WITH_WRANGLER = ["backup", "deploy", "deploy_databases", "dev_beside", "dev_smoke", "operating"];

const stages = {
  fmt: ["formatting (cargo fmt --check)", () => cargoTool("rustfmt", ["fmt", "--check"])],
  clippy: ["lints (cargo clippy; the first time 1 to 2 minutes)", () => cargoTool("clippy", ["clippy", "--all-targets", "--", "-D", "warnings"])],
  types: ["types of the console (tsc)", consoleTypes],
  native: ["native tests (cargo test; the first time 1 to 3 minutes to compile)", nativeTests],
  wasm: ["the wasm build", buildWorker],
  edge: ["tests of the built worker in workerd (node --test tests/edge)", edgeTests],
};

await main(async () => {
  const wanted = process.argv.slice(2);
  const unknown = wanted.filter((name) => !(name in stages));
  if (unknown.length) throw new SetupError(`No such stage: ${unknown.join(", ")}. Stages: ${Object.keys(stages).join(", ")}`);
  const names = Object.keys(stages).filter((name) => !wanted.length || wanted.includes(name) || (name === "wasm" && wanted.includes("edge")));

  const tools = names.includes("wasm") ? await setUp() : undefined;
  const total = { passed: 0, failed: 0 };
  const failed = [];
  const skipped = [];
  if (names.includes("native") || names.includes("edge")) {
    const { missing } = await slapd();
    if (missing) skipped.push(`the tests that need an LDAP server (named slapd): ${missing}`);
  }
  if (names.includes("edge")) {
    const { missing } = await conformanceTools();
    if (missing) skipped.push(`the conformance tools (tests/edge/judges.test.mjs): ${missing}`);
    const database = await postgres();
    if (database.missing) skipped.push(`the mirror in a PostgreSQL (tests/edge/mirror.test.mjs): ${database.missing}`);
    const browser = await chromium();
    if (browser.missing) skipped.push(`the pages in a browser (tests/edge/docs.test.mjs, console.test.mjs): ${browser.missing}`);
  }
  // The wasm build keeps one core busy, and most of the time no more: it goes on beside the native tests.
  let building;
  for (const name of names) {
    const [title, work] = stages[name];
    if (name === "edge" && failed.includes("wasm")) {
      skipped.push(`${title}: there is no worker to test`);
      continue;
    }
    say(`\n▶ ${title}`);
    const started = Date.now();
    if (name === "native" && names.includes("wasm")) building = buildWorker(tools);
    const result = await (name === "wasm" && building ? building : work(tools));
    if (result.skipped) {
      skipped.push(`${title}: ${result.skipped}`);
      say(`  skipped: ${result.skipped}`);
      continue;
    }
    total.passed += result.passed;
    // A stage that failed before its runner could count anything (it did not compile, say) is one failure.
    total.failed += result.ok ? 0 : Math.max(1, result.failed);
    if (!result.ok) failed.push(name);
    say(`  ${result.ok ? "passed" : "FAILED"} in ${((Date.now() - started) / 1000).toFixed(1)} s`);
  }
  for (const line of skipped) console.log(`Skipped: ${line}`);
  if (failed.length) console.log(`Failed: ${failed.join(", ")}   (one alone: npm test -- ${failed[0]})`);
  console.log(`${total.passed} passed, ${total.failed} failed`);
  if (failed.length) process.exitCode = 1;
});

/** Where they cannot be installed although Python is there, their own tests fail and all the others run. */
async function conformanceTools() {
  try {
    return await judges();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    say(error.message);
    return {};
  }
}

async function cargoTool(component, args) {
  const missing = await rustComponent(component);
  return missing ? { skipped: missing } : run("cargo", args, () => nothing);
}

/** The routes' types are made from the document each time. */
async function consoleTypes(tools) {
  if (!tools) await nodeModules();
  mkdirSync(inRoot("target", "console"), { recursive: true });
  const node = (script, ...args) => run(process.execPath, [inRoot("node_modules", ...script.split("/")), ...args], () => nothing);
  const made = await node("openapi-typescript/bin/cli.js", inRoot("src", "assets", "openapi.json"), "-o", inRoot("target", "console", "openapi.d.ts"));
  return made.ok ? node("typescript/bin/tsc", "-p", inRoot("src", "console")) : made;
}

/** Tests that need an LDAP server lie in modules named slapd. */
async function nativeTests() {
  const { env, missing } = await slapd();
  const skip = missing ? ["--", "--skip", "::slapd::"] : [];
  return run("cargo", ["test", "--no-fail-fast", ...skip], cargoSummary, { ...process.env, ...env });
}

async function buildWorker(tools) {
  try {
    await build(tools);
    return { ok: true, ...nothing };
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    say(error.message);
    return { ok: false, ...nothing };
  }
}

async function edgeTests() {
  const folder = inRoot("tests", "edge");
  const all = existsSync(folder) ? readdirSync(folder, { recursive: true }) : [];
  const files = all.filter((name) => name.endsWith(".test.mjs")).sort().map((name) => join("tests", "edge", name));
  if (files.length === 0) return { skipped: "there are none" };
  // Suites that run wrangler wait for its processes most of the time, and measure nothing: they go on beside the others.
  const withWrangler = files.filter((file) => WITH_WRANGLER.includes(basename(file, ".test.mjs")));
  const others = files.filter((file) => !withWrangler.includes(file));
  const parts = [withWrangler, others].filter((part) => part.length);
  const results = await Promise.all(parts.map((part) => run(process.execPath, ["--test", "--test-reporter=spec", ...part], nodeSummary, wranglerEnv())));
  const sum = (of) => results.reduce((total, result) => total + result[of], 0);
  return { ok: results.every(({ ok }) => ok), passed: sum("passed"), failed: sum("failed") };
}

/** Runs a stage with its output shown as it comes; the runner's own summary is read from it. */
function run(command, args, summary, base = process.env) {
  return new Promise((resolve) => {
    const env = { ...base, ...(process.stdout.isTTY && { CARGO_TERM_COLOR: "always", FORCE_COLOR: "1" }) };
    const child = spawn(command, args, { cwd: root, env, stdio: ["ignore", "pipe", "inherit"] });
    endWithUs(child);
    let out = "";
    child.stdout.on("data", (chunk) => {
      process.stdout.write(chunk);
      out += chunk;
    });
    child.on("error", (error) => say(`  ${command}: ${error.message}`));
    child.on("close", (code) => resolve({ ok: code === 0, ...summary(out.replace(/\x1b\[[0-9;]*m/g, "")) }));
  });
}

function cargoSummary(text) {
  return {
    passed: add(text, /^test result: \w+\. (\d+) passed/gm),
    failed: add(text, /^test result: \w+\. \d+ passed; (\d+) failed/gm),
  };
}

function nodeSummary(text) {
  return { passed: add(text, /^(?:ℹ|#) pass (\d+)$/gm), failed: add(text, /^(?:ℹ|#) (?:fail|cancelled) (\d+)$/gm) };
}

function add(text, pattern) {
  return [...text.matchAll(pattern)].reduce((sum, match) => sum + Number(match[1]), 0);
}
