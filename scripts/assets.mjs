// Puts together build-assets, the files that are uploaded beside the worker: src/assets/ as it stands, and what the page of the documentation
// needs of Swagger UI.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { inRoot } from "./setup/paths.mjs";

const published = inRoot("src", "assets");
const folder = inRoot("build-assets");
const viewer = inRoot("node_modules", "swagger-ui-dist");
/** Where each file of the viewer goes. Its licences go along. */
const VIEWER = {
  "swagger-ui.css": "docs/swagger-ui.css",
  "swagger-ui-bundle.js": "docs/swagger-ui-bundle.js",
  "swagger-ui-bundle.js.LICENSE.txt": "docs/swagger-ui-bundle.js.LICENSE.txt",
  LICENSE: "docs/LICENSE.txt",
  NOTICE: "docs/NOTICE.txt",
};

/** Writes what differs and removes what is no longer wanted: a running `wrangler dev` reloads with every file that is written. */
export function assets() {
  const wanted = new Map(files(published).map((name) => [name, join(published, name)]));
  for (const [name, place] of Object.entries(VIEWER)) wanted.set(place, join(viewer, name));
  for (const name of existsSync(folder) ? files(folder) : []) if (!wanted.has(name)) rmSync(join(folder, name));
  for (const [name, source] of wanted) {
    const place = join(folder, name);
    const bytes = readFileSync(source);
    if (existsSync(place) && bytes.equals(readFileSync(place))) continue;
    mkdirSync(dirname(place), { recursive: true });
    writeFileSync(place, bytes);
  }
}

const files = (of) =>
  readdirSync(of, { recursive: true })
    .filter((name) => statSync(join(of, name)).isFile())
    .map((name) => name.replaceAll("\\", "/"));
