// What a page reads, and what it does.
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { Failure } from "./api";
import { hasEnded, onSession, session } from "./session";

export interface Loaded<T> {
  /** What was read last; it stays while it is read again. */
  value: T | null;
  failure: Failure | null;
  isLoading: boolean;
  reload(): void;
}

const asFailure = (error: unknown) => (error instanceof Failure ? error : new Failure(0, error instanceof Error ? error.message : String(error), null));

/** Reads whenever `key` changes, and again after somebody has signed in anew. A reply that comes too late is dropped. */
export function useLoad<T>(key: string, read: () => Promise<T>): Loaded<T> {
  const [state, setState] = useState<{ key: string; value: T | null; failure: Failure | null; isLoading: boolean }>({ key, value: null, failure: null, isLoading: true });
  const [round, setRound] = useState(0);
  const reload = useCallback(() => setRound((round) => round + 1), []);
  const failed = useRef(false);
  useEffect(() => {
    let isWanted = true;
    setState((before) => ({ ...before, key, isLoading: true }));
    read().then(
      (value) => {
        failed.current = false;
        if (isWanted) setState({ key, value, failure: null, isLoading: false });
      },
      (error) => {
        failed.current = true;
        if (isWanted) setState((before) => ({ ...before, failure: asFailure(error), isLoading: false }));
      },
    );
    return () => {
      isWanted = false;
    };
  }, [key, round]);
  useEffect(() => onSession(() => session() && failed.current && reload()), [reload]);
  return { ...state, reload };
}

export interface Doing {
  isBusy: boolean;
  failure: Failure | null;
  /** Runs it unless something runs already; answers whether it succeeded. */
  run(work: () => Promise<void>): Promise<boolean>;
  clear(): void;
}

/** Something that is done once at a time, by a button or a form. */
export function useDoing(): Doing {
  const [state, setState] = useState<{ isBusy: boolean; failure: Failure | null }>({ isBusy: false, failure: null });
  const busy = useRef(false);
  const run = async (work: () => Promise<void>) => {
    if (busy.current) return false;
    busy.current = true;
    setState({ isBusy: true, failure: null });
    try {
      await work();
      setState({ isBusy: false, failure: null });
      return true;
    } catch (error) {
      setState({ isBusy: false, failure: asFailure(error) });
      return false;
    } finally {
      busy.current = false;
    }
  };
  return { ...state, run, clear: () => setState({ isBusy: false, failure: null }) };
}

/** Calls `work` every so many milliseconds while the page is looked at and somebody is signed in. */
export function useEvery(milliseconds: number | null, work: () => void) {
  const latest = useRef(work);
  latest.current = work;
  useEffect(() => {
    if (milliseconds === null) return;
    const timer = setInterval(() => document.visibilityState === "visible" && !hasEnded() && latest.current(), milliseconds);
    return () => clearInterval(timer);
  }, [milliseconds]);
}

/**
 * A text that is typed here and kept elsewhere, in the address: `set` is told what was typed once the fingers rest, and what is changed elsewhere is shown
 * here.
 */
export function useTyped(kept: string, set: (value: string) => void, milliseconds = 250): [string, (value: string) => void] {
  const [typed, setTyped] = useState(kept);
  const settled = useSettled(typed, milliseconds);
  const told = useRef(kept);
  useEffect(() => {
    if (settled === told.current) return;
    told.current = settled;
    set(settled);
  }, [settled]);
  useEffect(() => {
    if (kept === told.current) return;
    told.current = kept;
    setTyped(kept);
  }, [kept]);
  return [typed, setTyped];
}

/** A value that has not changed for a while: what was typed, once the fingers rest. */
export function useSettled<T>(value: T, milliseconds = 250): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), milliseconds);
    return () => clearTimeout(timer);
  }, [value, milliseconds]);
  return settled;
}
