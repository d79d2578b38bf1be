// wrangler.deploy.toml: wrangler.toml with the ids of this account's database and namespace and the JWT settings in it. A text
// substitution, so that whatever else the file says is deployed as it stands; written anew each time, from Cloudflare's own answers.
import { readFileSync } from "node:fs";
import { inRoot } from "../setup/paths.mjs";
import { SetupError } from "../setup/progress.mjs";

const heading = "# Made by `npm run deploy` from wrangler.toml. Changes belong there: this file is written anew each time.\n";

export function deployConfig({ databaseId, namespaceId, settings, secretNames }) {
  let text = readFileSync(inRoot("wrangler.toml"), "utf8");
  const put = (pattern, replacement) => {
    if (!pattern.test(text)) throw new SetupError(`wrangler.toml has no line like ${pattern}: the deploy cannot put its values there.`);
    text = text.replace(pattern, () => replacement);
  };
  put(/^database_id = ".*"$/m, `database_id = ${JSON.stringify(databaseId)}`);
  put(/^id = ".*"$/m, `id = ${JSON.stringify(namespaceId)}`);
  const vars = Object.entries(settings).map(([name, value]) => `${name} = ${JSON.stringify(value)}\n`);
  put(/^\[vars\]\n/m, `[vars]\n${vars.join("")}`);
  // A deploy says that the worker keeps these, and fails where it has none. (In wrangler.toml this would hide .dev.vars from local runs.)
  return `${heading}${text}\n[secrets]\nrequired = ${JSON.stringify(secretNames)}\n`;
}

/** A value of wrangler.toml by its key. */
export function configured(key) {
  const found = readFileSync(inRoot("wrangler.toml"), "utf8").match(new RegExp(`^${key} = "(.*)"$`, "m"));
  if (!found) throw new SetupError(`wrangler.toml has no ${key}.`);
  return found[1];
}
