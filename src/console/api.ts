// The routes of openapi.json, each with its own types. What is refused is an error with a sentence for people.
import createClient from "openapi-fetch";
import type { components, paths } from "openapi";
import { session, sessionEnded } from "./session";

export type Schemas = components["schemas"];

/** A request that was refused or got no answer. */
export class Failure extends Error {
  constructor(
    readonly status: number,
    message: string,
    /** By it the request is found in the log. */
    readonly requestId: string | null,
    /** What is wrong with which field of the body: its path with dots, and a sentence. */
    readonly fields: Record<string, string> = {},
  ) {
    super(message);
  }
}

export const api = createClient<paths>({ baseUrl: location.origin, querySerializer: { array: { style: "form", explode: false } } });
api.use({
  onRequest({ request }) {
    const token = session()?.token;
    if (token) request.headers.set("authorization", `Bearer ${token}`);
  },
});

interface Answered<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** The body of a reply; throws a Failure where the request was refused. */
export async function ask<T>(asked: Promise<Answered<T>>): Promise<T> {
  let answered: Answered<T>;
  try {
    answered = await asked;
  } catch {
    throw new Failure(0, "The service did not answer. Is the network there? Try again.", null);
  }
  const { data, error, response } = answered;
  if (response.ok) return data as T;
  if (response.status === 401) sessionEnded();
  throw failure(response, error);
}

function failure(response: Response, body: unknown): Failure {
  const requestId = response.headers.get("x-request-id");
  const detail = (body as { detail?: unknown } | undefined)?.detail;
  if (Array.isArray(detail)) {
    const fields: Record<string, string> = {};
    for (const { loc, msg } of detail as Schemas["FieldError"][]) fields[loc.slice(1).join(".")] = msg;
    const sentence = Object.entries(fields).map(([field, what]) => `${field}: ${what}`).join("; ");
    return new Failure(response.status, sentence, requestId, fields);
  }
  if (response.status === 401) return new Failure(401, "Your sign-in has ended. Sign in again, then try once more.", requestId);
  if (response.status >= 500 && response.status !== 503) {
    return new Failure(response.status, "Something failed inside the service. What you typed is still here: try again.", requestId);
  }
  return new Failure(response.status, sentence(detail) || `The request was refused (${response.status}).`, requestId);
}

/** A detail as a sentence: with a capital and a full stop. */
export function sentence(detail: unknown): string {
  const text = typeof detail === "string" ? detail.trim() : "";
  if (!text) return "";
  return text[0]!.toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");
}
