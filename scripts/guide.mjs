// What to do with a running endpoint, from nothing to a user who is listed: `npm run dev` prints it, docs/first-steps.md shows it, and a test runs it.
// The commands can be pasted as they are, into bash or zsh: each takes the ids that it needs from the replies before, with node for a JSON reader.
// A reply that has no such field says itself what is wrong: it is shown as it came.

const field = (path) => `node -p 't=fs.readFileSync(0,"utf8");try{JSON.parse(t).${path}}catch{console.error(t);""}'`;
const json = (type) => `-H "Content-Type: application/${type}"`;
const as = (credential) => `-H "Authorization: Bearer $${credential}"`;

/** [{ what, command }], in their order. */
export const guide = (url) => [
  {
    what: "A tenant, one customer of your product, with an administrator's token",
    command: `export URL=${url} ADMIN=$(npm run -s token)
export TENANT=$(curl -sS $URL/api/v1/admin/tenants/ ${as("ADMIN")} \\
  ${json("json")} -d '{"name":"Example"}' | ${field("data.id")})
echo "$TENANT"`,
  },
  {
    what: "A SCIM token for it: what an identity provider is given, together with $SCIM",
    command: `export SCIM=$URL/api/v1/tenants/$TENANT/scim/v2
export TOKEN=$(curl -sS $URL/api/v1/admin/scim-tokens/ ${as("ADMIN")} \\
  ${json("json")} -d '{"tenant_id":"'$TENANT'","name":"first token"}' | ${field("data.token")})
echo "$TOKEN"`,
  },
  {
    what: "A user, as an identity provider makes one",
    command: `curl -sSi $SCIM/Users ${as("TOKEN")} ${json("scim+json")} \\
  -d '{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"ada@example.com","name":{"givenName":"Ada","familyName":"Lovelace"}}'; echo`,
  },
  {
    what: "All users",
    command: `curl -sS $SCIM/Users ${as("TOKEN")}; echo`,
  },
  {
    what: "What to paste into the forms of Entra ID, Okta, OneLogin, JumpCloud, Google, Ping and any other",
    command: `curl -sS "$URL/api/v1/admin/scim-tokens/endpoint-info?tenant_id=$TENANT" ${as("ADMIN")}; echo`,
  },
];
