// What holds for every reply, whatever was asked. A test that reads a reply has checked all of this without saying so.
import assert from "node:assert/strict";

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const SCIM_ERROR = "urn:ietf:params:scim:api:messages:2.0:Error";
const SCIM_TYPES = [
  ...["invalidFilter", "tooMany", "uniqueness", "mutability", "invalidSyntax", "invalidPath", "noTarget", "invalidValue"],
  ...["invalidVers", "sensitive", "invalidCursor", "expiredCursor", "invalidCount"],
];

/** Headers that the worker means to send; the last two lines are the connection's and Miniflare's own. */
const HEADERS = new Set([
  ...["content-type", "cache-control", "etag", "location", "x-request-id", "x-dry-run", "x-event-seq", "server-timing", "www-authenticate", "allow", "retry-after", "accept-encoding", "strict-transport-security", "link", "set-txn", "preference-applied"],
  ...["content-length", "transfer-encoding", "connection", "keep-alive", "date"],
  "mf-content-encoding",
]);

/** What the files of the documentation have besides, and what they are. */
const FILE_HEADERS = ["content-security-policy", "cross-origin-opener-policy", "referrer-policy", "x-content-type-options"];
const isFile = (path) => /^\/(docs|console|setup|openapi\.json|\.well-known)(\/|\?|$)/.test(path);

export const isScim = (path) => /^(\/scim\/v2|\/api\/v1\/tenants\/[^/]*\/scim\/v2)(\/|\?|$)/.test(path);

/** Reads a reply and checks it. `cost` is what the database counted for it. */
export async function readReply(response, method, path, sent = {}) {
  const text = await response.text();
  const headers = Object.fromEntries(response.headers);
  const { status } = response;
  const at = `${method} ${path}: ${status} ${text.slice(0, 300)}`;
  const reply = { status, headers, text, body: null, cost: cost(status, headers["server-timing"], at) };

  assert.match(headers["x-request-id"] ?? "", UUID_V7, `X-Request-Id of ${at}`);
  const strangers = Object.keys(headers).filter((name) => !HEADERS.has(name) && !(isFile(path) && FILE_HEADERS.includes(name)));
  assert.deepEqual(strangers, [], `headers that nobody meant to send: ${at}`);
  if (status === 401) assert.match(headers["www-authenticate"] ?? "", /^Bearer/, at);
  if (status === 405) assert.match(headers.allow ?? "", /^[A-Z]+(, [A-Z]+)*$/, at);
  if (status === 503) assert.match(headers["retry-after"] ?? "", /^\d+$/, at);
  if ("link" in headers) assert.match(headers.link, /^<\?([^<>]*&)?cursor=>; rel="alternate"$/, `Link of ${at}`);
  if ("x-event-seq" in headers) assert.ok(isScim(path) && /^\d+$/.test(headers["x-event-seq"]), `X-Event-Seq of ${at}`);
  if (status === 201 && isScim(path)) for (const name of ["location", "etag"]) assert.ok(headers[name], `${name} of ${at}`);

  // A request that is only accepted (RFC 9967 §2.5.1.1).
  const isAccepted = status === 202 && "set-txn" in headers;
  if (isAccepted) for (const name of ["location", "retry-after", "preference-applied"]) assert.ok(headers[name], `${name} of ${at}`);
  if (method === "HEAD" || status === 204 || status === 304 || isAccepted) {
    assert.equal(text, "", `a body where there must be none: ${at}`);
    return reply;
  }
  if (isFile(path) && status === 200 && headers["content-type"].startsWith("text/")) return reply;
  assert.equal(headers["content-type"], isScim(path) ? "application/scim+json" : "application/json", `content type of ${at}`);
  try {
    reply.body = JSON.parse(text);
  } catch {
    assert.fail(`no JSON: ${at}`);
  }
  // What came of an accepted request is an operation of a Bulk response, which has no schemas.
  if (isScim(path) && status < 400 && path.includes("/AsyncRequests/")) return reply;
  if (isScim(path)) checkScim(reply, at);
  else checkAdmin(reply, at, sent);
  return reply;
}

function checkScim({ status, body }, at) {
  assert.ok(Array.isArray(body.schemas) && body.schemas.length, `schemas of ${at}`);
  if (status < 400) return assert.ok(!body.schemas.includes(SCIM_ERROR), at);
  assert.deepEqual(body.schemas, [SCIM_ERROR], at);
  assert.equal(body.status, String(status), at);
  assert.notEqual(status, 422, `SCIM knows no 422: ${at}`);
  assert.ok(typeof body.detail === "string" && body.detail, at);
  if ("scimType" in body) assert.ok(SCIM_TYPES.includes(body.scimType), at);
}

function checkAdmin({ status, headers, body }, at, sent) {
  if (status === 422) {
    assert.ok(Array.isArray(body.detail) && body.detail.length, at);
    for (const field of body.detail) assert.deepEqual(Object.keys(field), ["loc", "msg", "type"], at);
  } else if (status >= 400) {
    assert.deepEqual(Object.keys(body), ["detail"], at);
    assert.equal(typeof body.detail, "string", at);
  } else if ("data" in body) {
    // With a key it may be the reply to a request before.
    if ("idempotency-key" in sent) assert.match(body.meta.request_id, UUID_V7, at);
    else assert.equal(body.meta.request_id, headers["x-request-id"], at);
    assert.match(body.meta.timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/, at);
  }
}

function cost(status, header, at) {
  if ((status === 500 || status === 414) && header === undefined) return null; // it ended before anything could be counted
  const found = /^d1;desc="trips=(\d+) statements=(\d+) read=(\d+) written=(\d+)"$/.exec(header ?? "");
  assert.ok(found, `Server-Timing is ${header}: ${at}`);
  const [trips, statements, read, written] = found.slice(1).map(Number);
  return { trips, statements, read, written };
}
