// Forms: fields with their labels, what is wrong beside each, and input that stays where the request fails.
import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import type { Failure } from "../api";
import type { Doing } from "../load";
import { Buttons } from "./dialog";

interface FieldProps {
  label: string;
  value: string;
  onValue: (value: string) => void;
  hint?: ComponentChildren;
  /** What is wrong with it. */
  wrong?: string;
  type?: "text" | "password" | "url" | "number" | "datetime-local" | "search";
  isRequired?: boolean;
  rows?: number;
  list?: string[];
  placeholder?: string;
}

export function Field({ label, value, onValue, hint, wrong, type = "text", isRequired, rows, list, placeholder }: FieldProps) {
  const id = useId();
  const told = [hint && `${id}-hint`, wrong && `${id}-wrong`].filter(Boolean).join(" ") || undefined;
  const shared = {
    id,
    value,
    required: isRequired,
    placeholder,
    "aria-describedby": told,
    "aria-invalid": wrong ? true : undefined,
    onInput: (event: { currentTarget: { value: string } }) => onValue(event.currentTarget.value),
  };
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {rows ? <textarea {...shared} rows={rows} spellcheck={false} /> : <input {...shared} type={type as "text"} list={list && `${id}-list`} autocomplete="off" spellcheck={false} />}
      {list && (
        <datalist id={`${id}-list`}>
          {list.map((one) => (
            <option key={one} value={one} />
          ))}
        </datalist>
      )}
      {hint && (
        <p id={`${id}-hint`} class="small">
          {hint}
        </p>
      )}
      {wrong && (
        <p id={`${id}-wrong`} class="wrong">
          {wrong}
        </p>
      )}
    </div>
  );
}

interface ChoiceProps {
  label: string;
  value: string;
  onValue: (value: string) => void;
  options: [value: string, label: string][];
  hint?: ComponentChildren;
}

export function Choice({ label, value, onValue, options, hint }: ChoiceProps) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select id={id} value={value} aria-describedby={hint ? `${id}-hint` : undefined} onChange={(event) => onValue(event.currentTarget.value)}>
        {options.map(([option, text]) => (
          <option key={option} value={option}>
            {text}
          </option>
        ))}
      </select>
      {hint && (
        <p id={`${id}-hint`} class="small">
          {hint}
        </p>
      )}
    </div>
  );
}

interface TickProps {
  label: ComponentChildren;
  value: boolean;
  onValue: (value: boolean) => void;
}

export const Tick = ({ label, value, onValue }: TickProps) => (
  <label class="tick">
    <input type="checkbox" checked={value} onChange={(event) => onValue(event.currentTarget.checked)} />
    <span>{label}</span>
  </label>
);

interface FormProps {
  deed: string;
  doing: Doing;
  onSubmit: () => void;
  onClose?: () => void;
  children: ComponentChildren;
}

export function Form({ deed, doing, onSubmit, onClose, children }: FormProps) {
  const submit = (event: Event) => {
    event.preventDefault();
    onSubmit();
  };
  return (
    <form onSubmit={submit}>
      {children}
      <Buttons deed={deed} isBusy={doing.isBusy} failure={doing.failure} onClose={onClose} />
    </form>
  );
}

/** What a refusal says of a field, by the end of its path. */
export const wrongAt = (failure: Failure | null, field: string) => failure?.fields[field];

/** What it says of a field, or of the first of what is below it. */
export const wrongBelow = (failure: Failure | null, field: string) => Object.entries(failure?.fields ?? {}).find(([place]) => place === field || place.startsWith(`${field}.`))?.[1];
