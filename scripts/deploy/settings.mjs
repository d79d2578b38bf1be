// What a deployed endpoint must be told: whose JWTs open the admin API. From flags, the environment, or the last deploy (they are
// kept in wrangler.deploy.toml). Deployed, keys are public ones only: a JWKS, or the URL of one.
import { existsSync, readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { SetupError } from "../setup/progress.mjs";
import { readDatabases } from "./databases.mjs";

const flags = {
  JWT_ISSUER: "jwt-issuer",
  JWT_AUDIENCE: "jwt-audience",
  JWT_JWKS_URL: "jwks-url",
  JWT_JWKS: "jwks",
  CONSOLE_CLIENT_ID: "console-client-id",
  CONSOLE_SCOPE: "console-scope",
  ACCESS_ISSUER: "access-issuer",
  ACCESS_AUDIENCE: "access-audience",
  ACCESS_SCOPES: "access-scopes",
};

export const help = `npm run deploy -- --jwt-issuer URL --jwt-audience NAME (--jwks-url URL | --jwks FILE) [--dry-run]

  --jwt-issuer    the iss claim of your administrators' tokens          (or JWT_ISSUER)
  --jwt-audience  the aud claim they carry for Rollcall                 (or JWT_AUDIENCE)
  --jwks-url      where the issuer publishes its keys, an https URL     (or JWT_JWKS_URL)
  --jwks          instead: the key set itself, a JSON file or its text  (or JWT_JWKS)
  --console-client-id  the console's client with the issuer; without it nobody signs in there   (or CONSOLE_CLIENT_ID)
  --console-scope      the scopes that it asks for, "openid admin" by default                   (or CONSOLE_SCOPE)
  --access-issuer      instead of that: the team's address, https://<team>.cloudflareaccess.com (or ACCESS_ISSUER)
  --access-audience    the AUD tag of the application of Cloudflare Access that guards /console (or ACCESS_AUDIENCE)
  --access-scopes      who may do what, as JSON; see docs/console.md                            (or ACCESS_SCOPES)
  --database NAME:location=PLACE | NAME:jurisdiction=PLACE   a database more for tenants to live in, as eu:jurisdiction=eu or apac:location=apac; once for
                       each (or DATABASES, with spaces between them). The name main is the first one's: where it is made
  --dry-run       do everything that needs no Cloudflare account

A later deploy remembers them. Which account: CLOUDFLARE_API_TOKEN and CLOUDFLARE_ACCOUNT_ID, or npx wrangler login.`;

export function readArguments(argv, previousFile) {
  const options = Object.fromEntries(Object.values(flags).map((flag) => [flag, { type: "string" }]));
  let values;
  try {
    ({ values } = parseArgs({ args: argv, options: { ...options, database: { type: "string", multiple: true }, "dry-run": { type: "boolean" }, help: { type: "boolean" } } }));
  } catch (error) {
    throw new SetupError(`${error.message}\n\n${help}`);
  }
  const given = Object.fromEntries(Object.entries(flags).map(([name, flag]) => [name, values[flag] || process.env[name]]));
  const before = existsSync(previousFile) ? previous(readFileSync(previousFile, "utf8")) : {};
  // A key set given now takes the place of a URL given earlier, and the other way round.
  if (given.JWT_JWKS || given.JWT_JWKS_URL) before.JWT_JWKS = before.JWT_JWKS_URL = undefined;
  const settings = {};
  for (const name of Object.keys(flags)) if (given[name] ?? before[name]) settings[name] = given[name] ?? before[name];
  if (settings.JWT_JWKS) settings.JWT_JWKS = keySet(settings.JWT_JWKS);
  const databases = { given: readDatabases(values.database ?? words(process.env.DATABASES)), remembered: readDatabases(words(before.DATABASES)) };
  return { settings, databases, dryRun: values["dry-run"] ?? false, help: values.help ?? false };
}

export const words = (text) => (text ?? "").split(/\s+/).filter(Boolean);

/** Throws where a deployed worker could not tell its administrators from anybody else. */
export function checkSettings(settings) {
  const missing = ["JWT_ISSUER", "JWT_AUDIENCE"].filter((name) => !settings[name]);
  if (!settings.JWT_JWKS && !settings.JWT_JWKS_URL) missing.push("JWT_JWKS_URL or JWT_JWKS");
  if (missing.length) {
    throw new SetupError(
      `Missing: ${missing.join(", ")}. The admin API is opened by JWTs that your identity provider signs; say which ones:\n\n${help}`,
    );
  }
  if (settings.JWT_JWKS && settings.JWT_JWKS_URL) throw new SetupError("Give JWT_JWKS or JWT_JWKS_URL, not both.");
  const access = ["ACCESS_ISSUER", "ACCESS_AUDIENCE", "ACCESS_SCOPES"];
  const unset = access.filter((name) => !settings[name]);
  if (unset.length && unset.length < access.length) throw new SetupError(`Missing: ${unset.join(", ")}. ${access.join(", ")} go together.`);
  if (settings.JWT_JWKS_URL && !/^https:\/\//.test(settings.JWT_JWKS_URL)) {
    throw new SetupError(`JWT_JWKS_URL must begin with https://, or anybody on the way could put their own keys there: ${settings.JWT_JWKS_URL}`);
  }
}

/** The key set as one line of JSON, from a file or from the text itself. Private and shared keys are refused: they would be readable in the dashboard. */
function keySet(source) {
  let keys;
  try {
    const text = source.trimStart().startsWith("{") ? source : readFileSync(source, "utf8");
    ({ keys } = JSON.parse(text));
  } catch (error) {
    throw new SetupError(`JWT_JWKS is neither a file nor a JSON text: ${error.message}`);
  }
  if (!Array.isArray(keys) || keys.length === 0) throw new SetupError('JWT_JWKS must look like {"keys":[…]}, with one key at least.');
  if (keys.some((key) => key.d || key.k)) throw new SetupError("JWT_JWKS holds a private or shared key. Give the public keys only.");
  return JSON.stringify({ keys });
}

function previous(text) {
  const lines = [...text.matchAll(/^((?:JWT|CONSOLE|ACCESS)_[A-Z_]+|DATABASES) = (".*")$/gm)];
  return Object.fromEntries(lines.map(([, name, value]) => [name, JSON.parse(value)]));
}
