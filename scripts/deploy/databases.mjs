// The databases that tenants live in: how a flag and the variable DATABASES name them (`eu:jurisdiction=eu apac:location=apac`), and which of them a deploy has to make.
// Nothing here asks Cloudflare: the deploy, `npm run dev` and the tests' worlds read the same words.
import { SetupError } from "../setup/progress.mjs";

/** The first database, bound as DB: it has the directory, and is always there. */
export const MAIN = "main";
const PLACES = { location: ["wnam", "enam", "weur", "eeur", "apac", "oc"], jurisdiction: ["eu", "us", "fedramp"] };
/** Cloudflare has it, and the wrangler of package-lock.json cannot ask for it yet. */
const NEWER_THAN_WRANGLER = ["us"];

const allPlaces = (name) => `${name}:location=weur (${PLACES.location.join(", ")}) or ${name}:jurisdiction=eu (${PLACES.jurisdiction.join(", ")})`;
export const bindingOf = (name) => (name === MAIN ? "DB" : `DB_${name.toUpperCase()}`);
/** `first` is the name of the first database, `rollcall`. */
export const databaseNameOf = (name, first) => (name === MAIN ? first : `${first}-${name}`);
export const placeText = (place) => (place ? `${place.kind} ${place.value}` : "wherever Cloudflare put it");
const samePlace = (one, other) => one.kind === other.kind && one.value === other.value;

/** What texts like `eu:jurisdiction=eu` say, in their order: Map of name → { kind, value }. */
export function readDatabases(texts) {
  const databases = new Map();
  for (const text of texts) {
    const { name, place } = readDatabase(text);
    const before = databases.get(name);
    if (before && !samePlace(before, place)) throw new SetupError(`--database ${text}: ${name} is named twice, with ${placeText(before)} and ${placeText(place)}. A database has one place: keep one of the two.`);
    if (before) throw new SetupError(`--database ${text}: ${name} is named twice. Write it once.`);
    databases.set(name, place);
  }
  return databases;
}

function readDatabase(text) {
  const [, name, rest] = text.match(/^([^:=]*)(?::(.*))?$/s) ?? [undefined, text];
  const wrong = (what) => new SetupError(`--database ${text}: ${what}`);
  if (!/^[a-z][a-z0-9]{0,19}$/.test(name)) {
    const better = name.toLowerCase().replace(/[^a-z0-9]/g, "").replace(/^\d+/, "").slice(0, 20) || "eu";
    throw wrong(`a name has 1 to 20 lower-case letters and digits and begins with a letter. Write for example ${allPlaces(better)}.`);
  }
  const parts = (rest ?? "").split(/[:,]/);
  if (parts.length > 1) throw wrong(`a database has a location or a jurisdiction, not both. Write ${allPlaces(name)}.`);
  const [kind, value] = parts[0].split("=");
  if (!Object.hasOwn(PLACES, kind) || value === undefined) throw wrong(`it does not say where the database is to be. Write ${allPlaces(name)}.`);
  if (!PLACES[kind].includes(value)) throw wrong(`there is no ${kind} ${JSON.stringify(value)}. Write ${allPlaces(name)}.`);
  return { name, place: { kind, value } };
}

/** The same as one text, for the variable DATABASES; empty where there is nothing to tell. */
export const writeDatabases = (databases) =>
  [...databases].filter(([, place]) => place).map(([name, { kind, value }]) => `${name}:${kind}=${value}`).join(" ");

/**
 * Which databases a deploy binds, the first one first, each { name, binding, databaseName, place, id }; without an `id` it has to be made. `given` are those of the flags,
 * `deployed` those of the worker that runs, `remembered` those of the last deploy from here: what was bound stays bound, because tenants live there. `listed` is what the
 * account has. Throws where a flag says of a database what it is not: a place is chosen once.
 */
export function planDatabases({ given, deployed, remembered, listed, first }) {
  const names = new Set([MAIN, ...deployed.keys(), ...remembered.keys(), ...given.keys()]);
  return [...names].map((name) => {
    const databaseName = databaseNameOf(name, first);
    const before = deployed.get(name) ?? remembered.get(name);
    const place = given.get(name) ?? before;
    const found = listed.find((entry) => entry.name === databaseName);
    if (before && !samePlace(before, place)) throw fixed(name, databaseName, placeText(before), place);
    if (found) checkJurisdiction(found, name, place);
    else if (deployed.has(name) && !given.has(name)) {
      throw new SetupError(
        `The worker that is deployed has tenants in ${databaseName}, and the account has no such database. Is it the right account? If the database is gone, restore it, or say that\nan empty one may take its place: --database ${writeDatabases([[name, place]])}`,
      );
    } else if (place?.kind === "jurisdiction" && NEWER_THAN_WRANGLER.includes(place.value)) {
      throw new SetupError(`The wrangler of this checkout cannot make a database with ${placeText(place)}. Make it with a newer one, then deploy again:\n\n  npx wrangler@latest d1 create ${databaseName} --jurisdiction=${place.value}`);
    }
    return { name, binding: bindingOf(name), databaseName, place, id: found?.uuid };
  });
}

/** Cloudflare tells the jurisdiction of a database, null where it has none. (A location is a hint: where it runs may be elsewhere.) */
function checkJurisdiction({ name: databaseName, jurisdiction }, name, place) {
  if (!place || jurisdiction === undefined) return;
  const is = jurisdiction ? `jurisdiction ${jurisdiction}` : "no jurisdiction";
  const fits = place.kind === "jurisdiction" ? jurisdiction === place.value : !jurisdiction;
  if (!fits) throw fixed(name, databaseName, is, place);
}

function fixed(name, databaseName, is, { kind, value }) {
  const other = name === MAIN ? "It stays as it is: leave that flag out" : `Leave that flag out, or give the new one another name (${name}2:${kind}=${value}) and move tenants there`;
  return new SetupError(`--database ${name}:${kind}=${value}: ${databaseName} is there already, with ${is}. Where a database is, is chosen when it is made. ${other}.`);
}
