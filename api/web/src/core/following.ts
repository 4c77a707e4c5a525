/** What happens at a draft while somebody looks: versions that others save, and who is at which field. */
import type { Api, Refused } from "./api";
import { eventsOf } from "./live";

/** Somebody who has the draft open now. */
export interface Present {
  readonly user: string;
  readonly device: string;
  readonly path: string | null;
  readonly idle: boolean;
}

/** What to do with the news. */
export interface Hearer {
  /** Something is new at the draft, maybe a version, which came to be by an act. */
  news(version: number, act?: string): void;
  present(present: readonly Present[]): void;
}

/** Milliseconds: how often one says again that one is here, and how long to wait for a new stream. */
const AGAIN = 20_000;
const FIRST_WAIT = 1_000;
const LAST_WAIT = 30_000;

export class Following {
  readonly #over = new AbortController();
  #path: string | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly api: Api,
    private readonly id: string,
    private readonly device: string,
    private readonly hearer: Hearer,
  ) {}

  /** Follow the draft from a version on. */
  start(version: number): void {
    void this.#follow(version, this.#over.signal);
  }

  stop(): void {
    this.#over.abort();
    clearTimeout(this.#timer);
  }

  /** Say at which field somebody is, and again every now and then; it matters to nobody whether it arrives. */
  here(path: string | null): void {
    this.#path = path;
    clearTimeout(this.#timer);
    if (this.#over.signal.aborted) return;
    this.api.put(`/drafts/${this.id}/presence`, { device: this.device, path }).catch(() => {});
    this.#timer = setTimeout(() => this.here(this.#path), AGAIN);
  }

  /** One stream after the other; one that is refused for good is not asked for again. */
  async #follow(version: number, signal: AbortSignal): Promise<void> {
    for (let wait = FIRST_WAIT; !signal.aborted; wait = Math.min(2 * wait, LAST_WAIT)) {
      try {
        for await (const { event, id, data } of eventsOf(await this.#open(version, signal))) {
          wait = FIRST_WAIT;
          version = Number(id) || version;
          if (event === "presence") this.hearer.present((data as { present: readonly Present[] }).present);
          else this.hearer.news(version, (data as { act?: string }).act);
        }
      } catch (error) {
        // By what it has: a module that is loaded later would take the class out of the core, into a third.
        const { status = 500 } = (error as Partial<Refused>).problem ?? {};
        if (status < 500 && status !== 429) return;
      }
      await new Promise((over) => setTimeout(over, wait * (0.5 + Math.random() / 2)));
    }
  }

  async #open(version: number, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const headers = { Accept: "text/event-stream", "Last-Event-ID": String(version) };
    const query = { device: this.device };
    const { body } = await this.api.answer("GET", `/drafts/${this.id}/events`, { query, headers, signal });
    return body ?? new ReadableStream();
  }
}
