// What was done to a user or a group, the latest first, with what differed; and how to take a step back.
import { Fragment } from "preact";
import { useState } from "preact/hooks";
import { type Schemas, api, ask } from "../api";
import { capital, counted } from "../format";
import { Diff } from "../parts/diff";
import { Empty, Shown } from "../parts/notice";
import { Older, useList } from "../parts/older";
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
  const list = useList<Version>(`${type} ${id}`, ({ seq }) => String(seq), async (after) => {
    const query = { tenant_id: tenant.id, after, limit: 50 };
    const { data, pagination } = await ask(api.GET("/api/v1/admin/resources/{type}/{id}/history", { params: { path: { type, id }, query } }));
    return { rows: data.versions, next: pagination.next };
  });
  const names = useNames("Users", list.rows.flatMap(({ members }) => (members ? [...members.came.slice(0, SHOWN), ...members.gone.slice(0, SHOWN)] : [])));
  const changed = () => (list.loaded.reload(), onChange());
  return (
    <section>
      <h2>History</h2>
      <Shown loaded={list.loaded}>
        {() => (
          <>
            {list.rows.length === 0 && <Empty>Nothing is recorded.</Empty>}
            <ol class="timeline">
              {list.rows.map((version) => (
                <Step key={version.seq} version={version} names={names} onUndo={() => setUndoing(version.request_id)} />
              ))}
            </ol>
            <Older list={list} />
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
