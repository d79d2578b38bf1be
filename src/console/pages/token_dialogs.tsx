// A token is made or replaced, and shown: once, with what an identity provider is given beside it.
import { useState } from "preact/hooks";
import { type Schemas, api, ask } from "../api";
import { attributeName, shown } from "../format";
import { useDoing, useLoad } from "../load";
import { Dialog, Buttons } from "../parts/dialog";
import { Copy } from "../parts/copy";
import { Facts } from "../parts/facts";
import { Choice, Field, Form, Tick, wrongAt } from "../parts/form";
import { Notice, Shown } from "../parts/notice";
import { useTenant } from "./tenant";

export type NewToken = Schemas["NewScimTokenResponse"];

interface Props {
  onMade: (token: NewToken) => void;
  onClose: () => void;
}

const SCOPES: [Schemas["Scope"], string][] = [
  ["users:read", "Read people"],
  ["users:write", "Write people"],
  ["groups:read", "Read groups"],
  ["groups:write", "Write groups"],
  ["bulk", "Many at once"],
];

/** The same key with every try: a reply that was lost makes no second token. */
const newKey = () => crypto.randomUUID();

export function NewTokenForm({ onMade, onClose }: Props) {
  const tenant = useTenant();
  const [name, setName] = useState("");
  const [description, setDescription] = useState("");
  const [days, setDays] = useState("");
  const [scopes, setScopes] = useState(SCOPES.map(([scope]) => scope));
  const [key, setKey] = useState(newKey);
  const doing = useDoing();
  const submit = () =>
    doing.run(async () => {
      const expires_at = days ? new Date(Date.now() + Number(days) * 86_400_000).toISOString() : undefined;
      const body = { tenant_id: tenant.id, name, description: description || undefined, scopes, expires_at };
      const { data } = await ask(api.POST("/api/v1/admin/scim-tokens", { params: { header: { "Idempotency-Key": key } }, body }));
      onMade(data);
    });
  // What is sent differs: another key.
  const changing = <T,>(set: (value: T) => void) => (value: T) => (setKey(newKey()), set(value));
  return (
    <Dialog title="New token" onClose={onClose}>
      <Form deed="Make the token" doing={doing} onSubmit={submit} onClose={onClose}>
        <Field label="Name" value={name} onValue={changing(setName)} isRequired wrong={wrongAt(doing.failure, "name")} hint="Who uses it, as in “Okta, production”." />
        <Field label="Description" value={description} onValue={changing(setDescription)} wrong={wrongAt(doing.failure, "description")} />
        <Choice
          label="Ends"
          value={days}
          onValue={changing(setDays)}
          options={[
            ["", "never"],
            ["30", "after 30 days"],
            ["90", "after 90 days"],
            ["365", "after a year"],
          ]}
        />
        <fieldset>
          <legend>It may</legend>
          {SCOPES.map(([scope, label]) => (
            <Tick key={scope} label={label} value={scopes.includes(scope)} onValue={changing((is) => setScopes(is ? [...scopes, scope] : scopes.filter((one) => one !== scope)))} />
          ))}
          {wrongAt(doing.failure, "scopes") && <p class="wrong">{wrongAt(doing.failure, "scopes")}</p>}
        </fieldset>
      </Form>
    </Dialog>
  );
}

export function Rotate({ token, onMade, onClose }: Props & { token: Schemas["ScimTokenResponse"] }) {
  const [overlap, setOverlap] = useState("3600");
  const [key] = useState(newKey);
  const doing = useDoing();
  const submit = () =>
    doing.run(async () => {
      const params = { path: { token_id: token.id }, header: { "Idempotency-Key": `${key}-${overlap}` } };
      const { data } = await ask(api.POST("/api/v1/admin/scim-tokens/{token_id}/rotate", { params, body: { overlap_seconds: Number(overlap) } }));
      onMade(data);
    });
  return (
    <Dialog title={`Replace ${token.name}`} onClose={onClose}>
      <Form deed="Make the new token" doing={doing} onSubmit={submit} onClose={onClose}>
        <p>The new token works at once. Paste it into the identity provider before the old one ends.</p>
        <Choice
          label="The old one ends"
          value={overlap}
          onValue={setOverlap}
          options={[
            ["0", "at once"],
            ["3600", "in an hour"],
            ["86400", "in a day"],
            ["604800", "in a week"],
            ["2592000", "in 30 days"],
          ]}
        />
      </Form>
    </Dialog>
  );
}

const PROVIDERS: [string, string][] = [
  ["entra", "Entra ID"],
  ["okta", "Okta"],
  ["onelogin", "OneLogin"],
  ["jumpcloud", "JumpCloud"],
  ["google", "Google"],
  ["ping", "Ping"],
  ["generic", "Another one"],
];

/** The token, and where it goes. */
export function Connect({ token, onClose }: { token: NewToken; onClose: () => void }) {
  const tenant = useTenant();
  const [provider, setProvider] = useState("entra");
  const loaded = useLoad(tenant.id, async () => (await ask(api.GET("/api/v1/admin/scim-tokens/endpoint-info", { params: { query: { tenant_id: tenant.id } } }))).data);
  return (
    <div class="page">
      <Notice kind="warn">
        <p>This is the only time that it is shown.</p>
      </Notice>
      <Copy text={token.token} label="the token" />
      <Shown loaded={loaded}>
        {(info) => (
          <>
            <h3>Where it goes</h3>
            <Copy text={info.scim_base_url} label="the address" />
            <Choice label="Identity provider" value={provider} onValue={setProvider} options={PROVIDERS} />
            <Facts facts={Object.entries(info.instructions[provider as keyof typeof info.instructions] as Record<string, unknown>).map(([field, value]) => [attributeName(field), shown(value)])} />
          </>
        )}
      </Shown>
      <Buttons deed="I have copied it" isBusy={false} failure={null} onDeed={onClose} />
    </div>
  );
}
