// What the console says of itself: a failure, nothing there, loading.
import type { ComponentChildren } from "preact";
import type { Failure } from "../api";
import type { Loaded } from "../load";

export function Failed({ failure, again }: { failure: Failure | null; again?: () => void }) {
  if (!failure) return null;
  return (
    <div class="notice bad" role="alert">
      <p>{failure.message}</p>
      {failure.requestId && (
        <p class="small">
          Request <code>{failure.requestId}</code>
        </p>
      )}
      {again && (
        <button type="button" onClick={again}>
          Try again
        </button>
      )}
    </div>
  );
}

export function Notice({ kind = "", children }: { kind?: "good" | "bad" | "warn" | ""; children: ComponentChildren }) {
  return (
    <div class={`notice ${kind}`} role="status">
      {children}
    </div>
  );
}

export const Empty = ({ children }: { children: ComponentChildren }) => <p class="empty">{children}</p>;

/** What was read, by `children`; before that that it is being read, and where it fails why. */
export function Shown<T>({ loaded, children }: { loaded: Loaded<T>; children: (value: T) => ComponentChildren }) {
  return (
    <>
      <Failed failure={loaded.failure} again={loaded.reload} />
      {loaded.value !== null ? (
        <div aria-busy={loaded.isLoading}>{children(loaded.value)}</div>
      ) : (
        loaded.isLoading && <p class="loading" role="status">Loading…</p>
      )}
    </>
  );
}

export const Badge = ({ kind = "", children }: { kind?: "good" | "bad" | "warn" | ""; children: ComponentChildren }) => <span class={`badge ${kind}`}>{children}</span>;
