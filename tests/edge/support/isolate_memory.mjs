// Memory of the worker's own isolate, by V8's inspector in workerd: that is what the platform gives 128 MB to. The size of the process says little of it,
// because the databases live in there too. The world needs the inspector: `startWorld({ inspector: true })`.
import { setTimeout as sleep } from "node:timers/promises";
import { fetch } from "miniflare";

const SAMPLE_MS = 20;
/** Between two collections: often enough to meet each message of a long run, seldom enough not to be most of its work. */
const COLLECT_MS = 500;
const SUM = "function () { return this.reduce((sum, memory) => sum + memory.buffer.byteLength, 0); }";

/** Watches the isolate of one of the world's workers, the first or one that is named. */
export async function watchMemory(world, worker = "worker-0") {
  const url = new URL(`/core:user:${worker}`, await world.mf.getInspectorURL());
  url.protocol = "http:";
  const { webSocket } = await fetch(url, { headers: { upgrade: "websocket" } });
  const memory = new IsolateMemory(webSocket);
  await memory.ask("Runtime.enable"); // it tells what the worker's context is called
  return memory;
}

class IsolateMemory {
  #socket;
  #waiting = new Map();
  #asked = 0;
  #context;

  constructor(socket) {
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => this.#hear(JSON.parse(data)));
    socket.accept();
  }

  /**
   * Does `work` and answers its `result`, and in bytes: `wasm`, the linear memory at its end, which never shrinks; `heap`, the most that JavaScript had, garbage
   * included, and `buffers`, the most in array buffers besides, each as often as the isolate let anybody look. With `collecting`, also `held`: the most of
   * all three together that was left right after a collection, which is made now and then; the peaks are those between these collections.
   */
  async during(work, { collecting = false } = {}) {
    const most = { heap: 0, buffers: 0, held: 0 };
    let over = false;
    const watching = (async () => {
      let collected = -Infinity;
      while (!over) {
        const { heap, buffers } = await this.used();
        most.heap = Math.max(most.heap, heap);
        most.buffers = Math.max(most.buffers, buffers);
        if (collecting && performance.now() - collected > COLLECT_MS) {
          most.held = Math.max(most.held, await this.held());
          collected = performance.now();
        }
        await sleep(SAMPLE_MS);
      }
    })();
    const result = await work().finally(() => (over = true));
    await watching;
    return { result, wasm: await this.wasm(), ...most };
  }

  /** What JavaScript has now, in bytes: `heap`, garbage included, and array buffers besides. */
  async used() {
    const { usedSize, embedderHeapUsedSize, backingStorageSize } = await this.ask("Runtime.getHeapUsage");
    return { heap: usedSize + embedderHeapUsedSize, buffers: backingStorageSize };
  }

  /** What is left after a collection, in bytes: the linear memory, JavaScript and array buffers. */
  async held() {
    const prototypeObjectId = await this.#memoryPrototype();
    // V8 collects all garbage before it answers which objects there are. Both are asked at once: between two questions the work would go on.
    const [{ objects }, { heap, buffers }] = await Promise.all([this.ask("Runtime.queryObjects", { prototypeObjectId }), this.used()]);
    return (await this.#sum(objects)) + heap + buffers;
  }

  /** The linear memory, in bytes. */
  async wasm() {
    const { objects } = await this.ask("Runtime.queryObjects", { prototypeObjectId: await this.#memoryPrototype() });
    return this.#sum(objects);
  }

  async #memoryPrototype() {
    const { result } = await this.ask("Runtime.evaluate", { expression: "WebAssembly.Memory.prototype", contextId: this.#context });
    return result.objectId;
  }

  async #sum({ objectId }) {
    const { result } = await this.ask("Runtime.callFunctionOn", { objectId, functionDeclaration: SUM, returnByValue: true });
    await this.ask("Runtime.releaseObject", { objectId });
    return result.value;
  }

  /** A command of the DevTools protocol. */
  ask(method, params = {}) {
    const id = (this.#asked += 1);
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#socket.send(JSON.stringify({ id, method, params }));
    });
  }

  #hear({ id, result, error, method, params }) {
    if (method === "Runtime.executionContextCreated") this.#context = params.context.id;
    const { resolve, reject } = this.#waiting.get(id) ?? {};
    this.#waiting.delete(id);
    if (error) reject?.(new Error(error.message));
    else resolve?.(result);
  }

  close() {
    this.#socket.close();
  }
}
