// The databases that tenants live in: where each is, how full it is, and what to do about it.
import { type Schemas, api, ask } from "../api";
import { count } from "../format";
import { useEvery, useLoad } from "../load";
import { Page } from "../console";
import { Badge, Shown } from "../parts/notice";
import { Table } from "../parts/table";

export type Database = Schemas["DatabaseResponse"];

const EVERY_MS = 60_000;

/** What each state is called. */
const STATES: Record<Database["state"], [title: string, kind: "good" | "warn" | "bad"]> = {
  open: ["Takes new tenants", "good"],
  filling: ["Takes no new tenants", "warn"],
  full: ["Full", "bad"],
  outdated: ["Of an older version", "bad"],
  out_of_reach: ["Does not answer", "bad"],
};

export const readDatabases = async () => (await ask(api.GET("/api/v1/admin/databases", { params: { query: { per_page: 100 } } }))).data;

/** Where it is kept, for people. */
export const whereIs = ({ location, jurisdiction }: Database) => (jurisdiction ? `jurisdiction ${jurisdiction}` : (location ? `location ${location}` : "wherever Cloudflare put it"));

export function Databases() {
  const loaded = useLoad("databases", readDatabases);
  useEvery(EVERY_MS, loaded.reload);
  return (
    <Page title="Databases">
      <Shown loaded={loaded}>{(databases) => <DatabaseTable databases={databases} />}</Shown>
    </Page>
  );
}

export const DatabaseTable = ({ databases }: { databases: Database[] }) => (
  <Table
    caption="Databases"
    rows={databases}
    id={({ name }) => name}
    columns={[
      { head: "Name", cell: ({ name }) => <strong>{name}</strong> },
      { head: "Where", cell: whereIs },
      { head: "Tenants", kind: "number", cell: ({ tenants }) => (tenants === null ? "–" : count(tenants)) },
      { head: "Size", kind: "number", cell: size },
      {
        head: "State",
        kind: "wide",
        cell: (database) => {
          const [title, kind] = STATES[database.state];
          return (
            <>
              <Badge kind={kind}>{title}</Badge>
              {database.do && <p class="small">{database.do}</p>}
            </>
          );
        },
      },
    ]}
  />
);

function size({ bytes, max_bytes }: Database) {
  if (bytes === null) return "–";
  const share = Math.floor((bytes * 1000) / max_bytes) / 10;
  return `${megabytes(bytes)} of ${megabytes(max_bytes)} (${share} %)`;
}

function megabytes(bytes: number) {
  if (bytes < 1e6) return `${count(Math.ceil(bytes / 1e3))} kB`;
  return bytes < 1e9 ? `${count(Math.ceil(bytes / 1e6))} MB` : `${count(Math.floor(bytes / 1e8) / 10)} GB`;
}
