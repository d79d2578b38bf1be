// The workers as they are deployed (build/ and build-jobs/, byte for byte) in workerd, with a real local D1, KV and queue: one world for each test
// file.
// Every reply that a test sees has passed the checks of reply.mjs.
import { createHmac, randomBytes, randomUUID } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import http from "node:http";
import { Log, LogLevel, Miniflare } from "miniflare";
import { bindingOf, databaseNameOf, readDatabases } from "../../../scripts/deploy/databases.mjs";
import { inRoot } from "../../../scripts/setup/paths.mjs";
import { readReply } from "./reply.mjs";

// Miniflare's queue tells its log of each message, over a connection that Node closes after five seconds of silence; where the two meet, the
// line is lost, and the queue stands still for good.
const { createServer } = http;
http.createServer = (...given) => Object.assign(createServer(...given), { keepAliveTimeout: 0 });

/** Host of the requests: nothing resolves it, the runtime is handed the request directly. */
export const ORIGIN = "https://rollcall.test";
export const ADMIN = "/api/v1/admin";
const SECRET = "a-local-secret-of-the-test-suites-0123456789";
export const settings = { JWT_ISSUER: "https://login.example.com", JWT_AUDIENCE: "rollcall", JWT_LOCAL_SECRET: SECRET, CURSOR_KEY: randomBytes(32).toString("base64"), ENCRYPTION_KEY: randomBytes(32).toString("base64"), SERVER_TIMING: "on" };

/** The name of the jobs worker, of its queue, and of the queue of messages that were given up. */
export const JOBS = "rollcall-jobs";
export const DELIVERIES = "rollcall-deliveries";
export const DEAD = "rollcall-jobs-dead";

/** The first worker for Miniflare, alone; `more` adds bindings. */
export function deployedWorker(more = {}) {
  return {
    ...built("build"),
    assets: {
      directory: inRoot("build-assets"),
      binding: "ASSETS",
      routerConfig: { invoke_user_worker_ahead_of_assets: true, has_user_worker: true },
      assetConfig: { html_handling: "none", not_found_handling: "none" },
    },
    ...more,
  };
}

/**
 * Both workers, for startWorld: `more` adds bindings to each. The consumers are those of wrangler.jobs.toml, but that a message which fails is tried
 * `retries` times more.
 */
export function bothWorkers(more = {}, { retries = 10 } = {}) {
  const producer = { queueProducers: { JOBS: { queueName: JOBS }, DELIVERIES: { queueName: DELIVERIES } } };
  const consumer = { maxBatchSize: 1, maxBatchTimeout: 0 };
  return [
    deployedWorker({ serviceBindings: { JOBS_WORKER: JOBS }, ...producer, ...more }),
    { name: JOBS, ...built("build-jobs"), ...producer, queueConsumers: { [JOBS]: { ...consumer, maxRetries: retries, deadLetterQueue: DEAD }, [DELIVERIES]: { ...consumer, maxBatchSize: 10, maxRetries: retries, deadLetterQueue: DEAD }, [DEAD]: consumer }, ...more },
  ];
}

function built(folder) {
  return {
    rootPath: inRoot(folder),
    modulesRoot: inRoot(folder),
    scriptPath: "index.js",
    modules: true,
    modulesRules: [
      { type: "CompiledWasm", include: ["**/*.wasm"], fallthrough: true },
      { type: "ESModule", include: ["**/*.js"], fallthrough: true },
    ],
    compatibilityDate: readFileSync(inRoot("wrangler.toml"), "utf8").match(/^compatibility_date = "(.+)"$/m)[1],
    compatibilityFlags: ["global_fetch_strictly_public", ...(folder === "build-jobs" ? ["queue_consumer_no_wait_for_wait_until"] : [])],
    bindings: settings,
    kvNamespaces: ["TOKENS"],
  };
}

/** Workers that are bound to more databases than DB: `databases` is Map of name → place. Those that have no database themselves (a stand-in, a receiver) stay as they are. */
function withDatabases(workers, databases) {
  if (databases.size === 0) return workers;
  const bound = Object.fromEntries([...databases.keys()].map((name) => [bindingOf(name), databaseNameOf(name, "rollcall")]));
  const told = [...databases].map(([name, { kind, value }]) => `${name}:${kind}=${value}`).join(" ");
  return workers.map((worker) => {
    if (worker.bindings?.JWT_ISSUER === undefined) return worker;
    const own = Array.isArray(worker.d1Databases) ? Object.fromEntries(worker.d1Databases.map((name) => [name, name])) : worker.d1Databases;
    return { ...worker, d1Databases: { ...own, ...bound }, bindings: { ...worker.bindings, DATABASES: told } };
  });
}

/**
 * Starts both workers on an empty, migrated database, or on the one in the folder `persist`. Give it `workers` where they are to be others;
 * the first is the one that answers. `databases`, as `["eu:jurisdiction=eu", "apac:location=apac"]`, are databases beside the first: both workers
 * are bound to them and told of them as a deploy does it, they are migrated, and `world.rowsIn("eu", …)` reads them. With `inspector`, V8's inspector
 * listens, on a free port.
 */
export async function startWorld({ workers: asked = bothWorkers({ d1Databases: ["DB"] }), database = ["DB"], databases = [], persist, inspector = false } = {}) {
  const more = readDatabases(databases);
  const workers = withDatabases(asked, more);
  const world = new World();
  world.mf = new Miniflare({
    cf: false,
    d1Persist: persist,
    inspectorPort: inspector ? 0 : undefined,
    log: new Log(LogLevel.NONE),
    handleRuntimeStdio: (...streams) => streams.forEach((stream) => stream.on("data", (chunk) => (world.output += chunk))),
    workers: workers.map((worker, index) => ({ name: `worker-${index}`, ...worker })),
  });
  try {
    await world.mf.ready;
    world.db = await world.mf.getD1Database(...database);
    world.kv = await world.mf.getKVNamespace("TOKENS", "worker-0");
    world.databases = { main: world.db };
    for (const name of more.keys()) world.databases[name] = await world.mf.getD1Database(bindingOf(name), "worker-0");
    for (const db of Object.values(world.databases)) await migrate(db);
  } catch (error) {
    await world.stop();
    throw error;
  }
  return world;
}

async function migrate(db) {
  const migrated = await db.prepare("select 1 from sqlite_master where name = 'tenants'").first();
  for (const statement of migrated ? [] : migrations()) await db.prepare(statement).run();
}

class World {
  /** What the workers wrote to their log. */
  output = "";

  stop() {
    return this.mf.dispose();
  }

  /** Sends a message, as any sender might. */
  async sendMessage(text) {
    const queue = await this.mf.getQueueProducer("JOBS", "worker-0");
    await queue.send(text, { contentType: "text" });
  }

  /** A tick of the clock. */
  async tick() {
    const worker = await this.mf.getWorker(JOBS);
    const { outcome } = await worker.scheduled({ cron: "*/5 * * * *" });
    return outcome;
  }

  /** The lines of the log that hold a text, each as the object that it is. */
  logged(text) {
    const lines = this.output.split("\n").filter((line) => line.includes(text) && line.trimStart().startsWith("{"));
    return lines.map((line) => JSON.parse(line));
  }

  /** One request by its whole path. `body` is sent as JSON, `raw` as it stands. */
  async request(method, path, { auth, headers = {}, body, raw, contentType } = {}) {
    const sent = { ...headers };
    if (auth) sent.authorization = auth;
    const payload = raw ?? (body === undefined ? undefined : JSON.stringify(body));
    if (payload !== undefined && !("content-type" in sent)) sent["content-type"] = contentType ?? "application/json";
    const reply = await this.mf.dispatchFetch(ORIGIN + path, { method, headers: sent, body: payload, redirect: "manual" });
    return readReply(reply, method, path, sent);
  }

  /** A request of an administrator of the platform, or of whoever `claims` make of him. */
  admin(method, path, body, claims = {}) {
    return this.request(method, ADMIN + path, { auth: `Bearer ${adminToken(claims)}`, body });
  }

  async createTenant({ profile = "compat", ...more } = {}) {
    const reply = await this.admin("POST", "/tenants/", { name: `Tenant ${randomUUID()}`, scim_profile: profile, ...more });
    if (reply.status !== 201) throw new Error(`POST /tenants/: ${reply.status} ${reply.text}`);
    return reply.body.data;
  }

  /** A SCIM token: what the administrator sees of it, and its text as `token`. */
  async mintToken(tenant, more = {}) {
    const reply = await this.admin("POST", "/scim-tokens/", { tenant_id: tenant.id, name: "a token", ...more });
    if (reply.status !== 201) throw new Error(`POST /scim-tokens/: ${reply.status} ${reply.text}`);
    return reply.body.data;
  }

  /** A new tenant with a token of all scopes, and requests on its base. */
  async tenant(options) {
    const tenant = await this.createTenant(options);
    return this.scim(tenant, (await this.mintToken(tenant)).token);
  }

  scim(tenant, token) {
    const base = `/api/v1/tenants/${tenant.id}/scim/v2`;
    return {
      ...tenant,
      base,
      token,
      request: (method, path, { base: which, ...options } = {}) =>
        this.request(method, (which === "token" ? "/scim/v2" : base) + path, {
          auth: `Bearer ${token}`,
          contentType: "application/scim+json",
          ...options,
        }),
    };
  }

  /** All rows of a query on the database itself, the first one. */
  rows(sql, ...params) {
    return this.rowsIn("main", sql, ...params);
  }

  /** The same on the database of that name. */
  async rowsIn(name, sql, ...params) {
    return (await this.databases[name].prepare(sql).bind(...params).all()).results;
  }

  async row(sql, ...params) {
    return (await this.rows(sql, ...params))[0];
  }
}

/** A JWT as an administrator's login would issue it, signed with the local secret unless told otherwise. */
export function adminToken({ secret = SECRET, header = {}, ...claims } = {}) {
  const now = Math.floor(Date.now() / 1000);
  const all = { iss: settings.JWT_ISSUER, aud: settings.JWT_AUDIENCE, sub: "tester", iat: now, exp: now + 600, scope: "admin", ...claims };
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const signed = `${part({ alg: "HS256", typ: "JWT", ...header })}.${part(all)}`;
  return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
}

/** Statements of all migrations, one by one: D1 takes no more at once. A `;` ends one, except inside a trigger's body. */
export function migrations() {
  const folder = inRoot("migrations");
  const statements = [];
  for (const name of readdirSync(folder).filter((name) => name.endsWith(".sql")).sort()) {
    const text = readFileSync(`${folder}/${name}`, "utf8").replace(/^\s*--.*$/gm, "");
    let statement = "";
    for (const piece of text.split(/(?<=;)/)) {
      statement += piece;
      if (/^\s*create\s+(temp\s+)?trigger\b/i.test(statement) && !/\bend\s*;$/i.test(statement)) continue;
      if (statement.trim()) statements.push(statement.trim());
      statement = "";
    }
  }
  return statements;
}
