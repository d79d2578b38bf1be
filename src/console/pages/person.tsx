// One person: what is known of them, which groups they are in, and what was done to them, each step of which can be taken back.
import { Failure, type Schemas, api, ask } from "../api";
import { attributeName, shown } from "../format";
import { useLoad } from "../load";
import { Page } from "../console";
import { Facts } from "../parts/facts";
import { Badge, Empty, Notice, Shown } from "../parts/notice";
import { When } from "../parts/when";
import { to } from "../route";
import { may } from "../session";
import { History } from "./history";
import { useNames } from "./names";
import { personName } from "./people";
import { useTenant } from "./tenant";

const ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

export function Person({ id }: { id: string }) {
  const tenant = useTenant();
  // Of one who was deleted there is the history alone.
  const loaded = useLoad(id, () =>
    ask(api.GET("/api/v1/tenants/{tenant_id}/scim/v2/Users/{id}", { params: { path: { tenant_id: tenant.id, id } } })).catch((error) => {
      if (error instanceof Failure && error.status === 404) return "gone" as const;
      throw error;
    }),
  );
  const user = loaded.value;
  return (
    <Page title={user && user !== "gone" ? personName(user) : "Person"}>
      <Shown loaded={loaded}>
        {(user) =>
          user === "gone" ? (
            <Notice kind="warn">
              <p>There is nobody with this id any more. What was done is below, and can be taken back.</p>
            </Notice>
          ) : (
            <div class="two">
              <Attributes user={user} />
              <GroupsOf user={user} />
            </div>
          )
        }
      </Shown>
      {may("audit:read") && <History type="User" id={id} onChange={loaded.reload} />}
    </Page>
  );
}

function Attributes({ user }: { user: Schemas["User"] }) {
  const { schemas, meta, groups, ...own } = user as Schemas["User"] & Record<string, unknown>;
  const extension = (own as Record<string, unknown>)[ENTERPRISE] as Record<string, unknown> | undefined;
  const rows = Object.entries({ ...own, ...extension }).filter(([name]) => name !== ENTERPRISE);
  const cell = (name: string, value: unknown) => (name === "manager" ? <Manager manager={value as Manager} /> : <Value value={value} />);
  return (
    <section class="card">
      <h2>
        Attributes {user.active === false ? <Badge kind="warn">inactive</Badge> : <Badge kind="good">active</Badge>}
      </h2>
      <Facts facts={rows.map(([name, value]) => [attributeName(name), cell(name, value)])} />
      <p class="small">
        Made <When at={user.meta?.created} />, changed <When at={user.meta?.lastModified} />
      </p>
    </section>
  );
}

/** Several values are a line each. */
const Value = ({ value }: { value: unknown }) => (Array.isArray(value) ? <>{value.map((one, index) => <div key={index}>{shown(one)}</div>)}</> : <>{shown(value)}</>);

type Manager = { value?: string; displayName?: string };

/** Who manages somebody: a link where it is a person of this tenant, else what the identity provider calls them. */
function Manager({ manager: { value, displayName } }: { manager: Manager }) {
  const tenant = useTenant();
  const name = useNames("Users", value ? [value] : []).get(value ?? "");
  return name ? <a href={to(["t", tenant.id, "people", value!])}>{name}</a> : <>{displayName ?? value}</>;
}

function GroupsOf({ user }: { user: Schemas["User"] }) {
  const tenant = useTenant();
  const groups = user.groups ?? [];
  return (
    <section class="card">
      <h2>Groups</h2>
      {groups.length === 0 && <Empty>In no group.</Empty>}
      <ul class="plain">
        {groups.map((group) => (
          <li key={group.value}>
            <a href={to(["t", tenant.id, "groups", group.value!])}>{group.display ?? group.value}</a> {group.type === "indirect" && <span class="small">by another group</span>}
          </li>
        ))}
      </ul>
    </section>
  );
}
