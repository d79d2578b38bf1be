// Replays the conversations of tests/fixtures/idp; their format is described in the README there.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { inRoot } from "../../../scripts/setup/paths.mjs";
import { wellFormedToken } from "./scim_token.mjs";

const folder = inRoot("tests", "fixtures", "idp");
const PLACEHOLDERS = new Set(["any", "absent", "unordered"]);

/** All conversations, with their file's name. */
export function fixtures() {
  const names = readdirSync(folder).filter((name) => name.endsWith(".json")).sort();
  return names.map((name) => ({ name: name.replace(".json", ""), ...JSON.parse(readFileSync(`${folder}/${name}`, "utf8")) }));
}

/**
 * Replays a conversation with a tenant's SCIM endpoint and answers the steps that were not answered as expected, by number, with
 * the differences as text. A conversation goes on after a difference, because what follows tells how far it reaches.
 */
export async function replay(fixture, scim, profile) {
  const saved = new Map();
  const differing = new Map();
  for (const [index, step] of fixture.steps.entries()) {
    const expect = profile === "strict" && step.strict !== undefined ? step.strict : step.expect;
    if (expect === "skip") continue;
    const title = `step ${index + 1}: ${step.send.method} ${step.send.path}`;
    let send, wanted;
    try {
      send = fill(step.send, saved);
      wanted = fill(expect, saved);
    } catch (error) {
      differing.set(index + 1, `${title}\n    cannot be sent: ${error.message}`);
      continue;
    }
    const reply = await scim.request(send.method, send.path, request(send, scim.token));
    const found = compare(wanted, reply);
    if (found.length) {
      const sent = send.body ? [`sent ${JSON.stringify(send.body)}`] : [];
      differing.set(index + 1, [title, ...sent, ...found, `answered ${reply.status} ${reply.text}`].join("\n    "));
    }
    if (reply.status >= 400) continue;
    for (const [name, from] of Object.entries(step.save ?? {})) {
      const value = from.startsWith("header:") ? reply.headers[from.slice("header:".length)] : pointed(reply.body, from);
      if (value !== undefined) saved.set(name, value);
    }
  }
  return differing;
}

function request({ base, auth, headers = {}, body, raw }, token) {
  const lower = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  const credentials = { none: null, bare: token, bad: `Bearer ${wellFormedToken()}` };
  return { base, headers: lower, body, raw, ...(auth !== undefined && { auth: credentials[auth] }) };
}

/** Puts what was saved in the place of `{{name}}`, everywhere but in keys. */
function fill(value, saved) {
  if (typeof value === "string") {
    const whole = /^\{\{(\w+)\}\}$/.exec(value)?.[1];
    if (whole && saved.has(whole)) return saved.get(whole);
    return value.replace(/\{\{(\w+)\}\}/g, (text, name) => {
      if (PLACEHOLDERS.has(name)) return text;
      if (!saved.has(name)) throw new Error(`nothing was saved as ${name}`);
      return saved.get(name);
    });
  }
  if (Array.isArray(value)) return value.map((item) => fill(item, saved));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, fill(item, saved)]));
}

function compare(expect, reply) {
  const found = reply.status === expect.status ? [] : [`status: expected ${expect.status}, got ${reply.status}`];
  for (const [name, wanted] of Object.entries(expect.headers ?? {})) {
    const got = reply.headers[name];
    const holds = wanted === "{{absent}}" ? got === undefined : got !== undefined && differences(wanted, got, "").length === 0;
    if (!holds) found.push(`header ${name}: expected ${wanted}, got ${got}`);
  }
  if (expect.body === null) {
    if (reply.text !== "") found.push("body: expected none");
  } else if (expect.body !== undefined) {
    found.push(...differences(expect.body, reply.body, ""));
  }
  for (const pointer of expect.absent ?? []) {
    if (pointed(reply.body, pointer) !== undefined) found.push(`${pointer}: expected nothing, got ${JSON.stringify(pointed(reply.body, pointer))}`);
  }
  return found;
}

/** In what an answer lacks what is expected; it may hold more. */
function differences(expected, got, at) {
  const differs = () => [`${at || "/"}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(got)}`];
  if (expected === "{{any}}") return got === null || got === undefined ? differs() : [];
  const suffix = typeof expected === "string" && /^\{\{suffix:(.*)\}\}$/.exec(expected);
  if (suffix) return typeof got === "string" && got.endsWith(suffix[1]) ? [] : differs();
  if (Array.isArray(expected)) {
    if (!Array.isArray(got) || got.length !== expected.length) return differs();
    return expected.flatMap((item, index) => differences(item, got[index], `${at}/${index}`));
  }
  if (expected !== null && typeof expected === "object") {
    const unordered = expected["{{unordered}}"];
    if (unordered) return Array.isArray(got) && got.length === unordered.length && pairs(unordered, got) ? [] : differs();
    if (got === null || typeof got !== "object" || Array.isArray(got)) return differs();
    return Object.entries(expected).flatMap(([key, item]) => differences(item, got[key], `${at}/${key}`));
  }
  return got === expected ? [] : differs();
}

/** Whether every expected item can be given an item of its own. */
function pairs([first, ...others], got) {
  if (first === undefined) return true;
  return got.some((item, index) => differences(first, item, "").length === 0 && pairs(others, got.toSpliced(index, 1)));
}

function pointed(body, pointer) {
  assert.match(pointer, /^\//, `JSON pointer ${pointer}`);
  const keys = pointer.slice(1).split("/").map((key) => key.replaceAll("~1", "/").replaceAll("~0", "~"));
  return keys.reduce((value, key) => (value !== null && typeof value === "object" && Object.hasOwn(value, key) ? value[key] : undefined), body);
}
