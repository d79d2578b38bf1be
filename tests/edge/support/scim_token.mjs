// SCIM tokens by their published form, made here without the service: `rcs_`, 43 base62 characters, and 6 of the CRC-32 of those.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { eventually } from "./eventually.mjs";
import { user } from "./resources.mjs";

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** A token with a right checksum that nobody has issued. */
export function wellFormedToken() {
  const text = `rcs_${base62(BigInt(`0x${randomBytes(32).toString("hex")}`), 43)}`;
  return text + checksum(text);
}

export const checksum = (text) => base62(BigInt(crc32(text)), 6);
export const hashOf = (token) => createHash("sha256").update(token).digest("hex");
export const cacheKey = (token) => `scim-token:${hashOf(token)}`;

/** A tenant with one user in it, and a token that has been used, so that KV has an entry for it. */
export async function tokenInUse(world, more = {}) {
  const tenant = await world.createTenant();
  const minted = await world.mintToken(tenant, more);
  const scim = world.scim(tenant, minted.token);
  const made = await scim.request("POST", "/Users", { body: user("there@example.com") });
  assert.equal(made.status, 201, made.text);
  const entry = await eventually(() => world.kv.get(cacheKey(minted.token)), "an entry in KV");
  return { tenant, minted, scim, id: made.body.id, entry };
}

function base62(number, length) {
  let digits = "";
  for (let rest = number; digits.length < length; rest /= 62n) digits = ALPHABET[Number(rest % 62n)] + digits;
  return digits;
}

/** CRC-32 as zip has it; `zlib.crc32` is not in every Node that is supported. */
function crc32(text) {
  let crc = 0xffffffff;
  for (const byte of Buffer.from(text)) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return (crc ^ 0xffffffff) >>> 0;
}
