// A list that shows its latest rows first, older ones when they are asked for, and new ones as they come.
import { useState } from "preact/hooks";
import { type Doing, type Loaded, useDoing, useLoad } from "../load";
import { Failed } from "./notice";

interface Rows<T> {
  rows: T[];
  /** Where the older ones begin; null where there are none. */
  next: string | null;
}

export interface List<T> {
  loaded: Loaded<true>;
  /** Of the key that was asked for last and answered. */
  rows: T[];
  /** Puts what came since before the rows that are shown. */
  refresh(): Promise<void>;
  /** Fetches what is older; none where nothing is. */
  older: (() => void) | null;
  fetching: Doing;
}

/** Reads a list page by page; all anew whenever `key` changes. */
export function useList<T>(key: string, id: (row: T) => string, read: (after?: string) => Promise<Rows<T>>): List<T> {
  const [shown, setShown] = useState<Rows<T> & { key: string }>({ key: "", rows: [], next: null });
  const loaded = useLoad<true>(key, async () => {
    setShown({ key, ...(await read()) });
    return true;
  });
  const refresh = async () => {
    const latest = await read();
    setShown((before) => {
      if (before.key !== key) return before;
      const known = new Set(before.rows.map(id));
      const fresh = latest.rows.filter((row) => !known.has(id(row)));
      // A whole page of new ones: others may lie between them and those that are shown.
      if (fresh.length === latest.rows.length && latest.next !== null) return { key, ...latest };
      return fresh.length ? { ...before, rows: [...fresh, ...before.rows] } : before;
    });
  };
  const fetching = useDoing();
  const fetchOlder = () =>
    void fetching.run(async () => {
      const { rows, next } = await read(shown.next!);
      setShown((before) => (before.key === key ? { key, rows: [...before.rows, ...rows], next } : before));
    });
  return { loaded, rows: shown.rows, refresh, older: shown.key === key && shown.next !== null ? fetchOlder : null, fetching };
}

export const Older = ({ list: { older, fetching } }: { list: List<unknown> }) => (
  <>
    <Failed failure={fetching.failure} />
    {older && (
      <button type="button" disabled={fetching.isBusy} onClick={older}>
        Show older ones
      </button>
    )}
  </>
);
