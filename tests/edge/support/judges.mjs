// The two conformance tools, run as anybody would run them against a SCIM endpoint: as programs of their own, over HTTP, with a base URL
// and a token. What each says becomes a list of checks: { name, outcome, said }, where outcome is "passed", "skipped" or "objected".
import { spawn } from "node:child_process";
import { join } from "node:path";
import { judges, pythonEnv } from "../../../scripts/setup/judges.mjs";

const TIMEOUT_MS = 180_000;

/** scim2-tester, by `scim2 test`: it reads the discovery documents and tries every attribute that they name. */
export async function scim2Tester(base, token) {
  const { output } = await run("scim2", ["--url", base, "test", "--verbose"], { SCIM_CLI_HEADERS: `Authorization: Bearer ${token}` });
  // A line with the outcome and the check's name, then what there is to say about it; the same name stands once for each attribute.
  const checks = [];
  for (const line of output.split("\n")) {
    const [, status, name] = /^([A-Z]+) (\w+)$/.exec(line) ?? [];
    if (name) checks.push({ name, outcome: { SUCCESS: "passed", COMPLIANT: "passed", SKIPPED: "skipped" }[status] ?? "objected", said: status });
    else if (checks.length) checks.at(-1).said += `\n${line}`;
  }
  for (const check of checks) check.said = check.said.trimEnd();
  return judged(checks, output);
}

/** scim-sanity, by `scim-sanity probe`, as strict as it is by default: the life of a user and of a group, searches, errors. */
export async function scimSanity(base, token) {
  const { output, errors } = await run("scim-sanity", ["probe", base, "--token", token, "--json-output", "--i-accept-side-effects"]);
  let results;
  try {
    ({ results } = JSON.parse(output));
  } catch {
    throw new Error(`scim-sanity gave no JSON:\n${output}\n${errors}`);
  }
  const outcome = (status) => ({ pass: "passed", skip: "skipped" })[status] ?? "objected";
  return judged(results.map(({ name, status, message = "" }) => ({ name, outcome: outcome(status), said: message })), output);
}

function judged(checks, output) {
  // A tool that could not even begin has checked nothing, and what it wrote says why.
  if (checks.length === 0) throw new Error(`The tool checked nothing:\n${output}`);
  return checks;
}

async function run(program, args, more = {}) {
  const { bin } = await judges();
  const env = { ...pythonEnv(), ...more };
  // The worker is on this machine: no proxy is asked for it.
  for (const name of Object.keys(env)) if (/^(https?|all|no)_proxy$/i.test(name)) delete env[name];
  return new Promise((resolve, reject) => {
    const child = spawn(join(bin, program), args, { env, stdio: ["ignore", "pipe", "pipe"], timeout: TIMEOUT_MS });
    let output = "";
    let errors = "";
    child.stdout.setEncoding("utf8").on("data", (text) => (output += text));
    child.stderr.setEncoding("utf8").on("data", (text) => (errors += text));
    child.on("error", reject);
    child.on("close", (code, signal) => {
      // 1 is how both say that they object to something; what to, the caller reads.
      if (code === 0 || code === 1) resolve({ output: output || errors, errors });
      else reject(new Error(`${program} ended with ${signal ?? code}:\n${output}\n${errors}`));
    });
  });
}
