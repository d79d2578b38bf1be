// A D1 that does what a test's requests tell it, put between the worker and the real D1 as a wrapped binding. It passes everything through,
// except: a batch with the text PANIC among its parameters is not run and comes back, after a moment, with results whose `success`
// cannot be read, on which the worker's D1 library panics; a batch with the text SLOW takes longer than that moment, and one with the
// text HELD long enough for other requests to be answered in between.
import { deployedWorker } from "./world.mjs";

export const PANIC = "panic-please";
export const SLOW = "slowly-please";
export const HELD = "hold-it-please";

const script = `
  const has = (statements, marker) => statements.some((statement) => statement.params?.some((value) => typeof value === "string" && value.includes(marker)));
  const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
  const unreadable = { get success() { throw new Error("this result cannot be read"); } };

  // The name is what the worker looks at.
  class D1Database {
    constructor(inner) { this.inner = inner; }
    prepare(sql) {
      const statement = this.inner.prepare(sql);
      return { bind: (...params) => ({ params, bound: statement.bind(...params) }) };
    }
    async batch(statements) {
      if (has(statements, "${PANIC}")) {
        await wait(150);
        return statements.map(() => unreadable);
      }
      if (has(statements, "${SLOW}")) await wait(400);
      if (has(statements, "${HELD}")) await wait(2_000);
      return this.inner.batch(statements.map(({ bound }) => bound));
    }
  }
  export default (env) => new D1Database(env.INNER);
`;

/** For startWorld: the deployed worker on that database, and a way to the database for the test itself. */
export const faultyD1 = {
  workers: [
    deployedWorker({ wrappedBindings: { DB: "faulty-d1" } }),
    { name: "faulty-d1", modules: true, script, d1Databases: { INNER: "database" } },
    { name: "direct", modules: true, script: "export default {}", d1Databases: { DIRECT: "database" } },
  ],
  database: ["DIRECT", "direct"],
};
