// The people of a tenant: found while one types, or by any filter of SCIM; a page at a time, by cursor, so that ten thousand cost no more than ten.
import { useState } from "preact/hooks";
import { type Schemas, api, ask } from "../api";
import { count, counted } from "../format";
import { useLoad, useTyped } from "../load";
import { Page } from "../console";
import { Field } from "../parts/form";
import { Badge, Empty, Shown } from "../parts/notice";
import { Pager, Table } from "../parts/table";
import { When } from "../parts/when";
import { to, useQuery } from "../route";
import { useTenant } from "./tenant";

const PER_PAGE = 50;
/** Beyond so many people a search asks only what an index answers: how names begin. */
const SCANNED = 20_000;

/** A text of a filter (RFC 7644 §3.4.2.2: a JSON string). */
const text = (value: string) => JSON.stringify(value);

export function searchFilter(typed: string, total: number): string {
  const word = typed.trim();
  if (!word) return "";
  const compare = (operator: string, names: string[]) => names.map((name) => `${name} ${operator} ${text(word)}`).join(" or ");
  if (total > SCANNED) return `${compare("sw", ["userName", "displayName"])} or emails.value eq ${text(word)}`;
  return compare("co", ["userName", "displayName", "name.givenName", "name.familyName", "emails.value"]);
}

export const personName = (user: Schemas["User"]) => user.displayName || [user.name?.givenName, user.name?.familyName].filter(Boolean).join(" ") || user.name?.formatted || user.userName || user.id || "";

/** Pages by cursor: the cursors that led to where one is, begun anew whenever what is listed changes. */
export function useCursors(what: string) {
  const [state, setState] = useState({ what, cursors: [""] });
  const cursors = state.what === what ? state.cursors : [""];
  return {
    cursor: cursors.at(-1)!,
    page: cursors.length,
    before: cursors.length > 1 ? () => setState({ what, cursors: cursors.slice(0, -1) }) : undefined,
    next: (cursor: string | undefined) => (cursor ? () => setState({ what, cursors: [...cursors, cursor] }) : undefined),
  };
}

export function People() {
  const tenant = useTenant();
  const [query, change] = useQuery();
  const settled = query.get("q") ?? "";
  const settledFilter = query.get("filter") ?? "";
  const [typed, setTyped] = useTyped(settled, (q) => change({ q }));
  const [filter, setFilter] = useTyped(settledFilter, (filter) => change({ filter }), 600);
  const [total, setTotal] = useState(0);
  const parts = [searchFilter(settled, total), settledFilter.trim()].filter(Boolean);
  const asked = parts.length > 1 ? parts.map((part) => `(${part})`).join(" and ") : (parts[0] ?? "");
  const pages = useCursors(asked);
  const loaded = useLoad(`${asked} ${pages.cursor}`, async () => {
    const params = { path: { tenant_id: tenant.id }, query: { filter: asked || undefined, cursor: pages.cursor, count: PER_PAGE, attributes: ["userName", "displayName", "name", "emails", "active", "meta.lastModified"] } };
    const list = await ask(api.GET("/api/v1/tenants/{tenant_id}/scim/v2/Users", { params }));
    if (!asked) setTotal(list.totalResults);
    return list;
  });
  return (
    <Page title="People">
      <div class="filters">
        <Field label="Search" type="search" value={typed} onValue={setTyped} placeholder="Name or e-mail" />
        <Field label="Filter" value={filter} onValue={setFilter} placeholder='active eq false and groups.display eq "Finance"' hint="Any SCIM filter." />
      </div>
      <Shown loaded={loaded}>
        {(list) => (
          <>
            {list.Resources.length === 0 && <Empty>{asked ? "Nobody is found." : "Nobody is here yet. People come when an identity provider sends them."}</Empty>}
            {list.Resources.length > 0 && (
              <Table
                caption="People"
                rows={list.Resources}
                id={(user) => user.id!}
                columns={[
                  { head: "Name", kind: "wide", cell: (user) => <a href={to(["t", tenant.id, "people", user.id!])}>{personName(user)}</a> },
                  { head: "User name", cell: (user) => user.userName },
                  { head: "E-mail", cell: (user) => user.emails?.find((mail) => mail.primary)?.value ?? user.emails?.[0]?.value ?? "" },
                  { head: "State", cell: (user) => (user.active === false ? <Badge kind="warn">inactive</Badge> : <Badge kind="good">active</Badge>) },
                  { head: "Changed", cell: (user) => <When at={user.meta?.lastModified} none="" /> },
                ]}
              />
            )}
            <Pager
              what="people"
              says={list.totalResults > PER_PAGE ? `Page ${count(pages.page)} of ${count(Math.ceil(list.totalResults / PER_PAGE))}, ${counted(list.totalResults, "person", "people")}` : counted(list.totalResults, "person", "people")}
              before={pages.before}
              next={pages.next(list.nextCursor)}
            />
          </>
        )}
      </Shown>
    </Page>
  );
}
