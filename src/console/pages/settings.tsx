// A tenant's settings, and its end.
import { useState } from "preact/hooks";
import { type Schemas, api, ask } from "../api";
import { useDoing, useLoad } from "../load";
import { Page } from "../console";
import { Confirm } from "../parts/dialog";
import { Choice, Field, Form, Tick, wrongAt, wrongBelow } from "../parts/form";
import { Notice, Shown } from "../parts/notice";
import { go, to } from "../route";
import { may, session } from "../session";
import { Home } from "./move";
import { useTenant } from "./tenant";

type Full = Schemas["TenantResponse"];

export function Settings() {
  const tenant = useTenant();
  const path = { tenant_id: tenant.id };
  const loaded = useLoad(tenant.id, async () => (await ask(api.GET("/api/v1/admin/tenants/{tenant_id}", { params: { path } }))).data);
  const [isDeleting, setDeleting] = useState(false);
  const [typed, setTyped] = useState("");
  const remove = async () => {
    await ask(api.DELETE("/api/v1/admin/tenants/{tenant_id}", { params: { path } }));
    go(to(["tenants"]));
  };
  const mayWrite = may("tenants:write");
  return (
    <Page
      title="Settings"
      actions={
        mayWrite && (
          <button type="button" onClick={() => setDeleting(true)}>
            Delete the tenant
          </button>
        )
      }
    >
      <Shown loaded={loaded}>
        {(settings) => (
          <>
            <fieldset class="bare narrow" disabled={!mayWrite}>
              <SettingsForm settings={settings} />
            </fieldset>
            {!session()?.tenant && <Home lives={settings.database} onMoved={loaded.reload} />}
          </>
        )}
      </Shown>
      {isDeleting && (
        <Confirm title={`Delete ${tenant.name}?`} deed="Delete the tenant" isGrave isReady={typed === tenant.id} work={remove} onClose={() => setDeleting(false)}>
          <p>Its tokens and the secrets of its providers are wiped at once. It can be brought back within 30 days, with new tokens; after that everything is gone.</p>
          <Field label={`Type ${tenant.id} to go on`} value={typed} onValue={setTyped} />
        </Confirm>
      )}
    </Page>
  );
}

const DAYS: ["audit_days" | "history_days" | "requests_days", string, string][] = [
  ["audit_days", "Days that the audit trail is kept", "Who changed which attributes of what; 0 keeps nothing."],
  ["history_days", "Days that the history is kept", "What each was before, for differences and undo; 0 keeps nothing."],
  ["requests_days", "Days that the journal is kept", "Requests with their bodies; 0 keeps nothing."],
];

const FUSE: [keyof Schemas["Fuse"], string][] = [
  ["percent", "Most of the tenant, in per cent"],
  ["at_least", "So many in any case"],
  ["minutes", "Within so many minutes"],
];
const USUAL_FUSE = { percent: 20, at_least: 50, minutes: 60 };

function SettingsForm({ settings }: { settings: Full }) {
  const tenant = useTenant();
  const [values, setValues] = useState(settings);
  const [isSaved, setSaved] = useState(false);
  const doing = useDoing();
  const set = (more: Partial<Full>) => (setSaved(false), setValues({ ...values, ...more }));
  const submit = () =>
    doing.run(async () => {
      const { name, scim_profile, store_passwords, audit_days, history_days, requests_days, record_bodies, removal_fuse, unknown_extensions, roles, entitlements } = values;
      const body = { name, scim_profile, store_passwords, audit_days, history_days, requests_days, record_bodies, removal_fuse, unknown_extensions, roles, entitlements };
      await ask(api.PATCH("/api/v1/admin/tenants/{tenant_id}", { params: { path: { tenant_id: tenant.id } }, body }));
      setSaved(true);
      tenant.reload();
    });
  return (
    <Form deed="Save" doing={doing} onSubmit={submit}>
      <Field label="Name" value={values.name} onValue={(name) => set({ name })} isRequired wrong={wrongAt(doing.failure, "name")} />
      <Choice
        label="Profile"
        value={values.scim_profile}
        onValue={(profile) => set({ scim_profile: profile as Full["scim_profile"] })}
        options={[
          ["compat", "compat: takes what identity providers really send"],
          ["strict", "strict: holds to the RFCs"],
        ]}
      />
      <Choice
        label="Attributes that are in no schema"
        value={values.unknown_extensions}
        onValue={(what) => set({ unknown_extensions: what as Full["unknown_extensions"] })}
        options={[
          ["learn", "are kept and learned, where the profile is compat"],
          ["drop", "are dropped"],
        ]}
      />
      {ASSIGNABLE.map(([key, label]) => (
        <Assignable key={key} label={label} values={values[key]} onValues={(all) => set({ [key]: all })} wrong={wrongBelow(doing.failure, key)} />
      ))}
      {DAYS.map(([key, label, hint]) => (
        <Field key={key} label={label} type="number" value={String(values[key])} onValue={(days) => set({ [key]: Number(days) })} hint={hint} wrong={wrongAt(doing.failure, key)} />
      ))}
      <Tick label="The journal keeps the bodies of requests" value={values.record_bodies} onValue={(record_bodies) => set({ record_bodies })} />
      <Tick label="Hashes of passwords that clients send are kept" value={values.store_passwords} onValue={(store_passwords) => set({ store_passwords })} />
      <fieldset>
        <legend>Fuse</legend>
        <Tick label="Whoever removes too much at once is stopped" value={values.removal_fuse !== null} onValue={(is) => set({ removal_fuse: is ? USUAL_FUSE : null })} />
        {values.removal_fuse &&
          FUSE.map(([key, label]) => (
            <Field key={key} label={label} type="number" value={String(values.removal_fuse![key])} onValue={(number) => set({ removal_fuse: { ...values.removal_fuse!, [key]: Number(number) } })} wrong={wrongAt(doing.failure, `removal_fuse.${key}`)} />
          ))}
      </fieldset>
      {isSaved && <Notice kind="good">Saved.</Notice>}
    </Form>
  );
}

const ASSIGNABLE: ["roles" | "entitlements", string][] = [
  ["roles", "Roles that people can have"],
  ["entitlements", "Entitlements that people can have"],
];

interface AssignableProps {
  label: string;
  values: Full["roles"];
  onValues: (values: Full["roles"]) => void;
  wrong?: string;
}

/** A line for each: its value, and behind `=` its name. What else is known of one stays. */
function Assignable({ label, values, onValues, wrong }: AssignableProps) {
  const [text, setText] = useState(values.map(({ value, display }) => (display ? `${value} = ${display}` : value)).join("\n"));
  const [before] = useState(values);
  const change = (text: string) => {
    setText(text);
    const lines = text.split("\n").filter((line) => line.trim());
    const all = lines.map((line) => {
      const [value = "", display] = line.split(/=(.*)/s).map((part) => part.trim());
      const { display: _, ...known } = before.find((one) => one.value === value) ?? { supported: true };
      return { ...known, value, ...(display ? { display } : {}) };
    });
    onValues(all);
  };
  return <Field label={label} value={text} onValue={change} rows={4} wrong={wrong} hint="A line for each, as in admin = Administrator. People can have any where there is none." />;
}
