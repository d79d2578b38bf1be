// The groups of a tenant, without their members: those come with one group.
import { useState } from "preact/hooks";
import { api, ask } from "../api";
import { count, counted } from "../format";
import { useLoad, useSettled } from "../load";
import { Page } from "../console";
import { Field } from "../parts/form";
import { Empty, Shown } from "../parts/notice";
import { Pager, Table } from "../parts/table";
import { When } from "../parts/when";
import { to } from "../route";
import { useCursors } from "./people";
import { useTenant } from "./tenant";

const PER_PAGE = 50;

export function Groups() {
  const tenant = useTenant();
  const [typed, setTyped] = useState("");
  const settled = useSettled(typed);
  const filter = settled.trim() ? `displayName sw ${JSON.stringify(settled.trim())}` : undefined;
  const pages = useCursors(filter ?? "");
  const loaded = useLoad(`${filter} ${pages.cursor}`, () => {
    const query = { filter, cursor: pages.cursor, count: PER_PAGE, excludedAttributes: ["members"] };
    return ask(api.GET("/api/v1/tenants/{tenant_id}/scim/v2/Groups", { params: { path: { tenant_id: tenant.id }, query } }));
  });
  return (
    <Page title="Groups">
      <Field label="Search" type="search" value={typed} onValue={setTyped} placeholder="How the name begins" />
      <Shown loaded={loaded}>
        {(list) => (
          <>
            {list.Resources.length === 0 && <Empty>{filter ? "No group's name begins so." : "There are no groups yet."}</Empty>}
            {list.Resources.length > 0 && (
              <Table
                caption="Groups"
                rows={list.Resources}
                id={(group) => group.id!}
                columns={[
                  { head: "Name", kind: "wide", cell: (group) => <a href={to(["t", tenant.id, "groups", group.id!])}>{group.displayName}</a> },
                  { head: "External id", cell: (group) => group.externalId ?? "" },
                  { head: "Changed", cell: (group) => <When at={group.meta?.lastModified} none="" /> },
                ]}
              />
            )}
            <Pager what="groups" says={list.totalResults > PER_PAGE ? `Page ${count(pages.page)}, ${counted(list.totalResults, "group")}` : counted(list.totalResults, "group")} before={pages.before} next={pages.next(list.nextCursor)} />
          </>
        )}
      </Shown>
    </Page>
  );
}
