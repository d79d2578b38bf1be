// What identity providers are known to send, replayed against the built worker: every conversation of tests/fixtures/idp on a tenant of the
// compat profile, and those that say so on one of the strict profile too.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { fixtures, replay } from "./support/fixtures.mjs";
import { startWorld } from "./support/world.mjs";

/**
 * Steps that need something not built yet, and what that is. They are sent all the same and have to differ: one that is answered as
 * expected is to be taken off this list. Every other step of the same conversation has to hold.
 */
const NOT_BUILT = {
  S01: { steps: [1, 2], reason: "its ServiceProviderConfig offers Bulk" },
};

let world;
before(async () => (world = await startWorld()));
after(() => world?.stop());

describe("conversations with identity providers", () => {
  for (const fixture of fixtures()) {
    const { steps = [], reason } = NOT_BUILT[fixture.name] ?? {};
    const but = reason ? ` (but steps ${steps}, not built yet: ${reason})` : "";
    for (const profile of fixture.strict ? ["compat", "strict"] : ["compat"]) {
      test(`${fixture.name} on ${profile}: ${fixture.about}${but}`, async () => {
        const differing = await replay(fixture, await world.tenant({ profile }), profile);
        for (const step of steps) assert.ok(differing.delete(step), `step ${step} is answered as expected: take it off the list of what is not built`);
        // One message, because an assertion on it would print every line twice.
        if (differing.size) assert.fail([...differing.values()].join("\n\n"));
      });
    }
  }
});

test("no conversation is missing, and each one named as not built yet is there", () => {
  const names = fixtures().map(({ name }) => name);
  assert.ok(names.length >= 37, `${names.length} conversations`);
  for (const name of Object.keys(NOT_BUILT)) assert.ok(names.includes(name), name);
});
