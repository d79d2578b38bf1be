// A world for the console in a browser: a tenant as a customer's would look, with people, groups, what was done to them and what was refused.
import assert from "node:assert/strict";
import { chromium as engine } from "playwright-core";
import { chromium } from "../../../scripts/setup/chromium.mjs";
import { group, patch, user } from "./resources.mjs";
import { BASE, READER } from "./slapd.mjs";
import { adminToken, bothWorkers, settings, startWorld } from "./world.mjs";

const found = await chromium();
/** Why there is no browser, where there is none. */
export const missing = found.missing;

export const launch = () => engine.launch({ executablePath: found.executable, env: found.env, args: ["--no-sandbox", "--disable-gpu"] });

const NAMES = ["Ada Lovelace", "Grace Hopper", "Katherine Johnson", "Alan Turing", "Edsger Dijkstra", "Barbara Liskov", "Donald Knuth", "Radia Perlman", "Frances Allen", "Tony Hoare", "Margaret Hamilton", "Ken Thompson"];

/** Both workers, as on somebody's own machine unless `variables` say otherwise; `databases` are others than the first one. */
export const startConsole = (variables = {}, databases = []) => startWorld({ databases, workers: bothWorkers({ d1Databases: ["DB"], bindings: { ...settings, LOCAL_DEVELOPMENT: "on", ...variables } }) });

/** A person as an identity provider sends them. */
export function person(name, more = {}) {
  const [givenName, familyName] = name.split(" ");
  const userName = `${givenName}.${familyName}@acme.example`.toLowerCase();
  return user(userName, { displayName: name, name: { givenName, familyName }, emails: [{ value: userName, type: "work", primary: true }], title: "Engineer", ...more });
}

/** The settings of slapd's directory. */
export const directory = ({ port }) => ({ ...READER, url: `ldap://127.0.0.1:${port}`, base_dn: BASE, group_filter: "(objectClass=groupOfNames)" });

/** The tenant Acme: answers it with its ids: `people`, `groups` and `providers` by their names. With `slapd`, a server, it has a directory too, and with `receiver` an event stream, `stream`. */
export async function acme(world, { slapd, receiver } = {}) {
  const tenant = await world.createTenant({ id: "acme", name: "Acme Corporation" });
  const token = await world.mintToken(tenant, { name: "Okta, production", description: "The customer's Okta" });
  await world.mintToken(tenant, { name: "Old script", expires_at: new Date(Date.now() + 9 * 86_400_000).toISOString() });
  const scim = world.scim(tenant, token.token);
  const ids = [];
  const send = async (method, path, body, status) => {
    const reply = await scim.request(method, path, { body });
    if (status && reply.status !== status) throw new Error(`${method} ${path}: ${reply.status} ${reply.text}`);
    ids.push(reply.headers["x-request-id"]);
    return reply.body;
  };
  const people = {};
  // Of one the identity provider sends what is in no schema.
  const own = { "urn:ietf:params:scim:schemas:extension:Payroll:2.0:User": { costCode: "12-b", level: 7, desk: { floor: 3, city: "Berlin" } } };
  for (const name of NAMES) people[name] = (await send("POST", "/Users", { ...person(name), ...(name === "Grace Hopper" && own) }, 201)).id;
  const groups = {};
  for (const [name, members] of [["Engineering", NAMES.slice(0, 9)], ["Finance", NAMES.slice(9)], ["On call", NAMES.slice(0, 2)]]) {
    groups[name] = (await send("POST", "/Groups", group(name, members.map((name) => people[name])), 201)).id;
  }
  const ada = `/Users/${people["Ada Lovelace"]}`;
  await send("PATCH", ada, patch({ op: "replace", path: "title", value: "Principal engineer" }), 200);
  await send("PATCH", `/Users/${people["Alan Turing"]}`, patch({ op: "add", path: "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager", value: people["Grace Hopper"] }), 200);
  await send("PATCH", ada, patch({ op: "Replace", path: "active", value: "False" }), 200);
  const changed = ids.at(-1);
  await send("PATCH", `/Groups/${groups["On call"]}`, patch({ op: "remove", path: `members[value eq "${people["Grace Hopper"]}"]` }));
  await send("POST", "/Users", person("Alan Turing"), 409);
  const refused = ids.at(-1);
  await send("PATCH", ada, patch({ op: "replace", path: "emails[type eq", value: "x" }), 400);
  const providers = {};
  const provider = async (name, body) => {
    const reply = await world.admin("POST", "/identity-providers/", { tenant_id: tenant.id, name, ...body });
    if (reply.status !== 201) throw new Error(`POST /identity-providers/: ${reply.status} ${reply.text}`);
    providers[name] = reply.body.data.id;
  };
  await provider("login", { provider_type: "OIDC", display_name: "Acme's login", oidc_config: { issuer: "https://login.acme.example", client_id: "product", client_secret: "secret" } });
  if (slapd) await provider("directory", { provider_type: "LDAP", ldap_config: directory(slapd) });
  const made = receiver && (await world.request("POST", "/api/v1/tenants/acme/event-streams", { auth: `Bearer ${adminToken()}`, body: { name: "Product", url: receiver.url, after: 0 } }));
  return { ...tenant, token, providers, stream: made?.body.data.id, scim, people, groups, changed, refused };
}

/** A page whose every error, and every request to anybody else, fails the test. */
export async function carefulPage(t, browser, world, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  const page = await context.newPage();
  const complaints = [];
  const { origin } = await world.mf.ready;
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => message.type() === "error" && !message.text().startsWith("Failed to load resource") && complaints.push(message.text()));
  page.on("request", (request) => !request.url().startsWith("data:") && new URL(request.url()).origin !== origin && complaints.push(`asked ${request.url()}`));
  t.after(async () => {
    await context.close();
    assert.deepEqual(complaints, []);
  });
  return page;
}

export const button = (page, name) => page.getByRole("button", { name, exact: true });

/** What has the focus, and how to come to something by Tab. */
export function keyboard(page) {
  const focused = () => page.evaluate(() => document.activeElement.labels?.[0]?.innerText || document.activeElement.innerText || "");
  const tabTo = async (text) => {
    for (let steps = 0; steps < 60; steps += 1) {
      if ((await focused()).trim() === text) return;
      await page.keyboard.press("Tab");
    }
    assert.fail(`Tab never comes to ${text}`);
  };
  return { focused, tabTo };
}

/** The texts of all that a locator finds, once there is one: a heading is there before the rows below it are read. */
export async function texts(locator) {
  await locator.first().waitFor();
  return locator.allInnerTexts();
}

/** Opens the console in a page, signed in by the link that `npm run dev` prints, with these claims. */
export async function open(page, world, fragment = "#/", claims = {}) {
  const { origin } = await world.mf.ready;
  await page.goto(`${origin}/console#token=${adminToken(claims)}`);
  await page.getByRole("navigation", { name: "Console" }).waitFor();
  await go(page, fragment);
}

/** Goes to a place in the console, as a link would; a dialog that is open is closed before. */
export async function go(page, fragment) {
  if (await page.getByRole("dialog").count()) await page.keyboard.press("Escape");
  await page.evaluate((fragment) => void (location.hash = fragment), fragment);
  await settled(page);
}

/** Waits until a page has what it reads. */
export async function settled(page) {
  await page.waitForFunction(() => !document.querySelector('.loading, [aria-busy="true"]') && document.querySelector("h1"));
  await page.waitForTimeout(50);
  await page.waitForFunction(() => !document.querySelector('.loading, [aria-busy="true"]'));
}
