// The console's page of a tenant's own schemas, in headless Chromium: what was learned is declared or dropped; what people can have is set; and a
// provider's mapping fills what there is.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { acme, button, carefulPage, launch, missing, open, startConsole } from "./support/console_world.mjs";

const skip = missing && `not looked at: ${missing}`;
const TIMEOUT = 120_000;
const URN = "urn:ietf:params:scim:schemas:extension:Acme:2.0:User";
let world, browser, tenant;

before(async () => {
  if (missing) return;
  world = await startConsole();
  browser = await launch();
  tenant = await acme(world);
  const body = { schemas: ["urn:ietf:params:scim:schemas:core:2.0:User", URN], userName: "own@acme.example", [URN]: { costCode: "12-b", level: 7, shoes: { size: 42 } } };
  assert.equal((await tenant.scim.request("POST", "/Users", { body })).status, 201);
});
after(async () => {
  await browser?.close();
  await world?.stop();
});

const own = async () => (await tenant.scim.request("GET", "/Users?filter=userName%20eq%20%22own@acme.example%22")).body.Resources[0][URN];

describe("a tenant's own schemas in the console", { skip }, () => {
  test("what was learned is declared, but for what is not kept; and dropped", { timeout: TIMEOUT }, async (t) => {
    const page = await carefulPage(t, browser, world);
    await open(page, world, "#/t/acme/schemas");
    const card = page.getByRole("region", { name: URN });
    await card.getByText("learned").waitFor();
    await card.locator("tr", { hasText: "level" }).getByText("integer").waitFor();
    await card.locator("tr", { hasText: "shoes" }).getByText("parts: size").waitFor();
    await card.getByRole("button", { name: /^Declare/ }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name").fill("Acme's own");
    await dialog.getByLabel(/^shoes/).uncheck();
    await dialog.getByText("are taken away").waitFor();
    await button(dialog, "Declare").click();
    await card.getByText("declared").waitFor();
    await page.getByRole("heading", { name: /Acme's own/ }).waitFor();
    assert.deepEqual(await own(), { costCode: "12-b", level: 7 });
    const refused = await tenant.scim.request("POST", "/Users", { body: { schemas: ["urn:ietf:params:scim:schemas:core:2.0:User", URN], userName: "x", [URN]: { level: "high" } } });
    assert.equal(refused.status, 400);

    await card.getByRole("button", { name: /^Drop/ }).click();
    await button(page.getByRole("dialog"), "Drop it with its values").click();
    await card.waitFor({ state: "detached" });
    assert.equal(await own(), undefined);
  });

  test("a schema is declared, and what is wrong with it stands beside the field", { timeout: TIMEOUT }, async (t) => {
    const page = await carefulPage(t, browser, world);
    await open(page, world, "#/t/acme/schemas");
    await button(page, "Declare a schema").click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("URN").fill("urn:example:places:1.0:User");
    await dialog.getByLabel("Name").fill("Places");
    await dialog.getByLabel("Attributes").fill("[{");
    await button(dialog, "Declare").click();
    await dialog.getByText("This is no JSON.").waitFor();
    await dialog.getByLabel("Attributes").fill('[{"name": "floor", "type": "number"}]');
    await button(dialog, "Declare").click();
    await dialog.locator(".wrong").first().waitFor();
    await dialog.getByLabel("Attributes").fill('[{"name": "floor", "type": "integer"}]');
    await button(dialog, "Declare").click();
    await page.getByRole("heading", { name: /Places/ }).waitFor();

    await open(page, world, `#/t/acme/providers/${tenant.providers.login}`);
    await page.getByText("Further settings").first().click();
    const further = page.getByLabel(/^Further attributes/);
    await further.fill("urn:example:places:1.0:User:room = room");
    await button(page, "Save").first().click();
    await page.getByText("it is no attribute of users").first().waitFor();
    await further.fill("urn:example:places:1.0:User:floor = floor");
    await button(page, "Save").first().click();
    await page.getByText(/saved/i).first().waitFor();
    const provider = await world.admin("GET", `/identity-providers/${tenant.providers.login}`);
    assert.deepEqual(provider.body.data.attribute_mapping.extensions, { "urn:example:places:1.0:User:floor": "floor" });
  });

  test("the settings say which roles there are, and keep what they do not show", { timeout: TIMEOUT }, async (t) => {
    const roles = [{ value: "admin", display: "Administrator", description: "May do all", supported: true }];
    assert.equal((await world.admin("PATCH", "/tenants/acme", { roles })).status, 200);
    const page = await carefulPage(t, browser, world);
    await open(page, world, "#/t/acme/settings");
    const field = page.getByLabel("Roles that people can have");
    await field.waitFor();
    assert.equal(await field.inputValue(), "admin = Administrator");
    await field.fill("admin = Administrator\nviewer");
    await page.getByLabel("Attributes that are in no schema").selectOption("drop");
    await button(page, "Save").click();
    await page.getByText("Saved.").waitFor();
    const { data } = (await world.admin("GET", "/tenants/acme")).body;
    assert.deepEqual(data.roles, [...roles, { value: "viewer", supported: true }]);
    assert.equal(data.unknown_extensions, "drop");
  });
});
