// A token that is revoked while a request of its is under way: nothing is written after the revocation was answered, however many round trips
// the request takes. The database holds back each writing batch for a moment (see support/faulty_d1.mjs), and the token is revoked then.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { contents } from "./support/consistency.mjs";
import { HELD, faultyD1 } from "./support/faulty_d1.mjs";
import { group, patch, rename, user } from "./support/resources.mjs";
import { startWorld } from "./support/world.mjs";

let world;
before(async () => (world = await startWorld(faultyD1)));
after(() => world?.stop());

describe("of a token that is revoked meanwhile", { concurrency: true }, () => {
  for (const [what, send] of [
    ["POST of a user", () => ["POST", "/Users", user(`${HELD}@example.com`)]],
    ["POST of a user who comes back", () => ["POST", "/Users", user("inactive@example.com", { displayName: HELD })]],
    ["PUT of a user", ({ someone }) => ["PUT", `/Users/${someone}`, user("someone@example.com", { displayName: HELD })]],
    ["PATCH of a user", ({ someone }) => ["PATCH", `/Users/${someone}`, rename(HELD)]],
    ["POST of a group", () => ["POST", "/Groups", group(HELD)]],
    ["PUT of a group", ({ team }) => ["PUT", `/Groups/${team}`, group(HELD)]],
    ["PATCH of a group", ({ team }) => ["PATCH", `/Groups/${team}`, rename(HELD)]],
  ]) {
    test(`a ${what} is refused, and writes nothing`, async () => {
      const tenant = await world.createTenant();
      const minted = await world.mintToken(tenant);
      const scim = world.scim(tenant, minted.token);
      const make = async (path, body) => (await scim.request("POST", path, { body })).body.id;
      const ids = { someone: await make("/Users", user("someone@example.com")), inactive: await make("/Users", user("inactive@example.com")), team: await make("/Groups", group("Team")) };
      assert.equal((await scim.request("PATCH", `/Users/${ids.inactive}`, { body: patch({ op: "replace", path: "active", value: false }) })).status, 200);

      const [method, path, body] = send(ids);
      const underWay = scim.request(method, path, { body });
      await sleep(400);
      assert.equal((await world.admin("DELETE", `/scim-tokens/${minted.id}`)).status, 204);
      const was = await contents(world, tenant);
      const reply = await underWay;
      assert.equal(await contents(world, tenant), was, `written after the token was revoked; answered ${reply.status}`);
      assert.equal(reply.status, 401, reply.text);
    });
  }
});
