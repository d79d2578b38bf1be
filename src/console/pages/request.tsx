// One request: what was sent, what was forgiven, what it changed; sending it again, and taking it back.
import { useState } from "preact/hooks";
import { type Schemas, api, ask, sentence } from "../api";
import { count, exact, shown } from "../format";
import { useDoing, useLoad } from "../load";
import { Page } from "../console";
import { Buttons, Dialog } from "../parts/dialog";
import { Diff, differences } from "../parts/diff";
import { type Fact, Facts } from "../parts/facts";
import { Badge, Empty, Notice, Shown } from "../parts/notice";
import { to } from "../route";
import { may } from "../session";
import { Outcome, wanted } from "./activity";
import { DONE } from "./history";
import { Actor, useTenant } from "./tenant";
import { Undo } from "./undo";

type Detail = Schemas["RequestDetail"];

/** So many changes are shown of a request that made more. */
const SHOWN = 100;

const BODY_STATES: Record<string, string> = {
  redacted: "Secrets were left out.",
  cut: "It was longer than 16 KB: this is how it begins.",
  none: "It had none.",
  unreadable: "It was no JSON, and is not kept.",
  off: "This tenant keeps no bodies.",
};

export function Request({ id }: { id: string }) {
  const tenant = useTenant();
  const [asked, setAsked] = useState<"replay" | "undo" | null>(null);
  const params = { path: { request_id: id }, query: { tenant_id: tenant.id } };
  const loaded = useLoad(id, async () => (await ask(api.GET("/api/v1/admin/requests/{request_id}", { params }))).data);
  const request = loaded.value;
  const isScim = request?.route.includes("/scim/v2") && request.method !== "GET";
  const actions = may("audit:write") && request && (
    <>
      {isScim && (
        <button type="button" onClick={() => setAsked("replay")}>
          Send it again
        </button>
      )}
      {request.changes.length > 0 && (
        <button type="button" onClick={() => setAsked("undo")}>
          Undo it
        </button>
      )}
    </>
  );
  return (
    <Page title={request ? `${wanted(request)}${request.user_name ? `: ${request.user_name}` : ""}` : "Request"} actions={actions}>
      <Shown loaded={loaded}>{(request) => <RequestDetail request={request} />}</Shown>
      {asked === "replay" && <Replay id={id} onClose={() => setAsked(null)} />}
      {asked === "undo" && <Undo requestId={id} onClose={() => setAsked(null)} onDone={loaded.reload} />}
    </Page>
  );
}

function RequestDetail({ request }: { request: Detail }) {
  const tenant = useTenant();
  const facts: Fact[] = [
    ["Result", <Outcome row={request} />],
    ["Sent by", <Actor actor={request.actor} />],
    ["When", `${exact(request.at)}, took ${count(request.duration_ms)} ms`],
    ["Request", <code>{`${request.method} ${request.path}`}</code>],
    ["Id", <code>{request.id}</code>],
  ];
  if (request.resource) facts.push(["About", <About resource={request.resource} />]);
  return (
    <div class="page">
      {request.failed && (
        <Notice kind="bad">
          <p>
            <strong>{sentence(request.detail) || "Some of its operations were refused."}</strong>
          </p>
          {request.scim_type && <p class="small">SCIM calls this {request.scim_type}.</p>}
        </Notice>
      )}
      <section class="card">
        <Facts facts={facts} />
      </section>
      {request.tolerances.length > 0 && (
        <section>
          <h2>What was forgiven</h2>
          <ul>
            {request.tolerances.map(({ code, what, rfc }) => (
              <li key={code}>
                {sentence(what)} <span class="small">{rfc} says otherwise.</span>
              </li>
            ))}
          </ul>
        </section>
      )}
      <section>
        <h2>What was sent</h2>
        {BODY_STATES[request.body_state] && <p class="small">{BODY_STATES[request.body_state]}</p>}
        {request.body && <pre tabIndex={0}>{pretty(request.body)}</pre>}
      </section>
      <section>
        <h2>What it changed</h2>
        {request.changes.length === 0 && <Empty>Nothing.</Empty>}
        {request.changes.length > SHOWN && <p class="small">The first {SHOWN} of {count(request.changes.length)}{request.changes.length === 1000 && " or more"}.</p>}
        {request.changes.slice(0, SHOWN).map((change) => (
          <article key={change.seq} class="card change">
            <p>
              <Badge>{DONE[change.action] ?? change.action}</Badge> <About resource={change.resource} name={(change.after ?? change.before) as Record<string, unknown> | null} />
            </p>
            {change.before || change.after ? <Diff differences={differences(change.before, change.after)} /> : <Diff differences={Object.entries(change.detail ?? {}).map(([attribute, after]) => ({ attribute, after: shown(after) }))} />}
          </article>
        ))}
        {request.changes.length > 0 && (
          <p class="small">
            <a href={to(["t", tenant.id, "activity"], { actor: request.actor })}>All requests of the same sender</a>
          </p>
        )}
      </section>
    </div>
  );
}

function About({ resource, name }: { resource: Schemas["ResourceNameResponse"]; name?: Record<string, unknown> | null }) {
  const tenant = useTenant();
  const text = shown(name?.displayName ?? name?.userName) || `${resource.type} …${resource.id.slice(-8)}`;
  const place = { User: "people", Group: "groups" }[resource.type];
  return place ? <a href={to(["t", tenant.id, place, resource.id])}>{text}</a> : <span title={resource.id}>{text}</span>;
}

function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text; // it was cut
  }
}

/** What would be answered now; then the deed. */
function Replay({ id, onClose }: { id: string; onClose: () => void }) {
  const tenant = useTenant();
  const send = async (dry_run: boolean) => (await ask(api.POST("/api/v1/admin/requests/{request_id}/replay", { params: { path: { request_id: id } }, body: { tenant_id: tenant.id, dry_run } }))).data;
  const dry = useLoad(id, () => send(true));
  const doing = useDoing();
  const [done, setDone] = useState<Schemas["ReplayResponse"] | null>(null);
  return (
    <Dialog title={done ? "It was sent again" : "Send this request again?"} onClose={onClose} wide>
      {done ? <Answer answer={done} says="It was answered" /> : <Shown loaded={dry}>{(answer) => <Answer answer={answer} says="Sent now, as you, it would be answered" />}</Shown>}
      {done ? (
        <Buttons deed="Close" isBusy={false} failure={null} onDeed={onClose} />
      ) : (
        <Buttons deed="Send it" isReady={dry.value !== null} isBusy={doing.isBusy} failure={doing.failure} onDeed={() => doing.run(async () => setDone(await send(false)))} onClose={onClose} />
      )}
    </Dialog>
  );
}

const Answer = ({ answer, says }: { answer: Schemas["ReplayResponse"]; says: string }) => (
  <>
    <p>
      {says} <Badge kind={answer.status < 400 ? "good" : "bad"}>{answer.status}</Badge>
    </p>
    {answer.body && <pre tabIndex={0}>{JSON.stringify(answer.body, null, 2)}</pre>}
  </>
);
