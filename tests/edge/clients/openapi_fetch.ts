// What an integrator writes with openapi-typescript and openapi-fetch. It is compiled, and `provision` is run against the workers.
import createClient from "openapi-fetch";
import type { components, paths } from "./openapi_typescript";

/** What a call answered; an error with the reply's body where it was refused. */
function got<T>({ data, error, response }: { data?: T; error?: unknown; response: Response }): T {
  if (data === undefined) throw new Error(`${response.status} ${JSON.stringify(error)}`);
  return data;
}

/** Administers a tenant, changes its users and groups, and takes the events of that. */
export async function provision(baseUrl: string, administrator: string) {
  const admin = createClient<paths>({ baseUrl, headers: { authorization: `Bearer ${administrator}` } });
  const tenant_id = got(await admin.POST("/api/v1/admin/tenants", { body: { name: "Example" } })).data.id;
  const path = { tenant_id };
  const { scim_profile } = got(await admin.PATCH("/api/v1/admin/tenants/{tenant_id}", { params: { path }, body: { scim_profile: "strict" } })).data;

  const minted = got(await admin.POST("/api/v1/admin/scim-tokens", { body: { tenant_id, name: "first token" } })).data;
  const rotated = got(await admin.POST("/api/v1/admin/scim-tokens/{token_id}/rotate", { params: { path: { token_id: minted.id } }, body: {} })).data;
  const provider = got(
    await admin.POST("/api/v1/admin/identity-providers", {
      body: { tenant_id, name: "Login", protocol: "OIDC", oidc_config: { issuer: "https://login.example.com", client_id: "rollcall" } },
    }),
  ).data;
  const { enabled } = got(
    await admin.PATCH("/api/v1/tenants/{tenant_id}/identity-providers/{idp_id}", {
      params: { path: { tenant_id, idp_id: provider.id } },
      body: { enabled: false, attribute_mapping: { groups: "roles" } },
    }),
  ).data;
  const stream = got(
    await admin.POST("/api/v1/tenants/{tenant_id}/event-streams", { params: { path }, body: { name: "product", kind: "webhook", url: "https://product.example.com/events", types: ["user.*"], is_active: false } }),
  ).data;

  const scim = createClient<paths>({ baseUrl, headers: { authorization: `Bearer ${rotated.token}`, "content-type": "application/scim+json" } });
  const base = "/api/v1/tenants/{tenant_id}/scim/v2";
  const ada: components["schemas"]["UserRequest"] = {
    schemas: ["urn:ietf:params:scim:schemas:core:2.0:User"],
    userName: "ada@example.com",
    name: { givenName: "Ada", familyName: "Lovelace" },
    emails: [{ value: "ada@example.com", primary: true }],
  };
  const made = got(await scim.POST(`${base}/Users`, { params: { path }, body: ada }));
  const id = made.id;
  const off = got(
    await scim.PATCH(`${base}/Users/{id}`, {
      params: { path: { tenant_id, id }, header: { "If-Match": made.meta?.version } },
      body: { schemas: ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], Operations: [{ op: "replace", value: { active: false } }] },
    }),
  );
  const bulk = got(
    await scim.POST(`${base}/Bulk`, {
      params: { path },
      body: { schemas: ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], Operations: [{ method: "POST", path: "/Groups", bulkId: "team", data: { schemas: ["urn:ietf:params:scim:schemas:core:2.0:Group"], displayName: "Team", members: [{ value: id }] } }] },
    }),
  );
  const missing = await scim.DELETE(`${base}/Groups/{id}`, { params: { path: { tenant_id, id } } });
  const found = got(await scim.GET(`${base}/Users`, { params: { path, query: { filter: 'userName eq "ada@example.com"', attributes: ["userName"] } } }));

  const feed = got(await admin.GET("/api/v1/tenants/{tenant_id}/events", { params: { path, query: { after: 0, limit: 100, types: "user.*,group.*" } } }));
  const deliveries = got(await admin.GET("/api/v1/tenants/{tenant_id}/event-streams/{stream_id}/deliveries", { params: { path: { tenant_id, stream_id: stream.id } } }));
  return {
    profile: scim_profile,
    enabled,
    active: off.active,
    bulk: bulk.Operations?.map(({ status }) => status),
    missing: missing.response.status,
    names: found.Resources.map((user) => user.userName ?? user.id),
    events: feed.data.map(({ type, resource }) => `${type} ${resource.id === id}`),
    has_more: feed.pagination.has_more,
    deliveries: deliveries.data.length,
    kind: stream.kind,
  };
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
