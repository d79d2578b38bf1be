// The Cloudflare account, seen through wrangler: the database, the namespace and the secrets are looked up by name and made where they
// are missing, so a deploy that broke off is simply run again.
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { wrangler, wranglerEnv } from "../setup/node_modules.mjs";
import { root } from "../setup/paths.mjs";
import { endWithUs, say, SetupError } from "../setup/progress.mjs";

const loginHint =
  "If it is about the login: npx wrangler login, or set CLOUDFLARE_API_TOKEN (it may edit Workers Scripts, D1 and Workers KV Storage)\n" +
  "and, with more than one account, CLOUDFLARE_ACCOUNT_ID.";

/** Runs wrangler and answers { code, out, all }; `show` lets its output through as it comes. */
export function runWrangler(args, { show = false, input } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [wrangler(), ...args], { cwd: root, env: wranglerEnv(), stdio: ["pipe", "pipe", "pipe"] });
    endWithUs(child);
    let out = "";
    let all = "";
    child.stdin.end(input ?? "");
    child.stdout.on("data", (chunk) => ((out += chunk), (all += chunk), show && process.stdout.write(chunk)));
    child.stderr.on("data", (chunk) => ((all += chunk), show && process.stderr.write(chunk)));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code: code ?? 1, out, all }));
  });
}

export async function mustRun(title, args, options) {
  const result = await runWrangler(args, options);
  if (result.code === 0) return result;
  if (!options?.show) say(result.all.trimEnd().replace(/^/gm, "  | "));
  throw new SetupError(`${title}: wrangler ${args.slice(0, 2).join(" ")} failed, what it said stands above.\n${loginHint}`);
}

export async function database(name) {
  const find = async () => (await list("Looking for the D1 database", ["d1", "list", "--json"])).find((entry) => entry.name === name)?.uuid;
  return (await find()) ?? (await made(`D1 database ${name}`, ["d1", "create", name, "--update-config=false"], find));
}

export async function namespace(title) {
  const find = async () => (await list("Looking for the KV namespace", ["kv", "namespace", "list"])).find((entry) => entry.title === title)?.id;
  return (await find()) ?? (await made(`KV namespace ${title}`, ["kv", "namespace", "create", title, "--update-config=false"], find));
}

/** Fresh values for the secrets that the worker does not have yet. One that it has is never replaced: data is encrypted with it. */
export async function missingSecrets(names, configFile) {
  const { code, out, all } = await runWrangler(["secret", "list", "--config", configFile, "--format", "json"]);
  const isNew = code !== 0 && /Worker "[^"]*" not found/.test(all);
  if (code !== 0 && !isNew) {
    say(all.trimEnd().replace(/^/gm, "  | "));
    throw new SetupError(`Could not tell which secrets the worker has; what wrangler said stands above.\n${loginHint}`);
  }
  const present = isNew ? [] : parse(out, "secret list").map((secret) => secret.name);
  const missing = names.filter((name) => !present.includes(name));
  return Object.fromEntries(missing.map((name) => [name, process.env[name] || randomBytes(32).toString("base64")]));
}

async function list(title, args) {
  return parse((await mustRun(title, args)).out, args.join(" "));
}

async function made(what, args, find) {
  say(`• Making the ${what}`);
  await mustRun(`Making the ${what}`, args);
  const id = await find();
  if (!id) throw new SetupError(`The ${what} was made, but Cloudflare does not list it yet. Run the command again in a minute.`);
  return id;
}

function parse(text, command) {
  try {
    return JSON.parse(text.slice(text.indexOf("[")));
  } catch {
    throw new SetupError(`wrangler ${command} did not answer with JSON:\n${text}`);
  }
}
