/** What the core needs of a browser, so that tests can bring their own. */

/** Storage that is written at once, as `localStorage` is. */
export type Net = Pick<Storage, "getItem" | "setItem" | "removeItem" | "key" | "length">;

export interface Environment {
  readonly fetch: typeof globalThis.fetch;
  readonly indexedDB: IDBFactory | undefined;
  readonly net: Net | undefined;
  readonly locks: Pick<LockManager, "request"> | undefined;
  readonly channel: ((name: string) => BroadcastChannel) | undefined;
  readonly now: () => number;
  readonly random: () => number;
  /** Tells when the network comes and goes (`online`, `offline`) and the page does (`hidden`, `shown`). */
  readonly on: (event: PageEvent, listener: () => void) => () => void;
  readonly isOnline: () => boolean;
}

export type PageEvent = "online" | "offline" | "hidden" | "shown";

/** The browser, or whatever this runs in. */
export function browser(): Environment {
  return {
    fetch: globalThis.fetch,
    indexedDB: globalThis.indexedDB,
    net: allowed(() => globalThis.localStorage),
    locks: globalThis.navigator?.locks,
    channel: globalThis.BroadcastChannel && ((name) => new BroadcastChannel(name)),
    now: Date.now,
    random: Math.random,
    on: listen,
    isOnline: () => globalThis.navigator?.onLine ?? true,
  };
}

/** Reading `localStorage` throws where the user forbids it. */
function allowed<T>(storage: () => T): T | undefined {
  try {
    return storage() ?? undefined;
  } catch {
    return undefined;
  }
}

function listen(event: PageEvent, listener: () => void): () => void {
  const [names, unwanted] = SOURCES[event];
  const heard = () => globalThis.document?.visibilityState !== unwanted && listener();
  for (const name of names) globalThis.addEventListener?.(name, heard);
  return () => names.forEach((name) => globalThis.removeEventListener(name, heard));
}

/** What the browser fires, and how visible the page then is not. */
const SOURCES: Record<PageEvent, [string[], string?]> = {
  online: [["online"]],
  offline: [["offline"]],
  hidden: [["pagehide", "visibilitychange"], "visible"],
  shown: [["pageshow", "visibilitychange", "focus"], "hidden"],
};

/** A random UUID, also where pages come over plain HTTP, which has no `crypto.randomUUID`. */
export function uuid(): string {
  const random = crypto.getRandomValues(new Uint8Array(32));
  let place = 0;
  return "xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx".replace(/x/g, () => ((random[place++] ?? 0) & 15).toString(16));
}
