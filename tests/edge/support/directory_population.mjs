// A directory of any size as LDIF, in parts: users user-000000 … below ou=people, every group with `members` of them, one after the other. It has grown
// over time, a change a second: what fills its database writes tens of thousands of entries in one.
import { BASE } from "./slapd.mjs";

const number = (index) => String(index).padStart(6, "0");
export const userDn = (index) => `uid=user-${number(index)},ou=people,${BASE}`;
const id = (kind, index) => `0000000${kind}-0000-4000-8000-${String(index).padStart(12, "0")}`;
const changed = (index) => new Date(Date.UTC(2025, 0, 1) + index * 1_000).toISOString().replace(/\.\d+|[-T:]/g, "");

export function* population({ users, groups, members }) {
  for (let index = 0; index < users; index += 1) {
    const name = `user-${number(index)}`;
    yield `dn: ${userDn(index)}
objectClass: inetOrgPerson
uid: ${name}
cn: User ${number(index)}
givenName: User
sn: ${number(index)}
mail: ${name}@example.com
entryUUID: ${id(1, index)}
modifyTimestamp: ${changed(index)}
`;
  }
  for (let index = 0; index < groups; index += 1) {
    const of = Array.from({ length: members }, (_, place) => `member: ${userDn((index * members + place) % users)}\n`);
    yield `dn: cn=group-${number(index)},ou=groups,${BASE}
objectClass: groupOfNames
cn: group-${number(index)}
entryUUID: ${id(2, index)}
modifyTimestamp: ${changed(users + index)}
${of.join("")}`;
  }
}
