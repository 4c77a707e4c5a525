/** A list that comes page by page, and to which later things are added in front. */

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

/** How a list goes on while it is shown. */
export interface Ongoing<T> {
  /** Another value means that there may be news. */
  news: unknown;
  /** What an item is known by, however it changes. */
  keyOf: (item: T) => unknown;
}

/** Fetch the first page whenever `deps` change, further ones when asked, and only what is new after news. */
export function usePages<T, P extends Page<T> = Page<T>>(
  load: (cursor: string | undefined) => Promise<P>,
  deps: DependencyList,
  ongoing?: Ongoing<T>,
): Pages<T, P> {
  const [pages, setPages] = useState<P[]>([]);
  const [state, setState] = useState<{ loading: boolean; problem?: unknown }>({ loading: true });
  const [round, setRound] = useState(0);
  const list = useRef(0);
  const fetchPage = (cursor: string | undefined, then: (before: P[], page: P) => P[]) => {
    const mine = list.current;
    setState({ loading: true });
    load(cursor).then(
      (page) => {
        if (mine !== list.current) return;
        setPages((before) => then(before, page));
        setState({ loading: false });
      },
      (problem: unknown) => mine === list.current && setState({ loading: false, problem }),
    );
  };
  useEffect(() => {
    fetchPage(undefined, (_, page) => [page]);
    return () => {
      list.current++;
    };
  }, [...deps, round]);
  const told = useRef(ongoing?.news);
  useEffect(() => {
    if (!ongoing || told.current === ongoing.news) return;
    told.current = ongoing.news;
    fetchPage(undefined, (before, page) => renewed(before, page, ongoing.keyOf));
  }, [ongoing?.news]);
  const next = pages.at(-1)?.next_cursor ?? null;
  // Twice asked for, or no longer what follows: then it is there already, or comes when asked again.
  const append = (before: P[], page: P) => (before.at(-1)?.next_cursor === next ? [...before, page] : before);
  return {
    items: pages.flatMap((page) => page.items),
    first: pages[0],
    loading: state.loading,
    problem: state.problem,
    more: next === null ? null : () => fetchPage(next, append),
    reload: () => setRound((before) => before + 1),
  };
}

/** Pages with the first one as it is now, and behind it whatever it has no room for any more. */
export function renewed<T, P extends Page<T>>(before: readonly P[], now: P, keyOf: (item: T) => unknown): P[] {
  const fresh = new Set(now.items.map(keyOf));
  const isFresh = (item: T) => fresh.has(keyOf(item));
  // Where nothing is in both, more has happened in between than a page holds.
  if (now.next_cursor === null || !before.some((page) => page.items.some(isFresh))) return [now];
  const older = before.map((page) => ({ ...page, items: page.items.filter((item) => !isFresh(item)) }));
  return [now, ...older.filter((page, at) => page.items.length > 0 || at === older.length - 1)];
}
