// A Chromium for the test of the documentation's page: one that the machine has, or Debian's, unpacked into the cache. Where neither can be
// had, that test is skipped and says why.
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { canUnpack, unpack } from "./debian_packages.mjs";
import { inCache } from "./paths.mjs";
import { ask, SetupError } from "./progress.mjs";

const CANDIDATES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"];
const INSTALL = "Debian: sudo apt install chromium   Fedora: sudo dnf install chromium   macOS: Google Chrome in /Applications";

/** { executable, env }: where it is and what it has to be told. { missing }: why there is none. */
export async function chromium() {
  const own = process.env.CHROMIUM_BIN;
  for (const command of own ? [own] : CANDIDATES) {
    // One that is there but cannot run (a stub that wants snap, say) says no version.
    if (/^(Chromium|Google Chrome) /.test((await ask(command, ["--version"])) ?? "")) {
      return { executable: command.includes("/") ? command : await ask("sh", ["-c", `command -v ${command}`]), env: process.env };
    }
  }
  if (own) return { missing: `CHROMIUM_BIN=${own} is no Chromium that runs` };
  if (!(await canUnpack())) return { missing: `there is no Chromium on this machine. ${INSTALL}` };
  const home = inCache("chromium");
  try {
    await unpack(["chromium", "fonts-dejavu-core"], home, "Chromium");
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    return { missing: `${error.message.split("\n")[0]} ${INSTALL}` };
  }
  const executable = join(home, "usr/lib/chromium/chromium");
  const env = { ...process.env, LD_LIBRARY_PATH: libraries(home).join(":"), FONTCONFIG_FILE: fonts(home) };
  const version = await ask(executable, ["--version"], { env });
  return version === null ? { missing: `Debian's chromium does not run here. ${INSTALL}` } : { executable, env };
}

function libraries(home) {
  const multiarch = process.arch === "arm64" ? "aarch64-linux-gnu" : "x86_64-linux-gnu";
  // The sound library looks for its other half where it would be if it were installed.
  return [`usr/lib/${multiarch}`, `usr/lib/${multiarch}/pulseaudio`, `lib/${multiarch}`].map((folder) => join(home, folder)).filter(existsSync);
}

/** The fonts that were unpacked; without any, a page has no text to see. */
function fonts(home) {
  const file = join(home, "fonts.conf");
  const dir = (path) => `<dir>${path}</dir>`;
  writeFileSync(file, `<?xml version="1.0"?><fontconfig>${dir(join(home, "usr/share/fonts"))}${dir("/usr/share/fonts")}<cachedir>${join(home, "fonts.cache")}</cachedir></fontconfig>\n`);
  return file;
}
