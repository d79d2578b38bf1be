// A directory's sync: what it would do as a table, then the deed with its progress, and the runs before.
import { useState } from "preact/hooks";
import { type Schemas, api, ask, sentence } from "../api";
import { count, counted } from "../format";
import { useDoing, useEvery, useLoad } from "../load";
import { Confirm } from "../parts/dialog";
import { Tick } from "../parts/form";
import { Badge, Empty, Failed, Notice, Shown } from "../parts/notice";
import { Pager, Table } from "../parts/table";
import { When } from "../parts/when";
import { to } from "../route";
import { may } from "../session";
import { useTenant } from "./tenant";

type Log = Schemas["SyncLogResponse"];

const EVERY_MS = 1_500;
const KINDS: Record<string, "good" | "bad" | "warn" | ""> = { succeeded: "good", failed: "bad", stopped: "bad", running: "warn", planned: "" };

/** What a run counts, where its name is no word for it. */
const WORDS: Record<string, string> = { conflicts: "in conflict", kept: "gone and kept" };
/** What could not be done. */
const NOT_DONE = new Set(["conflict", "unresolved", "skipped"]);

export function Sync({ provider }: { provider: Schemas["AdminIdPResponse"] }) {
  const path = { idp_id: provider.id };
  const logs = useLoad(provider.id, async () => (await ask(api.GET("/api/v1/admin/identity-providers/{idp_id}/sync-logs", { params: { path, query: { per_page: 20 } } }))).data);
  const [open, setOpen] = useState<string | null>(null);
  const [isSure, setSure] = useState(false);
  const [removals, setRemovals] = useState(false);
  const doing = useDoing();
  const running = logs.value?.find(({ status }) => status === "running");
  useEvery(doing.isBusy || running ? EVERY_MS : null, logs.reload);
  const start = async (dry_run: boolean) => {
    const { data } = await ask(api.POST("/api/v1/admin/identity-providers/{idp_id}/sync", { params: { path }, body: { dry_run, allow_removals: removals } }));
    setOpen(data.id);
    logs.reload();
  };
  const shown = logs.value?.find(({ id }) => id === open);
  return (
    <section class="card">
      <h2>Sync</h2>
      {may("identity-providers:write") && (
        <div class="actions">
          <button type="button" class="main" disabled={doing.isBusy || Boolean(running)} onClick={() => doing.run(() => start(true))}>
            See what it would do
          </button>
          <button type="button" disabled={doing.isBusy || Boolean(running)} onClick={() => setSure(true)}>
            Sync now
          </button>
        </div>
      )}
      {(doing.isBusy || running) && <Progress log={running} />}
      <Failed failure={doing.failure} />
      {shown && shown.status !== "running" && <Entries key={shown.id} log={shown} />}
      <h3>Runs</h3>
      <Shown loaded={logs}>
        {(logs) =>
          logs.length === 0 ? (
            <Empty>It was never synced.</Empty>
          ) : (
            <Table
              caption="Runs of the sync, the latest first"
              rows={logs}
              id={(log) => log.id}
              columns={[
                { head: "When", cell: (log) => <When at={log.started_at} /> },
                { head: "What", cell: (log) => <Badge kind={KINDS[log.status]}>{log.dry_run ? "plan" : log.status}</Badge> },
                { head: "What it did", kind: "wide", cell: (log) => <Counts log={log} /> },
                {
                  head: "Actions",
                  kind: "actions",
                  cell: (log) => (
                    <button type="button" aria-expanded={open === log.id} onClick={() => setOpen(open === log.id ? null : log.id)}>
                      {open === log.id ? "Close" : "Open"}
                    </button>
                  ),
                },
              ]}
            />
          )
        }
      </Shown>
      {isSure && (
        <Confirm title="Sync now?" deed="Sync" work={async () => void doing.run(() => start(false))} onClose={() => setSure(false)}>
          <p>People and groups become what the directory says. “See what it would do” tells it before.</p>
          <Tick label="Carry it out whatever it removes" value={removals} onValue={setRemovals} />
        </Confirm>
      )}
    </section>
  );
}

function Progress({ log }: { log: Log | undefined }) {
  const read = (log?.counts.users.read ?? 0) + (log?.counts.groups.read ?? 0);
  return (
    <div role="status">
      <progress aria-label="The sync is under way" />
      <p class="small">{log ? `${counted(read, "entry", "entries")} read so far.` : "Asking the directory…"}</p>
      {log && <Counts log={log} />}
    </div>
  );
}

/** What a run counted, without what is nothing. */
function Counts({ log: { counts, error, dry_run } }: { log: Log }) {
  const of = (tally: Schemas["SyncTally"], one: string, many: string) => {
    const parts = Object.entries(tally).filter(([name, number]) => number > 0 && name !== "read" && name !== "unchanged");
    return parts.map(([name, number]) => `${counted(number, one, many)} ${WORDS[name] ?? name}`);
  };
  const all = [...of(counts.users, "person", "people"), ...of(counts.groups, "group", "groups")];
  const { added, removed, unresolved } = counts.memberships;
  if (added) all.push(`${counted(added, "membership")} added`);
  if (removed) all.push(`${counted(removed, "membership")} removed`);
  if (unresolved) all.push(`${counted(unresolved, "member")} unresolved`);
  return (
    <>
      {all.join(", ") || (error ? "" : dry_run ? "Nothing would change." : "Nothing changed.")}
      {error && <p class="reason">{sentence(error)}</p>}
    </>
  );
}

const PER_PAGE = 50;

/** What a run did, or would do, to each. */
function Entries({ log }: { log: Log }) {
  const tenant = useTenant();
  const [page, setPage] = useState(1);
  const loaded = useLoad(`${log.id} ${page}`, () => {
    const params = { path: { idp_id: log.idp_id, log_id: log.id }, query: { page, per_page: PER_PAGE } };
    return ask(api.GET("/api/v1/admin/identity-providers/{idp_id}/sync-logs/{log_id}", { params }));
  });
  const place = (type: string) => (type === "Group" ? "groups" : "people");
  return (
    <section>
      <h3>{log.dry_run ? "What it would do" : "What it did"}</h3>
      {log.error && <Notice kind="bad">{sentence(log.error)}</Notice>}
      <Shown loaded={loaded}>
        {({ data, pagination: { total_pages, total_items } }) => (
          <>
            {!data.entries?.length && <Empty>{log.dry_run ? "Nothing would change." : "Nothing changed."}</Empty>}
            {data.entries && data.entries.length > 0 && (
              <Table
                caption={log.dry_run ? "The plan" : "What was done"}
                rows={data.entries}
                id={(entry) => String(entry.seq)}
                mark={(entry) => (NOT_DONE.has(entry.action) ? "refused" : "")}
                columns={[
                  { head: "Who or what", cell: (entry) => (entry.resource_id && !log.dry_run ? <a href={to(["t", tenant.id, place(entry.resource_type), entry.resource_id])}>{entry.name ?? entry.dn}</a> : (entry.name ?? entry.dn)) },
                  { head: "Kind", cell: (entry) => (entry.resource_type === "Group" ? "group" : "person") },
                  { head: "What", cell: (entry) => <Badge kind={NOT_DONE.has(entry.action) ? "bad" : ""}>{entry.action}</Badge> },
                  { head: "In the directory", kind: "wide", cell: (entry) => <><span class="small">{entry.dn}</span>{entry.reason && <p class={NOT_DONE.has(entry.action) ? "reason" : "small"}>{entry.reason}</p>}</> },
                ]}
              />
            )}
            {total_pages > 1 && (
              <Pager what="entries" says={`Page ${count(page)} of ${count(total_pages)}, ${counted(total_items, "entry", "entries")}`} before={page > 1 ? () => setPage(page - 1) : undefined} next={page < total_pages ? () => setPage(page + 1) : undefined} />
            )}
          </>
        )}
      </Shown>
    </section>
  );
}
