// What identity providers are known to send, replayed against the built worker: every conversation of tests/fixtures/idp on a tenant of the
// compat profile, and those that say so on one of the strict profile too.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { fixtures, replay } from "./support/fixtures.mjs";
import { startWorld } from "./support/world.mjs";

let world;
before(async () => (world = await startWorld()));
after(() => world?.stop());

describe("conversations with identity providers", () => {
  for (const fixture of fixtures()) {
    for (const profile of fixture.strict ? ["compat", "strict"] : ["compat"]) {
      test(`${fixture.name} on ${profile}: ${fixture.about}`, async () => {
        const differing = await replay(fixture, await world.tenant({ profile }), profile);
        // One message, because an assertion on it would print every line twice.
        if (differing.size) assert.fail([...differing.values()].join("\n\n"));
      });
    }
  }
});

test("no conversation is missing", () => {
  const names = fixtures().map(({ name }) => name);
  assert.ok(names.length >= 37, `${names.length} conversations`);
});
