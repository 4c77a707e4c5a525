/**
 * One draft in one tab: takes what is typed, keeps it, sends it, and shows what comes back.
 *
 *              type                 a pause                 receipt
 *     calm ───────────▶ unsaved ───────────────▶ sending ─────────────▶ calm, or unsaved if typed on
 *                          ▲                        │
 *                          │   after a while,       ├─ no answer ─────▶ offline   ─┐
 *                          └── or when the ◀────────┼─ 429, 5xx ──────▶ failed    ─┤ all of these keep
 *                              network is back      ├─ 401 ───────────▶ signed out ┤ what was typed
 *                                                   └─ 403, 404, 410 ─▶ failed, gone
 */
import { Refused, type Api } from "./api";
import type { Environment } from "./environment";
import type { Journal } from "./journal";
import type { Data, Json } from "./json";
import { apply } from "./changes";
import type { Following, Hearer, Present } from "./following";
import { get } from "./path";
import { withoutSecrets } from "./secrets";
import { afterFailure } from "./retry";
import { bodyOf, refused, send } from "./sender";
import { hasTyped, looked, partsOf, queue, restored, type, waiting, type Form, type Parts, type State } from "./state";
import { statusOf, type Sending, type Status } from "./status";
import type { Tabs, Told } from "./tabs";
import type { Conflict, Draft, Receipt } from "./wire";

/** Milliseconds: a pause in typing, the longest wait for one, and how much longer both are offline. */
const PAUSE = 1_000;
const LONGEST = 5_000;
const OFFLINE = 5;
/** Storage that answers too late must not hold a save up. */
const STORAGE = 2_000;
/** What a browser lets a page send that is being closed, less some headers. */
const KEEPALIVE = 60_000;
/** A tab that takes a draft over is ahead of all that the former owner may yet write. */
const TAKEN_OVER = 1_000;

/** What a session works with. */
export interface Tools {
  readonly api: Api;
  readonly journal: Journal<Parts>;
  readonly tabs: Tabs<Parts>;
  readonly environment: Environment;
  /** The name under which this browser numbers its edits. */
  readonly device: string;
  readonly secrets: readonly string[];
  /** The session is over: whoever opens the draft next begins another one. */
  readonly closed: () => void;
}

/** All that can be shown of a draft; a new object whenever something of it has changed. */
export interface Snapshot extends Form {
  readonly id: string;
  readonly version: number;
  readonly conflicts: readonly Conflict[];
  /** The draft without its form, as the service told it last; null while it does not know it. */
  readonly about: State["base"]["about"];
  readonly status: Status;
  readonly present: readonly Present[];
}

export class DraftSession {
  #sending: Sending = { kind: "idle" };
  #present: readonly Present[] = [];
  #shown: Snapshot;
  readonly #listeners = new Set<() => void>();
  readonly #others = new Set<(data: Data) => void>();
  readonly #savers = new Set<{ done: (receipt: Receipt) => void; failed: (why: unknown) => void }>();
  readonly #stops: (() => void)[] = [];
  readonly #over = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #typedAt = 0;
  #attempts = 0;
  #busy = false;
  #looking: Promise<void> | undefined;
  #following: Following | undefined;
  #at: string | null = null;
  /** Whether this tab holds all that the owner does, so that news of parts make sense. */
  #level = false;
  /** The highest version that anything told of. */
  #newest = 0;

  /** `turn` counts what was written of the draft on this device. */
  constructor(
    /** What the draft is called on this device. */
    readonly key: string,
    private state: State,
    private turn: number,
    private readonly tools: Tools,
  ) {
    this.#shown = this.#snapshotNow();
  }

  /** Begin to send, and to follow the other tabs and the network. */
  start(): void {
    const { tabs, environment, journal } = this.tools;
    tabs.onTold = (told) => this.#told(told);
    tabs.onOwner = () => void this.#owns();
    const tended = () => this.#tend();
    journal.onHealth.add(tended);
    this.#stops.push(
      () => journal.onHealth.delete(tended),
      environment.on("online", () => this.resume()),
      environment.on("shown", () => this.#sending.kind !== "failed" && this.resume()),
      environment.on("hidden", () => this.#leave()),
      environment.on("offline", () => this.#goes({ kind: "offline", retryAt: null })),
    );
    tabs.tell({ turn: this.turn, parts: {}, asks: true });
    tabs.wait();
  }

  /** The name under which this browser numbers its edits. */
  get device(): string {
    return this.tools.device;
  }

  /** Everything as it is now. */
  snapshot = (): Snapshot => this.#shown;

  /** Hear of every change; gives the function that ends it. */
  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  /** Hear of what others changed, and of what was restored; never of what this form itself told. */
  onOthers(listener: (data: Data) => void): () => void {
    this.#others.add(listener);
    return () => this.#others.delete(listener);
  }

  /** Whether anything is not confirmed by the service. */
  hasUnsent = (): boolean => waiting(this.state) > 0;

  /** The form holds these values now. */
  change(data: Data): void {
    this.#type({ ...this.state.live, data });
  }

  /** One field holds another value now; without a value it is gone. */
  set(path: string, value: Json | undefined): void {
    const { data } = this.state.live;
    const there = get(data, path) !== undefined;
    if (value === undefined && !there) return;
    const operation = value === undefined ? { op: "remove" as const, path } : { op: there ? ("replace" as const) : ("add" as const), path, value };
    this.change(apply([operation], data));
  }

  /** The step that the form is at, and those that are done. */
  goTo(step: string | null, completed_steps: readonly string[] = this.state.live.completed_steps): void {
    this.#type({ ...this.state.live, step, completed_steps });
  }

  /**
   * Save now; the receipt, once nothing waits any more.
   *
   * @throws Refused, Unreachable: what was typed is kept all the same, and sent when that is possible
   */
  save(): Promise<Receipt> {
    return new Promise((done, failed) => {
      this.#savers.add({ done, failed });
      this.#takeOver();
      void this.#pump();
    });
  }

  /** Try again at once: after signing in, or because somebody asks for it. */
  resume(): void {
    if (this.#over.signal.aborted) return;
    this.#attempts = 0;
    if (this.#sending.kind !== "sending") this.#goes({ kind: "idle" });
    void (this.hasUnsent() && this.#isOpen() ? this.#pump() : this.look());
    this.#watch();
  }

  /** Look at what the service holds. */
  look(): Promise<void> {
    return (this.#looking ??= this.#lookOnce().finally(() => (this.#looking = undefined)));
  }

  /** Say at which field somebody is; nothing is waited for. */
  here(path: string | null): void {
    this.#at = path;
    this.#following?.here(path);
  }

  /** Go on from what a command (restore, undo, resolve …) has made of the draft. */
  async after<T>(command: (id: string) => Promise<T>): Promise<T> {
    if (this.hasUnsent()) await this.save();
    const answer = await command(this.state.id);
    await this.look();
    return answer;
  }

  /** Put the draft into the trash, and forget it here once the service has. */
  async discard(): Promise<void> {
    clearTimeout(this.#timer);
    if (this.state.base.version > 0) await this.tools.api.delete(`/drafts/${this.state.id}`);
    await this.forget();
  }

  /** Forget the draft on this device, with all that waits. */
  async forget(): Promise<void> {
    this.close();
    await this.tools.journal.forget(this.key);
  }

  /** Leave the draft; what waits stays on this device. */
  close(): void {
    if (this.#over.signal.aborted) return;
    this.#leave();
    this.#over.abort();
    clearTimeout(this.#timer);
    this.#unwatch();
    this.#stops.forEach((stop) => stop());
    this.tools.tabs.close();
    this.tools.closed();
  }

  // -- typing

  #type(live: Form): void {
    if (this.#over.signal.aborted) return;
    const before = this.state;
    this.#put(type(before, live), this.#takeOver());
    if (!hasTyped(before)) this.#typedAt = this.tools.environment.now();
    this.#schedule();
  }

  #schedule(): void {
    const { kind } = this.#sending;
    if (kind === "gone" || !this.tools.tabs.isOwner) return;
    const factor = kind === "offline" ? OFFLINE : 1;
    const left = this.#typedAt + LONGEST * factor - this.tools.environment.now();
    this.#wake(Math.max(0, Math.min(PAUSE * factor, left)));
  }

  #wake(delay: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#pump(), delay);
  }

  // -- sending

  /** Send all that waits, one request at a time, the newest last. */
  async #pump(): Promise<void> {
    if (this.#busy || !this.#mayGoOn()) return;
    clearTimeout(this.#timer);
    this.#busy = true;
    try {
      this.#put(queue(this.state));
      while (this.state.outbox.length > 0) {
        await Promise.race([this.tools.journal.settled(), new Promise((late) => setTimeout(late, STORAGE))]);
        if (!this.#mayGoOn()) return;
        await this.#sendOnce();
      }
      await this.#calm();
    } catch (error) {
      this.#failed(error);
    } finally {
      this.#busy = false;
    }
  }

  #mayGoOn(): boolean {
    return this.tools.tabs.isOwner && !this.#over.signal.aborted && this.#isOpen();
  }

  #isOpen(): boolean {
    const { about } = this.state.base;
    return !about || about.status === "open";
  }

  async #sendOnce(): Promise<void> {
    const { api, device } = this.tools;
    // While the service cannot be reached, an attempt to is no news.
    if (this.#attempts === 0) this.#goes({ kind: "sending" });
    const next = await send(api, device, this.state).catch((error: unknown) => {
      const mended = error instanceof Refused && refused(this.state, error.problem);
      if (!mended) throw error;
      return () => mended;
    });
    // Another tab that took over meanwhile repeats the request, and gets the same receipt.
    if (!this.tools.tabs.isOwner) return;
    this.#attempts = 0;
    this.#put(next(this.state));
    if (hasTyped(this.state) && this.state.whole) this.#put(queue(this.state));
  }

  /** Everything that was to be sent is confirmed. */
  async #calm(): Promise<void> {
    if (!this.tools.tabs.isOwner) return;
    this.#goes({ kind: "idle" });
    this.#watch();
    if (hasTyped(this.state)) {
      this.#typedAt = this.tools.environment.now();
      return this.#schedule();
    }
    if (this.#newest > this.state.base.version) void this.look();
    const receipt = receiptOf(this.state);
    if (receipt) this.#savers.forEach((saver) => (this.#savers.delete(saver), saver.done(receipt)));
    await this.#forgetIfFinished();
  }

  #failed(error: unknown): void {
    this.#savers.forEach((saver) => (this.#savers.delete(saver), saver.failed(error)));
    const { now, random } = this.tools.environment;
    this.#goes(afterFailure(error, now(), this.#attempts++, random()));
    if ("retryAt" in this.#sending && this.#sending.retryAt !== null) {
      this.#wake(this.#sending.retryAt - this.tools.environment.now());
    }
  }

  /** The page goes away: what was typed last goes out by a request that outlives it. */
  #leave(): void {
    if (this.#busy || !this.#mayGoOn() || this.#sending.kind === "gone") return;
    this.#put(queue(this.state));
    const [first, ...rest] = this.state.outbox;
    if (!first || rest.length > 0 || JSON.stringify(bodyOf(first, this.tools.device)).length > KEEPALIVE) return;
    this.#busy = true;
    const { api, device } = this.tools;
    send(api, device, this.state, true)
      .then((next) => this.tools.tabs.isOwner && this.#put(next(this.state)), (error) => this.#failed(error))
      .finally(() => {
        this.#busy = false;
        if (!this.#over.signal.aborted && this.#sending.kind !== "signed-out") void this.#pump();
      });
  }

  // -- hearing of others

  async #lookOnce(): Promise<void> {
    if (this.state.base.version === 0 || this.#over.signal.aborted) return;
    try {
      const draft = await this.tools.api.get<Draft>(`/drafts/${this.state.id}`);
      this.#newest = Math.max(this.#newest, draft.version);
      if (!this.tools.tabs.isOwner || this.#busy) return;
      const wasOpen = this.#isOpen();
      this.#put(looked(this.state, draft));
      if (this.#sending.kind !== "sending") this.#goes({ kind: "idle" });
      if (!wasOpen) void this.#pump(); // it may have been put back
      await this.#forgetIfFinished();
    } catch (error) {
      if (!this.#busy && this.tools.tabs.isOwner) this.#failed(error);
    }
  }

  /** A local copy goes only when the service says that the draft is over, and nothing of it waits. */
  async #forgetIfFinished(): Promise<void> {
    if ((this.#sending.kind === "gone" || !this.#isOpen()) && !this.hasUnsent()) await this.tools.journal.forget(this.key);
  }

  /** Follow the draft, in the tab that owns it; what that needs is loaded when there is a network. */
  #watch(): void {
    if (this.#following || !this.#mayGoOn() || this.state.base.version === 0) return;
    void import("./following").then(({ Following }) => {
      if (this.#following || !this.#mayGoOn()) return;
      const { id, base } = this.state;
      this.#following = new Following(this.tools.api, id, this.tools.device, this.#hearer);
      this.#following.start(base.version);
      this.#following.here(this.#at);
    }, () => {});
  }

  #unwatch(): void {
    this.#following?.stop();
    this.#following = undefined;
  }

  readonly #hearer: Hearer = {
    news: (version) => this.#news(version),
    present: (present) => {
      this.#present = present;
      this.#changed();
    },
  };

  #news(version: number): void {
    this.#newest = Math.max(this.#newest, version);
    if (!this.#busy && this.#newest > this.state.base.version) void this.look();
  }

  async #owns(): Promise<void> {
    this.#level = true;
    const written = await this.tools.journal.read(this.key);
    if (!this.tools.tabs.isOwner) return;
    if (written && written.turn > this.turn) this.#take(written.turn, written.parts);
    else this.#put(this.state, true);
    this.resume();
  }

  /** Own the draft now; what the former owner may yet write is older. */
  #takeOver(): boolean {
    if (this.tools.tabs.isOwner) return false;
    this.turn += TAKEN_OVER;
    this.tools.tabs.take();
    return true;
  }

  /** Another tab says what it has made of the draft, or asks. */
  #told({ turn, parts, asks, sending }: Told<Parts>): void {
    const { tabs } = this.tools;
    if (asks) return tabs.isOwner ? tabs.tell({ turn: this.turn, parts: partsOf(this.state), sending: this.#sending }) : undefined;
    if (sending && !tabs.isOwner) {
      this.#sending = sending;
      this.#changed();
    }
    this.#level ||= parts.base !== undefined;
    if (!this.#level || (tabs.isOwner ? turn <= this.turn : turn < this.turn)) return;
    tabs.yield();
    this.#unwatch();
    clearTimeout(this.#timer);
    this.#take(turn, parts);
  }

  #take(turn: number, parts: Partial<Parts>): void {
    const before = this.state.live.data;
    this.turn = turn;
    this.state = restored({ ...partsOf(this.state), ...parts });
    this.#changed();
    if (this.state.live.data !== before) this.#tellOthers();
  }

  // -- keeping

  /** Take a state over, write down what is new of it, and tell everybody. */
  #put(state: State, all = false): void {
    const before = this.state;
    if (state === before && !all) return;
    this.state = state;
    const parts = partsOf(state);
    const changed: Partial<Parts> = {
      ...((all || state.base !== before.base || state.id !== before.id) && { base: parts.base }),
      ...((all || state.outbox !== before.outbox || state.whole !== before.whole) && { outbox: parts.outbox }),
      typed: parts.typed,
    };
    this.turn += 1;
    if (state.id !== before.id) void this.tools.journal.name(`draft ${state.id}`, this.key);
    this.tools.journal.write(this.key, this.turn, withoutSecrets(changed, this.tools.secrets));
    this.tools.tabs.tell({ turn: this.turn, parts: changed });
    this.#changed();
    if (state.live !== before.live && state.base !== before.base) this.#tellOthers();
  }

  /** Storage has failed, or works again: then all is written anew, not only what is new. */
  #tend(): void {
    if (this.tools.tabs.isOwner) this.#put(this.state, true);
    else this.#changed();
  }

  #goes(sending: Sending): void {
    this.#sending = sending;
    if (this.tools.tabs.isOwner) this.tools.tabs.tell({ turn: this.turn, parts: {}, sending });
    this.#changed();
  }

  #changed(): void {
    this.#shown = this.#snapshotNow();
    this.#listeners.forEach((listener) => listener());
  }

  #tellOthers(): void {
    this.#others.forEach((listener) => listener(this.state.live.data));
  }

  #snapshotNow(): Snapshot {
    const { id, base, live } = this.state;
    const { version, conflicts, about } = base;
    const status = statusOf(this.state, this.#sending, this.tools.journal.health !== "memory");
    return { ...live, id, version, conflicts, about, status, present: this.#present };
  }
}

/** What the service confirmed last, as a receipt. */
function receiptOf({ id, base }: State): Receipt | undefined {
  const { about, version, conflicts } = base;
  if (!about) return undefined;
  const { saved_at, expires_at } = about;
  return { id, version, recorded: true, merged: false, saved_at, expires_at, changes: [], conflicts };
}
