// A tenant's own schemas: what was declared, and what was learned from what its identity provider sends, to be declared or dropped.
import { useState } from "preact/hooks";
import { type Schemas, api, ask } from "../api";
import { useDoing, useLoad } from "../load";
import { Page } from "../console";
import { Confirm, Dialog } from "../parts/dialog";
import { Choice, Field, Form, Tick, wrongBelow } from "../parts/form";
import { Badge, Empty, Notice, Shown } from "../parts/notice";
import { Pager, Table } from "../parts/table";
import { When } from "../parts/when";
import { may } from "../session";
import { useTenant } from "./tenant";

type Schema = Schemas["OwnSchemaResponse"];
type Attribute = Schema["attributes"][number];

const PATH = "/api/v1/admin/tenants/{tenant_id}/schemas/{urn}";
const EXAMPLE = '[\n  {"name": "costCenter"},\n  {"name": "level", "type": "integer"}\n]';
const PER_PAGE = 20;

/** What an attribute takes, in a few words. */
function takes({ type, multiValued, required, mutability, subAttributes }: Attribute): string {
  const kind = type === "complex" ? `parts: ${(subAttributes ?? []).map(({ name }) => name).join(", ")}` : (type ?? "string");
  return [multiValued ? `list of ${kind}` : kind, required && "required", mutability === "readOnly" && "read-only"].filter(Boolean).join(", ");
}

export function OwnSchemas() {
  const tenant = useTenant();
  const [page, setPage] = useState(1);
  const [isNew, setNew] = useState(false);
  const loaded = useLoad(`${page}`, () => ask(api.GET("/api/v1/admin/tenants/{tenant_id}/schemas", { params: { path: { tenant_id: tenant.id }, query: { page, per_page: PER_PAGE } } })));
  const close = () => (setNew(false), loaded.reload());
  return (
    <Page title="Schemas" actions={may("tenants:write") && <button type="button" class="main" onClick={() => setNew(true)}>Declare a schema</button>}>
      <Shown loaded={loaded}>
        {({ data, pagination }) => (
          <>
            {data.length === 0 && <Empty>The tenant has no attributes of its own. What its identity provider sends under a URN of its own appears here, to be declared or dropped.</Empty>}
            {data.map((schema) => (
              <One key={schema.id} schema={schema} onDone={loaded.reload} />
            ))}
            {pagination.total_pages > 1 && (
              <Pager
                what="schemas"
                says={`${page} of ${pagination.total_pages}`}
                before={page > 1 ? () => setPage(page - 1) : undefined}
                next={page < pagination.total_pages ? () => setPage(page + 1) : undefined}
              />
            )}
          </>
        )}
      </Shown>
      {isNew && <NewSchema onClose={close} />}
    </Page>
  );
}

function One({ schema, onDone }: { schema: Schema; onDone: () => void }) {
  const tenant = useTenant();
  const [open, setOpen] = useState<"declare" | "drop" | null>(null);
  const path = { tenant_id: tenant.id, urn: schema.id };
  const close = () => (setOpen(null), onDone());
  const drop = async () => {
    await ask(api.DELETE(PATH, { params: { path, query: { discard_values: true } } }));
    close();
  };
  return (
    <section class="card" aria-label={schema.id}>
      <h2>
        {schema.name} <Badge kind={schema.learned ? "warn" : "good"}>{schema.learned ? "learned" : "declared"}</Badge>
      </h2>
      <p class="small">
        <code>{schema.id}</code> of {schema.resource_type === "User" ? "people" : "groups"}, changed <When at={schema.updated_at} />
      </p>
      <Table
        caption={`Attributes of ${schema.name}`}
        rows={schema.attributes}
        id={({ name }) => name}
        columns={[
          { head: "Attribute", kind: "wide", cell: ({ name, description }) => (description ? <>{name}<p class="small">{description}</p></> : name) },
          { head: "Takes", cell: takes },
        ]}
      />
      {may("tenants:write") && (
        <div class="actions">
          {schema.learned && (
            <button type="button" onClick={() => setOpen("declare")}>
              Declare {schema.name}
            </button>
          )}
          <button type="button" onClick={() => setOpen("drop")}>
            Drop {schema.name}
          </button>
        </div>
      )}
      {open === "declare" && <Declare schema={schema} onClose={close} />}
      {open === "drop" && (
        <Confirm title={`Drop ${schema.name}?`} deed="Drop it with its values" isGrave work={drop} onClose={() => setOpen(null)}>
          <p>All that people and groups have of it is taken away. {schema.learned && "What the identity provider sends again is learned again, unless the tenant's settings say that it is dropped."}</p>
        </Confirm>
      )}
    </section>
  );
}

/** A learned schema becomes the tenant's own: with the attributes that are ticked. */
function Declare({ schema, onClose }: { schema: Schema; onClose: () => void }) {
  const tenant = useTenant();
  const doing = useDoing();
  const [name, setName] = useState(schema.name);
  const [dropped, setDropped] = useState<ReadonlySet<string>>(new Set());
  const turn = (attribute: string) => {
    const next = new Set(dropped);
    if (!next.delete(attribute)) next.add(attribute);
    setDropped(next);
  };
  const submit = () =>
    doing.run(async () => {
      const attributes = schema.attributes.filter((one) => !dropped.has(one.name));
      const params = { path: { tenant_id: tenant.id, urn: schema.id }, query: { discard_values: dropped.size > 0 } };
      await ask(api.PATCH(PATH, { params, body: { name, attributes } }));
      onClose();
    });
  return (
    <Dialog title={`Declare ${schema.name}`} onClose={onClose}>
      <Form deed="Declare" doing={doing} onSubmit={submit} onClose={onClose}>
        <Field label="Name" value={name} onValue={setName} isRequired />
        <fieldset>
          <legend>Attributes that are kept</legend>
          {schema.attributes.map((one) => (
            <Tick key={one.name} label={`${one.name} (${takes(one)})`} value={!dropped.has(one.name)} onValue={() => turn(one.name)} />
          ))}
        </fieldset>
        {dropped.size > 0 && <Notice kind="warn">The values of what is not kept are taken away.</Notice>}
        <p class="small">Nothing is added to a declared schema by itself, and values of the wrong type are refused.</p>
      </Form>
    </Dialog>
  );
}

function NewSchema({ onClose }: { onClose: () => void }) {
  const tenant = useTenant();
  const doing = useDoing();
  const [id, setId] = useState("urn:ietf:params:scim:schemas:extension::2.0:User");
  const [name, setName] = useState("");
  const [kind, setKind] = useState<Schema["resource_type"]>("User");
  const [text, setText] = useState(EXAMPLE);
  const [isWrong, setWrong] = useState(false);
  const submit = () => {
    let attributes: Attribute[];
    try {
      attributes = JSON.parse(text);
    } catch {
      return setWrong(true);
    }
    setWrong(false);
    return doing.run(async () => {
      await ask(api.POST("/api/v1/admin/tenants/{tenant_id}/schemas", { params: { path: { tenant_id: tenant.id } }, body: { id, name, resource_type: kind, attributes } }));
      onClose();
    });
  };
  return (
    <Dialog title="Declare a schema" onClose={onClose}>
      <Form deed="Declare" doing={doing} onSubmit={submit} onClose={onClose}>
        <Field label="URN" value={id} onValue={setId} isRequired wrong={wrongBelow(doing.failure, "id")} hint="As your identity provider sends it." />
        <Field label="Name" value={name} onValue={setName} isRequired wrong={wrongBelow(doing.failure, "name")} />
        <Choice
          label="Of"
          value={kind}
          onValue={(kind) => setKind(kind as Schema["resource_type"])}
          options={[
            ["User", "people"],
            ["Group", "groups"],
          ]}
        />
        <Field label="Attributes" value={text} onValue={setText} rows={8} isRequired wrong={isWrong ? "This is no JSON." : wrongBelow(doing.failure, "attributes")} hint="As RFC 7643, section 7, describes them, in JSON. What is left out is as usual: text, optional, one value." />
      </Form>
    </Dialog>
  );
}
