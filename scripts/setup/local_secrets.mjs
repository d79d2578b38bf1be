// .dev.vars: the secrets and settings of the local endpoint, made once, readable by their owner only and ignored by git.
// `wrangler dev` gives them to the worker. Lines that are already there stay as they are; missing ones are added.
import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { inRoot } from "./paths.mjs";
import { say } from "./progress.mjs";

const file = inRoot(".dev.vars");
const key = () => randomBytes(32).toString("base64");
const defaults = {
  JWT_ISSUER: () => "https://rollcall.localhost",
  JWT_AUDIENCE: () => "rollcall",
  JWT_LOCAL_SECRET: key,
  CURSOR_KEY: key,
  ENCRYPTION_KEY: key,
  LOCAL_DEVELOPMENT: () => "on",
  SERVER_TIMING: () => "on",
};

/** The settings, by name. */
export function localSecrets() {
  const exists = existsSync(file);
  const text = exists ? readFileSync(file, "utf8") : "# Local settings and secrets, made by the set-up. Never commit them.\n";
  const settings = parse(text);
  const added = Object.keys(defaults).filter((name) => !(name in settings));
  if (added.length === 0) return settings;
  for (const name of added) settings[name] = defaults[name]();
  const lines = added.map((name) => `${name}="${settings[name]}"\n`).join("");
  try {
    writeFileSync(file, `${text}${text.endsWith("\n") ? "" : "\n"}${lines}`, { mode: 0o600, flag: exists ? "w" : "wx" });
  } catch (error) {
    if (error.code === "EEXIST") return localSecrets(); // another process has just made it: its secrets hold
    throw error;
  }
  chmodSync(file, 0o600);
  say("• Made local secrets in .dev.vars");
  return settings;
}

function parse(text) {
  const entries = [...text.matchAll(/^[ \t]*([A-Z_][A-Z0-9_]*)[ \t]*=[ \t]*(?:"([^"\n]*)"|'([^'\n]*)'|([^\n#]*))/gm)];
  return Object.fromEntries(entries.map(([, name, double, single, bare]) => [name, double ?? single ?? bare.trim()]));
}
