// Who is signed in. The token lives in this module alone and is gone with the page; what survives the way to the issuer and back is the proof
// that it was this page that asked (PKCE, RFC 7636), in the tab's own storage.
import * as oauth from "oauth4webapi";
import type { Schemas } from "./api";

export interface Settings {
  issuer: string;
  client_id: string | null;
  scope: string;
  audience: string;
  /** Whether Cloudflare Access stands before this page and says who looks at it. */
  access: boolean;
  local_development: boolean;
}

export interface Session {
  token: string;
  subject: string;
  /** The one tenant that the token is for; null for those of all tenants. */
  tenant: string | null;
  scopes: string[];
  expires: number;
}

const PENDING = "rollcall-sign-in";
const REDIRECT = `${location.origin}/console`;
/** What the address of a window ends with that signs in by Access for the page that waits. A fragment would be lost on the way. */
const BESIDE = "?beside";
/** How long before its end a token of Access is renewed: a quarter of its time, in milliseconds at most. */
const AHEAD = 60_000;
/** Over it a window that has signed in tells the page that waits for it. */
const channel = new BroadcastChannel(PENDING);

let current: Session | null = null;
const listeners = new Set<() => void>();
let ended = false;
let timer: number | undefined;
let byAccess = false;

export const session = () => current;
/** Whether there was a token, and it opens nothing any more. */
export const hasEnded = () => ended;

/** Calls `listener` whenever somebody signs in or a token ends. Answers how to stop that. */
export function onSession(listener: () => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

function tell() {
  for (const listener of listeners) listener();
}

/** The token is refused: the page stays as it is, and asks to sign in again. */
export function sessionEnded() {
  if (!current || ended) return;
  ended = true;
  tell();
}

/** Takes a token; throws where it is none. What it says is shown, and judged by the worker alone. */
export function adopt(token: string) {
  const part = token.split(".")[1] ?? "";
  let claims: Record<string, unknown>;
  try {
    const bytes = Uint8Array.from(atob(part.replaceAll("-", "+").replaceAll("_", "/")), (char) => char.charCodeAt(0));
    claims = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    throw new Error("This token is no JWT, which has three parts with dots between them.");
  }
  const scope = claims.scope;
  const scopes = Array.isArray(scope) ? scope.map(String) : String(scope ?? "").split(" ");
  const expires = Number(claims.exp) * 1000;
  if (expires < Date.now()) throw new Error("This token has expired.");
  current = { token, subject: String(claims.sub ?? ""), tenant: claims.tenant_id ? String(claims.tenant_id) : null, scopes, expires };
  ended = false;
  clearTimeout(timer);
  const left = expires - Date.now();
  const ahead = byAccess ? Math.min(AHEAD, left / 4) : 0;
  timer = setTimeout(due, Math.min(left - ahead, 2 ** 31 - 1));
  tell();
}

/** The token ends, or soon does: Access gives another one as long as it knows the person. It is asked for twice, and the page that slept asks late. */
async function due() {
  if (byAccess) {
    const renewed = await exchange().catch(() => null);
    if (!current || ended) return;
    if (renewed) return adopt(renewed);
    const left = current.expires - Date.now();
    if (left > 0) {
      timer = setTimeout(due, left);
      return;
    }
  }
  sessionEnded();
}

/** A token for what Access says of this page. Its own session being over is told by a way to its sign-in, which is not gone here. */
async function exchange(): Promise<string> {
  const headers = { "content-type": "application/json", "x-requested-with": "XMLHttpRequest" };
  const reply = await fetch("/console/session", { method: "POST", redirect: "manual", headers, body: "{}" });
  const body = await reply.json().catch(() => null);
  if (reply.status === 201) return (body as { data: Schemas["ConsoleSession"] }).data.token;
  const detail = (body as { detail?: unknown } | null)?.detail;
  throw new Error(typeof detail === "string" ? `${detail}.` : "Cloudflare Access does not know you, or not any more. Load the page again.");
}

export function signOut() {
  // Access would sign them in again at once.
  if (byAccess) return location.assign("/cdn-cgi/access/logout");
  current = null;
  ended = false;
  clearTimeout(timer);
  tell();
}

/** Whether the token has a scope. `admin` is all of them. */
export function may(scope: string): boolean {
  return current !== null && (current.scopes.includes("admin") || current.scopes.includes(scope));
}

const insecure = (settings: Settings) => ({ [oauth.allowInsecureRequests]: settings.local_development });

async function discovered(settings: Settings): Promise<oauth.AuthorizationServer> {
  const issuer = new URL(settings.issuer);
  const reply = await oauth.discoveryRequest(issuer, insecure(settings));
  return oauth.processDiscoveryResponse(issuer, reply);
}

/** Goes to the issuer. `back` is where in the console to go on afterwards. */
export async function signIn(settings: Settings, back: string) {
  const server = await discovered(settings);
  if (!server.authorization_endpoint || !settings.client_id) throw new Error("The issuer has no page to sign in at.");
  const pending = { verifier: oauth.generateRandomCodeVerifier(), state: oauth.generateRandomState(), nonce: oauth.generateRandomNonce(), back };
  sessionStorage.setItem(PENDING, JSON.stringify(pending));
  const to = new URL(server.authorization_endpoint);
  const query: Record<string, string> = {
    client_id: settings.client_id,
    response_type: "code",
    redirect_uri: REDIRECT,
    scope: settings.scope,
    state: pending.state,
    nonce: pending.nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(pending.verifier),
    code_challenge_method: "S256",
    // Whom the access token is for: some issuers go by this (Auth0), some by `resource` (RFC 8707), others by the client's own settings.
    audience: settings.audience,
  };
  if (URL.canParse(settings.audience)) query.resource = settings.audience;
  for (const [name, value] of Object.entries(query)) to.searchParams.set(name, value);
  location.assign(to);
}

/** Signs in again in a window of its own, so that this page keeps what was typed. */
export function signInBeside() {
  window.open(`${REDIRECT}${byAccess ? BESIDE : "#beside"}`, "rollcall-sign-in", "popup,width=480,height=640");
}

channel.onmessage = ({ data }) => {
  if (ended && typeof data?.token === "string") adopt(data.token);
};

/** What the address of this page says when it is opened: a token, the issuer's answer, or nothing of the kind. */
export async function arrive(settings: Settings): Promise<"console" | "beside-done"> {
  byAccess = settings.access;
  const fragment = new URLSearchParams(location.hash.slice(1));
  const given = fragment.get("token");
  if (given) {
    history.replaceState(null, "", "/console");
    // Elsewhere a link could sign somebody in as whoever sent it to them.
    if (settings.local_development) {
      byAccess = false;
      adopt(given);
    }
    return "console";
  }
  if (location.hash === "#beside") {
    await signIn(settings, "#beside");
    return new Promise(() => {}); // the page is left
  }
  const query = new URLSearchParams(location.search);
  const kept = sessionStorage.getItem(PENDING);
  if (!query.has("state") || !kept) {
    if (byAccess) {
      const token = await exchange();
      if (location.search === BESIDE) {
        channel.postMessage({ token });
        return "beside-done";
      }
      adopt(token);
    }
    return "console";
  }
  // Whoever went to the issuer from here chose that way.
  byAccess = false;
  const pending = JSON.parse(kept);
  sessionStorage.removeItem(PENDING);
  const isBeside = pending.back === "#beside";
  history.replaceState(null, "", `/console${isBeside ? "" : pending.back}`);
  if (query.get("state") !== pending.state) throw new Error("The answer belongs to another sign-in. Sign in again.");
  const token = await redeem(settings, query, pending);
  if (isBeside) {
    channel.postMessage({ token });
    return "beside-done";
  }
  adopt(token);
  return "console";
}

async function redeem(settings: Settings, query: URLSearchParams, pending: Record<string, string>): Promise<string> {
  const server = await discovered(settings);
  const client: oauth.Client = { client_id: settings.client_id! };
  const answer = oauth.validateAuthResponse(server, client, query, pending.state);
  const body = URL.canParse(settings.audience) ? { resource: settings.audience } : undefined;
  const options = { ...insecure(settings), additionalParameters: body };
  const reply = await oauth.authorizationCodeGrantRequest(server, client, oauth.None(), answer, REDIRECT, pending.verifier!, options);
  const { access_token } = await oauth.processAuthorizationCodeResponse(server, client, reply, { expectedNonce: pending.nonce });
  return access_token;
}
