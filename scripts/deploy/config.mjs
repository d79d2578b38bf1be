// wrangler.deploy.toml and wrangler.deploy.jobs.toml: wrangler.toml and wrangler.jobs.toml with the ids of this account's database and namespace and the
// JWT settings in them. A text substitution, so that whatever else a file says is deployed as it stands; written anew each time, from Cloudflare's own
// answers.
import { readFileSync } from "node:fs";
import { inRoot } from "../setup/paths.mjs";
import { SetupError } from "../setup/progress.mjs";

const heading = (source) => `# Made by \`npm run deploy\` from ${source}. Changes belong there: this file is written anew each time.\n`;

export function deployConfig(source, { databaseId, namespaceId, settings, secretNames }) {
  let text = readFileSync(inRoot(source), "utf8");
  const put = (pattern, replacement) => {
    if (!pattern.test(text)) throw new SetupError(`${source} has no line like ${pattern}: the deploy cannot put its values there.`);
    text = text.replace(pattern, () => replacement);
  };
  put(/^database_id = ".*"$/m, `database_id = ${JSON.stringify(databaseId)}`);
  put(/^id = ".*"$/m, `id = ${JSON.stringify(namespaceId)}`);
  const vars = Object.entries(settings).map(([name, value]) => `${name} = ${JSON.stringify(value)}\n`);
  put(/^\[vars\]\n/m, `[vars]\n${vars.join("")}`);
  // A deploy says that the worker keeps these, and fails where it has none. (In wrangler.toml this would hide .dev.vars from local runs.)
  return `${heading(source)}${text}\n[secrets]\nrequired = ${JSON.stringify(secretNames)}\n`;
}

/** The queues that a file names. */
export function queues(source) {
  const named = readFileSync(inRoot(source), "utf8").matchAll(/^(?:queue|dead_letter_queue) = "(.*)"$/gm);
  return [...new Set([...named].map(([, name]) => name))];
}

/** A value of wrangler.toml by its key. */
export function configured(key) {
  const found = readFileSync(inRoot("wrangler.toml"), "utf8").match(new RegExp(`^${key} = "(.*)"$`, "m"));
  if (!found) throw new SetupError(`wrangler.toml has no ${key}.`);
  return found[1];
}
