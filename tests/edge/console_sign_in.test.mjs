// Signing in to the console, in headless Chromium: with the issuer, by Cloudflare Access, with the link of `npm run dev`, and again where a session has ended.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { button, carefulPage, launch, missing, open, startConsole } from "./support/console_world.mjs";
import { letThrough, startAccess } from "./support/cloudflare_access.mjs";
import { signInAt, startIssuer } from "./support/issuer.mjs";
import { adminToken } from "./support/world.mjs";

const skip = missing && `not looked at: ${missing}`;
const TIMEOUT = 120_000;
let world, browser;

before(async () => {
  if (missing) return;
  world = await startConsole();
  browser = await launch();
  await world.createTenant({ id: "acme", name: "Acme" });
});
after(async () => {
  await browser?.close();
  await world?.stop();
});

const newPage = (t, options) => carefulPage(t, browser, world, options);

describe("signing in to the console", { skip }, () => {
  test("a session that ends leaves the page as it is, and a new sign-in goes on with it", { timeout: TIMEOUT }, async (t) => {
    const page = await newPage(t);
    await open(page, world, "#/tenants", { exp: Math.floor(Date.now() / 1000) + 3 });
    await button(page, "New tenant").click();
    await page.getByRole("dialog").getByLabel("Name").fill("Gamma");
    const again = page.getByRole("dialog", { name: "Your sign-in has ended" });
    await again.waitFor({ timeout: 10_000 });
    await page.keyboard.press("Escape");
    assert.equal(await again.count(), 1, "it does not go away");
    await again.getByLabel("Administrator's token").fill("no token");
    await button(again, "Sign in").click();
    await again.getByText("This token is no JWT").waitFor();
    await again.getByLabel("Administrator's token").fill(adminToken());
    await button(again, "Sign in").click();
    await again.waitFor({ state: "detached" });
    assert.equal(await page.getByRole("dialog").getByLabel("Name").inputValue(), "Gamma");
    await button(page, "Make the tenant").click();
    await page.waitForURL("**/console#/t/**");
  });

  test("a token that is refused ends the session too, and the page asks for nothing more until somebody signs in", { timeout: TIMEOUT }, async (t) => {
    const page = await newPage(t);
    await open(page, world, "#/t/acme/activity");
    await page.route("**/api/v1/**", (route) => route.fulfill({ status: 401, json: { detail: "the credential is not valid" } }));
    const again = page.getByRole("dialog", { name: "Your sign-in has ended" });
    await again.waitFor({ timeout: 10_000 });
    const asked = [];
    page.on("request", (request) => asked.push(request.url()));
    await page.waitForTimeout(4_000);
    assert.deepEqual(asked, []);
    await page.unroute("**/api/v1/**");
    await again.getByLabel("Administrator's token").fill(adminToken());
    await button(again, "Sign in").click();
    await again.waitFor({ state: "detached" });
    await page.waitForTimeout(3_500);
    assert.ok(asked.length > 0, "it goes on");
    assert.equal(await page.getByRole("alert").count(), 0);
  });

  test("signs in with the issuer by code and PKCE, and in a window beside where the session has ended", { timeout: TIMEOUT }, async (t) => {
    let origin;
    let seconds = 5;
    const issuer = await startIssuer({ origin: () => origin, scope: "admin", seconds: () => seconds });
    const own = await startConsole({ ...issuer.settings, LOCAL_DEVELOPMENT: "on" });
    origin = (await own.mf.ready).origin;
    const context = await browser.newContext();
    t.after(async () => {
      await context.close();
      await own.stop();
      await issuer.stop();
    });
    const page = await context.newPage();
    const refused = [];
    page.on("console", (message) => /Content Security Policy/.test(message.text()) && refused.push(message.text()));
    await page.goto(`${origin}/console#/tenants`);
    await page.getByRole("button", { name: /^Sign in with 127/ }).click();
    await signInAt(page, "ada");
    await page.getByRole("heading", { name: "Tenants" }).waitFor();
    assert.equal(page.url(), `${origin}/console#/tenants`, "back where it began, without the code");
    await page.getByText("There is no tenant yet").waitFor();
    await page.getByText("ada", { exact: false }).first().waitFor();
    await button(page, "New tenant").click();
    await page.getByRole("dialog").getByLabel("Name").fill("Delta");
    const again = page.getByRole("dialog", { name: "Your sign-in has ended" });
    await again.waitFor({ timeout: 10_000 });
    seconds = 600;
    const [beside] = await Promise.all([context.waitForEvent("page"), button(again, "Sign in again").click()]);
    // The issuer still knows them: the window comes back by itself, and closes.
    await again.waitFor({ state: "detached" });
    await (beside.isClosed() || beside.waitForEvent("close"));
    assert.equal(await page.getByRole("dialog").getByLabel("Name").inputValue(), "Delta");
    await button(page, "Make the tenant").click();
    await page.waitForURL("**/console#/t/**");
    assert.deepEqual(refused, []);
  });

  test("a sign-in that the issuer refuses, or that nobody asked for, says so and signs nobody in", { timeout: TIMEOUT }, async (t) => {
    const page = await newPage(t);
    const { origin } = await world.mf.ready;
    await page.goto(`${origin}/console?code=x&state=y#/`);
    await page.getByRole("heading", { name: "Rollcall" }).waitFor();
    await page.evaluate(() => sessionStorage.setItem("rollcall-sign-in", JSON.stringify({ state: "z", verifier: "v", nonce: "n", back: "#/tenants" })));
    await page.goto(`${origin}/console?error=access_denied&state=y`);
    await page.getByText("Signing in did not work: The answer belongs to another sign-in.").waitFor();
    assert.equal(await page.evaluate(() => sessionStorage.length), 0);
    await page.goto(`${origin}/console#token=nonsense`);
    await page.getByText("This token is no JWT").waitFor();
    assert.equal(page.url(), `${origin}/console`);
  });

  test("deployed, a link signs nobody in: it could be anybody's", { timeout: TIMEOUT }, async (t) => {
    const deployed = await startConsole({ LOCAL_DEVELOPMENT: "off" });
    t.after(() => deployed.stop());
    const page = await carefulPage(t, browser, deployed);
    const { origin } = await deployed.mf.ready;
    await page.goto(`${origin}/console#token=${adminToken()}`);
    await page.getByText("Nobody can sign in here yet.").waitFor();
    assert.equal(page.url(), `${origin}/console`);
    assert.equal(await page.getByRole("navigation").count(), 0);
  });

  /** The console behind Access, in a browser of its own. */
  async function behindAccess(t, options) {
    const access = await startAccess(options);
    const own = await startConsole({ ...access.settings, LOCAL_DEVELOPMENT: "off" });
    const proxy = await access.before((await own.mf.ready).origin);
    const context = await browser.newContext();
    t.after(async () => {
      await context.close();
      await own.stop();
      await access.stop();
    });
    const page = await context.newPage();
    const complaints = [];
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("console", (message) => /Content Security Policy/.test(message.text()) && complaints.push(message.text()));
    return { own, proxy, context, page, complaints };
  }

  test("behind Cloudflare Access it signs in by itself, and renews that by itself", { timeout: TIMEOUT }, async (t) => {
    const { own, proxy, page, complaints } = await behindAccess(t, { scopes: { "@EXAMPLE.com": "platform tenants:read tenants:write" }, seconds: () => 4 });
    const exchanged = [];
    page.on("response", (reply) => reply.url().endsWith("/console/session") && exchanged.push(reply.status()));
    await page.goto(`${proxy.url}/console#/tenants`);
    await letThrough(page);
    await page.getByRole("heading", { name: "Tenants" }).waitFor();
    await page.getByText("access:ada@example.com").waitFor();
    assert.equal(await page.getByRole("link", { name: "Overview" }).count(), 0, "what the setting does not give is not shown");
    await button(page, "New tenant").click();
    await page.getByRole("dialog").getByLabel("Name").fill("Behind");
    await page.waitForTimeout(7_000);
    assert.ok(exchanged.length >= 3 && exchanged.every((status) => status === 201), `${exchanged}`);
    assert.equal(await page.getByRole("dialog").count(), 1, "nobody notices");
    await button(page, "Make the tenant").click();
    await page.waitForURL("**/console#/t/**");
    const kept = await page.evaluate(() => JSON.stringify([localStorage, sessionStorage, document.cookie]));
    assert.doesNotMatch(kept, /rca_|eyJ/, "the token is in memory alone");
    const trail = await own.admin("GET", "/tenants/");
    assert.equal(trail.body.data[0].name, "Behind");
    assert.deepEqual(complaints, []);
    await button(page, "Sign out").click();
    await page.getByText("You are signed out of Access").waitFor();
  });

  test("where Access knows somebody no more the page stays as it is, and goes on after a sign-in beside", { timeout: TIMEOUT }, async (t) => {
    let seconds = 5;
    const { proxy, context, page, complaints } = await behindAccess(t, { scopes: { "ada@example.com": "admin" }, seconds: () => seconds });
    await page.goto(`${proxy.url}/console#/tenants`);
    await letThrough(page);
    // What stands behind `#` is lost at the team's page.
    await page.getByRole("link", { name: "Tenants" }).click();
    await button(page, "New tenant").click();
    await page.getByRole("dialog").getByLabel("Name").fill("Kept");
    proxy.forget();
    const again = page.getByRole("dialog", { name: "Your sign-in has ended" });
    await again.waitFor({ timeout: 15_000 });
    seconds = 600;
    const [beside] = await Promise.all([context.waitForEvent("page"), button(again, "Sign in again").click()]);
    await letThrough(beside);
    await again.waitFor({ state: "detached" });
    await (beside.isClosed() || beside.waitForEvent("close"));
    assert.equal(await page.getByRole("dialog").getByLabel("Name").inputValue(), "Kept");
    await button(page, "Make the tenant").click();
    await page.waitForURL("**/console#/t/**");
    assert.deepEqual(complaints, []);
  });

  test("whom the settings give nothing is told so, and no other site gets a token", { timeout: TIMEOUT }, async (t) => {
    const { proxy, page } = await behindAccess(t, { scopes: { "ada@example.com": "admin" }, email: () => "eve@elsewhere.example" });
    await page.goto(`${proxy.url}/console`);
    await letThrough(page);
    await page.getByText("eve@elsewhere.example is not in ACCESS_SCOPES").waitFor();
    assert.equal(await page.getByRole("navigation").count(), 0);
    await button(page, "Sign in with Cloudflare Access").waitFor();
    const cookie = (await page.context().cookies()).map(({ name, value }) => `${name}=${value}`).join("; ");
    for (const headers of [{}, { "sec-fetch-site": "cross-site" }, { origin: "https://evil.example" }]) {
      const reply = await fetch(`${proxy.url}/console/session`, { method: "POST", headers: { cookie, "content-type": "application/json", ...headers }, body: "{}" });
      assert.equal(reply.status, 403);
      assert.match((await reply.json()).detail, /the console's own page/);
      assert.equal(reply.headers.get("access-control-allow-origin"), null);
    }
  });
});
