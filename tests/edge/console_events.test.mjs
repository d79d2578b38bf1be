// The console's pages of event streams, in headless Chromium: made with a secret that is shown once, tested, paused by its receiver, resumed, replayed.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Webhook } from "standardwebhooks";
import { acme, button, carefulPage, go, keyboard, launch, missing, open, settled, startConsole } from "./support/console_world.mjs";
import { eventually } from "./support/eventually.mjs";
import { startReceiver } from "./support/receiver.mjs";
import { adminToken } from "./support/world.mjs";

const skip = missing && `not looked at: ${missing}`;
const TIMEOUT = 120_000;
let world, browser, tenant;

before(async () => {
  if (missing) return;
  world = await startConsole();
  browser = await launch();
  tenant = await acme(world);
});
after(async () => {
  await browser?.close();
  await world?.stop();
});

const events = "#/t/acme/events";

describe("events in the console", { skip }, () => {
  test("a stream is made, tested, paused by its receiver, shown to need somebody, resumed, and replayed", { timeout: TIMEOUT }, async (t) => {
    let status = 204;
    const receiver = await startReceiver(() => ({ status, body: status === 204 ? "" : "no more" }));
    t.after(receiver.stop);
    const page = await carefulPage(t, browser, world, { permissions: ["clipboard-read", "clipboard-write"] });
    await open(page, world, events);
    await button(page, "New stream").click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name").fill("Product");
    await dialog.getByLabel("Address").fill("https://10.0.0.1/hook");
    await dialog.getByLabel("People").check();
    await button(dialog, "Make the stream").click();
    await dialog.locator(".wrong").waitFor();
    await dialog.getByLabel("Address").fill(receiver.url);
    await button(dialog, "Make the stream").click();
    await button(dialog, "Copy the secret").click();
    await button(dialog, "Copied the secret").waitFor();
    const secret = await page.evaluate(() => navigator.clipboard.readText());
    await button(dialog, "I have copied it").click();
    await page.getByRole("heading", { name: "Product" }).waitFor();
    assert.ok(!(await page.content()).includes(secret));

    await button(page, "Send a test").click();
    await page.getByText("The test was taken: 204").waitFor();
    assert.equal(new Webhook(secret).verify(receiver.got[0].body, receiver.got[0].headers).type, "test");

    status = 410;
    const made = await tenant.scim.request("POST", "/Users", { body: { schemas: ["urn:ietf:params:scim:schemas:core:2.0:User"], userName: "new@acme.example" } });
    assert.equal(made.status, 201);
    // The page sees it by itself, and the overview tells it.
    await page.getByText("It is paused").waitFor({ timeout: 20_000 });
    await page.locator("tbody tr", { hasText: "410" }).waitFor();
    await go(page, "#/");
    await page.getByRole("link", { name: "Resume the stream: Product" }).click();
    await page.getByRole("heading", { name: "Product" }).waitFor();
    await settled(page);
    status = 204;
    await button(page, "Resume").click();
    await page.getByText("It is paused").waitFor({ state: "detached" });
    await eventually(() => receiver.got.some(({ json }) => json.type === "user.created" && json.data.userName === "new@acme.example"), "the delivery");

    const before = receiver.got.length;
    await button(page, "Replay").click();
    assert.ok(await button(dialog, "Send them again").isDisabled());
    await dialog.getByLabel("After number").fill("0");
    await button(dialog, "Send them again").click();
    await eventually(() => receiver.got.length >= before + 13, "every person again", 20_000);
    await button(page, "New secret").click();
    await button(dialog, "Make the new secret").click();
    await button(dialog, "I have copied it").click();
    await button(page, "Switch off").click();
    await page.getByText("switched off").waitFor();
    await button(page, "Delete").click();
    await button(dialog, "Delete the stream").click();
    await page.getByText("Nobody is sent events yet.").waitFor();
  });

  test("with the keyboard alone: a stream is made, its secret copied, tested, and its deliveries sent again", { timeout: TIMEOUT }, async (t) => {
    const receiver = await startReceiver();
    t.after(receiver.stop);
    const page = await carefulPage(t, browser, world, { permissions: ["clipboard-read", "clipboard-write"] });
    await open(page, world, events);
    const { focused, tabTo } = keyboard(page);
    await tabTo("New stream");
    await page.keyboard.press("Enter");
    await tabTo("Name");
    await page.keyboard.type("By keyboard");
    await tabTo("Address");
    await page.keyboard.type(receiver.url);
    await tabTo("People");
    await page.keyboard.press("Space");
    await tabTo("Make the stream");
    await page.keyboard.press("Enter");
    await page.getByRole("dialog", { name: "Copy the secret now" }).waitFor();
    await tabTo("Copy");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Copied the secret" }).waitFor();
    const secret = await page.evaluate(() => navigator.clipboard.readText());
    await tabTo("I have copied it");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "By keyboard" }).waitFor();
    await settled(page);
    assert.equal(await focused(), "By keyboard", "the new page's heading has the focus");
    await tabTo("Send a test");
    await page.keyboard.press("Enter");
    await page.getByText("The test was taken: 204").waitFor();
    assert.equal(new Webhook(secret).verify(receiver.got[0].body, receiver.got[0].headers).type, "test");
    await tabTo("Replay");
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    assert.equal(await focused(), "Replay", "the focus is where it was");
    await page.keyboard.press("Enter");
    await tabTo("After number");
    await page.keyboard.type("0");
    await tabTo("Send them again");
    await page.keyboard.press("Enter");
    await eventually(() => receiver.got.length >= 13, "every person again", 20_000);
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await tabTo("Delete");
    await page.keyboard.press("Enter");
    await tabTo("Delete the stream");
    await page.keyboard.press("Enter");
    await page.waitForURL("**/events");
  });

  test("older deliveries that were asked for stay where new ones come", { timeout: TIMEOUT }, async (t) => {
    const receiver = await startReceiver();
    t.after(receiver.stop);
    const made = await world.request("POST", "/api/v1/tenants/acme/event-streams", { auth: `Bearer ${adminToken()}`, body: { name: "Each", url: receiver.url } });
    assert.equal(made.status, 201, made.text);
    const person = (name) => ({ schemas: ["urn:ietf:params:scim:schemas:core:2.0:User"], userName: `${name}@acme.example` });
    const Operations = Array.from({ length: 70 }, (_, number) => ({ method: "POST", path: "/Users", bulkId: `b${number}`, data: person(`delivered${number}`) }));
    await tenant.scim.request("POST", "/Bulk", { body: { schemas: ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], Operations } });
    await eventually(() => receiver.got.length >= 70, "all deliveries", 30_000);
    const page = await carefulPage(t, browser, world);
    await open(page, world, `#/t/acme/events/${made.body.data.id}`);
    const rows = page.getByRole("table", { name: "Deliveries, the latest first" }).locator("tbody tr");
    await rows.nth(49).waitFor();
    await button(page, "Show older ones").click();
    await rows.nth(69).waitFor();
    const before = await rows.count();
    await tenant.scim.request("POST", "/Users", { body: person("one.more") });
    await rows.nth(before).waitFor({ timeout: 20_000 });
    assert.equal(await button(page, "Show older ones").count(), 0, "there is nothing older");
  });
});
