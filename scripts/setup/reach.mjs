// Can a file be fetched, yes or no, in a few seconds: asked before handing over to a tool that would retry for minutes. Its first byte is
// asked for, because not every storage behind a redirect answers HEAD.
// curl goes first because it heeds the proxy settings that the tools heed too; Node's own fetch does not.
import { ask } from "./progress.mjs";

const SECONDS = 5;

export async function reachable(url) {
  if (await ask("curl", ["--version"])) {
    return (await ask("curl", ["-sfL", "-r", "0-0", "-o", process.platform === "win32" ? "NUL" : "/dev/null", "-m", String(SECONDS), url])) !== null;
  }
  try {
    const reply = await fetch(url, { headers: { range: "bytes=0-0" }, signal: AbortSignal.timeout(SECONDS * 1000) });
    return reply.ok;
  } catch {
    return false;
  }
}
