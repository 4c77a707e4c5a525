/** Which page an address means, and going from one to another without loading anything. */

import { type AnchorHTMLAttributes, type MouseEvent, useMemo, useSyncExternalStore } from "react";

export type Route =
  | { page: "drafts" }
  | { page: "form"; draft: string }
  | { page: "history"; draft: string }
  | { page: "conflicts"; draft: string }
  | { page: "audit" }
  | { page: "nowhere" };

const PAGES = { "": "form", history: "history", conflicts: "conflicts" } as const;

/** The page of an address's path. */
export function routeOf(path: string): Route {
  const [first, draft, rest = "", ...more] = path.split("/").filter(Boolean);
  if (first === undefined) return { page: "drafts" };
  if (first === "audit" && draft === undefined) return { page: "audit" };
  const known = first === "drafts" && draft !== undefined && more.length === 0 && rest in PAGES;
  return known ? { page: PAGES[rest as keyof typeof PAGES], draft } : { page: "nowhere" };
}

export const addressOf = {
  drafts: "/",
  audit: "/audit",
  form: (draft: string) => `/drafts/${draft}`,
  history: (draft: string) => `/drafts/${draft}/history`,
  conflicts: (draft: string) => `/drafts/${draft}/conflicts`,
};

const listeners = new Set<() => void>();

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  window.addEventListener("popstate", listener);
  return () => {
    listeners.delete(listener);
    window.removeEventListener("popstate", listener);
  };
}

function tell(): void {
  for (const listener of listeners) listener();
}

/** Go to an address of these pages. */
export function go(address: string, { replace = false } = {}): void {
  const current = location.pathname + location.search;
  if (replace || address === current) history.replaceState(null, "", address);
  else history.pushState(null, "", address);
  tell();
}

export function useRoute(): Route {
  const path = useSyncExternalStore(subscribe, () => location.pathname);
  return useMemo(() => routeOf(path), [path]);
}

/** What stands behind the question mark of the address. */
export function useQuery(): URLSearchParams {
  const search = useSyncExternalStore(subscribe, () => location.search);
  return useMemo(() => new URLSearchParams(search), [search]);
}

/** Change what stands behind the question mark; an empty value goes from it. */
export function setQuery(values: { [name: string]: string | null }, options?: { replace?: boolean }): void {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(values)) {
    if (value === null || value === "") query.delete(name);
    else query.set(name, value);
  }
  const said = query.toString();
  go(location.pathname + (said && `?${said}`), options);
}

/** A link within these pages. */
export function Link({ href, onClick, ...rest }: AnchorHTMLAttributes<HTMLAnchorElement> & { href: string }) {
  const follow = (event: MouseEvent<HTMLAnchorElement>) => {
    onClick?.(event);
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    go(href);
  };
  return <a href={href} onClick={follow} {...rest} />;
}
