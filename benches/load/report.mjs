// The results as tables, and beside those of another run.

/** A table of Markdown, its columns as wide as they have to be; numbers stand to the right. */
export function table(head, rows) {
  const cells = [head, ...rows].map((row) => row.map(String));
  const widths = head.map((_, column) => Math.max(...cells.map((row) => row[column].length)));
  const left = head.map((_, column) => rows.some((row) => /^[a-z]/i.test(String(row[column]))));
  const line = (row) => `| ${row.map((cell, column) => (left[column] ? cell.padEnd(widths[column]) : cell.padStart(widths[column]))).join(" | ")} |`;
  const rule = `|${widths.map((width, column) => (left[column] ? "-".repeat(width + 2) : `${"-".repeat(width + 1)}:`)).join("|")}|`;
  return [line(cells[0]), rule, ...cells.slice(1).map(line)].join("\n");
}

const ms = (value) => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2));
const whole = (value) => Math.round(value).toLocaleString("en");
const times = (value) => (value === null || value === undefined ? "" : `${value.toFixed(2)} ×`);
const megabytes = (bytes) => (bytes === null ? "" : `${Math.round(bytes / 1e6)} MB`);

/** The table of operations: one row for each of their sizes. */
export function operationsTable(operations) {
  const head = ["operation", "of", "trips", "read", "written", "p50 ms", "p99 ms", "/s", "µs CPU", "× floor", "× rows", "× least", "p50 at 16", "p99 at 16", "/s at 16"];
  const rows = operations.map(({ operation, of, trips, read, written, one, sixteen }) => [
    ...[operation, of, trips, whole(read), whole(written), ms(one.p50), ms(one.p99), whole(one.perSecond), one.cpu === null ? "" : whole(one.cpu)],
    ...[times(one.toFloor), times(one.toRows), times(one.toLeast)],
    ...(sixteen ? [ms(sixteen.p50), ms(sixteen.p99), whole(sixteen.perSecond)] : ["", "", ""]),
  ]);
  return table(head, rows);
}

/** Size, start and memory, beside the floor's. */
export function workerTable({ wasm, cold, memory }) {
  const row = (name, key, show) => {
    const [ours, floors] = [key(wasm.worker, cold.worker), key(wasm.floor, cold.floor)];
    return [name, show(ours), show(floors), times(ours / floors)];
  };
  const kB = (bytes) => `${whole(bytes / 1_000)} kB`;
  return table(
    ["the worker", "Rollcall", "floor", "ratio"],
    [
      row("wasm", (size) => size.plain, kB),
      row("wasm, gzipped", (size) => size.gzipped, kB),
      row("first reply of a cold worker, ms", (_, start) => start.first, ms),
      row("from the start of workerd to it, ms", (_, start) => start.start, ms),
      ...memory.map(({ target, now, most, floor }) => [`workerd's memory, ${target}, its most`, `${megabytes(now)}, ${megabytes(most)}`, floor ? `${megabytes(floor.now)}, ${megabytes(floor.most)}` : "", ""]),
    ],
  );
}

/** How much worse a ratio may be before it counts: less is noise. */
const NOISE = 0.2;

/**
 * What two runs differ in: what does not hang on the machine, which is counts, sizes and ratios to the floor. Answers a table and how many
 * of its rows are worse than noise explains.
 */
export function compare(reference, results) {
  const rows = [];
  const add = (name, before, now, show) => {
    if (before === undefined || before === null || now === undefined || now === null) return;
    const change = before === 0 ? (now === 0 ? 0 : 1) : now / before - 1;
    rows.push([name, show(before), show(now), `${change >= 0 ? "+" : ""}${Math.round(change * 100)} %`, change > NOISE ? "worse" : change < -NOISE ? "better" : ""]);
  };
  add("wasm, gzipped", reference.wasm.worker.gzipped, results.wasm.worker.gzipped, whole);
  add("first reply of a cold worker, × floor", reference.cold.worker.first / reference.cold.floor.first, results.cold.worker.first / results.cold.floor.first, times);
  for (const now of results.operations) {
    const before = reference.operations.find(({ operation, of }) => operation === now.operation && of === now.of);
    if (!before) continue;
    const name = `${now.operation}, ${now.of}`;
    for (const count of ["trips", "read", "written"]) if (before[count] !== now[count]) add(`${name}: ${count}`, before[count], now[count], whole);
    add(`${name}: × floor`, before.one.toFloor, now.one.toFloor, times);
    add(`${name}: CPU, × floor`, before.one.cpuToFloor, now.one.cpuToFloor, times);
  }
  return { text: table(["compared with the reference", "then", "now", "change", ""], rows), worse: rows.filter((row) => row.at(-1) === "worse").length };
}
