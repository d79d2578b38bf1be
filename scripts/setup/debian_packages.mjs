// Debian packages, unpacked into a folder of the cache without root: apt says which packages are missing here and fetches them,
// dpkg-deb unpacks them. Nothing is installed; where the system's package lists are missing, lists of our own are fetched.
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { withLock } from "./lock.mjs";
import { inCache } from "./paths.mjs";
import { ask, SetupError, step } from "./progress.mjs";

const hint = "The mirror that apt uses must be reachable. If it complains of a lock or a missing file, another apt was running: run the command again.";

export async function canUnpack() {
  return process.platform === "linux" && (await ask("apt-get", ["--version"])) !== null && (await ask("dpkg-deb", ["--version"])) !== null;
}

/** Unpacks the packages, with whatever of their dependencies this system lacks, into `home`; a marker inside it says that all is there. */
export async function unpack(packages, home, title) {
  const complete = join(home, ".complete");
  if (existsSync(complete)) return;
  await withLock(`${home}.lock`, title, async () => {
    if (existsSync(complete)) return;
    const staging = `${home}.new`;
    const downloads = join(staging, "packages");
    rmSync(staging, { recursive: true, force: true });
    mkdirSync(downloads, { recursive: true });
    const lists = await listsWith(packages);
    const names = await missing(packages, lists);
    const usual = `${names.length} Debian packages, usually less than a minute`;
    const download = () => step(`Fetching ${title}`, usual, "apt-get", [...lists, "download", ...names], { cwd: downloads, hint });
    // Another apt may hold the lock, or have emptied the folder under this one: once more, then give up.
    await download().catch(download);
    const unpackAll = 'for package in packages/*.deb; do dpkg-deb -x "$package" .; done';
    await step(`Unpacking ${title}`, "half a minute", "sh", ["-ec", unpackAll], { cwd: staging, hint: "Is the disk full?" });
    rmSync(downloads, { recursive: true });
    writeFileSync(join(staging, ".complete"), names.join("\n"));
    rmSync(home, { recursive: true, force: true });
    renameSync(staging, home);
  });
}

/** The newest of a family of packages with the number in the name: lld gives lld-19 or whatever there is. */
export async function newest(family, lists) {
  const found = (await ask("apt-cache", [...lists, "search", "--names-only", `^${family}-[0-9]+$`])) ?? "";
  const numbers = [...found.matchAll(new RegExp(`^${family}-(\\d+) `, "gm"))].map((match) => Number(match[1]));
  return numbers.length ? `${family}-${Math.max(...numbers)}` : family;
}

/** Options for apt: none where the system's package lists know the packages, else lists of our own, fetched now. */
export async function listsWith(packages) {
  // Not `apt-cache show`: it also knows packages that are installed and can be fetched from nowhere.
  const known = (options) => ask("apt-get", [...options, "download", "--print-uris", ...packages]);
  if (await known([])) return [];
  const folder = inCache("apt");
  mkdirSync(join(folder, "lists", "partial"), { recursive: true });
  mkdirSync(join(folder, "cache", "archives", "partial"), { recursive: true });
  const own = ["-o", `Dir::State::lists=${join(folder, "lists")}`, "-o", `Dir::Cache=${join(folder, "cache")}`];
  if (await known(own)) return own;
  await step("Fetching Debian's package lists", "usually 10 s", "apt-get", [...own, "update"], { hint });
  if (await known(own)) return own;
  throw new SetupError(`Debian's package lists have no ${packages.join(", ")}.`);
}

/** What apt would install for these packages, the packages themselves always among them. */
async function missing(packages, lists) {
  const plan = await ask("apt-get", [...lists, "install", "--simulate", "--no-install-recommends", ...packages]);
  if (plan === null) throw new SetupError(`apt finds no way to install ${packages.join(", ")} here: apt-get install --simulate says why.`);
  return [...new Set([...packages, ...[...plan.matchAll(/^Inst (\S+)/gm)].map((match) => match[1])])];
}
