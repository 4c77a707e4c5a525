/**
 * The tabs of one browser that have one draft open: one of them owns it, sends and writes the journal;
 * the others show what it tells them. The owner is whoever typed last: a tab in which somebody types
 * takes the draft over, and when the owner closes, another one follows.
 */
import type { Environment } from "./environment";
import type { Sending } from "./status";

export interface Told<Parts> {
  readonly turn: number;
  readonly parts: Partial<Parts>;
  /** A tab that has just opened, and asks the owner for everything. */
  readonly asks?: true;
  /** How it goes with sending. */
  readonly sending?: Sending;
}

export class Tabs<Parts> {
  isOwner = false;
  onOwner: () => void = () => {};
  onTold: (told: Told<Parts>) => void = () => {};
  readonly #channel: BroadcastChannel | undefined;
  #waiting: AbortController | undefined;
  #release: (() => void) | undefined;
  #closed = false;

  constructor(
    private readonly name: string,
    private readonly environment: Pick<Environment, "locks" | "channel">,
  ) {
    this.#channel = environment.channel?.(name);
    if (this.#channel) this.#channel.onmessage = ({ data }) => this.onTold(data as Told<Parts>);
  }

  /** Own the draft as soon as no other tab does; without Web Locks (plain HTTP) at once. */
  wait(): void {
    if (!this.environment.locks) return this.#own();
    this.#waiting = new AbortController();
    this.#request({ signal: this.#waiting.signal });
  }

  /** Own the draft now, whoever does. */
  take(): void {
    if (this.isOwner) return;
    this.#waiting?.abort();
    this.#own();
    this.#request({ steal: true });
  }

  /** Another tab has taken over. */
  yield(): void {
    if (!this.isOwner) return;
    this.isOwner = false;
    this.#release?.();
    this.wait();
  }

  /** Tell the other tabs. */
  tell(told: Told<Parts>): void {
    if (!this.#closed) this.#channel?.postMessage(told);
  }

  close(): void {
    this.#closed = true;
    this.isOwner = false;
    this.#waiting?.abort();
    this.#release?.();
    this.#channel?.close();
  }

  #request(options: LockOptions): void {
    const held = () => {
      if (this.#closed) return undefined;
      const over = new Promise<void>((release) => (this.#release = release));
      this.#own();
      return over;
    };
    this.environment.locks?.request(this.name, options, held).catch((error: DOMException) => {
      // Stolen by a tab in which somebody types: it tells so by itself, but this may come first.
      if (error.name === "AbortError" && options.signal?.aborted !== true && !this.#closed) this.yield();
    });
  }

  #own(): void {
    if (this.isOwner || this.#closed) return;
    this.isOwner = true;
    this.onOwner();
  }
}
