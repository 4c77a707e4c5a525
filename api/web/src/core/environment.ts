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
  const [target, names, wanted] = SOURCES[event]();
  const heard = () => wanted() && listener();
  for (const name of names) target?.addEventListener(name, heard);
  return () => names.forEach((name) => target?.removeEventListener(name, heard));
}

type Source = [EventTarget | undefined, string[], () => boolean];
const always = () => true;
const window = globalThis as unknown as EventTarget;
const SOURCES: Record<PageEvent, () => Source> = {
  online: () => [window, ["online"], always],
  offline: () => [window, ["offline"], always],
  hidden: () => [window, ["pagehide", "visibilitychange"], () => globalThis.document?.visibilityState !== "visible"],
  shown: () => [window, ["pageshow", "visibilitychange", "focus"], () => globalThis.document?.visibilityState !== "hidden"],
};

/** A random UUID, also where pages come over plain HTTP, without `crypto.randomUUID`. */
export function uuid(): string {
  if (globalThis.crypto.randomUUID) return globalThis.crypto.randomUUID();
  const bytes = globalThis.crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
