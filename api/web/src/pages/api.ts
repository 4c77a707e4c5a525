/** Asking the service, with the types made from its OpenAPI; what it refuses is thrown as a Problem. */

import createClient from "openapi-fetch";
import { Api } from "../core/api";
import type { paths } from "../core/contract";
import { tokens } from "./tokens";

/** What the service refused, in its own sentence. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    sentence: string,
    readonly body: { [name: string]: unknown } = {},
  ) {
    super(sentence);
  }
}

const client = createClient<paths>({ baseUrl: location.origin });

let signedOut: () => void = () => undefined;

/** What to do when the service no longer takes the token. */
export function onSignedOut(act: () => void): void {
  signedOut = act;
}

client.use({
  async onRequest({ request }) {
    const token = await tokens.current();
    if (token !== null) request.headers.set("Authorization", `Bearer ${token}`);
    return request;
  },
  onError: () => new Problem(0, "The service does not answer. You may be offline; nothing was changed."),
});

export const api = client;

/** What a request was answered; the types of bodies stand in parts/answers.ts.
 *
 * @throws Problem
 */
export async function ask<T>(asking: Promise<{ data?: unknown; error?: unknown; response: Response }>): Promise<T> {
  const { data, error, response } = await asking;
  if (response.ok) return data as T;
  if (response.status === 401) signedOut();
  throw problemOf(response.status, error);
}

function problemOf(status: number, error: unknown): Problem {
  const body = (typeof error === "object" && error !== null ? error : {}) as { [name: string]: unknown };
  const sentence = typeof body.detail === "string" ? body.detail : `The service answered ${status}.`;
  return new Problem(status, sentence, body);
}

/** A sentence for a person, whatever went wrong. */
export function sentenceOf(problem: unknown): string {
  return problem instanceof Error ? problem.message : "Something went wrong; nothing was changed.";
}

const plain = new Api(location.origin === "null" ? "" : location.origin, tokenAfter, globalThis.fetch);

/** The token; asked again with the one that was refused, it is clear that somebody has to sign in. */
export function tokenAfter(refused?: string): Promise<string | null> {
  if (refused !== undefined) signedOut();
  return tokens.current();
}

/** For what is no document, such as a stream or a download. */
export const apiOf = (): Api => plain;
