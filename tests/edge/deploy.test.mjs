// `npm run deploy` against a stand-in for Cloudflare's API on loopback: what it makes, what it leaves alone, and that the bytes it sends
// are the bytes in build/ and build-jobs/. It shows that our script asks for the right things, not that Cloudflare would grant them.
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { test } from "node:test";
import { inRoot } from "../../scripts/setup/paths.mjs";
import { bindingOf, deploying, jwt, migrations } from "./support/deploying.mjs";

const configName = "wrangler.deploy.test.toml";
const { cloudflare, deploy } = deploying(configName);

test("an empty account gets everything, and a second deploy leaves what is there alone", async () => {
  const { code, output } = await deploy(jwt);
  assert.equal(code, 0, output);
  assert.deepEqual(cloudflare.databases.map(({ name }) => name), ["rollcall"]);
  assert.deepEqual(cloudflare.namespaces.map(({ title }) => title), ["rollcall-tokens"]);
  assert.deepEqual(cloudflare.migrations, { rollcall: migrations });
  assert.equal(bindingOf(cloudflare.uploads[0], "DATABASES"), undefined);

  // The jobs worker is there before the worker that is bound to it, and its queues before both.
  assert.deepEqual(cloudflare.uploads.map(({ script }) => script), ["rollcall-jobs", "rollcall"]);
  assert.deepEqual(cloudflare.queues.map(({ queue_name }) => queue_name), ["rollcall-jobs", "rollcall-deliveries", "rollcall-jobs-dead"]);
  assertJobsWorker(cloudflare.uploads[0], output);

  const { metadata, modules } = cloudflare.uploads.at(-1);
  const binding = (name) => metadata.bindings.find((entry) => entry.name === name);
  assert.equal(binding("DB").id ?? binding("DB").database_id, cloudflare.databases[0].uuid);
  assert.equal(binding("TOKENS").namespace_id, cloudflare.namespaces[0].id);
  for (const [name, value] of Object.entries(jwt)) assert.deepEqual(binding(name), { name, type: "plain_text", text: value });
  for (const name of ["CURSOR_KEY", "ENCRYPTION_KEY"]) {
    assert.equal(binding(name).type, "secret_text");
    assert.equal(Buffer.from(binding(name).text, "base64").length, 32);
    assert.ok(!output.includes(binding(name).text), `${name} was printed`);
  }
  assert.equal(binding("JWT_LOCAL_SECRET"), undefined);
  assert.deepEqual(Object.keys(modules).sort(), ["index.js", "index_bg.wasm"]);
  for (const [name, bytes] of Object.entries(modules)) assert.ok(bytes.equals(readFileSync(inRoot("build", name))), `${name} differs from build/`);

  assert.deepEqual([binding("JOBS").type, binding("JOBS").queue_name], ["queue", "rollcall-jobs"]);
  assert.deepEqual([binding("JOBS_WORKER").type, binding("JOBS_WORKER").service], ["service", "rollcall-jobs"]);
  assert.deepEqual(metadata.limits, { cpu_ms: 5_000 });
  // Both open and seal with the same keys.
  for (const name of ["CURSOR_KEY", "ENCRYPTION_KEY"]) {
    assert.equal(bindingOf(cloudflare.uploads[0], name).text, binding(name).text, name);
  }

  // The files beside the worker go up too, and the worker is asked before any of them is given out.
  assert.deepEqual(binding("ASSETS"), { name: "ASSETS", type: "assets" });
  assert.equal(metadata.assets.jwt, "assets");
  assert.equal(metadata.assets.config.run_worker_first, true);
  const built = readdirSync(inRoot("build-assets"), { recursive: true }).filter((name) => statSync(inRoot("build-assets", name)).isFile());
  assert.deepEqual(Object.keys(cloudflare.assets).sort(), built.map((name) => `/${name.replaceAll("\\", "/")}`).sort());
  for (const [path, bytes] of Object.entries(cloudflare.assets)) assert.ok(bytes.equals(readFileSync(inRoot("build-assets", path))), `${path} differs`);
  assert.ok(cloudflare.assets["/openapi.json"].equals(readFileSync(inRoot("src", "assets", "openapi.json"))));

  // No log of the platform's own has URLs, and fetches go out as everybody's do.
  assert.deepEqual(metadata.compatibility_flags, ["global_fetch_strictly_public"]);
  assert.equal(metadata.observability.logs.invocation_logs, false);

  // The clock is the jobs worker's alone: a clock from before is taken away.
  assert.deepEqual(cloudflare.crons, { "rollcall-jobs": ["*/5 * * * *"], rollcall: [] });
  const { settings, ...consumer } = cloudflare.consumers["rollcall-jobs"];
  assert.deepEqual([consumer.script_name, consumer.dead_letter_queue], ["rollcall-jobs", "rollcall-jobs-dead"]);
  assert.deepEqual([settings.batch_size, settings.max_retries, settings.max_wait_time_ms], [1, 10, 0]);
  for (const name of ["rollcall-deliveries", "rollcall-jobs-dead"]) assert.equal(cloudflare.consumers[name].script_name, "rollcall-jobs");

  // A second deploy makes nothing anew, keeps the secrets and remembers the settings.
  const second = await deploy({});
  assert.equal(second.code, 0, second.output);
  assert.equal(cloudflare.databases.length, 1);
  assert.equal(cloudflare.namespaces.length, 1);
  assert.equal(cloudflare.queues.length, 3);
  for (const upload of cloudflare.uploads.slice(-2)) {
    for (const name of ["CURSOR_KEY", "ENCRYPTION_KEY"]) {
      assert.deepEqual(upload.metadata.bindings.filter((entry) => entry.name === name), [{ name, type: "inherit" }]);
    }
    assert.equal(bindingOf(upload, "JWT_ISSUER").text, jwt.JWT_ISSUER);
  }
});

function assertJobsWorker(upload, output) {
  assert.equal(bindingOf(upload, "DB").id ?? bindingOf(upload, "DB").database_id, cloudflare.databases[0].uuid);
  assert.equal(bindingOf(upload, "TOKENS").namespace_id, cloudflare.namespaces[0].id);
  for (const [name, value] of Object.entries(jwt)) assert.deepEqual(bindingOf(upload, name), { name, type: "plain_text", text: value });
  assert.ok(!output.includes(bindingOf(upload, "ENCRYPTION_KEY").text));
  assert.equal(bindingOf(upload, "JOBS").queue_name, "rollcall-jobs");
  for (const name of ["JOBS_WORKER", "ASSETS", "JWT_LOCAL_SECRET"]) assert.equal(bindingOf(upload, name), undefined);
  for (const [name, bytes] of Object.entries(upload.modules)) assert.ok(bytes.equals(readFileSync(inRoot("build-jobs", name))), `${name} differs from build-jobs/`);
  assert.deepEqual(upload.metadata.limits, { cpu_ms: 300_000 });
  // It has no address: nobody but the first worker asks it.
  assert.ok(!cloudflare.requests.some((request) => /rollcall-jobs\/(domains|routes)/.test(request)));
}

/** What was deployed before there was a jobs worker. */
async function deployedAlone() {
  const { code, output } = await deploy(jwt);
  assert.equal(code, 0, output);
  delete cloudflare.secrets["rollcall-jobs"];
  cloudflare.uploads = [];
}

test("a worker from before the jobs worker: without its encryption key nothing is uploaded, and with it both have it", async () => {
  await deployedAlone();
  const refused = await deploy({});
  assert.equal(refused.code, 1, refused.output);
  assert.match(refused.output, /Give it once more:\s+ENCRYPTION_KEY=… npm run deploy/);
  assert.equal(cloudflare.uploads.length, 0);

  const ENCRYPTION_KEY = Buffer.alloc(32, 7).toString("base64");
  const { code, output } = await deploy({ ENCRYPTION_KEY });
  assert.equal(code, 0, output);
  assert.deepEqual(cloudflare.uploads.map(({ script }) => script), ["rollcall-jobs", "rollcall"]);
  const [jobs, first] = cloudflare.uploads;
  for (const upload of [jobs, first]) assert.equal(bindingOf(upload, "ENCRYPTION_KEY").text, ENCRYPTION_KEY);
  // Cursors live for an hour: a new key takes nothing else away.
  assert.equal(bindingOf(jobs, "CURSOR_KEY").text, bindingOf(first, "CURSOR_KEY").text);
});

test("a first deploy that broke off between the two workers is simply run again", async () => {
  assert.equal((await deploy(jwt)).code, 0);
  delete cloudflare.secrets.rollcall;
  cloudflare.uploads = [];
  const { code, output } = await deploy({});
  assert.equal(code, 0, output);
  const [jobs, first] = cloudflare.uploads;
  for (const name of ["CURSOR_KEY", "ENCRYPTION_KEY"]) {
    assert.equal(bindingOf(first, name).type, "secret_text");
    assert.equal(bindingOf(jobs, name).text, bindingOf(first, name).text, name);
  }
});

test("where the secrets cannot be listed, nothing is uploaded: a new key would make stored data unreadable", async () => {
  cloudflare.secretsFail = true;
  const { code, output } = await deploy(jwt);
  assert.equal(code, 1);
  assert.match(output, /Could not tell which secrets the worker has/);
  assert.equal(cloudflare.uploads.length, 0);
});

test("without JWT settings it says what is missing and asks Cloudflare for nothing", async () => {
  const { code, output } = await deploy({ JWT_ISSUER: jwt.JWT_ISSUER });
  assert.equal(code, 1);
  assert.match(output, /Missing: JWT_AUDIENCE, JWT_JWKS_URL or JWT_JWKS/);
  assert.equal(cloudflare.requests.length, 0);
  assert.ok(!existsSync(inRoot(configName)));
});

test("a private key in the key set is refused", async () => {
  const { code, output } = await deploy({ ...jwt, JWT_JWKS_URL: undefined, JWT_JWKS: '{"keys":[{"kty":"EC","d":"secret"}]}' });
  assert.equal(code, 1);
  assert.match(output, /private or shared key/);
});
