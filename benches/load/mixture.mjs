// What identity providers do all day, on one connection of many: mostly looking, now and then changing. A connection changes users and a
// group of its own, so that every request has one right answer.
import { facts, userId } from "../../tests/edge/support/population.mjs";
import { addMembers, group, patch, removeMembers } from "../../tests/edge/support/resources.mjs";
import { wellFormedToken } from "../../tests/edge/support/scim_token.mjs";
import { newUser } from "./targets.mjs";

const PAGE = 100;
/** Most users of its own that a connection keeps. */
const KEPT = 50;

/** Makes requests without end, each `{ name, method, path, headers, status, body, then }`; `then` is told the reply. */
export class Mixture {
  constructor(target, group) {
    Object.assign(this, { target, group, own: [], member: undefined, turn: 0 });
  }

  static async start(target) {
    const made = await target.scim.request("POST", "/Groups", { body: group(`Own ${Math.random()}`) });
    if (made.status !== 201) throw new Error(`POST /Groups: ${made.status} ${made.text}`);
    return new Mixture(target, made.body.id);
  }

  next() {
    const chance = Math.random();
    const whom = Math.floor(Math.random() * this.target.scale.users);
    if (chance < 0.5) return this.#ask("get a user", "GET", `/Users/${userId(whom)}`, 200);
    if (chance < 0.65) return this.#ask("list by userName", "GET", `/Users?filter=${encodeURIComponent(`userName eq "${facts(whom).userName}"`)}`, 200);
    if (chance < 0.7) return this.#ask("page of 100", "GET", `/Users?count=${PAGE}&cursor=`, 200);
    if (chance < 0.75) return { ...this.#ask("refuse a token", "GET", `/Users/${userId(whom)}`, 401), headers: { ...this.target.headers, authorization: `Bearer ${wellFormedToken()}` } };
    if (chance < 0.85) return this.#patchOwn();
    if (chance < 0.95) return this.own.length < KEPT && Math.random() < 0.5 ? this.#create() : this.#deleteOwn();
    return this.#joinOrLeave();
  }

  #ask(name, method, path, status, body, then) {
    return { name, method, path: this.target.scim.base + path, headers: this.target.headers, status, body, then };
  }

  #create() {
    return this.#ask("create a user", "POST", "/Users", 201, newUser(this.target), (reply) => this.own.push(JSON.parse(reply.bytes).id));
  }

  #patchOwn() {
    if (this.own.length === 0) return this.#create();
    this.turn += 1;
    return this.#ask("patch a user", "PATCH", `/Users/${this.own[0]}`, 200, patch({ op: "replace", path: "nickName", value: `turn ${this.turn}` }));
  }

  #deleteOwn() {
    const id = this.own.length > 1 ? this.own.pop() : undefined;
    return id ? this.#ask("delete a user", "DELETE", `/Users/${id}`, 204) : this.#create();
  }

  #joinOrLeave() {
    const path = `/Groups/${this.group}`;
    if (this.member) {
      const leaving = this.member;
      this.member = undefined;
      return this.#ask("remove a member", "PATCH", path, 200, removeMembers([leaving]));
    }
    this.member = userId(Math.floor(Math.random() * this.target.scale.users));
    return this.#ask("add a member", "PATCH", path, 200, addMembers([this.member]));
  }
}
