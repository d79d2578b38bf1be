// HTTP over connections that stay open, to a server on loopback, timed from the request to the last byte of the reply.
import { Agent, request } from "node:http";

export class Client {
  constructor(url, connections) {
    this.url = new URL(url);
    this.agent = new Agent({ keepAlive: true, maxSockets: connections, noDelay: true });
  }

  /** `{ status, headers, text, ms }`. */
  send({ method, path, headers = {}, body }) {
    return new Promise((resolve, reject) => {
      const started = performance.now();
      const { hostname, port } = this.url;
      const payload = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
      const length = payload === undefined ? {} : { "content-length": Buffer.byteLength(payload) };
      const sent = request({ agent: this.agent, hostname, port, method, path, headers: { ...headers, ...length } }, (reply) => {
        const chunks = [];
        reply.on("data", (chunk) => chunks.push(chunk));
        reply.on("error", reject);
        reply.on("end", () => {
          const ms = performance.now() - started;
          resolve({ status: reply.statusCode, headers: reply.headers, ms, bytes: Buffer.concat(chunks) });
        });
      });
      sent.on("error", reject);
      sent.end(payload);
    });
  }

  close() {
    this.agent.destroy();
  }
}

/**
 * Sends `count` requests, each made by `next()`, over so many connections at once. Answers how long each took and how long all took, in
 * milliseconds. A reply whose status is not the expected one is an error: what failed says nothing about speed.
 */
export async function load(client, connections, count, next, onReply = () => {}) {
  const latencies = [];
  let left = count;
  const started = performance.now();
  const connection = async () => {
    while (left > 0) {
      left -= 1;
      const wanted = next();
      const reply = await client.send(wanted);
      if (reply.status !== wanted.status) throw new Error(`${wanted.method} ${wanted.path}: ${reply.status} instead of ${wanted.status}: ${reply.bytes.toString().slice(0, 300)}`);
      latencies.push(reply.ms);
      onReply(reply);
    }
  };
  await Promise.all(Array.from({ length: Math.min(connections, count) }, connection));
  return { latencies, ms: performance.now() - started };
}

/** The value below which that share of the values lies. */
export function percentile(values, share) {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
}
