// wrangler.deploy.toml and wrangler.deploy.jobs.toml: wrangler.toml and wrangler.jobs.toml with the ids of this account's databases and namespace and the
// JWT settings in them; and the same for `npm run dev`, wrangler.dev.toml and wrangler.dev.jobs.toml. A text substitution, so that whatever else a file says is deployed as it stands; written anew each time, from Cloudflare's own
// answers.
import { readFileSync } from "node:fs";
import { inRoot } from "../setup/paths.mjs";
import { SetupError } from "../setup/progress.mjs";

const heading = (command, source) => `# Made by \`npm run ${command}\` from ${source}. Changes belong there: this file is written anew each time.\n`;

/** `databases` are those of planDatabases, with their ids; `told` is the value of DATABASES. */
export function deployConfig(source, { databases, told, namespaceId, settings, secretNames }) {
  const file = new ConfigText(source);
  file.bind(databases, told);
  file.put(/^id = ".*"$/m, `id = ${JSON.stringify(namespaceId)}`);
  file.setVariables(settings);
  // A deploy says that the worker keeps these, and fails where it has none. (In wrangler.toml this would hide .dev.vars from local runs.)
  return `${heading("deploy", source)}${file.text}\n[secrets]\nrequired = ${JSON.stringify(secretNames)}\n`;
}

/** The same for a local run, whose ids are nobody's: the first database keeps the one that the file has. */
export function localConfig(source, databases, told) {
  const file = new ConfigText(source);
  file.bind(databases, told);
  return `${heading("dev", source)}${file.text}`;
}

class ConfigText {
  constructor(source) {
    this.source = source;
    this.text = readFileSync(inRoot(source), "utf8");
  }

  put(pattern, replacement) {
    if (!pattern.test(this.text)) throw new SetupError(`${this.source} has no line like ${pattern}: the deploy cannot put its values there.`);
    this.text = this.text.replace(pattern, (found) => (typeof replacement === "function" ? replacement(found) : replacement));
  }

  setVariables(values) {
    const lines = Object.entries(values).map(([name, value]) => `${name} = ${JSON.stringify(value)}\n`);
    this.put(/^\[vars\]\n/m, `[vars]\n${lines.join("")}`);
  }

  /** The first database's id, a block for each of the others, and what the workers are told of them. */
  bind([first, ...others], told) {
    if (first.id) this.put(/^database_id = ".*"$/m, `database_id = ${JSON.stringify(first.id)}`);
    const blocks = others.map(({ binding, databaseName, id }) => {
      const values = { binding, database_name: databaseName, database_id: id, migrations_dir: "migrations" };
      return `\n[[d1_databases]]\n${Object.entries(values).map(([key, value]) => `${key} = ${JSON.stringify(value)}\n`).join("")}`;
    });
    this.put(/^\[\[d1_databases\]\]\n(?:\w.*\n)+/m, (block) => block + blocks.join(""));
    if (told) this.setVariables({ DATABASES: told });
  }
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
