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

/** How `openssl ca` issues: only it takes a time of validity that is over, in every version of OpenSSL. */
const CONFIGURATION = `[ca]
default_ca = tests
[tests]
database = index.txt
serial = serial
new_certs_dir = .
default_md = sha256
unique_subject = no
policy = any
[any]
commonName = supplied
`;

/** Why there is none, where there is none. */
export const missing = make();

function make() {
  try {
    writeFileSync(file("ca.conf"), CONFIGURATION);
    writeFileSync(file("index.txt"), "");
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

/**
 * { certificate, key, authority }: files with a certificate for these names ("DNS:localhost", "IP:127.0.0.1"), of the trusted authority or of a
 * stranger, which holds for two days, or did until 2021.
 */
export function certificate(names, { by = "authority", expired = false } = {}) {
  const name = `${by}-${expired ? "expired-" : ""}${names.join("-").replace(/[^a-z0-9]+/gi, "-")}`;
  writeFileSync(file(`${name}.ext`), `subjectAltName=${names.join(",")}\nextendedKeyUsage=serverAuth\n`);
  openssl("req", "-new", ...newKey, "-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", "/CN=a server");
  const validity = expired ? ["-startdate", "20200101000000Z", "-enddate", "20210101000000Z"] : ["-days", "2"];
  const issuer = ["-cert", `${by}.pem`, "-keyfile", `${by}.key`, "-create_serial", "-config", "ca.conf"];
  openssl("ca", "-batch", "-notext", ...issuer, ...validity, "-extfile", `${name}.ext`, "-in", `${name}.csr`, "-out", `${name}.pem`);
  return { certificate: file(`${name}.pem`), key: file(`${name}.key`), authority: file(`${by}.pem`) };
}
