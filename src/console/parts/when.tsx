// A time, as far from now as it is, and exactly for whoever points at it.
import { useState } from "preact/hooks";
import { exact, relative } from "../format";
import { useEvery } from "../load";

export function When({ at, none = "never" }: { at: string | null | undefined; none?: string }) {
  const [, setRound] = useState(0);
  useEvery(10_000, () => setRound((round) => round + 1));
  if (!at) return <>{none}</>;
  return (
    <time dateTime={at} title={exact(at)}>
      {relative(at)}
    </time>
  );
}
