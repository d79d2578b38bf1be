// A line of the documentation: **what stands out** and `what is typed` are marked as there.
export const Prose = ({ text }: { text: string }) => (
  <>
    {text.split(/(\*\*[^*]+\*\*|`[^`]+`)/).map((part) => (part.startsWith("**") ? <strong>{part.slice(2, -2)}</strong> : part.startsWith("`") ? <code>{part.slice(1, -1)}</code> : part))}
  </>
);

export const ProseList = ({ lines, inOrder }: { lines: string[]; inOrder?: boolean }) => {
  const items = lines.map((line) => (
    <li key={line}>
      <Prose text={line} />
    </li>
  ));
  return inOrder ? <ol>{items}</ol> : <ul>{items}</ul>;
};
