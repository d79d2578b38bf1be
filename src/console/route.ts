// Where in the console one is: the part of the address behind `#`, which no server hears of, so that no name or filter is in anybody's log.
import { useEffect, useState } from "preact/hooks";

export interface Place {
  /** The parts of the path, decoded. */
  parts: string[];
  query: URLSearchParams;
}

export function read(hash: string): Place {
  const [path = "", query = ""] = hash.replace(/^#/, "").split("?");
  const parts = path.split("/").filter(Boolean).map(decodeURIComponent);
  return { parts, query: new URLSearchParams(query) };
}

/** The address of a place: its parts, and a query of what is not empty. */
export function to(parts: string[], query: Record<string, string | undefined> = {}): string {
  const kept = Object.entries(query).filter((pair): pair is [string, string] => Boolean(pair[1]));
  const text = new URLSearchParams(kept).toString();
  return `#/${parts.map(encodeURIComponent).join("/")}${text && `?${text}`}`;
}

export function go(address: string) {
  location.hash = address;
}

/** Another query at the same place, without a step in the history: while somebody types. */
export function stay(address: string) {
  history.replaceState(null, "", address);
  dispatchEvent(new HashChangeEvent("hashchange"));
}

/** What the query of a place says, and how to change a part of it. */
export function useQuery(): [URLSearchParams, (more: Record<string, string>) => void] {
  const { query } = usePlace();
  const change = (more: Record<string, string>) => {
    // As it is now: two fields may change it between two drawings.
    const now = read(location.hash);
    stay(to(now.parts, { ...Object.fromEntries(now.query), ...more }));
  };
  return [query, change];
}

export function usePlace(): Place {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const changed = () => setHash(location.hash);
    addEventListener("hashchange", changed);
    return () => removeEventListener("hashchange", changed);
  }, []);
  return read(hash);
}
