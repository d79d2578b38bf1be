// Times, counts and names as people read them.
const RELATIVE = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

/** "5 minutes ago", "in 3 days". */
export function relative(time: string, now = Date.now()): string {
  const seconds = Math.round((Date.parse(time) - now) / 1000);
  for (const [unit, size] of UNITS) if (Math.abs(seconds) >= size) return RELATIVE.format(Math.trunc(seconds / size), unit);
  return Math.abs(seconds) < 5 ? "now" : RELATIVE.format(seconds, "second");
}

const EXACT = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" });
export const exact = (time: string) => EXACT.format(new Date(time));

export const count = (number: number) => number.toLocaleString("en");
export const counted = (number: number, one: string, many = `${one}s`) => `${count(number)} ${number === 1 ? one : many}`;

export const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

/** A value in one line: of several values each, of a value with parts the one that counts, or all. */
export function shown(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value !== "object") return String(value);
  if (Array.isArray(value)) return value.map(shown).join("; ");
  const { value: main, display, type, primary, ...rest } = value as Record<string, unknown>;
  const parts = Object.entries(rest).filter(([name]) => name !== "$ref").map(([, part]) => shown(part));
  const text = [main ?? display, ...(main === undefined ? parts : [])].filter((part) => part !== undefined && part !== "").map(shown).join(", ");
  return [text, [type, primary === true && "primary"].filter(Boolean).map((word) => `(${word})`).join(" ")].filter(Boolean).join(" ");
}

/** An attribute's name without the URN of the schema that it is of. */
export const attributeName = (name: string) => name.replace(/^urn:[^ ]*:2\.0:(User|Group):?/, "") || name;
