// `npm run deploy -- --database …`: which databases it makes and where, that all are migrated before a worker goes up, and that what was bound once stays bound. Against the stand-in of
// deploy.test.mjs.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { test } from "node:test";
import { planDatabases, readDatabases } from "../../scripts/deploy/databases.mjs";
import { inRoot } from "../../scripts/setup/paths.mjs";
import { bindingOf, deploying, jwt, migrations } from "./support/deploying.mjs";

const configName = "wrangler.deploy.databases-test.toml";
const { cloudflare, deploy, removeConfigs } = deploying(configName);
const TWO_PLACES = ["--database", "eu:jurisdiction=eu", "--database", "apac:location=apac"];

/** What an upload binds and tells: database ids by binding, and DATABASES. */
function bound(upload) {
  const databases = upload.metadata.bindings.filter(({ type }) => type === "d1").map((entry) => [entry.name, entry.id ?? entry.database_id]);
  return { databases: Object.fromEntries(databases), told: bindingOf(upload, "DATABASES")?.text };
}

const ids = () => Object.fromEntries(cloudflare.databases.map(({ name, uuid }) => [name, uuid]));
const at = (pattern) => cloudflare.requests.findIndex((request) => pattern.test(request));
const last = (pattern) => cloudflare.requests.findLastIndex((request) => pattern.test(request));
/** What was said of each database, in columns. */
const lines = (output) => output.slice(output.indexOf("• Databases:")).split("\n").slice(1, 4).map((line) => line.trim().split(/ {2,}/));

function assertBothHave(names, told) {
  const expected = Object.fromEntries(Object.entries(names).map(([binding, name]) => [binding, ids()[name]]));
  for (const upload of cloudflare.uploads.slice(-2)) assert.deepEqual(bound(upload), { databases: expected, told }, upload.script);
}

test("two places: each database is made where it is to be, all are migrated, then both workers go up with all of them; and they stay bound", async () => {
  const { code, output } = await deploy(jwt, [...TWO_PLACES, "--database", "main:location=weur"]);
  assert.equal(code, 0, output);
  assert.deepEqual(cloudflare.databases.map(({ name, jurisdiction }) => [name, jurisdiction, cloudflare.locations[name]]), [
    ["rollcall", null, "weur"],
    ["rollcall-eu", "eu", undefined],
    ["rollcall-apac", null, "apac"],
  ]);
  assert.deepEqual(cloudflare.migrations, { rollcall: migrations, "rollcall-eu": migrations, "rollcall-apac": migrations });
  assert.deepEqual(Object.keys(cloudflare.migrations), ["rollcall", "rollcall-eu", "rollcall-apac"], "the first one first");
  assert.ok(last(/^POST \/d1\/database\/.*\/query/) < at(/^PUT \/workers\/scripts/), "a worker went up before all databases were migrated");
  assert.equal(cloudflare.uploads.length, 2);
  const names = { DB: "rollcall", DB_EU: "rollcall-eu", DB_APAC: "rollcall-apac" };
  const told = "main:location=weur eu:jurisdiction=eu apac:location=apac";
  assertBothHave(names, told);
  const applied = `${migrations.length} migrations applied`;
  assert.deepEqual(lines(output), [
    ["main", "rollcall", "location weur", "made", applied],
    ["eu", "rollcall-eu", "jurisdiction eu", "made", applied],
    ["apac", "rollcall-apac", "location apac", "made", applied],
  ]);

  // Without flags, from a checkout that knows nothing: the worker that runs says what it has.
  const before = ids();
  removeConfigs();
  const second = await deploy(jwt);
  assert.equal(second.code, 0, second.output);
  assert.deepEqual(ids(), before);
  assertBothHave(names, told);
  assert.deepEqual(lines(second.output).map((line) => line.slice(-2)), Array(3).fill(["found", "no migration to apply"]));

  const wrong = await deploy(jwt, ["--database", "eu:location=weur"]);
  assert.equal(wrong.code, 1, wrong.output);
  assert.match(wrong.output, /--database eu:location=weur: rollcall-eu is there already, with jurisdiction eu\./);
  assert.equal(cloudflare.uploads.length, 4);

  const third = await deploy(jwt, ["--database", "us1:location=enam"]);
  assert.equal(third.code, 0, third.output);
  assertBothHave({ ...names, DB_US1: "rollcall-us1" }, `${told} us1:location=enam`);
  assert.ok(!cloudflare.requests.some((request) => request.startsWith("DELETE ")), "something was removed");
});

test("where a migration of the second database fails, no worker goes up, and the next deploy goes on without flags", async () => {
  cloudflare.refused = { database: "rollcall-eu", migration: migrations.at(-1) };
  const { code, output } = await deploy(jwt, TWO_PLACES);
  assert.equal(code, 1, output);
  assert.match(output, /Migrating rollcall-eu \(nothing was uploaded: run the command again once it is mended\)/);
  assert.equal(cloudflare.uploads.length, 0, "a worker went up");
  assert.equal(cloudflare.migrations["rollcall-apac"], undefined, "those behind it wait");

  cloudflare.refused = undefined;
  const again = await deploy(jwt);
  assert.equal(again.code, 0, again.output);
  assertBothHave({ DB: "rollcall", DB_EU: "rollcall-eu", DB_APAC: "rollcall-apac" }, "eu:jurisdiction=eu apac:location=apac");
  assert.deepEqual(lines(again.output).map((line) => line.slice(2)), [
    ["wherever Cloudflare put it", "found", "no migration to apply"],
    ["jurisdiction eu", "found", "1 migration applied"],
    ["location apac", "found", `${migrations.length} migrations applied`],
  ]);
});

test("a flag that says of a database what it is not is refused before anything is made", async () => {
  cloudflare.databases.push({ uuid: crypto.randomUUID(), name: "rollcall", version: "production", jurisdiction: "eu" });
  const { code, output } = await deploy(jwt, ["--database", "apac:location=apac", "--database", "main:location=weur"]);
  assert.equal(code, 1, output);
  assert.match(output, /rollcall is there already, with jurisdiction eu\. .* leave that flag out/);
  const changes = cloudflare.requests.filter((request) => !request.startsWith("GET "));
  assert.deepEqual(changes, []);
  assert.ok(!existsSync(inRoot(configName)));
});

/** The plan where these are given, deployed, remembered, and in the account. */
function plan({ given = [], deployed = [], remembered = [], listed = [] }) {
  return planDatabases({ given: readDatabases(given), deployed: readDatabases(deployed), remembered: readDatabases(remembered), listed, first: "rollcall" });
}
const entry = (name, jurisdiction) => ({ uuid: `id of ${name}`, name, jurisdiction });

test("which databases there are to be: what is bound stays in its order, flags come behind, and what is there is found by its name", () => {
  const listed = [entry("rollcall-eu", "eu"), entry("rollcall", null), entry("rollcall-staging", null)];
  const planned = plan({ given: ["oc:location=oc", "eu:jurisdiction=eu"], deployed: ["eu:jurisdiction=eu"], remembered: ["apac:location=apac"], listed });
  assert.deepEqual(planned.map(({ name, binding, databaseName, id }) => [name, binding, databaseName, id]), [
    ["main", "DB", "rollcall", "id of rollcall"],
    ["eu", "DB_EU", "rollcall-eu", "id of rollcall-eu"],
    ["apac", "DB_APAC", "rollcall-apac", undefined],
    ["oc", "DB_OC", "rollcall-oc", undefined],
  ]);
  // Where Cloudflare does not tell the jurisdiction, the flag is believed; it tells of no location.
  assert.equal(plan({ given: ["eu:jurisdiction=eu"], listed: [entry("rollcall-eu")] })[1].id, "id of rollcall-eu");
  assert.equal(plan({ given: ["eu:location=weur"], listed: [entry("rollcall-eu", null)] })[1].id, "id of rollcall-eu");
});

test("where a database is, is chosen once, and one with tenants is not made anew by itself", () => {
  const eu = [entry("rollcall-eu", "eu")];
  const wrong = [
    [{ given: ["eu:location=weur"], deployed: ["eu:jurisdiction=eu"], listed: eu }, /with jurisdiction eu\. .* give the new one another name \(eu2:location=weur\)/],
    [{ given: ["eu:location=weur"], remembered: ["eu:location=eeur"], listed: [entry("rollcall-eu", null)] }, /with location eeur/],
    [{ given: ["eu:jurisdiction=fedramp"], listed: eu }, /with jurisdiction eu/],
    [{ given: ["eu:location=weur"], listed: eu }, /with jurisdiction eu/],
    [{ given: ["eu:jurisdiction=eu"], listed: [entry("rollcall-eu", null)] }, /with no jurisdiction/],
    [{ deployed: ["eu:jurisdiction=eu"], listed: [entry("rollcall", null)] }, /has tenants in rollcall-eu, and the account has no such database.*--database eu:jurisdiction=eu/s],
    [{ given: ["us:jurisdiction=us"] }, /npx wrangler@latest d1 create rollcall-us --jurisdiction=us/],
  ];
  for (const [what, said] of wrong) assert.throws(() => plan(what), said, JSON.stringify(what));
  assert.equal(plan({ given: ["eu:jurisdiction=eu"], deployed: ["eu:jurisdiction=eu"] })[1].id, undefined, "a flag says that it may be");
  assert.equal(plan({ given: ["us:jurisdiction=us"], listed: [entry("rollcall-us", "us")] })[1].id, "id of rollcall-us");
});

const WRONG = [
  [["eu"], /--database eu: it does not say where the database is to be\. Write eu:location=weur \(wnam, enam, weur, eeur, apac, oc\) or eu:jurisdiction=eu \(eu, us, fedramp\)/],
  [["eu:weur"], /--database eu:weur: it does not say where/],
  [["eu:place=weur"], /--database eu:place=weur: it does not say where/],
  [["eu:location=mars"], /there is no location "mars"\. Write eu:location=weur \(/],
  [["eu:jurisdiction=weur"], /there is no jurisdiction "weur"/],
  [["eu:location="], /there is no location ""/],
  [["EU-1:location=weur"], /a name has 1 to 20 lower-case letters and digits and begins with a letter\. Write for example eu1:location=weur/],
  [["1:location=weur"], /a name has 1 to 20 /],
  [[`${"a".repeat(21)}:location=weur`], /a name has 1 to 20 /],
  [[":location=weur"], /a name has 1 to 20 /],
  [["eu:location=weur", "eu:location=weur"], /eu is named twice\. Write it once/],
  [["eu:location=weur", "eu:jurisdiction=eu"], /eu is named twice, with location weur and jurisdiction eu\. A database has one place/],
  [["eu:location=weur:jurisdiction=eu"], /a location or a jurisdiction, not both\. Write eu:location=weur/],
  [["eu:location=weur,jurisdiction=eu"], /a location or a jurisdiction, not both/],
];

test("what is no database is told before anything is asked, with what to write", async () => {
  for (const [databases, said] of WRONG) {
    const { code, output } = await deploy(jwt, databases.flatMap((text) => ["--database", text]));
    assert.equal(code, 1, output);
    assert.match(output, said, databases.join(" "));
  }
  assert.deepEqual(cloudflare.requests, []);
  assert.ok(!existsSync(inRoot(configName)));
});
