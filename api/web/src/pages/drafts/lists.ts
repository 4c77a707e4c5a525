/** The lists of drafts that somebody can look at, and how each is asked for. */

import type { Page, Summary } from "../../parts/answers";
import { api, ask } from "../api";

export type Listed = "open" | "templates" | "submitted" | "trash";
export type Sort = "saved" | "expires" | "title";

export const LISTS: { [list in Listed]: string } = {
  open: "Mine and shared",
  templates: "Templates",
  submitted: "Submitted",
  trash: "Trash",
};

export const SORTS: { [sort in Sort]: string } = {
  saved: "Last saved first",
  expires: "Expiring first",
  title: "By title",
};

export interface Wanted {
  list: Listed;
  q: string;
  sort: Sort;
}

const FILTERS = {
  open: { status: "open", template: false },
  templates: { status: "open", template: true },
  submitted: { status: "submitted" },
  trash: { status: "trash" },
} as const;

/** One page of a list; the trash holds what was discarded and what expired. */
export function fetchList({ list, q, sort }: Wanted, cursor: string | undefined): Promise<Page<Summary>> {
  const query = { ...FILTERS[list], sort, limit: 50, ...(q && { q }), ...(cursor && { cursor }) };
  return ask(api.GET("/v1/drafts", { params: { query } }));
}
