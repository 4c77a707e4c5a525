/**
 * One draft as this browser keeps it: the tab that owns it writes it down and tells the others, which
 * show what they are told until somebody types in one of them.
 */
import type { Api } from "./api";
import type { Environment } from "./environment";
import type { Journal } from "./journal";
import { withoutSecrets } from "./secrets";
import { isOpen, partsOf, restored, waiting, type Parts, type State } from "./state";
import type { Sending } from "./status";
import type { Tabs, Told } from "./tabs";

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

/** Who is told what becomes of the draft. */
export interface Keeper {
  /** Something that can be shown is another. */
  changed(): void;
  /** Others wrote into the form. */
  others(): void;
  /** This tab owns the draft now. */
  owns(): void;
  /** Another tab does. */
  lost(): void;
}

export class Kept {
  sending: Sending = { kind: "idle" };
  /** Whether this tab holds all that the owner does, so that news of parts make sense. */
  #level = false;
  #forgotten = false;

  /** `turn` counts what was written of the draft on this device. */
  constructor(
    /** What the draft is called on this device. */
    readonly key: string,
    public state: State,
    private turn: number,
    private readonly tools: Tools,
    private readonly keeper: Keeper,
  ) {}

  /** Begin to agree with the other tabs; gives the function that ends it. */
  start(): () => void {
    const { tabs, journal } = this.tools;
    tabs.onTold = (told) => this.#told(told);
    tabs.onOwner = () => void this.#owns();
    const tended = () => this.#tend();
    journal.onHealth.add(tended);
    tabs.tell({ turn: this.turn, parts: {}, asks: true });
    tabs.wait();
    return () => journal.onHealth.delete(tended);
  }

  get isOwner(): boolean {
    return this.tools.tabs.isOwner;
  }

  /** Own the draft now; what the former owner may yet write is older. Whether it was another tab's. */
  takeOver(): boolean {
    if (this.isOwner) return false;
    this.turn += TAKEN_OVER;
    this.tools.tabs.take();
    return true;
  }

  /** Take a state over, write down what is new of it, and tell everybody. */
  put(state: State, all = false): void {
    const before = this.state;
    if (state === before && !all) return;
    this.state = state;
    const whole = all || this.#forgotten;
    const parts = partsOf(state);
    const changed: Partial<Parts> = {
      ...((whole || state.base !== before.base || state.id !== before.id) && { base: parts.base }),
      ...((whole || state.outbox !== before.outbox || state.whole !== before.whole) && { outbox: parts.outbox }),
      typed: parts.typed,
    };
    this.turn += 1;
    this.#forgotten = false;
    if (state.id !== before.id) void this.tools.journal.name(`draft ${state.id}`, this.key);
    this.tools.journal.write(this.key, this.turn, withoutSecrets(changed, this.tools.secrets));
    this.tools.tabs.tell({ turn: this.turn, parts: changed });
    this.keeper.changed();
    if (state.live !== before.live && state.base !== before.base) this.keeper.others();
  }

  /** Sending goes like this now. A draft that is over, and of which nothing waits, is forgotten here. */
  goes(sending: Sending): void {
    this.sending = sending;
    if (this.isOwner) this.tools.tabs.tell({ turn: this.turn, parts: {}, sending });
    this.keeper.changed();
    const over = sending.kind === "gone" || !isOpen(this.state);
    if (over && this.isOwner && waiting(this.state) === 0) void this.forget();
  }

  /** Forget the draft on this device, with all that waits. */
  forget(): Promise<void> {
    this.#forgotten = true;
    return this.tools.journal.forget(this.key);
  }

  async #owns(): Promise<void> {
    this.#level = true;
    const written = await this.tools.journal.read(this.key);
    if (!this.isOwner) return;
    if (written && written.turn > this.turn) this.#take(written.turn, written.parts);
    else this.put(this.state, true);
    this.keeper.owns();
  }

  /** Another tab says what it has made of the draft, or asks. */
  #told({ turn, parts, asks, sending }: Told<Parts>): void {
    const { tabs } = this.tools;
    if (asks) return this.isOwner ? tabs.tell({ turn: this.turn, parts: partsOf(this.state), sending: this.sending }) : undefined;
    if (sending && !this.isOwner) {
      this.sending = sending;
      this.keeper.changed();
    }
    this.#level ||= parts.base !== undefined;
    if (!this.#level || (this.isOwner ? turn <= this.turn : turn < this.turn)) return;
    tabs.yield();
    this.keeper.lost();
    this.#take(turn, parts);
  }

  #take(turn: number, parts: Partial<Parts>): void {
    const before = this.state.live.data;
    this.turn = turn;
    this.state = restored({ ...partsOf(this.state), ...parts });
    this.keeper.changed();
    if (this.state.live.data !== before) this.keeper.others();
  }

  /** Storage has failed, or works again: then all is written anew, not only what is new. */
  #tend(): void {
    if (this.isOwner) this.put(this.state, true);
    else this.keeper.changed();
  }
}
