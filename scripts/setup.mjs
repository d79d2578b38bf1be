// Everything that a fresh checkout needs before it can be built and run. Each part looks first and does nothing
// where there is nothing to do, so a second run takes a fraction of a second. Called by every other script; `node scripts/setup.mjs` runs it alone.
import { fileURLToPath } from "node:url";
import { localSecrets } from "./setup/local_secrets.mjs";
import { nodeModules } from "./setup/node_modules.mjs";
import { main, SetupError } from "./setup/progress.mjs";
import { wasmToolchain } from "./setup/toolchain.mjs";
import { buildTools } from "./setup/worker_build.mjs";

/** Answers what the wasm build needs to know: the toolchain and the paths of the tools. */
export async function setUp() {
  if (Number(process.versions.node.split(".")[0]) < 20) {
    throw new SetupError(`Node ${process.version} is too old: version 20 or newer is needed (https://nodejs.org).`);
  }
  // wrangler runs the build command from inside node_modules: not the moment to replace them.
  if (!process.env.WRANGLER_COMMAND) await nodeModules();
  localSecrets();
  const toolchain = await wasmToolchain();
  return { toolchain, ...(await buildTools()) };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(setUp);
