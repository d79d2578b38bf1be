// Keeps the tables `users`, `groups` and `memberships` in step with one tenant of Rollcall. It fills them once, then takes every change: from
// webhooks where there is a WEBHOOK_SECRET, and from the feed, which has whatever did not come, or came in another order. README.md says how to run it.
import { once } from "node:events";
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { Webhook } from "standardwebhooks";
import { changes, pages } from "./rollcall.mjs";
import { Tables } from "./tables.mjs";

const { ROLLCALL_URL, ROLLCALL_TOKEN, ROLLCALL_TOKEN_COMMAND, TENANT_ID, DATABASE_URL, WEBHOOK_SECRET, PORT = "8080" } = process.env;
/** Seconds between two looks at the feed. With 0 the next begins at once, and is answered when something happens. */
const FEED_SECONDS = Number(process.env.FEED_SECONDS ?? (WEBHOOK_SECRET ? 60 : 0));
const WAIT_SECONDS = 25;
const LARGEST_BODY = 16 * 1024 * 1024;

if (!ROLLCALL_URL || !TENANT_ID || !DATABASE_URL || !(ROLLCALL_TOKEN || ROLLCALL_TOKEN_COMMAND)) {
  console.error("Wanted: ROLLCALL_URL, TENANT_ID, DATABASE_URL, and ROLLCALL_TOKEN or ROLLCALL_TOKEN_COMMAND. See README.md.");
  process.exit(1);
}

const tables = new Tables(DATABASE_URL, TENANT_ID);
try {
  const webhook = WEBHOOK_SECRET && new Webhook(WEBHOOK_SECRET);
  await tables.create();
  const number = await tables.number();
  if (number !== null) console.log(`goes on from change ${number}`);
  if (webhook) await listen(webhook);
} catch (error) {
  console.error(`This cannot begin: ${error.message}. See README.md, "Settings".`);
  process.exit(1);
}
await follow();

/** Follows the feed for good. It may be killed at any moment: rows and number are written together. */
async function follow() {
  for (let failures = 0; ; ) {
    try {
      if ((await tables.number()) === null) console.log(`filled, up to change ${await tables.fill(pages, changes)}`);
      await catchUp(FEED_SECONDS ? 0 : WAIT_SECONDS);
      failures = 0;
      if ((await tables.number()) !== null) await sleep(FEED_SECONDS * 1000);
    } catch (error) {
      failures += 1;
      console.error(`once more in a moment: ${error.message}`);
      await sleep(Math.min(30_000, 250 * 2 ** failures));
    }
  }
}

/** Takes all changes that the feed has after the mirror's number. */
async function catchUp(wait = 0) {
  for (let more = true; more; ) {
    const number = await tables.number();
    if (number === null) return;
    try {
      const page = await changes(number, wait);
      await tables.take(page);
      more = page.more;
    } catch (error) {
      // 410: changes after this number are kept no more. 422: there is no such number, an older state of the tenant was restored.
      if (error.status !== 410 && error.status !== 422) throw error;
      console.log(`the feed does not go on from change ${number} (${error.status}): all is read anew`);
      return tables.forget();
    }
  }
}

async function listen(webhook) {
  const server = createServer(async (request, response) => {
    const answer = (status) => response.writeHead(status).end();
    try {
      if (request.method !== "POST") return answer(405);
      const body = await text(request);
      if (body === undefined) return answer(413);
      let delivery;
      try {
        delivery = webhook.verify(body, request.headers);
      } catch {
        return answer(401); // forged, or older than five minutes
      }
      if (delivery.tenant_id !== TENANT_ID) return answer(400);
      await deliver(delivery);
      return answer(204);
    } catch (error) {
      console.error(`a delivery was not taken: ${error.message}`);
      return answer(503); // and comes again
    }
  });
  server.listen(Number(PORT));
  await once(server, "listening");
}

/** What continues where the mirror is, is taken as it is; where something is missing before it, the feed has that and this too. */
async function deliver({ after, through, ...delivery }) {
  if ((await tables.number()) === null) return; // being filled, with this in it
  const taken = await tables.take({ after, through, events: delivery.events ?? [delivery] });
  if (!taken) await catchUp();
}

async function text(request) {
  const chunks = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > LARGEST_BODY) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
