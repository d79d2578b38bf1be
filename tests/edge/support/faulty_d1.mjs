// A D1 that does what a test's requests tell it, put between the worker and the real D1 as a wrapped binding. It passes everything through,
// except: after a parameter with the text PANIC no further statement of the batch can be prepared, on which the worker's D1 library
// panics: once for each such text, since what is kept of the request after its reply has it too, and twice for one that begins with PANIC_TWICE;
// a batch with the text SLOW takes a moment, and one with the text HELD long enough for other requests to be answered in between.
import { bothWorkers } from "./world.mjs";

export const PANIC = "panic-please";
export const PANIC_TWICE = `${PANIC}-twice`;
export const SLOW = "slowly-please";
export const HELD = "hold-it-please";

const script = `
  const has = (statements, marker) => statements.some((statement) => statement.params?.some((value) => typeof value === "string" && value.includes(marker)));
  const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

  // How often each text has made the library panic.
  const panics = new Map();
  const panicking = (value) => {
    const [text] = (typeof value === "string" && value.match(/${PANIC}[-\\w]*/)) || [];
    const times = panics.get(text) ?? 0;
    if (!text || times >= (text.startsWith("${PANIC_TWICE}") ? 2 : 1)) return false;
    panics.set(text, times + 1);
    return true;
  };

  // The name is what the worker looks at.
  class D1Database {
    constructor(inner) { this.inner = inner; }
    prepare(sql) {
      // A batch is prepared without a pause: what comes next is of the same one.
      if (this.broken) throw (this.broken = false, new Error("this statement cannot be prepared"));
      const statement = this.inner.prepare(sql);
      return {
        bind: (...params) => {
          const bound = { params, bound: statement.bind(...params) };
          this.broken = params.some(panicking);
          return bound;
        },
      };
    }
    async batch(statements) {
      if (has(statements, "${SLOW}")) await wait(400);
      if (has(statements, "${HELD}")) await wait(2_000);
      return this.inner.batch(statements.map(({ bound }) => bound));
    }
  }
  export default (env) => new D1Database(env.INNER);
`;

/** For startWorld: both workers on that database, with `more` as in bothWorkers, and a way to the database for the test itself. */
export const onFaultyD1 = (more = {}) => ({
  workers: [
    ...bothWorkers({ wrappedBindings: { DB: "faulty-d1" }, ...more }),
    { name: "faulty-d1", modules: true, script, d1Databases: { INNER: "database" } },
    { name: "direct", modules: true, script: "export default {}", d1Databases: { DIRECT: "database" } },
  ],
  database: ["DIRECT", "direct"],
});
export const faultyD1 = onFaultyD1();
