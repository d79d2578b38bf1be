// What differs between two states: a line for each attribute, what was and what is.
import { attributeName, shown } from "../format";

export interface Difference {
  attribute: string;
  before?: unknown;
  after?: unknown;
}

export function Diff({ differences }: { differences: Difference[] }) {
  if (!differences.length) return <p class="small">No attribute differs.</p>;
  return (
    <dl class="diff">
      {differences.map(({ attribute, before, after }) => (
        <div key={attribute}>
          <dt title={attribute}>{attributeName(attribute)}</dt>
          {isThere(before) && (
            <dd class="was">
              <del>{shown(before)}</del>
            </dd>
          )}
          {isThere(after) && (
            <dd class="is">
              <ins>{shown(after)}</ins>
            </dd>
          )}
          {!isThere(before) && !isThere(after) && <dd class="small">not shown</dd>}
        </div>
      ))}
    </dl>
  );
}

const isThere = (value: unknown) => value !== null && value !== undefined;

type Resource = Record<string, unknown> | null | undefined;

/** The attributes in which two states of a resource differ. */
export function differences(before: Resource, after: Resource): Difference[] {
  const names = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])].filter((name) => name !== "meta" && name !== "schemas");
  const all = names.map((attribute) => ({ attribute, before: before?.[attribute], after: after?.[attribute] }));
  return all.filter((one) => JSON.stringify(one.before) !== JSON.stringify(one.after));
}
