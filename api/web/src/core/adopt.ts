/** Takes over the drafts that an older page kept in `localStorage`, once, by the service. */
import type { Client } from "./client";
import { browser, type Net } from "./environment";
import { keysOf } from "./journal";

/** What became of one entry; `draft` is the one that holds it now. */
export interface Adopted {
  readonly key: string;
  readonly outcome: "imported" | "filled" | "known" | "empty" | "broken" | "refused" | "ignored";
  readonly draft: string | null;
  readonly conflicts: number | null;
  readonly detail: string | null;
}

/** The keys that gigs were kept under. */
const GIGS = /^gig-(create-draft$|edit-.)/;

/**
 * Send the entries whose keys fit to the service, and remove those of which it says that a draft holds them.
 * What it cannot take stays where it is. Safe to repeat, and in two tabs at once.
 *
 * @throws Refused, Unreachable: then everything stays, for the next time
 */
export async function adoptLocalStorage(client: Client, keys = GIGS, net: Net | undefined = browser().net): Promise<readonly Adopted[]> {
  if (!net) return [];
  const entries = keysOf(net).flatMap((key): [string, string][] => (keys.test(key) ? [[key, net.getItem(key) ?? ""]] : []));
  if (entries.length === 0) return [];
  const sent = Object.fromEntries(entries);
  const { items } = await client.api.post<{ items: readonly Adopted[] }>("/imports/local-storage", { entries: sent });
  for (const { key, draft, outcome } of items) {
    // The old page, in another tab, may have written since: then it is another draft to take over.
    if ((draft !== null || outcome === "empty") && net.getItem(key) === sent[key]) net.removeItem(key);
  }
  return items;
}
