// A certificate authority that lasts for one test file, and whose certificates the worker trusts. Miniflare reads NODE_EXTRA_CA_CERTS when it
// is loaded: import this before world.mjs.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const folder = mkdtempSync(join(tmpdir(), "rollcall-authority-"));
process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
const file = (name) => join(folder, name);
const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

/** Why there is none, where there is none. */
export const missing = make();

function make() {
  try {
    authority("authority");
    authority("stranger");
  } catch (error) {
    if (error.code === "ENOENT") return "there is no openssl to make certificates with; install it";
    throw error;
  }
  process.env.NODE_EXTRA_CA_CERTS = file("authority.pem");
}

function openssl(...args) {
  execFileSync("openssl", args, { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
}

function authority(name) {
  openssl("req", "-x509", ...newKey, "-keyout", `${name}.key`, "-out", `${name}.pem`, "-days", "2", "-subj", `/CN=Rollcall's tests, ${name}`, "-addext", "keyUsage=critical,keyCertSign");
}

/** { certificate, key, authority }: files with a certificate for these names ("DNS:localhost", "IP:127.0.0.1"), of the trusted authority or of a stranger. */
export function certificate(names, { by = "authority" } = {}) {
  const name = `${by}-${names.join("-").replace(/[^a-z0-9]+/gi, "-")}`;
  writeFileSync(file(`${name}.ext`), `subjectAltName=${names.join(",")}\nextendedKeyUsage=serverAuth\n`);
  openssl("req", "-new", ...newKey, "-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", "/CN=a server");
  openssl("x509", "-req", "-in", `${name}.csr`, "-CA", `${by}.pem`, "-CAkey", `${by}.key`, "-CAcreateserial", "-days", "2", "-extfile", `${name}.ext`, "-out", `${name}.pem`);
  return { certificate: file(`${name}.pem`), key: file(`${name}.key`), authority: file(`${by}.pem`) };
}
