// The SCIM conformance tools and the generator of clients of tests/judges/requirements.txt, in a Python environment of their own in the
// cache: nothing is installed on the system. Python is the one tool that the set-up does not bring along; without it the other tests run all
// the same.
import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { withLock } from "./lock.mjs";
import { inCache, inRoot } from "./paths.mjs";
import { ask, step } from "./progress.mjs";

const requirements = inRoot("tests", "judges", "requirements.txt");
const OLDEST = [3, 11];
const CANDIDATES = ["python3", "python3.14", "python3.13", "python3.12", "python3.11"];
const INSTALL = "Debian, Ubuntu: sudo apt install python3-venv   Fedora: sudo dnf install python3   macOS: brew install python";

/** { bin }: the folder with the tools, installed where it was not there. { missing }: what this machine lacks, and how to get it. */
export async function judges() {
  const python = await findPython();
  if (python.missing) return python;
  // One environment for each Python and each list of versions, made in place because environments cannot be moved.
  const hash = createHash("sha256").update(readFileSync(requirements)).update(python.about).digest("hex").slice(0, 16);
  const home = inCache("judges", hash);
  const complete = join(home, ".complete");
  const bin = join(home, "bin");
  if (existsSync(complete)) return { bin };
  await withLock(inCache("judges.lock"), "the conformance tools", async () => {
    if (existsSync(complete)) return;
    rmSync(home, { recursive: true, force: true });
    await step("Making a Python environment for the conformance tools", "usually 5 s", python.command, ["-I", "-m", "venv", home], {
      env: pythonEnv(),
      hint: `Python's own modules are incomplete. ${INSTALL}`,
    });
    const install = ["-I", "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", "--no-deps"];
    await step("Installing the conformance tools scim2-tester, scim-sanity, schemathesis and openapi-python-client", "usually 10 s to a minute", join(bin, "python"), [...install, "--only-binary", ":all:", "--require-hashes", "-r", requirements], {
      env: pythonEnv(),
      hint: "Python's package registry must be reachable: behind a proxy or a mirror, set HTTPS_PROXY or PIP_INDEX_URL.",
    });
    writeFileSync(complete, "");
  });
  return { bin };
}

/** The environment for Python programs: without what would let them find modules elsewhere, or install there. */
export function pythonEnv() {
  const env = { ...process.env, PIP_USER: "0", PYTHONDONTWRITEBYTECODE: "1" };
  for (const name of ["PYTHONPATH", "PYTHONHOME", "PIP_TARGET", "PIP_PREFIX", "VIRTUAL_ENV"]) delete env[name];
  return env;
}

/** { command, about } of the first Python that is new enough and can make environments; else { missing }. */
async function findPython() {
  const question = "import sys; print(*sys.version_info[:3], sys.executable)";
  let oldest;
  let incomplete;
  for (const command of CANDIDATES) {
    const about = await ask(command, ["-I", "-c", question]);
    if (about === null) continue;
    const [major, minor] = about.split(" ").map(Number);
    if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
      oldest ??= `${major}.${minor}`;
      continue;
    }
    if ((await ask(command, ["-I", "-c", "import venv, ensurepip"])) !== null) return { command, about };
    incomplete ??= command;
  }
  if (incomplete) return { missing: `${incomplete} has no venv module. ${INSTALL}` };
  const wanted = `Python ${OLDEST.join(".")} or newer`;
  return { missing: `${wanted} is needed${oldest ? `, python3 is ${oldest}` : ", there is no python3"}. ${INSTALL}` };
}
