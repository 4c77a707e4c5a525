/** A value that is fetched, with what to do while it is not there. */

import { type DependencyList, useCallback, useEffect, useRef, useState } from "react";

export interface Loaded<T> {
  value: T | undefined;
  problem: unknown;
  loading: boolean;
  reload: () => void;
}

/** Fetch whenever `deps` change; the last value stays until the next one is there, or is let go with `fresh`.
 *
 * What was there stays beside a problem, for those who can go on with it.
 */
export function useLoaded<T>(load: () => Promise<T>, deps: DependencyList, { fresh = false } = {}): Loaded<T> {
  const [state, setState] = useState<{ value?: T; problem?: unknown; loading: boolean }>({ loading: true });
  const [round, setRound] = useState(0);
  const latest = useRef(0);
  useEffect(() => {
    const mine = ++latest.current;
    const settle = (found: { value?: T; problem?: unknown }) => {
      if (mine === latest.current) setState(({ value }) => ({ ...(value !== undefined && { value }), ...found, loading: false }));
    };
    setState((before) => (fresh ? { loading: true } : { ...before, loading: true }));
    load().then(
      (value) => settle({ value }),
      (problem: unknown) => settle({ problem }),
    );
    return () => {
      latest.current++;
    };
    // biome-ignore lint: `load` is what `deps` say it depends on
  }, [...deps, round]);
  const reload = useCallback(() => setRound((before) => before + 1), []);
  return { value: state.value, problem: state.problem, loading: state.loading, reload };
}

/** The time, moved on every half minute, so that "4 minutes ago" stays true. */
export function useNow(): Date {
  const [now, setNow] = useState(() => new Date());
  useEffect(() => {
    const tick = setInterval(() => setNow(new Date()), 30_000);
    return () => clearInterval(tick);
  }, []);
  return now;
}

/** Run something that may fail, one at a time; `busy` while it runs. */
export function useAct(
  onProblem: (problem: unknown) => void,
): [busy: boolean, act: (task: () => Promise<void>) => void] {
  const [busy, setBusy] = useState(false);
  const running = useRef(false);
  const act = (task: () => Promise<void>) => {
    if (running.current) return;
    running.current = true;
    setBusy(true);
    task()
      .catch(onProblem)
      .finally(() => {
        running.current = false;
        setBusy(false);
      });
  };
  return [busy, act];
}
