// A cursor for any place in a list, sealed with the key that the world itself has: to walk there page by page would take a day. Its form is
// that of src/scim/cursor.rs and src/seal.rs.
import { createCipheriv, createHash, randomBytes } from "node:crypto";
import { settings } from "./world.mjs";

/** The cursor of a page of users that ended with the resource `id`, whose value of what is sorted by is `sortKey`. */
export function cursorAfter(tenant, { id, sortBy = "", sortKey = null, count, total }) {
  const value = JSON.stringify({ k: sortKey, i: id, t: total, c: count, m: Date.now() });
  const nonce = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", Buffer.from(settings.CURSOR_KEY, "base64"), nonce);
  cipher.setAAD(binding([tenant.id, "", "User", "", sortBy.toLowerCase(), "false"]));
  return Buffer.concat([nonce, cipher.update(value, "utf8"), cipher.final(), cipher.getAuthTag()]).toString("base64url");
}

/** What a cursor belongs to: tenant, provider (none), types, filter, order, and whether that is descending; lengths are 32 bits in wasm. */
function binding(parts) {
  const hash = createHash("sha256");
  for (const part of parts) {
    const bytes = Buffer.from(part);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    hash.update(length).update(bytes);
  }
  return hash.digest();
}
