/** A list that comes page by page. */

import { type DependencyList, useEffect, useRef, useState } from "react";
import type { Page } from "./answers";

export interface Pages<T, P extends Page<T>> {
  items: T[];
  /** The first page, with whatever it says besides its items. */
  first: P | undefined;
  loading: boolean;
  problem: unknown;
  more: (() => void) | null;
  reload: () => void;
}

/** Fetch the first page whenever `deps` change, and further ones when asked. */
export function usePages<T, P extends Page<T> = Page<T>>(
  load: (cursor: string | undefined) => Promise<P>,
  deps: DependencyList,
): Pages<T, P> {
  const [pages, setPages] = useState<P[]>([]);
  const [state, setState] = useState<{ loading: boolean; problem?: unknown }>({ loading: true });
  const [round, setRound] = useState(0);
  const latest = useRef(0);
  const fetchPage = (cursor: string | undefined, before: P[]) => {
    const mine = ++latest.current;
    setState({ loading: true });
    load(cursor).then(
      (page) => {
        if (mine !== latest.current) return;
        setPages([...before, page]);
        setState({ loading: false });
      },
      (problem: unknown) => mine === latest.current && setState({ loading: false, problem }),
    );
  };
  useEffect(() => {
    fetchPage(undefined, []);
    return () => {
      latest.current++;
    };
  }, [...deps, round]);
  const next = pages.at(-1)?.next_cursor ?? null;
  return {
    items: pages.flatMap((page) => page.items),
    first: pages[0],
    loading: state.loading,
    problem: state.problem,
    more: next === null ? null : () => fetchPage(next, pages),
    reload: () => setRound((before) => before + 1),
  };
}
