// Group mappings of a directory: who is in a group there becomes a member of one here.
import { useState } from "preact/hooks";
import { type Schemas, api, ask } from "../api";
import { useDoing, useLoad, useSettled } from "../load";
import { Field, Form, wrongAt } from "../parts/form";
import { Empty, Failed, Notice, Shown } from "../parts/notice";
import { Table } from "../parts/table";
import { to } from "../route";
import { may } from "../session";
import { useTenant } from "./tenant";

export function Mappings({ provider }: { provider: Schemas["AdminIdPResponse"] }) {
  const tenant = useTenant();
  const path = { tenant_id: tenant.id, idp_id: provider.id };
  const loaded = useLoad(provider.id, async () => (await ask(api.GET("/api/v1/tenants/{tenant_id}/identity-providers/{idp_id}/group-mappings", { params: { path, query: { per_page: 100 } } }))).data);
  const doing = useDoing();
  const remove = (mapping_id: string) =>
    doing.run(async () => {
      await ask(api.DELETE("/api/v1/tenants/{tenant_id}/identity-providers/{idp_id}/group-mappings/{mapping_id}", { params: { path: { ...path, mapping_id } } }));
      loaded.reload();
    });
  const mayWrite = may("identity-providers:write");
  return (
    <section class="card">
      <h2>Group mappings</h2>
      <Failed failure={doing.failure} />
      <Shown loaded={loaded}>
        {(mappings) =>
          mappings.length === 0 ? (
            <Empty>None. With one, who is in a group of the directory becomes a member of a group here.</Empty>
          ) : (
            <Table
              caption="Group mappings"
              rows={mappings}
              id={(mapping) => mapping.id}
              columns={[
                { head: "In the directory", kind: "wide", cell: (mapping) => <>{mapping.external_group_name ?? mapping.external_group_id}{mapping.warning && <p class="reason">{mapping.warning}</p>}</> },
                { head: "Here", cell: (mapping) => <a href={to(["t", tenant.id, "groups", mapping.internal_group_id])}>{mapping.internal_group_name ?? mapping.internal_group_id}</a> },
                { head: "Actions", kind: "actions", cell: (mapping) => mayWrite && <button type="button" aria-label={`Remove the mapping of ${mapping.external_group_name ?? mapping.external_group_id}`} disabled={doing.isBusy} onClick={() => remove(mapping.id)}>Remove</button> },
              ]}
            />
          )
        }
      </Shown>
      {mayWrite && may("scim:read") && <NewMapping provider={provider} onMade={loaded.reload} />}
    </section>
  );
}

/** Groups whose names begin so, for the picker. */
function useGroups(typed: string) {
  const tenant = useTenant();
  const settled = useSettled(typed.trim());
  return useLoad(settled, async () => {
    const query = { filter: settled ? `displayName sw ${JSON.stringify(settled)}` : undefined, count: 20, attributes: ["displayName", "externalId"] };
    return (await ask(api.GET("/api/v1/tenants/{tenant_id}/scim/v2/Groups", { params: { path: { tenant_id: tenant.id }, query } }))).Resources;
  });
}

function NewMapping({ provider, onMade }: { provider: Schemas["AdminIdPResponse"]; onMade: () => void }) {
  const tenant = useTenant();
  const [external, setExternal] = useState("");
  const [internal, setInternal] = useState("");
  const groups = useGroups(internal);
  const outside = useGroups(external);
  const doing = useDoing();
  const [problem, setProblem] = useState<string | null>(null);
  const submit = () => {
    const own = groups.value?.find(({ displayName }) => displayName === internal);
    setProblem(own ? null : "No group here has this name.");
    if (!own) return;
    // A group of the directory that was synced is known by its name; any other by its DN or unique id.
    const synced = outside.value?.find(({ displayName, externalId }) => displayName === external && externalId);
    void doing.run(async () => {
      const body = { external_group_id: synced?.externalId ?? external, external_group_name: synced ? external : undefined, internal_group_id: own.id! };
      await ask(api.POST("/api/v1/tenants/{tenant_id}/identity-providers/{idp_id}/group-mappings", { params: { path: { tenant_id: tenant.id, idp_id: provider.id } }, body }));
      setExternal("");
      setInternal("");
      onMade();
    });
  };
  const names = (list: typeof groups) => (list.value ?? []).map(({ displayName }) => displayName!);
  return (
    <Form deed="Add the mapping" doing={doing} onSubmit={submit}>
      <div class="filters">
        <Field label="Group of the directory" value={external} onValue={setExternal} isRequired list={names(outside)} wrong={wrongAt(doing.failure, "external_group_id")} hint="The name of one that was synced, or any one's DN or unique id." />
        <Field label="Group here" value={internal} onValue={setInternal} isRequired list={names(groups)} wrong={problem ?? wrongAt(doing.failure, "internal_group_id")} hint="Its name." />
      </div>
      {groups.failure && <Notice kind="bad">{groups.failure.message}</Notice>}
    </Form>
  );
}
