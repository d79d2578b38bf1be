// One event stream: how it is, what was delivered and how it was answered, a test, a replay, going on after a pause.
import { useState } from "preact/hooks";
import { type Schemas, api, ask, sentence } from "../api";
import { count, counted } from "../format";
import { useDoing, useEvery, useLoad } from "../load";
import { Page } from "../console";
import { Buttons, Confirm, Dialog } from "../parts/dialog";
import { type Fact, Facts } from "../parts/facts";
import { Choice, Field } from "../parts/form";
import { Badge, Empty, Failed, Notice, Shown } from "../parts/notice";
import { type List, Older, useList } from "../parts/older";
import { Table } from "../parts/table";
import { When } from "../parts/when";
import { go, to } from "../route";
import { may } from "../session";
import { Secret, State } from "./streams";
import { useTenant } from "./tenant";

type Delivery = Schemas["DeliveryResponse"];

const EVERY_MS = 5_000;

export function Stream({ id }: { id: string }) {
  const tenant = useTenant();
  const params = { path: { tenant_id: tenant.id, stream_id: id } };
  const loaded = useLoad(id, async () => (await ask(api.GET("/api/v1/tenants/{tenant_id}/event-streams/{stream_id}", { params }))).data);
  const deliveries = useList<Delivery>(`${id} deliveries`, ({ id }) => id, async (after) => {
    const { data, pagination } = await ask(api.GET("/api/v1/tenants/{tenant_id}/event-streams/{stream_id}/deliveries", { params: { ...params, query: { limit: 50, after } } }));
    return { rows: data, next: pagination.next };
  });
  const refreshing = useDoing();
  const [asked, setAsked] = useState<"replay" | "secret" | "delete" | null>(null);
  const [tested, setTested] = useState<Schemas["TestResponse"] | null>(null);
  const doing = useDoing();
  const reload = () => (loaded.reload(), void refreshing.run(deliveries.refresh));
  useEvery(EVERY_MS, reload);
  const test = () => doing.run(async () => setTested((await ask(api.POST("/api/v1/tenants/{tenant_id}/event-streams/{stream_id}/test", { params }))).data));
  const resume = () => doing.run(async () => void (await ask(api.POST("/api/v1/tenants/{tenant_id}/event-streams/{stream_id}/resume", { params })), reload()));
  const setActive = (is_active: boolean) => doing.run(async () => void (await ask(api.PATCH("/api/v1/tenants/{tenant_id}/event-streams/{stream_id}", { params, body: { is_active } })), reload()));
  const remove = async () => {
    await ask(api.DELETE("/api/v1/tenants/{tenant_id}/event-streams/{stream_id}", { params }));
    go(to(["t", tenant.id, "events"]));
  };
  const stream = loaded.value;
  const button = (text: string, work: () => void, isMain = false) => (
    <button type="button" class={isMain ? "main" : ""} disabled={doing.isBusy} onClick={work}>
      {text}
    </button>
  );
  const actions = stream && may("audit:write") && (
    <>
      {(stream.state === "paused" || stream.state === "waiting") && button(stream.state === "paused" ? "Resume" : "Try now", resume, true)}
      {button("Send a test", test)}
      {button("Replay", () => setAsked("replay"))}
      {button("New secret", () => setAsked("secret"))}
      {button(stream.is_active ? "Switch off" : "Switch on", () => setActive(!stream.is_active))}
      {button("Delete", () => setAsked("delete"))}
    </>
  );
  return (
    <Page title={stream?.name ?? "Event stream"} actions={actions}>
      <Failed failure={doing.failure} />
      {tested && <Notice kind={tested.ok ? "good" : "bad"}>{tested.ok ? `The test was taken: ${tested.status}, in ${count(tested.duration_ms)} ms.` : `The test was not taken. ${sentence(tested.reason)}`}</Notice>}
      <Shown loaded={loaded}>{(stream) => <Standing stream={stream} />}</Shown>
      <section>
        <h2>Deliveries</h2>
        <Failed failure={refreshing.failure} />
        <Shown loaded={deliveries.loaded}>{() => <Deliveries list={deliveries} />}</Shown>
      </section>
      {asked === "replay" && <Replay params={params} last={stream!.after} onClose={() => setAsked(null)} onDone={reload} />}
      {asked === "secret" && <NewSecret params={params} onClose={() => setAsked(null)} />}
      {asked === "delete" && (
        <Confirm title={`Delete ${stream!.name}?`} deed="Delete the stream" isGrave work={remove} onClose={() => setAsked(null)}>
          <p>Nothing more is sent. What happened stays in the feed, for another stream to begin with.</p>
        </Confirm>
      )}
    </Page>
  );
}

type Params = { path: { tenant_id: string; stream_id: string } };

function Standing({ stream }: { stream: Schemas["EventStreamResponse"] }) {
  const facts: Fact[] = [
    ["State", <State stream={stream} />],
    ["Address", stream.url],
    ["What is told", stream.types.join(", ")],
    ["Delivered", <>up to number {count(stream.after)}, <When at={stream.delivered_at} /></>],
    ["Behind", stream.behind ? counted(stream.behind, "change") : "nothing"],
  ];
  return (
    <div class="page">
      {stream.state === "paused" && <Notice kind="bad">It is paused <When at={stream.paused_at} />. {sentence(stream.paused_reason)}</Notice>}
      {stream.failures > 0 && stream.state !== "paused" && (
        <Notice kind="warn">
          {counted(stream.failures, "try", "tries")} failed, the first <When at={stream.failing_since} />. The next one is <When at={stream.next_try_at} none="soon" />.
        </Notice>
      )}
      <section class="card">
        <Facts facts={facts} />
      </section>
    </div>
  );
}

function Deliveries({ list }: { list: List<Delivery> }) {
  if (!list.rows.length) return <Empty>Nothing was sent yet.</Empty>;
  return (
    <>
      <Table
        caption="Deliveries, the latest first"
        rows={list.rows}
        id={(delivery) => delivery.id}
        mark={(delivery) => (delivery.reason ? "refused" : "")}
        columns={[
          { head: "When", cell: (delivery) => <When at={delivery.at} /> },
          { head: "Events", cell: (delivery) => (delivery.first_seq === delivery.last_seq ? count(delivery.first_seq) : `${count(delivery.first_seq)} to ${count(delivery.last_seq)}`) },
          { head: "Try", cell: (delivery) => count(delivery.attempt) },
          {
            head: "Answer",
            kind: "wide",
            cell: (delivery) => (
              <>
                <Badge kind={delivery.reason ? "bad" : "good"}>{delivery.status ?? "none"}</Badge> <span class="small">{count(delivery.duration_ms)} ms</span>
                {delivery.reason && <p class="reason">{sentence(delivery.reason)}</p>}
                {delivery.reply && <p class="small">{delivery.reply}</p>}
              </>
            ),
          },
        ]}
      />
      <Older list={list} />
    </>
  );
}

function Replay({ params, last, onClose, onDone }: { params: Params; last: number; onClose: () => void; onDone: () => void }) {
  const [after, setAfter] = useState("");
  const number = Number(after);
  const isReady = after !== "" && Number.isInteger(number) && number >= 0;
  const work = async () => {
    await ask(api.POST("/api/v1/tenants/{tenant_id}/event-streams/{stream_id}/replay", { params, body: { after: number } }));
    onDone();
  };
  return (
    <Confirm title="Send events again?" deed="Send them again" isReady={isReady} work={work} onClose={onClose}>
      <Field label="After number" type="number" value={after} onValue={setAfter} isRequired hint={`Everything after it is sent again; 0 is from the beginning. Delivered is up to ${count(last)}.`} />
    </Confirm>
  );
}

function NewSecret({ params, onClose }: { params: Params; onClose: () => void }) {
  const [overlap, setOverlap] = useState("86400");
  const [secret, setSecret] = useState<string | null>(null);
  const doing = useDoing();
  const make = () =>
    doing.run(async () => {
      const { data } = await ask(api.POST("/api/v1/tenants/{tenant_id}/event-streams/{stream_id}/rotate-secret", { params, body: { overlap_seconds: Number(overlap) } }));
      setSecret(data.secret);
    });
  if (secret) {
    return (
      <Dialog title="Copy the secret now" onClose={onClose} wide>
        <Secret secret={secret} />
        <Buttons deed="I have copied it" isBusy={false} failure={null} onDeed={onClose} />
      </Dialog>
    );
  }
  return (
    <Dialog title="A new secret?" onClose={onClose}>
      <p>Both sign for a while, so that nothing is lost while your product takes the new one.</p>
      <Choice
        label="The old one signs"
        value={overlap}
        onValue={setOverlap}
        options={[
          ["0", "no more"],
          ["3600", "for an hour more"],
          ["86400", "for a day more"],
        ]}
      />
      <Buttons deed="Make the new secret" isBusy={doing.isBusy} failure={doing.failure} onDeed={make} onClose={onClose} />
    </Dialog>
  );
}
