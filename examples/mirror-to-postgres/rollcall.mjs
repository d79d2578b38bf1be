// What the mirror asks of Rollcall: lists of users and groups, each page with the number that it was read at, and the feed of changes.
import { exec } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";

const { ROLLCALL_URL, ROLLCALL_TOKEN, ROLLCALL_TOKEN_COMMAND, TENANT_ID } = process.env;
const TENANT = `${ROLLCALL_URL?.replace(/\/$/, "")}/api/v1/tenants/${TENANT_ID}`;
const TRIES = 6;
let token = ROLLCALL_TOKEN;

/** A reply that is neither success nor a reason to try again. */
export class Refused extends Error {
  constructor(status, path) {
    super(`Rollcall answers ${status} to ${path}`);
    this.status = status;
  }
}

/**
 * Changes after a number: { after, through, events }. `through` is the number up to which there are no others. With `wait`, where there are
 * none yet, the answer comes when there are, or after so many seconds.
 */
export async function changes(after, wait = 0) {
  const { body } = await get(`/events?after=${after}&limit=500&wait=${wait}`);
  return { after, through: body.pagination.next, events: body.data, more: body.pagination.has_more };
}

/** All pages of `/Users` or `/Groups`: { resources, seq }. `seq` is the number of the last change that the page has in it. */
export async function* pages(path, excluded) {
  for (let cursor = ""; cursor !== undefined; ) {
    const { body, headers } = await get(`/scim/v2${path}?count=500&excludedAttributes=${excluded}&cursor=${encodeURIComponent(cursor)}`);
    yield { resources: body.Resources ?? [], seq: Number(headers.get("x-event-seq")) };
    cursor = body.nextCursor;
  }
}

/** Tries again, with growing waits, where the network or the server has a bad moment; and once with a new token where ours has ended. */
async function get(path) {
  for (let attempt = 1; ; attempt += 1) {
    token ??= await newToken();
    const reply = await fetch(TENANT + path, { headers: { authorization: `Bearer ${token}` }, signal: AbortSignal.timeout(60_000) })
      .then(async (reply) => ({ status: reply.status, headers: reply.headers, body: reply.ok ? await reply.json() : await reply.text() }))
      .catch((error) => ({ error: new Error(`Rollcall does not answer: ${error.cause?.code ?? error.name}`) }));
    if (reply.status === 200) return reply;
    const again = reply.error || reply.status === 429 || reply.status >= 500 || (reply.status === 401 && ROLLCALL_TOKEN_COMMAND && attempt === 1);
    if (!again || attempt === TRIES) throw reply.error ?? new Refused(reply.status, path.split("?")[0]);
    if (reply.status === 401) token = undefined;
    else await sleep(Number(reply.headers?.get("retry-after")) * 1000 || 200 * 2 ** attempt);
  }
}

/** What the command prints. Of a command that fails only that is told: its text and its output may hold secrets. */
async function newToken() {
  const { stdout } = await promisify(exec)(ROLLCALL_TOKEN_COMMAND).catch((error) => {
    throw new Error(`ROLLCALL_TOKEN_COMMAND ends with ${error.code ?? error.signal}`);
  });
  return stdout.trim();
}
