// Puts together build-assets, the files that are uploaded beside the worker: src/assets/ as it stands, what the page of the documentation
// needs of Swagger UI, and the programs of the console and of the set-up page, bundled from src/console/, with the guides of docs/providers/ in it.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { esbuild } from "./setup/node_modules.mjs";
import { inRoot, root } from "./setup/paths.mjs";

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

/** What is bundled into the programs, each with the file of its licence, which goes along. */
const LIBRARIES = ["preact/LICENSE", "oauth4webapi/LICENSE.md", "openapi-fetch/LICENSE"];
const licence = (file) => `${file.split("/")[0]}\n\n${readFileSync(inRoot("node_modules", ...file.split("/")), "utf8")}`;
/** The programs of the pages: the console's, and that of the page that a set-up link opens. */
const PROGRAMS = [
  ["console.js", "main.tsx"],
  ["setup.js", "setup.tsx"],
];

/** Writes what differs and removes what is no longer wanted: a running `wrangler dev` reloads with every file that is written. */
export function assets() {
  const wanted = new Map(files(published).map((name) => [name, readFileSync(join(published, name))]));
  for (const [name, place] of Object.entries(VIEWER)) wanted.set(place, readFileSync(join(viewer, name)));
  wanted.set("console/LICENSES.txt", Buffer.from(LIBRARIES.map(licence).join("\n")));
  for (const [file, program] of PROGRAMS) wanted.set(`console/${file}`, bundled(program));
  for (const name of existsSync(folder) ? files(folder) : []) if (!wanted.has(name)) rmSync(join(folder, name));
  for (const [name, bytes] of wanted) {
    const place = join(folder, name);
    if (existsSync(place) && bytes.equals(readFileSync(place))) continue;
    mkdirSync(dirname(place), { recursive: true });
    writeFileSync(place, bytes);
  }
}

/** One file, minified. What it says of types is checked by `npm test -- types`. */
const bundled = (program) =>
  execFileSync(esbuild(), [inRoot("src", "console", program), "--bundle", "--minify", "--format=esm", "--target=es2022", "--jsx=automatic", "--jsx-import-source=preact", "--loader:.md=text", "--log-level=error"], {
    cwd: root,
    stdio: ["ignore", "pipe", "inherit"],
    maxBuffer: 1 << 24,
  });

const files = (of) =>
  readdirSync(of, { recursive: true })
    .filter((name) => statSync(join(of, name)).isFile())
    .map((name) => name.replaceAll("\\", "/"));
