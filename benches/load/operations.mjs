// The operations that are measured. Each makes requests for a target; where it says so it prepares for a number of them, and clears up after
// them, outside of what is measured. `status` is what has to come back.
import { randomUUID } from "node:crypto";
import { cursorAfter } from "../../tests/edge/support/cursors.mjs";
import { facts, groupId, userId } from "../../tests/edge/support/population.mjs";
import { addMembers, patch, removeMembers } from "../../tests/edge/support/resources.mjs";
import { wellFormedToken } from "../../tests/edge/support/scim_token.mjs";
import { bulk, newUser, newUsers } from "./targets.mjs";

const PAGE = 100;
/** Most requests between preparing and clearing up, where that changes what the next requests cost. */
const FEW = 20;

const scim = (target, method, path, status, body) => ({ method, path: target.scim.base + path, headers: target.headers, status, body });
/** Somebody of the directory: another one each time, all over it, in the same order in each run. */
const somebody = (target) => (target.turn = ((target.turn ?? 0) + 7_919) % target.scale.users);
/** A place far into the directory. */
const deep = (target) => target.scale.users - 200;
const cursor = (target) => cursorAfter(target.scim, { id: userId(deep(target) - 1), count: PAGE, total: target.scale.users });

/** In the order in which they run: one that makes many users comes after those that count them. */
export const operations = () => [
  { name: "get a user", next: (target) => scim(target, "GET", `/Users/${userId(somebody(target))}`, 200) },
  { name: "list by userName", next: (target) => scim(target, "GET", `/Users?filter=${encodeURIComponent(`userName eq "${facts(somebody(target)).userName}"`)}`, 200) },
  { name: "page of 100 by index, at the start", rows: PAGE, next: (target) => scim(target, "GET", `/Users?startIndex=1&count=${PAGE}`, 200) },
  { name: "page of 100 by index, deep inside", rows: PAGE, next: (target) => scim(target, "GET", `/Users?startIndex=${deep(target) + 1}&count=${PAGE}`, 200) },
  { name: "page of 100 by cursor, at the start", rows: PAGE, next: (target) => scim(target, "GET", `/Users?count=${PAGE}&cursor=`, 200) },
  { name: "page of 100 by cursor, deep inside", rows: PAGE, next: (target) => scim(target, "GET", `/Users?count=${PAGE}&cursor=${cursor(target)}`, 200) },
  { name: "refuse a token", next: (target) => ({ ...scim(target, "GET", `/Users/${userId(1)}`, 401), headers: { ...target.headers, authorization: `Bearer ${wellFormedToken()}` } }) },
  { name: "patch active", next: patchActive },
  ...[10, 1_000, 100_000].flatMap((size) => ofGroup(size)),
  { name: "create a user", next: (target) => scim(target, "POST", "/Users", 201, newUser(target)) },
  {
    name: "delete a user",
    prepare: async (target, count) => (target.doomed = await newUsers(target, count)),
    next: (target) => scim(target, "DELETE", `/Users/${target.doomed.pop()}`, 204),
  },
  { name: "bulk of 1,000 creates", most: { 1: 3 }, alone: true, next: (target) => scim(target, "POST", "/Bulk", 200, bulk(target, 1_000)) },
];

/** Whoever is found is made what he is not. */
function patchActive(target) {
  const number = somebody(target);
  const states = (target.states ??= new Map());
  const active = !(states.get(number) ?? number % 10 !== 0);
  states.set(number, active);
  return scim(target, "PATCH", `/Users/${userId(number)}`, 200, patch({ op: "replace", path: "active", value: active }));
}

/** What is done to a group of that size, in the largest directory alone. */
function ofGroup(size) {
  const has = (target) => target.scale.sizes.includes(size);
  const id = (target) => groupId(target.scale.sizes.indexOf(size));
  const joining = {
    name: "add a member",
    few: FEW,
    // Sixteen that write one group at once are told to come again: a client sends one change of a group after the other.
    alone: true,
    prepare: (target) => (target.joined = []),
    next: (target) => {
      const member = target.newcomers[(target.joining = ((target.joining ?? 0) + 1) % target.newcomers.length)];
      target.joined.push(member);
      return scim(target, "PATCH", `/Groups/${id(target)}`, size <= 500 ? 200 : 204, addMembers([member]));
    },
    clearUp: async (target) => {
      const reply = await target.scim.request("PATCH", `/Groups/${id(target)}?excludedAttributes=members`, { body: removeMembers(target.joined) });
      if (reply.status > 204) throw new Error(`PATCH /Groups: ${reply.status} ${reply.text}`);
    },
  };
  const reading = { name: "get a group", most: size > 10_000 ? { 1: 5, 16: 16 } : undefined, next: (target) => scim(target, "GET", `/Groups/${id(target)}`, 200) };
  return [joining, reading].map((operation) => ({ ...operation, has, size }));
}

/** The floor's request with as many round trips and rows, that writes where the operation writes. */
export function floorRequest({ method, body }, trips, rows = 1) {
  const reads = method === "GET";
  return { method: reads ? "GET" : "POST", path: reads ? `/${trips}/${rows}` : `/${trips}`, status: 200, headers: {}, body: reads ? undefined : (body ?? randomUUID()) };
}
