/** The names that versions have now. */

import type { Page, Version, VersionLine } from "../../parts/answers";
import { api, ask } from "../api";

/** A name, and whose save it is on. */
export interface Label {
  readonly name: string;
  readonly by: string;
  readonly device: string | null;
}

export type Labels = ReadonlyMap<number, Label>;

/** The named versions of a draft; the latest naming of a version holds. */
export async function fetchLabels(draft: string): Promise<Labels> {
  const [given, taken] = await Promise.all([linesOf(draft, "labelled"), linesOf(draft, "unlabelled")]);
  const told = await Promise.all([...given, ...taken].map((line) => versionOf(draft, line.version)));
  const names = new Map<number, string>();
  for (const { act, about } of told.sort((one, other) => one.version - other.version)) {
    if (act === "labelled") names.set(Number(about.version), String(about.label));
    else names.delete(Number(about.version));
  }
  return new Map(
    await Promise.all(
      [...names].map(async ([version, name]) => [version, await labelOf(draft, version, name)] as const),
    ),
  );
}

async function labelOf(draft: string, version: number, name: string): Promise<Label> {
  const { by, device } = await versionOf(draft, version);
  return { name, by, device };
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
