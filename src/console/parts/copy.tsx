// A text to copy: with one click, or by hand.
import { useState } from "preact/hooks";

export function Copy({ text, label }: { text: string; label: string }) {
  const [isCopied, setCopied] = useState(false);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setCopied(true);
    } catch {
      setCopied(false); // not allowed here: the text stands there to be copied by hand
    }
  };
  return (
    <div class="copy">
      <code>{text}</code>
      <button type="button" aria-label={`${isCopied ? "Copied" : "Copy"} ${label}`} onClick={copy}>
        {isCopied ? "Copied" : "Copy"}
      </button>
    </div>
  );
}
