/** Calls to the service: a token with each, an answer as JSON, or an error that says which kind it is. */
import type { Problem } from "./wire";

/** Gives the token; asked again, with the one that was refused, after a 401. */
export type TokenSource = (refused?: string) => string | null | Promise<string | null>;

export interface Asked {
  readonly body?: unknown;
  readonly query?: { readonly [name: string]: string | number | boolean | null | undefined };
  readonly headers?: { readonly [name: string]: string };
  readonly keepalive?: boolean;
  readonly signal?: AbortSignal;
}

/** The service answered that it will not; `problem` says why. */
export class Refused extends Error {
  constructor(
    readonly problem: Partial<Problem> & { readonly status: number; readonly detail: string },
    /** Seconds after which to try again, if the service named any. */
    readonly retryAfter: number | undefined,
  ) {
    super(problem.detail);
    this.name = "Refused";
  }
}

/** There was no answer: nobody knows whether the service did what was asked. */
export class Unreachable extends Error {
  override readonly name = "Unreachable";
}

export class Api {
  constructor(
    private readonly url: string,
    readonly token: TokenSource,
    private readonly fetch: typeof globalThis.fetch,
  ) {}

  get = <T>(path: string, asked: Asked = {}): Promise<T> => this.call("GET", path, asked);
  post = <T>(path: string, body?: unknown, asked: Asked = {}): Promise<T> => this.call("POST", path, { body, ...asked });
  put = <T>(path: string, body?: unknown, asked: Asked = {}): Promise<T> => this.call("PUT", path, { body, ...asked });
  patch = <T>(path: string, body?: unknown, asked: Asked = {}): Promise<T> => this.call("PATCH", path, { body, ...asked });
  delete = (path: string, asked: Asked = {}): Promise<void> => this.call("DELETE", path, asked);

  /** The answer's body; `undefined` if it has none (204, 304). `path` follows `/v1`. */
  async call<T>(method: string, path: string, asked: Asked = {}): Promise<T> {
    const answer = await this.answer(method, path, asked);
    const text = await answer.text().catch(broken);
    return (text ? JSON.parse(text) : undefined) as T;
  }

  /** The whole answer, as it comes in: for streams and downloads. */
  async answer(method: string, path: string, asked: Asked = {}): Promise<Response> {
    const token = await this.token();
    let answer = await this.#send(method, path, asked, token);
    if (answer.status === 401) {
      const fresh = await this.token(token ?? undefined);
      if (fresh && fresh !== token) answer = await this.#send(method, path, asked, fresh);
    }
    if (answer.ok || answer.status === 304) return answer;
    throw await refusal(answer);
  }

  #send(method: string, path: string, asked: Asked, token: string | null): Promise<Response> {
    const headers = new Headers(asked.headers);
    if (token) headers.set("Authorization", `Bearer ${token}`);
    if (asked.body !== undefined && !headers.has("Content-Type")) headers.set("Content-Type", "application/json");
    const { keepalive, signal, body } = asked;
    const sent = body === undefined ? null : typeof body === "string" ? body : JSON.stringify(body);
    const { fetch } = this; // called without `this`, as browsers ask for
    return fetch(`${this.url}/v1${path}${queryOf(asked)}`, {
      method,
      headers,
      body: sent,
      credentials: "omit",
      cache: "no-store",
      ...(keepalive && { keepalive }),
      ...(signal && { signal }),
    }).catch(broken);
  }
}

function queryOf({ query = {} }: Asked): string {
  const given = Object.entries(query).filter(([, value]) => (value ?? "") !== "");
  const text = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
  return text && `?${text}`;
}

function broken(cause: unknown): never {
  throw new Unreachable("The service could not be reached.", { cause });
}

/** A proxy's page is an answer too, but not the service's: then only the status speaks. */
async function refusal(answer: Response): Promise<Refused> {
  const after = Number.parseFloat(answer.headers.get("Retry-After") ?? "");
  const said = await answer.json().catch(() => ({}));
  const detail = `The service answered ${answer.status}.`;
  return new Refused({ detail, ...said, status: answer.status }, after || undefined);
}
