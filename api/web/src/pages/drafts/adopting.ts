/** Taking over what an older page kept in this browser; an entry goes only once the service has it. */

import { apiOf } from "../api";

export interface Adopted {
  readonly key: string;
  readonly outcome: string;
  readonly draft: string | null;
  readonly conflicts: number | null;
  readonly detail: string | null;
}

const OLD = /^gig-(create-draft$|edit-)/;
const SAFE = new Set(["imported", "filled", "known", "empty"]);
const report = (user: string | null) => `variorum.imported ${user}`;

/** The keys under which an older page kept drafts here. */
export function oldKeys(storage: Storage): string[] {
  return Array.from({ length: storage.length }, (_, at) => storage.key(at) ?? "").filter((key) => OLD.test(key));
}

/** Hand what lies here to the service; null if nothing does. */
export async function adoptHere(user: string | null): Promise<readonly Adopted[] | null> {
  const keys = oldKeys(localStorage);
  if (keys.length === 0) return null;
  const entries = Object.fromEntries(keys.map((key) => [key, localStorage.getItem(key)]));
  const { items } = await apiOf().post<{ items: Adopted[] }>("/imports/local-storage", { entries });
  for (const one of items) if (SAFE.has(one.outcome)) localStorage.removeItem(one.key);
  localStorage.setItem(report(user), JSON.stringify(items));
  return items;
}

export function keptReport(user: string | null): readonly Adopted[] {
  const kept = localStorage.getItem(report(user));
  return kept === null ? [] : (JSON.parse(kept) as Adopted[]);
}

export function forgetReport(user: string | null): void {
  localStorage.removeItem(report(user));
}
