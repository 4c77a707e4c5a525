/** The names that versions have now. */

import type { Page, Version, VersionLine } from "../../parts/answers";
import { api, ask } from "../api";

/** The named versions of a draft, each with its name; the latest naming of a version holds. */
export async function fetchLabels(draft: string): Promise<Map<number, string>> {
  const [given, taken] = await Promise.all([linesOf(draft, "labelled"), linesOf(draft, "unlabelled")]);
  const told = await Promise.all([...given, ...taken].map((line) => versionOf(draft, line.version)));
  const labels = new Map<number, string>();
  for (const { act, about } of told.sort((one, other) => one.version - other.version)) {
    if (act === "labelled") labels.set(Number(about.version), String(about.label));
    else labels.delete(Number(about.version));
  }
  return labels;
}

async function linesOf(draft: string, act: string): Promise<readonly VersionLine[]> {
  const query = { act, limit: 50 };
  const page = await ask<Page<VersionLine>>(
    api.GET("/v1/drafts/{draft_id}/versions", { params: { path: { draft_id: draft }, query } }),
  );
  return page.items;
}

/** One version, with its changes in words and values. */
export function versionOf(draft: string, version: number): Promise<Version> {
  return ask<Version>(
    api.GET("/v1/drafts/{draft_id}/versions/{version}", { params: { path: { draft_id: draft, version } } }),
  );
}
