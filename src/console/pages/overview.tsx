// What needs a person, in all tenants that one sees, each with the one thing to do about it.
import { type Schemas, api, ask } from "../api";
import { count } from "../format";
import { useEvery, useLoad } from "../load";
import { Page } from "../console";
import { Badge, Empty, Shown } from "../parts/notice";
import { Table } from "../parts/table";
import { When } from "../parts/when";
import { to } from "../route";
import { may, session } from "../session";

type Tenant = Pick<Schemas["TenantResponse"], "id" | "name">;
export type Line = Schemas["StatusLine"] & { tenant: Tenant };

/** The status is asked of one tenant at a time: of so many at once, and of no more than the first page of tenants. */
const AT_ONCE = 6;
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

async function read(): Promise<{ lines: Line[]; tenants: number; total: number }> {
  const own = session()?.tenant;
  if (own) {
    const lines = await linesOf({ id: own, name: own });
    return { lines, tenants: 1, total: 1 };
  }
  const { data, pagination } = await ask(api.GET("/api/v1/admin/tenants", { params: { query: { per_page: TENANTS } } }));
  const waiting = [...data];
  const lines: Line[] = [];
  const work = async () => {
    for (let tenant = waiting.shift(); tenant; tenant = waiting.shift()) lines.push(...(await linesOf(tenant)));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return { lines, tenants: data.length, total: pagination.total_items };
}

async function linesOf(tenant: Tenant): Promise<Line[]> {
  const { data } = await ask(api.GET("/api/v1/admin/status", { params: { query: { tenant_id: tenant.id } } }));
  const isNameless = data.lines.some(({ name, subject }) => !name && subject.type === "Actor");
  const names = isNameless && may("scim-tokens:read") ? await tokenNames(tenant) : new Map<string, string>();
  return data.lines.map((line) => ({ ...line, name: line.name ?? names.get(line.subject.id) ?? (line.subject.type === "Actor" ? line.subject.id : null), tenant }));
}

async function tokenNames(tenant: Tenant): Promise<Map<string, string>> {
  const { data } = await ask(api.GET("/api/v1/admin/scim-tokens", { params: { query: { tenant_id: tenant.id, per_page: 100 } } }));
  return new Map(data.map(({ id, name }) => [`scim-token:${id}`, name]));
}

const order = (one: Line, other: Line) => Number(GRAVE.has(other.code)) - Number(GRAVE.has(one.code)) || other.since.localeCompare(one.since);

export function Overview() {
  const loaded = useLoad("overview", read);
  useEvery(EVERY_MS, loaded.reload);
  return (
    <Page title="What needs you">
      <Shown loaded={loaded}>
        {({ lines, tenants, total }) => (
          <>
            {tenants < total && (
              <p class="small">
                Of the first {count(tenants)} of {count(total)} tenants. <a href={to(["tenants"])}>Find another one</a>
              </p>
            )}
            {lines.length ? <Lines lines={lines} withTenant={!session()?.tenant} /> : <Empty>Nothing. All tenants are well.</Empty>}
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
