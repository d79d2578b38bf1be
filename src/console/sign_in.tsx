// Signing in: at the issuer, or on one's own machine with a token that is pasted.
import { useEffect, useState } from "preact/hooks";
import { Dialog } from "./parts/dialog";
import { Field, Form } from "./parts/form";
import { Failed } from "./parts/notice";
import { useDoing } from "./load";
import { Console } from "./console";
import { type Settings, adopt, onSession, session, signIn, signInBeside } from "./session";

function Pasted() {
  const [token, setToken] = useState("");
  const doing = useDoing();
  return (
    <Form deed="Sign in" doing={doing} onSubmit={() => doing.run(async () => adopt(token.trim()))}>
      <Field label="Administrator's token" value={token} onValue={setToken} isRequired type="password" hint={<><code>npm run -s token</code> prints one for this machine.</>} />
    </Form>
  );
}

const Unset = () => (
  <p>
    Nobody can sign in here yet. Deploy with <code>--console-client-id</code>, the id of this page's client with your issuer, or with the settings of Cloudflare Access.
  </p>
);

/** The page before anybody has signed in. */
export function Start({ settings, problem }: { settings: Settings; problem?: string }) {
  const doing = useDoing();
  const [, setRound] = useState(0);
  useEffect(() => onSession(() => setRound((round) => round + 1)), []);
  if (session()) return <Console settings={settings} />;
  const hasIssuer = settings.client_id !== null;
  return (
    <main class="start">
      <h1>Rollcall</h1>
      <p>Sign in to see what your customers' identity providers do.</p>
      {problem && (
        <div class="notice bad" role="alert">
          <p>Signing in did not work: {problem}</p>
        </div>
      )}
      {settings.access && (
        <button type="button" class="main" onClick={() => location.reload()}>
          Sign in with Cloudflare Access
        </button>
      )}
      {hasIssuer && (
        <>
          <button type="button" class="main" disabled={doing.isBusy} onClick={() => doing.run(() => signIn(settings, location.hash || "#/"))}>
            Sign in with {new URL(settings.issuer).host}
          </button>
          <Failed failure={doing.failure} />
        </>
      )}
      {settings.local_development && <Pasted />}
      {!hasIssuer && !settings.access && !settings.local_development && <Unset />}
    </main>
  );
}

/** Over a page whose token opens nothing any more: what was typed below it stays. */
export function Again({ settings }: { settings: Settings }) {
  return (
    <Dialog title="Your sign-in has ended">
      <p>Sign in again to go on. This page stays as it is, with all that you typed.</p>
      {(settings.client_id !== null || settings.access) && (
        <footer>
          <button type="button" class="main" onClick={signInBeside}>
            Sign in again
          </button>
        </footer>
      )}
      {settings.local_development && <Pasted />}
    </Dialog>
  );
}
