// What was done to a user or a group, the latest first, with what differed; and how to take a step back.
import { Fragment } from "preact";
import { useState } from "preact/hooks";
import { type Schemas, api, ask } from "../api";
import { capital, counted } from "../format";
import { useDoing, useLoad } from "../load";
import { Diff } from "../parts/diff";
import { Empty, Failed, Shown } from "../parts/notice";
import { When } from "../parts/when";
import { to } from "../route";
import { may } from "../session";
import { type Names, useNames } from "./names";
import { Actor, useTenant } from "./tenant";
import { Undo } from "./undo";

type Version = Schemas["ResourceVersion"];

export const DONE: Record<string, string> = { create: "made", update: "replaced", replace: "replaced", patch: "changed", delete: "deleted", restore: "brought back", collide: "found to share a name" };

/** So many of those who came or went in one step are named. */
const SHOWN = 5;
export function History({ type, id, onChange }: { type: "User" | "Group"; id: string; onChange: () => void }) {
  const tenant = useTenant();
  const [undoing, setUndoing] = useState<string | null>(null);
  const page = (after?: string) => ask(api.GET("/api/v1/admin/resources/{type}/{id}/history", { params: { path: { type, id }, query: { tenant_id: tenant.id, after, limit: 50 } } }));
  const loaded = useLoad(`${type} ${id}`, async () => {
    const { data, pagination } = await page();
    setOlder({ versions: [], next: pagination.next });
    return data;
  });
  const [older, setOlder] = useState<{ versions: Version[]; next: string | null }>({ versions: [], next: null });
  const doing = useDoing();
  const more = () =>
    doing.run(async () => {
      const { data, pagination } = await page(older.next!);
      setOlder({ versions: [...older.versions, ...data.versions], next: pagination.next });
    });
  const steps = [...(loaded.value?.versions ?? []), ...older.versions];
  const names = useNames("Users", steps.flatMap(({ members }) => (members ? [...members.came.slice(0, SHOWN), ...members.gone.slice(0, SHOWN)] : [])));
  const changed = () => (loaded.reload(), onChange());
  return (
    <section>
      <h2>History</h2>
      <Shown loaded={loaded}>
        {() => (
          <>
            {steps.length === 0 && <Empty>Nothing is recorded.</Empty>}
            <ol class="timeline">
              {steps.map((version) => (
                <Step key={version.seq} version={version} names={names} onUndo={() => setUndoing(version.request_id)} />
              ))}
            </ol>
            <Failed failure={doing.failure} />
            {older.next && (
              <button type="button" disabled={doing.isBusy} onClick={more}>
                Show older ones
              </button>
            )}
          </>
        )}
      </Shown>
      {undoing && <Undo requestId={undoing} onClose={() => setUndoing(null)} onDone={changed} />}
    </section>
  );
}

function Step({ version, names, onUndo }: { version: Version; names: Names; onUndo: () => void }) {
  const tenant = useTenant();
  const { members, differences } = version;
  return (
    <li>
      <div class="step">
        <p>
          {capital(DONE[version.action] ?? version.action)} by <Actor actor={version.actor} />, <When at={version.at} /> · <a href={to(["t", tenant.id, "activity", version.request_id])}>the request</a>
        </p>
        {may("audit:write") && (
          <button type="button" onClick={onUndo}>
            Undo this step
          </button>
        )}
      </div>
      {differences ? differences.length > 0 && <Diff differences={differences} /> : <p class="small">What differed was not kept.</p>}
      {members && (
        <>
          <Members names={names} label="came in" ids={members.came} total={members.came_total} />
          <Members names={names} label="went out" ids={members.gone} total={members.gone_total} />
        </>
      )}
    </li>
  );
}


function Members({ names, label, ids, total }: { names: Names; label: string; ids: string[]; total: number }) {
  const tenant = useTenant();
  if (!total) return null;
  return (
    <p class="small">
      {counted(total, "member")} {label}:{" "}
      {ids.slice(0, SHOWN).map((id, index) => (
        <Fragment key={id}>
          {index > 0 && ", "}
          <a href={to(["t", tenant.id, "people", id])}>{names.get(id) ?? `…${id.slice(-8)}`}</a>
        </Fragment>
      ))}
      {total > SHOWN && " and others"}
    </p>
  );
}
