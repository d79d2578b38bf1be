// What a SAML provider publishes at an address, fetched by the service: a page may ask nobody else.
import { api, ask } from "../api";

export const fetchMetadata = async (url: string) => (await ask(api.POST("/api/v1/admin/identity-providers/saml-metadata", { body: { url } }))).data.metadata;
