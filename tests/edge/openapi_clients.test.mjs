// Generators of clients, without any of their options, on the OpenAPI document: what each makes holds the document's own examples, and a small
// program that uses it compiles (tests/edge/clients/). The one for openapi-fetch is run too, against the workers. openapi-python-client is one of
// the judges (scripts/setup/judges.mjs); without Python it is skipped by name.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { judges, pythonEnv } from "../../scripts/setup/judges.mjs";
import { build } from "esbuild";
import { inRoot } from "../../scripts/setup/paths.mjs";
import { adminToken, startWorld } from "./support/world.mjs";

const TIMEOUT_MS = 120_000;
const source = inRoot("src", "assets", "openapi.json");
const document = JSON.parse(readFileSync(source, "utf8"));
const STRICT = { strict: true, noEmit: true, target: "es2022", lib: ["es2022", "dom", "dom.iterable"], module: "preserve", moduleResolution: "bundler", types: [] };

const { bin, missing } = await judges();
let folder;
// Below target/, so that the programs find node_modules.
before(() => {
  mkdirSync(inRoot("target"), { recursive: true });
  folder = mkdtempSync(inRoot("target", "openapi-clients-"));
  cpSync(inRoot("tests", "edge", "clients"), folder, { recursive: true });
});
after(() => rmSync(folder, { recursive: true, force: true }));

/** A tool's output; an error where it fails. */
function run(command, args, env = process.env) {
  return new Promise((resolve, reject) => {
    execFile(command, args, { cwd: folder, env, timeout: TIMEOUT_MS, maxBuffer: 1 << 24 }, (error, stdout, stderr) => {
      const output = stdout + stderr;
      if (error) reject(new Error(`${command} ${args.join(" ")}: ${error.message}\n${output}`));
      else resolve(output);
    });
  });
}

const node = (script, ...args) => run(process.execPath, [inRoot("node_modules", ...script.split("/")), ...args]);

/** Every example of a body: where it stands in the document, and its value. */
function examples() {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, operation]) => {
      const at = { path, method, id: operation.operationId };
      const shown = (content, more) => Object.entries(content ?? {}).filter(([, { example }]) => example !== undefined).map(([media, { example }]) => ({ ...at, media, example, ...more }));
      const replies = Object.entries(operation.responses).flatMap(([status, reply]) => shown(reply.content, { status }));
      return [...shown(operation.requestBody?.content, {}), ...replies];
    }),
  );
}

/** A program that gives each example the type that a generator made for it, and compiles where all of them hold. */
function compiles(name, imports, type) {
  const all = examples();
  assert.ok(all.length > 60, `${all.length} examples`);
  const lines = all.map((one, index) => `export const example${index}: ${type(one)} = ${JSON.stringify(one.example)};`);
  writeFileSync(join(folder, `${name}_examples.ts`), [imports, ...lines].join("\n"));
  const files = [`${name}.ts`, `${name}_examples.ts`];
  writeFileSync(join(folder, `${name}.json`), JSON.stringify({ compilerOptions: STRICT, files }));
  return node("typescript/bin/tsc", "-p", `${name}.json`);
}

describe("clients that are generated from the document", () => {
  test("openapi-typescript, with openapi-fetch", { timeout: TIMEOUT_MS }, async () => {
    await node("openapi-typescript/bin/cli.js", source, "-o", "openapi_typescript.d.ts");
    await compiles("openapi_fetch", `import type { paths } from "./openapi_typescript";`, ({ path, method, media, status }) => {
      const operation = `paths[${JSON.stringify(path)}][${JSON.stringify(method)}]`;
      const part = status ? `${operation}["responses"][${status}]` : `NonNullable<${operation}["requestBody"]>`;
      return `${part}["content"][${JSON.stringify(media)}]`;
    });
  });

  test("openapi-fetch, with the workers: routes of administrators, of SCIM, and events", { timeout: TIMEOUT_MS }, async () => {
    const outfile = join(folder, "openapi_fetch.mjs");
    await build({ entryPoints: [join(folder, "openapi_fetch.ts")], outfile, bundle: true, format: "esm", logLevel: "error" });
    const { provision } = await import(outfile);
    const world = await startWorld();
    try {
      const done = await provision(String(await world.mf.ready).replace(/\/$/, ""), adminToken());
      assert.deepEqual(done, {
        profile: "strict",
        enabled: false,
        active: false,
        bulk: ["201"],
        missing: 404,
        names: ["ada@example.com"],
        events: ["user.created true", "user.deactivated true", "group.created false", "group.member_added false"],
        has_more: false,
        deliveries: 0,
        kind: "webhook",
      });
    } finally {
      await world.stop();
    }
  });

  test("@hey-api/openapi-ts", { timeout: TIMEOUT_MS }, async () => {
    await node("@hey-api/openapi-ts/bin/run.js", "-i", source, "-o", "rollcall");
    await compiles("hey_api", `import type * as rollcall from "./rollcall";`, ({ id, status }) => {
      const name = id[0].toUpperCase() + id.slice(1);
      return status ? `rollcall.${name}Responses[${status}]` : `NonNullable<rollcall.${name}Data["body"]>`;
    });
  });

  test("openapi-python-client", { skip: missing && `not generated: ${missing}`, timeout: TIMEOUT_MS }, async (t) => {
    const env = pythonEnv();
    env.PATH = bin + delimiter + env.PATH;
    const output = await run(join(bin, "openapi-python-client"), ["generate", "--path", source, "--output-path", "python"], env);
    // It leaves out what it does not understand, and says so: lines of JSON alone.
    assert.deepEqual(output.match(/(?<=^WARNING parsing )\S+ \S+/gm)?.sort(), ["GET /api/v1/admin/tenants/{tenant_id}/export", "POST /api/v1/admin/tenants/{tenant_id}/import"], output);
    assert.deepEqual(output.match(/(?<=unsupported content.type )[^\s)]+/gi), ["application/x-ndjson", "application/x-ndjson"], output);
    assert.doesNotMatch(output, /error|unable/i);
    cpSync(join(folder, "python", "rollcall_client"), join(folder, "rollcall_client"), { recursive: true });
    const used = await run(join(bin, "python"), ["openapi_python_client.py", source], env);
    t.diagnostic(used.trim());
    assert.ok(Number.parseInt(used, 10) > 50, used);
  });
});
