/** A draft in a component: open as long as it is shown, and rendered again only for what it shows. */
import { useCallback, useEffect, useRef, useState, useSyncExternalStore } from "react";
import { same, type DraftSession, type Json, type Snapshot, type Which } from "../core";
import { useClient } from "./context";

export interface OpenDraft {
  /** Null until the draft is open. */
  readonly session: DraftSession | null;
  readonly error: Error | null;
  /** Opens it anew, as after it was discarded. */
  readonly reopen: () => void;
}

/** Open a draft while the component is shown; `null` opens none. */
export function useDraft(which: Which | null): OpenDraft {
  const client = useClient();
  const [found, setFound] = useState<{ key: string; session: DraftSession | null; error: Error | null }>();
  const [times, setTimes] = useState(0);
  const key = `${times} ${which === null ? "" : "id" in which ? which.id : `${which.form} ${which.subject ?? ""}`}`;
  const latest = useRef(which);
  latest.current = which;

  useEffect(() => {
    const wanted = latest.current;
    if (!wanted) return undefined;
    let left = false;
    const opening = client.open(wanted);
    opening.then(
      (session) => left || setFound({ key, session, error: null }),
      (error: unknown) => left || setFound({ key, session: null, error: error as Error }),
    );
    return () => {
      left = true;
      opening.then((session) => client.close(session), () => {});
    };
  }, [client, key]);

  const reopen = useCallback(() => setTimes((n) => n + 1), []);
  const { session = null, error = null } = found?.key === key ? found : {};
  return { session, error, reopen };
}

/**
 * Part of what a draft shows; rendered again only when that part says something else.
 *
 * @param select takes the part out; it needs no `useCallback`
 */
export function useDraftValue<T>(session: DraftSession | null, select: (snapshot: Snapshot) => T): T | null {
  const kept = useRef<T | null>(null);
  const read = () => {
    const value = session ? select(session.snapshot()) : null;
    if (!same(value as Json, kept.current as Json)) kept.current = value;
    return kept.current;
  };
  const subscribe = useCallback((listener: () => void) => session?.subscribe(listener) ?? (() => {}), [session]);
  return useSyncExternalStore(subscribe, read, read);
}
