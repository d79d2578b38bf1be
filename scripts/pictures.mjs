// `npm run pictures`: a picture of each page of the console and of the set-up page into target/pictures, light and dark, wide and at 360 pixels; of
// the built workers, with a small tenant in them. docs/console.png, which README.md shows, is `person-light`.
import { mkdirSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { acme, go, launch, missing, open, person, settled, startConsole } from "../tests/edge/support/console_world.mjs";
import { startReceiver } from "../tests/edge/support/receiver.mjs";
import { missing as noDirectory, startSlapd } from "../tests/edge/support/slapd.mjs";
import { inRoot } from "./setup/paths.mjs";
import { main, say, SetupError } from "./setup/progress.mjs";

const folder = inRoot("target", "pictures");
const LOOKS = [
  ["light", { colorScheme: "light", viewport: { width: 1280, height: 800 } }],
  ["dark", { colorScheme: "dark", viewport: { width: 1280, height: 800 } }],
  ["narrow", { colorScheme: "light", viewport: { width: 360, height: 740 } }],
];

const press = (page, name) => page.getByRole("button", { name, exact: true }).first().click();

/** The pages: a name, where each is, and what is to be done there first. */
export const places = (tenant) => {
  const at = (...parts) => `#/${["t", tenant.id, ...parts].join("/")}`;
  return [
    ["overview", "#/"],
    ["tenants", "#/tenants"],
    ["databases", "#/databases"],
    ["people", at("people")],
    ["person", at("people", tenant.people["Ada Lovelace"])],
    ["undo", at("people", tenant.people["Ada Lovelace"]), (page) => press(page, "Undo this step")],
    ["groups", at("groups")],
    ["group", at("groups", tenant.groups["On call"])],
    ["activity", at("activity")],
    ["request", at("activity", tenant.refused)],
    ["request-change", at("activity", tenant.changed)],
    ["replay", at("activity", tenant.changed), (page) => press(page, "Send it again")],
    ["tokens", at("tokens")],
    ["token-replace", at("tokens"), (page) => press(page, "Rotate Old script")],
    ["token-revoke", at("tokens"), (page) => press(page, "Revoke Old script")],
    ["providers", at("providers")],
    ["provider", at("providers", tenant.providers.login), (page) => press(page, "Test the connection").then(() => page.locator(".checks").waitFor())],
    ["provider-new", at("providers", "new"), (page) => page.getByLabel("Kind").selectOption("SAML")],
    ...(tenant.providers.directory ? [["directory", at("providers", tenant.providers.directory), (page) => press(page, "See what it would do").then(() => page.getByRole("heading", { name: "What it would do" }).waitFor())]] : []),
    ["events", at("events")],
    ...(tenant.stream ? [["stream", at("events", tenant.stream), (page) => page.locator("tbody tr").first().waitFor()]] : []),
    ["stream-new", at("events"), (page) => press(page, "New stream")],
    ["schemas", at("schemas")],
    ["schema-declare", at("schemas"), (page) => press(page, "Declare Payroll")],
    ["schema-new", at("schemas"), (page) => press(page, "Declare a schema")],
    ["settings", at("settings")],
    ["token-new", at("tokens"), (page) => press(page, "New token")],
  ];
};

/** The set-up page on its way from the link to the first user: a name, and what is done there first. */
const SETUP = [
  ["setup", () => {}],
  ["setup-token", (page) => page.getByLabel("Identity provider").selectOption({ label: "Microsoft Entra ID" }).then(() => press(page, "Make the token")).then(() => page.locator(".copy code", { hasText: /^rcs_/ }).first().waitFor())],
  ["setup-refused", async (page, scim) => {
    await scim(await token(page)).request("POST", "/Users", { body: { displayName: "Nobody" } });
    await page.getByText("The last request was refused").waitFor();
  }],
  ["setup-login", (page) => press(page, "Set up a login").then(() => page.getByLabel("Protocol").selectOption("SAML"))],
  ["setup-done", async (page, scim) => {
    await scim(await token(page)).request("POST", "/Users", { body: person("Ada Lovelace") });
    await page.getByText("It works:").waitFor();
    await page.locator("details").evaluateAll((all) => all.forEach((one) => (one.open = true)));
  }],
];
const token = (page) => page.locator(".copy code", { hasText: /^rcs_/ }).first().textContent();

/** A tenant that is to be set up, and the link's address. */
async function linked(world) {
  const tenant = await world.createTenant({ name: "Acme Corporation", product_name: "Notebook", product_color: "#0b5fff" });
  const { url } = (await world.admin("POST", "/setup-links", { tenant_id: tenant.id, allows: ["scim", "sso", "directory"] })).body.data;
  const { pathname, hash } = new URL(url);
  return { scim: (token) => world.scim(tenant, token), url: (await world.mf.ready).origin + pathname + hash };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(pictures);

async function pictures() {
  if (missing) throw new SetupError(missing);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const world = await startConsole({}, ["eu:jurisdiction=eu"]);
  const browser = await launch();
  let slapd, receiver;
  try {
    if (!noDirectory) slapd = await startSlapd();
    receiver = await startReceiver((_, number) => (number % 5 ? { status: 204 } : { status: 503, body: "Try later" }));
    const tenant = await acme(world, { slapd, receiver });
    const only = process.argv.slice(2);
    for (const [look, options] of LOOKS) {
      const page = await browser.newPage(options);
      page.on("pageerror", (error) => say(`  ${look}: ${error.message}`));
      await open(page, world);
      for (const [name, place, prepare] of places(tenant)) {
        if (only.length && !only.includes(name)) continue;
        await go(page, place);
        await prepare?.(page);
        await settled(page);
        await page.screenshot({ path: `${folder}/${name}-${look}.png`, fullPage: !(await page.getByRole("dialog").count()) });
      }
      if (!only.length || only.includes("sign-in")) {
        await page.reload();
        await page.getByRole("heading", { name: "Rollcall" }).waitFor();
        await page.screenshot({ path: `${folder}/sign-in-${look}.png` });
      }
      const setup = await linked(world);
      await page.goto(setup.url);
      await settled(page);
      for (const [name, prepare] of SETUP) {
        await prepare(page, setup.scim);
        await page.waitForTimeout(200);
        if (!only.length || only.includes(name)) await page.screenshot({ path: `${folder}/${name}-${look}.png`, fullPage: true });
      }
      await page.close();
    }
    say(`• The pictures are in ${folder}`);
  } finally {
    await browser.close();
    await world.stop();
    await slapd?.stop();
    await receiver?.stop();
  }
}
