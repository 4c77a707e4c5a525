/**
 * One draft in one tab, for whoever shows it: takes what is typed, and tells what comes back.
 *
 *     session ──▶ outgoing   what is sent, and when
 *        │  └───▶ following  what others save, by a stream; the draft is looked at after each of its news
 *        └──────▶ kept       the state, which all tabs of this browser agree on
 */
import { apply } from "./changes";
import type { Following, Hearer, Present } from "./following";
import type { Data, Json } from "./json";
import { Kept, type Tools } from "./kept";
import { Outgoing } from "./outgoing";
import { get } from "./path";
import { hasTyped, isOpen, looked, type, waiting, type Form, type State } from "./state";
import { statusOf, type Status } from "./status";
import type { Conflict, Draft, Receipt } from "./wire";

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
  readonly #kept: Kept;
  readonly #outgoing: Outgoing;
  #present: readonly Present[] = [];
  #shown: Snapshot;
  readonly #listeners = new Set<() => void>();
  readonly #others = new Set<(data: Data) => void>();
  readonly #stops: (() => void)[] = [];
  #over = false;
  #looking: Promise<void> | undefined;
  #following: Following | undefined;
  #at: string | null = null;
  /** The highest version that anything told of. */
  #newest = 0;

  /** `key` is what the draft is called on this device; `turn` counts what was written of it there. */
  constructor(key: string, state: State, turn: number, private readonly tools: Tools) {
    this.#kept = new Kept(key, state, turn, tools, {
      changed: () => this.#changed(),
      others: () => this.#others.forEach((listener) => listener(this.#kept.state.live.data)),
      owns: () => this.resume(),
      lost: () => (this.#unwatch(), this.#outgoing.rest()),
    });
    this.#outgoing = new Outgoing(this.#kept, tools, () => this.#calm());
    this.#shown = this.#snapshotNow();
  }

  /** Begin to send, and to follow the other tabs and the network. */
  start(): void {
    const { on } = this.tools.environment;
    this.#stops.push(
      on("online", () => this.resume()),
      on("shown", () => this.#kept.sending.kind !== "failed" && this.resume()),
      on("hidden", () => this.#outgoing.leave()),
      on("offline", () => this.#kept.goes({ kind: "offline", retryAt: null })),
      this.#kept.start(),
    );
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
  hasUnsent = (): boolean => waiting(this.#kept.state) > 0;

  /** The form holds these values now. */
  change(data: Data): void {
    this.#type({ ...this.#kept.state.live, data });
  }

  /** One field holds another value now; without a value it is gone. */
  set(path: string, value: Json | undefined): void {
    const { data } = this.#kept.state.live;
    const there = get(data, path) !== undefined;
    if (value === undefined && !there) return;
    const operation = value === undefined ? { op: "remove" as const, path } : { op: there ? ("replace" as const) : ("add" as const), path, value };
    this.change(apply([operation], data));
  }

  /** The step that the form is at, and those that are done. */
  goTo(step: string | null, completed_steps: readonly string[] = this.#kept.state.live.completed_steps): void {
    this.#type({ ...this.#kept.state.live, step, completed_steps });
  }

  /**
   * Save now; the receipt, once nothing waits any more.
   *
   * @throws Refused, Unreachable: what was typed is kept all the same, and sent when that is possible
   */
  save(): Promise<Receipt> {
    return this.#outgoing.save();
  }

  /** Try again at once: after signing in, or because somebody asks for it. */
  resume(): void {
    if (this.#over) return;
    this.#outgoing.afresh();
    void (this.hasUnsent() && isOpen(this.#kept.state) ? this.#outgoing.pump() : this.look());
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
    const answer = await command(this.#kept.state.id);
    await this.look();
    return answer;
  }

  /** Put the draft into the trash, and forget it here once the service has. */
  async discard(): Promise<void> {
    this.#outgoing.rest();
    const { id, base } = this.#kept.state;
    if (base.version > 0) await this.tools.api.delete(`/drafts/${id}`);
    await this.forget();
  }

  /** Forget the draft on this device, with all that waits. */
  async forget(): Promise<void> {
    this.close();
    await this.#kept.forget();
  }

  /** Leave the draft; what waits stays on this device. */
  close(): void {
    if (this.#over) return;
    this.#outgoing.leave();
    this.#over = true;
    this.#outgoing.stop();
    this.#unwatch();
    this.#stops.forEach((stop) => stop());
    this.tools.tabs.close();
    this.tools.closed();
  }

  #type(live: Form): void {
    if (this.#over) return;
    const before = this.#kept.state;
    this.#kept.put(type(before, live), this.#kept.takeOver());
    this.#outgoing.typed(!hasTyped(before));
  }

  // -- hearing of others

  /** Everything that was to be sent is confirmed. */
  #calm(): void {
    this.#watch();
    const { state } = this.#kept;
    if (!hasTyped(state) && this.#newest > state.base.version) void this.look();
  }

  async #lookOnce(): Promise<void> {
    const kept = this.#kept;
    const outgoing = this.#outgoing;
    if (kept.state.base.version === 0 || this.#over) return;
    try {
      const draft = await this.tools.api.get<Draft>(`/drafts/${kept.state.id}`);
      this.#newest = Math.max(this.#newest, draft.version);
      if (!kept.isOwner || outgoing.busy) return;
      const wasOpen = isOpen(kept.state);
      kept.put(looked(kept.state, draft));
      if (kept.sending.kind !== "sending") kept.goes({ kind: "idle" });
      if (!wasOpen) void outgoing.pump(); // it may have been put back
    } catch (error) {
      if (!outgoing.busy && kept.isOwner) outgoing.failed(error);
    }
  }

  /** Follow the draft, in the tab that owns it; what that needs is loaded when there is a network. */
  #watch(): void {
    const may = () => !this.#following && this.#outgoing.mayGoOn && this.#kept.state.base.version > 0;
    if (!may()) return;
    void import("./following").then(({ Following }) => {
      if (!may()) return;
      const { id, base } = this.#kept.state;
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
    news: (version) => {
      this.#newest = Math.max(this.#newest, version);
      if (!this.#outgoing.busy && this.#newest > this.#kept.state.base.version) void this.look();
    },
    present: (present) => {
      this.#present = present;
      this.#changed();
    },
  };

  #changed(): void {
    this.#shown = this.#snapshotNow();
    this.#listeners.forEach((listener) => listener());
  }

  #snapshotNow(): Snapshot {
    const { state, sending } = this.#kept;
    const { version, conflicts, about } = state.base;
    const status = statusOf(state, sending, this.tools.journal.health !== "memory");
    return { ...state.live, id: state.id, version, conflicts, about, status, present: this.#present };
  }
}
