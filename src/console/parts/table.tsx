// A table, which on a narrow screen is a card for each row.
import type { ComponentChildren } from "preact";

export interface Column<T> {
  head: string;
  cell: (row: T) => ComponentChildren;
  kind?: "number" | "wide" | "actions";
}

interface Props<T> {
  caption: string;
  columns: Column<T>[];
  rows: T[];
  id: (row: T) => string;
  /** A class for a row that stands out. */
  mark?: (row: T) => string;
}

export function Table<T>({ caption, columns, rows, id, mark }: Props<T>) {
  return (
    <table>
      <caption class="unseen">{caption}</caption>
      <thead>
        <tr>
          {columns.map((column) => (
            <th key={column.head} scope="col" class={column.kind}>
              {column.kind === "actions" ? <span class="unseen">{column.head}</span> : column.head}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={id(row)} class={mark?.(row)}>
            {columns.map((column) => (
              <td key={column.head} data-head={column.kind === "actions" ? "" : column.head} class={column.kind}>
                {column.cell(row)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

interface PagerProps {
  what: string;
  says: ComponentChildren;
  before?: () => void;
  next?: () => void;
}

export const Pager = ({ what, says, before, next }: PagerProps) => (
  <nav class="pager" aria-label={`Pages of ${what}`}>
    {(before || next) && (
      <button type="button" disabled={!before} onClick={before}>
        Previous
      </button>
    )}
    <span role="status">{says}</span>
    {(before || next) && (
      <button type="button" disabled={!next} onClick={next}>
        Next
      </button>
    )}
  </nav>
);
