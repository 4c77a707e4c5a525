/** What became of the drafts of an older page in this browser, told until somebody has read it. */

import { type Adopted, adoptLocalStorage } from "../../core";
import { clientNow } from "../client";

const report = (user: string | null) => `variorum.imported ${user}`;

/** Hand what lies here to the service; null if nothing does. */
export async function adoptHere(user: string | null): Promise<readonly Adopted[] | null> {
  const items = await adoptLocalStorage(clientNow());
  if (items.length === 0) return null;
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
