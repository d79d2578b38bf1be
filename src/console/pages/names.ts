// What people and groups are called, where only their ids are at hand.
import { api, ask } from "../api";
import { useLoad } from "../load";
import { may } from "../session";
import { personName } from "./people";
import { useTenant } from "./tenant";

export type Names = Map<string, string>;

/** Comparisons that a filter may have. */
const COMPARED = 40;

/** Names by ids, of those who are still there. */
export function useNames(type: "Users" | "Groups", ids: string[]): Names {
  const tenant = useTenant();
  const wanted = may("scim:read") ? [...new Set(ids)].sort() : [];
  const loaded = useLoad(`${type} ${wanted.join()}`, async () => {
    const names: Names = new Map();
    for (let from = 0; from < wanted.length; from += COMPARED) {
      const filter = wanted.slice(from, from + COMPARED).map((id) => `id eq ${JSON.stringify(id)}`).join(" or ");
      const params = { path: { tenant_id: tenant.id }, query: { filter, count: COMPARED, attributes: ["userName", "displayName", "name"] } };
      if (type === "Users") {
        const { Resources } = await ask(api.GET("/api/v1/tenants/{tenant_id}/scim/v2/Users", { params }));
        for (const user of Resources) names.set(user.id!, personName(user));
      } else {
        const { Resources } = await ask(api.GET("/api/v1/tenants/{tenant_id}/scim/v2/Groups", { params }));
        for (const group of Resources) names.set(group.id!, group.displayName ?? "");
      }
    }
    return names;
  });
  return loaded.value ?? new Map();
}
