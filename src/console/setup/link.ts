// The link that opened the page, and requests with it. Its secret lives in this module alone.
import createClient from "openapi-fetch";
import type { paths } from "openapi";
import type { Schemas } from "../api";

export type Setup = Schemas["SetupResponse"];

/** What the address says behind `#`: the tenant and the secret. */
const [, tenant = "", secret = ""] = /^#([^/]+)\/(rsl_\w+)$/.exec(location.hash) ?? [];

/** Whether the address has both. */
export const isWhole = Boolean(secret);

export const client = createClient<paths>({ baseUrl: location.origin });
client.use({
  onRequest({ request }) {
    request.headers.set("authorization", `Bearer ${secret}`);
  },
});

/** The parameters of its routes. */
export const path = { tenant_id: tenant };
