// One group: its members a page at a time, as a list of users that are in it, and its history.
import { useState } from "preact/hooks";
import { Failure, api, ask } from "../api";
import { count, counted } from "../format";
import { useLoad } from "../load";
import { Page } from "../console";
import { Tick } from "../parts/form";
import { Badge, Empty, Notice, Shown } from "../parts/notice";
import { Pager, Table } from "../parts/table";
import { When } from "../parts/when";
import { to } from "../route";
import { may } from "../session";
import { History } from "./history";
import { personName, useCursors } from "./people";
import { useTenant } from "./tenant";

const PER_PAGE = 50;

export function Group({ id }: { id: string }) {
  const tenant = useTenant();
  const loaded = useLoad(id, () =>
    ask(api.GET("/api/v1/tenants/{tenant_id}/scim/v2/Groups/{id}", { params: { path: { tenant_id: tenant.id, id }, query: { excludedAttributes: ["members"] } } })).catch((error) => {
      if (error instanceof Failure && error.status === 404) return "gone" as const;
      throw error;
    }),
  );
  const [round, setRound] = useState(0);
  const group = loaded.value;
  const changed = () => (loaded.reload(), setRound(round + 1));
  return (
    <Page title={group && group !== "gone" ? group.displayName! : "Group"}>
      <Shown loaded={loaded}>
        {(group) =>
          group === "gone" ? (
            <Notice kind="warn">
              <p>This group is not there any more. What was done is below, and can be taken back.</p>
            </Notice>
          ) : (
            <>
              <p class="small">
                <code>{group.id}</code> · made <When at={group.meta?.created} />, changed <When at={group.meta?.lastModified} />
              </p>
              <Members key={round} id={id} />
            </>
          )
        }
      </Shown>
      {may("audit:read") && <History type="Group" id={id} onChange={changed} />}
    </Page>
  );
}

/** Users whose groups have this one, directly unless one asks for those of groups inside it too. */
function Members({ id }: { id: string }) {
  const tenant = useTenant();
  const [withIndirect, setIndirect] = useState(false);
  const filter = withIndirect ? `groups.value eq ${JSON.stringify(id)}` : `groups[value eq ${JSON.stringify(id)} and type eq "direct"]`;
  const pages = useCursors(filter);
  const loaded = useLoad(`${filter} ${pages.cursor}`, () => {
    const query = { filter, cursor: pages.cursor, count: PER_PAGE, attributes: ["userName", "displayName", "name", "active"] };
    return ask(api.GET("/api/v1/tenants/{tenant_id}/scim/v2/Users", { params: { path: { tenant_id: tenant.id }, query } }));
  });
  return (
    <section>
      <h2>Members</h2>
      <Tick label="Also those who are in by another group" value={withIndirect} onValue={setIndirect} />
      <Shown loaded={loaded}>
        {(list) => (
          <>
            {list.Resources.length === 0 && <Empty>Nobody is in this group.</Empty>}
            {list.Resources.length > 0 && (
              <Table
                caption="Members"
                rows={list.Resources}
                id={(user) => user.id!}
                columns={[
                  { head: "Name", kind: "wide", cell: (user) => <a href={to(["t", tenant.id, "people", user.id!])}>{personName(user)}</a> },
                  { head: "User name", cell: (user) => user.userName },
                  { head: "State", cell: (user) => (user.active === false ? <Badge kind="warn">inactive</Badge> : <Badge kind="good">active</Badge>) },
                ]}
              />
            )}
            <Pager what="members" says={list.totalResults > PER_PAGE ? `Page ${count(pages.page)}, ${counted(list.totalResults, "person", "people")}` : counted(list.totalResults, "person", "people")} before={pages.before} next={pages.next(list.nextCursor)} />
          </>
        )}
      </Shown>
    </section>
  );
}
