/** What an auditor asks for, in the address of the page and in the request. */

export interface Wanted {
  q: string;
  by: string;
  act: string;
  from: string;
  to: string;
  draft: string;
  owner: string;
  path: string;
}

export const NAMES = ["q", "by", "act", "from", "to", "draft", "owner", "path"] as const;

/** The acts by which a version comes to be, as the filter calls them. */
export const ACTS = [
  "opened",
  "imported",
  "edited",
  "merged",
  "restored",
  "undone",
  "resolved",
  "labelled",
  "unlabelled",
  "forked",
  "shared",
  "unshared",
  "handed_over",
  "made_template",
  "unmade_template",
  "extended",
  "submitted",
  "discarded",
  "expired",
  "recovered",
] as const;

/** What the address of the page asks for. */
export function wantedBy(query: URLSearchParams): Wanted {
  const said = NAMES.map((name) => [name, query.get(name) ?? ""] as const);
  return Object.fromEntries(said) as unknown as Wanted;
}

/** The query of the request: days become the moments in which they begin and end here. */
export function queryOf(wanted: Wanted): { [name: string]: string } {
  const { from, to, ...rest } = wanted;
  const given = Object.entries(rest).filter(([, value]) => value !== "");
  return {
    ...Object.fromEntries(given),
    ...(from && { from: new Date(`${from}T00:00:00`).toISOString() }),
    ...(to && { to: new Date(`${to}T23:59:59.999`).toISOString() }),
  };
}
