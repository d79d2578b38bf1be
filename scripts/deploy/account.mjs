// The Cloudflare account, seen through wrangler: databases, the namespace and the secrets are looked up by name and made where they
// are missing, so a deploy that broke off is simply run again.
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { wrangler, wranglerEnv } from "../setup/node_modules.mjs";
import { root } from "../setup/paths.mjs";
import { endWithUs, say, SetupError } from "../setup/progress.mjs";

const loginHint =
  "If it is about the login: npx wrangler login, or set CLOUDFLARE_API_TOKEN (it may edit Workers Scripts, D1, Queues and Workers KV Storage)\n" +
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

/** The D1 databases of the account: name, uuid and, where Cloudflare tells it, jurisdiction. */
export const databases = () => list("Looking for the D1 databases", ["d1", "list", "--json"]);

/** Makes a database at its place and gives its id. */
export function makeDatabase(name, place) {
  const find = async () => (await databases()).find((entry) => entry.name === name)?.uuid;
  return made(`D1 database ${name}${place ? ` with ${place.kind} ${place.value}` : ""}`, ["d1", "create", name, "--update-config=false", ...(place ? [`--${place.kind}=${place.value}`] : [])], find);
}

/** What a variable says that the running worker was deployed with, once for each of its versions that run; nothing where there is no such worker. */
export async function deployedVariable(worker, variable) {
  const title = `Looking at the worker ${worker} that is deployed`;
  const { code, out, all } = await runWrangler(["deployments", "status", "--json", "--name", worker]);
  if (code !== 0) {
    if (/code: 10007\b|has no deployments/.test(all)) return [];
    say(all.trimEnd().replace(/^/gm, "  | "));
    throw new SetupError(`${title} failed; what wrangler said stands above.\n${loginHint}`);
  }
  const values = [];
  for (const { version_id } of parse(out, "deployments status", "{").versions) {
    const version = parse((await mustRun(title, ["versions", "view", version_id, "--json", "--name", worker])).out, "versions view", "{");
    values.push(version.resources?.bindings?.find(({ name, type }) => name === variable && type === "plain_text")?.text ?? "");
  }
  return values;
}

export async function namespace(title) {
  const find = async () => (await list("Looking for the KV namespace", ["kv", "namespace", "list"])).find((entry) => entry.title === title)?.id;
  return (await find()) ?? (await made(`KV namespace ${title}`, ["kv", "namespace", "create", title, "--update-config=false"], find));
}

export async function queue(name) {
  const { code, all } = await runWrangler(["queues", "info", name]);
  if (code === 0) return;
  if (!/Queue "[^"]*" does not exist/.test(all)) {
    say(all.trimEnd().replace(/^/gm, "  | "));
    throw new SetupError(`Looking for the queue ${name} failed; what wrangler said stands above.\n${loginHint}`);
  }
  say(`• Making the queue ${name}`);
  await mustRun(`Making the queue ${name}`, ["queues", "create", name]);
}

/**
 * Values for the secrets that the workers do not both have yet. Both must have the same, and Cloudflare shows none of them: so one that is there is
 * never replaced where data is encrypted with it.
 */
export async function missingSecrets(names, configs) {
  const present = { first: await secretsOf(configs.first), jobs: await secretsOf(configs.jobs) };
  const missing = names.filter((name) => !present.first.includes(name) || !present.jobs.includes(name));
  return Object.fromEntries(missing.map((name) => [name, process.env[name] || fresh(name, present)]));
}

function fresh(name, present) {
  // Where the first worker has none, nobody has been answered yet: the jobs worker's is from a deploy that broke off.
  if (name === "ENCRYPTION_KEY" && present.first.includes(name)) throw new SetupError(keyIsWanted);
  return randomBytes(32).toString("base64");
}

const keyIsWanted = `The worker has an ENCRYPTION_KEY that the jobs worker needs too, and Cloudflare shows it to nobody. Give it once more:

  ENCRYPTION_KEY=… npm run deploy

If nobody kept it, choose a new one, and keep it: ENCRYPTION_KEY=$(openssl rand -base64 32). The secrets of identity providers are sealed with the old one
and have to be set anew then: POST /api/v1/admin/identity-providers/reencrypt names the providers, as unreadable.`;

async function secretsOf(configFile) {
  const { code, out, all } = await runWrangler(["secret", "list", "--config", configFile, "--format", "json"]);
  const isNew = code !== 0 && /Worker "[^"]*" not found/.test(all);
  if (code !== 0 && !isNew) {
    say(all.trimEnd().replace(/^/gm, "  | "));
    throw new SetupError(`Could not tell which secrets the worker has; what wrangler said stands above.\n${loginHint}`);
  }
  return isNew ? [] : parse(out, "secret list").map((secret) => secret.name);
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

function parse(text, command, opening = "[") {
  try {
    return JSON.parse(text.slice(text.indexOf(opening)));
  } catch {
    throw new SetupError(`wrangler ${command} did not answer with JSON:\n${text}`);
  }
}
