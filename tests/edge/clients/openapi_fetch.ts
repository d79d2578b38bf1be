// What an integrator writes with openapi-typescript and openapi-fetch. It is compiled, not run.
import createClient from "openapi-fetch";
import type { components, paths } from "./openapi_typescript";

export async function provision(baseUrl: string, administrator: string): Promise<string[]> {
  const admin = createClient<paths>({ baseUrl, headers: { authorization: `Bearer ${administrator}` } });
  const tenant = await admin.POST("/api/v1/admin/tenants", { body: { name: "Example" } });
  if (!tenant.data) throw new Error(JSON.stringify(tenant.error.detail));
  const tenant_id = tenant.data.data.id;
  await admin.PATCH("/api/v1/admin/tenants/{tenant_id}", { params: { path: { tenant_id } }, body: { scim_profile: "strict" } });

  const minted = await admin.POST("/api/v1/admin/scim-tokens", { body: { tenant_id, name: "first token" } });
  const token = minted.data?.data.token ?? "";
  await admin.POST("/api/v1/admin/scim-tokens/{token_id}/rotate", { params: { path: { token_id: minted.data?.data.id ?? "" } }, body: {} });
  await admin.POST("/api/v1/admin/identity-providers", {
    body: { tenant_id, name: "Login", protocol: "OIDC", oidc_config: { issuer: "https://login.example.com", client_id: "rollcall" } },
  });
  await admin.PATCH("/api/v1/tenants/{tenant_id}/identity-providers/{idp_id}", {
    params: { path: { tenant_id, idp_id: "login" } },
    body: { enabled: false, attribute_mapping: { groups: "roles" } },
  });

  const scim = createClient<paths>({ baseUrl, headers: { authorization: `Bearer ${token}`, "content-type": "application/scim+json" } });
  const base = "/api/v1/tenants/{tenant_id}/scim/v2";
  const ada: components["schemas"]["UserRequest"] = {
    schemas: ["urn:ietf:params:scim:schemas:core:2.0:User"],
    userName: "ada@example.com",
    name: { givenName: "Ada", familyName: "Lovelace" },
    emails: [{ value: "ada@example.com", primary: true }],
  };
  const made = await scim.POST(`${base}/Users`, { params: { path: { tenant_id } }, body: ada });
  const id = made.data?.id ?? "";
  await scim.PATCH(`${base}/Users/{id}`, {
    params: { path: { tenant_id, id }, header: { "If-Match": made.data?.meta?.version } },
    body: { schemas: ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], Operations: [{ op: "replace", value: { active: false } }] },
  });
  await scim.POST(`${base}/Bulk`, {
    params: { path: { tenant_id } },
    body: { schemas: ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], Operations: [{ method: "POST", path: "/Users", bulkId: "ada", data: ada }] },
  });
  await scim.DELETE(`${base}/Groups/{id}`, { params: { path: { tenant_id, id } } });
  const found = await scim.GET(`${base}/Users`, { params: { path: { tenant_id }, query: { filter: 'userName eq "ada@example.com"', attributes: ["userName"] } } });
  return found.data?.Resources.map((user) => user.userName ?? user.id) ?? [];
}

export function mistakes(client: ReturnType<typeof createClient<paths>>) {
  return [
    // @ts-expect-error A tenant has a name.
    client.POST("/api/v1/admin/tenants", { body: {} }),
    // @ts-expect-error There is no such profile.
    client.POST("/api/v1/admin/tenants", { body: { name: "Example", scim_profile: "lax" } }),
    // @ts-expect-error A user has a `userName`.
    client.POST("/api/v1/tenants/{tenant_id}/scim/v2/Users", { params: { path: { tenant_id: "x" } }, body: { schemas: [] } }),
    // @ts-expect-error The tenant is in the path.
    client.GET("/api/v1/tenants/{tenant_id}/scim/v2/Users", {}),
    // @ts-expect-error A removal has a path.
    client.PATCH("/api/v1/tenants/{tenant_id}/scim/v2/Groups/{id}", { params: { path: { tenant_id: "x", id: "y" } }, body: { schemas: [], Operations: [{ op: "remove" }] } }),
  ];
}
