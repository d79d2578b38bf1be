// The tenants, found by a part of their name or id; and a new one.
import { useState } from "preact/hooks";
import { type Schemas, api, ask } from "../api";
import { count } from "../format";
import { useDoing, useLoad, useSettled } from "../load";
import { Page } from "../console";
import { Dialog } from "../parts/dialog";
import { Choice, Field, Form, wrongAt } from "../parts/form";
import { Badge, Empty, Shown } from "../parts/notice";
import { Pager, Table } from "../parts/table";
import { When } from "../parts/when";
import { go, to } from "../route";
import { may, session } from "../session";
import { readDatabases, whereIs } from "./databases";

const PER_PAGE = 50;

export function Tenants() {
  const [search, setSearch] = useState("");
  const [page, setPage] = useState(1);
  const [isNew, setNew] = useState(false);
  const settled = useSettled(search);
  const loaded = useLoad(`${settled} ${page}`, () => ask(api.GET("/api/v1/admin/tenants", { params: { query: { search: settled || undefined, page, per_page: PER_PAGE } } })));
  const mayMake = may("tenants:write") && !session()?.tenant;
  return (
    <Page title="Tenants" actions={mayMake && <button type="button" class="main" onClick={() => setNew(true)}>New tenant</button>}>
      <Field label="Search" type="search" value={search} onValue={(text) => (setPage(1), setSearch(text))} placeholder="Name or id" />
      <Shown loaded={loaded}>
        {({ data, pagination: { total_items, total_pages } }) => (
          <>
            {data.length === 0 && <Empty>{settled ? "No tenant has this in its name or id." : "There is no tenant yet. Each customer of your product is one."}</Empty>}
            {data.length > 0 && (
              <Table
                caption="Tenants"
                rows={data}
                id={(tenant) => tenant.id}
                columns={[
                  { head: "Name", kind: "wide", cell: (tenant) => <a href={to(["t", tenant.id])}>{tenant.name}</a> },
                  { head: "Id", cell: (tenant) => <code>{tenant.id}</code> },
                  { head: "Profile", cell: (tenant) => <Badge>{tenant.scim_profile}</Badge> },
                  ...(hasSeveral(data) ? [{ head: "Database", cell: (tenant: Schemas["TenantResponse"]) => tenant.database }] : []),
                  { head: "Made", cell: (tenant) => <When at={tenant.created_at} /> },
                ]}
              />
            )}
            {total_pages > 1 && (
              <Pager
                what="tenants"
                says={`Page ${count(page)} of ${count(total_pages)}, ${count(total_items)} tenants`}
                before={page > 1 ? () => setPage(page - 1) : undefined}
                next={page < total_pages ? () => setPage(page + 1) : undefined}
              />
            )}
          </>
        )}
      </Shown>
      {isNew && <NewTenant onClose={() => setNew(false)} />}
    </Page>
  );
}

/** With one database nobody asks where a tenant is. */
const hasSeveral = (tenants: Schemas["TenantResponse"][]) => tenants.some(({ database }) => database !== "main");

function NewTenant({ onClose }: { onClose: () => void }) {
  const [name, setName] = useState("");
  const [id, setId] = useState("");
  const [profile, setProfile] = useState("compat");
  const [database, setDatabase] = useState("");
  const databases = useLoad("databases", readDatabases).value ?? [];
  const doing = useDoing();
  const submit = () =>
    doing.run(async () => {
      const body = { name, scim_profile: profile as "compat" | "strict", ...(id && { id }), ...(database && { database }) };
      const { data } = await ask(api.POST("/api/v1/admin/tenants", { body }));
      onClose();
      go(to(["t", data.id, "tokens"]));
    });
  return (
    <Dialog title="New tenant" onClose={onClose}>
      <Form deed="Make the tenant" doing={doing} onSubmit={submit} onClose={onClose}>
        <Field label="Name" value={name} onValue={setName} isRequired wrong={wrongAt(doing.failure, "name")} hint="Your customer, for people to read." />
        <Field label="Id" value={id} onValue={setId} wrong={wrongAt(doing.failure, "id")} hint="Part of the address that the identity provider is given. Made up where you leave it out; it never changes." />
        <Choice
          label="Profile"
          value={profile}
          onValue={setProfile}
          options={[
            ["compat", "compat: takes what identity providers really send"],
            ["strict", "strict: holds to the RFCs"],
          ]}
        />
        {databases.length > 1 && (
          <Choice
            label="Database"
            value={database}
            onValue={setDatabase}
            options={[["", "Whichever takes new tenants"], ...databases.filter((one) => one.takes_new_tenants).map((one): [string, string] => [one.name, `${one.name} (${whereIs(one)})`])]}
            hint="Where its people's data are kept. It can be moved later."
          />
        )}
      </Form>
    </Dialog>
  );
}
