// The console in headless Chromium, as the built workers serve it. Where there is no Chromium to be had, it is skipped by name.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { places } from "../../scripts/pictures.mjs";
import { inRoot } from "../../scripts/setup/paths.mjs";
import { acme, button, carefulPage, go, keyboard, launch, missing, open, person, settled, startConsole, texts } from "./support/console_world.mjs";
import { startReceiver } from "./support/receiver.mjs";
import { missing as noDirectory, startSlapd } from "./support/slapd.mjs";

const skip = missing && `not looked at: ${missing}`;
const axe = readFileSync(inRoot("node_modules", "axe-core", "axe.min.js"), "utf8");
const TIMEOUT = 120_000;
let world, browser, tenant, slapd, receiver;

before(async () => {
  if (missing) return;
  world = await startConsole({}, ["eu:jurisdiction=eu"]);
  browser = await launch();
  if (!noDirectory) slapd = await startSlapd();
  receiver = await startReceiver();
  tenant = await acme(world, { slapd, receiver });
});
after(async () => {
  await browser?.close();
  await world?.stop();
  await slapd?.stop();
  receiver?.stop();
});

const newPage = (t, options) => carefulPage(t, browser, world, options);
const at = (...parts) => `#/${["t", tenant.id, ...parts].join("/")}`;
const main = (page) => page.getByRole("main");

describe("the console", { skip }, () => {
  test("is there within a second, and signed in by the link of npm run dev, whose token leaves the address", { timeout: TIMEOUT }, async (t) => {
    const page = await newPage(t);
    await open(page, world);
    await page.reload(); // the token was in memory alone
    await page.getByRole("heading", { name: "Rollcall" }).waitFor();
    const { origin } = await world.mf.ready;
    await page.goto("about:blank");
    const started = Date.now();
    await open(page, world);
    await page.getByText("Old script").waitFor();
    const took = Date.now() - started;
    assert.ok(took < 1_000, `${took} ms`);
    assert.equal(page.url(), `${origin}/console#/`);
    assert.equal(await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie])), '[{},{},""]');
    t.diagnostic(`first view: ${took} ms`);
  });

  for (const [look, options] of [
    ["light", { colorScheme: "light" }],
    ["dark", { colorScheme: "dark" }],
    ["at 360 px", { viewport: { width: 360, height: 740 } }],
  ]) {
    test(`axe-core finds nothing wrong on any page, and none is wider than the screen: ${look}`, { timeout: TIMEOUT }, async (t) => {
      const page = await newPage(t, options);
      await open(page, world);
      let rules = 0;
      let dialogs = 0;
      for (const [name, place, prepare] of places(tenant)) {
        await go(page, place);
        await prepare?.(page);
        await settled(page);
        await page.evaluate(axe);
        const { violations, passes } = await page.evaluate(() => globalThis.axe.run(document));
        dialogs += await page.getByRole("dialog").count();
        rules += passes.length;
        assert.deepEqual(violations.map(({ id, nodes }) => `${name}: ${id} ${nodes.map(({ html }) => html).join("\n")}`), []);
        assert.ok(passes.length > 10, `${name}: ${passes.length}`);
        const [wide, screen] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
        assert.ok(wide <= screen, `${name} is ${wide} px wide on ${screen}`);
      }
      assert.ok(dialogs >= 6, `${dialogs} dialogs`);
      t.diagnostic(`${rules} checks passed, 0 violations`);
    });
  }

  test("what the scopes do not allow is not shown", { timeout: TIMEOUT }, async (t) => {
    const page = await newPage(t);
    await open(page, world, at(), { scope: "tenants:read scim:read", tenant_id: tenant.id });
    const tabs = page.getByRole("navigation", { name: "Pages of Acme Corporation" });
    assert.deepEqual(await texts(tabs.getByRole("link")), ["People", "Groups", "Schemas", "Settings"]);
    await go(page, at("settings"));
    assert.ok(await page.getByLabel("Name").isDisabled());
    await go(page, at("tokens"));
    await page.getByRole("heading", { name: "Nothing is here" }).waitFor();
    await go(page, at("people", tenant.people["Ada Lovelace"]));
    assert.equal(await page.getByRole("heading", { name: "History" }).count(), 0);
    await go(page, "#/tenants");
    assert.equal(await button(page, "New tenant").count(), 0);
    await go(page, "#/");
    assert.equal(await page.getByRole("heading", { name: "What needs you" }).count(), 0);
  });

  test("with the keyboard alone: from the top to a person, their history, an undo and back", { timeout: TIMEOUT }, async (t) => {
    const page = await newPage(t);
    const own = await world.scim(tenant, tenant.token.token).request("POST", "/Users", { body: { schemas: ["urn:ietf:params:scim:schemas:core:2.0:User"], userName: "keys@acme.example", displayName: "Kay Board" } });
    await open(page, world, at("people"));
    const { focused, tabTo } = keyboard(page);
    assert.equal(await focused(), "People", "the heading has the focus");
    await tabTo("Search");
    await page.keyboard.type("kay b");
    await page.getByText("1 person").waitFor();
    await tabTo("Kay Board");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Kay Board" }).waitFor();
    await settled(page);
    assert.equal(await focused(), "Kay Board", "the new page's heading has the focus");
    await tabTo("Undo this step");
    await page.keyboard.press("Enter");
    const dialog = page.getByRole("dialog", { name: "Undo this request?" });
    await dialog.getByText("is deleted").waitFor();
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    assert.equal(await focused(), "Undo this step", "the focus is where it was");
    await page.keyboard.press("Enter");
    await tabTo("Undo 1 change");
    await page.keyboard.press("Enter");
    await page.getByRole("dialog", { name: "It is taken back" }).waitFor();
    await page.keyboard.press("Escape");
    await page.getByText("There is nobody with this id any more.").waitFor();
    assert.equal((await world.scim(tenant, tenant.token.token).request("GET", `/Users/${own.body.id}`)).status, 404);
  });

  test("with the keyboard alone: a token is made and copied, and nothing behind the dialog is reached meanwhile", { timeout: TIMEOUT }, async (t) => {
    const page = await newPage(t, { permissions: ["clipboard-read", "clipboard-write"] });
    await open(page, world, at("tokens"));
    const { focused, tabTo } = keyboard(page);
    await tabTo("New token");
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor();
    for (let steps = 0; steps < 30; steps += 1) {
      await page.keyboard.press("Tab");
      const isOutside = await page.evaluate(() => document.activeElement !== document.body && !document.activeElement.closest("dialog"));
      assert.ok(!isOutside, `${await focused()} is behind the dialog`);
    }
    await tabTo("Name");
    await page.keyboard.type("By keyboard");
    await tabTo("Many at once");
    await page.keyboard.press("Space");
    await page.keyboard.press("Enter"); // as in any form
    await page.getByRole("dialog", { name: "Copy the token now" }).waitFor();
    await tabTo("Copy");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Copied the token" }).waitFor();
    assert.match(await page.evaluate(() => navigator.clipboard.readText()), /^rcs_/);
    await page.keyboard.press("Escape");
    await page.getByText("By keyboard").waitFor();
    const { data } = (await world.admin("GET", "/scim-tokens/?tenant_id=acme&per_page=100")).body;
    assert.deepEqual(data.find(({ name }) => name === "By keyboard").scopes, ["users:read", "users:write", "groups:read", "groups:write"]);
  });

  test("with the keyboard alone: a request is found in the journal and sent again", { timeout: TIMEOUT }, async (t) => {
    const made = await tenant.scim.request("POST", "/Users", { body: person("Mary Keys") });
    assert.equal(made.status, 201);
    assert.equal((await tenant.scim.request("DELETE", `/Users/${made.body.id}`)).status, 204);
    const page = await newPage(t);
    await open(page, world, at("activity"));
    const { focused, tabTo } = keyboard(page);
    await tabTo("User name");
    await page.keyboard.type("mary.keys@acme.example");
    const row = page.locator("tbody tr", { hasText: "Create a person" });
    await page.waitForURL(/user_name=mary/);
    await page.locator("tbody tr", { hasText: "alan.turing" }).first().waitFor({ state: "detached" });
    await tabTo((await row.getByRole("link").first().innerText()).trim());
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Create a person: mary.keys@acme.example" }).waitFor();
    await settled(page);
    await tabTo("Send it again");
    await page.keyboard.press("Enter");
    await page.getByText("Sent now, as you, it would be answered").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    assert.equal(await focused(), "Send it again", "the focus is where it was");
    await page.keyboard.press("Space");
    await page.getByText("Sent now, as you, it would be answered").waitFor();
    await tabTo("Send it");
    await page.keyboard.press("Enter");
    await page.getByText("It was answered 201").waitFor();
    await tabTo("Close");
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    assert.equal(await focused(), "Send it again");
    const found = await tenant.scim.request("GET", '/Users?filter=userName eq "mary.keys@acme.example"');
    assert.equal(found.body.totalResults, 1);
  });

  test("a person: found by name or by any filter, with groups and history; a step is undone", { timeout: TIMEOUT }, async (t) => {
    const page = await newPage(t);
    await open(page, world, at("people"));
    await page.getByLabel("Search").fill("HOPPER");
    await page.getByText("1 person").waitFor();
    await page.getByLabel("Search").fill("");
    await page.getByLabel("Filter").fill("active eq false");
    await page.getByText("1 person").waitFor();
    await page.getByLabel("Filter").fill("active eq");
    await page.getByRole("alert").waitFor();
    assert.match(await page.getByRole("alert").innerText(), /position 10: the filter ends/);
    await page.getByLabel("Filter").fill("active eq false");
    await main(page).getByRole("link", { name: "Ada Lovelace" }).click();
    await page.getByRole("heading", { name: "Ada Lovelace" }).waitFor();
    await main(page).getByRole("link", { name: "On call" }).waitFor();
    await settled(page);
    const first = page.locator(".timeline > li").first();
    assert.match((await first.innerText()).replace(/\s+/g, " "), /Changed by Okta, production, .* active yes no/);
    await first.getByRole("button").click();
    await page.getByText("becomes what it was").waitFor();
    await page.getByRole("dialog").getByRole("link", { name: "Ada Lovelace" }).waitFor();
    await button(page, "Undo 1 change").click();
    await page.getByRole("dialog", { name: "It is taken back" }).waitFor();
    await page.keyboard.press("Escape");
    await page.locator(".timeline > li", { hasText: "tester" }).waitFor();
    const { body } = await tenant.scim.request("GET", `/Users/${tenant.people["Ada Lovelace"]}`);
    assert.equal(body.active, true);
  });

  test("who manages somebody leads to them, and back", { timeout: TIMEOUT }, async (t) => {
    const page = await newPage(t);
    await open(page, world, at("people", tenant.people["Alan Turing"]));
    await main(page).getByRole("link", { name: "Grace Hopper" }).click();
    await page.getByRole("heading", { name: "Grace Hopper" }).waitFor();
    // What the identity provider calls a manager who is nobody here is shown as it is.
    const value = { value: "ext-4711", displayName: "Somebody Else" };
    const reply = await tenant.scim.request("PATCH", `/Users/${tenant.people["Ken Thompson"]}`, { body: { schemas: ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], Operations: [{ op: "add", path: "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager", value }] } });
    assert.ok(reply.status < 300, reply.text);
    await go(page, at("people", tenant.people["Ken Thompson"]));
    await page.getByRole("heading", { name: "Ken Thompson" }).waitFor();
    const manager = page.locator(".facts > div", { hasText: "manager" });
    assert.match(await manager.innerText(), /Somebody Else|ext-4711/);
    assert.equal(await manager.getByRole("link").count(), 0);
  });

  test("the overview has the last day as a picture, in words and as a table", { timeout: TIMEOUT }, async (t) => {
    const page = await newPage(t);
    await open(page, world);
    const { body } = await world.admin("GET", "/activity?tenant_id=acme");
    const sum = (name) => body.data.hours.reduce((all, hour) => all + hour[name], 0);
    assert.ok(sum("requests") >= 20 && sum("refused") >= 2 && sum("changes") >= 15, JSON.stringify(body.data));
    const picture = page.getByRole("img", { name: /^By the hour: \d+ requests, \d+ of them refused, and \d+ changes/ });
    await picture.waitFor();
    await keyboard(page).tabTo("As a table");
    await page.keyboard.press("Enter");
    const row = page.getByRole("table", { name: "The last day by the hour" }).locator("tbody tr").last();
    await row.waitFor();
    const numbers = (await row.innerText()).match(/\d+/g).map(Number).slice(2);
    assert.equal(numbers.length, 3);
    assert.ok(numbers[0] >= sum("requests") && numbers[2] >= sum("changes"), `${numbers}`);
  });

  test("the journal: a new request appears by itself, a refused one with its reason; one is opened, sent again and undone", { timeout: TIMEOUT }, async (t) => {
    const page = await newPage(t);
    await open(page, world, at("activity"));
    const made = await tenant.scim.request("POST", "/Users", { body: person("Rosalind Franklin", { active: "True" }) });
    assert.equal(made.status, 201);
    const row = page.locator("tbody tr", { hasText: "rosalind.franklin@acme.example" });
    await row.waitFor({ timeout: 10_000 });
    assert.match((await row.innerText()).replace(/\s+/g, " "), /Create a person rosalind.* Forgiven: boolean_as_text Okta, production 201/);
    await page.getByLabel("Result").selectOption("Refused");
    await page.getByText("Another resource has this userName.").waitFor();
    await row.waitFor({ state: "detached" });
    await page.getByLabel("Result").selectOption("All");
    await page.getByLabel("User name").fill("ROSALIND.franklin@acme.example");
    await page.waitForURL(/user_name=ROSALIND/);
    await row.getByRole("link").click();
    await page.goBack();
    assert.equal(await page.getByLabel("User name").inputValue(), "ROSALIND.franklin@acme.example", "back is where one was");
    await page.getByRole("link", { name: "Activity", exact: true }).click();
    await page.getByText("alan.turing@acme.example").first().waitFor();
    assert.equal(await page.getByLabel("User name").inputValue(), "", "the tab shows all again");
    await row.getByRole("link").click();

    await page.getByRole("heading", { name: "Create a person: rosalind.franklin@acme.example" }).waitFor();
    await page.getByText("A boolean came as a string").waitFor();
    assert.match(await page.locator("pre").innerText(), /"displayName": "Rosalind Franklin"/);
    assert.match(await page.locator(".diff").innerText(), /Rosalind Franklin/);
    await button(page, "Send it again").click();
    await page.getByText("Sent now, as you, it would be answered").waitFor();
    assert.match(await page.getByRole("dialog").innerText(), /409/);
    await button(page, "Cancel").click();
    await button(page, "Undo it").click();
    await button(page, "Undo 1 change").click();
    await page.getByRole("dialog", { name: "It is taken back" }).waitFor();
    await button(page.getByRole("dialog"), "Close").last().click();
    assert.equal((await tenant.scim.request("GET", `/Users/${made.body.id}`)).status, 404);
    await button(page, "Send it again").click();
    await page.getByText("Sent now, as you, it would be answered").waitFor();
    await button(page, "Send it").click();
    await page.getByText("It was answered 201").waitFor();
    const found = await tenant.scim.request("GET", '/Users?filter=userName eq "rosalind.franklin@acme.example"');
    assert.equal(found.body.totalResults, 1);
  });

  test("a token is made and shown once, replaced with an overlap that is counted down, paused, and revoked", { timeout: TIMEOUT }, async (t) => {
    const page = await newPage(t, { permissions: ["clipboard-read", "clipboard-write"] });
    await open(page, world, at("tokens"));
    await button(page, "New token").click();
    await page.getByRole("dialog").getByLabel("Name").fill("Entra ID");
    // A reply that is lost: the same key makes no second token.
    await page.route("**/api/v1/admin/scim-tokens", async (route) => (await route.fetch(), route.abort()), { times: 1 });
    await button(page, "Make the token").click();
    await page.getByText("The service did not answer.").waitFor();
    await button(page, "Make the token").click();
    const shownOnce = page.getByRole("dialog", { name: "Copy the token now" });
    await button(shownOnce, "Copy the token").click();
    await button(shownOnce, "Copied the token").waitFor();
    const token = await page.evaluate(() => navigator.clipboard.readText());
    assert.match(token, /^rcs_\w{49}$/);
    await shownOnce.getByLabel("Identity provider").selectOption("Okta");
    const users = () => world.request("GET", `${tenant.scim.base}/Users?count=0`, { auth: `Bearer ${token}` });
    assert.equal((await users()).status, 200);
    await button(shownOnce, "I have copied it").click();
    assert.ok(!(await page.content()).includes(token), "it is gone from the page");
    const row = page.locator("tbody tr", { hasText: "Entra ID" });
    await row.first().waitFor();
    assert.equal(await row.count(), 1);

    await button(row, "Pause Entra ID").click();
    await row.getByText("paused").waitFor();
    assert.equal((await users()).status, 401);
    await button(row, "Resume Entra ID").click();
    await row.getByText("works").waitFor();
    await button(row, "Rotate Entra ID").click();
    await button(page, "Make the new token").click();
    await shownOnce.waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("timer").waitFor();
    assert.match(await page.getByRole("timer").innerText(), /^in (59|60):\d\d$/);
    assert.equal((await users()).status, 200, "both work");
    const old = row.filter({ has: page.getByRole("timer") });
    await button(old, "Revoke Entra ID").click();
    await button(page, "Revoke it for good").click();
    await page.getByRole("timer").waitFor({ state: "detached" });
    assert.equal((await users()).status, 401);
  });

  test("a 500 in the middle loses nothing of what was typed", { timeout: TIMEOUT }, async (t) => {
    const page = await newPage(t);
    await open(page, world, "#/tenants");
    await button(page, "New tenant").click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name").fill("Beta Limited");
    await dialog.getByLabel("Id").fill("beta_1");
    await page.route("**/api/v1/admin/tenants", (route) => route.fulfill({ status: 500, json: { detail: "internal error" }, headers: { "x-request-id": "r-1" } }), { times: 1 });
    await button(dialog, "Make the tenant").click();
    await dialog.getByRole("alert").waitFor();
    assert.match(await dialog.getByRole("alert").innerText(), /What you typed is still here.*r-1/s);
    // Then the service says what is wrong, beside the field.
    await button(dialog, "Make the tenant").click();
    await dialog.locator(".wrong").waitFor();
    assert.equal(await dialog.getByLabel("Id").getAttribute("aria-invalid"), "true");
    assert.equal(await dialog.getByLabel("Name").inputValue(), "Beta Limited");
    await dialog.getByLabel("Id").fill("beta");
    await button(dialog, "Make the tenant").click();
    await page.waitForURL("**/console#/t/beta/**");
    assert.equal((await world.admin("GET", "/tenants/beta")).body.data.name, "Beta Limited");
  });

  test("a token that the fuse has stopped is allowed to go on", { timeout: TIMEOUT }, async (t) => {
    const scim = await world.tenant({ id: "fused", name: "Fused", removal_fuse: { percent: 1, at_least: 1, minutes: 60 } });
    const ids = [];
    for (const name of ["Ann One", "Ben Two", "Cay Three"]) ids.push((await scim.request("POST", "/Users", { body: person(name) })).body.id);
    assert.deepEqual([(await scim.request("DELETE", `/Users/${ids[0]}`)).status, (await scim.request("DELETE", `/Users/${ids[1]}`)).status], [204, 503]);
    const page = await newPage(t);
    await open(page, world);
    const line = page.locator("tbody tr", { hasText: "Removals were stopped" }).filter({ hasText: "Fused" });
    await line.getByRole("link", { name: /^See what it removed/ }).click();
    await page.getByText("Delete a person").first().waitFor();
    await button(page, "Allow removals").click();
    await page.getByLabel("So many more").fill("5");
    await button(page, "Allow it").click();
    await page.getByRole("dialog").waitFor({ state: "detached" });
    assert.equal((await scim.request("DELETE", `/Users/${ids[1]}`)).status, 204);
  });

  test("a tenant's settings are changed, refused with the reason beside the field, and the tenant deleted by its id", { timeout: TIMEOUT }, async (t) => {
    await world.createTenant({ id: "closing", name: "Closing" });
    const page = await newPage(t);
    await open(page, world, "#/t/closing/settings");
    await page.getByLabel("Days that the audit trail is kept").fill("-1");
    await button(page, "Save").click();
    await page.locator(".wrong").waitFor();
    await page.getByLabel("Days that the audit trail is kept").fill("90");
    await page.getByLabel("Name").fill("Closing soon");
    await page.getByLabel("Whoever removes too much at once is stopped").uncheck();
    await button(page, "Save").click();
    await page.getByText("Saved.").waitFor();
    await page.getByRole("link", { name: "Closing soon" }).waitFor();
    const { data } = (await world.admin("GET", "/tenants/closing")).body;
    assert.deepEqual([data.name, data.audit_days, data.history_days, data.removal_fuse], ["Closing soon", 90, 30, null]);
    await button(page, "Delete the tenant").click();
    const deed = button(page.getByRole("dialog"), "Delete the tenant");
    await page.getByLabel("Type closing to go on").fill("acme");
    assert.ok(await deed.isDisabled());
    await page.getByLabel("Type closing to go on").fill("closing");
    await deed.click();
    await page.getByRole("heading", { name: "Tenants" }).waitFor();
    assert.equal((await world.admin("GET", "/tenants/closing")).status, 404);
  });

  test("ten thousand people are searched and paged without a hitch", { timeout: TIMEOUT }, async (t) => {
    const page = await newPage(t);
    const many = await world.tenant({ id: "many" });
    for (let round = 0; round < 10; round += 1) {
      const Operations = Array.from({ length: 1_000 }, (_, index) => {
        const number = String(round * 1_000 + index).padStart(5, "0");
        return { method: "POST", path: "/Users", bulkId: number, data: person(`First${number} Last${number}`) };
      });
      const reply = await many.request("POST", "/Bulk", { body: { schemas: ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], Operations } });
      assert.equal(reply.status, 200, reply.text.slice(0, 500));
    }
    await open(page, world, "#/t/many/people");
    await page.getByText("Page 1 of 200, 10,000 people").waitFor();
    const timed = async (what, work) => {
      const started = Date.now();
      await work();
      const took = Date.now() - started;
      t.diagnostic(`${what}: ${took} ms`);
      assert.ok(took < 1_500, `${what}: ${took} ms`);
    };
    await timed("the next page", async () => {
      await button(page, "Next").click();
      await page.getByText("Page 2 of 200").waitFor();
    });
    await settled(page);
    assert.equal(await page.locator("tbody tr").count(), 50);
    await timed("a search", async () => {
      await page.getByLabel("Search").fill("last07777");
      await page.getByText("1 person").waitFor();
    });
    await main(page).getByRole("link", { name: "First07777 Last07777" }).waitFor();
  });

  test("the overview looks at more than a hundred tenants, a hundred at a time", { timeout: TIMEOUT }, async (t) => {
    for (let number = 0; number < 100; number += 1) await world.createTenant({ id: `crowd-${number}`, name: `Crowd ${number}` });
    const { total_items: total } = (await world.admin("GET", "/tenants?per_page=1")).body.pagination;
    const page = await newPage(t);
    const asked = [];
    page.on("request", (request) => /admin\/status/.test(request.url()) && asked.push(request.url()));
    await open(page, world);
    await page.getByText(`Of 100 of ${total} tenants.`).waitFor();
    assert.equal(asked.length, 1, "one request for all of them");
    await button(page, `Look at ${total - 100} more`).click();
    await page.getByText(`Of 100 of ${total} tenants.`).waitFor({ state: "detached" });
    await page.getByText("Old script").waitFor();
    assert.equal(asked.length, 3, "and one for each hundred more");
  });
});
