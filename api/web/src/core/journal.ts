/**
 * What this device must not forget: every change at once, in IndexedDB, and in `localStorage` until
 * IndexedDB has it.
 *
 * A write goes to `localStorage` before it returns, since that is all that survives a page which is
 * closed in the middle of a word, and is taken out again as soon as IndexedDB has committed it.
 */
import { committed, open } from "./database";
import type { Environment, Net } from "./environment";

export type Health = "disk" | "net" | "memory";

/** The parts of one draft that changed, as of a turn; turns of one draft only grow. */
interface Written<Parts> {
  turn: number;
  parts: Partial<Parts>;
}

const DATABASE = "variorum";
const LAST = "\uffff";

export class Journal<Parts extends object> {
  /** `net`: IndexedDB cannot be written, but the last changes are in `localStorage`; `memory`: neither. */
  health: Health = "disk";
  readonly onHealth = new Set<() => void>();
  /** What IndexedDB has not confirmed, of each draft; the whole of it lies in `localStorage`, too. */
  readonly #unsafe = new Map<string, Written<Parts>>();
  readonly #changed = new Set<string>();
  #database: Promise<IDBDatabase> | undefined;
  #writing: Promise<void> | undefined;

  /** `user` keeps what is one person's from the next; nothing is found under another name. */
  constructor(
    private readonly user: string,
    private readonly environment: Pick<Environment, "indexedDB" | "net">,
  ) {}

  /** What was written of a draft, the newest of each part. */
  async read(draft: string): Promise<Written<Parts> | undefined> {
    const kept = await this.#kept(draft).catch(() => undefined);
    const newer = this.#unsafe.get(draft) ?? this.#readNet(draft);
    if (!newer || newer.turn <= (kept?.turn ?? 0)) return kept;
    return { turn: newer.turn, parts: { ...kept?.parts, ...newer.parts } };
  }

  /** Write parts of a draft down; they are safe in `localStorage`, if it takes them, when this returns. */
  write(draft: string, turn: number, parts: Partial<Parts>): void {
    const all = { turn, parts: { ...this.#unsafe.get(draft)?.parts, ...parts } };
    this.#unsafe.set(draft, all);
    this.#changed.add(draft);
    const caught = this.#writeNet(draft, all);
    if (this.health !== "disk") this.#report(caught ? "net" : "memory");
    this.#begin();
  }

  /** When everything that was written is as safe as it gets. */
  async settled(): Promise<void> {
    while (this.#writing) await this.#writing;
  }

  /** Forget a draft on this device. */
  async forget(draft: string): Promise<void> {
    this.#unsafe.delete(draft);
    this.environment.net?.removeItem(this.#of(draft));
    await this.settled();
    await this.#do((store) => store.delete(this.#range(`draft ${encodeURIComponent(draft)} `))).catch(() => {});
  }

  /** Another name under which a draft is found, as that of the thing that it edits. */
  async name(name: string, draft: string): Promise<void> {
    await this.#do((store) => store.put(draft, this.#key(`name ${name}`))).catch(() => {});
  }

  /** The draft that has this name here. */
  async named(name: string): Promise<string | undefined> {
    return this.#do<string | undefined>((store) => store.get(this.#key(`name ${name}`)), "readonly").catch(() => undefined);
  }

  /** Every draft of the user of which something is written here. */
  async drafts(): Promise<string[]> {
    const keys = await this.#do((store) => store.getAllKeys(this.#range("draft ")), "readonly").catch(() => []);
    const kept = keys.map((key) => String(key).replace(/ [a-z]+$/, ""));
    return [...new Set([...kept, ...this.#netKeys()])].map((key) => decodeURIComponent(key.slice(this.#of("").length)));
  }

  /** Forget everything of the user on this device. */
  async wipe(): Promise<void> {
    this.#unsafe.clear();
    for (const key of this.#netKeys()) this.environment.net?.removeItem(key);
    await this.settled();
    await this.#do((store) => store.delete(this.#range("")));
  }

  #begin(): void {
    this.#writing ??= this.#flush().finally(() => {
      this.#writing = undefined;
      if (this.#changed.size > 0) this.#begin();
    });
  }

  /** One transaction at a time; what is written meanwhile goes with the next one. */
  async #flush(): Promise<void> {
    for (const draft of this.#changed) {
      this.#changed.delete(draft);
      const written = this.#unsafe.get(draft);
      if (!written) continue;
      try {
        await this.#do((store) => this.#put(store, draft, written));
        this.#confirm(draft, written);
        this.#report("disk");
      } catch {
        this.#report(this.environment.net?.getItem(this.#of(draft)) ? "net" : "memory");
      }
    }
  }

  /** IndexedDB has it; what was written meanwhile is still unsafe. */
  #confirm(draft: string, written: Written<Parts>): void {
    const now = this.#unsafe.get(draft);
    if (now && now !== written) {
      const left = Object.entries(now.parts).filter(([name, part]) => part !== written.parts[name as keyof Parts]);
      this.#unsafe.set(draft, { turn: now.turn, parts: Object.fromEntries(left) as Partial<Parts> });
    } else {
      this.#unsafe.delete(draft);
      this.environment.net?.removeItem(this.#of(draft));
    }
  }

  /** All parts or none; never over what another tab has written since it took the draft over. */
  #put(store: IDBObjectStore, draft: string, { turn, parts }: Written<Parts>): IDBRequest {
    const key = this.#of(draft);
    const last = store.get(`${key} turn`);
    last.onsuccess = () => {
      if (last.result >= turn) return;
      try {
        for (const [part, value] of Object.entries({ turn, ...parts })) store.put(value, `${key} ${part}`);
      } catch {
        store.transaction.abort(); // nobody else hears of what is thrown here
      }
    };
    return last;
  }

  async #kept(draft: string): Promise<Written<Parts> | undefined> {
    const key = this.#of(draft);
    const range = this.#range(`draft ${encodeURIComponent(draft)} `);
    let keys: IDBRequest<IDBValidKey[]> | undefined;
    const values = await this.#do((store) => {
      keys = store.getAllKeys(range);
      return store.getAll(range);
    }, "readonly");
    const { turn, ...parts } = Object.fromEntries(values.map((value, i) => [String(keys?.result[i]).slice(key.length + 1), value]));
    return turn === undefined ? undefined : { turn: turn as number, parts: parts as Partial<Parts> };
  }

  /** Work with the database; a connection that died in the background is opened again, once. */
  async #do<T>(work: (store: IDBObjectStore) => IDBRequest<T>, mode: IDBTransactionMode = "readwrite"): Promise<T> {
    const lose = () => (this.#database = undefined);
    const attempt = async () => {
      this.#database ??= open(this.environment.indexedDB, DATABASE, lose);
      return committed(await this.#database, mode, work);
    };
    return attempt().catch(() => (lose(), attempt()));
  }

  #report(health: Health): void {
    if (health === this.health) return;
    this.health = health;
    this.onHealth.forEach((listener) => listener());
  }

  #readNet(draft: string): Written<Parts> | undefined {
    const text = this.environment.net?.getItem(this.#of(draft));
    return text ? (JSON.parse(text) as Written<Parts>) : undefined;
  }

  #writeNet(draft: string, written: Written<Parts>): boolean {
    const { net } = this.environment;
    try {
      net?.setItem(this.#of(draft), JSON.stringify(written));
      return net !== undefined;
    } catch {
      net?.removeItem(this.#of(draft)); // an older one would be taken for the newest
      return false;
    }
  }

  #netKeys(): string[] {
    const { net } = this.environment;
    return net ? keysOf(net).filter((key) => key.startsWith(this.#of(""))) : [];
  }

  #of(draft: string): string {
    return this.#key(`draft ${encodeURIComponent(draft)}`);
  }

  #key(name: string): string {
    return `${DATABASE} ${encodeURIComponent(this.user)} ${name}`;
  }

  #range(prefix: string): IDBKeyRange {
    return IDBKeyRange.bound(this.#key(prefix), this.#key(prefix) + LAST);
  }
}

/** All keys of a storage. */
export function keysOf(net: Net): string[] {
  return Array.from({ length: net.length }, (_, i) => net.key(i)).filter((key) => key !== null);
}
