// A tenant's event streams: to whom each change is sent; and a new one, whose secret is shown once.
import { useState } from "preact/hooks";
import { type Schemas, api, ask } from "../api";
import { count, counted } from "../format";
import { useDoing, useLoad } from "../load";
import { Page } from "../console";
import { Copy } from "../parts/copy";
import { Buttons, Dialog } from "../parts/dialog";
import { Field, Form, Tick, wrongAt } from "../parts/form";
import { Badge, Empty, Notice, Shown } from "../parts/notice";
import { Pager, Table } from "../parts/table";
import { When } from "../parts/when";
import { go, to } from "../route";
import { may } from "../session";
import { useTenant } from "./tenant";

type Stream = Schemas["EventStreamResponse"];

/** What can be told, in groups that people choose among. */
export const TYPES: [string, string][] = [
  ["user.*", "People"],
  ["group.*", "Groups and their members"],
  ["token.*", "Tokens that end"],
  ["sync.*", "Syncs"],
  ["fuse.*", "Removals that were stopped"],
];

const STATES: Record<string, ["good" | "warn" | "bad", string]> = { active: ["good", "delivers"], waiting: ["warn", "tries again"], paused: ["bad", "paused"], off: ["warn", "switched off"] };

export function State({ stream }: { stream: Stream }) {
  const [kind, text] = STATES[stream.state] ?? ["warn", stream.state];
  return <Badge kind={kind}>{text}</Badge>;
}

export function Streams() {
  const tenant = useTenant();
  const [page, setPage] = useState(1);
  const [isNew, setNew] = useState(false);
  const loaded = useLoad(`${page}`, () => ask(api.GET("/api/v1/tenants/{tenant_id}/event-streams", { params: { path: { tenant_id: tenant.id }, query: { page, per_page: 50 } } })));
  return (
    <Page title="Events" actions={may("audit:write") && <button type="button" class="main" onClick={() => setNew(true)}>New stream</button>}>
      <Shown loaded={loaded}>
        {({ data, pagination }) => (
          <>
            {data.length === 0 && <Empty>Nobody is sent events yet. A stream sends each change to your product as a signed webhook.</Empty>}
            {data.length > 0 && (
              <Table
                caption="Event streams"
                rows={data}
                id={(stream) => stream.id}
                columns={[
                  {
                    head: "Name",
                    kind: "wide",
                    cell: (stream) => (
                      <>
                        <a href={to(["t", tenant.id, "events", stream.id])}>{stream.name}</a>
                        <p class="small">{stream.url}</p>
                      </>
                    ),
                  },
                  { head: "State", cell: (stream) => <State stream={stream} /> },
                  { head: "Behind", cell: (stream) => (stream.behind ? counted(stream.behind, "change") : "nothing") },
                  { head: "Delivered", cell: (stream) => <When at={stream.delivered_at} /> },
                ]}
              />
            )}
            {pagination.total_pages > 1 && (
              <Pager what="streams" says={`Page ${count(page)} of ${count(pagination.total_pages)}`} before={page > 1 ? () => setPage(page - 1) : undefined} next={page < pagination.total_pages ? () => setPage(page + 1) : undefined} />
            )}
          </>
        )}
      </Shown>
      {isNew && <NewStream onClose={() => setNew(false)} />}
    </Page>
  );
}

function NewStream({ onClose }: { onClose: () => void }) {
  const tenant = useTenant();
  const [name, setName] = useState("");
  const [url, setUrl] = useState("");
  const [types, setTypes] = useState<string[]>([]);
  const [made, setMade] = useState<{ id: string; secret: string } | null>(null);
  const doing = useDoing();
  const submit = () =>
    doing.run(async () => {
      const body = { name, url, types: types.length ? types : undefined };
      const { data } = await ask(api.POST("/api/v1/tenants/{tenant_id}/event-streams", { params: { path: { tenant_id: tenant.id } }, body }));
      setMade({ id: data.id, secret: data.secret ?? "" }); // there is one where the kind is left out
    });
  const leave = () => {
    onClose();
    go(to(["t", tenant.id, "events", made!.id]));
  };
  if (made) {
    return (
      <Dialog title="Copy the secret now" onClose={leave} wide>
        <Secret secret={made.secret} />
        <Buttons deed="I have copied it" isBusy={false} failure={null} onDeed={leave} />
      </Dialog>
    );
  }
  return (
    <Dialog title="New event stream" onClose={onClose}>
      <Form deed="Make the stream" doing={doing} onSubmit={submit} onClose={onClose}>
        <Field label="Name" value={name} onValue={setName} isRequired wrong={wrongAt(doing.failure, "name")} />
        <Field label="Address" type="url" value={url} onValue={setUrl} isRequired wrong={wrongAt(doing.failure, "url")} hint="Where your product takes them: https, and nowhere private." />
        <fieldset>
          <legend>What is told</legend>
          <p class="small">Everything, where you choose nothing.</p>
          {TYPES.map(([type, label]) => (
            <Tick key={type} label={label} value={types.includes(type)} onValue={(is) => setTypes(is ? [...types, type] : types.filter((one) => one !== type))} />
          ))}
        </fieldset>
      </Form>
    </Dialog>
  );
}

export const Secret = ({ secret }: { secret: string }) => (
  <div class="page">
    <Notice kind="warn">
      <p>This is the only time that it is shown.</p>
    </Notice>
    <Copy text={secret} label="the secret" />
    <p class="small">Deliveries are signed with it, as Standard Webhooks says: its libraries check them.</p>
  </div>
);
