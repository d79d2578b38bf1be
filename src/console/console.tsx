// The frame of every page, and which page an address means.
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Again, Start } from "./sign_in";
import { type Settings, hasEnded, may, onSession, session, signOut } from "./session";
import { TenantPages } from "./pages/tenant";
import { Databases } from "./pages/databases";
import { Overview } from "./pages/overview";
import { Tenants } from "./pages/tenants";
import { to, usePlace } from "./route";

export function Console({ settings }: { settings: Settings }) {
  const [, setRound] = useState(0);
  useEffect(() => onSession(() => setRound((round) => round + 1)), []);
  if (!session()) return <Start settings={settings} />;
  return (
    <>
      <Frame />
      {hasEnded() && <Again settings={settings} />}
    </>
  );
}

function Frame() {
  const { parts } = usePlace();
  const content = useRef<HTMLElement>(null);
  const skip = (event: Event) => {
    event.preventDefault();
    content.current?.focus();
  };
  const link = (at: string[], text: string, isHere: boolean) => (
    <a href={to(at)} aria-current={isHere ? "page" : undefined}>
      {text}
    </a>
  );
  return (
    <>
      <a class="skip" href="#content" onClick={skip}>
        To the content
      </a>
      <header class="top">
        <a class="brand" href={to([])}>
          Rollcall
        </a>
        <nav aria-label="Console">
          {may("audit:read") && link([], "Overview", parts.length === 0)}
          {may("tenants:read") && link(["tenants"], "Tenants", parts[0] === "tenants" || parts[0] === "t")}
          {seesDatabases() && link(["databases"], "Databases", parts[0] === "databases")}
        </nav>
        <span class="who">
          {session()!.subject}
          <button type="button" class="plain" onClick={signOut}>
            Sign out
          </button>
        </span>
      </header>
      <main ref={content} tabIndex={-1} id="content">
        <Content parts={parts} />
      </main>
    </>
  );
}

/** Whether one sees where tenants live: an administrator of one of them does not. */
const seesDatabases = () => may("tenants:read") && !session()?.tenant;

function Content({ parts }: { parts: string[] }) {
  const [first, tenant] = parts;
  if (first === "t" && tenant) return <TenantPages key={tenant} tenant={tenant} />;
  if (first === "tenants") return <Tenants />;
  if (first === "databases" && seesDatabases()) return <Databases />;
  if (!first) return may("audit:read") ? <Overview /> : may("tenants:read") ? <Tenants /> : <NothingHere />;
  return <NothingHere />;
}

export const NothingHere = () => (
  <Page title="Nothing is here">
    <p>
      <a href={to([])}>To the overview</a>
    </p>
  </Page>
);

let isFirst = true;

/** A page: its heading takes the focus when one comes to it, so that it is read out and Tab goes on from there. */
export function Page({ title, actions, children }: { title: string; actions?: ComponentChildren; children: ComponentChildren }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (!isFirst) heading.current?.focus({ preventScroll: true });
    if (!isFirst) scrollTo(0, 0);
    isFirst = false;
  }, []);
  useEffect(() => {
    document.title = `${title} · Rollcall`;
  }, [title]);
  return (
    <section class="page">
      <div class="head">
        <h1 ref={heading} tabIndex={-1}>
          {title}
        </h1>
        {actions && <div class="actions">{actions}</div>}
      </div>
      {children}
    </section>
  );
}
