// `npm run dev`: set-up, build, local database, a running endpoint, and what to do with it. PORT chooses the port (8787 by default).
import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { build } from "./build.mjs";
import { setUp } from "./setup.mjs";
import { wrangler, wranglerEnv } from "./setup/node_modules.mjs";
import { root } from "./setup/paths.mjs";
import { endWithUs, main, say, SetupError, step } from "./setup/progress.mjs";
import { adminToken } from "./token.mjs";

const port = Number(process.env.PORT || 8787);
const url = `http://127.0.0.1:${port}`;
const READY_SECONDS = 60;

await main(async () => {
  if (!Number.isInteger(port) || port < 1 || port > 65535) throw new SetupError(`PORT=${process.env.PORT} is no port number.`);
  await portIsFree();
  await build(await setUp());
  await step("Migrating the local database", "a second or two", process.execPath, [wrangler(), "d1", "migrations", "apply", "DB", "--local"], {
    cwd: root,
    env: wranglerEnv(),
    hint: "The local database is under .wrangler/state. To start from an empty one: rm -rf .wrangler/state",
  });
  say("• Starting the endpoint");
  const server = spawn(process.execPath, [wrangler(), "dev", "--ip", "127.0.0.1", "--port", String(port), "--show-interactive-dev-session=false"], {
    cwd: root,
    env: { ...wranglerEnv(), ...(process.stdout.isTTY && { FORCE_COLOR: "1" }) },
    stdio: ["ignore", "pipe", "pipe"],
  });
  endWithUs(server);
  const show = holdBack(server);
  const ended = new Promise((resolve) => server.on("close", resolve));
  try {
    await Promise.race([
      healthy(),
      ended.then((code) => {
        throw new SetupError(`wrangler dev ended with code ${code} before the endpoint answered. What it said stands above.`);
      }),
    ]);
  } catch (error) {
    show({ held: true });
    server.kill("SIGTERM");
    throw error;
  }
  console.log(guide());
  show({ held: false });
  process.exitCode = (await ended) ?? 0;
});

/** Asked before the long steps, so that nobody waits for a build to hear of it. */
function portIsFree() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", ({ code }) => {
      const why = code === "EACCES" ? "may not be opened without more rights" : "is taken by another program (an endpoint that still runs, perhaps)";
      reject(new SetupError(`Port ${port} ${why}. Choose another one: PORT=${port < 1024 ? 8787 : port + 1} npm run dev`));
    });
    probe.listen(port, "127.0.0.1", () => probe.close(resolve));
  });
}

/** wrangler's words at the start are of interest only where it fails; from then on they are the log of requests. */
function holdBack(server) {
  let held = [];
  for (const stream of [server.stdout, server.stderr]) {
    stream.on("data", (chunk) => (held ? held.push(chunk) : process.stdout.write(chunk)));
  }
  return (what) => {
    if (what.held) for (const chunk of held) process.stdout.write(chunk);
    held = undefined;
  };
}

async function healthy() {
  const deadline = Date.now() + READY_SECONDS * 1000;
  let last = "no answer";
  while (Date.now() < deadline) {
    try {
      const reply = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(5_000) });
      if (reply.status === 200) return;
      last = `status ${reply.status}: ${(await reply.text()).slice(0, 200)}`;
    } catch (error) {
      last = error.cause?.code ?? error.message;
    }
    await sleep(200);
  }
  throw new SetupError(`${url}/healthz did not answer 200 within ${READY_SECONDS} s (${last}).`);
}

function guide() {
  return `
Rollcall runs at ${url}    Ctrl-C stops it.

An administrator's token, valid for 24 hours (npm run -s token prints a new one):

${adminToken()}

Paste these into another terminal, in this folder, one after the other:

# the token, and a tenant named Example
export URL=${url} ADMIN=$(npm run -s token)
export TENANT=$(curl -s $URL/api/v1/admin/tenants/ -H "Authorization: Bearer $ADMIN" -H "Content-Type: application/json" -d '{"name":"Example"}' | node -p 'JSON.parse(fs.readFileSync(0)).data.id'); echo "$TENANT"

# a SCIM token for that tenant: what an identity provider is given, together with $SCIM
export SCIM=$URL/api/v1/tenants/$TENANT/scim/v2
export TOKEN=$(curl -s $URL/api/v1/admin/scim-tokens/ -H "Authorization: Bearer $ADMIN" -H "Content-Type: application/json" -d "{\\"tenant_id\\":\\"$TENANT\\",\\"name\\":\\"first token\\"}" | node -p 'JSON.parse(fs.readFileSync(0)).data.token'); echo "$TOKEN"

# a user
curl -s $SCIM/Users -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/scim+json" -d '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","name":{"givenName":"Ada","familyName":"Lovelace"},"emails":[{"value":"ada@example.com","primary":true}],"active":true}'; echo

# all users
curl -s $SCIM/Users -H "Authorization: Bearer $TOKEN"; echo
`;
}
