// The form of a provider, of its kind's fields. What is wrong stands beside the field; a secret is typed and never shown.
import { useState } from "preact/hooks";
import type { Failure, Schemas } from "../api";
import { type Doing, useDoing } from "../load";
import { Choice, Field, Form, Tick, wrongAt, wrongBelow } from "../parts/form";
import { Failed, Notice } from "../parts/notice";
import { ACTIVE_DIRECTORY, FIELDS, type FieldSpec, type Protocol, type Values, readMetadata } from "./provider_fields";

interface Props {
  protocol: Protocol;
  provider: Schemas["AdminIdPResponse"] | null;
  values: Values;
  onValues: (values: Values) => void;
  deed: string;
  doing: Doing;
  /** Reads what a SAML provider publishes at an address. */
  fetchMetadata: (url: string) => Promise<string>;
  onSubmit: () => void;
}

export function ProviderForm({ protocol, provider, values, onValues, deed, doing, fetchMetadata, onSubmit }: Props) {
  const has = provider?.oidc_config?.has_client_secret || provider?.ldap_config?.has_bind_password;
  const one = (spec: FieldSpec) => <One key={spec.key} spec={spec} value={values[spec.key] ?? ""} hasSecret={Boolean(has)} failure={doing.failure} onValue={(value) => onValues({ ...values, [spec.key]: value })} />;
  const further = FIELDS[protocol].filter(({ isFurther }) => isFurther);
  const isWrong = further.some(({ key }) => wrongBelow(doing.failure, key));
  return (
    <Form deed={deed} doing={doing} onSubmit={onSubmit}>
      {protocol === "SAML" && <Metadata fetchMetadata={fetchMetadata} onRead={(read) => onValues({ ...values, ...read })} />}
      {protocol === "LDAP" && !provider && (
        <button type="button" onClick={() => onValues({ ...values, ...ACTIVE_DIRECTORY })}>
          Fill in what Active Directory wants
        </button>
      )}
      {FIELDS[protocol].filter(({ isFurther }) => !isFurther).map(one)}
      <details open={isWrong || undefined}>
        <summary>Further settings</summary>
        <div class="fields">{further.map(one)}</div>
      </details>
    </Form>
  );
}

interface OneProps {
  spec: FieldSpec;
  value: string | boolean;
  hasSecret: boolean;
  failure: Failure | null;
  onValue: (value: string | boolean) => void;
}

function One({ spec: { key, label, hint, kind, options, isRequired }, value, hasSecret, failure, onValue }: OneProps) {
  if (kind === "tick") return <Tick label={label} value={value === true} onValue={onValue} />;
  if (kind === "choice") return <Choice label={label} value={String(value)} onValue={onValue} options={options!} />;
  const kept = kind === "secret" && hasSecret ? "One is set; it stays where this is empty." : undefined;
  const type = kind === "secret" ? "password" : kind === "number" ? "number" : kind === "url" ? "url" : "text";
  return <Field label={label} value={String(value)} onValue={onValue} hint={kept ?? hint} isRequired={isRequired} wrong={kind === "map" ? wrongBelow(failure, key) : wrongAt(failure, key)} rows={kind === "area" || kind === "map" ? 6 : undefined} type={type} />;
}

/** The provider's metadata, from its address or pasted, which fill in the fields. */
function Metadata({ fetchMetadata, onRead }: { fetchMetadata: (url: string) => Promise<string>; onRead: (values: Values) => void }) {
  const [url, setUrl] = useState("");
  const [text, setText] = useState("");
  const [said, setSaid] = useState<{ isGood: boolean; what: string } | null>(null);
  const doing = useDoing();
  const read = (text: string) => {
    try {
      onRead(readMetadata(text));
      setSaid({ isGood: true, what: "The fields below are filled in. Look at them, then save." });
    } catch (error) {
      setSaid({ isGood: false, what: (error as Error).message });
    }
  };
  const fetchIt = () =>
    doing.run(async () => {
      setSaid(null);
      const found = await fetchMetadata(url.trim());
      setText(found);
      read(found);
    });
  const wrong = wrongAt(doing.failure, "url");
  return (
    <fieldset>
      <legend>From metadata</legend>
      <Field label="Address of the metadata" type="url" value={url} onValue={setUrl} wrong={wrong} hint="The provider names it: federation metadata, or IdP metadata." />
      <button type="button" disabled={!url.trim() || doing.isBusy} onClick={fetchIt}>
        {doing.isBusy ? "One moment…" : "Fetch the metadata"}
      </button>
      {!wrong && <Failed failure={doing.failure} />}
      <Field label="The provider's metadata" value={text} onValue={setText} rows={4} hint="Or paste it here: XML, as the provider shows it." />
      <button type="button" disabled={!text.trim()} onClick={() => read(text)}>
        Fill in the fields
      </button>
      {said && <Notice kind={said.isGood ? "good" : "bad"}>{said.what}</Notice>}
    </fieldset>
  );
}
