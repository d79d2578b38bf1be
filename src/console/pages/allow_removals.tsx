// A token that the fuse has stopped may remove so many more.
import { useState } from "preact/hooks";
import { api, ask } from "../api";
import { useDoing } from "../load";
import { Dialog } from "../parts/dialog";
import { Field, Form, wrongAt } from "../parts/form";

export function AllowRemovals({ token, name, onClose }: { token: string; name: string; onClose: () => void }) {
  const [count, setCount] = useState("");
  const [minutes, setMinutes] = useState("60");
  const doing = useDoing();
  const submit = async () => {
    const body = { count: Number(count), minutes: Number(minutes) };
    const isDone = await doing.run(async () => void (await ask(api.POST("/api/v1/admin/scim-tokens/{token_id}/allow-removals", { params: { path: { token_id: token } }, body }))));
    if (isDone) onClose();
  };
  return (
    <Dialog title={`Allow ${name} to remove more?`} onClose={onClose}>
      <Form deed="Allow it" doing={doing} onSubmit={submit} onClose={onClose}>
        <p>The fuse stops whoever removes too much at once. Look below at what was removed; where that is right, let it go on.</p>
        <Field label="So many more" type="number" value={count} onValue={setCount} isRequired wrong={wrongAt(doing.failure, "count")} />
        <Field label="Within so many minutes" type="number" value={minutes} onValue={setMinutes} isRequired wrong={wrongAt(doing.failure, "minutes")} />
      </Form>
    </Dialog>
  );
}
