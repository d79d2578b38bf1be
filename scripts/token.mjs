// Prints an administrator's token for the local endpoint, and nothing else: TOKEN=$(npm run -s token). It is a JWT signed with the
// local secret in .dev.vars, good for 24 hours, and worth nothing to a deployed worker, which refuses that kind of key.
import { createHmac } from "node:crypto";
import { fileURLToPath } from "node:url";
import { localSecrets } from "./setup/local_secrets.mjs";
import { main } from "./setup/progress.mjs";

const DAY_SECONDS = 24 * 60 * 60;

export function adminToken() {
  const settings = localSecrets();
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: settings.JWT_ISSUER,
    aud: settings.JWT_AUDIENCE,
    sub: "local-admin",
    iat: now,
    exp: now + DAY_SECONDS,
    scope: "admin",
  };
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const signed = `${part({ alg: "HS256", typ: "JWT" })}.${part(claims)}`;
  return `${signed}.${createHmac("sha256", settings.JWT_LOCAL_SECRET).update(signed).digest("base64url")}`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(async () => console.log(adminToken()));
