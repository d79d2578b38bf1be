// The console's pages of identity providers, in headless Chromium: forms that are refused and mended, the staged test, a directory's sync from its
// plan to what it did, and group mappings.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createServer } from "node:http";
import { after, before, describe, test } from "node:test";
import { acme, button, carefulPage, directory, keyboard, launch, missing, open, settled, startConsole, texts } from "./support/console_world.mjs";
import { startOpenIdProvider } from "./support/openid_provider.mjs";
import { missing as noDirectory, startSlapd } from "./support/slapd.mjs";

const skip = missing && `not looked at: ${missing}`;
const TIMEOUT = 120_000;
let world, browser, tenant, slapd;

before(async () => {
  if (missing) return;
  if (!noDirectory) slapd = await startSlapd();
  world = await startConsole();
  browser = await launch();
  tenant = await acme(world, { slapd });
});
after(async () => {
  await browser?.close();
  await world?.stop();
  await slapd?.stop();
});

const newPage = (t) => carefulPage(t, browser, world);
const at = (...parts) => `#/${["t", tenant.id, ...parts].join("/")}`;
const read = async (name) => (await world.admin("GET", `/identity-providers/?tenant_id=acme&search=${name}`)).body.data[0];

describe("providers in the console", { skip }, () => {
  test("OpenID Connect: refused with the reason beside the field, made, tested stage by stage, changed, its secret kept", { timeout: TIMEOUT }, async (t) => {
    const issuer = await startOpenIdProvider();
    t.after(issuer.stop);
    const page = await newPage(t);
    await open(page, world, at("providers", "new"));
    await page.getByLabel("Name", { exact: true }).fill("sso");
    await page.getByLabel("Issuer").fill("https://login.example.com/?x");
    await page.getByLabel("Client id").fill("product");
    await page.getByLabel("Client secret").fill("hush-hush");
    // Another kind and back: what was typed is there.
    await page.getByLabel("Kind").selectOption("LDAP");
    await page.getByLabel("Kind").selectOption("OIDC");
    await button(page, "Make the provider").click();
    await page.locator(".wrong").first().waitFor();
    assert.equal(await page.getByLabel("Issuer").getAttribute("aria-invalid"), "true");
    await page.getByLabel("Issuer").fill(issuer.url);
    await page.getByText("Further settings").click();
    await page.getByLabel("Claim of the email").fill("mail");
    await button(page, "Make the provider").click();
    await page.getByRole("heading", { name: "sso" }).waitFor();
    assert.ok(!(await page.content()).includes("hush-hush"));

    await button(page, "Test the connection").click();
    await page.getByText("All is well.").waitFor();
    const stages = await texts(page.locator(".checks strong"));
    assert.ok(stages.length >= 5, stages.join());

    await page.getByLabel("Name for people").fill("Single sign-on");
    await page.getByLabel("E-mail domains").fill("acme.example, acme.test");
    await button(page, "Save").click();
    await page.getByRole("heading", { name: "Single sign-on" }).waitFor();
    const made = await read("sso");
    assert.deepEqual([made.allowed_domains, made.oidc_config.has_client_secret, made.attribute_mapping.email], [["acme.example", "acme.test"], true, "mail"]);
    // A secret goes nowhere else: where it is cleared, that is said.
    await page.getByLabel("Issuer").fill("https://elsewhere.example");
    await button(page, "Save").click();
    await page.locator(".notice.warn").waitFor();
    assert.equal((await read("sso")).oidc_config.has_client_secret, false);
    await button(page, "Delete").click();
    await button(page, "Delete the provider").click();
    await page.getByRole("heading", { name: "Providers" }).waitFor();
    assert.equal(await read("sso"), undefined);
  });

  test("SAML: the fields are filled in from the provider's metadata", { timeout: TIMEOUT }, async (t) => {
    const pem = execFileSync("openssl", ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "/dev/null", "-subj", "/CN=idp", "-days", "30"], { stdio: ["ignore", "pipe", "ignore"] }).toString();
    const certificate = pem.replace(/-----[A-Z ]+-----|\s/g, "");
    const service = (name, binding, url) => `<md:${name} Binding="urn:oasis:names:tc:SAML:2.0:bindings:${binding}" Location="${url}"/>`;
    const metadata = `<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ds="http://www.w3.org/2000/09/xmldsig#" entityID="https://idp.acme.example/metadata"><md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol"><md:KeyDescriptor use="signing"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>\n${certificate}\n</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>${service("SingleSignOnService", "HTTP-POST", "https://idp.acme.example/post")}${service("SingleSignOnService", "HTTP-Redirect", "https://idp.acme.example/sso")}</md:IDPSSODescriptor></md:EntityDescriptor>`;
    const page = await newPage(t);
    await open(page, world, at("providers", "new"));
    await page.getByLabel("Kind").selectOption("SAML");
    await page.getByLabel("Name", { exact: true }).fill("saml");
    await page.getByLabel("The provider's metadata").fill("<html/>");
    await button(page, "Fill in the fields").click();
    await page.getByText("This is no metadata of a SAML identity provider.").waitFor();
    await page.getByLabel("The provider's metadata").fill(metadata);
    await button(page, "Fill in the fields").click();
    await page.getByText("The fields below are filled in.").waitFor();
    assert.equal(await page.getByLabel("Sign-on address").inputValue(), "https://idp.acme.example/sso");
    await button(page, "Make the provider").click();
    await page.getByRole("heading", { name: "saml", exact: true }).waitFor();
    const { saml_config } = await read("saml");
    assert.deepEqual([saml_config.entity_id, saml_config.certificates.length], ["https://idp.acme.example/metadata", 1]);
    // By its address, which the service reads: what it serves, and why not.
    let document = "<html>Sign in</html>";
    const idp = createServer((_, response) => response.end(document));
    t.after(() => idp.close());
    await new Promise((ready) => idp.listen(0, "127.0.0.1", ready));
    await page.getByLabel("Address of the metadata").fill("https://10.0.0.1/metadata");
    await button(page, "Fetch the metadata").click();
    await page.locator(".wrong", { hasText: "private" }).waitFor();
    await page.getByLabel("Address of the metadata").fill(`http://127.0.0.1:${idp.address().port}/metadata`);
    await button(page, "Fetch the metadata").click();
    await page.locator(".wrong", { hasText: "something else than SAML metadata" }).waitFor();
    document = metadata.replace("https://idp.acme.example/sso", "https://idp.acme.example/new");
    await button(page, "Fetch the metadata").click();
    await page.getByText("The fields below are filled in.").waitFor();
    assert.equal(await page.getByLabel("Sign-on address").inputValue(), "https://idp.acme.example/new");
    await page.getByLabel("Sign-on address").fill("https://idp.acme.example/sso");
    // Saved again as it is, nothing changes.
    await button(page, "Save").click();
    await settled(page);
    assert.deepEqual((await read("saml")).saml_config, saml_config);
  });

  test("with the keyboard alone: a directory's plan is seen, and the sync run", { timeout: TIMEOUT, skip: noDirectory && `there is no LDAP server: ${noDirectory}` }, async (t) => {
    const page = await newPage(t);
    // Of a tenant that its directory has told nothing yet.
    await world.createTenant({ id: "keys", name: "Keys" });
    const made = await world.admin("POST", "/identity-providers/", { tenant_id: "keys", name: "keys", provider_type: "LDAP", ldap_config: directory(slapd) });
    assert.equal(made.status, 201, made.text);
    await open(page, world, `#/t/keys/providers/${made.body.data.id}`);
    const { focused, tabTo } = keyboard(page);
    await tabTo("Test the connection");
    await page.keyboard.press("Enter");
    await page.getByText("All is well.").waitFor();
    await tabTo("See what it would do");
    await page.keyboard.press("Enter");
    await page.getByRole("table", { name: "The plan" }).waitFor();
    await tabTo("Close");
    await page.keyboard.press("Enter");
    await page.getByRole("table", { name: "The plan" }).waitFor({ state: "detached" });
    assert.equal(await focused(), "Open");
    await page.keyboard.press("Space");
    await page.getByRole("table", { name: "The plan" }).waitFor();
    await tabTo("Sync now");
    await page.keyboard.press("Enter");
    await tabTo("Carry it out whatever it removes");
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    assert.equal(await focused(), "Sync now", "the focus is where it was");
    await page.keyboard.press("Enter");
    await tabTo("Sync");
    await page.keyboard.press("Enter");
    const done = page.getByRole("table", { name: "What was done" });
    await done.waitFor({ timeout: 30_000 });
    await tabTo("anna");
    await page.keyboard.press("Enter");
    await page.waitForURL("**/t/keys/people/**");
  });

  test("LDAP: the plan as a table before it is run, the run, what it did, and a group mapping", { timeout: TIMEOUT, skip: noDirectory && `there is no LDAP server: ${noDirectory}` }, async (t) => {
    const page = await newPage(t);
    await open(page, world, at("providers", tenant.providers.directory));
    await button(page, "Test the connection").click();
    await page.getByText("All is well.").waitFor();
    const users = () => tenant.scim.request("GET", '/Users?count=0').then(({ body }) => body.totalResults);
    const before = await users();
    await button(page, "See what it would do").click();
    await page.getByRole("heading", { name: "What it would do" }).waitFor();
    const plan = page.getByRole("table", { name: "The plan" });
    const rows = await texts(plan.locator("tbody tr"));
    assert.ok(rows.some((row) => /anna\s+person\s+created/.test(row)), rows.join("\n"));
    assert.equal(await users(), before, "a plan writes nothing");
    await button(page, "Sync now").click();
    await button(page.getByRole("dialog"), "Sync").click();
    await page.getByRole("heading", { name: "What it did" }).waitFor({ timeout: 30_000 });
    assert.equal(await users(), before + 12);
    const done = page.getByRole("table", { name: "What was done" });
    await done.getByRole("link", { name: "anna", exact: true }).waitFor();

    await page.getByLabel("Group of the directory").fill("staff");
    await page.getByLabel("Group here").fill("Nowhere");
    await settled(page);
    await button(page, "Add the mapping").click();
    await page.getByText("No group here has this name.").waitFor();
    await page.getByLabel("Group here").fill("Finance");
    await page.waitForTimeout(600);
    await button(page, "Add the mapping").click();
    const mapping = page.getByRole("table", { name: "Group mappings" }).locator("tbody tr");
    await mapping.waitFor();
    assert.match((await mapping.innerText()).replace(/\s+/g, " "), /staff Finance Remove/);
    await page.getByRole("button", { name: /^Remove the mapping/ }).click();
    await mapping.waitFor({ state: "detached" });
  });
});
