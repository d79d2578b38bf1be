// `npm run deploy`: takes a Cloudflare account the whole way. Databases, namespace and queues are made where they are missing, migrations
// applied, secrets set where the workers have none, and both workers uploaded: the files in build/ and build-jobs/ as they are. The jobs worker goes
// first: the other one is bound to it, and a message of a newer version is known by a newer worker alone.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "./build.mjs";
import { databases as listDatabases, deployedVariable, makeDatabase, missingSecrets, mustRun, namespace, queue } from "./deploy/account.mjs";
import { configured, deployConfig, queues } from "./deploy/config.mjs";
import { placeText, planDatabases, readDatabases, writeDatabases } from "./deploy/databases.mjs";
import { checkSettings, help, readArguments, words } from "./deploy/settings.mjs";
import { setUp } from "./setup.mjs";
import { inRoot } from "./setup/paths.mjs";
import { main, say } from "./setup/progress.mjs";

// The name can be changed, so that a test does not touch the real one.
const configFile = inRoot(process.env.ROLLCALL_DEPLOY_CONFIG || "wrangler.deploy.toml");
const jobsConfigFile = configFile.replace(/\.toml$/, ".jobs.toml");
const secretNames = ["CURSOR_KEY", "ENCRYPTION_KEY"];

await main(async () => {
  const { settings, databases: named, dryRun, help: wantsHelp } = readArguments(process.argv.slice(2), configFile);
  if (wantsHelp) return console.log(help);
  if (!dryRun) checkSettings(settings); // before the long steps
  await build(await setUp());
  if (dryRun) return rehearse();

  const databases = await makeDatabases(await plan(named));
  const told = writeDatabases(databases.map(({ name, place }) => [name, place]));
  const namespaceTitle = `${configured("name")}-tokens`;
  const namespaceId = await namespace(namespaceTitle);
  const queueNames = queues("wrangler.jobs.toml");
  for (const name of queueNames) await queue(name);
  const values = { databases, told, namespaceId, settings, secretNames };
  writeFileSync(configFile, deployConfig("wrangler.toml", values));
  writeFileSync(jobsConfigFile, deployConfig("wrangler.jobs.toml", values));
  say(`• D1 databases ${databases.map(({ databaseName, id }) => `${databaseName} (${id})`).join(", ")}, KV namespace ${namespaceTitle} (${namespaceId}) and queues ${queueNames.join(", ")} are there`);

  const secrets = await missingSecrets(secretNames, { first: configFile, jobs: jobsConfigFile });
  for (const database of databases) await migrate(database);
  for (const line of databaseLines(databases)) say(line);

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

/** Which databases there are to be. Everything that can be wrong with what was asked for is found here, before anything is made. */
async function plan({ given, remembered }) {
  const [told, listed] = await Promise.all([deployedVariable(configured("name"), "DATABASES"), listDatabases()]);
  const deployed = new Map(told.flatMap((value) => [...readDatabases(words(value))]));
  return planDatabases({ given, remembered, deployed, listed, first: configured("database_name") });
}

/** Makes those that are missing, the first one first. */
async function makeDatabases(planned) {
  const databases = [];
  for (const database of planned) {
    const { databaseName, place, id } = database;
    databases.push({ ...database, made: !id, id: id ?? (await makeDatabase(databaseName, place)) });
  }
  return databases;
}

/** Where one fails, nothing is uploaded: the workers that run know the schema from before, and a migration leaves that whole. */
async function migrate(database) {
  const { binding, databaseName } = database;
  say(`• Migrating ${databaseName}`);
  const title = `Migrating ${databaseName} (nothing was uploaded: run the command again once it is mended)`;
  const { all } = await mustRun(title, ["d1", "migrations", "apply", binding, "--remote", "--config", configFile], { show: true });
  database.migrations = Number(all.match(/About to apply (\d+) migration/)?.[1] ?? 0);
}

/** What was done, a line for each database. */
function databaseLines(databases) {
  const rows = databases.map(({ name, databaseName, place, made, migrations }) => [name, databaseName, placeText(place), made ? "made" : "found", migrations ? `${migrations} migration${migrations === 1 ? "" : "s"} applied` : "no migration to apply"]);
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return ["• Databases:", ...rows.map((row) => `    ${row.map((cell, column) => cell.padEnd(widths[column])).join("  ").trimEnd()}`)];
}

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
