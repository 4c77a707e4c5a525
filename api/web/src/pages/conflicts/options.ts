/** What somebody can take where changes clash; pure. */

import type { Conflict, Definition, Json, Side } from "../../parts/answers";
import { bothLists, bothTexts } from "../../parts/changes";
import { kindAt } from "../../parts/kinds";
import { isMasked } from "../../parts/values";

export type Values = { [path: string]: Json };

export interface Option {
  key: string;
  kind: "ours" | "theirs" | "both" | "base";
  values: Values;
  side?: Side;
  /** What goes to the service. */
  decision: { take: "ours" | "theirs" | "base" | "value"; which?: number; value?: Json };
}

/** The choices of a conflict: each side's, both where that makes sense, and as it was before. */
export function optionsOf(conflict: Conflict): Option[] {
  const ours: Option = {
    key: "ours",
    kind: "ours",
    values: conflict.ours.values,
    side: conflict.ours,
    decision: { take: "ours" },
  };
  const theirs = conflict.theirs.map((side, which): Option => ({
    key: `theirs-${which}`,
    kind: "theirs",
    values: side.values,
    side,
    decision: { take: "theirs", which },
  }));
  return [
    ours,
    ...theirs,
    ...both(conflict),
    { key: "base", kind: "base", values: conflict.base, decision: { take: "base" } },
  ];
}

function both(conflict: Conflict): Option[] {
  const [path, ...others] = conflict.paths;
  const [theirs, ...further] = conflict.theirs;
  if (path === undefined || theirs === undefined || others.length > 0 || further.length > 0) return [];
  const value = together(conflict.ours.values[path], theirs.values[path], conflict.base[path]);
  return value === undefined
    ? []
    : [{ key: "both", kind: "both", values: { [path]: value }, decision: { take: "value", value } }];
}

/** Both values as one: long texts and lists can be kept together, other values cannot. */
export function together(ours: Json | undefined, theirs: Json | undefined, base: Json | undefined): Json | undefined {
  if (Array.isArray(ours) && Array.isArray(theirs)) return bothLists(ours, theirs);
  if (typeof ours !== "string" || typeof theirs !== "string") return undefined;
  const long = [ours, theirs, base].some(
    (text) => typeof text === "string" && (text.length > 60 || text.includes("\n")),
  );
  return long ? bothTexts(ours, theirs) : undefined;
}

/** Whether somebody can write a value of their own here: where every place takes a single one. */
export function canWrite(conflict: Conflict, form: Definition): boolean {
  const single = (path: string) => {
    const kind = kindAt(form, path);
    const values = [conflict.ours, ...conflict.theirs].map((side) => side.values[path]);
    const plain = values.every((value) => value === undefined || value === null || typeof value !== "object");
    return kind === "tags" || (kind !== "list" && kind !== "group" && plain && !values.some(isMasked));
  };
  return conflict.paths.every(single);
}
