// A world with a directory in it: this tenant with as many users and groups as a scale of scale.mjs says, between others. A large one is made once and kept in the cache folder
// under a name that says what it was made of; each run gets a copy, so that what a run changes is not there in the next.
import { createHash } from "node:crypto";
import { constants, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { withLock } from "../../../scripts/setup/lock.mjs";
import { inCache, inRoot } from "../../../scripts/setup/paths.mjs";
import { say } from "../../../scripts/setup/progress.mjs";
import { populate } from "./population.mjs";
import { SCALE } from "./scale.mjs";
import { bothWorkers, migrations, startWorld } from "./world.mjs";

/** Answers the world, the tenant's base and token, and how to end it all. The directory is in the first database; `databases` are others, empty ones. `progress` hears of rows made: what, how many, of how many. */
export async function populatedWorld({ scale = SCALE, workers = bothWorkers({ d1Databases: ["DB"] }), databases = [], progress = progressLines(), inspector = false } = {}) {
  if (!scale.kept) {
    const world = await startWorld({ workers, databases, inspector });
    return { world, scim: await makeTenants(world, scale, progress), end: () => world.stop() };
  }
  const kept = inCache("budgets", `${scale.users}-${scale.members}-${fingerprint()}`);
  await withLock(`${kept}.lock`, "the directory", () => existsSync(kept) || keep(kept, scale, progress));
  const own = `${kept}.run-${process.pid}`;
  const remove = () => rmSync(own, { recursive: true, force: true });
  process.once("exit", remove);
  await timed(`Copying the directory (${gigabytes(kept)} GB)`, () => copyFolder(kept, own));
  const world = await startWorld({ workers, databases, persist: own, inspector });
  const { tenant, token } = JSON.parse(readFileSync(join(own, "tenant.json"), "utf8"));
  return { world, scim: world.scim(tenant, token), end: () => world.stop().finally(remove) };
}

async function keep(kept, scale, progress) {
  // What an older schema or another script made of this size has had its day; gigabytes are not left behind.
  for (const name of readdirSync(inCache("budgets"))) {
    if (name.startsWith(`${scale.users}-${scale.members}-`) && !name.endsWith(".lock") && !name.includes(".run-")) rmSync(inCache("budgets", name), { recursive: true, force: true });
  }
  const making = `${kept}.making`;
  mkdirSync(making, { recursive: true });
  await timed(`Making a directory of ${scale.users.toLocaleString("en")} users in ${kept} (1 to 3 minutes for a million; deleting it is safe)`, async () => {
    const world = await startWorld({ persist: making });
    try {
      const { token, request, base, ...tenant } = await makeTenants(world, scale, progress);
      writeFileSync(join(making, "tenant.json"), JSON.stringify({ tenant, token }));
    } finally {
      await world.stop();
    }
  });
  renameSync(making, kept);
}

/** Progress as a line every five seconds. */
function progressLines() {
  const started = Date.now();
  let told = started;
  return (what, done, of) => {
    if (Date.now() - told < 5_000) return;
    told = Date.now();
    say(`  … ${Math.round((told - started) / 1000)} s  ${what}: ${done.toLocaleString("en")} of ${of.toLocaleString("en")}`);
  };
}

/** The tenant that is measured. Tenants are in the order of their ids, so the others lie on both sides of it. */
async function makeTenants(world, { users, sizes, emptyGroups, others }, progress) {
  const tenants = [];
  const other = async () => tenants.push({ scim: await world.tenant(), users: others.users, sizes: others.sizes, empty: 0 });
  for (let number = 0; number < others.each; number += 1) await other();
  // Its fuse counts removals, but never stops one, and never has to know of how many.
  const scim = await world.tenant({ removal_fuse: { percent: 20, at_least: 1_000_000, minutes: 60 } });
  tenants.push({ scim, users, sizes, empty: emptyGroups });
  for (let number = 0; number < others.each; number += 1) await other();
  await populate(world, tenants, progress);
  return scim;
}

/** Of the schema and of what fills it. */
function fingerprint() {
  const hash = createHash("sha256").update(migrations().join("\n"));
  for (const name of ["population.mjs", "populated_world.mjs", "resources.mjs", "scale.mjs"]) hash.update(readFileSync(inRoot("tests", "edge", "support", name)));
  return hash.digest("hex").slice(0, 12);
}

const filesOf = (folder) => readdirSync(folder, { recursive: true }).filter((name) => statSync(join(folder, name)).isFile());
const gigabytes = (folder) => (filesOf(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0) / 1e9).toFixed(1);

/** Where the file system can share what both have, it does. */
async function copyFolder(from, to) {
  for (const name of filesOf(from)) {
    mkdirSync(join(to, name, ".."), { recursive: true });
    await copyFile(join(from, name), join(to, name), constants.COPYFILE_FICLONE);
  }
}

async function timed(title, work) {
  say(`• ${title}`);
  const started = Date.now();
  await work();
  say(`  done in ${((Date.now() - started) / 1000).toFixed(1)} s`);
}
