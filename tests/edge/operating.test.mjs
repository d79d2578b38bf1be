// docs/operating.md: its commands are run as they stand there, one after the other, and what they print has what the page shows.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { inRoot } from "../../scripts/setup/paths.mjs";
import { group, patch, user } from "./support/resources.mjs";
import { adminToken, startWorld } from "./support/world.mjs";

let world;
before(async () => (world = await startWorld()));
after(() => world.stop());
// What the commands write lies there.
const folder = mkdtempSync(join(tmpdir(), "rollcall-operating-"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** The page's blocks of commands, each with the reply that is shown below it, where one is. */
function steps(page) {
  const blocks = [...page.matchAll(/^```(sh|json)\n(.*?)^```$/gms)].map(([, kind, text]) => ({ kind, text }));
  return blocks.flatMap(({ kind, text }, index) => (kind === "sh" ? [{ commands: text, shown: blocks[index + 1]?.kind === "json" ? JSON.parse(blocks[index + 1].text) : undefined }] : []));
}

/** Whether a reply has all that is shown: `…` in a text stands for anything. */
function has(actual, shown, where) {
  if (typeof shown === "string" && shown.includes("…")) {
    const pieces = shown.split("…").map((piece) => piece.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
    assert.match(String(actual), new RegExp(`^${pieces.join(".+")}$`, "s"), where);
  } else if (Array.isArray(shown)) {
    assert.equal(actual?.length, shown.length, where);
    shown.forEach((one, index) => has(actual[index], one, `${where}[${index}]`));
  } else if (shown && typeof shown === "object") {
    for (const [name, value] of Object.entries(shown)) has(actual?.[name], value, `${where}.${name}`);
  } else {
    assert.deepEqual(actual, shown, where);
  }
}

test("the commands of docs/operating.md do what the page says", { timeout: 120_000 }, async () => {
  const tenant = await world.createTenant();
  const minted = await world.mintToken(tenant);
  const scim = world.scim(tenant, minted.token);
  const made = async (path, body) => (await scim.request("POST", path, { body })).body.id;
  const [ada, bob] = [await made("/Users", user("ada@example.com")), await made("/Users", user("bob@example.com"))];
  const finance = await made("/Groups", group("Finance", [ada, bob]));
  // What happened on Tuesday.
  const changed = await scim.request("PATCH", `/Groups/${finance}`, { body: patch({ op: "Replace", path: "members", value: [{ value: bob }] }) });
  assert.equal(changed.status, 200, changed.text);

  const url = String(await world.mf.ready).replace(/\/$/, "");
  const env = { ...process.env, URL: url, ADMIN: adminToken(), TENANT: tenant.id, TOKEN: minted.token, TOKEN_ID: minted.id, SCIM: `${url}${scim.base}` };
  let definitions = "";
  for (const { commands, shown } of steps(readFileSync(inRoot("docs", "operating.md"), "utf8"))) {
    if (commands.includes("$SINCE")) {
      env.SINCE = new Date().toISOString();
      const off = await scim.request("PATCH", `/Users/${bob}`, { body: patch({ op: "replace", path: "active", value: false }) });
      assert.equal(off.status, 200, off.text);
    }
    // What earlier blocks define is defined again: a shell is no further than its script.
    const { stdout } = await promisify(execFile)("bash", ["-c", `set -euo pipefail\n${definitions}\n${commands}`], { env, cwd: folder });
    const replies = stdout.split(/(?<=\})(?=\{)/).filter((text) => text.startsWith("{")).map((text) => JSON.parse(text));
    if (shown) has(replies.at(-1), shown, commands.trim().split("\n").at(-1));
    for (const reply of replies) assert.equal(reply.detail, undefined, `${commands}\n${stdout}`);
    definitions += commands.split("\n").filter((line) => /^\w+(\(\)|=)/.test(line)).join("\n") + "\n";
  }
});
