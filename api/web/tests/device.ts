/** A browser for the core's tests: storage that survives its tabs, and a network that comes and goes. */
import "fake-indexeddb/auto";
import { IDBFactory } from "fake-indexeddb";
import { vi } from "vitest";
import { Client, type ClientOptions } from "../src/core/client";
import type { Environment, Net, PageEvent } from "../src/core/environment";
import type { Service } from "./service";

/** `localStorage`, with room for so many characters. */
export class Storage implements Net {
  readonly items = new Map<string, string>();
  room = Number.POSITIVE_INFINITY;

  get length(): number {
    return this.items.size;
  }
  key = (place: number): string | null => [...this.items.keys()][place] ?? null;
  getItem = (name: string): string | null => this.items.get(name) ?? null;
  removeItem = (name: string): void => void this.items.delete(name);
  setItem = (name: string, value: string): void => {
    if (value.length > this.room) throw new DOMException("full", "QuotaExceededError");
    this.items.set(name, value);
  };
}

/** Web Locks, exclusive ones only. */
class Locks {
  private readonly queues = new Map<string, { grant: () => void; steal: (why: unknown) => void }[]>();

  of = (tab: Tab) => ((name: string, options: LockOptions, held: () => Promise<void> | undefined): Promise<unknown> => {
    const queue = this.queues.get(name) ?? [];
    this.queues.set(name, queue);
    return new Promise((done, broken) => {
      const leave = () => {
        const place = queue.indexOf(entry);
        if (place >= 0) queue.splice(place, 1);
        if (place === 0) queue[0]?.grant();
      };
      tab.ends.push(leave);
      const entry = {
        grant: () => void Promise.resolve(held()).then(() => (leave(), done(undefined))),
        steal: broken,
      };
      options.signal?.addEventListener("abort", () => (leave(), broken(new DOMException("", "AbortError"))));
      if (options.steal) {
        queue.shift()?.steal(new DOMException("", "AbortError"));
        queue.unshift(entry);
        queueMicrotask(entry.grant);
      } else if (queue.push(entry) === 1) queueMicrotask(entry.grant);
    });
  }) as unknown as LockManager["request"];
}

export class Device {
  readonly net = new Storage();
  indexedDB = new IDBFactory();
  private readonly locks = new Locks();
  private readonly channels = new Map<string, Set<FakeChannel>>();

  constructor(readonly service: Service) {}

  /** A tab of this browser, with its own client. */
  tab(options: Partial<ClientOptions> = {}): Tab {
    return new Tab(this, options);
  }

  environment(tab: Tab): Environment {
    return {
      fetch: ((address: string, init: RequestInit) => (tab.crashed ? new Promise(() => {}) : this.service.fetch(address, init))) as typeof fetch,
      indexedDB: this.indexedDB,
      net: this.net,
      locks: { request: this.locks.of(tab) },
      channel: (name) => new FakeChannel(this.channels, name, tab) as unknown as BroadcastChannel,
      now: Date.now,
      random: () => 1,
      on: (event, listener) => tab.on(event, listener),
      isOnline: () => this.service.reachable,
    };
  }
}

export class Tab {
  readonly client: Client;
  crashed = false;
  readonly ends: (() => void)[] = [];
  private readonly heard: [PageEvent, () => void][] = [];

  constructor(device: Device, options: Partial<ClientOptions>) {
    this.client = new Client({ token: () => "ann", user: "ann", ...options, environment: device.environment(this) });
  }

  /** The browser kills the tab: nothing of it runs any more, and its locks are free. */
  crash(): void {
    this.crashed = true;
    this.heard.length = 0;
    for (const end of this.ends) end();
  }

  on(event: PageEvent, listener: () => void): () => void {
    const entry: [PageEvent, () => void] = [event, listener];
    this.heard.push(entry);
    return () => void this.heard.splice(this.heard.indexOf(entry), 1);
  }

  emit(event: PageEvent): void {
    for (const [name, listener] of [...this.heard]) if (name === event) listener();
  }
}

class FakeChannel {
  onmessage: ((message: { data: unknown }) => void) | null = null;

  constructor(private readonly all: Map<string, Set<FakeChannel>>, private readonly name: string, tab: Tab) {
    tab.ends.push(() => this.close());
    all.set(name, (all.get(name) ?? new Set()).add(this));
  }

  postMessage(data: unknown): void {
    const copy = structuredClone(data);
    for (const other of this.all.get(this.name) ?? []) {
      if (other !== this) queueMicrotask(() => other.onmessage?.({ data: structuredClone(copy) }));
    }
  }

  close(): void {
    this.all.get(this.name)?.delete(this);
  }
}

/** Let seconds pass, with all that is due in them. */
export async function pass(seconds: number): Promise<void> {
  for (let left = seconds * 1_000; left > 0; left -= 100) {
    await vi.advanceTimersByTimeAsync(Math.min(100, left));
    await settle();
  }
}

/** Let what is under way come to its end: storage answers by immediates, which no fake clock holds. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 12; i++) await new Promise((done) => setImmediate(done));
}

export function fakeTime(): void {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"], now: new Date("2026-03-01T12:00:00Z") });
}
