// OpenLDAP's server, for the tests of directories. The one on this machine is taken where there is one; else Debian's package is unpacked
// into the cache, without root and without installing anything. Without either the tests that need a server are left out, and `npm test` says so.
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { canUnpack, unpack } from "./debian_packages.mjs";
import { inCache } from "./paths.mjs";
import { ask, SetupError } from "./progress.mjs";

const multiarch = process.arch === "arm64" ? "aarch64-linux-gnu" : "x86_64-linux-gnu";
const INSTALL = "Debian, Ubuntu: sudo apt install slapd   Fedora: sudo dnf install openldap-servers   macOS: brew install openldap";
/** Where systems keep a daemon, which is often not on an ordinary user's PATH, and its modules and schemas. */
const DAEMONS = ["/usr/sbin", "/usr/local/sbin", "/usr/libexec", "/usr/lib/openldap", "/opt/homebrew/opt/openldap/libexec", "/usr/local/opt/openldap/libexec"];
const MODULES = ["/usr/lib/ldap", `/usr/lib/${multiarch}/ldap`, "/usr/lib64/openldap", "/usr/lib/openldap", "/usr/local/lib/openldap"];
const SCHEMAS = ["/etc/ldap/schema", "/etc/openldap/schema", "/opt/homebrew/etc/openldap/schema", "/usr/local/etc/openldap/schema"];

/**
 * { env }: the environment in which the tests find the server: ROLLCALL_SLAPD (the program), ROLLCALL_SLAPD_MODULES (the folder with its
 * modules, empty where it has none), ROLLCALL_SLAPD_SCHEMAS (the folder with its schemas) and ROLLCALL_SLAPD_LIBRARIES (what LD_LIBRARY_PATH has to be,
 * empty where nothing). { missing }: what this machine lacks, and how to get it.
 */
export async function slapd() {
  const installed = await found("", DAEMONS.concat((process.env.PATH ?? "").split(delimiter)), "");
  if (installed) return { env: installed };
  if (!(await canUnpack())) return { missing: `there is no slapd, OpenLDAP's server. ${INSTALL}` };
  const home = inCache("slapd");
  try {
    await unpack(["slapd", "ldap-utils"], home, "an LDAP server");
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    return { missing: `${error.message} ${INSTALL}` };
  }
  const libraries = [join(home, "usr/lib", multiarch), join(home, "lib", multiarch)].join(delimiter);
  const unpacked = await found(home, DAEMONS, libraries);
  return unpacked ? { env: unpacked } : { missing: `Debian's slapd in ${home} does not start here. ${INSTALL}` };
}

/** The environment for a server below `home`, where there is one that starts. */
async function found(home, daemons, libraries) {
  for (const folder of daemons) {
    const program = join(home, folder, "slapd");
    if (!existsSync(program)) continue;
    const env = libraries ? { ...process.env, LD_LIBRARY_PATH: libraries } : process.env;
    // `-VV` prints the version and ends, `-T test` needs a configuration; so the first is asked.
    if ((await ask(program, ["-VV"], { env })) === null) continue;
    const first = (folders, file) => folders.map((name) => join(home, name)).find((name) => existsSync(join(name, file)));
    const schemas = first(SCHEMAS, "inetorgperson.schema");
    if (!schemas) continue;
    return {
      ROLLCALL_SLAPD: program,
      ROLLCALL_SLAPD_MODULES: first(MODULES, "back_mdb.la") ?? first(MODULES, "back_mdb.so") ?? "",
      ROLLCALL_SLAPD_SCHEMAS: schemas,
      ROLLCALL_SLAPD_LIBRARIES: libraries,
    };
  }
  return undefined;
}
