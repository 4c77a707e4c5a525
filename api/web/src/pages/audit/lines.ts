/** The lines of the audit: fetched, exported and verified. */

import { apiOf, ask, api } from "../api";
import type { Json, Page } from "../../parts/answers";
import { type Wanted, queryOf } from "./wanted";

export interface Line {
  at: string;
  draft: string;
  title: string | null;
  owner: string;
  form: string;
  version: number;
  act: string;
  by: string;
  text: string;
  op: string | null;
  path: string | null;
  label: string | null;
  before: Json;
  after: Json;
  device: string | null;
  reason: string | null;
  hash: string;
}

export interface Lines extends Page<Line> {
  readonly total: number;
  readonly drafts: number;
}

export function fetchLines(wanted: Wanted, cursor: string | undefined): Promise<Lines> {
  return apiOf().get<Lines>("/audit", { query: { ...queryOf(wanted), limit: 50, cursor } });
}

const KINDS = { csv: "text/csv", ndjson: "application/x-ndjson" } as const;

/** Download every line that the filters let through, in one file. */
export async function exportLines(wanted: Wanted, kind: keyof typeof KINDS): Promise<void> {
  const answer = await apiOf().answer("GET", "/audit", { query: queryOf(wanted), headers: { Accept: KINDS[kind] } });
  const file = URL.createObjectURL(await answer.blob());
  const link = document.createElement("a");
  link.href = file;
  link.download = `audit-${new Date().toISOString().slice(0, 10)}.${kind}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(file), 60_000);
}

export interface Verified {
  intact: boolean;
  versions: number;
  broken?: string;
}

interface Chain {
  intact: boolean;
  versions: number;
  detail?: string | null;
}

/** Have the service recompute the chains of some drafts. */
export async function verifyChains(drafts: readonly string[]): Promise<Verified> {
  let versions = 0;
  for (const draft of drafts) {
    const chain = await ask<Chain>(api.GET("/v1/drafts/{draft_id}/verify", { params: { path: { draft_id: draft } } }));
    versions += chain.versions;
    if (!chain.intact)
      return {
        intact: false,
        versions,
        broken: `${draft}: ${chain.detail ?? "its versions are not as they were written"}`,
      };
  }
  return { intact: true, versions };
}
