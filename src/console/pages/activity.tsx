// The journal of a tenant's requests, live: what was refused stands out, with its reason.
import { useState } from "preact/hooks";
import { type Schemas, api, ask, sentence } from "../api";
import { useDoing, useEvery, useTyped } from "../load";
import { Page } from "../console";
import { Choice, Field, Tick } from "../parts/form";
import { Badge, Empty, Failed, Shown } from "../parts/notice";
import { Older, useList } from "../parts/older";
import { Table } from "../parts/table";
import { When } from "../parts/when";
import { to, useQuery } from "../route";
import { may } from "../session";
import { AllowRemovals } from "./allow_removals";
import { Actor, useTenant } from "./tenant";

type Row = Schemas["RequestResponse"];

const LIMIT = 50;
const EVERY_MS = 3_000;

const VERBS: Record<string, string> = { POST: "Create", PUT: "Replace", PATCH: "Change", DELETE: "Delete", GET: "Look up" };
/** What stands at the end of a route's fixed parts, in words; with a verb where the route is one itself. */
const NOUNS: Record<string, string> = {
  Users: "a person",
  Groups: "a group",
  Me: "oneself",
  Bulk: "!Change many at once",
  tenants: "a tenant",
  import: "!Import a tenant's data",
  restore: "!Bring back a tenant",
  "scim-tokens": "a token",
  rotate: "!Replace a token",
  "allow-removals": "!Allow removals",
  "identity-providers": "a provider",
  "group-mappings": "a group mapping",
  test: "!Test the connection",
  sync: "!Sync the directory",
  "event-streams": "an event stream",
  "rotate-secret": "!Replace a stream's secret",
  resume: "!Resume a stream",
  replay: "!Send again",
  undo: "!Undo changes",
  erasures: "!Erase a person's traces",
};

/** What a request wanted, in words. */
export function wanted({ method, route }: Row): string {
  const last = route.split("/").findLast((part) => part && !part.startsWith(":")) ?? "";
  const noun = NOUNS[last];
  if (!noun) return `${method} ${route}`;
  return noun.startsWith("!") ? noun.slice(1) : `${VERBS[method] ?? method} ${noun}`;
}

export const Outcome = ({ row: { status, failed } }: { row: Row }) => <Badge kind={failed ? "bad" : "good"}>{failed ? (status < 400 ? `${status}, in part` : `${status} refused`) : status}</Badge>;

export function Activity() {
  const tenant = useTenant();
  const [query, change] = useQuery();
  const [status, actor, settled] = ["status", "actor", "user_name"].map((name) => query.get(name) ?? "") as [string, string, string];
  const [userName, setUserName] = useTyped(settled, (user_name) => change({ user_name }));
  const [isAllowing, setAllowing] = useState(false);
  const [isLive, setLive] = useState(true);
  const asked = { tenant_id: tenant.id, status: status || undefined, actor: actor || undefined, user_name: settled.trim() || undefined, limit: LIMIT };
  const key = JSON.stringify(asked);
  const list = useList<Row>(key, ({ id }) => id, async (after) => {
    const { data, pagination } = await ask(api.GET("/api/v1/admin/requests", { params: { query: { ...asked, after } } }));
    return { rows: data, next: pagination.next };
  });
  const live = useDoing();
  useEvery(isLive ? EVERY_MS : null, () => live.run(list.refresh));
  const actors = [...tenant.actors].filter(([name]) => name.startsWith("scim-token:")) as [string, string][];
  const others = actor && !tenant.actors.has(actor) ? [[actor, actor] as [string, string]] : [];
  return (
    <Page
      title="Activity"
      actions={
        actor.startsWith("scim-token:") &&
        may("scim-tokens:write") && (
          <button type="button" onClick={() => setAllowing(true)}>
            Allow removals
          </button>
        )
      }
    >
      {isAllowing && <AllowRemovals token={actor.slice("scim-token:".length)} name={tenant.actors.get(actor) ?? actor} onClose={() => setAllowing(false)} />}
      <div class="filters">
        <Choice
          label="Result"
          value={status}
          onValue={(status) => change({ status })}
          options={[
            ["", "All"],
            ["failed", "Refused"],
            ["2xx", "Done"],
          ]}
        />
        <Choice label="Sent by" value={actor} onValue={(actor) => change({ actor })} options={[["", "Anybody"], ...actors, ...others]} />
        <Field label="User name" type="search" value={userName} onValue={setUserName} placeholder="ada@example.com" />
      </div>
      <Tick label="Live: new requests appear by themselves" value={isLive} onValue={setLive} />
      <Shown loaded={list.loaded}>
        {() => (
          <>
            {isLive && <Failed failure={live.failure} />}
            {list.rows.length === 0 && <Empty>No request is recorded{status || actor || settled ? " that is like this" : ""}.</Empty>}
            {list.rows.length > 0 && (
              <Table
                caption="Requests, the latest first"
                rows={list.rows}
                id={(row) => row.id}
                mark={(row) => (row.failed ? "refused" : "")}
                columns={[
                  { head: "When", cell: (row) => <When at={row.at} /> },
                  {
                    head: "What",
                    kind: "wide",
                    cell: (row) => (
                      <>
                        <a href={to(["t", tenant.id, "activity", row.id])}>{wanted(row)}</a> {row.user_name && <strong>{row.user_name}</strong>}
                        {row.failed && <p class="reason">{sentence(row.detail) || "Some of its operations were refused."}</p>}
                        {row.forgiven.length > 0 && <p class="small">Forgiven: {row.forgiven.join(", ")}</p>}
                      </>
                    ),
                  },
                  { head: "Sent by", cell: (row) => <Actor actor={row.actor} /> },
                  { head: "Result", cell: (row) => <Outcome row={row} /> },
                ]}
              />
            )}
            <Older list={list} />
          </>
        )}
      </Shown>
    </Page>
  );
}
