// The set-up page in headless Chromium, as the built workers serve it: the way of a customer's administrator from the link to the first user.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { createServer } from "node:http";
import { inRoot } from "../../scripts/setup/paths.mjs";
import { button, carefulPage, keyboard, launch, missing, person, startConsole } from "./support/console_world.mjs";

const skip = missing && `not looked at: ${missing}`;
const axe = readFileSync(inRoot("node_modules", "axe-core", "axe.min.js"), "utf8");
const TIMEOUT = 120_000;
let world, browser;

before(async () => {
  if (missing) return;
  world = await startConsole();
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await world?.stop();
});

/** A tenant with a link, and the link's address here. */
async function linked(allows = ["scim", "sso", "directory"]) {
  const tenant = await world.createTenant({ name: "Acme Corporation", product_name: "Notebook", product_color: "#0b5fff" });
  const reply = await world.admin("POST", "/setup-links", { tenant_id: tenant.id, allows });
  assert.equal(reply.status, 201, reply.text);
  const { url, id } = reply.body.data;
  const { origin } = await world.mf.ready;
  return { tenant, id, secret: url.split("/").at(-1), url: origin + new URL(url).pathname + new URL(url).hash };
}

async function violations(page) {
  await page.evaluate(axe);
  return page.evaluate(async () => (await axe.run()).violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`));
}

describe("the set-up page", { skip }, () => {
  test("leads from the link to the first user, and says what is wrong on the way", { timeout: TIMEOUT }, async (t) => {
    const page = await carefulPage(t, browser, world);
    const { tenant, url } = await linked();
    const began = Date.now();
    await page.goto(url);
    await page.getByRole("heading", { name: "Set up Acme Corporation" }).waitFor();
    assert.equal(await page.title(), "Notebook: set-up of Acme Corporation");
    await page.getByLabel("Identity provider").selectOption({ label: "Okta" });
    await button(page, "Make the token").click();
    const token = await page.locator(".copy code", { hasText: /^rcs_/ }).first().textContent();
    assert.match(token, /^rcs_\w{49}$/);
    await page.locator(".facts code", { hasText: `Bearer ${token}` }).waitFor();
    await page.locator(".facts code", { hasText: `/api/v1/tenants/${tenant.id}/scim/v2` }).waitFor();
    await page.getByText("Waiting for the first request…").waitFor();
    const scim = world.scim(tenant, token);
    assert.equal((await scim.request("POST", "/Users", { body: { displayName: "nobody" } })).status, 400);
    await page.getByText("The last request was refused").waitFor();
    assert.match(await page.getByRole("status").filter({ hasText: "refused" }).textContent(), /userName/);
    assert.equal((await scim.request("POST", "/Users", { body: person("Ada Lovelace") })).status, 201);
    await page.getByText("It works: one user is here").waitFor();
    await page.getByText("Ada Lovelace (ada.lovelace@acme.example)").waitFor();
    t.diagnostic(`from the link to the first user: ${((Date.now() - began) / 1000).toFixed(1)} s`);
    // Loaded again, it shows what came of it, and no token.
    await page.reload();
    await page.getByText("It works: one user is here").waitFor();
    assert.ok(!(await page.content()).includes(token));
  });

  test("sets up a login and tests it", { timeout: TIMEOUT }, async (t) => {
    const page = await carefulPage(t, browser, world);
    const { url } = await linked(["sso"]);
    await page.goto(url);
    await page.getByRole("heading", { name: "Signing in" }).waitFor();
    assert.equal(await page.getByRole("heading", { name: "Users and groups" }).count(), 0);
    await page.getByLabel("Name", { exact: true }).fill("Login");
    await page.getByLabel("Issuer").fill("https://login.example.com");
    await page.getByLabel("Client id", { exact: false }).first().fill("notebook");
    await button(page, "Save").click();
    await button(page, "Test the connection").waitFor();
    await button(page, "Test the connection").click();
    await page.getByRole("status").waitFor();
  });

  for (const [look, options] of [
    ["light", { colorScheme: "light" }],
    ["dark", { colorScheme: "dark" }],
    ["at 360 px", { viewport: { width: 360, height: 740 } }],
  ]) {
    test(`axe-core finds nothing wrong, and it is no wider than the screen: ${look}`, { timeout: TIMEOUT }, async (t) => {
      const page = await carefulPage(t, browser, world, options);
      const { url, tenant } = await linked();
      await page.goto(url);
      await page.getByLabel("Identity provider").selectOption({ label: "Microsoft Entra ID" });
      await button(page, "Make the token").click();
      const token = await page.locator(".copy code", { hasText: /^rcs_/ }).first().textContent();
      await world.scim(tenant, token).request("POST", "/Users", { body: person("Ada Lovelace") });
      await page.getByText("It works").waitFor();
      assert.deepEqual(await violations(page), []);
      await button(page, "Set up a login").click();
      await page.getByLabel("Protocol").selectOption("SAML");
      await button(page, "Set up a directory").click();
      for (const summary of await page.locator("details > summary").all()) await summary.click();
      assert.deepEqual(await violations(page), []);
      const { wide, screen } = await page.evaluate(() => ({ wide: document.documentElement.scrollWidth, screen: innerWidth }));
      assert.ok(wide <= screen, `${wide} of ${screen}`);
    });
  }

  test("with the keyboard alone: the provider, the token, what to enter, and what else there is to know", { timeout: TIMEOUT }, async (t) => {
    const page = await carefulPage(t, browser, world, { permissions: ["clipboard-read", "clipboard-write"] });
    const { url, tenant } = await linked(["scim"]);
    await page.goto(url);
    await page.getByRole("heading", { name: "Set up Acme Corporation" }).waitFor();
    const { focused, tabTo } = keyboard(page);
    await tabTo("Identity provider");
    await page.keyboard.type("PingOne");
    await page.getByRole("heading", { name: "Enter this in PingOne" }).waitFor();
    await tabTo("Make the token");
    await page.keyboard.press("Enter");
    await page.locator(".copy code", { hasText: /^rcs_/ }).first().waitFor();
    await tabTo("Copy");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Copied the token" }).waitFor();
    const token = await page.evaluate(() => navigator.clipboard.readText());
    assert.match(token, /^rcs_\w{49}$/);
    await tabTo("Good to know");
    await page.keyboard.press("Enter");
    await page.getByText("It cannot take a value away").waitFor();
    await tabTo("When it is refused");
    assert.equal(await focused(), "When it is refused");
    await world.scim(tenant, token).request("POST", "/Users", { body: person("Ada Lovelace") });
    await page.getByText("It works: one user is here").waitFor();
  });

  test("every provider's page is shown whole, with nothing of its marks left over", { timeout: TIMEOUT }, async (t) => {
    const page = await carefulPage(t, browser, world);
    const { url } = await linked(["scim"]);
    await page.goto(url);
    const choice = page.getByLabel("Identity provider");
    await choice.waitFor();
    const options = await choice.locator("option").allInnerTexts();
    assert.equal(options.length, 8);
    for (const name of options.slice(1)) {
      await choice.selectOption({ label: name });
      await page.getByRole("heading", { name: `Enter this in ${name}` }).waitFor();
      for (const summary of await page.locator("details > summary").all()) await summary.click();
      const text = await page.locator(".steps").innerText();
      assert.ok(!/[*`]|\]\(|undefined/.test(text), `${name}: ${text.match(/.{0,40}([*`]|\]\(|undefined).{0,40}/)?.[0]}`);
      assert.ok(text.length > 1_000, `${name}: ${text.length}`);
      assert.deepEqual(await violations(page), []);
    }
  });

  test("a SAML login is filled in from the address of its metadata", { timeout: TIMEOUT }, async (t) => {
    const idp = createServer((_, response) => response.end(`<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://idp.acme.example"><IDPSSODescriptor><SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp.acme.example/sso"/></IDPSSODescriptor></EntityDescriptor>`));
    t.after(() => idp.close());
    await new Promise((ready) => idp.listen(0, "127.0.0.1", ready));
    const page = await carefulPage(t, browser, world);
    const { url } = await linked(["sso"]);
    await page.goto(url);
    await page.getByLabel("Protocol").selectOption("SAML");
    await page.getByLabel("Address of the metadata").fill(`http://127.0.0.1:${idp.address().port}/`);
    await button(page, "Fetch the metadata").click();
    await page.getByText("The fields below are filled in.").waitFor();
    assert.equal(await page.getByLabel("Sign-on address").inputValue(), "https://idp.acme.example/sso");
  });

  test("ends with its link, keeps no secret, and opens nothing by half of one", { timeout: TIMEOUT }, async (t) => {
    const page = await carefulPage(t, browser, world);
    const { url, tenant, id, secret } = await linked();
    await page.goto(url);
    await page.getByRole("heading", { name: "Set up Acme Corporation" }).waitFor();
    assert.equal(await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie])), '[{},{},""]');
    assert.equal((await world.admin("DELETE", `/setup-links/${id}?tenant_id=${tenant.id}`)).status, 204);
    await page.getByText("This link opens nothing").waitFor();
    assert.ok(!world.output.includes(secret));
    for (const broken of [url.slice(0, -1), url.split("#")[0], `${url}x`]) {
      await page.goto("about:blank");
      await page.goto(broken);
      await page.getByText("This link opens nothing").waitFor();
    }
  });

  test("a failure in the middle loses nothing that was typed", { timeout: TIMEOUT }, async (t) => {
    const page = await carefulPage(t, browser, world);
    const { url } = await linked(["sso"]);
    await page.goto(url);
    await page.getByLabel("Name", { exact: true }).fill("Login");
    await page.getByLabel("Issuer").fill("https://login.example.com");
    await page.getByLabel("Client id", { exact: false }).first().fill("notebook");
    let isBroken = true;
    await page.route("**/setup/identity-providers", (route) => (isBroken ? route.fulfill({ status: 500, body: "{}" }) : route.continue()));
    await button(page, "Save").click();
    await page.getByText("What you typed is still here").waitFor();
    assert.equal(await page.getByLabel("Issuer").inputValue(), "https://login.example.com");
    isBroken = false;
    await button(page, "Save").click();
    await button(page, "Test the connection").waitFor();
  });
});
