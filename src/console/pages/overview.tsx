// What needs a person, in all tenants that one sees, each with the one thing to do about it; and how much went on in the last day.
import { useState } from "preact/hooks";
import { type Schemas, api, ask } from "../api";
import { count } from "../format";
import { useEvery, useLoad } from "../load";
import { Page } from "../console";
import { Badge, Empty, Shown } from "../parts/notice";
import { Table } from "../parts/table";
import { When } from "../parts/when";
import { to } from "../route";
import { may, session } from "../session";
import { atOnce } from "./at_once";
import { type Database, DatabaseTable } from "./databases";
import { DayChart } from "./day_chart";

type Tenant = Pick<Schemas["TenantResponse"], "id" | "name">;
export type Line = Schemas["StatusLine"] & { tenant: Tenant };

/** The status is asked of one page of tenants after the other. */
const TENANTS = 100;
const EVERY_MS = 60_000;

const GRAVE = new Set(["token_expired", "sync_blocked", "sync_failing", "fuse_tripped", "stream_paused", "message_dead"]);

/** What each code of the status is called, and where one does something about it. */
const ACTIONS: Record<string, [title: string, deed: string, where: (line: Line) => string]> = {
  token_expired: ["Token has expired", "Replace the token", (line) => to(["t", line.tenant.id, "tokens"])],
  token_expires: ["Token expires soon", "Rotate the token", (line) => to(["t", line.tenant.id, "tokens"])],
  token_unused: ["Token is not used", "Look at the token", (line) => to(["t", line.tenant.id, "tokens"])],
  requests_refused: ["Requests are refused", "See which and why", (line) => to(["t", line.tenant.id, "activity"], { status: "failed", actor: actor(line) })],
  refusals_not_kept: ["Too many refusals to record", "Find the client", (line) => to(["t", line.tenant.id, "activity"], { status: "failed" })],
  sync_blocked: ["Sync was stopped", "See its plan", (line) => to(["t", line.tenant.id, "providers", line.subject.id])],
  sync_failing: ["Sync fails", "See why", (line) => to(["t", line.tenant.id, "providers", line.subject.id])],
  fuse_tripped: ["Removals were stopped", "See what it removed", (line) => to(["t", line.tenant.id, "activity"], { actor: actor(line) })],
  stream_failing: ["Receiver refuses events", "See its answers", (line) => to(["t", line.tenant.id, "events", line.subject.id])],
  stream_paused: ["Event stream is paused", "Resume the stream", (line) => to(["t", line.tenant.id, "events", line.subject.id])],
  message_dead: ["A job was given up", "See what happened", (line) => to(["t", line.tenant.id, "activity"])],
};

/** The actor that a line is about: its subject is a token or who else has asked. */
const actor = ({ subject }: Line) => (subject.type === "ScimToken" ? `scim-token:${subject.id}` : subject.id);

/** Of so many pages of tenants. */
async function read(pages: number): Promise<{ lines: Line[]; databases: Database[]; tenants: string[]; total: number }> {
  const own = session()?.tenant;
  if (own) {
    const lines = await named({ id: own, name: own }, (await status({ tenant_id: own })).lines);
    return { lines, databases: [], tenants: [own], total: 1 };
  }
  const tenants: Tenant[] = [];
  const lines: Schemas["StatusLine"][] = [];
  let total = 0;
  let databases: Database[] = [];
  for (let page = 1; page <= pages && (page === 1 || tenants.length < total); page += 1) {
    const query = { page, per_page: TENANTS };
    const [listed, told] = await Promise.all([ask(api.GET("/api/v1/admin/tenants", { params: { query } })), status(query)]);
    tenants.push(...listed.data);
    lines.push(...told.lines);
    databases = told.databases ?? [];
    total = listed.pagination.total_items;
  }
  const each = await atOnce(tenants, (tenant) => named(tenant, lines.filter((line) => line.tenant_id === tenant.id)));
  return { lines: each.flat(), databases, tenants: tenants.map(({ id }) => id), total };
}

const status = async (query: { tenant_id?: string; page?: number; per_page?: number }) => (await ask(api.GET("/api/v1/admin/status", { params: { query } }))).data;

/** A tenant's lines with names for people. */
async function named(tenant: Tenant, lines: Schemas["StatusLine"][]): Promise<Line[]> {
  const isNameless = lines.some(({ name, subject }) => !name && subject.type === "Actor");
  const names = isNameless && may("scim-tokens:read") ? await tokenNames(tenant) : new Map<string, string>();
  return lines.map((line) => ({ ...line, name: line.name ?? names.get(line.subject.id) ?? (line.subject.type === "Actor" ? line.subject.id : null), tenant }));
}

async function tokenNames(tenant: Tenant): Promise<Map<string, string>> {
  const { data } = await ask(api.GET("/api/v1/admin/scim-tokens", { params: { query: { tenant_id: tenant.id, per_page: 100 } } }));
  return new Map(data.map(({ id, name }) => [`scim-token:${id}`, name]));
}

const order = (one: Line, other: Line) => Number(GRAVE.has(other.code)) - Number(GRAVE.has(one.code)) || other.since.localeCompare(one.since);

export function Overview() {
  const [pages, setPages] = useState(1);
  const loaded = useLoad(`overview ${pages}`, () => read(pages));
  useEvery(EVERY_MS, loaded.reload);
  return (
    <Page title="What needs you">
      <Shown loaded={loaded}>
        {({ lines, databases, tenants, total }) => (
          <>
            {databases.length > 0 && <DatabaseTable databases={databases} />}
            {lines.length ? <Lines lines={lines} withTenant={!session()?.tenant} /> : <Empty>{tenants.length < total ? "Nothing, in these tenants." : "Nothing. All tenants are well."}</Empty>}
            {tenants.length < total && (
              <div class="head">
                <span role="status">
                  Of {count(tenants.length)} of {count(total)} tenants. <a href={to(["tenants"])}>Find another one</a>
                </span>
                <button type="button" disabled={loaded.isLoading} onClick={() => setPages(pages + 1)}>
                  Look at {count(Math.min(TENANTS, total - tenants.length))} more
                </button>
              </div>
            )}
            {tenants.length > 0 && <DayChart tenants={tenants} />}
          </>
        )}
      </Shown>
    </Page>
  );
}

/** The lines of a status as a table. */
export function Lines({ lines, withTenant }: { lines: Line[]; withTenant: boolean }) {
  const of = (line: Line) => ACTIONS[line.code] ?? [line.code, "Look", (line: Line) => to(["t", line.tenant.id, "activity"])];
  return (
    <Table
      caption="What needs a person"
      rows={[...lines].sort(order)}
      id={(line) => `${line.tenant.id} ${line.code} ${line.subject.id}`}
      columns={[
        {
          head: "What",
          kind: "wide",
          cell: (line) => (
            <>
              <Badge kind={GRAVE.has(line.code) ? "bad" : "warn"}>{of(line)[0]}</Badge> {line.name && <strong>{line.name}</strong>}
              {line.count > 1 && <> · {count(line.count)} times</>}
              <p class="small">{line.what}</p>
            </>
          ),
        },
        ...(withTenant ? [{ head: "Tenant", cell: (line: Line) => <a href={to(["t", line.tenant.id])}>{line.tenant.name}</a> }] : []),
        { head: "When", cell: (line) => <When at={line.since} /> },
        { head: "Action", kind: "actions", cell: (line) => may("audit:read") && <a class="button" href={of(line)[2](line)} aria-label={`${of(line)[1]}: ${line.name ?? line.subject.id}`}>{of(line)[1]}</a> },
      ]}
    />
  );
}
