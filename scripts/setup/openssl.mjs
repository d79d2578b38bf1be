// worker-build's downloader links OpenSSL on Linux, so compiling it needs OpenSSL's headers, which a machine with Rust alone may
// not have. On Debian and Ubuntu they are unpacked into the cache and linked statically: nothing is installed on the system.
import { cpSync, existsSync } from "node:fs";
import { join } from "node:path";
import { canUnpack, unpack } from "./debian_packages.mjs";
import { inCache } from "./paths.mjs";
import { ask, SetupError } from "./progress.mjs";

/** The environment that `cargo install` needs besides the ordinary one. */
export async function opensslForBuild(crate) {
  if (crate !== "worker-build" || process.platform !== "linux") return {};
  if (process.env.OPENSSL_DIR || process.env.OPENSSL_LIB_DIR) return {};
  if ((await ask("pkg-config", ["--exists", "openssl"])) !== null) return {};
  if (!(await canUnpack())) {
    throw new SetupError(
      "OpenSSL's headers and pkg-config are needed once, to compile worker-build. Install them, then run the command again:\n" +
        "  Fedora: sudo dnf install openssl-devel pkgconf   Arch: sudo pacman -S openssl pkgconf   Alpine: sudo apk add openssl-dev pkgconf",
    );
  }
  const home = inCache("openssl");
  await unpack(["libssl-dev"], home, "OpenSSL's headers");
  const multiarch = process.arch === "arm64" ? "aarch64-linux-gnu" : "x86_64-linux-gnu";
  const special = join(home, "usr/include", multiarch, "openssl"); // two headers that differ by platform lie apart
  if (existsSync(special)) cpSync(special, join(home, "usr/include/openssl"), { recursive: true });
  return {
    OPENSSL_STATIC: "1",
    OPENSSL_NO_PKG_CONFIG: "1",
    OPENSSL_INCLUDE_DIR: join(home, "usr/include"),
    OPENSSL_LIB_DIR: join(home, "usr/lib", multiarch),
  };
}
