// One line for each step, and a sign of life while it runs: on a terminal the tool's last line with the seconds, elsewhere a
// line every 20 seconds. A step that fails shows the end of what the tool said, then what to do about it.
import { spawn } from "node:child_process";

const tty = process.stderr.isTTY && !process.env.CI;
const KEPT_LINES = 60;
const colourCodes = /\x1b\[[0-9;?]*[ -/]*[@-~]/g;

/** A failure that the user can do something about: printed without a stack trace. */
export class SetupError extends Error {}

export const say = (text) => process.stderr.write(`${text}\n`);

/** Runs a command quietly, its output shown only as progress. `usual` says how long it takes on an ordinary laptop. */
export async function step(title, usual, command, args, { hint, ...options } = {}) {
  say(`• ${title}${usual ? ` (${usual})` : ""}`);
  const started = Date.now();
  const seconds = () => Math.round((Date.now() - started) / 1000);
  const lines = [];
  const last = () => lines.at(-1) ?? "";
  const ticking = tty
    ? setInterval(() => process.stderr.write(`\r\x1b[K  ${seconds()} s  ${last().slice(0, (process.stderr.columns || 80) - 12)}`), 250)
    : setInterval(() => say(`  … ${seconds()} s  ${last().slice(0, 100)}`), 20_000);
  const { code, error } = await run(command, args, options, (line) => {
    if (lines.push(line) > KEPT_LINES) lines.shift();
  });
  clearInterval(ticking);
  if (tty) process.stderr.write("\r\x1b[K");
  if (code === 0) {
    if (seconds() >= 2) say(`  done in ${seconds()} s`);
    return;
  }
  say(lines.map((line) => `  | ${line}`).join("\n"));
  const why = error ? error.message : `${command} ${args[0] ?? ""} ended with code ${code}`;
  throw new SetupError(`${title}: failed (${why}).${hint ? `\n${hint}` : ""}`);
}

let barToldAt = 0;

/** How far a long piece of work has come: a bar on a terminal, elsewhere a line every few seconds. */
export function bar(what, done, of) {
  const share = of ? Math.min(1, done / of) : 1;
  if (tty) {
    const full = Math.round(share * 24);
    process.stderr.write(`\r\x1b[K  [${"█".repeat(full)}${"░".repeat(24 - full)}] ${Math.round(share * 100)} %  ${what}${done >= of ? "\r\x1b[K" : ""}`);
  } else if (Date.now() - barToldAt > 5_000) {
    barToldAt = Date.now();
    say(`  … ${Math.round(share * 100)} %  ${what}`);
  }
}

function run(command, args, options, onLine) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
    endWithUs(child);
    for (const stream of [child.stdout, child.stderr]) {
      let rest = "";
      stream.setEncoding("utf8").on("data", (text) => {
        const parts = (rest + text).split(/[\r\n]+/);
        rest = parts.pop();
        for (const line of parts) {
          const plain = line.replace(colourCodes, "").trimEnd();
          if (plain) onLine(plain);
        }
      }).on("end", () => rest.trim() && onLine(rest.replace(colourCodes, "").trimEnd()));
    }
    child.on("error", (error) => resolve({ code: 127, error }));
    child.on("close", (code) => resolve({ code: code ?? 1 }));
  });
}

/** A command whose short answer is wanted: its standard output, or null where it failed or is not there. */
export function ask(command, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { ...options, stdio: ["ignore", "pipe", "ignore"] });
    let out = "";
    child.stdout.setEncoding("utf8").on("data", (text) => (out += text));
    child.on("error", () => resolve(null));
    child.on("close", (code) => resolve(code === 0 ? out.trim() : null));
  });
}

const children = new Set();
let exitCode; // set once a signal has asked us to end

/** A child that ends when this process is told to end, and before it: whoever starts the next one finds port and files free. */
export function endWithUs(child) {
  children.add(child);
  child.on("close", () => {
    children.delete(child);
    if (exitCode !== undefined && children.size === 0) process.exit(exitCode);
  });
}

for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143], ["SIGHUP", 129]]) {
  process.once(signal, () => {
    if (children.size === 0) process.exit(code);
    exitCode = code;
    const endAll = (how) => children.forEach((child) => child.kill(how));
    // Ctrl-C reaches the children by itself, a plain kill of this process does not.
    setTimeout(endAll, signal === "SIGINT" ? 500 : 0, "SIGTERM");
    setTimeout(() => {
      endAll("SIGKILL");
      process.exit(code);
    }, 5_000);
  });
}

/** Runs a script's main function: a SetupError is told in plain words, anything else with its stack. */
export async function main(work) {
  endWithNpm();
  try {
    await work();
  } catch (error) {
    say(error instanceof SetupError ? `\n✗ ${error.message}` : `\n✗ ${error.stack}`);
    process.exitCode = 1;
  }
}

/** npm, told to end by a plain kill, leaves the script that it runs behind: the script then ends by itself. */
function endWithNpm() {
  const parent = process.ppid;
  if (!process.env.npm_lifecycle_event) return;
  setInterval(() => process.ppid !== parent && process.kill(process.pid, "SIGTERM"), 1_000).unref();
}
