// Identity providers that people log in by, and directories: a form of their kind, and the test of what was saved.
import { useState } from "preact/hooks";
import { type Schemas, ask } from "../api";
import { useDoing } from "../load";
import { Choice } from "../parts/form";
import { Badge, Failed, Notice } from "../parts/notice";
import { type Protocol, bodyOf, valuesOf } from "../pages/provider_fields";
import { ProviderForm } from "../pages/provider_form";
import { type Setup, client, path } from "./link";

interface Props {
  setup: Setup;
  title: string;
  /** What the button says that opens the form. */
  deed: string;
  /** Whether the link is for this alone: the form is open then. */
  isAlone: boolean;
  kinds: Protocol[];
  reload: () => void;
}

const NAMES: Record<Protocol, string> = { OIDC: "OpenID Connect", SAML: "SAML 2.0", LDAP: "LDAP" };

export function SignIn({ setup, title, deed, isAlone, kinds, reload }: Props) {
  const own = setup.identity_providers.filter(({ protocol }) => kinds.includes(protocol));
  const [protocol, setProtocol] = useState(kinds[0]!);
  const [isAdding, setAdding] = useState(isAlone && own.length === 0);
  return (
    <section class="card page" aria-label={title}>
      <h2>{title}</h2>
      {own.map((provider) => (
        <One key={provider.id} provider={provider} />
      ))}
      {isAdding ? (
        <>
          {kinds.length > 1 && <Choice label="Protocol" value={protocol} onValue={(value) => setProtocol(value as Protocol)} options={kinds.map((kind) => [kind, NAMES[kind]])} />}
          <Adding key={protocol} protocol={protocol} tenant={setup.tenant_id} onMade={() => (setAdding(false), reload())} />
        </>
      ) : (
        <div>
          <button type="button" onClick={() => setAdding(true)}>
            {own.length ? "Add another" : deed}
          </button>
        </div>
      )}
    </section>
  );
}

const fetchMetadata = async (url: string) => (await ask(client.POST("/api/v1/tenants/{tenant_id}/setup/saml-metadata", { params: { path }, body: { url } }))).data.metadata;

function Adding({ protocol, tenant, onMade }: { protocol: Protocol; tenant: string; onMade: () => void }) {
  const [values, setValues] = useState(() => valuesOf(protocol, null));
  const doing = useDoing();
  const submit = () =>
    doing.run(async () => {
      const body = { ...bodyOf(protocol, values, null), protocol, tenant_id: tenant } as Schemas["AdminIdPCreate"];
      await ask(client.POST("/api/v1/tenants/{tenant_id}/setup/identity-providers", { params: { path }, body }));
      onMade();
    });
  return <ProviderForm protocol={protocol} provider={null} values={values} onValues={setValues} deed="Save" doing={doing} fetchMetadata={fetchMetadata} onSubmit={submit} />;
}

function One({ provider }: { provider: Schemas["IdPListItem"] }) {
  const doing = useDoing();
  const [result, setResult] = useState<Schemas["TestConnectionResponse"] | null>(null);
  const test = () =>
    doing.run(async () => {
      const params = { path: { ...path, idp_id: provider.id } };
      setResult((await ask(client.POST("/api/v1/tenants/{tenant_id}/setup/identity-providers/{idp_id}/test", { params }))).data);
    });
  return (
    <div class="page">
      <div class="head">
        <span>
          {provider.display_name ?? provider.name} <Badge>{provider.protocol}</Badge>
        </span>
        <button type="button" disabled={doing.isBusy} onClick={test}>
          {doing.isBusy ? "One moment…" : "Test the connection"}
        </button>
      </div>
      <Failed failure={doing.failure} />
      {result && (
        <Notice kind={result.success ? "good" : "bad"}>
          {result.message}
          <ul class="checks">
            {result.details.checks.map(({ name, ok, message }) => (
              <li key={name}>
                <Badge kind={ok ? "good" : "bad"}>{ok ? "good" : "failed"}</Badge> {name.replaceAll("_", " ")}
                {message && `: ${message}`}
              </li>
            ))}
          </ul>
        </Notice>
      )}
    </div>
  );
}
