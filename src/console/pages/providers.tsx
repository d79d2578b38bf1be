// A tenant's identity providers, and a new one.
import { useState } from "preact/hooks";
import { type Schemas, api, ask } from "../api";
import { useDoing, useLoad } from "../load";
import { Page } from "../console";
import { Choice } from "../parts/form";
import { Badge, Empty, Shown } from "../parts/notice";
import { Table } from "../parts/table";
import { When } from "../parts/when";
import { go, to } from "../route";
import { may } from "../session";
import { type Protocol, type Values, bodyOf, valuesOf } from "./provider_fields";
import { ProviderForm } from "./provider_form";
import { fetchMetadata } from "./provider_metadata";
import { useTenant } from "./tenant";

export const KINDS: [Protocol, string][] = [
  ["OIDC", "OpenID Connect, for logins"],
  ["SAML", "SAML, for logins"],
  ["LDAP", "LDAP, a directory to sync"],
];

export function Providers() {
  const tenant = useTenant();
  const loaded = useLoad(tenant.id, () => ask(api.GET("/api/v1/admin/identity-providers", { params: { query: { tenant_id: tenant.id, per_page: 100 } } })));
  const actions = may("identity-providers:write") && (
    <a class="button" href={to(["t", tenant.id, "providers", "new"])}>
      New provider
    </a>
  );
  return (
    <Page title="Providers" actions={actions}>
      <Shown loaded={loaded}>
        {({ data }) =>
          data.length === 0 ? (
            <Empty>There is none yet. Providers are for logins (OpenID Connect, SAML) and for directories that are synced (LDAP); SCIM needs a token alone.</Empty>
          ) : (
            <Table
              caption="Identity providers"
              rows={data}
              id={(one) => one.id}
              columns={[
                { head: "Name", kind: "wide", cell: (one) => <a href={to(["t", tenant.id, "providers", one.id])}>{one.display_name ?? one.name}</a> },
                { head: "Kind", cell: (one) => one.protocol },
                { head: "State", cell: (one) => (one.enabled ? <Badge kind="good">enabled</Badge> : <Badge kind="warn">disabled</Badge>) },
                { head: "Last sync", cell: (one) => (one.protocol === "LDAP" ? <When at={one.last_sync} /> : "") },
              ]}
            />
          )
        }
      </Shown>
    </Page>
  );
}

export function NewProvider() {
  const tenant = useTenant();
  const [protocol, setProtocol] = useState<Protocol>("OIDC");
  // What was typed for one kind is there again where one comes back to it.
  const [typed, setTyped] = useState<Record<Protocol, Values>>({ OIDC: valuesOf("OIDC", null), SAML: valuesOf("SAML", null), LDAP: valuesOf("LDAP", null) });
  const doing = useDoing();
  const submit = () =>
    doing.run(async () => {
      const body = { tenant_id: tenant.id, provider_type: protocol, ...bodyOf(protocol, typed[protocol], null) } as Schemas["AdminIdPCreate"];
      const { data } = await ask(api.POST("/api/v1/admin/identity-providers", { body }));
      tenant.reload();
      go(to(["t", tenant.id, "providers", data.id]));
    });
  return (
    <Page title="New provider">
      <div class="narrow page">
        <Choice label="Kind" value={protocol} onValue={(value) => (doing.clear(), setProtocol(value as Protocol))} options={KINDS} />
        <ProviderForm key={protocol} protocol={protocol} provider={null} values={typed[protocol]} onValues={(values) => setTyped({ ...typed, [protocol]: values })} deed="Make the provider" doing={doing} fetchMetadata={fetchMetadata} onSubmit={submit} />
      </div>
    </Page>
  );
}
