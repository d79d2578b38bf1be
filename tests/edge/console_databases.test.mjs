// Databases in the console, in headless Chromium: which there are, where a new tenant goes, and the move of one with its progress.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { acme, button, carefulPage, launch, missing, open, startConsole } from "./support/console_world.mjs";

const skip = missing && `not looked at: ${missing}`;
const TIMEOUT = 120_000;
let world, browser, tenant;

before(async () => {
  if (missing) return;
  world = await startConsole({}, ["eu:jurisdiction=eu"]);
  browser = await launch();
  tenant = await acme(world);
});
after(async () => {
  await browser?.close();
  await world?.stop();
});

const livesIn = async () => (await world.admin("GET", "/tenants/acme")).body.data.database;

describe("databases in the console", { skip }, () => {
  test("each is told with its place, its tenants and its size", { timeout: TIMEOUT }, async (t) => {
    const page = await carefulPage(t, browser, world);
    await open(page, world, "#/databases");
    const row = page.locator("tbody tr", { hasText: "eu" });
    await row.getByText("jurisdiction eu").waitFor();
    await row.getByText("Takes new tenants").waitFor();
    assert.equal(await page.locator("tbody tr").count(), 2);
    assert.match(await page.locator("tbody tr", { hasText: "main" }).innerText(), /kB of 10 GB/);
  });

  test("a new tenant is made in the one that is chosen", { timeout: TIMEOUT }, async (t) => {
    const page = await carefulPage(t, browser, world);
    await open(page, world, "#/tenants");
    await button(page, "New tenant").click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name").fill("Globex");
    await dialog.getByLabel("Id").fill("globex");
    await dialog.getByLabel("Database").selectOption("eu");
    await button(dialog, "Make the tenant").click();
    await page.getByRole("heading", { name: "Tokens" }).waitFor();
    assert.equal((await world.rowsIn("eu", "select id from tenants")).at(0).id, "globex");
  });

  test("a tenant is moved with its progress, by the keyboard alone, and its people are there", { timeout: TIMEOUT }, async (t) => {
    const page = await carefulPage(t, browser, world);
    await open(page, world, "#/t/acme/settings");
    await page.getByText("The tenant lives in").waitFor();
    await page.getByLabel("Move it to").selectOption("eu");
    await button(page, "Move the tenant").focus();
    await page.keyboard.press("Enter");
    const dialog = page.getByRole("dialog");
    await dialog.getByText("Near the end writes wait").waitFor();
    await button(dialog, "Move the tenant").focus();
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "From main to eu" }).waitFor();
    await page.getByText("Moved", { exact: true }).waitFor({ timeout: 60_000 });
    await page.getByText("Writes waited").waitFor();
    await page.locator("p", { hasText: "The tenant lives in eu" }).waitFor();
    assert.equal(await livesIn(), "eu");
    assert.equal((await tenant.scim.request("GET", "/Users?count=0")).body.totalResults, 12);
  });

  test("an administrator of one tenant sees nothing of it", { timeout: TIMEOUT }, async (t) => {
    const page = await carefulPage(t, browser, world);
    await open(page, world, "#/t/acme/settings", { tenant_id: "acme" });
    await page.getByLabel("Name").waitFor();
    assert.equal(await page.getByText("The tenant lives in").count(), 0);
    assert.equal(await page.getByRole("link", { name: "Databases" }).count(), 0);
  });
});
