/**
 * What goes out of one draft, and when: one save at a time, until all that was typed is confirmed.
 *
 *              type                 a pause                 receipt
 *     idle ───────────▶ (unsaved) ─────────────▶ sending ─────────────▶ idle, or unsaved if typed on
 *                          ▲                        │
 *                          │   after a while,       ├─ no answer ─────▶ offline   ─┐
 *                          └── or when the ◀────────┼─ 429, 5xx ──────▶ failed    ─┤ all of these keep
 *                              network is back      ├─ 401 ───────────▶ signed-out ┤ what was typed
 *                                                   ├─ 403, 404 ──────▶ failed    ─┤
 *                                                   └─ 410 ───────────▶ gone      ─┘
 */
import { Refused } from "./api";
import type { Kept, Tools } from "./kept";
import { afterFailure } from "./retry";
import { bodyOf, refused, send } from "./sender";
import { hasTyped, isOpen, queue, type State } from "./state";
import type { Receipt } from "./wire";

/** Milliseconds: a pause in typing, the longest wait for one, and how much longer both are offline. */
const PAUSE = 1_000;
const LONGEST = 5_000;
const OFFLINE = 5;
/** Storage that answers too late must not hold a save up. */
const STORAGE = 2_000;
/** What a browser lets a page send that is being closed, less some headers. */
const KEEPALIVE = 60_000;

export class Outgoing {
  /** Whether a save is under way. */
  busy = false;
  readonly #savers = new Set<{ done: (receipt: Receipt) => void; failed: (why: unknown) => void }>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #typedAt = 0;
  #attempts = 0;
  #over = false;

  constructor(
    private readonly kept: Kept,
    private readonly tools: Tools,
    /** Everything that was to be sent is confirmed. */
    private readonly calm: () => void,
  ) {}

  /** Whether this tab may send. */
  get mayGoOn(): boolean {
    return this.kept.isOwner && !this.#over && isOpen(this.kept.state);
  }

  /** Something was typed, maybe the first thing since all was confirmed. */
  typed(first: boolean): void {
    if (first) this.#typedAt = this.tools.environment.now();
    const { kind } = this.kept.sending;
    if (kind === "gone" || !this.kept.isOwner) return;
    const factor = kind === "offline" ? OFFLINE : 1;
    const left = this.#typedAt + LONGEST * factor - this.tools.environment.now();
    this.#wake(Math.max(0, Math.min(PAUSE * factor, left)));
  }

  /** Send now; the receipt, once nothing waits any more. */
  save(): Promise<Receipt> {
    return new Promise((done, failed) => {
      this.#savers.add({ done, failed });
      this.kept.takeOver();
      void this.pump();
    });
  }

  /** What was tried before counts no more. */
  afresh(): void {
    this.#attempts = 0;
    if (this.kept.sending.kind !== "sending") this.kept.goes({ kind: "idle" });
  }

  /** Try nothing by itself until something is typed. */
  rest(): void {
    clearTimeout(this.#timer);
  }

  /** Send nothing any more. */
  stop(): void {
    this.#over = true;
    this.rest();
  }

  /** Send all that waits, one request at a time, the newest last. */
  async pump(): Promise<void> {
    const { kept } = this;
    if (this.busy || !this.mayGoOn) return;
    this.rest();
    this.busy = true;
    try {
      kept.put(queue(kept.state));
      while (kept.state.outbox.length > 0) {
        await Promise.race([this.tools.journal.settled(), new Promise((late) => setTimeout(late, STORAGE))]);
        if (!this.mayGoOn) return;
        await this.#sendOnce();
      }
      this.#settle();
    } catch (error) {
      this.failed(error);
    } finally {
      this.busy = false;
    }
  }

  async #sendOnce(): Promise<void> {
    const { api, device } = this.tools;
    const { kept } = this;
    // While the service cannot be reached, an attempt to is no news.
    if (this.#attempts === 0) kept.goes({ kind: "sending" });
    const next = await send(api, device, kept.state).catch((error: unknown) => {
      const mended = error instanceof Refused && refused(kept.state, error.problem);
      if (!mended) throw error;
      return () => mended;
    });
    // Another tab that took over meanwhile repeats the request, and gets the same receipt.
    if (!kept.isOwner) return;
    this.#attempts = 0;
    kept.put(next(kept.state));
    if (hasTyped(kept.state) && kept.state.whole) kept.put(queue(kept.state));
  }

  #settle(): void {
    const { kept } = this;
    if (!kept.isOwner) return;
    kept.goes({ kind: "idle" });
    const receipt = receiptOf(kept.state);
    if (hasTyped(kept.state)) this.typed(true);
    else if (receipt) this.#savers.forEach((saver) => (this.#savers.delete(saver), saver.done(receipt)));
    this.calm();
  }

  /** There was no answer, or a refusal: what was typed stays, and is tried again where that makes sense. */
  failed(error: unknown): void {
    this.#savers.forEach((saver) => (this.#savers.delete(saver), saver.failed(error)));
    const { now, random } = this.tools.environment;
    const sending = afterFailure(error, now(), this.#attempts++, random());
    this.kept.goes(sending);
    if ("retryAt" in sending && sending.retryAt !== null) this.#wake(sending.retryAt - now());
  }

  /** The page goes away: what was typed last goes out by a request that outlives it. */
  leave(): void {
    const { kept } = this;
    const { api, device } = this.tools;
    if (this.busy || !this.mayGoOn || kept.sending.kind === "gone") return;
    kept.put(queue(kept.state));
    const [first, ...rest] = kept.state.outbox;
    if (!first || rest.length > 0 || JSON.stringify(bodyOf(first, device)).length > KEEPALIVE) return;
    this.busy = true;
    send(api, device, kept.state, true)
      .then((next) => kept.isOwner && kept.put(next(kept.state)), (error) => this.failed(error))
      .finally(() => {
        this.busy = false;
        if (!this.#over && kept.sending.kind !== "signed-out") void this.pump();
      });
  }

  #wake(delay: number): void {
    this.rest();
    this.#timer = setTimeout(() => void this.pump(), delay);
  }
}

/** What the service confirmed last, as a receipt. */
function receiptOf({ id, base }: State): Receipt | undefined {
  const { about, version, conflicts } = base;
  if (!about) return undefined;
  const { saved_at, expires_at } = about;
  return { id, version, recorded: true, merged: false, saved_at, expires_at, changes: [], conflicts };
}
