// One provider: its settings with the test of the connection beside them; of a directory its sync and group mappings too.
import { useState } from "preact/hooks";
import { type Schemas, api, ask } from "../api";
import { useDoing, useLoad } from "../load";
import { Page } from "../console";
import { Confirm } from "../parts/dialog";
import { Badge, Failed, Notice, Shown } from "../parts/notice";
import { go, to } from "../route";
import { may } from "../session";
import { Mappings } from "./mappings";
import { bodyOf, valuesOf } from "./provider_fields";
import { ProviderForm } from "./provider_form";
import { fetchMetadata } from "./provider_metadata";
import { Sync } from "./sync";
import { useTenant } from "./tenant";

type Full = Schemas["AdminIdPResponse"];

export function Provider({ id }: { id: string }) {
  const tenant = useTenant();
  const loaded = useLoad(id, async () => (await ask(api.GET("/api/v1/admin/identity-providers/{idp_id}", { params: { path: { idp_id: id } } }))).data);
  const [isDeleting, setDeleting] = useState(false);
  const provider = loaded.value;
  const remove = async () => {
    await ask(api.DELETE("/api/v1/admin/identity-providers/{idp_id}", { params: { path: { idp_id: id } } }));
    tenant.reload();
    go(to(["t", tenant.id, "providers"]));
  };
  return (
    <Page
      title={provider ? (provider.display_name ?? provider.name) : "Provider"}
      actions={
        provider &&
        may("identity-providers:write") && (
          <button type="button" onClick={() => setDeleting(true)}>
            Delete
          </button>
        )
      }
    >
      <Shown loaded={loaded}>
        {(provider) => (
          <div class="page">
            {provider.protocol === "LDAP" && <Sync provider={provider} />}
            {provider.protocol === "LDAP" && <Mappings provider={provider} />}
            <div class="two even">
              <Settings key={provider.updated_at} provider={provider} onChange={loaded.reload} />
              <Test id={id} />
            </div>
          </div>
        )}
      </Shown>
      {isDeleting && (
        <Confirm title={`Delete ${provider!.name}?`} deed="Delete the provider" isGrave work={remove} onClose={() => setDeleting(false)}>
          <p>Its secret and its group mappings go, and tokens that were made for it are revoked. People and groups stay.</p>
        </Confirm>
      )}
    </Page>
  );
}

function Settings({ provider, onChange }: { provider: Full; onChange: () => void }) {
  const before = valuesOf(provider.protocol, provider);
  const [values, setValues] = useState(before);
  const [notices, setNotices] = useState<Schemas["FieldError"][] | null>(null);
  const doing = useDoing();
  const submit = () =>
    doing.run(async () => {
      const body = bodyOf(provider.protocol, values, before) as Schemas["AdminIdPUpdate"];
      const { meta } = await ask(api.PATCH("/api/v1/admin/identity-providers/{idp_id}", { params: { path: { idp_id: provider.id } }, body }));
      setNotices(meta.notices ?? []);
      if (!meta.notices?.length) onChange();
    });
  return (
    <section class="card">
      <h2>
        Settings <Badge>{provider.protocol}</Badge>
      </h2>
      {notices && notices.length > 0 && <Notice kind="warn">{notices.map(({ msg }) => <p key={msg}>{msg}</p>)}</Notice>}
      <fieldset class="bare" disabled={!may("identity-providers:write")}>
        <ProviderForm protocol={provider.protocol} provider={provider} values={values} onValues={setValues} deed="Save" doing={doing} fetchMetadata={fetchMetadata} onSubmit={submit} />
      </fieldset>
    </section>
  );
}

const failing = ({ details, message }: Schemas["TestConnectionResponse"]) => details.checks.find(({ ok }) => !ok)?.name.replaceAll("_", " ") ?? message;

/** The test of what is saved, stage by stage. */
function Test({ id }: { id: string }) {
  const doing = useDoing();
  const [result, setResult] = useState<Schemas["TestConnectionResponse"] | null>(null);
  const run = () =>
    doing.run(async () => {
      setResult(null);
      const { data } = await ask(api.POST("/api/v1/admin/identity-providers/{idp_id}/test", { params: { path: { idp_id: id } } }));
      setResult(data);
    });
  return (
    <section class="card">
      <h2>Connection</h2>
      <p class="small">Tries what is saved, stage by stage, up to the first that fails.</p>
      <button type="button" disabled={doing.isBusy} onClick={run}>
        {doing.isBusy ? "Testing…" : "Test the connection"}
      </button>
      <Failed failure={doing.failure} />
      {result && (
        <>
          <Notice kind={result.success ? "good" : "bad"}>{result.success ? "All is well." : `It fails at “${failing(result)}”.`}</Notice>
          <ol class="checks">
            {result.details.checks.map(({ name, ok, message, duration_ms }) => (
              <li key={name}>
                <Badge kind={ok ? "good" : "bad"}>{ok ? "✓" : "✗"}</Badge> <strong>{name.replaceAll("_", " ")}</strong> <span class="small">{duration_ms} ms</span>
                <p class="small">{message}</p>
              </li>
            ))}
          </ol>
        </>
      )}
    </section>
  );
}
