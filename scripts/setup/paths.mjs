// Where things lie, and which versions are wanted. Nothing else in scripts/ knows a path or a version number: versions of
// build tools follow from Cargo.lock, versions of npm packages from package-lock.json.
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../../", import.meta.url)).replace(/[/\\]$/, "");
export const inRoot = (...parts) => join(root, ...parts);

/** Tools that every checkout of this user shares. Safe to delete: the next run fills it again. */
export const cache =
  process.env.ROLLCALL_CACHE || join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "rollcall");
export const inCache = (...parts) => join(cache, ...parts);

/** The wasm build has a target directory of its own: another compiler, and no waiting for the lock that native tests hold. */
export const wasmTarget = join(process.env.CARGO_TARGET_DIR || inRoot("target"), "wasm");
export const exe = process.platform === "win32" ? ".exe" : "";

/** The version that Cargo.lock has for a crate. */
export function lockedVersion(crate) {
  const lock = readFileSync(inRoot("Cargo.lock"), "utf8");
  const found = lock.match(new RegExp(`name = "${crate}"\\r?\\nversion = "([^"]+)"`));
  if (!found) throw new Error(`Cargo.lock has no ${crate}. Run: cargo generate-lockfile`);
  return found[1];
}
