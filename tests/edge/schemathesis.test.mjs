// schemathesis, a judge from outside, against the built worker in workerd: out of the OpenAPI document it makes requests that the document
// allows and requests that it forbids, and holds every answer against it. All its checks are on; where one has to take more than it does by
// itself, the reason stands below. The set-up installs it (scripts/setup/judges.mjs); without Python it is skipped by name.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { judges, pythonEnv } from "../../scripts/setup/judges.mjs";
import { inRoot } from "../../scripts/setup/paths.mjs";
import { user } from "./support/resources.mjs";
import { adminToken, startWorld } from "./support/world.mjs";

const SEED = 20260131;
/** For each operation and phase. */
const MAX_EXAMPLES = 5;
const TIMEOUT_MS = 300_000;

/**
 * Where a request that the schema allows may be refused all the same, because JSON Schema cannot say why; and the places where a request
 * that it forbids succeeds all the same. Statuses besides those that schemathesis takes by itself.
 */
const RULES_BEYOND_THE_SCHEMA = [
  { of: "SCIM", operations: { "include-tag": "SCIM" }, check: "positive_data_acceptance", statuses: ["400", "412"], why: "filters and paths have a grammar, members have to exist, some parameters exclude each other; If-Match names a version" },
  // The first rule that fits counts.
  { of: "SCIM", operations: { "include-operation-id": "bulk" }, check: "negative_data_rejection", statuses: ["200", "202", "412", "413", "414"], why: "what is wrong with one operation of a Bulk request is told in its own answer (RFC 7644 §3.7.3), and of one with Prefer: respond-async later" },
  { of: "SCIM", operations: { "include-tag": "SCIM" }, check: "negative_data_rejection", statuses: ["202", "412", "413", "414"], why: "what came with Prefer: respond-async is refused later; these are refusals too: what is too long or too many (RFC 7644 §3.7.4); If-Match is looked at first (RFC 9110 §13.2.1), and the length of an address before that" },
  { of: "identity providers", operations: { "include-operation-id": ["createIdentityProvider", "createIdentityProviderOfTenant", "updateIdentityProvider", "updateIdentityProviderOfTenant", "createGroupMapping"] }, check: "positive_data_acceptance", statuses: ["422"], why: "tenants and groups have to exist, a configuration belongs to its protocol; URLs, filters and names of a directory have grammars" },
  { of: "identity providers", operations: { "include-operation-id": ["readSamlMetadata"] }, check: "positive_data_acceptance", statuses: ["422"], why: "the address has to be reached, and to answer metadata" },
  { of: "the rest", operations: { "include-operation-id": ["createOwnSchema", "updateOwnSchema"] }, check: "positive_data_acceptance", statuses: ["422"], why: "URNs and names have a grammar, and attributes have to fit each other, and the values that there are" },
  { of: "the rest", operations: { "include-operation-id": ["createConsoleSession"] }, check: "missing_required_header", statuses: ["404"], why: "where Cloudflare Access is not configured there is nothing" },
  { of: "the rest", operations: { "include-operation-id": ["createScimToken", "updateScimToken"] }, check: "positive_data_acceptance", statuses: ["422"], why: "the tenant has to exist, and expires_at to be in the future" },
  { of: "the rest", operations: { "include-operation-id": ["listAuditEvents", "listRequests", "listDeliveries"] }, check: "positive_data_acceptance", statuses: ["422"], why: "an administrator of all tenants has to name one, and that of one tenant need not; `after` is what a page before gave" },
  { of: "the rest", operations: { "include-operation-id": ["readRequest", "replayRequest", "readResourceHistory", "readActivity", "erase", "readUndo"] }, check: "positive_data_acceptance", statuses: ["422"], why: "an administrator of all tenants has to name one, and that of one tenant need not" },
  { of: "the rest", operations: { "include-operation-id": ["undoChanges"] }, check: "positive_data_acceptance", statuses: ["422"], why: "the same, and something has to say what is to be taken back: requests, an actor and a time, or a resource" },
  { of: "the rest", operations: { "include-operation-id": ["moveTenant"] }, check: "positive_data_acceptance", statuses: ["422"], why: "there has to be a database of that name, and another one than the tenant lives in" },
  { of: "the rest", operations: { "include-operation-id": ["createTenant", "updateTenant", "rotateScimToken"] }, check: "positive_data_acceptance", statuses: ["422"], why: "a database or a location has to be one that there is; an Idempotency-Key that came with another request is refused; each role and each entitlement is there once" },
  { of: "the rest", operations: { "include-operation-id": ["listEvents", "replayEventStream"] }, check: "positive_data_acceptance", statuses: ["422"], why: "`after` is a number that an event has had" },
  { of: "the rest", operations: { "include-operation-id": ["createEventStream", "updateEventStream", "rotateEventStreamSecret"] }, check: "positive_data_acceptance", statuses: ["422"], why: "each kind has its own fields; an address is https and nowhere private, types are those that there are, `after` is a number that an event has had; an Idempotency-Key that came with another request is refused" },
  { of: "the rest", operations: { "include-operation-id": ["createSetupLink"] }, check: "positive_data_acceptance", statuses: ["422"], why: "an administrator of all tenants has to name one, and that of one tenant need not; it ends within a month; an Idempotency-Key that came with another request is refused" },
  { of: "the rest", operations: { "include-operation-id": ["pollEventStream"] }, check: "positive_data_acceptance", statuses: ["410", "422"], why: "a request refuses 100 tokens at most; events are kept for so long" },
];
/** What schemathesis has no way to send: lines of JSON. The native suites make what an import reads at random. */
const NOT_SENT = ["--exclude-operation-id", "importTenant"];
/** What schemathesis takes by itself. */
const USUAL = {
  positive_data_acceptance: ["2xx", "3xx", "401", "403", "404", "409", "429", "5xx"],
  missing_required_header: ["400", "401", "403", "406", "415", "422"],
  negative_data_rejection: ["400", "401", "403", "404", "405", "406", "409", "415", "422", "428", "429", "5xx"],
};

const { bin, missing } = await judges();
const skip = missing && `not judged: ${missing}`;
const folder = mkdtempSync(join(tmpdir(), "rollcall-schemathesis-"));
let world;
before(async () => (world = skip ? undefined : await startWorld()));
after(async () => {
  await world?.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe("schemathesis", () => {
  // Each has a tenant of its own: a run deletes what it finds, tokens and tenants too. SCIM is judged in `strict`, which the document describes.
  // The document shows SCIM below one base and says that the other is the same: the other is judged too, in a document with that base.
  for (const [what, of, seconds, selection, shown] of [
    ["SCIM", "SCIM", 45, ["--include-tag", "SCIM"], document],
    ["SCIM below the base of the token", "SCIM", 20, ["--include-tag", "SCIM"], belowTheTokensBase],
    ["identity providers", "identity providers", 25, ["--include-tag", "Identity providers"], document],
    ["the rest", "the rest", 20, ["--exclude-tag", "SCIM", "--exclude-tag", "Identity providers", ...NOT_SENT], document],
  ]) {
    test(`finds nothing wrong with the routes of ${what}`, { skip, timeout: TIMEOUT_MS }, async (t) => {
      const { code, output } = await schemathesis(await configuration(), written(shown()), ["--max-time", String(seconds), ...selection]);
      const counts = output.match(/Test cases:\n\s*(.*)\n/)?.[1] ?? "";
      t.diagnostic(`${what}: ${counts}; ${output.match(/Tested: \d+/)?.[0]} operations; seed ${SEED}`);
      for (const { check, statuses, operations, why } of RULES_BEYOND_THE_SCHEMA.filter((rule) => rule.of === of)) {
        t.diagnostic(`${check} also takes ${statuses} of ${Object.values(operations).flat()}: ${why}`);
      }
      assert.equal(code, 0, output);
      assert.ok(Number(/^(\d+) generated/.exec(counts)?.[1]) > 100, output);
    });
  }

  test("does object where there is something to object to", { skip, timeout: TIMEOUT_MS }, async () => {
    const wrong = document();
    wrong.components.schemas.Health.properties.status = { type: "integer" };
    const { code, output } = await schemathesis(await configuration(), written(wrong), ["--include-operation-id", "readHealth"]);
    assert.equal(code, 1, output);
    assert.match(output, /"ok" is not of type "integer"/);
  });
});

function document() {
  return JSON.parse(readFileSync(inRoot("src", "assets", "openapi.json"), "utf8"));
}

/** The SCIM routes alone, with the tenant taken from the credential. */
function belowTheTokensBase() {
  const base = "/api/v1/tenants/{tenant_id}/scim/v2";
  const shown = document();
  const paths = Object.entries(shown.paths).filter(([path]) => path.startsWith(base));
  for (const operation of paths.flatMap(([, methods]) => Object.values(methods))) {
    operation.parameters = operation.parameters.filter(({ name }) => name !== "tenant_id");
  }
  return { ...shown, paths: Object.fromEntries(paths.map(([path, methods]) => [`/scim/v2${path.slice(base.length)}`, methods])) };
}

/** The path of a file with a document. */
function written(shown) {
  const path = join(mkdtempSync(join(folder, "document-")), "openapi.json");
  writeFileSync(path, JSON.stringify(shown));
  return path;
}

/** A configuration with credentials for a new tenant; the JWT's subject is a user there, so that `/Me` is somebody. */
async function configuration() {
  const scim = await world.tenant({ profile: "strict" });
  const made = await scim.request("POST", "/Users", { body: user("me@example.com") });
  assert.equal(made.status, 201, made.text);
  const jwt = adminToken({ sub: made.body.id, exp: Math.floor(Date.now() / 1000) + 3600, tenant_id: undefined });
  const file = join(folder, `${scim.id}.toml`);
  const quoted = (value) => JSON.stringify(value);
  const lines = [
    `generation.max-examples = ${MAX_EXAMPLES}`,
    `seed = ${SEED}`,
    `[auth.openapi.administrator]\nbearer = ${quoted(jwt)}`,
    `[auth.openapi.scimToken]\nbearer = ${quoted(scim.token)}`,
    `[[operations]]\ninclude-path-regex = "^/api/v1/tenants/"\nparameters = { "path.tenant_id" = ${quoted(scim.id)} }`,
    ...RULES_BEYOND_THE_SCHEMA.map(({ operations, check, statuses }) => {
      const which = Object.entries(operations).map(([name, value]) => `${name} = ${quoted(value)}\n`);
      return `[[operations]]\n${which.join("")}[operations.checks.${check}]\nexpected-statuses = ${quoted([...USUAL[check], ...statuses])}`;
    }),
  ];
  writeFileSync(file, lines.join("\n\n"));
  return file;
}

async function schemathesis(config, document, selection) {
  const { origin } = await world.mf.ready;
  const args = ["--no-color", "--config-file", config, "run", document, "--url", origin, "--request-timeout", "30", ...selection];
  const env = pythonEnv();
  // The worker is on this machine: no proxy is asked for it.
  for (const name of Object.keys(env)) if (/^(https?|all|no)_proxy$/i.test(name)) delete env[name];
  return new Promise((resolve, reject) => {
    const child = spawn(join(bin, "schemathesis"), args, { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"], timeout: TIMEOUT_MS });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (output += text));
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code: code ?? signal, output }));
  });
}
