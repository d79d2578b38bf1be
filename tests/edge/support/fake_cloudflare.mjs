// As much of Cloudflare's API as a deploy touches, in memory: lists, creations, SQL (noted, not run), queues, secrets, uploads. `migrations` has the names of those that each
// database got; the migration `refused` names, { database, migration }, fails.
import { createServer } from "node:http";

const ACCOUNT = "0123456789abcdef0123456789abcdef";

export class FakeCloudflare {
  constructor() {
    this.reset();
  }

  reset() {
    Object.assign(this, { databases: [], namespaces: [], queues: [], consumers: {}, secrets: {}, secretsFail: false, uploads: [], requests: [], migrations: {}, locations: {}, refused: undefined, manifest: {}, assets: {}, crons: {} });
  }

  async start() {
    this.server = createServer((request, reply) => this.#serve(request, reply));
    await new Promise((resolve) => this.server.listen(0, "127.0.0.1", resolve));
  }

  stop() {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(resolve));
  }

  environment() {
    const url = `http://127.0.0.1:${this.server.address().port}/client/v4`;
    return { CLOUDFLARE_API_BASE_URL: url, CLOUDFLARE_API_TOKEN: "token", CLOUDFLARE_ACCOUNT_ID: ACCOUNT };
  }

  async #serve(request, reply) {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const path = request.url.replace(/^\/client\/v4/, "").replace(`/accounts/${ACCOUNT}`, "");
    this.requests.push(`${request.method} ${path}`);
    const { status = 200, result = null, errors = [] } = await this.#answer(request, path.split("?")[0], Buffer.concat(chunks));
    reply.writeHead(status, { "content-type": "application/json" });
    const many = Array.isArray(result) && { result_info: { page: 1, per_page: 100, count: result.length, total_count: result.length, total_pages: 1 } };
    reply.end(JSON.stringify({ success: errors.length === 0, errors, messages: [], result, ...many }));
  }

  async #answer(request, path, body) {
    const query = new URL(request.url, "http://x").searchParams;
    const page = Number(query.get("page") ?? 1);
    // Of each worker the same.
    const [, script = ""] = path.match(/^\/workers\/(?:scripts|services)\/([\w-]+)/) ?? [];
    const secrets = this.secrets[script];
    switch (`${request.method} ${script ? path.replace(`/${script}`, "/…") : path}`) {
      case "GET /d1/database":
        return { result: page > 1 ? [] : this.databases };
      case "POST /d1/database": {
        const { name, jurisdiction = null, primary_location_hint: location } = JSON.parse(body);
        const database = { uuid: crypto.randomUUID(), name, version: "production", jurisdiction };
        this.databases.push(database);
        this.locations[name] = location;
        return { result: database };
      }
      case "GET /storage/kv/namespaces":
        return { result: page > 1 ? [] : this.namespaces };
      case "POST /storage/kv/namespaces": {
        const namespace = { id: crypto.randomUUID().replaceAll("-", ""), title: JSON.parse(body).title };
        this.namespaces.push(namespace);
        return { result: namespace };
      }
      case "GET /queues": {
        const names = query.getAll("name");
        const shown = this.queues.filter(({ queue_name }) => names.length === 0 || names.includes(queue_name));
        return { result: page > 1 ? [] : shown.map((queue) => this.#queue(queue)) };
      }
      case "POST /queues": {
        const queue = { queue_id: crypto.randomUUID().replaceAll("-", ""), queue_name: JSON.parse(body).queue_name };
        this.queues.push(queue);
        return { result: this.#queue(queue) };
      }
      case "GET /workers/scripts/…/secrets":
        if (this.secretsFail) return failure(500, 10013, "internal error");
        return secrets ? { result: secrets.map((name) => ({ name, type: "secret_text" })) } : notFound;
      case "POST /workers/scripts/…/assets-upload-session": {
        this.manifest = JSON.parse(body).manifest;
        const missing = Object.entries(this.manifest).filter(([path]) => !(path in this.assets)).map(([, { hash }]) => hash);
        return { result: { jwt: "assets", buckets: missing.length ? [missing] : [] } };
      }
      case "POST /workers/assets/upload":
        return this.#uploadAssets(request, body);
      case "PUT /workers/scripts/…":
      case "POST /workers/scripts/…/versions":
        return this.#upload(request, body, script);
      case "PUT /workers/scripts/…/schedules":
        this.crons[script] = JSON.parse(body).map(({ cron }) => cron);
        return { result: { schedules: this.crons[script].map((cron) => ({ cron })) } };
      case "POST /workers/scripts/…/deployments":
      case "PATCH /workers/scripts/…/script-settings":
        return { result: { id: "d" } };
      // The last version that went up is the one that runs.
      case "GET /workers/scripts/…/deployments":
        return secrets ? { result: { deployments: [{ id: "d", versions: [{ version_id: "v", percentage: 100 }] }] } } : notFound;
      case "GET /workers/scripts/…/versions/v":
        return { result: { id: "v", metadata: {}, resources: { bindings: this.uploads.findLast((upload) => upload.script === script)?.metadata.bindings ?? [] } } };
      case "GET /workers/subdomain":
        return { result: { subdomain: "example" } };
      case "GET /workers/scripts/…/subdomain":
      case "POST /workers/scripts/…/subdomain":
        return { result: { enabled: true, previews_enabled: false } };
      case "GET /workers/services/…":
        return secrets ? { result: { default_environment: { environment: "production", script: { last_deployed_from: "wrangler" } } } } : notFound;
    }
    const [, queueId] = path.match(/^\/queues\/(\w+)\/consumers(?:\/\w+)?$/) ?? [];
    if (queueId) {
      const { queue_name } = this.queues.find(({ queue_id }) => queue_id === queueId);
      this.consumers[queue_name] = JSON.parse(body);
      return { result: {} };
    }
    const [, databaseId, isQuery] = path.match(/^\/d1\/database\/([^/]+)(\/query)?$/) ?? [];
    const database = this.databases.find(({ uuid }) => uuid === databaseId);
    if (database && isQuery) return this.#query(database.name, body.toString());
    if (database && request.method === "GET") return { result: database };
    return notFound;
  }

  /** wrangler asks which migrations a database has, and sends each with a line that notes it. */
  #query(database, sql) {
    const applied = (this.migrations[database] ??= []);
    const [, migration] = sql.match(/insert into d1_migrations[^']*'([^']+)'/i) ?? [];
    if (migration && this.refused?.database === database && this.refused.migration === migration) return failure(400, 7500, "no such table: users");
    if (migration) applied.push(migration);
    const results = /select \*/i.test(sql) && /d1_migrations/.test(sql) && !migration ? applied.map((name, index) => ({ id: index + 1, name })) : [];
    return { result: [{ results, success: true, meta: { duration: 1 } }] };
  }

  async #uploadAssets(request, body) {
    for (const [hash, part] of await form(request, body)) {
      const [path] = Object.entries(this.manifest).find(([, file]) => file.hash === hash);
      this.assets[path] = Buffer.from(await text(part), "base64");
    }
    return { status: 201, result: { jwt: "assets" } };
  }

  #queue(queue) {
    const { script_name: service, ...consumer } = this.consumers[queue.queue_name] ?? {};
    const consumers = service ? [{ ...consumer, service, environment: "production", consumer_id: "c" }] : [];
    return { ...queue, producers: [], producers_total_count: 0, consumers, consumers_total_count: consumers.length };
  }

  async #upload(request, body, script) {
    const parts = await form(request, body);
    const metadata = JSON.parse(await text(parts.get("metadata")));
    const modules = {};
    for (const [name, part] of parts) if (name !== "metadata") modules[name.replace(/^\.\//, "")] = Buffer.from(await part.arrayBuffer());
    this.uploads.push({ script, metadata, modules });
    const sent = metadata.bindings.filter(({ type }) => type === "secret_text").map(({ name }) => name);
    this.secrets[script] = [...new Set([...(this.secrets[script] ?? []), ...sent])];
    return { result: { id: script, resources: { script: { etag: "e" } }, etag: "e", pipeline_hash: "h", mutable_pipeline_id: "m", deployment_id: "d", startup_time_ms: 5, available_on_subdomain: true } };
  }
}

const failure = (status, code, message) => ({ status, errors: [{ code, message }] });
const notFound = failure(404, 10007, "This Worker does not exist on your account.");
const form = (request, body) => new Response(body, { headers: { "content-type": request.headers["content-type"] } }).formData();
const text = async (part) => (typeof part === "string" ? part : part.text());
