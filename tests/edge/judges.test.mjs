// Judges from outside: two SCIM conformance tools that are none of ours, against the built worker in workerd, over HTTP on loopback, in
// both profiles. Each test prints how many checks its judge made and names what the judge skipped. The set-up installs them (see
// scripts/setup/judges.mjs); where Python is missing they are skipped by name, and `npm test` says what to install.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { judges } from "../../scripts/setup/judges.mjs";
import { scim2Tester, scimSanity } from "./support/judges.mjs";
import { withoutSecurityEvents } from "./support/older_reader.mjs";
import { startWorld } from "./support/world.mjs";

/** What a judge skips, and why that is right. Anything else that is skipped fails the test. */
const DRAFT = "draft-abbey-scim-agent-extension, which is no standard and not served";
const SKIPPED_BY_SCIM_SANITY = { "Agent CRUD Lifecycle": DRAFT, "AgenticApplication CRUD Lifecycle": DRAFT, "Agent Rapid Lifecycle": DRAFT };

/**
 * Where a judge is wrong, with the proof, or `compat` means otherwise; `why` is the short of it, for the output. Each of these (`said` is a pattern) has to be said exactly so: one that is said
 * no more is to be taken off this list.
 *
 * scim-sanity adds the member `fake-member-id` to a group and wants 200, which `compat` gives. `strict` does not: RFC 7643 §4.2: a member's
 * value "contains the value of an 'id' attribute of a SCIM resource", which this is not; §2.3.7: "A SCIM service provider MAY choose to
 * enforce referential integrity for reference types referring to SCIM resources." scim-sanity's own advice begins "RFC 7644 §3.5.2 does
 * not require …".
 */
const WRONG_OF_SCIM_SANITY = [
  {
    name: "PATCH /Groups/{id} add member",
    outcome: "objected",
    said: "Expected 200, got 400",
    why: "it adds a member that is nobody's id, which strict refuses (RFC 7643 §4.2)",
  },
];

/**
 * scim2-tester removes `active` and wants it gone, as RFC 7644 §3.5.2.2 has it and `strict` does. In `compat` it is false from then on and never
 * absent: products ask whether `active` is false, and nobody may keep an account because a client took the attribute away. What it was before, the tool chooses.
 */
const FALSE_IS_NOT_GONE = {
  name: "check_remove_attribute",
  outcome: "objected",
  why: "in compat `active` that is removed is false, and never gone",
  said: "ERROR\n  PATCH modify\\(\\) did not remove attribute 'active'\n  {'urn': 'active', 'initial_value': (True|False), 'modify_actual': False}",
};

/**
 * scim2-tester puts a member into a group and wants it back without a name. The name is a read-only sub-attribute that comes by default, as `display` of a
 * user's groups does (RFC 7643 §8.7.1): people read the list.
 */
const MEMBER = (display) => `\\[Members\\(value='[-0-9a-f]{36}', ref='[^']+', display=${display}, type='User'\\)\\]`;
const MEMBERS_HAVE_NAMES = ["check_add_attribute", "check_replace_attribute"].map((name) => ({
  name,
  outcome: "objected",
  why: "a member comes with its name by default (RFC 7643 §8.7.1)",
  said:
    "ERROR\n  PATCH modify\\(\\) returned unexpected value for 'members'.\n" +
    `Patched value: ${MEMBER("None")}\nReturned value: ${MEMBER("'[-0-9a-f]{36}'")}\n` +
    `  {'urn': 'members', 'expected': ${MEMBER("None")}, 'modify_actual': ${MEMBER("'[-0-9a-f]{36}'")}}`,
}));

const WRONG_OF_SCIM2_TESTER = { compat: [FALSE_IS_NOT_GONE, ...MEMBERS_HAVE_NAMES], strict: MEMBERS_HAVE_NAMES };

/**
 * scim2-tester forbids attributes that its models do not know, and ends at the first: at `securityEvents` of ServiceProviderConfig, which RFC 9967 adds to it
 * (§4). It sees the endpoint without that.
 */
const scim2TesterOfBefore = (base, token) => withoutSecurityEvents(base, (relayed) => scim2Tester(relayed, token));

const JUDGES = [
  { name: "scim2-tester", judge: scim2TesterOfBefore, passes: 135, skips: {}, wrong: (profile) => WRONG_OF_SCIM2_TESTER[profile] },
  { name: "scim-sanity", judge: scimSanity, passes: 28, skips: SKIPPED_BY_SCIM_SANITY, wrong: (profile) => (profile === "strict" ? WRONG_OF_SCIM_SANITY : []) },
];

const { missing } = await judges();
const skip = missing && `not judged: ${missing}`;
let world;
before(async () => (world = skip ? undefined : await startWorld()));
after(() => world?.stop());

const urlOf = async ({ base }) => new URL(base, await world.mf.ready).href;
const of = (checks, outcome) => checks.filter((check) => check.outcome === outcome);
const named = (checks) => checks.map(({ name, said }) => `${name}: ${said}`).join("\n\n");

/** Schemas of a tenant's own: with parts, with several values, with what nobody may write. None has a dateTime, for which scim2-tester sends a UUID. */
const OWN = [
  {
    id: "urn:ietf:params:scim:schemas:extension:Acme:2.0:User",
    name: "Acme",
    resource_type: "User",
    attributes: [
      { name: "costCode", description: "Who pays" },
      { name: "level", type: "integer" },
      { name: "contract", type: "complex", subAttributes: [{ name: "kind", canonicalValues: ["fixed", "open"] }, { name: "months", type: "integer" }] },
    ],
  },
  {
    id: "urn:example:skills:1.0:User",
    name: "Skills",
    resource_type: "User",
    attributes: [
      { name: "badge", mutability: "readOnly" },
      { name: "remote", type: "boolean" },
      { name: "desks", type: "complex", multiValued: true, subAttributes: [{ name: "value" }, { name: "type" }, { name: "primary", type: "boolean" }] },
    ],
  },
  { id: "urn:example:places:1.0:Group", name: "Places", resource_type: "Group", attributes: [{ name: "floor", type: "integer" }, { name: "city", lookup: true }] },
];

/**
 * scim2-tester adds a whole extension to a resource, and then a value of one of its attributes that has several, of which it wants no other back. RFC 7644 §3.5.2.1:
 * "If the target location specifies a multi-valued attribute, a new value is added to the attribute."
 */
const DESK = "Desks\\(value='[-0-9a-f]{36}', type='[-0-9a-f]{36}', primary=(True|False)\\)";
const ADDED_IS_ANOTHER = {
  name: "check_add_attribute",
  outcome: "objected",
  said:
    "ERROR\n  PATCH modify\\(\\) returned unexpected value for 'urn:example:skills:1.0:User:desks'.\n" +
    `Patched value: \\[${DESK}\\]\nReturned value: \\[${DESK}, ${DESK}\\]\n` +
    `  {'urn': 'urn:example:skills:1.0:User:desks', 'expected': \\[${DESK}\\], 'modify_actual': \\[${DESK}, ${DESK}\\]}`,
};

describe("conformance tools", () => {
  for (const profile of ["compat", "strict"]) {
    test(`scim2-tester finds nothing more to object to where a tenant has three schemas of its own, in ${profile}`, { skip, timeout: 300_000 }, async (t) => {
      const scim = await world.tenant({ profile, removal_fuse: null });
      for (const schema of OWN) assert.equal((await world.admin("POST", `/tenants/${scim.id}/schemas`, schema)).status, 201);
      const checks = await scim2TesterOfBefore(await urlOf(scim), scim.token);
      const wrong = [...WRONG_OF_SCIM2_TESTER[profile], ADDED_IS_ANOTHER];
      const isKnown = (check) => wrong.some((known) => known.name === check.name && new RegExp(`^${known.said}$`).test(check.said));
      const unknown = of(checks, "objected").filter((check) => !isKnown(check));
      if (unknown.length) assert.fail(named(unknown));
      const passed = of(checks, "passed");
      t.diagnostic(`scim2-tester on ${profile} with three schemas: ${passed.length} passed`);
      // Each attribute is added, replaced and removed, so there are more checks than without these.
      assert.ok(passed.length > 135 + 10, `${passed.length} passed`);
    });
  }

  test("scim2-tester does not know RFC 9967 yet: it ends at securityEvents, and is shown the endpoint without", { skip }, async () => {
    const scim = await world.tenant();
    await assert.rejects(scim2Tester(await urlOf(scim), scim.token), /1 validation error for ServiceProviderConfig\n\s*securityEvents\n\s*Extra inputs are not permitted/);
  });

  for (const { name, judge, passes, skips, wrong: wrongOn } of JUDGES) {
    for (const profile of ["compat", "strict"]) {
      const wrong = wrongOn(profile);
      const but = wrong.length ? `, but for ${wrong.length} that we know` : "";
      test(`${name} finds nothing wrong with ${profile}${but}`, { skip }, async (t) => {
        // A judge deletes all that it has made.
        const scim = await world.tenant({ profile, removal_fuse: null });
        const checks = await judge(await urlOf(scim), scim.token);
        const [passed, skipped, objections] = ["passed", "skipped", "objected"].map((outcome) => of(checks, outcome));
        t.diagnostic(`${name} on ${profile}: ${passed.length} passed, ${skipped.length} skipped, ${objections.length} that we know`);
        for (const check of skipped) t.diagnostic(`${name} on ${profile} skipped ${check.name}: ${skips[check.name] ?? check.said}`);
        for (const check of wrong) t.diagnostic(`${name} on ${profile}: its objection to ${check.name} is known, and why: ${check.why}`);

        const isSaid = (known, check) => known.name === check.name && new RegExp(`^${known.said}$`).test(check.said);
        const isKnown = (check) => wrong.some((known) => isSaid(known, check));
        const unknown = objections.filter((check) => !isKnown(check));
        if (unknown.length) assert.fail(named(unknown));
        assert.equal(objections.length, wrong.length);
        assert.deepEqual(wrong.filter((known) => !objections.some((check) => isSaid(known, check))), [], "said no more: take it off the list");
        assert.deepEqual(skipped.map((check) => check.name).sort(), Object.keys(skips).sort());
        // A judge that looks at less than it did proves less: the discovery documents say less, or the tool changed.
        const least = passes - wrong.length;
        assert.ok(passed.length >= least, `${passed.length} passed, ${least} did before`);
        assert.equal((await world.rows("select id from users where tenant_id = ?1", scim.id)).length, 0, "users are left behind");
      });
    }

    test(`${name} does object where there is something to object to`, { skip }, async () => {
      const scim = await world.tenant();
      const checks = await judge(await urlOf(scim), `${scim.token.slice(0, -1)}?`);
      assert.ok(of(checks, "objected").length > 5, named(checks));
    });
  }
});
