// What an integrator writes with @hey-api/openapi-ts. It is compiled, not run.
import { createClient } from "./rollcall/client";
import * as rollcall from "./rollcall";

export async function provision(baseUrl: string, administrator: string): Promise<string[]> {
  const client = createClient({ baseUrl, auth: administrator });
  const tenant = await rollcall.createTenant({ client, body: { name: "Example" } });
  if (!tenant.data) throw new Error(JSON.stringify(tenant.error.detail));
  const tenant_id = tenant.data.data.id;
  await rollcall.updateTenant({ client, path: { tenant_id }, body: { scim_profile: "strict" } });

  const minted = await rollcall.createScimToken({ client, body: { tenant_id, name: "first token" }, throwOnError: true });
  await rollcall.rotateScimToken({ client, path: { token_id: minted.data.data.id }, body: {} });
  await rollcall.createIdentityProvider({
    client,
    body: { tenant_id, name: "Login", protocol: "OIDC", oidc_config: { issuer: "https://login.example.com", client_id: "rollcall" } },
  });
  await rollcall.updateIdentityProviderOfTenant({ client, path: { tenant_id, idp_id: "login" }, body: { enabled: false, attribute_mapping: { groups: "roles" } } });

  const scim = createClient({ baseUrl, auth: minted.data.data.token });
  const ada: rollcall.UserRequest = {
    schemas: ["urn:ietf:params:scim:schemas:core:2.0:User"],
    userName: "ada@example.com",
    name: { givenName: "Ada", familyName: "Lovelace" },
    emails: [{ value: "ada@example.com", primary: true }],
  };
  const made = await rollcall.createUser({ client: scim, path: { tenant_id }, body: ada, throwOnError: true });
  await rollcall.patchUser({
    client: scim,
    path: { tenant_id, id: made.data.id },
    headers: { "If-Match": made.data.meta?.version },
    body: { schemas: ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], Operations: [{ op: "replace", value: { active: false } }] },
  });
  await rollcall.bulk({
    client: scim,
    path: { tenant_id },
    body: { schemas: ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], Operations: [{ method: "POST", path: "/Users", bulkId: "ada", data: ada }] },
  });
  await rollcall.deleteGroup({ client: scim, path: { tenant_id, id: made.data.id } });
  const found = await rollcall.listUsers({ client: scim, path: { tenant_id }, query: { filter: 'userName eq "ada@example.com"', attributes: ["userName"] } });
  return found.data?.Resources.map((user) => user.userName ?? user.id) ?? [];
}

export function mistakes() {
  return [
    // @ts-expect-error A tenant has a name.
    rollcall.createTenant({ body: {} }),
    // @ts-expect-error There is no such profile.
    rollcall.createTenant({ body: { name: "Example", scim_profile: "lax" } }),
    // @ts-expect-error A user has a `userName`.
    rollcall.createUser({ path: { tenant_id: "x" }, body: { schemas: [] } }),
    // @ts-expect-error The tenant is in the path.
    rollcall.listUsers({}),
    // @ts-expect-error A removal has a path.
    rollcall.patchGroup({ path: { tenant_id: "x", id: "y" }, body: { schemas: [], Operations: [{ op: "remove" }] } }),
  ];
}
