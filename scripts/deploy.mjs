// `npm run deploy`: takes a Cloudflare account the whole way. Database, namespace and queues are made where they are missing, migrations
// applied, secrets set where the workers have none, and both workers uploaded: the files in build/ and build-jobs/ as they are. The jobs worker goes
// first: the other one is bound to it, and a message of a newer version is known by a newer worker alone.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "./build.mjs";
import { database, missingSecrets, mustRun, namespace, queue } from "./deploy/account.mjs";
import { configured, deployConfig, queues } from "./deploy/config.mjs";
import { checkSettings, help, readArguments } from "./deploy/settings.mjs";
import { setUp } from "./setup.mjs";
import { inRoot } from "./setup/paths.mjs";
import { main, say } from "./setup/progress.mjs";

// The name can be changed, so that a test does not touch the real one.
const configFile = inRoot(process.env.ROLLCALL_DEPLOY_CONFIG || "wrangler.deploy.toml");
const jobsConfigFile = configFile.replace(/\.toml$/, ".jobs.toml");
const secretNames = ["CURSOR_KEY", "ENCRYPTION_KEY"];

await main(async () => {
  const { settings, dryRun, help: wantsHelp } = readArguments(process.argv.slice(2), configFile);
  if (wantsHelp) return console.log(help);
  if (!dryRun) checkSettings(settings); // before the long steps
  await build(await setUp());
  if (dryRun) return rehearse();

  const databaseName = configured("database_name");
  const databaseId = await database(databaseName);
  const namespaceTitle = `${configured("name")}-tokens`;
  const namespaceId = await namespace(namespaceTitle);
  const queueNames = queues("wrangler.jobs.toml");
  for (const name of queueNames) await queue(name);
  const values = { databaseId, namespaceId, settings, secretNames };
  writeFileSync(configFile, deployConfig("wrangler.toml", values));
  writeFileSync(jobsConfigFile, deployConfig("wrangler.jobs.toml", values));
  say(`• D1 database ${databaseName} (${databaseId}), KV namespace ${namespaceTitle} (${namespaceId}) and queues ${queueNames.join(", ")} are there`);

  const secrets = await missingSecrets(secretNames, { first: configFile, jobs: jobsConfigFile });
  say("• Migrating the database");
  await mustRun("Migrating the database", ["d1", "migrations", "apply", "DB", "--remote", "--config", configFile], { show: true });

  say("• Uploading the jobs worker");
  await upload(jobsConfigFile, secrets);
  say("• Uploading the worker");
  const { out } = await upload(configFile, secrets);
  const url = out.match(/https:\/\/[^\s"]+\.workers\.dev/)?.[0];
  for (const name of Object.keys(secrets)) say(`• Set the secret ${name} of both workers: it is kept by Cloudflare alone and stays the same from now on`);
  console.log(`
Rollcall is deployed${url ? ` at ${url}` : ""}.

  Is it up?          curl ${url ?? "https://…"}/healthz
  The next step:     with an administrator's JWT of ${settings.JWT_ISSUER}, create a tenant and a SCIM token,
                     as the commands that npm run dev prints do.
`);
});

/** Secrets go up with the worker in one step, so that no version of it ever runs without them. The file is gone afterwards. */
async function upload(configFile, secrets) {
  const folder = mkdtempSync(join(tmpdir(), "rollcall-deploy-"));
  try {
    const args = ["deploy", "--config", configFile];
    if (Object.keys(secrets).length) {
      const file = join(folder, "secrets.json");
      writeFileSync(file, JSON.stringify(secrets), { mode: 0o600 });
      args.push("--secrets-file", file);
    }
    return await mustRun("Uploading the worker", args, { show: true });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function rehearse() {
  for (const [config, folder] of [["wrangler.jobs.toml", "dry-run-jobs"], ["wrangler.toml", "dry-run"]]) {
    await mustRun("Rehearsing the upload", ["deploy", "--dry-run", "--config", inRoot(config), "--outdir", inRoot(".wrangler", folder)], { show: true });
  }
  say("• Nothing was uploaded: the files that would have been are in .wrangler/dry-run and .wrangler/dry-run-jobs");
}
