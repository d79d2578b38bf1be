// A real LDAP server for a test: OpenLDAP's slapd on free ports of loopback, plain and with TLS, with a database of its own that is filled before it
// starts and gone when it stops. Where no server is to be had, `missing` says why, and what needs one is skipped by that reason.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { inRoot } from "../../../scripts/setup/paths.mjs";
import { slapd } from "../../../scripts/setup/slapd.mjs";

const fixtures = inRoot("tests", "fixtures", "ldap");
const { env: installation, missing: reason } = await slapd();

export const missing = reason;
export const BASE = "dc=example,dc=com";
/** As whom a directory is read; other accounts have passwords of the same form. */
export const READER = { bind_dn: `cn=reader,ou=services,${BASE}`, bind_password: "reader-password" };

/**
 * Starts a server with tests/fixtures/ldap/directory.ldif. `ldif` (a string, or strings that come one after the other) is added to it; `tls` is
 * a certificate of authority.mjs. Answers { port, tlsPort, stop }.
 */
export async function startSlapd({ ldif = "", tls } = {}) {
  const home = mkdtempSync(join(tmpdir(), "rollcall-slapd-"));
  try {
    mkdirSync(join(home, "database"));
    const config = join(home, "slapd.conf");
    writeFileSync(config, configuration(home, tls));
    await fill(config, ldif);
    const { child, port, tlsPort } = await serve(config, tls);
    const stop = async () => {
      child.kill();
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
      rmSync(home, { recursive: true, force: true });
    };
    return { port, tlsPort, stop };
  } catch (error) {
    rmSync(home, { recursive: true, force: true });
    throw error;
  }
}

function configuration(home, tls) {
  const words = {
    SCHEMAS: installation.ROLLCALL_SLAPD_SCHEMAS,
    FIXTURES: fixtures,
    MODULES: installation.ROLLCALL_SLAPD_MODULES && `modulepath ${installation.ROLLCALL_SLAPD_MODULES}\nmoduleload back_mdb`,
    HOME: home,
    GLOBAL: tls ? `TLSCertificateFile ${tls.certificate}\nTLSCertificateKeyFile ${tls.key}\nTLSCACertificateFile ${tls.authority}` : "",
    DATABASE: "",
  };
  return readFileSync(join(fixtures, "slapd.conf"), "utf8").replace(/@([A-Z]+)@/g, (_, word) => words[word]);
}

function start(args, options) {
  const libraries = installation.ROLLCALL_SLAPD_LIBRARIES;
  const env = libraries ? { ...process.env, LD_LIBRARY_PATH: libraries } : process.env;
  const child = spawn(installation.ROLLCALL_SLAPD, args, { env, ...options });
  child.said = "";
  child.stderr.setEncoding("utf8").on("data", (text) => (child.said += text));
  return child;
}

/** Fills the database that no server has open yet, which takes a fraction of the time. */
async function fill(config, ldif) {
  const child = start(["-Tadd", "-q", "-f", config], { stdio: ["pipe", "ignore", "pipe"] });
  const ended = once(child, "close");
  child.stdin.on("error", () => {}); // it ended early, and says why itself
  const parts = typeof ldif === "string" ? [ldif] : ldif;
  child.stdin.write(readFileSync(join(fixtures, "directory.ldif")));
  for (const part of parts) {
    if (!child.stdin.write(`\n${part}\n`)) await Promise.race([once(child.stdin, "drain"), ended]);
  }
  child.stdin.end();
  const [code] = await ended;
  if (code !== 0) throw new Error(`slapadd: ${child.said}`);
}

/** Starts on ports that were free a moment ago; where somebody else took one meanwhile, on others. */
async function serve(config, tls) {
  for (let attempt = 0; ; attempt += 1) {
    const [port, tlsPort] = [await freePort(), await freePort()];
    const urls = [`ldap://127.0.0.1:${port}`, ...(tls ? [`ldaps://127.0.0.1:${tlsPort}`] : [])];
    // With a debugging level, even none, it stays the child that we end.
    const child = start(["-d", "0", "-h", urls.join(" "), "-f", config], { stdio: ["ignore", "ignore", "pipe"] });
    const end = () => child.kill("SIGKILL");
    process.once("exit", end);
    child.once("exit", () => process.removeListener("exit", end));
    for (let waited = 0; waited < 5_000 && child.exitCode === null; waited += 20) {
      if (await answers(port)) return { child, port, tlsPort };
      await sleep(20);
    }
    end();
    if (attempt === 4) throw new Error(`slapd does not start: ${child.said}`);
  }
}

/** A port of loopback where nobody listens. */
export async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

function answers(port) {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}
