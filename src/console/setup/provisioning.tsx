// The way to the first user: the provider, its form's values, a token, and what came of it.
import { useState } from "preact/hooks";
import { type Schemas, ask } from "../api";
import { useDoing } from "../load";
import { Copy } from "../parts/copy";
import { Choice } from "../parts/form";
import { Badge, Failed, Notice } from "../parts/notice";
import { Prose, ProseList } from "../parts/prose";
import { Table } from "../parts/table";
import { When } from "../parts/when";
import { type Setup, client, path } from "./link";
import { GUIDES } from "./guides";

interface Props {
  setup: Setup;
  reload: () => void;
}

export function Provisioning({ setup, reload }: Props) {
  const [chosen, setChosen] = useState("");
  const [token, setToken] = useState("");
  const guide = GUIDES.find(({ key }) => key === chosen);
  const fields = guide ? Object.entries(setup.endpoint.instructions[guide.key]) : [];
  const of = (value: string) => value.replace("<token>", token || "the token of step 2");
  return (
    <section class="card" aria-labelledby="provisioning">
      <h2 id="provisioning">Users and groups</h2>
      <ol class="steps">
        <li>
          <h3>Where do your users live?</h3>
          <Choice label="Identity provider" value={chosen} onValue={setChosen} options={[["", "Choose one"], ...GUIDES.map(({ key, name }): [string, string] => [key, name])]} />
          {guide && (
            <p>
              <Prose text={guide.about} />
            </p>
          )}
        </li>
        {guide && (
          <>
            <li>
              <h3>Make a token</h3>
              <Token name={guide.name} setup={setup} token={token} onMade={(made) => (setToken(made), reload())} />
            </li>
            <li>
              <h3>Enter this in {guide.name}</h3>
              <ProseList lines={guide.before} inOrder />
              <Drawing fields={fields.map(([name]) => name)} />
              <dl class="facts">
                {fields.map(([name, value]) => (
                  <div key={name}>
                    <dt>{name}</dt>
                    <dd>
                      <Copy text={of(String(value))} label={name} />
                    </dd>
                  </div>
                ))}
              </dl>
              <p>Then:</p>
              <ProseList lines={guide.after} inOrder />
              <Further title="Good to know" lines={guide.known} />
              <Further title="When it is refused" lines={guide.refused} />
            </li>
          </>
        )}
        {(guide || setup.scim_tokens.length > 0) && (
          <li>
            <h3>See them come</h3>
            <Arrived setup={setup} />
          </li>
        )}
      </ol>
    </section>
  );
}

const Further = ({ title, lines }: { title: string; lines: string[] }) => (
  <details>
    <summary>{title}</summary>
    <ProseList lines={lines} />
  </details>
);

function Token({ name, setup, token, onMade }: { name: string; setup: Setup; token: string; onMade: (token: string) => void }) {
  const doing = useDoing();
  const [key, setKey] = useState(() => crypto.randomUUID());
  const make = () =>
    doing.run(async () => {
      // The same key with every try: a reply that was lost makes no second token.
      const header = { "Idempotency-Key": key };
      const { data } = await ask(client.POST("/api/v1/tenants/{tenant_id}/setup/scim-tokens", { params: { path, header }, body: { name } }));
      setKey(crypto.randomUUID());
      onMade(data.token);
    });
  const before = setup.scim_tokens.length;
  return (
    <>
      {token ? (
        <>
          <Copy text={token} label="the token" />
          <p class="small">It is shown here and never again. It stands in the fields below, too.</p>
        </>
      ) : (
        <>
          {before > 0 && <p>A token was made by this page before, and is shown no more. If it is lost, make another.</p>}
          <button type="button" class={before ? "" : "main"} disabled={doing.isBusy} onClick={make}>
            {before ? "Make another token" : "Make the token"}
          </button>
        </>
      )}
      <Failed failure={doing.failure} />
    </>
  );
}

/** A drawing of the form: which fields to look for, in their order. */
function Drawing({ fields }: { fields: string[] }) {
  const height = 28 + fields.length * 34;
  return (
    <svg class="drawing" viewBox={`0 0 320 ${height}`} role="img" aria-label={`The form has the fields ${fields.join(", ")}`}>
      <rect x="1" y="1" width="318" height={height - 2} rx="6" />
      <circle cx="14" cy="13" r="3" />
      <circle cx="25" cy="13" r="3" />
      {fields.map((name, index) => (
        <g key={name} transform={`translate(14 ${28 + index * 34})`}>
          <text y="9">{name}</text>
          <rect y="14" width="292" height="14" rx="3" />
        </g>
      ))}
    </svg>
  );
}

function Arrived({ setup }: { setup: Setup }) {
  const [last] = setup.requests;
  const used = setup.scim_tokens.some(({ last_used_at }) => last_used_at) || setup.requests.some(({ status }) => status !== 401);
  // Null to a link that does not set up provisioning, and so shows nothing of this.
  const [users, groups] = [setup.users_total ?? 0, setup.groups_total ?? 0];
  const state = () => {
    if (last?.failed) return <Notice kind="bad">The last request was refused: {last.detail ?? `status ${last.status}`}. {helpFor(last)}</Notice>;
    if (users > 0 && used) return <Notice kind="good">It works: {users === 1 ? "one user is" : `${users.toLocaleString("en")} users are`} here, and {groups === 0 ? "no group yet" : groups === 1 ? "one group" : `${groups.toLocaleString("en")} groups`}. You are done, and can close this page.</Notice>;
    if (used) return <Notice kind="good">Connected. Waiting for the first user…</Notice>;
    return <Notice>Waiting for the first request…</Notice>;
  };
  return (
    <>
      {state()}
      {setup.newest_users.length > 0 && (
        <Table
          caption="Users who came last"
          rows={setup.newest_users}
          id={({ id }) => id}
          columns={[
            { head: "User", cell: ({ user_name, display_name }) => (display_name ? `${display_name} (${user_name})` : user_name) },
            { head: "State", cell: ({ active }) => <Badge kind={active ? "good" : ""}>{active ? "active" : "switched off"}</Badge> },
            { head: "Came", cell: ({ created_at }) => <When at={created_at} /> },
          ]}
        />
      )}
      {setup.requests.length > 0 && (
        <details open={last?.failed || undefined}>
          <summary>Last requests</summary>
          <Table
            caption="Last requests of the identity provider"
            rows={setup.requests}
            id={({ id }) => id}
            mark={({ failed }) => (failed ? "refused" : "")}
            columns={[
              { head: "When", cell: ({ at }) => <When at={at} /> },
              { head: "What", cell: ({ method, route, user_name }) => `${method} ${route.split("/scim/v2")[1] || "/"}${user_name ? `: ${user_name}` : ""}` },
              { head: "Answer", cell: ({ status, detail }) => (detail ? `${status}: ${detail}` : status) },
            ]}
          />
        </details>
      )}
    </>
  );
}

/** What to do about a refusal. */
function helpFor({ status, user_name }: Schemas["SetupRequest"]): string {
  if (status === 401) return "Copy the token again, without spaces around it, or make another.";
  if (status === 409) return `${user_name ?? "The user"} is here already: let your provider match users by their user name.`;
  if (status === 400) return "Look at the mapping of this attribute in your provider.";
  if (status === 404) return "Look whether the address is entered as it stands above.";
  if (status === 429 || status >= 500) return "Your provider will try again by itself.";
  return "";
}
