// Where a tenant lives, and its move to another database with its progress.
import { useState } from "preact/hooks";
import { type Schemas, api, ask } from "../api";
import { count, counted } from "../format";
import { useDoing, useEvery, useLoad } from "../load";
import { Confirm } from "../parts/dialog";
import { type Fact, Facts } from "../parts/facts";
import { Choice } from "../parts/form";
import { Badge, Failed, Shown } from "../parts/notice";
import { When } from "../parts/when";
import { may } from "../session";
import { type Database, readDatabases, whereIs } from "./databases";
import { useTenant } from "./tenant";

type Moved = Schemas["MoveResponse"];

const EVERY_MS = 1_000;
const OVER = new Set(["none", "done", "cancelled", "failed"]);

/** What each status is called. */
const STATUSES: Record<string, [title: string, kind: "good" | "warn" | "bad" | ""]> = {
  copying: ["Copying", "warn"],
  catching_up: ["Catching up", "warn"],
  checking: ["Comparing", "warn"],
  switching: ["Switching", "warn"],
  purging: ["Moved; clearing up", "good"],
  done: ["Moved", "good"],
  cancelling: ["Being taken back", "warn"],
  cancelled: ["Taken back", ""],
  failed: ["Failed", "bad"],
};

const lastMove = async (tenant_id: string): Promise<Moved> => (await ask(api.GET("/api/v1/admin/tenants/{tenant_id}/move", { params: { path: { tenant_id } } }))).data;

export function Home({ lives, onMoved }: { lives: string; onMoved: () => void }) {
  const tenant = useTenant();
  const path = { tenant_id: tenant.id };
  const databases = useLoad("databases", readDatabases);
  const moved = useLoad(`move ${tenant.id}`, () => lastMove(tenant.id));
  const [to, setTo] = useState("");
  const [isSure, setSure] = useState(false);
  const doing = useDoing();
  const isRunning = Boolean(moved.value) && !OVER.has(moved.value!.status);
  useEvery(isRunning ? EVERY_MS : null, () => {
    moved.reload();
    onMoved();
  });
  const start = async () => {
    await ask(api.POST("/api/v1/admin/tenants/{tenant_id}/move", { params: { path }, body: { database: to } }));
    setSure(false);
    setTo("");
    moved.reload();
  };
  const cancel = () =>
    doing.run(async () => {
      await ask(api.DELETE("/api/v1/admin/tenants/{tenant_id}/move", { params: { path } }));
      moved.reload();
    });
  return (
    <section class="card">
      <h2>Database</h2>
      <Shown loaded={databases}>
        {(all) => {
          const others = all.filter(({ name }) => name !== lives);
          const mayMove = may("tenants:write") && others.length > 0 && !isRunning;
          return (
            <>
              <p>
                The tenant lives in <strong>{lives}</strong> ({where(all, lives)}).
              </p>
              {mayMove && (
                <>
                  <div class="narrow">
                    <Choice label="Move it to" value={to} onValue={setTo} options={[["", "Choose a database"], ...others.map((one): [string, string] => [one.name, `${one.name} (${whereIs(one)})`])]} />
                  </div>
                  <p>
                    <button type="button" disabled={!to || to === lives} onClick={() => setSure(true)}>
                      Move the tenant
                    </button>
                  </p>
                </>
              )}
            </>
          );
        }}
      </Shown>
      <Shown loaded={moved}>
        {(moved) =>
          moved.status !== "none" && (
            <div role="status">
              <Progress moved={moved} />
              {may("tenants:write") && ["copying", "catching_up", "checking"].includes(moved.status) && (
                <button type="button" disabled={doing.isBusy} onClick={cancel}>
                  Cancel the move
                </button>
              )}
            </div>
          )
        }
      </Shown>
      <Failed failure={doing.failure} />
      {isSure && (
        <Confirm title={`Move ${tenant.name} to ${to}?`} deed="Move the tenant" work={start} onClose={() => setSure(false)}>
          {leaves(databases.value ?? [], lives, to) && <p>Its data leave the jurisdiction that {lives} stays under.</p>}
          <p>Its people and its identity provider go on meanwhile. Near the end writes wait for some seconds. Until then the move can be cancelled.</p>
        </Confirm>
      )}
    </section>
  );
}

/** Whether a move takes data out of where they have to stay. */
function leaves(all: Database[], from: string, to: string) {
  const of = (name: string) => all.find((one) => one.name === name)?.jurisdiction ?? null;
  return of(from) !== null && of(from) !== of(to);
}

const where = (all: Database[], name: string) => {
  const found = all.find((one) => one.name === name);
  return found ? whereIs(found) : "not known here";
};

function Progress({ moved }: { moved: Moved }) {
  const [title, kind] = STATUSES[moved.status] ?? [moved.status, ""];
  const facts: Fact[] = [
    ["Began", moved.started_at && <When at={moved.started_at} />],
    ["Copied", moved.rows_total ? `${count(moved.rows_copied)} of about ${counted(moved.rows_total, "row")}` : counted(moved.rows_copied, "row")],
    ["Written meanwhile", counted(moved.rows_caught_up, "row")],
  ];
  if (moved.pause_ms !== null) facts.push(["Writes waited", `${count(moved.pause_ms)} ms`]);
  if (moved.finished_at) facts.push(["Ended", <When at={moved.finished_at} />]);
  if (moved.reason) facts.push(["Why", moved.reason]);
  return (
    <>
      <h3>
        From {moved.from} to {moved.to} <Badge kind={kind}>{title}</Badge>
      </h3>
      {moved.status === "copying" && moved.rows_total > 0 && <progress max={moved.rows_total} value={Math.min(moved.rows_copied, moved.rows_total)} aria-label="Rows copied" />}
      <Facts facts={facts} />
    </>
  );
}
