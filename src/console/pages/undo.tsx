// Taking back what a request did: first what would be done, then the deed.
import { useState } from "preact/hooks";
import { type Schemas, api, ask } from "../api";
import { counted } from "../format";
import { useDoing, useEvery, useLoad } from "../load";
import { Buttons, Dialog } from "../parts/dialog";
import { Notice, Shown } from "../parts/notice";
import { Table } from "../parts/table";
import { to } from "../route";
import { useNames } from "./names";
import { useTenant } from "./tenant";

type Plan = Schemas["UndoResponse"];

const STEPS: Record<string, string> = { delete: "is deleted", restore: "comes back", revert: "becomes what it was" };

export function Undo({ requestId, onClose, onDone }: { requestId: string; onClose: () => void; onDone: () => void }) {
  const tenant = useTenant();
  const send = async (dry_run: boolean) => (await ask(api.POST("/api/v1/admin/undo", { body: { tenant_id: tenant.id, request_ids: [requestId], dry_run } }))).data;
  const plan = useLoad(requestId, () => send(true));
  const doing = useDoing();
  const [done, setDone] = useState<Plan | null>(null);
  const run = () =>
    doing.run(async () => {
      setDone(await send(false));
      onDone();
    });
  const progress = done?.progress;
  useEvery(progress?.status === "running" ? 2_000 : null, async () => {
    const path = { undo_id: progress!.id };
    const { data } = await ask(api.GET("/api/v1/admin/undo/{undo_id}", { params: { path, query: { tenant_id: tenant.id } } }));
    setDone(data);
    if (data.progress?.status !== "running") onDone();
  });
  if (done) {
    return (
      <Dialog title={progress?.status === "running" ? "Taking it back" : "It is taken back"} onClose={onClose} wide>
        {progress?.status === "running" && <progress max={progress.parts} value={progress.parts_done} aria-label="How far the undo is" />}
        <What plan={done} />
        <Buttons deed="Close" isBusy={false} failure={null} onDeed={onClose} />
      </Dialog>
    );
  }
  const total = plan.value?.undone_total ?? 0;
  return (
    <Dialog title="Undo this request?" onClose={onClose} wide>
      <Shown loaded={plan}>{(plan) => <What plan={plan} />}</Shown>
      <Buttons deed={total ? `Undo ${counted(total, "change")}` : "Undo"} isReady={total > 0} isBusy={doing.isBusy} failure={doing.failure} onDeed={run} onClose={onClose} />
    </Dialog>
  );
}

/** So many are named; of more, the ids stand there. */
const NAMED = 40;

/** A plan, or what was done of it. */
function What({ plan }: { plan: Plan }) {
  const tenant = useTenant();
  const of = (type: string) => [...plan.undone.slice(0, NAMED), ...plan.conflicts.slice(0, NAMED)].filter((one) => one.resource_type === type).map((one) => one.resource_id);
  const people = useNames("Users", of("User"));
  const groups = useNames("Groups", of("Group"));
  const link = (type: string, id: string) => {
    const text = people.get(id) ?? groups.get(id) ?? `${type === "Group" ? "group" : "person"} …${id.slice(-8)}`;
    return <a href={to(["t", tenant.id, type === "Group" ? "groups" : "people", id])}>{text}</a>;
  };
  return (
    <>
      {plan.undone.length > 0 ? (
        <Table
          caption={plan.dry_run ? "What would be done" : "What was done"}
          rows={plan.undone}
          id={(one) => one.resource_id}
          columns={[
            { head: "Who or what", cell: (one) => link(one.resource_type, one.resource_id) },
            { head: "What happens", cell: (one) => STEPS[one.step] ?? one.step },
            {
              head: "Attributes",
              kind: "wide",
              cell: (one) =>
                [one.attributes.join(", "), one.members_added && `${counted(one.members_added, "member")} in again`, one.members_removed && `${counted(one.members_removed, "member")} out again`].filter(Boolean).join("; "),
            },
          ]}
        />
      ) : (
        <p>{plan.unchanged_total ? "All is already what it was before." : "There is nothing to take back."}</p>
      )}
      {plan.conflicts_total > 0 && (
        <Notice kind="warn">
          <p>{counted(plan.conflicts_total, "is left as it is", "are left as they are")}:</p>
          <ul>
            {plan.conflicts.slice(0, 20).map((one) => (
              <li key={one.resource_id}>
                {link(one.resource_type, one.resource_id)}: {one.detail}
              </li>
            ))}
          </ul>
        </Notice>
      )}
    </>
  );
}
