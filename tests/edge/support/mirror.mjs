// examples/mirror-to-postgres as a child process, the databases that it fills, what is between it and Rollcall, and deliveries of webhooks.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHmac, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createRequire } from "node:module";
import { connect, createServer } from "node:net";
import { nodeModules } from "../../../scripts/setup/node_modules.mjs";
import { inRoot } from "../../../scripts/setup/paths.mjs";
import { eventually } from "./eventually.mjs";
import { freePort } from "./slapd.mjs";
import { adminToken } from "./world.mjs";

const example = inRoot("examples", "mirror-to-postgres");
const PATIENCE_MS = 30_000;

/** An address that stays while the runtime behind it ends and comes back on another port. `asked(text)` counts the requests that have a text in their first line. */
export async function startRelay() {
  const lines = [];
  const sockets = new Set();
  let target;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {}).on("close", () => sockets.delete(socket));
    if (!target) return socket.destroy();
    const behind = connect(target.port, target.hostname);
    behind.on("error", () => socket.destroy()).on("close", () => socket.destroy());
    socket.on("close", () => behind.destroy());
    // A request without a body comes in one piece.
    socket.on("data", (piece) => lines.push(piece.toString("latin1").split("\r\n")[0]));
    socket.pipe(behind).pipe(socket);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    async leadTo(world) {
      target = world && new URL(await world.mf.ready);
    },
    asked: (text) => lines.filter((line) => line.includes(text)).length,
    stop() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** The mirror's own client for PostgreSQL, with an empty database: { url, rows, stop }. */
export async function newDatabase(server) {
  await nodeModules(example);
  const { Client } = createRequire(`${example}/`)("pg");
  const name = `mirror_${randomBytes(6).toString("hex")}`;
  const first = new Client({ connectionString: server.url });
  await first.connect();
  await first.query(`create database ${name}`);
  await first.end();
  const url = server.url.replace("/postgres?", `/${name}?`);
  const client = new Client({ connectionString: url });
  await client.connect();
  const rows = async (sql, ...params) => (await client.query(sql, params)).rows;
  /** -1 where the mirror is not filled, or has made no tables yet. */
  const number = async () => {
    const [{ made }] = await rows("select to_regclass('mirror') is not null as made");
    return made ? Number((await rows("select seq from mirror"))[0]?.seq ?? -1) : -1;
  };
  return { url, rows, number, stop: () => client.end() };
}

/** The token that a mirror needs, and no more. */
export const readingToken = ({ id }, more = {}) => adminToken({ sub: "mirror", scope: "scim:read audit:read", tenant_id: id, ...more });

/** A mirror of a tenant. It can be killed and started again; what it ever said has none of its secrets in it. */
export class Mirror {
  output = "";
  secret = `whsec_${randomBytes(32).toString("base64")}`;

  constructor({ relay, database, tenant, env = {} }) {
    this.token = readingToken(tenant);
    this.settings = { ROLLCALL_URL: relay.url, ROLLCALL_TOKEN: this.token, TENANT_ID: tenant.id, DATABASE_URL: database.url, ...env };
  }

  /** With `webhooks`, it listens at `this.port`. */
  async start({ webhooks = false } = {}) {
    if (webhooks) this.port ??= await freePort();
    const more = webhooks ? { WEBHOOK_SECRET: this.secret, PORT: String(this.port) } : {};
    const child = spawn(process.execPath, ["mirror.mjs"], { cwd: example, env: { PATH: process.env.PATH, ...this.settings, ...more }, stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (text) => (this.output += text));
    this.ended = once(child, "close");
    this.child = child;
    process.once("exit", (this.end = () => child.kill("SIGKILL")));
    if (webhooks) await eventually(() => fetch(`http://127.0.0.1:${this.port}/`).catch(() => false), "the mirror listens", PATIENCE_MS);
  }

  async kill() {
    if (!this.child) return;
    process.removeListener("exit", this.end);
    const died = this.child.exitCode;
    this.child.kill("SIGKILL");
    await this.ended;
    this.child = undefined;
    assert.equal(died, null, `the mirror ended by itself: ${this.output}`);
    for (const secret of [this.token, this.secret, this.settings.DATABASE_URL]) assert.ok(!this.output.includes(secret), `a secret is in the log: ${this.output}`);
  }

  /** Sends a delivery as Rollcall does; the reply's status, or null where nobody answered. */
  async deliver(body, { secret = this.secret, at = Date.now(), tampered = (text) => text, headers } = {}) {
    const text = JSON.stringify(body);
    const id = (body.events ?? [body])[0].id;
    const timestamp = Math.floor(at / 1000);
    const signature = createHmac("sha256", Buffer.from(secret.slice("whsec_".length), "base64")).update(`${id}.${timestamp}.${text}`).digest("base64");
    return this.hand(tampered(text), { "webhook-id": id, "webhook-timestamp": String(timestamp), "webhook-signature": `v1,${signature}`, ...headers });
  }

  /** Hands on a delivery as it is. */
  async hand(body, headers) {
    const reply = await fetch(`http://127.0.0.1:${this.port}/hook`, { method: "POST", headers: { "content-type": "application/json", ...headers }, body }).catch(() => null);
    return reply?.status ?? null;
  }
}

/** Everything that the feed has after a number, and that number where it ends: [{ after, through, events }], one for each change. */
export async function deliveries(world, tenant, after = 0) {
  const all = [];
  for (let more = true; more; ) {
    const page = await world.request("GET", `/api/v1/tenants/${tenant.id}/events?after=${after}&limit=1000`, { auth: `Bearer ${readingToken(tenant)}` });
    assert.equal(page.status, 200, page.text);
    for (const event of page.body.data) {
      const last = all.at(-1);
      if (last?.through === event.seq) last.events.push(event);
      else all.push({ after: last?.through ?? after, through: event.seq, events: [event] });
    }
    [after, more] = [page.body.pagination.next, page.body.pagination.has_more];
  }
  return all.map((one) => ({ type: "events", tenant_id: tenant.id, ...one }));
}

/** Waits until the mirror has all changes, and compares its tables with SCIM's lists. */
export async function assertMirrors(world, scim, database, milliseconds = PATIENCE_MS) {
  const { audit_seq: last } = await world.row("select audit_seq from tenants where id = ?1", scim.id);
  await eventually(async () => (await database.number()) >= last, `change ${last}`, milliseconds).catch(async (error) => {
    throw new Error(`${error.message}; it has ${await database.number()}`);
  });
  const [users, groups] = [await listed(scim, "/Users", "meta,groups"), await listed(scim, "/Groups", "meta")];
  const byId = (one, other) => (one.id < other.id ? -1 : 1);
  assert.deepEqual(
    (await database.rows("select id, user_name, external_id, display_name, active, data from users")).sort(byId),
    users.map((data) => ({ id: data.id, user_name: data.userName, external_id: data.externalId ?? null, display_name: data.displayName ?? null, active: data.active, data })).sort(byId),
  );
  assert.deepEqual(
    (await database.rows("select id, display_name, external_id, data from groups")).sort(byId),
    groups.map(({ members, ...data }) => ({ id: data.id, display_name: data.displayName, external_id: data.externalId ?? null, data })).sort(byId),
  );
  const memberships = groups.flatMap(({ id, members = [] }) => members.map(({ value }) => `${id} ${value}`));
  assert.deepEqual((await database.rows("select group_id || ' ' || member_id as one from memberships")).map(({ one }) => one).sort(), memberships.sort());
  return { users: users.length, groups: groups.length, memberships: memberships.length };
}

async function listed(scim, path, excluded) {
  const all = [];
  for (let cursor = ""; cursor !== undefined; ) {
    const page = await scim.request("GET", `${path}?count=500&excludedAttributes=${excluded}&cursor=${encodeURIComponent(cursor)}`);
    assert.equal(page.status, 200, page.text);
    // A text of PostgreSQL has no U+0000.
    all.push(...(JSON.parse(page.text.replaceAll("\\u0000", "\\ufffd")).Resources ?? []));
    cursor = page.body.nextCursor;
  }
  return all;
}
