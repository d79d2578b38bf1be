// The last day as bars, an hour each: how much was changed, and how many requests were refused. The same numbers are there as text.
import { type Schemas, api, ask } from "../api";
import { count, counted, exact } from "../format";
import { useEvery, useLoad } from "../load";
import { Shown } from "../parts/notice";
import { Table } from "../parts/table";
import { atOnce } from "./at_once";

type Hour = Schemas["ActivityHour"];
interface Day {
  hours: Hour[];
  /** Since when all is counted, where not the whole day is. */
  since: string | null;
}

const EVERY_MS = 300_000;
const NAMES = ["requests", "refused", "changes"] as const;
const WIDTH = 720;
const HEIGHT = 120;

/** The day of several tenants, added up. */
async function read(tenants: string[]): Promise<Day> {
  const days = await atOnce(tenants, async (tenant_id) => (await ask(api.GET("/api/v1/admin/activity", { params: { query: { tenant_id } } }))).data);
  // One that is asked a moment later may be an hour further.
  const hours = new Map<string, Hour>();
  for (const hour of days.flatMap(({ hours }) => hours)) {
    const before = hours.get(hour.at);
    hours.set(hour.at, before ? { at: hour.at, requests: before.requests + hour.requests, refused: before.refused + hour.refused, changes: before.changes + hour.changes } : hour);
  }
  const since = days.flatMap(({ counted_since }) => counted_since ?? []).sort().at(-1) ?? null;
  return { hours: [...hours.values()].sort((one, other) => one.at.localeCompare(other.at)).slice(-24), since };
}

export function DayChart({ tenants }: { tenants: string[] }) {
  const loaded = useLoad(`day ${tenants.join()}`, () => read(tenants));
  useEvery(EVERY_MS, loaded.reload);
  return (
    <section class="card" aria-labelledby="day">
      <h2 id="day">The last day</h2>
      <Shown loaded={loaded}>{(day) => <Bars day={day} />}</Shown>
    </section>
  );
}

const HOUR = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });

function Bars({ day: { hours, since } }: { day: Day }) {
  const [requests, refused, changes] = NAMES.map((name) => hours.reduce((sum, hour) => sum + hour[name], 0)) as [number, number, number];
  const most = Math.max(1, ...hours.flatMap((hour) => [hour.requests, hour.changes]));
  const step = WIDTH / 24;
  const bar = (number: number) => (number && Math.max(2, (number / most) * (HEIGHT - 4)));
  const says = `${counted(requests, "request")}, ${count(refused)} of them refused, and ${counted(changes, "change")} of people and groups`;
  const about = ({ at, requests, refused, changes }: Hour) => `${HOUR.format(new Date(at))}: ${counted(requests, "request")}, ${count(refused)} refused, ${counted(changes, "change")}`;
  return (
    <>
      <p>
        {says}.{since && ` Counted since ${exact(since)}: there were more before.`}
      </p>
      <svg class="bars" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={`By the hour: ${says}. The hours are in the table below.`}>
        <line x1="0" x2={WIDTH} y1={HEIGHT} y2={HEIGHT} />
        {hours.map((hour, index) => (
          <g key={hour.at} transform={`translate(${index * step} 0)`}>
            <title>{about(hour)}</title>
            <rect class="room" width={step} height={HEIGHT} />
            <Bar kind="requests" x={3} width={step * 0.45 - 3} height={bar(hour.requests)} />
            <Bar kind="refused" x={3} width={step * 0.45 - 3} height={bar(hour.refused)} />
            <Bar kind="changes" x={step * 0.5} width={step * 0.45 - 3} height={bar(hour.changes)} />
          </g>
        ))}
      </svg>
      <div class="hours" aria-hidden="true">
        {hours.filter((_, index) => index % 6 === 5).map(({ at }) => (
          <span key={at}>{HOUR.format(new Date(at))}</span>
        ))}
      </div>
      <ul class="legend">
        <li class="requests">Requests</li>
        <li class="refused">Refused</li>
        <li class="changes">Changes</li>
      </ul>
      <details>
        <summary>As a table</summary>
        <Table
          caption="The last day by the hour"
          rows={hours.filter((hour) => hour.requests + hour.changes)}
          id={({ at }) => at}
          columns={[
            { head: "Hour", cell: ({ at }) => HOUR.format(new Date(at)) },
            { head: "Requests", cell: (hour) => count(hour.requests) },
            { head: "Refused", cell: (hour) => count(hour.refused) },
            { head: "Changes", cell: (hour) => count(hour.changes) },
          ]}
        />
      </details>
    </>
  );
}

const Bar = ({ kind, x, width, height }: { kind: string; x: number; width: number; height: number }) => <rect class={kind} x={x} width={width} y={HEIGHT - height} height={height} />;
