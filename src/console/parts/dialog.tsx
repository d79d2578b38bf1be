// The browser's own dialog: it keeps the focus inside, ends with Escape, and gives the focus back.
import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef } from "preact/hooks";
import type { Failure } from "../api";
import { useDoing } from "../load";
import { Failed } from "./notice";

interface Props {
  title: string;
  /** None where it is not to be closed by Escape. */
  onClose?: () => void;
  wide?: boolean;
  children: ComponentChildren;
}

export function Dialog({ title, onClose, wide, children }: Props) {
  const element = useRef<HTMLDialogElement>(null);
  const id = useId();
  useLayoutEffect(() => {
    const before = document.activeElement;
    const dialog = element.current;
    dialog?.showModal();
    return () => {
      // While it is open, nothing behind it takes the focus.
      dialog?.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  const cancelled = (event: Event) => {
    event.preventDefault();
    onClose?.();
  };
  return (
    <dialog ref={element} aria-labelledby={id} class={wide ? "wide" : ""} onCancel={cancelled}>
      <header>
        <h2 id={id}>{title}</h2>
        {onClose && (
          <button type="button" class="plain" aria-label="Close" onClick={onClose}>
            ✕
          </button>
        )}
      </header>
      {children}
    </dialog>
  );
}

interface ConfirmProps {
  title: string;
  /** What the button says: the deed, not "OK". */
  deed: string;
  isGrave?: boolean;
  isReady?: boolean;
  wide?: boolean;
  work: () => Promise<void>;
  onClose: () => void;
  children: ComponentChildren;
}

/** Asks before something is done, does it, and stays where it fails. */
export function Confirm({ title, deed, isGrave, isReady = true, wide, work, onClose, children }: ConfirmProps) {
  const doing = useDoing();
  const run = async () => (await doing.run(work)) && onClose();
  return (
    <Dialog title={title} onClose={onClose} wide={wide}>
      {children}
      <Buttons deed={deed} isGrave={isGrave} isReady={isReady} isBusy={doing.isBusy} failure={doing.failure} onDeed={run} onClose={onClose} />
    </Dialog>
  );
}

interface ButtonsProps {
  deed: string;
  isGrave?: boolean;
  isReady?: boolean;
  isBusy: boolean;
  failure: Failure | null;
  /** None in a form, whose button submits it. */
  onDeed?: () => void;
  onClose?: () => void;
}

export const Buttons = ({ deed, isGrave, isReady = true, isBusy, failure, onDeed, onClose }: ButtonsProps) => (
  <>
    <Failed failure={failure} />
    <footer>
      {onClose && (
        <button type="button" onClick={onClose}>
          Cancel
        </button>
      )}
      <button type={onDeed ? "button" : "submit"} class={isGrave ? "grave" : "main"} disabled={!isReady || isBusy} onClick={onDeed}>
        {isBusy ? "One moment…" : deed}
      </button>
    </footer>
  </>
);
