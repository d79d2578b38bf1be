// The OpenAPI document and the page that shows it, as a browser finds them: in workerd, with the files that a deploy uploads. The set-up looks
// for a Chromium (see scripts/setup/chromium.mjs); where there is none to be had, its test is skipped by name.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { chromium as engine } from "playwright-core";
import { chromium } from "../../scripts/setup/chromium.mjs";
import { inRoot } from "../../scripts/setup/paths.mjs";
import { startWorld } from "./support/world.mjs";

const document = JSON.parse(readFileSync(inRoot("src", "assets", "openapi.json"), "utf8"));
const operations = Object.entries(document.paths).flatMap(([path, methods]) => Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`));

const { missing, executable, env } = await chromium();
const skip = missing && `not looked at: ${missing}`;
let world;
before(async () => (world = await startWorld()));
after(() => world?.stop());

describe("the document", () => {
  test("is served as it lies in src/assets/, to everybody, and only once", async () => {
    const reply = await world.request("GET", "/openapi.json");
    assert.equal(reply.status, 200);
    assert.deepEqual(reply.body, document);
    const again = await world.request("GET", "/openapi.json", { headers: { "if-none-match": reply.headers.etag } });
    assert.equal(again.status, 304);
    const head = await world.request("HEAD", "/openapi.json/");
    assert.deepEqual([head.status, head.headers.etag], [200, reply.headers.etag]);
    assert.equal((await world.request("DELETE", "/openapi.json")).headers.allow, "GET");
  });
});

describe("its page", () => {
  test("consists of files that say what they are and may load nothing from elsewhere", async () => {
    for (const [path, type] of [
      ["/docs", "text/html"],
      ["/docs/", "text/html"],
      ["/docs/docs.js", "text/javascript"],
      ["/docs/docs.css", "text/css"],
      ["/docs/swagger-ui.css", "text/css"],
      ["/docs/swagger-ui-bundle.js", "text/javascript"],
      ["/docs/LICENSE.txt", "text/plain"],
    ]) {
      const reply = await world.request("GET", path);
      assert.equal(reply.status, 200, path);
      assert.equal(reply.headers["content-type"], `${type}; charset=utf-8`, path);
      assert.match(reply.headers["content-security-policy"], /^default-src 'none'; script-src 'self'; style-src 'self';/, path);
      assert.equal(reply.headers["x-content-type-options"], "nosniff", path);
    }
    for (const path of ["/docs/swagger-ui.js", "/docs/..%2fopenapi.json", "/docs/docs", "/index.html", "/docs/a/b.js"]) {
      assert.equal((await world.request("GET", path)).status, 404, path);
    }
  });

  test("shows every route in Chromium, and asks nobody else", { skip, timeout: 120_000 }, async (t) => {
    const origin = (await world.mf.ready).origin;
    const browser = await engine.launch({ executablePath: executable, env, args: ["--no-sandbox", "--disable-gpu"] });
    try {
      const page = await browser.newPage({ viewport: { width: 1280, height: 1600 } });
      const asked = [];
      const complaints = [];
      page.on("request", (request) => asked.push(request.url()));
      page.on("console", (message) => ["error", "warning"].includes(message.type()) && complaints.push(message.text()));
      page.on("pageerror", (error) => complaints.push(error.message));
      await page.goto(`${origin}/docs`);
      await page.locator(".opblock").nth(operations.length - 1).waitFor({ timeout: 60_000 });

      const shown = await page.locator(".opblock-summary").evaluateAll((blocks) =>
        blocks.map((block) => `${block.querySelector(".opblock-summary-method").textContent} ${block.querySelector(".opblock-summary-path").dataset.path}`),
      );
      assert.deepEqual(shown.sort(), [...operations].sort());
      // One of them opened: its parameters, its body and its replies come out of the document too.
      await page.locator("#operations-SCIM-createUser .opblock-summary-control").click();
      await page.locator("#operations-SCIM-createUser .responses-table").waitFor();
      assert.match(await page.locator("#operations-SCIM-createUser").innerText(), /ada@example\.com/);
      // Its errors are a line each, until one is opened.
      const errors = page.locator("#operations-SCIM-createUser .error-line");
      const failures = Object.keys(document.paths["/api/v1/tenants/{tenant_id}/scim/v2/Users"].post.responses).filter((status) => status >= "400");
      assert.equal(await errors.count(), failures.length);
      const whole = page.locator("#operations-SCIM-createUser tr.response[data-code]");
      assert.deepEqual(await whole.evaluateAll((rows) => rows.map((row) => row.dataset.code)), ["201"]);
      const conflict = errors.nth(failures.indexOf("409"));
      await conflict.click();
      assert.match(await page.locator('#operations-SCIM-createUser tr.response[data-code="409"]').innerText(), /messages:2\.0:Error/);
      await conflict.click();
      assert.equal(await whole.count(), 1);

      const screenshots = inRoot("target", "screenshots");
      mkdirSync(screenshots, { recursive: true });
      await page.screenshot({ path: `${screenshots}/docs.png` });
      await page.locator("#operations-SCIM-createUser").screenshot({ path: `${screenshots}/docs-operation.png` });

      assert.deepEqual(complaints, []);
      const strangers = asked.filter((url) => !url.startsWith("data:") && new URL(url).origin !== origin);
      assert.deepEqual(strangers, []);
      assert.ok(asked.includes(`${origin}/openapi.json`), asked.join("\n"));
      t.diagnostic(`${shown.length} routes shown; ${asked.filter((url) => url.startsWith("http")).length} requests, all to the worker; target/screenshots/docs.png`);
    } finally {
      await browser.close();
    }
  });
});
