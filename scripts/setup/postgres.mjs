// PostgreSQL's server, for the test of examples/mirror-to-postgres. The one on this machine is taken where there is one; else Debian's package is
// unpacked, without installing anything. Without either that test is left out, and `npm test` says so.
import { existsSync, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { canUnpack, unpack } from "./debian_packages.mjs";
import { inCache } from "./paths.mjs";
import { ask, SetupError } from "./progress.mjs";

const multiarch = process.arch === "arm64" ? "aarch64-linux-gnu" : "x86_64-linux-gnu";
const INSTALL = "Debian, Ubuntu: sudo apt install postgresql   Fedora: sudo dnf install postgresql-server   macOS: brew install postgresql";
/** Where systems keep the servers, one folder for each version, and `bin` in it; and those that have a single one. */
const VERSIONS = ["/usr/lib/postgresql", "/opt/homebrew/opt", "/usr/local/opt"];
const PLACES = ["/usr/bin", "/usr/local/bin", "/usr/local/pgsql/bin"];

/** PostgreSQL refuses to run as root: there it runs as nobody, who does not reach root's own cache folder either. */
const isRoot = process.getuid?.() === 0;
const NOBODY = 65534;
export const identity = isRoot ? { uid: NOBODY, gid: NOBODY } : {};
const unpacked = () => (isRoot ? "/var/cache/rollcall/postgresql" : inCache("postgresql"));

/** { bin, env }: the folder with `initdb` and `postgres`, and the environment to start them in. { missing }: what this machine lacks, and how to get it. */
export async function postgres() {
  const installed = await found("", process.env);
  if (installed) return installed;
  if (!(await canUnpack())) return { missing: `there is no PostgreSQL server. ${INSTALL}` };
  const home = unpacked();
  try {
    await unpack(["postgresql"], home, "a PostgreSQL server");
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    return { missing: `${error.message} ${INSTALL}` };
  }
  const libraries = [join(home, "usr/lib", multiarch), join(home, "lib", multiarch)].join(delimiter);
  return (await found(home, { ...process.env, LD_LIBRARY_PATH: libraries })) ?? { missing: `Debian's postgresql in ${home} does not start here. ${INSTALL}` };
}

/** The newest server below `home` that starts. */
async function found(home, env) {
  const byVersion = VERSIONS.map((folder) => join(home, folder)).filter(existsSync).flatMap((folder) => {
    const names = readdirSync(folder).filter((name) => /^(postgresql(@\d+)?|\d+)$/.test(name));
    const number = (name) => Number(name.match(/\d+/)?.[0] ?? 1000);
    return names.sort((one, other) => number(other) - number(one)).map((name) => join(folder, name, "bin"));
  });
  for (const bin of [...byVersion, ...PLACES.map((folder) => join(home, folder))]) {
    if (!existsSync(join(bin, "initdb")) || !existsSync(join(bin, "postgres"))) continue;
    const about = await ask(join(bin, "postgres"), ["--version"], { env, ...identity, cwd: "/" });
    if (about?.startsWith("postgres ")) return { bin, env };
  }
  return undefined;
}
