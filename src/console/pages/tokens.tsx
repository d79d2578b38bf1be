// A tenant's SCIM tokens: made and shown once, replaced with an overlap, paused, revoked for good.
import { useState } from "preact/hooks";
import { type Schemas, api, ask } from "../api";
import { useDoing, useEvery, useLoad } from "../load";
import { Page } from "../console";
import { Confirm, Dialog } from "../parts/dialog";
import { Badge, Empty, Failed, Shown } from "../parts/notice";
import { Pager, Table } from "../parts/table";
import { When } from "../parts/when";
import { may } from "../session";
import { useTenant } from "./tenant";
import { Connect, type NewToken, NewTokenForm, Rotate } from "./token_dialogs";

type Token = Schemas["ScimTokenResponse"];

type Asked = { what: "make" } | { what: "rotate" | "revoke"; token: Token } | { what: "shown"; token: NewToken };

export function Tokens() {
  const tenant = useTenant();
  const [page, setPage] = useState(1);
  const [asked, setAsked] = useState<Asked | null>(null);
  const loaded = useLoad(`${page}`, () => ask(api.GET("/api/v1/admin/scim-tokens", { params: { query: { tenant_id: tenant.id, page, per_page: 50 } } })));
  const changed = () => (loaded.reload(), tenant.reload());
  const close = () => setAsked(null);
  const made = (token: NewToken) => {
    setAsked({ what: "shown", token });
    changed();
  };
  const pause = useDoing();
  const mayWrite = may("scim-tokens:write");
  const setActive = (token: Token, is_active: boolean) =>
    pause.run(async () => {
      await ask(api.PATCH("/api/v1/admin/scim-tokens/{token_id}", { params: { path: { token_id: token.id } }, body: { is_active } }));
      changed();
    });
  const revoke = async (token: Token) => {
    await ask(api.DELETE("/api/v1/admin/scim-tokens/{token_id}", { params: { path: { token_id: token.id } } }));
    changed();
  };
  return (
    <Page title="Tokens" actions={mayWrite && <button type="button" class="main" onClick={() => setAsked({ what: "make" })}>New token</button>}>
      <Failed failure={pause.failure} />
      <Shown loaded={loaded}>
        {({ data, pagination }) => (
          <>
            {data.length === 0 && <Empty>There is no token yet. An identity provider needs one to send people and groups.</Empty>}
            {data.length > 0 && (
              <Table
                caption="Tokens"
                rows={data}
                id={(token) => token.id}
                columns={[
                  {
                    head: "Name",
                    kind: "wide",
                    cell: (token) => (
                      <>
                        <strong>{token.name}</strong> <code>{token.token_hint}</code>
                        {token.description && <p class="small">{token.description}</p>}
                      </>
                    ),
                  },
                  { head: "State", cell: (token) => <State token={token} /> },
                  { head: "Last used", cell: (token) => <When at={token.last_used_at} none="never" /> },
                  { head: "Ends", cell: (token) => <Ends token={token} /> },
                  {
                    head: "Actions",
                    kind: "actions",
                    cell: (token) =>
                      mayWrite &&
                      !token.revoked_at && (
                        <>
                          <button type="button" aria-label={`Rotate ${token.name}`} onClick={() => setAsked({ what: "rotate", token })}>
                            Rotate
                          </button>
                          <button type="button" aria-label={`${token.is_active ? "Pause" : "Resume"} ${token.name}`} disabled={pause.isBusy} onClick={() => setActive(token, !token.is_active)}>
                            {token.is_active ? "Pause" : "Resume"}
                          </button>
                          <button type="button" aria-label={`Revoke ${token.name}`} onClick={() => setAsked({ what: "revoke", token })}>
                            Revoke
                          </button>
                        </>
                      ),
                  },
                ]}
              />
            )}
            {pagination.total_pages > 1 && (
              <Pager what="tokens" says={`Page ${page} of ${pagination.total_pages}`} before={page > 1 ? () => setPage(page - 1) : undefined} next={page < pagination.total_pages ? () => setPage(page + 1) : undefined} />
            )}
          </>
        )}
      </Shown>
      {asked?.what === "make" && <NewTokenForm onMade={made} onClose={close} />}
      {asked?.what === "rotate" && <Rotate token={asked.token} onMade={made} onClose={close} />}
      {asked?.what === "shown" && (
        <Dialog title="Copy the token now" onClose={close} wide>
          <Connect token={asked.token} onClose={close} />
        </Dialog>
      )}
      {asked?.what === "revoke" && (
        <Confirm title={`Revoke ${asked.token.name}?`} deed="Revoke it for good" isGrave work={() => revoke(asked.token)} onClose={close}>
          <p>Whoever uses it is refused at once. It cannot be taken back; a pause can.</p>
        </Confirm>
      )}
    </Page>
  );
}

function State({ token }: { token: Token }) {
  if (token.revoked_at) return <Badge>revoked</Badge>;
  if (isOver(token)) return <Badge kind="bad">expired</Badge>;
  return token.is_active ? <Badge kind="good">works</Badge> : <Badge kind="warn">paused</Badge>;
}

const isOver = ({ expires_at }: Token) => expires_at !== null && Date.parse(expires_at) <= Date.now();

const HOUR_MS = 3_600_000;

/** When it ends: in the last hour, as after a rotation, counted down. */
function Ends({ token: { expires_at, revoked_at } }: { token: Token }) {
  const left = expires_at ? Date.parse(expires_at) - Date.now() : Infinity;
  const isNear = !revoked_at && left > 0 && left < HOUR_MS;
  const [, setRound] = useState(0);
  useEvery(isNear ? 1_000 : null, () => setRound((round) => round + 1));
  if (!isNear) return <When at={expires_at} />;
  const seconds = Math.ceil(left / 1000);
  return (
    <span role="timer">
      in {Math.floor(seconds / 60)}:{String(seconds % 60).padStart(2, "0")}
    </span>
  );
}
