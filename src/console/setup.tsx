// The page that a set-up link opens: a customer's administrator chooses the provider, copies what its form asks for, makes a token, and sees
// the first requests come in.
import { render } from "preact";
import { useEffect } from "preact/hooks";
import { ask } from "./api";
import { exact } from "./format";
import { useEvery, useLoad } from "./load";
import { Failed } from "./parts/notice";
import { client, isWhole, path } from "./setup/link";
import { Provisioning } from "./setup/provisioning";
import { SignIn } from "./setup/sign_in";

/** How often it is looked whether something has come, in milliseconds. */
const EVERY = 3_000;

const read = async () => (await ask(client.GET("/api/v1/tenants/{tenant_id}/setup", { params: { path } }))).data;

function Page() {
  const loaded = useLoad(path.tenant_id, read);
  const setup = loaded.value;
  const isOver = loaded.failure?.status === 401;
  useEvery(setup && !isOver ? EVERY : null, loaded.reload);
  useEffect(() => {
    if (setup) document.title = `${setup.product_name ?? "Rollcall"}: set-up of ${setup.tenant_name}`;
    if (setup?.product_color) document.documentElement.style.setProperty("--brand", setup.product_color);
  }, [setup]);
  if (isOver) return <Ended />;
  if (!setup) return <main class="start">{loaded.failure ? <Failed failure={loaded.failure} again={loaded.reload} /> : <p class="loading">Loading…</p>}</main>;
  return (
    <>
      <header class="top branded">
        <span class="brand">{setup.product_name ?? "Rollcall"}</span>
        <span class="who">
          <span>
            This page works until {exact(setup.expires_at)}
          </span>
        </span>
      </header>
      <main id="content" class="page">
        <h1>Set up {setup.tenant_name}</h1>
        <Failed failure={loaded.failure} again={loaded.reload} />
        {setup.allows.includes("scim") && <Provisioning setup={setup} reload={loaded.reload} />}
        {setup.allows.includes("sso") && <SignIn setup={setup} kinds={["OIDC", "SAML"]} title="Signing in" deed="Set up a login" isAlone={setup.allows.length === 1} reload={loaded.reload} />}
        {setup.allows.includes("directory") && <SignIn setup={setup} kinds={["LDAP"]} title="Your directory" deed="Set up a directory" isAlone={setup.allows.length === 1} reload={loaded.reload} />}
      </main>
    </>
  );
}

const Ended = () => (
  <main class="start">
    <h1>This link opens nothing</h1>
    <p>It has ended, was revoked, or is not whole. Open it as it was sent to you, or ask whoever sent it for a new one.</p>
  </main>
);

// A link that is pasted where the page is open already changes the fragment alone.
addEventListener("hashchange", () => location.reload());
render(isWhole ? <Page /> : <Ended />, document.getElementById("console")!);
