// One tenant: its pages, and the names of those who act in it.
import { createContext } from "preact";
import { useContext } from "preact/hooks";
import { api, ask } from "../api";
import { NothingHere, Page } from "../console";
import { useLoad } from "../load";
import { Shown } from "../parts/notice";
import { to, usePlace } from "../route";
import { may } from "../session";
import { Activity } from "./activity";
import { Group } from "./group";
import { Groups } from "./groups";
import { People } from "./people";
import { Person } from "./person";
import { Provider } from "./provider";
import { NewProvider, Providers } from "./providers";
import { Request } from "./request";
import { OwnSchemas } from "./schemas";
import { Settings } from "./settings";
import { Stream } from "./stream";
import { Streams } from "./streams";
import { Tokens } from "./tokens";

interface Tenant {
  id: string;
  name: string;
  /** By what a token or a provider is called: `scim-token:{id}`, `ldap-sync:{id}`. */
  actors: Map<string, string>;
  reload: () => void;
}

const Context = createContext<Tenant>({ id: "", name: "", actors: new Map(), reload: () => {} });
export const useTenant = () => useContext(Context);

interface Tab {
  at: string;
  text: string;
  scope: string;
  list: () => preact.JSX.Element;
  one?: (id: string) => preact.JSX.Element;
}

const TABS: Tab[] = [
  { at: "people", text: "People", scope: "scim:read", list: () => <People />, one: (id) => <Person key={id} id={id} /> },
  { at: "groups", text: "Groups", scope: "scim:read", list: () => <Groups />, one: (id) => <Group key={id} id={id} /> },
  { at: "activity", text: "Activity", scope: "audit:read", list: () => <Activity />, one: (id) => <Request key={id} id={id} /> },
  { at: "tokens", text: "Tokens", scope: "scim-tokens:read", list: () => <Tokens /> },
  { at: "providers", text: "Providers", scope: "identity-providers:read", list: () => <Providers />, one: (id) => (id === "new" ? <NewProvider /> : <Provider key={id} id={id} />) },
  { at: "events", text: "Events", scope: "audit:read", list: () => <Streams />, one: (id) => <Stream key={id} id={id} /> },
  { at: "schemas", text: "Schemas", scope: "tenants:read", list: () => <OwnSchemas /> },
  { at: "settings", text: "Settings", scope: "tenants:read", list: () => <Settings /> },
];

/** Names that are only for reading: where they cannot be had, ids stand in their place. */
async function read(id: string): Promise<Omit<Tenant, "id" | "reload">> {
  const actors = new Map<string, string>();
  const query = { tenant_id: id, per_page: 100 };
  const [tenant] = await Promise.all([
    may("tenants:read") ? ask(api.GET("/api/v1/admin/tenants/{tenant_id}", { params: { path: { tenant_id: id } } })) : null,
    may("scim-tokens:read") && ask(api.GET("/api/v1/admin/scim-tokens", { params: { query } })).then(({ data }) => data.forEach((token) => actors.set(`scim-token:${token.id}`, token.name))),
    may("identity-providers:read") &&
      ask(api.GET("/api/v1/admin/identity-providers", { params: { query } })).then(({ data }) => data.forEach((one) => actors.set(`ldap-sync:${one.id}`, one.display_name ?? one.name))),
  ]);
  return { name: tenant?.data.name ?? id, actors };
}

export function TenantPages({ tenant }: { tenant: string }) {
  const { parts } = usePlace();
  const loaded = useLoad(tenant, () => read(tenant));
  const tabs = TABS.filter(({ scope }) => may(scope));
  const [, , at = tabs[0]?.at, id] = parts;
  const tab = tabs.find((tab) => tab.at === at);
  if (!loaded.value) {
    return (
      <Page title={tenant}>
        <Shown loaded={loaded}>{() => null}</Shown>
      </Page>
    );
  }
  return (
    <Context.Provider value={{ id: tenant, reload: loaded.reload, ...loaded.value }}>
      <div class="tenant">
        <p class="of">
          <a href={to(["tenants"])}>Tenants</a> / <a href={to(["t", tenant])}>{loaded.value.name}</a>
        </p>
        <nav class="tabs" aria-label={`Pages of ${loaded.value.name}`}>
          {tabs.map(({ at: name, text }) => (
            <a key={name} href={to(["t", tenant, name])} aria-current={name === at ? (id ? "true" : "page") : undefined}>
              {text}
            </a>
          ))}
        </nav>
      </div>
      {tab ? (id && tab.one ? tab.one(id) : <div key={tab.at}>{tab.list()}</div>) : <NothingHere />}
    </Context.Provider>
  );
}

/** Who did something, by name where they have one. */
export function Actor({ actor }: { actor: string }) {
  const { actors } = useTenant();
  const [kind, id = ""] = actor.split(/:(.*)/s);
  const name = actors.get(actor);
  if (kind === "scim-token") return <span title={actor}>{name ?? `token …${id.slice(-6)}`}</span>;
  if (kind === "ldap-sync") return <span title={actor}>sync of {name ?? `…${id.slice(-6)}`}</span>;
  if (kind === "jwt") return <span title={actor}>{id}</span>;
  return <span>{actor}</span>;
}
